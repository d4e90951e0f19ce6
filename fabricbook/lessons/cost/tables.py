"""What the cells and the texts of lesson "What a collective costs" show: prices of an all-reduce, and NVLS as it was measured."""

from __future__ import annotations

import functools
import math

import numpy as np

from fabriclib import catalog, nccl, units
from fabriclib.collectives import algbw, best, busbw, collective_time, crossover, schedule
from fabriclib.collectives.cost import sent
from fabriclib.links import link
from fabriclib.measurements import error, largest, published

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


def ring_overtakes() -> float:
    """Return the bytes from which on a ring all-reduce beats recursive doubling."""
    return crossover("all_reduce", "recursive_doubling", "ring", ranks=GPUS, alpha=START, beta=1 / RATE)


def all_reduce_seconds(**case) -> dict[str, np.ndarray]:
    """Return the seconds of an all-reduce by each algorithm of the first lab; *case* as for `collective_time`.

    The plain tree is what a first textbook draws: a binomial reduce, then a binomial broadcast, whole buffers each.
    """
    times = {label: collective_time("all_reduce", name, **case) for label, name in ENTRIES.items()}
    return times | {PLAIN_TREE: sum(collective_time(half, "binomial", **case) for half in ("reduce", "broadcast"))}


def overtakes(first: tuple[float, float], second: tuple[float, float], alpha: float, rate: float) -> float:
    """Return the bytes from which on the second of two algorithms is the faster one.

    Each is (messages one after the other, buffers that a rank sends). It is 0 where the second has no more of either, and
    infinite where it never gets ahead for good.
    """
    more_messages, fewer_sent = second[0] - first[0], first[1] - second[1]
    if more_messages <= 0 <= fewer_sent:
        return 0.0
    return more_messages * alpha * rate / fewer_sent if fewer_sent > 0 else math.inf


def of_ring(nbytes: float, ranks: int = RANKS, alpha: float = START, rate: float = RATE) -> float:
    """Return the seconds of a ring all-reduce."""
    return float(collective_time("all_reduce", "ring", nbytes=nbytes, ranks=ranks, alpha=alpha, beta=1 / rate))


