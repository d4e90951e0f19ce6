"""How fast the model is, and how that grows with the work: one table. Run as a script; `make bench` calls it too.

Everything is processor time, the least of some rounds in which the works of a row take turns, so that all meet the same load. "Of
a loop": how many million additions in a loop of Python take as long, in the same run. Of two machines, or of an idle and a busy
one, compare these.
"""

from __future__ import annotations

import functools
import importlib
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fabriclib import collective_time, compare, fabric, nccl_choice, read_measurements, request, schedule, splits, training_step
from fabriclib.collectives.registry import entries
from fabriclib.congestion.ecmp import simulate
from fabriclib.flows import finish, max_min, route
from fabriclib.measurements import as_read
from fabriclib.prediction import predict
from fabriclib.topology import Graph

ROUNDS = 3
LINK = {"alpha": 1e-6, "beta": 2e-11}
# Log-step algorithms are told by their steps on a few ranks: at most 4 log2(64), two double trees one after the other.
FEW_RANKS, FEW_STEPS = 64, 24
NOISE = "node1:43:61 [0] NCCL INFO Channel 00/16 : 0 1 2 3 4 5 6 7\n"
TABLE = "# all_reduce_perf\n# size count type redop time algbw busbw\n 1048576 262144 float sum 104.9 10.00 17.50\n"


class Case(NamedTuple):
    """A row of the table: what is called, for how much work, in what, and the seconds that the most of it may take."""

    what: str
    unit: str
    works: tuple[int, ...]
    made: Callable[[int], Callable[[], object]]  # the call for so much work
    asked: float = np.nan


def took(call: Callable[[], object]) -> float:
    """Return the processor seconds of a call: of one of many if it is short."""
    many, spent = 1, 0.0
    while spent < 0.005:
        start = time.process_time()
        for _ in range(many):
            call()
        spent, many = time.process_time() - start, 4 * many
    return 4 * spent / many


def additions() -> float:
    """Return the processor seconds of a million additions in a loop of Python, which tell how quick the processor is just now."""
    return took(lambda: sum(one for one in range(1_000_000)))


def ring(work: int):
    sizes = np.geomspace(1, 1e10, work)
    return lambda: collective_time("all_reduce", "ring", nbytes=sizes if work > 1 else 1e6, ranks=8, **LINK)


def ring_ranks(work: int):
    sizes, ranks = np.geomspace(1, 1e10, work), np.arange(work) % 1000 + 2
    return lambda: collective_time("all_reduce", "ring", nbytes=sizes, ranks=ranks, **LINK)


def moved(ranks: int):
    vectors, plan = list(np.random.default_rng(0).integers(-99, 99, (ranks, 1024))), schedule("all_reduce", "ring", ranks)
    return lambda: plan.run(vectors)


def few_steps() -> list[tuple[str, str]]:
    return [one for one, entry in entries().items()
            if entry.ports == 1 and 1 < schedule(*one, FEW_RANKS).moves.steps <= FEW_STEPS]


def counted(ranks: int):
    few = few_steps()
    return lambda: [schedule(*one, ranks).counts() for one in few]


def curve(work: int):
    sizes = np.geomspace(8, 2**34, work)
    return lambda: predict("dgx-h100", "all_reduce", sizes, nodes=2)


