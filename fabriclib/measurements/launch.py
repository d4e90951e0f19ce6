"""Command lines: how many ranks and nodes a launcher starts, as far as it says."""

from __future__ import annotations

import math
import re

from ..checks import MAX_RANKS

_LAUNCHER = re.compile(r"\b(srun|mpirun_rsh|mpirun|mpiexec|prterun|orterun|torchrun|deepspeed|jsrun|aprun|flux run|"
                       r"accelerate launch|torch\.distributed\.(?:run|launch))\b")
SIGNS = ("run", "mpiexec", "deepspeed", "launch")
_TASKS_ON_N = ("srun", "flux run")  # whose -N is nodes; of the others it is tasks a node
_FLAGS = {
    "ranks": re.compile(r"(?<!\S)(?:-np|-n|--np|--ntasks|--num_processes)(?:\s+|=)?(\d{1,7})(?!\S)"),
    "nodes": re.compile(r"(?<!\S)(?:-N|--nodes|--nnodes|--num_nodes|--num_machines)(?:\s+|=)?(\d{1,6})(?!\S)"),
    "per_node": re.compile(r"(?<!\S)(?:--ntasks-per-node|--tasks-per-node|--?ppn|--?npernode|--?map-by ppr:(?=\d{1,6}:node)|"
                           r"--nproc[-_]per[-_]node|--num_gpus|--rs_per_host|-r)(?:\s+|=)?(\d{1,6})(?![^\s:])"),
}
_N = re.compile(r"(?<!\S)-N(?:\s+|=)?\d")
# A program is a whole word, with or without its folder; what is named behind these is a file, a folder or a job.
_PROGRAM = re.compile(r"(?<![\w.:=-])(?:\w{1,80}_perf(?:_mpi)?|osu_\w{1,80})(?![\w./:=-])")
_FILED = re.compile(r"(?<!\S)(-J|--job-name|-o|--output(?:-filename)?|-x|--?hostfile|--?machinefile|-D|--chdir|--?wdir)[\s=]+\S+")
_ELSEWHERE = re.compile(r"(?<!\S)(?:--nnodes|--num_nodes|--hostfile|-H)(?![\w-])")
_HOSTS = re.compile(r"(?<!\S)(?:-H|--?hosts?)(?:\s+|=)([\w.:,-]{1,2000})(?!\S)")
_BATCH = re.compile(r"#(?:SBATCH|flux:)\s")
_EACH = {"gpus": re.compile(r"(?<!\S)(?:-g|--ngpus)(?:\s+|=)?(\d{1,3})(?!\S)"),
         "threads": re.compile(r"(?<!\S)(?:-t|--nthreads)(?:\s+|=)?(\d{1,3})(?!\S)"),
         "tasks": re.compile(r"(?<!\S)(?:-a|--tasks_per_rs)(?:\s+|=)?(\d{1,3})(?!\S)")}


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
    launcher = _LAUNCHER.search(line) if any(sign in line for sign in SIGNS) else None
    behind = _FILED.sub(r"\1", line[launcher.end():]) if launcher else line
    program = _PROGRAM.search(behind)
    each = _each(behind[program.end():], "gpus", "threads") if program and not program[0].startswith("osu_") else 1
    if not launcher:
        return {"ranks": each, "nodes": 1} if each > 1 else {}
    # What stands before a launcher or behind its program means something else there: -n of nccl-tests are iterations.
    starter, own = launcher[1], behind[:program.start() if program else None]
    found = _placed(starter, own, _asked(own), batch or {})
    if "ranks" in found:
        found["ranks"] *= each * (_each(own, "tasks") if starter == "jsrun" else 1)
    return dict(sorted(found.items(), reverse=True)) if found.get("ranks", 1) <= MAX_RANKS else {}


def _placed(starter: str, own: str, found: dict[str, int], batch: dict[str, int]) -> dict[str, int]:
    """Return the processes that *starter* starts and their nodes, of what its flags, *own*, ask for and what a *batch* does."""
    if starter not in _TASKS_ON_N and _N.search(own) and "nodes" in found:
        found["per_node"] = found.pop("nodes")
    if starter == "srun":
        found = (batch if not {"nodes", "per_node"} & set(found) else batch | {"ranks": 0}) | found
        found = {name: value for name, value in found.items() if value}
    per_node = found.pop("per_node", None)
    if per_node and "nodes" in found:
        found.setdefault("ranks", per_node * found["nodes"])
    elif per_node and "ranks" in found:
        found["nodes"] = -(-found["ranks"] // per_node)
    elif per_node and starter in ("torchrun", "deepspeed") and not _ELSEWHERE.search(own):
        found |= {"ranks": per_node, "nodes": 1}  # these start on this node alone, if nothing else is said
    elif "nodes" in found and "ranks" not in found and starter == "srun":
        found["ranks"] = found["nodes"]  # one task a node, if nothing else is said
    if "ranks" in found and "nodes" not in found and (hosts := _hosts(own, found["ranks"])):
        found["nodes"] = hosts
    return found


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


def _each(text: str, *of: str) -> int:
    """Return the product of what the flags *of* ask for: GPUs and threads of a process, tasks of a resource set."""
    return math.prod(max(int(match[1]), 1) for name in of if (match := _EACH[name].search(text)))