LITTLE = 64.0 * units.KiB
REMEDIES = {"a link twice as fast": lambda nbytes: of_ring(nbytes, rate=2 * RATE),
            "starts half as long": lambda nbytes: of_ring(nbytes, alpha=START / 2),
            "half as many GPUs": lambda nbytes: of_ring(nbytes, ranks=RANKS // 2),
            "another algorithm": lambda nbytes: float(best("all_reduce", nbytes=nbytes, ranks=RANKS, alpha=START,
                                                            beta=1 / RATE).seconds)}


# ---- a log whose algorithm is not told ----

_RAN = PLAIN_TREE
_SIZES = np.array([units.KiB, units.MiB, 64 * units.MiB, 4 * units.GiB], dtype=float)


def _log() -> np.ndarray:
    """Return the seconds of _SIZES, on the wire of the questions."""
    return np.asarray(all_reduce_seconds(nbytes=_SIZES, ranks=GPUS, alpha=START, beta=1 / RATE)[_RAN])


def log():
    """Return a DataFrame of text: what a benchmark prints of an algorithm that is not told."""
    import pandas as pd

    return pd.DataFrame([{"size": units.format(nbytes), "time": units.format(seconds, "s"),
                          "busbw": units.format(busbw("all_reduce", nbytes, seconds, GPUS), "B/s")}
                         for nbytes, seconds in zip(_SIZES, _log(), strict=True)])


def messages_and_buffers(label: str) -> tuple[float, float]:
    """Return (messages one after the other, buffers that a rank sends) of an algorithm of the first lab, on GPUS ranks."""
    starts, whole = (float(all_reduce_seconds(nbytes=1.0, ranks=GPUS, alpha=alpha, beta=beta)[label])
                     for alpha, beta in ((1.0, 0.0), (0.0, 1.0)))
    return starts, whole


def logged() -> str:
    """Return the algorithm of the first lab that takes as long as the log says, at both of its ends."""
    ends = _log()[[0, -1]]

    def off(label: str) -> float:
        starts, whole = messages_and_buffers(label)
        return float(np.abs((starts * START + whole * _SIZES[[0, -1]] / RATE) / ends - 1).max())

    return min((*ENTRIES, PLAIN_TREE), key=off)


def pair(name: str, ranks: int) -> tuple[int, float]:
    """Return (messages one after the other, buffers that a rank sends) of an all-reduce; *ranks* a power of two."""
    return round(collective_time("all_reduce", name, nbytes=1, ranks=ranks, alpha=1.0, beta=0.0)), sent("all_reduce", name, ranks)


# ---- NVLS as it was measured ----

def nvls_rows(gpus: int) -> list[tuple[float, float]]:
    """Return [(bytes, seconds)] of what a user published for so many of a server's eight H100, the switch adding."""
    return [(_ROW, _ROW / figure.si) for figure in catalog.figures(f"h100x{gpus}", "NVLS all_reduce algbw")]


def nvls_port_rate() -> float:
    """Return the bytes per second a port moved in the published run with 5 GPUs, if NVLS sends (p + 1) / p n through it."""
    return catalog.figure("nvls-algbw-5").si * sent("all_reduce", "nvls", 5)


def nvls_by_gpus() -> tuple[list[str], list[float], list[float]]:
    """Return (GPUs, algbw of the model, algbw published): the 5-GPU row sets the rate of a port, the others are predicted."""
    counted = [5, 6, 7, 8]
    model, measured = [], []
    for gpus in counted:
        (nbytes, seconds), = nvls_rows(gpus)
        time = collective_time("all_reduce", "nvls", nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / nvls_port_rate())
        model.append(float(algbw(nbytes, time)))
        measured.append(float(algbw(nbytes, seconds)))
    return [str(gpus) for gpus in counted], model, measured


# ---- whole curves ----

def envelope_beside_a100() -> tuple:
    """Return (bytes, seconds of the fastest algorithm at the datasheet's rate, measured seconds) of eight A100."""
    run = published("a100x8-nvswitch-ar")
    fastest = best("all_reduce", nbytes=run["nbytes"], ranks=GPUS, alpha=a100.latency, beta=1 / a100.bandwidth())
    return run["nbytes"], fastest.seconds, run["seconds"]


def nvls_beside_h100() -> tuple:
    """Return (bytes, seconds of NVLS, measured seconds) of a DGX H100: the smallest buffer sets the start of its four hops."""
    run = published("h100x8-dgx-nvls-ar")
    model = collective_time("all_reduce", "nvls", nbytes=run["nbytes"], ranks=GPUS, alpha=run["seconds"].iloc[0] / 4,
                            beta=1 / nvls_port_rate())
    return run["nbytes"], model, run["seconds"]


def missed(curve: tuple, nbytes: float) -> float:
    """Return by how much the model of a curve is off at one of its sizes."""
    sizes, model, seconds = map(np.asarray, curve)
    at = int(np.flatnonzero(sizes == nbytes)[0])
    return float(error(model[at], seconds[at]))


def ring_ports() -> str:
    """Return what rings got out of a port of an H200, which has an H100's links, for the largest buffers."""
    rates = [largest(row["id"]).busbw for row in catalog.rows("measurement_tables")
             if (row["system"], row["collective"], row["algorithm"]) == ("dgx-h200", "all_reduce", "ring")]
    return span(min(rates), max(rates), "B/s")


@functools.cache
def least_score(name: str, protocol: str) -> float:
    """Return the seconds by which NCCL's tuner scores a few bytes on the eight GPUs of a DGX H100."""
    return float(nccl.nccl_choice("dgx-h100", "all_reduce", 8).scores[name, protocol])
