"""Copies: what a program's copy reaches of the wires, one method of copying at a time, beside what was published.

The wires give the line rate. What a copy reaches of it is one constant per method, set from measurements that say so
(the column `sets` of p2p_measurements.csv): those do not count as checks. Through host memory a copy takes longer by
what the memory costs, so many seconds a byte; a copy engine may have a limit of its own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from . import catalog, units
from .checks import number, short, typed
from .measurements import error, percent
from .measurements.pairs import BOTH
from .peers import PeerToPeer, p2p
from .topology import server


@typed
@dataclass(frozen=True)
class Copy:
    """A method of copying: the share of the line rate it reaches, its own limit (B/s), and seconds a byte on top."""

    id: str
    name: str
    efficiency: float
    limit: float
    extra: float
    staged: bool

    def rate(self, line):
        """Return the bytes per second a copy reaches where the wires give *line*.

        Raises:
            ValueError: *line* is not positive.
        """
        return 1 / (1 / np.minimum(self.efficiency * number("line", line), self.limit) + self.extra)


@typed
@functools.cache
def copy(id: str) -> Copy:  # noqa: A002 - the column is called id
    """Return the method of copying *id*, its constants set from the measurements that set them.

    Raises:
        ValueError: no such method; the nearest are suggested.

    >>> round(copy("nvlink").efficiency, 3)
    0.837
    """
    cells = catalog.row("copies", id)
    base = copy(cells["base"]) if cells["base"] else None
    line: dict[str, list[float]] = {}
    measured: dict[str, list[float]] = {}
    for table in catalog.rows("p2p_tables"):
        if table["copy"] == id:
            for row in _rows(table["id"]):
                if row["sets"]:
                    line.setdefault(row["sets"], []).append(_line(table["id"])[row["pair"]])
                    measured.setdefault(row["sets"], []).append(row["bytes_per_s"])
    mean = {what: float(np.mean(values)) for what, values in measured.items()}
    if base is None:
        efficiency, extra = mean["efficiency"] / float(np.mean(line["efficiency"])), 0.0
    else:
        efficiency, extra = base.efficiency, 1 / mean["extra"] - 1 / base.rate(np.mean(line["extra"]))
    return Copy(id, cells["name"], efficiency, mean.get("cap", np.inf), float(extra), base is not None)


@typed
def reached(name: str, method: str, both: bool = False) -> PeerToPeer:
    """Return what copies by *method* (an id of copies.csv) reach between the GPUs of the server *name*.

    Raises:
        ValueError: an unknown server or method; the nearest are suggested.

    >>> reached("gb200-tray", "nvlink")
    <4 devices of GB200 compute tray, pair by pair: 753 GB/s>
    """
    way = copy(method)
    wires = p2p(server(name), staged=way.staged, both=both)
    ways, rates = 2 if both else 1, wires.rates.copy()
    pairs = ~np.isnan(rates)  # all but the diagonal
    rates[pairs] = ways * way.rate(rates[pairs] / ways)
    return PeerToPeer(wires.graph, wires.names, rates, wires.latency, wires.bottleneck)


def beside(table: str):
    """Return a published table of copies as a DataFrame: from, to, model and measured in GB/s, error, what the row sets.

    Raises:
        ValueError: no such table; the nearest are suggested.

    >>> list(beside(catalog.rows("p2p_tables")[0]["id"]))
    ['from', 'to', 'model GB/s', 'measured GB/s', 'error', 'sets']
    """
    import pandas as pd

    cells = catalog.row("p2p_tables", table)
    way, ways, line = copy(cells["copy"]), 2 if cells["direction"] == "both" else 1, _line(table)
    pairs = [row["pair"] for row in _rows(table)]
    model = np.array([ways * float(way.rate(line[pair] / ways)) for pair in pairs])
    measured = np.array([row["bytes_per_s"] for row in _rows(table)])
    return pd.DataFrame({"from": [a for a, _ in pairs], "to": [b for _, b in pairs], "model GB/s": model / units.GB,
                         "measured GB/s": measured / units.GB, "error": error(model, measured),
                         "sets": [row["sets"] for row in _rows(table)]})


@typed
def beside_pairs(pairs, name: str, method: str):
    """Return one matrix of your own as a DataFrame: from, to, model and measured in GB/s, error.

    Args:
        pairs: what `read_pairs` returned, or one table of it.
        name: an id of servers.csv. method: an id of copies.csv, such as "nvlink", "pcie", or "staged" without peer access.

    Raises:
        ValueError: no pairs or those of several matrices, a device that the server has not, no such server or method.

    >>> from fabriclib.measurements import read_pairs
    >>> pairs = read_pairs('''Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)
    ...    D\\\\D     0      1
    ...      0 1521.42 274.23
    ...      1 272.17 1591.14
    ... ''')
    >>> beside_pairs(pairs, "dgx-a100", "nvlink")["measured GB/s"].tolist()
    [274.23, 272.17]
    """
    import pandas as pd

    if not hasattr(pairs, "columns") or not {"src", "dst", "bytes_per_s", "direction", "table"} <= set(pairs.columns):
        raise ValueError(f"pairs must be what read_pairs returns; got {short(pairs)}.")
    if pairs["table"].nunique() != 1:
        raise ValueError(f"pairs must be of one matrix; got {pairs['table'].nunique()}. Take one: pairs[pairs.table == 0].")
    way, both = copy(method), pairs["direction"].iloc[0] == BOTH
    ends = list(dict.fromkeys([*pairs["src"], *pairs["dst"]]))
    wires = p2p(server(name), ends, staged=way.staged, both=both)
    at, ways = {end: i for i, end in enumerate(ends)}, 2 if both else 1
    line = np.array([wires.rates[at[a], at[b]] for a, b in zip(pairs["src"], pairs["dst"], strict=True)])
    model, measured = ways * way.rate(line / ways), pairs["bytes_per_s"].to_numpy(dtype=float)
    return pd.DataFrame({"from": pairs["src"].to_numpy(), "to": pairs["dst"].to_numpy(), "model GB/s": model / units.GB,
                         "measured GB/s": measured / units.GB, "error": error(model, measured)})


def summary():
    """Return one row a published table as a DataFrame of text: what was copied how, how far off the model is, what it set.

    >>> list(summary())
    ['server', 'measured with', 'copy', 'sets', 'pairs checked', 'within 10 %', 'errors']
    """
    import pandas as pd

    rows = []
    for cells in catalog.rows("p2p_tables"):
        if cells["config"] != "ok":  # broken, or of messages too small for a rate
            continue
        found = beside(cells["id"])
        checks = found[found["sets"] == ""]
        low, high = (percent(checks["error"].min()), percent(checks["error"].max())) if len(checks) else ("", "")
        rows.append({
            "server": server(cells["server"]).name, "measured with": cells["tool"], "copy": copy(cells["copy"]).name,
            "sets": ", ".join(sorted(set(found["sets"]) - {""})), "pairs checked": len(checks),
            "within 10 %": int((checks["error"].abs() <= 0.1).sum()),
            "errors": low if low == high else f"{low} to {high}",
        })
    return pd.DataFrame(rows)


@functools.cache
def _rows(table: str) -> tuple[catalog.Row, ...]:
    return tuple(row for row in catalog.rows("p2p_measurements") if row["table"] == table)


@functools.cache
def _line(table: str) -> dict[tuple[str, str], float]:
    """Return the line rate of every pair of a table: between its devices, in its direction, staged or not."""
    cells = catalog.row("p2p_tables", table)
    staged = bool(catalog.row("copies", cells["copy"])["base"])
    ends = dict.fromkeys(name for row in _rows(table) for name in row["pair"])
    wires = p2p(server(cells["server"]), list(ends), staged=staged, both=cells["direction"] == "both")
    return {(a, b): wires.rates[i, j] for i, a in enumerate(wires.names) for j, b in enumerate(wires.names) if i != j}
