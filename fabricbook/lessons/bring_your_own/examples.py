"""Example logs: published figures, printed as a benchmark prints them, with what launchers and accidents do to a log."""

from __future__ import annotations

from typing import NamedTuple

from fabriclib import units
from fabriclib.checks import known
from fabriclib.collectives.busbw import factor
from fabriclib.measurements import as_read
from fabriclib.measurements.agree import SHARED_OUT
from fabriclib.measurements.nccl import GBPS, NAMES, US

_BINARY = {collective: name for name, collective in NAMES.items()}
_SUMMED, _ROOTED = ("all_reduce", "reduce_scatter", "reduce"), ("broadcast", "reduce", "gather", "scatter")
_HEADER = ("#                                                              out-of-place                       in-place",
           "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong",
           "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)")


class Example(NamedTuple):
    """A log to practise on: the published table whose figures it has, the machine it ran on, what a launcher wrote before
    each line, the largest size its header announces (0: that of its rows), and the share of it that was kept."""

    table: str
    system: str
    prefix: str = ""
    announced: float = 0
    kept: float = 1.0


EXAMPLES = {
    "2 x 8 GPUs, under mpirun": Example("h100x16-nebius-ar", "dgx-h100", "[1,0]<stdout>:"),
    "2 x 4 GPUs, under srun": Example("a100x8-polaris-tcp-ar", "polaris", "0: "),
    "8 GPUs of one server, one size": Example("h200x8-16gib-nvls-off-ar", "dgx-h200"),
    "12 x 8 GPUs, header from elsewhere": Example("h100x96-coreweave-sharp-ar", "dgx-h100", announced=2 * units.GiB),
    "512 x 4 GPUs": Example("gh200x2048-alps-ar", "alps-gh200"),
    "2 x 8 GPUs, cut off": Example("h100x16-p5-ar", "aws-p5", "worker-0 | ", kept=0.87),
}


# Published tables to be judged by a reader, named without saying what was wrong with them.
RUNS = {
    "A: 2 x 4 GPUs of Polaris": "a100x8-polaris-tcp-ar", "B: 2 x 8 GPUs of Nebius": "h100x16-nebius-ar",
    "C: 512 x 4 GPUs of Alps": "gh200x2048-alps-ar", "D: 8 GPUs of one H200 server": "h200x8-8gib-nvls-off-ar",
    "E: 2 x 4 GPUs of Alps": "gh200x8-alps-nohook-ar", "F: 2 x 4 GPUs of Alps, in a container": "gh200x8-alps-container-ar",
    "G: 256 x 4 GPUs of Polaris, all-to-all": "a100x1024-polaris-a2a", "H: 8 GPUs of one DGX H100": "h100x8-dgx-nvls-ar",
}


def example(name: str) -> str:
    """Return the log that EXAMPLES calls *name*.

    Raises:
        ValueError: no such example; the message suggests the nearest.

    >>> example("2 x 4 GPUs, under srun").splitlines()[0]
    '0: # Collective test starting: all_reduce_perf'
    """
    one = EXAMPLES[known("example", name, EXAMPLES)]
    text = as_log(as_read(one.table), one.prefix, int(one.announced))
    return text[:int(one.kept * len(text))]


def as_log(frame, prefix: str = "", largest: int | None = None) -> str:
    """Return one table, as `read_measurements` gives it, as the log of an nccl-tests run with one process a GPU.

    Args:
        frame: one table with its ranks and nodes; where no in-place times are known, the others stand there twice.
        prefix: what a launcher writes before each line.
        largest: the largest size that the header announces; that of the table without.

    >>> print(as_log(as_read("mi325x8-rccl-ar"), prefix="0: ").splitlines()[-3].strip())
    0:  17179869184    4294967296     float     sum      -1    94222  182.33  319.08      0    94185  182.41  319.21      0
    """
    first = frame.iloc[0]
    collective, ranks, nodes = first["collective"], int(first["ranks"]), int(first["nodes"])
    size = int(frame["nbytes"].iloc[-1])
    lines = [f"# Collective test starting: {_BINARY[collective]}_perf",
             f"# nThread 1 nGpus 1 minBytes {int(first['nbytes'])} maxBytes {largest or size} step: 2(factor) warmup iters: 5 "
             "iters: 20 agg iters: 1 validation: 1 graph: 0", "#", "# Using devices",
             *(_device(rank, ranks // nodes) for rank in range(ranks)), "#", *_HEADER,
             *(_row(row, collective, ranks) for row in frame.to_dict("records")), "# Out of bounds values : 0 OK", "#"]
    return "".join(f"{prefix}{line}\n" for line in lines)


def _device(rank: int, per_node: int) -> str:
    node, device = divmod(rank, per_node)
    return f"#  Rank {rank:2d} Group  0 Pid {4000 + rank} on node{node:02d} device {device:2d} [0x{16 + rank:02x}] GPU"


def _row(row: dict, collective: str, ranks: int) -> str:
    size = int(row["nbytes"])
    count = size // 4 // (ranks if collective in SHARED_OUT else 1)
    redop = "sum" if collective in _SUMMED else "none"
    inside = row["in_place"] if row["in_place"] == row["in_place"] else row["seconds"]
    return (f"{size:12d}{count:14d}     float  {redop:>6}  {-1 if collective not in _ROOTED else 0:6d}"
            f"{_half(size, row['seconds'], collective, ranks)}      0{_half(size, inside, collective, ranks)}"
            f"{'    N/A' if collective == 'all_to_all' else '      0'}")


def _half(size: int, seconds: float, collective: str, ranks: int) -> str:
    us = seconds / US
    text = f"{us:.2f}" if us < 100 else f"{us:.1f}" if us < 10_000 else f"{us:.0f}"
    rate = size / float(text) / US / GBPS
    return f"{text:>9}{rate:8.2f}{rate * float(factor(collective, ranks)):8.2f}"