def sweep(work: int):
    sizes, nodes = np.geomspace(8, 2**34, work // 1000), np.arange(1, 1001)[:, None]
    return lambda: predict("dgx-h100", "all_reduce", sizes, nodes=nodes)


def shared(flows: int):
    """A random network: a ring, so that there is always a path, and chords."""
    nodes, edges, draw = 300, 2000, np.random.default_rng(1)
    around, far = np.arange(nodes), draw.integers(0, nodes, edges - nodes)
    src = np.concatenate([around, far])
    dst = np.concatenate([around + 1, far + draw.integers(1, nodes, edges - nodes)]) % nodes
    graph = Graph("a random network", tuple(f"n{i}" for i in range(nodes)), np.full(nodes, "gpu"), src, dst,
                  draw.integers(1, 20, edges).astype(float), np.ones(edges, int), np.zeros(edges), np.full(edges, "wire"))
    a = draw.integers(0, nodes, flows)
    b = (a + draw.integers(1, nodes, flows)) % nodes
    return lambda: max_min(route(graph, a, b), graph.capacity)


def hashed(flows: int):
    return lambda: simulate(flows, 1024, 1000)


def stage(gpus: int) -> None:
    """Build a rail-optimised fabric and route one stage of an all-to-all over it."""
    rank, graph = np.arange(gpus), fabric("rail-optimised", gpus=gpus).folded
    peer = (rank + gpus // 2 + 3) % gpus  # in the other half, and on another rail
    finish(route(graph, rank, peer), graph.capacity, np.ones(gpus))


def trained(batches: int):
    split = {"gpus": 64, "seq": 8192, "tp": 4, "pp": 4, "sharding": "zero1"}
    return lambda: training_step("llama-3-70b", "dgx-h100", global_batch=64 * np.arange(1, batches + 1), **split)


def split(gpus: int):
    return lambda: splits("llama-3-70b", "dgx-h100", gpus=gpus, global_batch=4 * gpus, seq=8192)


def asked(batches: int):
    return lambda: request("llama-3-70b", "dgx-h100", gpus=8, tp=8, batch=np.arange(1, batches + 1), prompt=1000, output=100)


def searched(sizes: int):
    """All plans of a brief, nothing kept from before."""
    room = importlib.import_module("fabriclib.capstone.score")
    brief = room.brief_of("dense-70b")

    def call():
        for kept in (room._ran, room.wired, room._fares, room._share, room._watts):
            kept.cache_clear()
        return room.evaluate(brief, room.OPTIONS | {"system": brief.systems, "gpus": room.OPTIONS["gpus"][:sizes]})
    return call


def log(folder: Path, megabytes: int):
    path = folder / f"{megabytes}.log"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(NOISE * 1000 for _ in range(megabytes * 1000 // len(NOISE)))
        file.write(TABLE)
    return lambda: read_measurements(path)


def cases(folder: Path) -> tuple[Case, ...]:
    slow = as_read("gh200x8-alps-nohook-ar")
    return (
        Case("read NCCL's log with a table", "MB", (10, 100), functools.partial(log, folder), 6),
        Case("ring all_reduce", "sizes", (1, 10_000, 1_000_000), ring, 0.01),
        Case("ring all_reduce", "sizes and ranks", (10_000, 1_000_000), ring_ranks, 1 / 30),
        Case("run the schedule of a ring, 1024 elements", "ranks", (256, 1024), moved, 2),
        Case("count the schedules of all log-step algorithms", "ranks", (4096, 65_536), counted, 2 * len(few_steps())),
        Case("predict an all_reduce on two DGX H100", "sizes", (1, 40, 4000), curve),
        Case("predict", "sizes and nodes", (10_000, 1_000_000), sweep, 1),
        Case("what NCCL would choose", "sizes", (1,), lambda work: lambda: nccl_choice("dgx-h100", "all_reduce", 2**20, nodes=2)),
        Case("compare a log and name the cause", "logs", (1,), lambda work: lambda: compare(slow, "alps-gh200")),
        Case("route and share flows over 2,000 edges", "flows", (1000, 10_000), shared, 1),
        Case("hash flows to 1024 paths, 1000 trials", "flows", (10_000, 100_000), hashed, 5),
        Case("build rails, route an all-to-all stage", "GPUs", (1024, 4096, 16_384), lambda work: lambda: stage(work), 10),
        Case("a training step of 70 billion parameters", "batches", (1, 100), trained),
        Case("all splits of that model", "GPUs", (64, 1024), split),
        Case("a request to it", "batches", (1, 100), asked),
        Case("score all plans of a brief", "sizes of cluster", (2, 6), searched),
    )


def rows(case: Case, unit: float) -> None:
    """Print the lines of a case: one for each of its works."""
    calls = [case.made(work) for work in case.works]
    rounds = [[took(call) for call in calls] for _ in range(ROUNDS)]
    seconds = [min(each) for each in zip(*rounds, strict=True)]
    for work, spent in zip(case.works, seconds, strict=True):
        more = f"{work / case.works[0]:,.0f} / {spent / seconds[0]:,.1f}" if work > case.works[0] else ""
        limit = case.asked if work == case.works[-1] and case.asked == case.asked else 0
        print(f"  {case.what:48}{f'{work:,} {case.unit}':>26}{spent * 1e3:>12,.3f}{more:>20}{spent / unit:>12,.4f}"
              + (f"   at most {limit * 1e3:,.0f} ms{'' if spent <= limit else ': MISSED'}" if limit else ""), flush=True)


def main() -> None:
    unit = min(additions() for _ in range(ROUNDS))
    print(f"the model, in ms of the processor; a million additions in a loop take {unit * 1e3:.1f} ms")
    print(f"  {'what':48}{'work':>26}{'ms':>12}{'work / time grow':>20}{'of a loop':>12}")
    read_measurements(TABLE)
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        log_first, *others = cases(Path(folder))
        rows(log_first, unit)
        print(f"  memory beyond a short log's: {peak() - before:.1f} MB (asked: at most 70 MB)")
        for case in others:
            rows(case, unit)
    print(f"  most memory of this script: {peak() / 1e3:.2f} GB (asked: at most 2 GB)")


def peak() -> float:
    """Return the most memory that this process had until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3  # kilobytes on Linux


if __name__ == "__main__":
    main()
