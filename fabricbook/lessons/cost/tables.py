"""What the cells and the texts of lesson "What a collective costs" show: prices of an all-reduce, and NVLS as it was measured."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, nccl, units
from fabriclib.collectives import algbw, collective_time, crossover, schedule
from fabriclib.collectives.cost import sent
from fabriclib.links import link
from fabriclib.measurements import error, largest, percent

from ...stage.words import span

START, RATE = 1 * units.us, 50 * units.GB  # the wire that the questions ask about, and on which the labs begin
BUFFER, SECONDS = 1 * units.GB, 4 * units.ms  # what a benchmark timed
GPUS = 8
RANKS = 96  # no power of two
UNPAIRED = RANKS - 2 ** (RANKS.bit_length() - 1)  # ranks beyond the largest power of two
h100, a100 = (link(name).bundle(link(name).per_device) for name in ("nvlink4", "nvlink3"))

ENTRIES = {"ring": "ring", "recursive doubling": "recursive_doubling", "Rabenseifner": "rabenseifner",
           "double tree": "double_tree"}
PLAIN_TREE = "plain tree"
LONGEST = 10.0  # seconds that the labs draw
_ROW = 3 * units.GB  # a source says "2 to 4 GB" and gives one rate


ring, doubling = (schedule("all_reduce", name, ranks=GPUS).counts() for name in ("ring", "recursive_doubling"))
more_starts, fewer_buffers = ring.messages - doubling.messages, doubling.sent - ring.sent


def ring_overtakes(ranks: int = GPUS, alpha: float = START, rate: float = RATE) -> float:
    """Return the bytes from which on a ring all-reduce beats recursive doubling."""
    return crossover("all_reduce", "recursive_doubling", "ring", ranks=ranks, alpha=alpha, beta=1 / rate)


def chain_overtakes() -> float:
    """Return the bytes from which on a chain is the fastest broadcast to eight ranks."""
    wire = {"ranks": GPUS, "alpha": START, "beta": 1 / RATE}
    return crossover("broadcast", "scatter_allgather_doubling", "chain", **wire)


def all_reduce_seconds(**case) -> dict[str, np.ndarray]:
    """Return the seconds of an all-reduce by each algorithm of the first lab; *case* as for `collective_time`.

    The plain tree is what a first textbook draws: a binomial reduce, then a binomial broadcast, whole buffers each.
    """
    times = {label: collective_time("all_reduce", name, **case) for label, name in ENTRIES.items()}
    return times | {PLAIN_TREE: sum(collective_time(half, "binomial", **case) for half in ("reduce", "broadcast"))}


def all_reduces(nbytes: float, **wire):
    """Return a DataFrame of text: how long each of those algorithms takes for a buffer of *nbytes* on RANKS ranks."""
    import pandas as pd

    times = all_reduce_seconds(nbytes=nbytes, ranks=RANKS, **wire)
    return pd.DataFrame({units.format(nbytes): {name: units.format(seconds, "s") for name, seconds in times.items()}})


# ---- NVLS as it was measured ----

def nvls_rows(gpus: int) -> list[tuple[float, float]]:
    """Return [(bytes, seconds)] of what a user published for so many of a server's eight H100, the switch adding."""
    return [(_ROW, _ROW / figure.si) for figure in catalog.figures(f"h100x{gpus}", "NVLS all_reduce algbw")]


def nvls_port_rate() -> float:
    """Return the bytes per second a port moved in the published run with 5 GPUs, if NVLS sends (p + 1) / p n through it."""
    return catalog.figure("nvls-algbw-5").si * sent("all_reduce", "nvls", 5)


def nvls_by_gpus():
    """Return NVLS against what was published, as text: the 5-GPU row sets the rate of a port, the others are predicted."""
    import pandas as pd

    rows = []
    for gpus in (5, 6, 7, 8):
        (nbytes, measured), = nvls_rows(gpus)
        model = collective_time("all_reduce", "nvls", nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / nvls_port_rate())
        rows.append({"GPUs": gpus, "model algbw": units.format(algbw(nbytes, model), "B/s"),
                     "measured": units.format(algbw(nbytes, measured), "B/s"),
                     "error": "set by this row" if gpus == 5 else percent(error(model, measured))})
    return pd.DataFrame(rows)


def ring_ports() -> str:
    """Return what rings got out of a port of an H200, which has an H100's links, for the largest buffers."""
    rates = [largest(row["id"]).busbw for row in catalog.rows("measurement_tables")
             if (row["system"], row["collective"], row["algorithm"]) == ("dgx-h200", "all_reduce", "ring")]
    return span(min(rates), max(rates), "B/s")


@functools.cache
def least_score(name: str, protocol: str) -> float:
    """Return the seconds by which NCCL's tuner scores a few bytes on the eight GPUs of a DGX H100."""
    return float(nccl.nccl_choice("dgx-h100", "all_reduce", 8).scores[name, protocol])
