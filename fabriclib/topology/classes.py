"""How two devices of a server are joined, in the words of `nvidia-smi topo -m`: NV#, PIX, PXB, PHB, NODE, SYS."""

from __future__ import annotations

import numpy as np

from .. import catalog
from ..checks import known, typed
from .graph import Graph
from .shortest import first_legs
from .trees import DEVICES

_PASSED = np.array(["cpu", "root", "pcie-switch"])


@typed
def path_class(graph: Graph, a: str, b: str) -> str:
    """Return how devices *a* and *b* are joined, as a word of `nvidia-smi topo -m`.

    "PIX": over at most one PCIe switch; "PXB": several of them, and no root complex; "PHB": a root complex; "NODE": several of
    one CPU; "SYS": the link between two sockets. Of two GPUs that their own links join, directly or over a switch, the class is
    that link: "NV18", or "XGMI" (a word of rocm-smi for Infinity Fabric).

    A socket is taken for one NUMA node, which is what nvidia-smi goes by: where the BIOS cuts a CPU into several, it prints SYS
    between them, where this says NODE. And a chip is one switch, though it may show itself as two levels (PXB for PIX).

    Raises:
        ValueError: an unknown name, a node that is no GPU, NIC or SSD, twice the same one, or no path between them.

    >>> from fabriclib.topology.trees import Part, tree
    >>> box = tree("a box", [Part("cpu", "cpu0"), Part("gpu", "gpu0 gpu1", "cpu0")])
    >>> path_class(box, "gpu0", "gpu1")
    'PHB'
    """
    devices = [graph.nodes[i] for i in _devices(graph)]
    for name in (a, b):
        known(f"device of {graph.name}", name, devices)
    if a == b:
        raise ValueError(f"b must be another device than a; got {a!r} twice.")
    return classes(graph, np.array([graph.node(a)]), np.array([graph.node(b)]))[0]


@typed
def path_classes(graph: Graph):
    """Return the path class of every pair of devices as a DataFrame, GPUs first, as `nvidia-smi topo -m` prints it.

    Raises:
        ValueError: no Graph.

    >>> from fabriclib.topology import server
    >>> path_classes(server("hgx-h100")).loc["gpu0", "gpu1"]
    'NV18'
    """
    import pandas as pd

    devices = np.array(sorted(_devices(graph), key=lambda i: DEVICES.index(graph.kinds[i])))
    names, apart = [graph.nodes[i] for i in devices], ~np.eye(len(devices), dtype=bool)
    cells = np.full(apart.shape, "X", dtype=object)
    cells[apart] = classes(graph, *(devices[end] for end in np.nonzero(apart)))
    return pd.DataFrame(cells, index=names, columns=names)


def _devices(graph: Graph) -> list[int]:
    return np.flatnonzero(np.isin(graph.kinds, DEVICES)).tolist()


def classes(graph: Graph, a: np.ndarray, b: np.ndarray) -> list[str]:
    """Return how the devices *a* and *b* are joined, node numbers in pairs: `path_class` of each."""
    words, gpu = np.empty(len(a), dtype=object), graph.kinds == "gpu"
    own = gpu[a] & gpu[b] & (graph.islands[a] == graph.islands[b])
    words[own] = [_own_links(graph, *pair) for pair in zip(a[own], b[own], strict=True)]
    passed = np.zeros(((~own).sum(), len(_PASSED)), dtype=int)
    for flow, edge in first_legs(graph.tree, a[~own], b[~own]):
        passed[flow] += graph.kinds[graph.tree.dst[edge], None] == _PASSED
    words[~own] = [_word(*each) for each in passed.tolist()]
    return words.tolist()


def _word(sockets: int, roots: int, switches: int) -> str:
    if sockets > 1:
        return "SYS"
    if sockets or roots:
        return "NODE" if roots > 1 else "PHB"
    return "PXB" if switches > 1 else "PIX"


def _own_links(graph: Graph, a: int, b: int) -> str:
    """The class of two GPUs of one island: the links from the one to the other, or those that lead to the switches."""
    direct = graph.own & (graph.src == a) & (graph.dst == b)
    leaving = direct if direct.any() else graph.own & (graph.src == a)
    family = catalog.row("links", str(graph.link[leaving][0]))["family"]
    return f"NV{graph.count[leaving].sum()}" if family == "nvlink" else family.upper()
