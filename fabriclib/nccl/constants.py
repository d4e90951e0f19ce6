"""The tuner's constants, read from data/nccl_*.csv: seconds and bytes per second."""

from __future__ import annotations

import functools

import numpy as np

from .. import catalog

VERSION = "v2.30.7-1"


@functools.cache
def latencies() -> dict[tuple[str, str], catalog.Row]:
    """Return the rows of latencies by (algorithm, protocol); combinations that do not exist are missing.

    Seconds: `base_s` once, and for each step `nvlink_s`, `pci_s` or `net_s`.

    >>> latencies()["ring", "ll"]["base_s"]
    6.6e-06
    """
    return {(row["algorithm"], row["protocol"]): row for row in catalog.rows("nccl_latencies")}


@functools.cache
def caps(cap: str) -> dict[str, np.ndarray]:
    """Return {GPU generation: the most bytes per second of the kind *cap*, by number of nodes: one, two, more}.

    >>> caps("tree")["hopper"].shape
    (3,)
    """
    fields = ("nodes1_bytes_per_s", "nodes2_bytes_per_s", "nodes4_bytes_per_s")
    return {row["gpu"]: np.array([row[f] for f in fields]) for row in catalog.rows("nccl_bandwidths") if row["cap"] == cap}


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
