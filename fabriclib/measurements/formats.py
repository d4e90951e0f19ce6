"""Tables of other tools, each a declared layout: how its header reads, what its columns are, and which lines say what was run.

A header is matched word for word, blanks aside. Columns that are not named here are not used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .. import units
from .plain import collective_of
from .rows import BLANK, Printed, Row, printed

US, GB, GBIT = 1e-6, 1e9, 1e9 / 8
_WIDE = re.compile(r"\s{2,}")
_SIZE = re.compile(r"([0-9.]{1,20})\s?([KMGT]i?B)\Z")


@dataclass(frozen=True)
class Layout:
    """The table of a tool.

    Args:
        tool: its name. header: its columns, blanks between them as one.
        columns: {place of a column: (field of Row, what its numbers are to be multiplied by)}.
        says: lines above the table, with the groups collective and ranks where they say them.
        names: {collective as the tool calls it: as we do}, where spelling alone does not tell.
        wide: whether columns are two blanks apart, and a cell may hold one. known: what is always so of its runs.
        windowed: whether many messages are on their way at once.
    """

    tool: str
    header: str
    columns: dict[int, tuple[str, float]]
    says: tuple[re.Pattern[str], ...]
    names: dict[str, str] = field(default_factory=dict)
    wide: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    windowed: bool = False

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line."""
        return _WIDE.split(line.strip()) if self.wide else line.split()


LAYOUTS = (
    Layout("nccom-test", "size(B) count(elems) type time(us) algbw(GB/s) busbw(GB/s)",
           {0: ("nbytes", 1.0), 3: ("seconds", US), 4: ("algbw", GB), 5: ("busbw", GB)},
           (re.compile(r"\bnccom-test\b(?=(?:.{0,200}?\s-r\s{1,4}(?P<ranks>\d{1,6}))?)"
                       r".{0,200}?\s(?P<collective>allr|allg|redsct|alltoall)\b"),),
           {"allr": "all_reduce", "allg": "all_gather", "redsct": "reduce_scatter", "alltoall": "all_to_all"}),
    Layout("hccl_test", "data_size(Bytes): | aveg_time(us): | alg_bandwidth(GB/s): | check_result:",
           {0: ("nbytes", 1.0), 2: ("seconds", US), 4: ("algbw", GB)},
           (re.compile(r"\b(?P<collective>all_reduce|all_gather|reduce_scatter|alltoall|broadcast|reduce)_test\b"),)),
    Layout("ds_bench", "Size (Bytes) Description Duration Throughput (Gbps) BusBW (Gbps)",
           {0: ("nbytes", 1.0), 2: ("seconds", 1.0), 4: ("busbw", GBIT)},  # its throughput counts an all-reduce twice
           (re.compile(r"Performance of (?P<collective>\w{1,30}) on (?P<ranks>\d{1,6}) devices"),), wide=True),
    Layout("IMB", "#bytes #repetitions t_min[usec] t_max[usec] t_avg[usec]", {0: ("nbytes", 1.0), 4: ("seconds", US)},
           (re.compile(r"#\s{0,4}Benchmarking\s{1,4}(?P<collective>\w{1,30})"), re.compile(r"#processes = (?P<ranks>\d{1,6})"))),
    Layout("perftest", "#bytes #iterations BW peak[Gb/sec] BW average[Gb/sec] MsgRate[Mpps]",
           {0: ("nbytes", 1.0), 3: ("algbw", GBIT)}, (re.compile(r"\b(?:RDMA_Write|RDMA_Read|Send) BW Test\b"),), wide=True,
           known={"collective": "send_recv", "ranks": 2, "nodes": 2}, windowed=True),
)
_HEADERS = {layout.header: layout for layout in LAYOUTS}


def layout_of(line: str) -> Layout | None:
    """Return the layout whose header *line* is; None for any other line.

    >>> layout_of("    size(B)    count(elems)    type    time(us)    algbw(GB/s)    busbw(GB/s)").tool
    'nccom-test'
    """
    return _HEADERS.get(" ".join(line.split())) if "ize" in line or "bytes" in line else None


def said_by(line: str) -> dict[str, Any] | None:
    """Return what *line* says of a run of one of these tools, of collective, ranks and nodes; None for any other line.

    >>> said_by("---- Performance of all_reduce on 8 devices -----")
    {'collective': 'all_reduce', 'ranks': 8}
    """
    for layout in LAYOUTS:
        for pattern in layout.says:
            if match := pattern.search(line):
                found = {name: text for name, text in match.groupdict().items() if text}
                if "collective" in found:
                    try:
                        found["collective"] = layout.names.get(found["collective"]) or collective_of(found["collective"])
                    except ValueError:
                        return None
                return layout.known | {name: int(text) if name == "ranks" else text for name, text in found.items()}
    return None


def row_of(number: int, line: str, layout: Layout) -> Row | None:
    """Return the row that *line* is below the header of *layout*; None for any other line."""
    cells, width = layout.cells(line), len(layout.cells(layout.header)) if not layout.wide else 1 + max(layout.columns)
    if len(cells) < 1 + max(layout.columns) or len(cells) > width + 2:
        return None
    try:
        values = {name: value_of(cells[place], scale) for place, (name, scale) in layout.columns.items()}
    except ValueError:
        return None
    seconds, algbw, busbw = (values.get(name, BLANK) for name in ("seconds", "algbw", "busbw"))
    return Row(number, values["nbytes"].value, seconds, algbw, busbw)


def value_of(cell: str, scale: float) -> Printed:
    """Return the number in *cell*, with its own unit where it has one."""
    try:
        return printed(cell, scale)
    except ValueError:
        number_, _, unit = cell.partition(" ")
        half = printed(number_).half / max(float(number_), 1e-300)
        # "1.0 GB" is what torch calls 2^30 bytes.
        binary = _SIZE.match(cell)
        value = float(number_) * 1024 ** (1 + "KMGT".index(binary[2][0])) if binary else units.parse(cell)
        return Printed(value, value * half)
