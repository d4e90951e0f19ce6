"""The facts: every row can be traced, every id means one thing, and no source stands there unused."""

import csv
import re

import pytest

from fabriclib import catalog
from fabriclib.collectives.registry import entries

FOLDER = catalog.data_folder()
TABLES = {path.stem: catalog.rows(path.stem) for path in sorted(FOLDER.glob("*.csv"))}
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]
SOURCES = {row["id"] for row in TABLES["sources"]}
DIRECTIONS = {"", "one way", "both"}
KINDS = {"datasheet", "standard", "paper", "measured", "derived", "estimate"}
# Columns that name or sort a thing and state nothing measured about it.
LABELS = {"id", "name", "sources", "note", "generation", "family"}


def cited(row) -> dict[str, str]:
    """Return {column: source id} of a row; a narrow row has one source for its value."""
    if row.get("source"):
        return {"value": row["source"]}
    return dict(pair.split(":", 1) for pair in row.get("sources", "").split())


def numeric(table: str, column: str) -> bool:
    filled = [row[column] for row in TABLES[table] if row[column]]
    return bool(filled) and all(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell) for cell in filled)


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_rectangular_and_their_ids_are_unique_and_well_formed(table):
    with open(FOLDER / f"{table}.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert len({len(line) for line in lines}) == 1, f"{table}.csv has rows of different lengths"
    assert all(cell == cell.strip() for line in lines for cell in line), f"{table}.csv has cells with stray blanks"
    if "id" in lines[0]:
        ids = [row["id"] for row in TABLES[table]]
        assert len(set(ids)) == len(ids), f"{table}.csv has an id twice"
        for one in ids:
            assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", one), f"{table}.csv: {one!r} is no lower-case id"
    else:
        keys = [tuple(row.values())[:2] if table != "framings" else (row["framing"], row["field"]) for row in TABLES[table]]
        assert len(set(keys)) == len(keys), f"{table}.csv says something twice"


def test_every_source_named_exists():
    for table, row in ROWS:
        for column, source in cited(row).items():
            assert source in SOURCES, f"{table}.csv, {row.get('id')}: {column} cites {source!r}, which sources.csv lacks"
    for entry in entries().values():
        assert entry.source in SOURCES, f"{entry.collective} by {entry.name} cites {entry.source!r}"


def test_every_value_of_a_wide_row_names_its_source():
    for table, row in ROWS:
        if "sources" not in row:
            continue
        names = cited(row)
        assert set(names) <= set(row), f"{table}.csv, {row.get('id')} cites sources for columns it does not have"
        assert all(row[column] for column in names), f"{table}.csv, {row.get('id')} cites a source for an empty cell"
        sourced = {column for other in TABLES[table] for column in cited(other)}
        for column, cell in row.items():
            if cell and column not in LABELS and (column in sourced or numeric(table, column)):
                assert column in names, f"{table}.csv, {row.get('id', row)}: {column} has no source"


def test_every_narrow_row_names_its_source():
    for table, row in ROWS:
        if "source" in row:
            assert row["source"], f"{table}.csv, {row['id']} has no source"


def test_every_source_is_used():
    used = {source for _, row in ROWS for source in cited(row).values()} | {entry.source for entry in entries().values()}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "fabriclib").rglob("*.py"))
    unused = [one for one in SOURCES - used if f'"{one}"' not in code]
    assert not unused, f"sources.csv has rows nobody cites: {sorted(unused)}"


def test_sources_are_graded_and_can_be_found():
    for row in TABLES["sources"]:
        assert row["title"], row["id"]
        if row["id"] == "none":
            assert row["grade"] == "unverified"
            continue
        assert row["grade"] in ("A", "B", "C"), row["id"]
        assert row["publisher"], row["id"]
        assert re.match(r"https?://\S+$", row["url"]) or not row["url"], row["id"]
        assert re.fullmatch(r"(\d{4}(-\d\d(-\d\d)?)?)?", row["date"]), row["id"]


def test_a_page_is_one_source():
    pages = [re.sub(r"^https?://(www\.)?|/$", "", row["url"]) for row in TABLES["sources"] if row["url"]]
    assert sorted(pages) == sorted(set(pages))


def test_what_rests_on_no_source_says_what_it_rests_on():
    for table, row in ROWS:
        if row.get("source") == "none":
            assert row["note"], f"{table}.csv, {row['id']} has neither source nor note"


@pytest.mark.parametrize("row", TABLES["figures"], ids=lambda row: row["id"])
def test_figures_are_numbers_with_units_that_can_be_read(row):
    figure = catalog.figure(row["id"])
    assert figure.si == figure.si > 0
    assert figure.direction in DIRECTIONS
    assert figure.kind in KINDS
    assert figure.subject
    assert figure.quantity
    assert figure.scope
    if figure.unit.endswith(("B/s", "b/s")):
        assert figure.direction, f"{figure.id} does not say whether it is one way or both"


def test_a_tuners_constants_are_not_measurements():
    constants = [figure for figure in catalog.figures() if figure.source.id in ("nccl-topo", "nccl-tuning", "rccl-tuning")]
    assert len(constants) == 5
    for figure in constants:
        assert figure.kind == "estimate"
        assert "a constant of the library's tuner" in figure.note


def test_rows_refer_to_rows_that_exist():
    for table, column, other, key in (("links", "code", "codes", "id"), ("links", "framing", "framings", "framing"),
                                      ("measurement_tables", "link", "links", "id"),
                                      ("measurements", "table", "measurement_tables", "id")):
        there = {row[key] for row in TABLES[other]}
        for row in TABLES[table]:
            assert not row[column] or row[column] in there, f"{table}.csv: {column} {row[column]!r} is not in {other}.csv"


@pytest.mark.parametrize(("call", "named"), [
    (lambda: catalog.rows("lnks"), "Did you mean 'links'"), (lambda: catalog.rows("../secrets"), "table"),
    (lambda: catalog.rows(None), "table"), (lambda: catalog.source("nccl-topos"), "Did you mean 'nccl-topo'"),
    (lambda: catalog.figure("nvlink4"), "figure"), (lambda: catalog.row("links", 4), "link"),
])
def test_unknown_names_are_refused(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_figures_are_found_by_subject_and_quantity():
    assert {figure.quantity for figure in catalog.figures("nvlink4")} >= {"headline rate", "measured copy"}
    assert catalog.figures("nvlink4", "no such thing") == []
    assert len(catalog.figures()) == len(TABLES["figures"])
