"""Writes logs as the tests print them, for tests that read them back."""

from __future__ import annotations

from dataclasses import dataclass

from fabriclib.collectives.busbw import factor

BINARIES = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
            "all_to_all": "alltoall", "broadcast": "broadcast", "reduce": "reduce", "gather": "gather", "scatter": "scatter",
            "send_recv": "sendrecv"}
SUMS, ROOTED = ("all_reduce", "reduce_scatter", "reduce"), ("broadcast", "reduce", "gather", "scatter")
PARTS = ("all_gather", "reduce_scatter", "all_to_all", "gather", "scatter")
OSU = {"all_reduce": "Allreduce", "all_gather": "Allgather", "all_to_all": "All-to-All Personalized Exchange",
       "broadcast": "Broadcast", "reduce": "Reduce", "reduce_scatter": "Reduce_scatter"}


@dataclass
class Run:
    """One run of nccl-tests: sizes in bytes and microseconds, as they will be printed."""

    collective: str
    ranks: int
    nodes: int
    sizes: list[int]
    out: list[float]
    inside: list[float]
    named: bool = True
    devices: bool = True


def time_text(us: float) -> str:
    """A time as nccl-tests prints it: two decimals while it is short, none when it is long."""
    return f"{us:.2f}" if us < 100 else f"{us:.1f}" if us < 10_000 else f"{us:.0f}"


def nccl(run: Run) -> str:
    """The log of a run: what is printed above, the table, what is printed below."""
    lines = []
    if run.named:
        lines.append(f"# Collective test starting: {BINARIES[run.collective]}_perf")
    lines.append(f"# nThread 1 nGpus 1 minBytes {run.sizes[0]} maxBytes {run.sizes[-1]} step: 2(factor) warmup iters: 5 "
                 "iters: 20 agg iters: 1 validation: 1 graph: 0")
    if run.devices:
        per_node = -(-run.ranks // run.nodes)
        lines += ["# Using devices"]
        lines += [f"#  Rank {rank:2d} Group  0 Pid {900 + rank} on node{rank // per_node} device {rank % per_node} [0x0f] "
                  "NVIDIA GPU" for rank in range(run.ranks)]
    lines += ["#", "#                                         out-of-place                       in-place",
              "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw "
              "#wrong",
              "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)"]
    lines += [row(run, *cells) for cells in zip(run.sizes, run.out, run.inside, strict=True)]
    return "\n".join([*lines, "# Out of bounds values : 0 OK", "#", ""])


def row(run: Run, size: int, out: float, inside: float) -> str:
    count = size // 4 // (run.ranks if run.collective in PARTS else 1)
    redop = "sum" if run.collective in SUMS else "none"
    root = 0 if run.collective in ROOTED else -1
    halves = [half(run, size, us) + f"  {'N/A' if last and run.collective == 'all_to_all' else '0':>5s}"
              for us, last in ((out, False), (inside, True))]
    return f"{size:12d}  {count:12d}  {'float':>8s}  {redop:>6s}  {root:6d}  {halves[0]}  {halves[1]}"


def half(run: Run, size: int, us: float) -> str:
    rate = size / float(time_text(us)) / 1e3
    return f"{time_text(us):>7s}  {rate:6.2f}  {rate * float(factor(run.collective, run.ranks)):6.2f}"


def osu(collective: str, ranks: int, sizes: list[int], us: list[float]) -> str:
    """The log of an OSU latency test; the size printed is one rank's part where the test says so."""
    part = ranks if collective in PARTS and collective != "reduce_scatter" else 1
    lines = [f"mpirun -np {ranks} ./osu_test", f"# OSU MPI {OSU[collective]} Latency Test v7.4", "# Datatype: MPI_CHAR.",
             "# Size       Avg Latency(us)"]
    return "\n".join(lines + [f"{size // part:<12d}{t:18.2f}" for size, t in zip(sizes, us, strict=True)]) + "\n"
