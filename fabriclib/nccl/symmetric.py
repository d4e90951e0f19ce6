"""NCCL's model of its symmetric-memory kernels: all-reduce by loads and stores into each other's memory, in one node.

From src/sym_kernels.cc of the same version. It counts in GiB/s, where the tuner counts in GB/s.
"""

from __future__ import annotations

import numpy as np

from .. import catalog, units
from ..checks import MAX_BYTES, count, known, number, plain, together, whole

KERNELS = ("one-shot", "two-shot", "multicast")


def symmetric_time(kernel: str, nbytes, ranks, gpu: str = "hopper", blocks: int = 32):
    """Return the seconds that NCCL's model gives an all-reduce of *nbytes* by a symmetric-memory kernel.

    seconds = base + softplus(wire bytes / rate - 1 us), rate = softmin(blocks x rate of a block, peak): both smooth.

    Args:
        kernel: "one-shot" (all send all, with flags), "two-shot" (add up a part, store it to all) or "multicast" (in the switch).
        nbytes, ranks: the vector that every rank holds, and how many ranks: numbers or arrays.
        gpu: "hopper" or "blackwell".
        blocks: thread blocks that the kernel runs with, at most; multicast takes fewer.

    Raises:
        ValueError: an unknown kernel or GPU, or a number out of range.

    >>> round(1e6 * symmetric_time("two-shot", 2**20, 8), 2)
    12.15
    """
    row = catalog.row("nccl_symmetric", f"{known('kernel', kernel, KERNELS)}.{known('gpu', gpu, ('hopper', 'blackwell'))}")
    n, p = number("nbytes", nbytes, high=MAX_BYTES), whole("ranks", ranks, low=2, high=1024)
    together(nbytes=n, ranks=p)
    sms = count("blocks", blocks, high=1024)
    wire = {"one-shot": p * n, "two-shot": 2 * n * (p - 1) / p, "multicast": n * (1 + 1 / p)}[kernel] * row["wire_factor"]
    if kernel == "multicast":
        sms = np.minimum(sms, -(-row["multicast_blocks"] // p)) * p
    block, peak = row["sm_bytes_per_s"], row["peak_bytes_per_s"]
    rate = peak - block * np.log1p(np.expm1(peak / block) * np.exp(-sms))
    found = row["base_s"] + units.us * np.logaddexp(0.0, wire / rate / units.us - 1)
    return plain(found)
