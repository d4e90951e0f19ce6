"""A table written as nccl-tests prints it: for examples to read, and to bring published figures into any tool that reads logs."""

from __future__ import annotations

from ..collectives.busbw import factor
from .agree import SHARED_OUT
from .nccl import GBPS, NAMES, US

_BINARY = {collective: name for name, collective in NAMES.items()}
_SUMMED, _ROOTED = ("all_reduce", "reduce_scatter", "reduce"), ("broadcast", "reduce", "gather", "scatter")
_HEADER = ("#                                                              out-of-place                       in-place",
           "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong",
           "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)")


def as_log(frame, prefix: str = "", largest: int | None = None) -> str:
    """Return one table, as `read_measurements` gives it, as the log of an nccl-tests run with one process a GPU.

    Args:
        frame: one table with its ranks and nodes; where no in-place times are known, the others stand there twice.
        prefix: what a launcher writes before each line.
        largest: the largest size that the header announces; that of the table without.

    >>> from .tables import as_read
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
