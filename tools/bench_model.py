"""How fast the model is, beside what was asked of it. Run as a script; `make bench` may call it too."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from fabriclib import collective_time, fabric, schedule
from fabriclib.collectives.registry import entries
from fabriclib.congestion.ecmp import simulate, split_for
from fabriclib.flows import finish, max_min, route
from fabriclib.measurements import read_measurements
from fabriclib.prediction import predict
from fabriclib.topology import Graph

LINK = {"alpha": 1e-6, "beta": 2e-11}
MANY_RANKS = 65_536
# Log-step algorithms are told by their steps on a few ranks: at most 4 log2(64), two double trees one after the other.
FEW_RANKS, FEW_STEPS = 64, 24


def best(function, repeats: int = 3) -> float:
    """Return the seconds of the fastest of some calls: the one least disturbed."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def line(what: str, value: str, asked: str) -> None:
    print(f"  {what:64}{value:>9}   {asked}")


def collectives() -> None:
    """Print what prices, runs and counts of collectives take."""
    print("collectives")
    sizes, ranks = np.geomspace(1, 1e10, 1_000_000), np.arange(1_000_000) % 1000 + 2
    for what, p, asked in (("sizes", 8, 100), ("sizes and ranks", ranks, 30)):
        seconds = best(lambda p=p: collective_time("all_reduce", "ring", nbytes=sizes, ranks=p, **LINK), 10)
        line(f"ring all_reduce, 10^6 {what}", f"{1 / seconds:.0f} M/s", f"asked: at least {asked} M/s")
    calls = best(lambda: [collective_time("all_reduce", "ring", nbytes=1e6, ranks=8, **LINK) for _ in range(1000)])
    line("ring all_reduce, one call", f"{calls * 1e3:.1f} us", "asked: at most 20 us")

    vectors = list(np.random.default_rng(0).integers(-99, 99, (1024, 1024)))
    plan = schedule("all_reduce", "ring", 1024)
    line("schedule(ring, 1024 ranks).run, 1024 elements", f"{best(lambda: plan.run(vectors), 2):.2f} s", "asked: at most 2 s")

    for (collective, name), entry in entries().items():
        if 1 < schedule(collective, name, FEW_RANKS).moves.steps <= FEW_STEPS and entry.ports == 1:
            seconds = best(lambda c=collective, n=name: schedule(c, n, MANY_RANKS).counts(), 1)
            line(f"schedule({collective}, {name}, {MANY_RANKS}).counts", f"{seconds:.2f} s", "asked: at most 2 s")


def predictions() -> None:
    """Print what predicting a curve and a sweep of a machine takes."""
    print("predictions")
    curve, sizes, nodes = np.geomspace(8, 2**34, 40), np.geomspace(8, 2**34, 1000), np.arange(1, 1001)[:, None]
    seconds = best(lambda: predict("dgx-h100", "all_reduce", curve, nodes=2), 20)
    line("predict, 40 sizes of an all_reduce on two DGX H100", f"{seconds * 1e3:.2f} ms", "asked: at most 1 ms")
    seconds = best(lambda: predict("dgx-h100", "all_reduce", sizes, nodes=nodes), 2)
    line("predict, 10^6 sizes and nodes", f"{seconds:.2f} s", "asked: at most 1 s")


def flows() -> None:
    """Print what it takes to share the links of a random network: a ring, so that there is always a path, and chords."""
    print("flows")
    nodes, edges, many = 300, 2000, 10_000
    draw = np.random.default_rng(1)
    around, far = np.arange(nodes), draw.integers(0, nodes, edges - nodes)
    src = np.concatenate([around, far])
    dst = np.concatenate([around + 1, far + draw.integers(1, nodes, edges - nodes)]) % nodes
    graph = Graph("a random network", tuple(f"n{i}" for i in range(nodes)), np.full(nodes, "gpu"), src, dst,
                  draw.integers(1, 20, edges).astype(float), np.ones(edges, int), np.zeros(edges), np.full(edges, "wire"))
    a = draw.integers(0, nodes, many)
    b = (a + draw.integers(1, nodes, many)) % nodes
    seconds = best(lambda: max_min(route(graph, a, b), graph.capacity))
    line("route and share 10,000 flows over 2,000 edges", f"{seconds:.2f} s", "asked: at most 1 s")


def hashing() -> None:
    """Print what drawing and counting hash collisions takes."""
    print("congestion")
    flows, paths, trials = 100_000, 1024, 1000
    seconds = best(lambda: simulate(flows, paths, trials), 1)
    line(f"{flows} flows hashed to {paths} paths, {trials} trials", f"{seconds:.2f} s", "asked: at most 5 s")
    seconds = best(lambda: split_for(0.95, 64, 64), 1)
    line("flows a transfer that 64 paths need for 95 %, exactly", f"{seconds:.2f} s", "")


def stage(gpus: int) -> float:
    """Return the processor seconds to build a rail-optimised fabric and route one stage of an all-to-all over it."""
    rank, start = np.arange(gpus), time.process_time()
    graph = fabric("rail-optimised", gpus=gpus).folded
    peer = (rank + gpus // 2 + 3) % gpus  # in the other half, and on another rail
    finish(route(graph, rank, peer), graph.capacity, np.ones(gpus))
    return time.process_time() - start


def fabrics() -> None:
    """Print how the time for a fabric grows with it, beside the growth of its links and flows, and the memory it takes."""
    print("fabrics")
    sizes = (1024, 2048, 4096, 8192, 16_384)
    rounds = np.array([[stage(gpus) for gpus in sizes] for _ in range(7)])  # in turns, so that all meet the same load
    took, size = rounds.min(axis=0), np.array([len(fabric("rail-optimised", gpus=gpus).src) + gpus for gpus in sizes])
    for gpus, seconds, each in zip(sizes, took, took / size * 1e9, strict=True):
        what = f"build {gpus} GPUs on rails, route an all-to-all stage"
        line(what, f"{seconds * 1e3:.0f} ms", f"{each:.0f} ns a link and flow")
    grown = size[-1] / size[0]
    line("from the first to the last", f"x {took[-1] / took[0]:.1f}", f"asked: no worse than links and flows, x {grown:.1f}")
    line("the last", f"{took[-1]:.2f} s", "asked: at most 10 s")
    line("memory of this script until here", f"{peak() / 1e3:.2f} GB", "asked: at most 2 GB")


def reading() -> None:
    """Print what reading 100 MB of NCCL's lines takes, and a loop beside it that says how quick the processor is just now."""
    print("reading")
    noise = "node1:43:61 [0] NCCL INFO Channel 00/16 : 0 1 2 3 4 5 6 7\n"
    table = "# all_reduce_perf\n# size count type redop time algbw busbw\n 1048576 262144 float sum 104.9 10.00 17.50\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.log"
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(noise * 1000 for _ in range(100_000 // len(noise)))
            file.write(table)
        read_measurements(table)
        before, start = peak(), time.process_time()
        read_measurements(path)
        read = time.process_time()
    sum(one for one in range(3_000_000))
    loop = time.process_time() - read
    line(f"{100_000 // len(noise) * len(noise) / 1000:.0f} MB of NCCL's lines and a table", f"{read - start:.2f} s",
         f"asked: at most 6 s; three million additions took {loop:.2f} s")
    line("more memory than a short log", f"{peak() - before:.1f} MB", "asked: at most 70 MB")


def peak() -> float:
    """Return the most memory that this process had until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3  # kilobytes on Linux


if __name__ == "__main__":
    reading()
    fabrics()
    collectives()
    predictions()
    hashing()
    flows()
