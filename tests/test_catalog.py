"""The facts: declared column by column, read by something, traceable, every id one thing, no source unused."""

import csv
import re

import data_dictionary
import pytest

from fabriclib import catalog
from fabriclib.collectives.registry import entries

FOLDER = catalog.data_folder()
TABLES = {path.stem: catalog.rows(path.stem) for path in sorted(FOLDER.glob("*.csv"))}
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]
CELLS = [(table, column, declared, row[column]) for table, rows in TABLES.items()
         for column, declared in catalog.columns(table).items() for row in catalog.texts(table)]
KEYS = {row["id"]: row["key"] for row in TABLES["tables"]}
SOURCES = {row["id"] for row in TABLES["sources"]}
DIRECTIONS = {"", "one way", "both"}
KINDS = {"datasheet", "standard", "paper", "measured", "derived", "estimate", "claim"}
# Columns that name or sort a thing and state nothing measured about it.
LABELS = {"id", "name", "sources", "note", "generation", "family"}
# How a column's name ends says the unit of its numbers, and nothing else may end so.
UNITS = {"s": {"s", "seconds"}, "B": {"bytes", "nbytes"}, "b": {"bits"}, "B/s": {"bytes_per_s"}, "b/s": {"bits_per_s"},
         "s/B": {"s_per_byte"}, "s/m": {"s_per_m"}, "m": {"m"}, "W": {"w"}, "V": {"v"}, "dB": {"db"}, "USD": {"usd"},
         "FLOP/s": {"flop_per_s"}, "J/b": {"j_per_bit"}}
OTHER_UNIT = re.compile(r"(.*_)?([num]s|[kmgt]?bps|[kmgt]i?b(_?ps|_s|_per_s)?|[kmgt]?hz|m[vwm]|u?sec|byte|bit)", re.IGNORECASE)
SHOWN_WHOLE = ("cxl_", "columns", "tables")  # by cxl.table, and by the data dictionary
PLAIN = {"congestion": "dcqcn-|pfc-", "pcie_control": None, "nccl_factors": None, "transports": None}  # value by value


