"""The facts: `data/*.csv` read into rows, each traceable to a row of sources.csv.

What a column holds is declared once, in columns.csv: KINDS has how a cell of each kind is read, and what a blank one is.
A wide row (a link) names the source of each of its values in its `sources` column, as `field:source-id` pairs.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from .checks import known, short, typed
from .units import parse

Row = dict[str, Any]


def _pairs(cell: str) -> tuple[tuple[int, int, int], ...]:
    """Read "0-1:4 0-2:1" as (from, to, how many)."""
    ends = (pair.replace("-", ":").split(":") for pair in cell.split())
    return tuple((int(a), int(b), int(many)) for a, b, many in ends)


# A blank text or list is empty, a blank number is NaN (unknown), and anything else that is blank is None.
KINDS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "reference": lambda cell: cell or None,
    "integer": lambda cell: int(cell) if cell else None,
    "number": lambda cell: float(cell or "nan"),
    "flag": {"yes": True, "no": False, "": None}.__getitem__,
    "names": lambda cell: tuple(cell.split()),
    "integers": lambda cell: tuple(map(int, cell.split())),
    "numbers": lambda cell: tuple(map(float, cell.split())),
    "pairs": _pairs,
    "sources": lambda cell: dict(pair.split(":", 1) for pair in cell.split()),
}


@typed
@dataclass(frozen=True)
class Source:
    """A row of sources.csv. Grade A: maker, standard, paper or source code; B: curated; C: other secondary."""

    id: str
    title: str
    publisher: str
    url: str
    date: str
    grade: str


class Sourced:
    """What a wide row of the table `_table` describes.

    >>> from fabriclib.links import link
    >>> link("nvlink4").sources["lanes"].grade
    'B'
    """

    _table: ClassVar[str]
    id: str

    @property
    def sources(self) -> dict[str, Source]:
        """The source of each catalogue value, by column name."""
        return sources_of(row(self._table, self.id))


@typed
@dataclass(frozen=True)
class Figure:
    """A published figure: what somebody printed or measured, to be set beside what the model computes; `si` is in SI units."""

    id: str
    subject: str
    quantity: str
    value: float
    unit: str
    direction: str
    scope: str
    kind: str
    source: Source
    note: str

    @property
    def si(self) -> float:
        """The value in SI base units (bytes per second for a rate, seconds for a time), as printed: one way or both."""
        return parse(f"{self.value!r} {self.unit}") if self.unit not in ("", "FLOP/s") else self.value


def data_folder() -> Path:
    """The folder of the CSV files: inside an installed package, or beside it in a checkout.

    >>> (data_folder() / "links.csv").exists()
    True
    """
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "data"


@typed
@functools.cache
def texts(table: str) -> tuple[dict[str, str], ...]:
    """Return the rows of data/<table>.csv as they are written, each cell a text.

    Raises:
        ValueError: no such table.

    >>> texts("links")[0]["lane_bits_per_s"]
    '20e9'
    """
    known("table", table, sorted(path.stem for path in data_folder().glob("*.csv")))
    with open(data_folder() / f"{table}.csv", newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@typed
@functools.cache
def columns(table: str) -> dict[str, dict[str, str]]:
    """Return {column: its row of columns.csv} of a table: a declaration of its own, or else the one for any table.

    Raises:
        ValueError: an unknown table; the nearest are suggested.

    >>> columns("links")["latency_s"]["unit"]
    's'
    """
    own, of_any = ({one["column"]: one for one in texts("columns") if one["table"] == of} for of in (table, ""))
    declared = of_any | own
    return {column: declared[known(f"column of {table}.csv", column, declared)] for column in texts(table)[0]}


@typed
@functools.cache
def rows(table: str) -> tuple[Row, ...]:
    """Return the rows of data/<table>.csv, each cell as the kind that columns.csv declares for its column.

    Raises:
        ValueError: no such table.

    >>> rows("links")[0]["lane_bits_per_s"]
    20000000000.0
    """
    kinds = {column: declared["kind"] for column, declared in columns(table).items()}
    return tuple({column: _read(table, column, kinds[column], cell) for column, cell in one.items()} for one in texts(table))


def _read(table: str, column: str, kind: str, cell: str) -> Any:
    try:
        return KINDS[kind](cell)
    except (ValueError, KeyError):
        raise ValueError(f"{column} of {table}.csv must be {kind}, as columns.csv declares it; got {short(cell)}.") from None


@typed
@functools.cache
def _indexed(table: str) -> tuple[dict[str, Row], dict[str, str], str]:
    """Return the rows of a table by their ids, what readers call each, and what one of them is."""
    one = re.sub(r"(?<=ch)es$|s$", "", re.sub("ies$", "y", table))
    return {row["id"]: row for row in rows(table)}, {row["id"]: row.get("name", "") for row in rows(table)}, one


def row(table: str, id: str) -> Row:  # noqa: A002 - the column is called id
    """Return the row of data/<table>.csv whose id is *id*.

    Raises:
        ValueError: no such row; the message suggests the ids of rows that are called so, or else the nearest.

    >>> row("links", "nvlink4")["lanes"]
    2
    """
    found, called, one = _indexed(table)
    return found[known(one, id, found, called)]


@typed
@functools.cache
def source(id: str) -> Source:  # noqa: A002
    """Return the source *id*.

    Raises:
        ValueError: an unknown id; the nearest are suggested.

    >>> source("nccl-topo").grade
    'A'
    """
    return Source(**row("sources", id))


@typed
def sources_of(cells: Row) -> dict[str, Source]:
    """Return {field: Source} for a wide row.

    Raises:
        ValueError: no row, or one of a table without the column `sources`.

    >>> sources_of(row("servers", "hgx-h100"))["gpus"].id
    'stas-network'
    """
    if not isinstance(cells.get("sources"), dict):
        raise ValueError(f"cells must be a row with a column 'sources', such as row('links', 'nvlink4'); got {short(cells)}.")
    return {field: source(id) for field, id in cells["sources"].items()}


@typed
@functools.cache
def figure(id: str) -> Figure:  # noqa: A002
    """Return the published figure *id*.

    Raises:
        ValueError: an unknown id; the nearest are suggested.

    >>> figure("nvlink4-device").si, figure("nvlink4-device").direction
    (900000000000.0, 'both')
    """
    cells = row("figures", id)
    return Figure(**cells | {"source": source(cells["source"])})


@typed
def figures(subject: str | None = None, quantity: str | None = None) -> list[Figure]:
    """Return the published figures of a *subject* (a link's id, say) and a *quantity*; all of them without.

    Raises:
        ValueError: a subject or a quantity that is no text.

    >>> [f.value for f in figures("nvlink4", "measured copy")]
    [376.0, 396.4]
    """
    wanted = {"subject": subject, "quantity": quantity}
    return [figure(r["id"]) for r in rows("figures") if all(v in (None, r[k]) for k, v in wanted.items())]
