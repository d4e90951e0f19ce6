"""`read_pairs`: the matrices of nvbandwidth, p2pBandwidthLatencyTest, TransferBench and rocm-bandwidth-test, pair by pair."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .lines import numbered
from .prefix import Prefix
from .rows import printed

MOST_DEVICES = 1024
MOST_PAIRS = 1_000_000
_GB = 1e9
_TITLES = (
    ("p2pBandwidthLatencyTest",
     re.compile(r"(?P<ways>Uni|Bi)directional P2P=(?:Enabled|Disabled) Bandwidth (?:\(P2P (?:Writes|Reads)\) )?Matrix")),
    ("nvbandwidth", re.compile(r"memcpy (?:CE|SM) (?P<row>[CGP]PU)\(row\) (?P<arrow><->|->|<-) (?P<column>[CGP]PU)\(column\) "
                               r"(?P<total>Total |Read\d |Write\d )?bandwidth")),
    ("TransferBench or rocm-bandwidth-test", re.compile(r"(?P<ways>Uni|Bi|B)directional copy peak bandwidth GB/s")),
    ("TransferBench", re.compile(r"SRC\\DST\s{1,8}[CG]PU \d")),
)
_NONE = ("N/A", "-")
ONE_WAY, BOTH, LOADED = "one way", "both", "one way, the other busy"
SIGNS = ("directional ", "memcpy ", "SRC\\DST")
_ENDS = re.compile(r"Latency|latency|^\s*SUM\b|Bytes Per|^\s*Running ")
_TOTALS = {"STotal", "Actual"}
_CORNER = re.compile(r"\A\s*(?:[A-Z+]{1,8}[\\/][A-Z+]{1,8})?(?=\s)")
_DEVICE = re.compile(r"(?:(CPU|GPU|PPU)\s)?(\d{1,4})(?!\S)")
_LISTED = re.compile(r"\s*Device: (\d{1,4}),\s{1,8}(\S.{0,80})")
_HOSTS = re.compile(r"EPYC|Xeon|Intel|Ryzen|Eng Sample|ARM|Grace")


@dataclass
class _Matrix:
    """A matrix that is being read: what was copied how, whose names its rows and columns have, and its pairs."""

    test: str
    tool: str
    line: int
    direction: str = ONE_WAY
    row: str = "gpu"
    column: str = "gpu"
    turned: bool = False
    names: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str, float]] = field(default_factory=list)

    def take(self, number: int, line: str, listed: dict[str, str]) -> bool:
        """Take in a line; return whether it belongs to the matrix."""
        head = _CORNER.sub("", line, count=1)
        found = _DEVICE.findall(head) if not self.names else []
        if found and set(_DEVICE.sub("", head).split()) <= _TOTALS:
            if len(found) > MOST_DEVICES:
                raise ValueError(f"line {number}: a matrix of {len(found)} devices; at most {MOST_DEVICES} can be read.")
            self.names = [_name(kind or self.column, of, listed) for kind, of in found]
            return True
        first = _DEVICE.match(line.lstrip()) if self.names else None
        if not first:
            return False
        cells = line.lstrip()[first.end():].replace("->", " ").split()
        if not cells or not (cells[0][0].isdigit() or cells[0] in _NONE):
            return False
        if len(cells) < len(self.names):
            raise ValueError(f"line {number}: a row of {len(cells)} pairs below {len(self.names)} devices: it is cut off.")
        row = _name(first[1] or self.row, first[2], listed)
        for name, cell in zip(self.names, cells, strict=False):
            if name != row and cell not in _NONE:
                try:
                    rate = printed(cell).value * _GB
                except ValueError as problem:
                    raise ValueError(f"line {number}: the rate from {row} to {name} cannot be read: {problem}.") from None
                if rate > 0:
                    self.pairs.append((name, row, rate) if self.turned else (row, name, rate))
        return True


def read_pairs(path_or_text):
    """Return what copies between pairs of devices reached, as a DataFrame in SI base units.

    Read are the bandwidth matrices of nvbandwidth, p2pBandwidthLatencyTest, TransferBench and rocm-bandwidth-test, whatever
    stands before each line. Its columns are src and dst ("gpu0", "cpu1"), bytes_per_s, direction ("one way", "both" for
    both ways together, or "one way, the other busy"), test (the line above the matrix), tool, and table (0, 1, ... for the
    matrices of one log). What a device copies to itself is left out.

    Args:
        path_or_text: a path, the text of a log (with line breaks), or its bytes, as for `read_measurements`.

    Raises:
        ValueError: no file, no text, no matrix, a row that is cut off: one sentence with the line's number.

    >>> frame = read_pairs('''Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)
    ...    D\\\\D     0      1
    ...      0 1521.42 274.23
    ...      1 272.17 1591.14
    ... ''')
    >>> frame["src"].tolist(), frame["dst"].tolist(), (frame["bytes_per_s"] / 1e9).tolist()
    (['gpu0', 'gpu1'], ['gpu1', 'gpu0'], [274.23, 272.17])
    """
    import pandas as pd

    return pd.DataFrame(pairs_in(path_or_text), columns=["src", "dst", "bytes_per_s", "direction", "test", "tool", "table"])


def pairs_in(path_or_text) -> list[tuple]:
    """Return the rows of what `read_pairs` makes a frame of."""
    found, number = _matrices(path_or_text)
    rows = [(*pair, one.direction, one.test, one.tool, at)
            for at, one in enumerate(one for one in found if one.pairs) for pair in one.pairs]
    if not rows:
        known = ", ".join(dict.fromkeys(tool for tool, _ in _TITLES))
        raise ValueError(f"line {number}: the log ends and no matrix of pairs was found; expected is the output of {known}.")
    return rows


def title_in(number: int, line: str, before: Prefix) -> str:
    """Return a sentence with the number and the tool of a line that is the title of a matrix; an empty text for any other."""
    one = _title(number, line, before)
    return f"line {number}: this is a matrix of pairs as {one.tool} prints it; read it with read_pairs." if one else ""


def _matrices(path_or_text) -> tuple[list[_Matrix], int]:
    """Return the matrices of a log, and the number of its last line."""
    found: list[_Matrix] = []
    before, number, pairs = Prefix(), 1, 0
    now: _Matrix | None = None
    listed: dict[str, str] = {}
    for number, line in numbered(path_or_text):  # noqa: B007 - the last one is used
        line = before.off(line)
        if device := _LISTED.match(line):
            listed[device[1]] = "cpu" if _HOSTS.search(device[2]) else "gpu"
        elif (one := _title(number, line, before)) and not (now and not now.names and one.tool == "TransferBench"):
            now = one
            found.append(now)
            if one.tool == "TransferBench":
                now.take(number, line[line.index("SRC"):], listed)
        elif now and line.strip():
            had = len(now.pairs)
            if not now.take(number, line, listed) and (now.pairs or _ENDS.search(line)):
                now = None
            elif (pairs := pairs + len(now.pairs) - had) > MOST_PAIRS:
                raise ValueError(f"line {number}: more than {MOST_PAIRS} pairs; no server has so many.")
    return found, number


def _title(number: int, line: str, before: Prefix) -> _Matrix | None:
    """Return the matrix that *line* is the title of; None for any other line."""
    if not any(sign in line for sign in SIGNS):
        return None
    for tool, pattern in _TITLES:
        if match := pattern.search(line):
            before.learn(line[:match.start()])
            said = match.groupdict()
            arrow, total = said.get("arrow", "->"), said.get("total") or ""
            direction = ONE_WAY if arrow != "<->" else BOTH if total.startswith("Total") else LOADED
            if said.get("ways", "Uni") != "Uni":
                direction = BOTH
            row, column = ("cpu" if (said.get(side) or "G")[0] == "C" else "gpu" for side in ("row", "column"))
            return _Matrix(line[match.start():].strip()[:120], tool, number, direction, row, column, arrow == "<-")
    return None


def _name(kind: str, number: str, listed: dict[str, str]) -> str:
    """Return a device's name; of kinds under one count, as rocm-bandwidth-test lists them, each has a count of its own."""
    if number in listed:
        of = listed[number]
        return f"{of}{[name for name, one in listed.items() if one == of].index(number)}"
    return f"{'cpu' if kind.upper() == 'CPU' else 'gpu'}{int(number)}"
