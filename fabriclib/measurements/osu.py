"""OSU micro-benchmarks: their titles and their tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .rows import BLANK, Row, printed, whole_number

SIGNS = ("OSU", "Size", "pairs")
US, MBPS = 1e-6, 1e6
_TITLE = re.compile(r"#\s*OSU (MPI|NCCL|RCCL|XCCL)")
_ENDS = re.compile(r"(?<=\s)(Latency|Bandwidth)(?: / Message Rate)? Test\b")
_DEVICE = re.compile(r"-(CUDA|ROCM|OPENACC|SYCL)", re.IGNORECASE)
# As titles spell them, and as programs are called; a title of a test between two ranks names no collective.
_NAMES = {"allreduce": "all_reduce", "allgather": "all_gather", "reduce_scatter": "reduce_scatter", "broadcast": "broadcast",
          "bcast": "broadcast", "reduce": "reduce", "gather": "gather", "scatter": "scatter",
          **dict.fromkeys(("alltoall", "all-to-all", "all-to-all personalized exchange"), "all_to_all"),
          **dict.fromkeys(("", "multi", "bi-directional", "multiple"), "send_recv"),
          **dict.fromkeys(("latency", "bw", "bibw", "mbw_mr", "multi_lat"), "send_recv")}
_PAIRS = re.compile(r"\bpairs:\s{0,4}(\d{1,6})\b")
_REMARK = re.compile(r"\s(?:<-|#|//).*\Z")
_HEAD = re.compile(r"#?\s{0,8}Size\s+(\S.*)")
_MANNERS = {"blocking", "non-blocking", "persistent"}
_COMMAND = re.compile(r"(?<![\w-])osu_i?(allreduce|allgather|alltoall|reduce_scatter|bcast|reduce|gather|scatter|latency|bw|bibw|"
                      r"mbw_mr|multi_lat|allgatherv|alltoallv)(?:_persistent)?(?![\w.])")
_ON_DEVICE = re.compile(r"(?<!\S)(?:-d|--accelerator)[\s=]{1,4}(?:cuda|rocm|openacc|sycl)|\sD D(?!\S)", re.IGNORECASE)
PER_RANK = {"all_gather", "all_to_all", "gather", "scatter"}


@dataclass(frozen=True)
class Title:
    """What the title of a table says.

    Args:
        collective: which one. device: whether memory is a GPU's. rates: whether rates are printed, or times.
        launcher: an id of launchers.csv. both: ways that a printed rate counts together. place: of the column that counts.
        other: the test, if it is of no collective that the model has; then collective is empty.
    """

    collective: str
    device: bool
    rates: bool
    launcher: str = "osu"
    both: int = 1
    place: int = 1
    other: str = ""

    @property
    def per_rank(self) -> bool:
        """Whether the size printed is one rank's part, and the buffer of nccl-tests as many times as large as there are ranks."""
        return self.collective in PER_RANK


def title_of(line: str) -> Title | None:
    """Return the title that *line* is; None for any other line.

    >>> title_of("# OSU MPI-CUDA All-to-All Personalized Exchange Latency Test v7.5").collective
    'all_to_all'
    """
    start = _TITLE.search(line) if "OSU" in line else None
    end = _ENDS.search(line, start.end()) if start else None
    if not (start and end):
        return None
    library, _, name = line[start.start(1):end.start()].strip().partition(" ")
    name = " ".join(word for word in name.lower().split() if word not in _MANNERS)
    collective = _NAMES.get(name, "")
    launcher = "osu" if start[1] == "MPI" else "mpi"  # that of the library it calls
    both = 2 if name == "bi-directional" else 1
    return Title(collective, start[1] != "MPI" or bool(_DEVICE.search(library)), end[1] == "Bandwidth", launcher, both,
                 other="" if collective else name)


def command_of(line: str) -> Title | None:
    """Return the title of the test that a command line starts; None for any other line.

    >>> command_of("srun -n 8 ./osu_ialltoall -d cuda").collective
    'all_to_all'
    """
    match = _COMMAND.search(line) if "osu_" in line else None
    if not match:
        return None
    collective = _NAMES.get(match[1], "")
    return Title(collective, _ON_DEVICE.search(line) is not None, match[1].endswith(("bw", "mr")), "osu",
                 2 if match[1] == "bibw" else 1, other="" if collective else match[1])


def place_of(line: str, title: Title) -> int | None:
    """Return the place of the column that counts, if *line* is the header of a table below *title*; None for any other line.

    A test that does not block prints what it took beside computing first, and what it took alone later.

    >>> place_of("# Size  Overall(us)  Compute(us)  Pure Comm.(us)  Overlap(%)", title_of("# OSU MPI Allreduce Latency Test"))
    3
    """
    head = _HEAD.match(line)
    if not head:
        return None
    before, pure, _ = head[1].partition("Pure")
    return 1 + before.count("(") if pure else title.place  # each name ends in its unit


def pairs_of(line: str) -> int | None:
    """Return how many pairs of ranks a test says that it runs at once, and whose rates it adds up; None for any other line.

    >>> pairs_of("# [ pairs: 8 ] [ window size: 64 ]")
    8
    """
    match = _PAIRS.search(line) if "pairs" in line else None
    return int(match[1]) if match and int(match[1]) else None


def row_of(number: int, line: str, title: Title, ranks: int | None, pairs: int) -> Row | None:
    """Return the row that *line* is below *title*; None for any other line.

    A rate that counts both ways, or several *pairs*, is that of one way and one pair in the row.
    """
    tokens = _REMARK.sub("", line).split()
    while len(tokens) > 1 + title.place and not tokens[0].isdigit() and tokens[0].endswith((":", ">")):
        tokens = tokens[1:]
    try:
        size, value = whole_number(tokens[0]), printed(tokens[title.place])
        for token in tokens[1:]:
            if token not in ("Pass", "Fail", "-"):
                printed(token)
    except (ValueError, IndexError):
        return None
    nbytes = float(size) * ((ranks or 1) if title.per_rank else 1)
    wrong = "1" if "Fail" in tokens else "0"
    if not title.rates:
        return Row(number, nbytes, value.times(US), wrong=wrong)
    return Row(number, nbytes, BLANK, value.times(MBPS / title.both / pairs), wrong=wrong)
