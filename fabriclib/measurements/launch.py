"""Command lines: how many ranks and nodes a launcher starts, as far as it says."""

from __future__ import annotations

import re

from ..checks import MAX_RANKS

_LAUNCHER = re.compile(r"\b(srun|mpirun_rsh|mpirun|mpiexec)\b")
_FLAGS = {
    "ranks": re.compile(r"(?<!\S)(?:-np|-n|--np|--ntasks)(?:\s+|=)?(\d{1,7})(?!\S)"),
    "nodes": re.compile(r"(?<!\S)(?:-N|--nodes)(?:\s+|=)?(\d{1,6})(?!\S)"),
    "per_node": re.compile(r"(?<!\S)(?:--ntasks-per-node|--?ppn|--?npernode|--map-by ppr:)(?:\s+|=)?(\d{1,6})(?![^\s:])"),
}
_EACH = {"gpus": re.compile(r"(?<!\S)(?:-g|--ngpus)(?:\s+|=)?(\d{1,3})(?!\S)"),
         "threads": re.compile(r"(?<!\S)(?:-t|--nthreads)(?:\s+|=)?(\d{1,3})(?!\S)")}


def launched(line: str) -> dict[str, int]:
    """Return the ranks, and the nodes, that a command line of mpirun or srun starts, as far as it says.

    >>> launched("srun -N2 --ntasks-per-node=4 ./osu_alltoall")
    {'ranks': 8, 'nodes': 2}
    >>> launched("mpirun -np 32 -N 8 ./osu_allreduce")
    {'ranks': 32, 'nodes': 4}
    >>> launched("mpirun -np 9 -ppn 4 ./osu_allreduce")  # the last node is not full
    {'ranks': 9, 'nodes': 3}
    >>> launched("mpirun -np 2 -N 1 ./build/all_reduce_perf -b 8 -e 1G -g 8")  # of nccl-tests each process has GPUs
    {'ranks': 16, 'nodes': 2}
    >>> launched("$ ./build/all_reduce_perf -b 8 -e 1G -g 8")
    {'ranks': 8, 'nodes': 1}
    """
    each = _each(line) if "_perf" in line else 1
    if ("run" not in line and "mpiexec" not in line) or not (launcher := _LAUNCHER.search(line)):
        return {"ranks": each, "nodes": 1} if each > 1 else {}
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
    if "ranks" in found:
        found["ranks"] *= each
    return dict(sorted(found.items(), reverse=True)) if found.get("ranks", 1) <= MAX_RANKS else {}


def _each(line: str) -> int:
    """Return the GPUs that each process of nccl-tests has, by its threads and what each of them has."""
    found = 1
    for flag in _EACH.values():
        found *= max(int(match[1]), 1) if (match := flag.search(line)) else 1
    return found
