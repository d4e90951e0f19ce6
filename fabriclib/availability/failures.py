"""Failures by part: how often each part of a cluster interrupts a job, from the table of causes of Llama 3's 54 days.

A rate is failures per second of ONE part: a GPU, a host, a NIC, a cable between NIC and leaf, a leaf switch; software is counted
by GPU, since nothing says how its failures grow. The source does not tell cables from switches: they share its failures as the
rates of Alibaba's HPN would have it, which are about half as high.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import number, plain, together, typed, whole

PARTS = ("gpu", "host", "nic", "cable", "leaf", "software")
GPUS_OF_HOST, GPUS_OF_LEAF = 8, 16  # of the run that the rates are from: one leaf a rack of two servers
MONTH = units.parse("1 month")


class Counts(NamedTuple):
    """How many parts of each sort a job stands on; numbers or arrays."""

    gpu: np.ndarray | float
    host: np.ndarray | float
    nic: np.ndarray | float
    cable: np.ndarray | float
    leaf: np.ndarray | float
    software: np.ndarray | float


def counts(gpus, *, gpus_of_host=GPUS_OF_HOST, nics_of_gpu=1.0, gpus_of_leaf=GPUS_OF_LEAF) -> Counts:
    """Return how many parts a job of *gpus* stands on, each NIC with one cable to one leaf.

    Raises:
        ValueError: a number of GPUs that is not whole and positive, or more than 64 NICs a GPU.

    >>> counts(16384).leaf
    1024.0
    """
    gpus = whole("gpus", gpus)
    per = {"gpus_of_host": whole("gpus_of_host", gpus_of_host), "gpus_of_leaf": whole("gpus_of_leaf", gpus_of_leaf),
           "nics_of_gpu": number("nics_of_gpu", nics_of_gpu, zero=True, high=64)}
    gpus, host, leaf, nics = (np.asarray(one, dtype=float) for one in together(gpus=gpus, **per))
    return Counts(*(plain(one) for one in (gpus, gpus / host, gpus * nics, gpus * nics, gpus / leaf * (nics > 0), gpus)))


@functools.cache
def rates() -> dict[str, float]:
    """Return {part: failures per second of one such part}.

    >>> round(rates()["gpu"] * 365.25 * 86400, 3)
    0.111
    """
    of = counts(int(catalog.figure("llama3-run-gpus").value))
    run, seen = catalog.figure("llama3-run").si, causes()
    found = {part: seen[part] / run / getattr(of, part) for part in ("gpu", "host", "nic", "software")}
    elsewhere = network_elsewhere()
    expected = sum(rate * getattr(of, part) for part, rate in elsewhere.items()) * run
    return found | {part: rate * seen["network"] / expected for part, rate in elsewhere.items()}


def network_elsewhere() -> dict[str, float]:
    """Return {part: failures per second of one} of cables and leaves in Alibaba's HPN, which no rate of Llama 3 is part of.

    >>> {part: f"{rate:.1e}" for part, rate in network_elsewhere().items()}
    {'cable': '2.2e-10', 'leaf': '1.9e-10'}
    """
    return {part: catalog.figure(f"hpn-{part}-failures").si / MONTH for part in ("cable", "leaf")}


@typed
@functools.cache
def causes(replaced: bool = False) -> dict[str, int]:
    """Return {part: interruptions} of Llama 3's 54 days; *replaced*: only those after which something has to be repaired.

    Raises:
        ValueError: *replaced* is neither True nor False.

    >>> causes()
    {'gpu': 268, 'network': 35, 'nic': 7, 'host': 46, 'software': 63}
    """
    found: dict[str, int] = {}
    for row in catalog.rows("failures"):
        found[row["part"]] = found.get(row["part"], 0) + row["count"] * (row["replaced"] or not replaced)
    return found