ROOT = FOLDER.parent
READERS = "\n".join(path.read_text(encoding="utf-8") for folder in ("fabriclib", "fabricbook", "tools")
                    for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md"))


def cited(row) -> dict[str, str]:
    """Return {column: source id} of a row; a narrow row has one source for its value."""
    return {"value": row["source"]} if row.get("source") else row.get("sources", {})


def items(value) -> list:
    """Return what a cell holds: the one value, or all of several."""
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else [value]


def test_every_table_and_column_is_declared_and_every_declaration_exists():
    assert sorted(KEYS) == sorted(TABLES)
    declared = {(row["table"], row["column"]) for row in TABLES["columns"]}
    assert len(declared) == len(TABLES["columns"])
    held = {(table, column) for table in TABLES for column in catalog.columns(table)}
    assert all(pair in held if pair[0] else any(pair[1] == column for _, column in held) for pair in declared)
    for row in TABLES["columns"]:
        assert row["kind"] in catalog.KINDS, row
        assert (row["kind"] in ("number", "numbers")) <= bool(row["unit"]), row


def test_cells_are_blank_only_where_they_may_be():
    blank = {(table, column) for table, column, declared, cell in CELLS if not cell and not declared["blank"]}
    assert not blank


def test_every_reference_resolves():
    for table in TABLES:
        for column, declared in catalog.columns(table).items():
            if declared["refers"]:
                other, _, there = declared["refers"].partition(".")
                ids = {row[there or KEYS[other][0]] for row in TABLES[other]}
                named = {one for row in TABLES[table] for one in items(row[column]) if one is not None}
                assert named <= ids, f"{table}.csv: {column} names {sorted(named - ids)}, which {other}.csv lacks"


def test_a_unit_has_one_spelling():
    for table in TABLES:
        for column, declared in catalog.columns(table).items():
            unit = declared["unit"]
            if unit in ("", "1") or unit.startswith("("):
                assert not OTHER_UNIT.fullmatch(column), f"{table}.csv: {column} looks like a unit, and none is declared"
            else:
                ends = any(column == end or column.endswith(f"_{end}") for end in UNITS[unit])
                assert ends, f"{table}.csv: {column} is in {unit}, and its name does not say so"


def test_nothing_stands_there_unread():
    read = set(re.findall(r"[\"'.](\w+)", READERS)) | set(re.findall(r"(\w+): ", READERS))
    named = set(re.findall(r'"([\w.-]+)(?=")', READERS))
    for table in TABLES:
        if table.startswith(SHOWN_WHOLE):
            continue
        assert table in named, f"{table}.csv is read by nothing"
        for column in catalog.columns(table):
            assert column in read, f"{table}.csv: {column} is read by nothing"
    for table, built in PLAIN.items():
        for one in (row["id"] for row in TABLES[table]):
            assert one in named or built and re.match(built, one), f"{table}.csv: {one} is read by nothing"


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_rectangular_and_their_ids_are_unique_and_well_formed(table):
    with open(FOLDER / f"{table}.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert len({len(line) for line in lines}) == 1, f"{table}.csv has rows of different lengths"
    assert all(cell == cell.strip() for line in lines for cell in line), f"{table}.csv has cells with stray blanks"
    keys = [tuple(row[column] for column in KEYS[table]) for row in TABLES[table]]
    assert len(set(keys)) == len(keys), f"{table}.csv says something twice"
    for row in TABLES[table]:
        one = row.get("id", "a")
        assert table in ("tables", "columns") or re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", one), f"{one!r} is no lower-case id"


def test_every_source_an_algorithm_names_exists():
    for entry in entries().values():
        assert entry.source in SOURCES, f"{entry.collective} by {entry.name} cites {entry.source!r}"


def test_every_value_of_a_wide_row_names_its_source():
    for table, row in [(name, row) for name in TABLES for row in catalog.texts(name) if "sources" in row]:
        names = catalog.KINDS["sources"](row["sources"])
        assert set(names) <= set(row), f"{table}.csv, {row.get('id')} cites sources for columns it does not have"
        assert all(row[column] for column in names), f"{table}.csv, {row.get('id')} cites a source for an empty cell"
        sourced = {column for other in TABLES[table] for column in cited(other)}
        numeric = {column for column, declared in catalog.columns(table).items() if declared["kind"] in ("number", "integer")}
        for column, cell in row.items():
            if cell and column not in LABELS and (column in sourced or column in numeric):
                assert column in names, f"{table}.csv, {row.get('id', row)}: {column} has no source"


def test_every_narrow_row_names_its_source():
    for table, row in ROWS:
        if "source" in row:
            assert row["source"], f"{table}.csv, {row['id']} has no source"


def test_every_source_is_used():
    used = {source for _, row in ROWS for source in cited(row).values()} | {entry.source for entry in entries().values()}
    unused = [one for one in SOURCES - used if f'"{one}"' not in READERS]
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


def test_figures_are_numbers_with_units_that_can_be_read():
    for row in TABLES["figures"]:
        figure = catalog.figure(row["id"])
        assert figure.si == figure.si > 0, figure
        assert figure.direction in DIRECTIONS, figure
        assert figure.kind in KINDS, figure
        assert figure.subject, figure
        assert figure.quantity, figure
        assert figure.scope, figure
        if figure.unit.endswith(("B/s", "b/s")):
            assert figure.direction, f"{figure.id} does not say whether it is one way or both"


def test_a_tuners_constants_are_not_measurements():
    constants = [figure for figure in catalog.figures() if figure.source.id in ("nccl-topo", "nccl-tuning", "rccl-tuning")]
    assert len(constants) == 5
    for figure in constants:
        assert figure.kind == "estimate"
        assert "a constant of the library's tuner" in figure.note


@pytest.mark.parametrize(("call", "named"), [
    (lambda: catalog.rows("lnks"), "Did you mean 'links'"), (lambda: catalog.rows("../secrets"), "table"),
    (lambda: catalog.rows(None), "table"), (lambda: catalog.source("nccl-topos"), "Did you mean 'nccl-topo'"),
    (lambda: catalog.figure("nvlink4"), "figure"), (lambda: catalog.row("links", 4), "link"),
    (lambda: catalog.row("switches", "sn5600"), "switch 'sn5600' is not known. Did you mean 'spectrum4'"),
    (lambda: catalog.row("servers", "Alps GH200"), "Did you mean 'alps-gh200'"),
])
def test_unknown_names_are_refused(call, named):
    with pytest.raises(ValueError, match=named):
        call()


@pytest.mark.parametrize(("kind", "cell"), [("number", "25 W"), ("integer", "2.5"), ("flag", "maybe"), ("pairs", "0-1"),
                                            ("sources", "nvidia-cx5")])
def test_a_cell_that_its_kind_cannot_read_is_refused_with_its_place(kind, cell):
    with pytest.raises(ValueError, match=f"power of switches.csv must be {kind}, as columns.csv declares it; got '{cell}'"):
        catalog._read("switches", "power", kind, cell)


def test_figures_are_found_by_subject_and_quantity():
    assert {figure.quantity for figure in catalog.figures("nvlink4")} >= {"headline rate", "measured copy"}
    assert catalog.figures("nvlink4", "no such thing") == []
    assert len(catalog.figures()) == len(TABLES["figures"])


def test_the_data_dictionary_is_up_to_date():
    assert data_dictionary.PAGE.read_text(encoding="utf-8") == data_dictionary.dictionary(), "make data writes it anew"


@pytest.mark.parametrize(("table", "one"), [("links", "link"), ("switches", "switch"), ("copies", "copy")])
def test_a_row_that_is_not_there_is_called_what_it_would_be(table, one):
    with pytest.raises(ValueError, match=f"^{one} 'nothing' is not known"):
        catalog.row(table, "nothing")
