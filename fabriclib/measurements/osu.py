"""OSU micro-benchmarks: their titles, their tables, and how many ranks a launcher's command line starts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..checks import MAX_RANKS
from .rows import BLANK, Row, printed, whole_number

US, MBPS = 1e-6, 1e6
_TITLE = re.compile(r"#\s*OSU (MPI|NCCL|RCCL|XCCL)")
_ENDS = re.compile(r"(?<=\s)(Latency|Bandwidth)(?: / Message Rate)? Test\b")
_DEVICE = re.compile(r"-(CUDA|ROCM|OPENACC|SYCL)", re.IGNORECASE)
_NAMES = {"allreduce": "all_reduce", "allgather": "all_gather", "reduce_scatter": "reduce_scatter", "broadcast": "broadcast",
          "all-to-all personalized exchange": "all_to_all", "reduce": "reduce", "gather": "gather", "scatter": "scatter"}
_PER_RANK = {"all_gather", "all_to_all", "gather", "scatter"}
_LAUNCHER = re.compile(r"\b(srun|mpirun|mpiexec)\b")
_FLAGS = {
    "ranks": re.compile(r"(?<!\S)(?:-np|-n|--np|--ntasks)(?:\s+|=)?(\d{1,7})(?!\S)"),
    "nodes": re.compile(r"(?<!\S)(?:-N|--nodes)(?:\s+|=)?(\d{1,6})(?!\S)"),
    "per_node": re.compile(r"(?<!\S)(?:--ntasks-per-node|-ppn|--ppn|-npernode)(?:\s+|=)(\d{1,6})(?!\S)"),
}


@dataclass(frozen=True)
class Title:
    """What the title of a table says: the collective, whether memory is a GPU's, whether rates are printed or times."""

    collective: str
    device: bool
    rates: bool

    @property
    def per_rank(self) -> bool:
        """Whether the size printed is one rank's part, and the buffer of nccl-tests as many times as large as there are ranks."""
        return self.collective in _PER_RANK


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
    name = name.lower().strip().removeprefix("blocking ").strip()
    # A test between two ranks names no collective: "# OSU MPI-CUDA Bandwidth Test v7.5".
    collective = _NAMES.get(name, "send_recv" if name in ("", "multi", "bi-directional", "multiple") else "")
    return Title(collective, start[1] != "MPI" or bool(_DEVICE.search(library)), end[1] == "Bandwidth")


def launched(line: str) -> dict[str, int]:
    """Return the ranks, and the nodes, that a command line of mpirun or srun starts, as far as it says.

    >>> launched("srun -N2 --ntasks-per-node=4 ./osu_alltoall")
    {'ranks': 8, 'nodes': 2}
    >>> launched("mpirun -np 32 -N 8 ./osu_allreduce")
    {'ranks': 32, 'nodes': 4}
    >>> launched("mpirun -np 9 -ppn 4 ./osu_allreduce")  # the last node is not full
    {'ranks': 9, 'nodes': 3}
    """
    if ("run" not in line and "mpiexec" not in line) or not (launcher := _LAUNCHER.search(line)):
        return {}
    found = {name: int(match[1]) for name, flag in _FLAGS.items() if (match := flag.search(line)) and int(match[1])}
    if launcher[1] != "srun" and "nodes" in found:
        found["per_node"] = found.pop("nodes")  # mpirun's -N is what srun calls --ntasks-per-node
    per_node = found.pop("per_node", None)
    if per_node and "nodes" in found:
        found.setdefault("ranks", per_node * found["nodes"])
    elif per_node and "ranks" in found:
        found["nodes"] = -(-found["ranks"] // per_node)
    elif "nodes" in found and "ranks" not in found and "srun" in line:
        found["ranks"] = found["nodes"]  # one task a node, if nothing else is said
    return dict(sorted(found.items(), reverse=True)) if found.get("ranks", 1) <= MAX_RANKS else {}


def row_of(number: int, line: str, title: Title, ranks: int | None) -> Row | None:
    """Return the row that *line* is below *title*; None for any other line."""
    tokens = line.split()
    if len(tokens) < 2:
        return None
    while len(tokens) > 2 and not tokens[0].isdigit() and tokens[0].endswith((":", ">")):
        tokens = tokens[1:]
    try:
        size, value = whole_number(tokens[0]), printed(tokens[1])
        for token in tokens[2:]:
            if token not in ("Pass", "Fail", "-"):
                printed(token)
    except ValueError:
        return None
    nbytes = float(size) * ((ranks or 1) if title.per_rank else 1)
    wrong = "1" if "Fail" in tokens else "0"
    if not title.rates:
        return Row(number, nbytes, value.times(US), wrong=wrong)
    return Row(number, nbytes, BLANK, value.times(MBPS), wrong=wrong)
