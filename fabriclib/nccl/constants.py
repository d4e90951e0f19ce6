"""The tuner's constants, read from data/nccl_*.csv: seconds and bytes per second."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import catalog

VERSION = "v2.30.7-1"


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
    return {(row["algorithm"], row["protocol"]): Latency(row["base_s"], row["nvlink_s"], row["pci_s"], row["net_s"])
            for row in rows}


@functools.cache
def caps(cap: str) -> np.ndarray:
    """Return the most bytes per second of the kind *cap*, by GPU generation and by number of nodes: one, two, more.

    >>> caps("tree").shape
    (4, 3)
    """
    fields = ("nodes1_bytes_per_s", "nodes2_bytes_per_s", "nodes4_bytes_per_s")
    found = {row["gpu"]: [row[f] for f in fields] for row in catalog.rows("nccl_bandwidths") if row["cap"] == cap}
    return np.array([found[row["id"]] for row in catalog.rows("nccl_gpus")])


@functools.cache
def gpus() -> dict[str, Gpu]:
    """Return the GPU generations by id, oldest first."""
    return {row["id"]: Gpu(row["id"], i, row["compute_capability"], row["nvls_efficiency"])
            for i, row in enumerate(catalog.rows("nccl_gpus"))}


@functools.cache
def factor(name: str) -> float:
    """Return a number of nccl_factors.csv, as it stands there.

    >>> factor("tree")
    0.92
    """
    return catalog.row("nccl_factors", name)["value"]


@functools.cache
def tree_correction(protocol: str) -> np.ndarray:
    """Return the factors on a tree's bandwidth, for messages from 64 B on, one for each power of two."""
    return np.array(catalog.row("nccl_tree_correction", protocol)["factors"])
