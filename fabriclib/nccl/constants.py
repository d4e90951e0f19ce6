"""The tuner's constants, read from data/nccl_*.csv: seconds and bytes per second."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import catalog, units

VERSION = "v2.30.7-1"
_US, _GB = units.us, units.GB


class Latency(NamedTuple):
    """Seconds of one algorithm and protocol: once, and for each step over NVLink, PCIe or the network."""

    base: float
    nvlink: float
    pci: float
    net: float


class Gpu(NamedTuple):
    """A GPU generation, as far as the tuner tells them apart; `row` is its row in the tables of bandwidths."""

    id: str
    row: int
    compute_capability: int
    nvls_efficiency: float


@functools.cache
def latencies() -> dict[tuple[str, str], Latency]:
    """Return the latencies by (algorithm, protocol); combinations that do not exist are missing.

    >>> latencies()["ring", "ll"].base
    6.6e-06
    """
    rows = catalog.rows("nccl_latencies")
    fields = ("base_us", "nvlink_us", "pci_us", "net_us")
    return {(row["algorithm"], row["protocol"]): Latency(*(round(float(row[f]) * _US, 12) for f in fields)) for row in rows}


@functools.cache
def caps(cap: str) -> np.ndarray:
    """Return the most bytes per second of the kind *cap*, by GPU generation and by number of nodes: one, two, more.

    >>> caps("tree").shape
    (4, 3)
    """
    fields = ("nodes1_gb_s", "nodes2_gb_s", "nodes4_gb_s")
    found = {row["gpu"]: [float(row[f]) * _GB for f in fields] for row in catalog.rows("nccl_bandwidths") if row["cap"] == cap}
    return np.array([found[row["id"]] for row in catalog.rows("nccl_gpus")])


@functools.cache
def gpus() -> dict[str, Gpu]:
    """Return the GPU generations by id, oldest first."""
    return {row["id"]: Gpu(row["id"], i, int(row["compute_capability"]), float(row["nvls_efficiency"]))
            for i, row in enumerate(catalog.rows("nccl_gpus"))}


@functools.cache
def factor(name: str) -> float:
    """Return a number of nccl_factors.csv, as it stands there.

    >>> factor("tree")
    0.92
    """
    return float(catalog.row("nccl_factors", name)["value"])


@functools.cache
def tree_correction(protocol: str) -> np.ndarray:
    """Return the factors on a tree's bandwidth, for messages from 64 B on, one for each power of two."""
    return np.array([float(text) for text in catalog.row("nccl_tree_correction", protocol)["factors"].split()])
