"""The facts: data/*.csv read into rows, each traceable to a row of sources.csv.

A wide row (a link) names the source of each of its values in its `sources` column, as `field:source-id` pairs.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from .checks import known, short, typed
from .units import parse


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


@typed
@dataclass(frozen=True)
class Figure:
    """A published figure: what somebody printed or measured, to be set beside what the model computes."""

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
    """The folder of the CSV files: inside an installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "data"


@typed
@functools.cache
def rows(table: str) -> tuple[dict[str, str], ...]:
    """Return the rows of data/<table>.csv as dicts of text.

    Raises:
        ValueError: no such table.

    >>> rows("links")[0]["name"]
    'NVLink 1'
    """
    known("table", table, sorted(path.stem for path in data_folder().glob("*.csv")))
    with open(data_folder() / f"{table}.csv", newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@typed
@functools.cache
def _indexed(table: str) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows(table)}


def row(table: str, id: str) -> dict[str, str]:  # noqa: A002 - the column is called id
    """Return the row of data/<table>.csv whose id is *id*.

    Raises:
        ValueError: no such row; the message suggests the nearest ids.
    """
    found = _indexed(table)
    return found[known(table.removesuffix("s"), id, found)]


def source(id: str) -> Source:  # noqa: A002
    """Return the source *id*.

    >>> source("nccl-topo").grade
    'A'
    """
    return Source(**row("sources", id))


@typed
def sources_of(cells: dict[str, str]) -> dict[str, Source]:
    """Return {field: Source} for a wide row."""
    if not isinstance(cells.get("sources"), str):
        raise ValueError(f"cells must be a row with a column 'sources', such as row('links', 'nvlink4'); got {short(cells)}.")
    pairs = (pair.split(":", 1) for pair in cells["sources"].split())
    return {field: source(id) for field, id in pairs}


def figure(id: str) -> Figure:  # noqa: A002
    """Return the published figure *id*.

    >>> figure("nvlink4-device").si, figure("nvlink4-device").direction
    (900000000000.0, 'both')
    """
    texts = dict(row("figures", id))
    value, origin = float(texts.pop("value")), source(texts.pop("source"))
    return Figure(**texts, value=value, source=origin)


@typed
def figures(subject: str | None = None, quantity: str | None = None) -> list[Figure]:
    """Return the published figures of a *subject* (a link's id, say) and a *quantity*; all of them without.

    >>> [f.value for f in figures("nvlink4", "measured copy")]
    [376.0, 396.4]
    """
    wanted = {"subject": subject, "quantity": quantity}
    return [figure(r["id"]) for r in rows("figures") if all(v in (None, r[k]) for k, v in wanted.items())]
