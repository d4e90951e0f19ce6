"""Command lines: how many ranks and nodes a launcher starts, as far as it says."""

from __future__ import annotations

import re

from ..checks import MAX_RANKS

_LAUNCHER = re.compile(r"\b(srun|mpirun_rsh|mpirun|mpiexec|prterun|torchrun|deepspeed|jsrun|aprun|flux run|accelerate launch|"
                       r"torch\.distributed\.(?:run|launch))\b")
SIGNS = ("run", "mpiexec", "deepspeed", "launch")
_TASKS_ON_N = ("srun", "flux run")  # whose -N is nodes; of the others it is tasks a node
_FLAGS = {
    "ranks": re.compile(r"(?<!\S)(?:-np|-n|--np|--ntasks|--num_processes)(?:\s+|=)?(\d{1,7})(?!\S)"),
    "nodes": re.compile(r"(?<!\S)(?:-N|--nodes|--nnodes|--num_nodes|--num_machines)(?:\s+|=)?(\d{1,6})(?!\S)"),
    "per_node": re.compile(r"(?<!\S)(?:--ntasks-per-node|--tasks-per-node|--?ppn|--?npernode|--map-by ppr:|"
                           r"--nproc[-_]per[-_]node|--num_gpus|--rs_per_host|-r)(?:\s+|=)?(\d{1,6})(?![^\s:])"),
}
_N = re.compile(r"(?<!\S)-N(?:\s+|=)?\d")
_HOSTS = re.compile(r"(?<!\S)(?:-H|--?hosts?)(?:\s+|=)([\w.:,-]{1,2000})(?!\S)")
_BATCH = re.compile(r"#(?:SBATCH|flux:)\s")
_EACH = {"gpus": re.compile(r"(?<!\S)(?:-g|--ngpus)(?:\s+|=)?(\d{1,3})(?!\S)"),
         "threads": re.compile(r"(?<!\S)(?:-t|--nthreads)(?:\s+|=)?(\d{1,3})(?!\S)")}


def launched(line: str, batch: dict[str, int] | None = None) -> dict[str, int]:
    """Return the ranks, and the nodes, that a command line of a launcher starts, as far as it says or *batch* did above it.

    >>> launched("srun -N2 --ntasks-per-node=4 ./osu_alltoall")
    {'ranks': 8, 'nodes': 2}
    >>> launched("mpirun -np 32 -N 8 ./osu_allreduce")
    {'ranks': 32, 'nodes': 4}
    >>> launched("mpirun -np 9 -ppn 4 ./osu_allreduce")  # the last node is not full
    {'ranks': 9, 'nodes': 3}
    >>> launched("mpirun -np 16 -H a:8,b:8 ./osu_allreduce")
    {'ranks': 16, 'nodes': 2}
    >>> launched("mpirun -np 2 -N 1 ./build/all_reduce_perf -b 8 -e 1G -g 8")  # of nccl-tests each process has GPUs
    {'ranks': 16, 'nodes': 2}
    >>> launched("$ ./build/all_reduce_perf -b 8 -e 1G -g 8")
    {'ranks': 8, 'nodes': 1}
    """
    each = _each(line) if "_perf" in line else 1
    if not any(sign in line for sign in SIGNS) or not (launcher := _LAUNCHER.search(line)):
        return {"ranks": each, "nodes": 1} if each > 1 else {}
    found = _asked(line)
    if launcher[1] not in _TASKS_ON_N and _N.search(line) and "nodes" in found:
        found["per_node"] = found.pop("nodes")
    if launcher[1] == "srun" and batch:
        found = (batch if not {"nodes", "per_node"} & set(found) else batch | {"ranks": 0}) | found
        found = {name: value for name, value in found.items() if value}
    per_node = found.pop("per_node", None)
    if per_node and "nodes" in found:
        found.setdefault("ranks", per_node * found["nodes"])
    elif per_node and "ranks" in found:
        found["nodes"] = -(-found["ranks"] // per_node)
    elif per_node and launcher[1] in ("torchrun", "deepspeed"):
        found |= {"ranks": per_node, "nodes": 1}  # these start on this node alone, if nothing else is said
    elif "nodes" in found and "ranks" not in found and launcher[1] == "srun":
        found["ranks"] = found["nodes"]  # one task a node, if nothing else is said
    if "ranks" in found and "nodes" not in found and (hosts := _hosts(line, found["ranks"])):
        found["nodes"] = hosts
    if "ranks" in found:
        found["ranks"] *= each
    return dict(sorted(found.items(), reverse=True)) if found.get("ranks", 1) <= MAX_RANKS else {}


def asked_for(line: str) -> dict[str, int]:
    """Return what a line of a batch script asks for, which holds for the launcher below it.

    >>> asked_for("#SBATCH --nodes=2")
    {'nodes': 2}
    """
    return _asked(line) if line.startswith("#") and _BATCH.match(line) else {}


def _asked(line: str) -> dict[str, int]:
    return {name: int(match[1]) for name, flag in _FLAGS.items() if (match := flag.search(line)) and int(match[1])}


def _hosts(line: str, ranks: int) -> int | None:
    """Return how many of the hosts that are listed *ranks* fill, one after the other; None where none is listed."""
    match = _HOSTS.search(line)
    if not match:
        return None
    slots: dict[str, int] = {}
    for one in match[1].split(","):
        host, _, many = one.partition(":")
        slots[host] = slots.get(host, 0) + (int(many) if many.isdigit() and len(many) < 7 else 1)
    filled = 0
    for used, many in enumerate(slots.values(), start=1):
        filled += many
        if filled >= ranks:
            return used
    return len(slots)


def _each(line: str) -> int:
    """Return the GPUs that each process of nccl-tests has, by its threads and what each of them has."""
    found = 1
    for flag in _EACH.values():
        found *= max(int(match[1]), 1) if (match := flag.search(line)) else 1
    return found
