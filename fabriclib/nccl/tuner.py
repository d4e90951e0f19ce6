"""The tuner: a score in seconds for each algorithm and protocol, latency + bytes / bandwidth, and the smallest wins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import catalog, units
from ..checks import MAX_BYTES, known, number, plain, single, together, whole
from ..machines import System
from ..shown import sentence
from .constants import VERSION, caps, factor, latencies, tree_correction
from .found import Found, Searched
from .search import searched

ALGORITHMS = ("tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat")
PROTOCOLS = ("ll", "ll128", "simple")
COLLECTIVES = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
_GRAPH = {name: name for name in ALGORITHMS} | {"nvls_tree": "nvls", "pat": "ring"}
_HALVES = ("all_gather", "reduce_scatter")
_SMALLEST, _STEPS = 64, 23  # bytes of the first factor in the tree's correction, and how many of the factors are read


@dataclass(frozen=True)
class Choice:
    """What the tuner picks: arrays of the shape of what was asked, or single values.

    `seconds` is the score of the pick, not a time that anybody measured. `scores` has those of every candidate, NaN where it is
    not available. `derived` says that a graph it rests on follows from the machine's links by NCCL's rules, and that no log of
    a search showed it.
    """

    algorithm: np.ndarray | str
    protocol: np.ndarray | str
    seconds: np.ndarray | float
    scores: dict[tuple[str, str], np.ndarray | float]
    version: str = VERSION
    derived: bool = False

    def table(self):
        """Return the candidates for ONE message as a DataFrame, best first: algorithm, protocol, score in µs."""
        import pandas as pd

        if np.ndim(self.seconds):
            raise ValueError(f"table is for one message at a time; this choice is for {np.size(self.seconds)}.")
        ranked = sorted((float(score), *name) for name, score in self.scores.items() if score == score)
        return pd.DataFrame({"algorithm": [a for _, a, _ in ranked], "protocol": [p for *_, p in ranked],
                             "score (µs)": [round(1e6 * s, 2) for s, *_ in ranked]})

    def beside(self, seconds) -> str:
        """Return a sentence that says why the score of ONE message is not the *seconds* predicted, or measured, for it.

        Raises:
            ValueError: *seconds* is not positive.

        >>> nccl_choice("dgx-h100", "all_reduce", 2**20).beside(35e-6)[:67]
        'NCCL v2.30.7-1 scores ring with ll at 28 µs, 0.8 times the 35 µs be'
        """
        if np.ndim(self.seconds):
            raise ValueError(f"beside is for one message at a time; this choice is for {np.size(self.seconds)}.")
        other = single("seconds", number("seconds", seconds))
        return (f"NCCL {self.version} scores {self.algorithm} with {self.protocol} at {units.format(float(self.seconds), 's')}, "
                f"{self.seconds / other:.2g} times the {units.format(other, 's')} beside it: a score answers another question, "
                "which candidate is best, with the constants of that release; a prediction is fitted to measured times.")

    def __repr__(self) -> str:
        if np.ndim(self.seconds):
            picked = ", ".join(np.unique(self.algorithm))
            return f"<NCCL {self.version} would pick, for {np.size(self.seconds)} messages: {picked}{self._graph}>"
        score = units.format(float(self.seconds), "s")
        return f"<NCCL {self.version} would pick {self.algorithm} with {self.protocol}, score {score}{self._graph}>"

    @property
    def _graph(self) -> str:
        return "; graph derived, not searched" if self.derived else ""

    _repr_html_ = sentence


def nccl_choice(system: str | System | Searched, collective: str, nbytes, nodes=1, gpus_per_node=None) -> Choice:
    """Return what NCCL's tuner would pick, with the scores of all candidates. Arrays in, arrays out.

    Args:
        system: a machine of NVIDIA GPUs, such as "dgx-h100", by name or as a System, or what a search found on your own.
        collective: one of COLLECTIVES; the others are plain sends and receives to NCCL, with nothing to choose.
        nbytes: the total buffer, as nccl-tests counts it.
        nodes, gpus_per_node: how many take part; all GPUs of a node when not given. The search is not run anew for fewer.

    The graph is that of a log where there is one (a node of eight H100), else derived: Choice.derived. NCCL does not see what a
    network lacks, but for failed ports, so that an oversubscribed machine gets the same choice.

    Score = latency + nbytes / bandwidth, as NCCL's src/graph/tuning.cc reckons both (`latency` and `bandwidth` here); one
    operation a launch.

    Raises:
        ValueError: an unknown name, GPUs that NCCL does not run on, several nodes over a network that it does not drive itself,
            or fewer than two ranks.

    >>> nccl_choice("dgx-h100", "all_reduce", 2**20)
    <NCCL v2.30.7-1 would pick ring with ll, score 28 µs>
    >>> nccl_choice("dgx-h100", "all_reduce", 2**24)
    <NCCL v2.30.7-1 would pick nvls with simple, score 86.7 µs>
    >>> nccl_choice("dgx-b200", "all_reduce", 2**24)
    <NCCL v2.30.7-1 would pick nvls with simple, score 65.8 µs; graph derived, not searched>
    """
    alone = system if isinstance(system, Searched) else searched(system)
    known("collective", collective, COLLECTIVES)
    size, n = number("nbytes", nbytes, high=MAX_BYTES), whole("nodes", nodes, high=100_000)
    g = whole("gpus_per_node", alone.gpus if gpus_per_node is None else gpus_per_node, high=alone.gpus)
    together(nbytes=size, nodes=n, gpus_per_node=g)
    size, n, g = np.broadcast_arrays(size, n, g)
    if (n * g < 2).any():
        raise ValueError(f"nodes and gpus_per_node must make at least two ranks; got {n.min()} node of {g.min()} GPU.")
    several = searched(system, several=True) if (n > 1).any() and not isinstance(system, Searched) else alone
    names = [name for name in ((a, p) for a in ALGORITHMS for p in PROTOCOLS) if name in latencies()]
    scores = np.stack([np.where(n == 1, _score(alone, collective, *name, size, n, g),
                                _score(several, collective, *name, size, n, g)) for name in names])
    best = np.where(np.isnan(scores), np.inf, scores).argmin(axis=0)
    algorithm, protocol = (np.array([name[i] for name in names])[best] for i in (0, 1))
    seconds = np.take_along_axis(scores, best[None], axis=0)[0]
    return Choice(plain(algorithm), plain(protocol), plain(seconds),
                  {name: plain(score) for name, score in zip(names, scores, strict=True)},
                  derived=alone.derived and bool((n == 1).any()) or several.derived and bool((n > 1).any()))


def bandwidth(machine: Searched, collective: str, algorithm: str, protocol: str, nodes, gpus_per_node) -> np.ndarray:
    """Return bytes of the buffer per second as the tuner reckons, zero where the combination is not available.

    >>> round(float(bandwidth(searched("dgx-h100"), "all_reduce", "nvls", "simple", 1, 8)) / 1e9, 1)
    272.0
    """
    n, g = np.broadcast_arrays(nodes, gpus_per_node)
    graph = machine.graphs.get(_GRAPH[algorithm])
    if graph is None or not _available(machine, collective, algorithm, protocol):
        return np.zeros(n.shape)
    bus = _BUS[algorithm](machine, graph, collective, protocol, n, g) * _works(machine, collective, algorithm, n, g)
    if algorithm == "ring" or collective not in _HALVES:
        bus = bus * (0.5 if algorithm in ("tree", "collnet_direct", "collnet_chain") else n * g / _steps(collective, n * g))
    return bus


def latency(machine: Searched, collective: str, algorithm: str, protocol: str, nodes, gpus_per_node) -> np.ndarray:
    """Return the seconds before the first byte, as the tuner reckons.

    >>> round(1e6 * float(latency(searched("dgx-h100"), "all_reduce", "ring", "simple", 1, 8)), 1)
    56.0
    """
    n, g = np.broadcast_arrays(nodes, gpus_per_node)
    one = latencies()[algorithm, protocol]
    intra = _inside(machine, one)
    tree = latencies().get(("tree", protocol), one)
    nic = machine.latency_inter * (2 if protocol == "simple" else 1)
    inter = np.where(g == 1, tree["net_s"] + nic, one["net_s"] + nic)
    return _LATENCY[algorithm](machine, collective, protocol, n, g, intra, inter) + (0 if algorithm == "nvls" else one["base_s"])


def _score(machine, collective, algorithm, protocol, size, n, g) -> np.ndarray:
    rate = bandwidth(machine, collective, algorithm, protocol, n, g)
    start = latency(machine, collective, algorithm, protocol, n, g)
    power = np.floor(np.log2(np.maximum(size, 1) / _SMALLEST)).astype(int)  # of two, and below 0 for less than 64 bytes
    if collective == "all_reduce":
        capability = _gpu(machine)["compute_capability"]
        if algorithm == "tree":
            rate = rate * _corrected(protocol, power, _STEPS)
        elif algorithm == "nvls_tree" and capability >= 100 and machine.cpu != "arm":
            rate = rate * _corrected(protocol, power, _STEPS + 1)
        elif (algorithm, protocol) == ("ring", "simple"):
            # The channels that run are twice those that the search found.
            each = size // (2 * machine.graphs["ring"].channels * n * g)
            plateau = (n > 1) & (each >= factor("ring-plateau-bytes"))
            start = np.where(plateau, start * factor("ring-plateau" if capability >= 80 else "ring-plateau-old"), start)
    with np.errstate(divide="ignore"):
        return np.where(rate > 0, start + size / rate, np.nan)


def _corrected(protocol: str, power: np.ndarray, steps: int) -> np.ndarray:
    inside = (power >= 0) & (power < steps)
    return np.where(inside, tree_correction(protocol)[np.clip(power, 0, steps - 1)], 1.0)


def _steps(collective: str, ranks):
    return {"all_reduce": 2 * (ranks - 1), "all_gather": ranks - 1, "reduce_scatter": ranks - 1}.get(collective, ranks)


def _cap(name: str, gpu: str, nodes) -> np.ndarray:
    return caps(name)[gpu][np.minimum(nodes - 1, 2)]


def _gpu(machine: Searched) -> catalog.Row:
    return catalog.row("nccl_gpus", machine.gpu)


def _inside(machine: Searched, latency: catalog.Row) -> float:
    return latency["nvlink_s" if machine.inside == "nvlink" else "pci_s"]


def _available(machine: Searched, collective: str, algorithm: str, protocol: str) -> bool:
    """Whether the combination exists at all, whatever the number of nodes."""
    does = {"ring": COLLECTIVES, "nvls": ("all_reduce", *_HALVES), "pat": _HALVES, "collnet_direct": ("all_reduce", *_HALVES)}
    return collective in does.get(algorithm, ("all_reduce",)) and (protocol != "ll128" or machine.ll128)


def _works(machine: Searched, collective: str, algorithm: str, n, g) -> np.ndarray:
    """Where the combination may be used: NVLS within a node or with switches that reduce, PAT with one GPU in each node."""
    reduces = "collnet_direct" in machine.graphs
    return {"nvls": (g > 1) & ((n == 1) | reduces), "nvls_tree": (g > 1) & (n > 1), "pat": (g == 1) & (n > 1),
            "collnet_direct": n > 1, "collnet_chain": n > 1}.get(algorithm, n > 0)


def _plain(machine: Searched, graph: Found, n, collnet: bool = False) -> np.ndarray:
    """All channels together: at two nodes still at the rate inside a node, as the code has it."""
    return graph.channels * np.where((n <= 2) | collnet, graph.intra, graph.inter)


def _ring_bus(machine, graph, collective, protocol, n, g):
    bus = _plain(machine, graph, n)
    if protocol == "ll":
        return np.minimum(_ll_cap(machine, n), bus * factor("ring-ll"))
    if protocol == "ll128":
        return np.minimum(bus * factor("ring-ll128"), graph.channels * _cap("ring_ll128", machine.gpu, n))
    return bus


def _ll_cap(machine, n):
    # Between nodes the CPU tells the row: the first for Intel and others, the second for AMD.
    return np.where(n == 1, _cap("ll_max", machine.gpu, n), _cap("ll_max", "ampere" if machine.cpu == "amd" else "volta", n))


def _tree_bus(machine, graph, collective, protocol, n, g):
    bus = np.minimum(_plain(machine, graph, n) * factor("tree"), graph.channels * _cap("tree", machine.gpu, n))
    if protocol == "ll":
        bus = np.minimum(bus * factor("tree-ll"), _ll_cap(machine, n))
    elif protocol == "ll128":
        share = np.where(n == 1, factor("tree-ll128-one-node"), factor("tree-ll128"))
        bus = np.minimum(bus * share, graph.channels * _cap("tree_ll128", machine.gpu, n))
    return bus * (factor("tree-one-nic-gpu") if graph.one_nic_gpu else 1.0)


def _nvls_bus(machine, graph, collective, n, g, tree: bool):
    if graph.channels < 2:
        return np.zeros(n.shape)
    intra = graph.intra * _gpu(machine)["nvls_efficiency"] * (graph.channels - 1) / graph.channels
    intra = intra * (2.0 if collective == "all_reduce" else (g - 1) / g)
    inter = graph.inter * np.where((n <= 2) & tree, 2.0, 1.0)
    cap = _cap("nvls_tree", machine.gpu, n) if tree else np.inf
    return graph.channels * np.minimum(np.minimum(intra, inter), cap)


def _direct_bus(machine, graph, collective, protocol, n, g):
    if collective != "all_reduce":
        return g * np.minimum(graph.intra, graph.inter * factor("collnet-direct-inter"))
    spread = g / graph.channels
    bus = _plain(machine, graph, n, collnet=True) / (spread - (spread - 1) / 2)
    return bus * (factor("collnet-direct-hopper") if _gpu(machine)["compute_capability"] >= 90 else 1.0)


_BUS = {
    "ring": _ring_bus, "tree": _tree_bus, "collnet_direct": _direct_bus,
    "collnet_chain": lambda machine, graph, collective, protocol, n, g: _plain(machine, graph, n, collnet=True),
    "nvls": lambda machine, graph, collective, protocol, n, g: _nvls_bus(machine, graph, collective, n, g, tree=False),
    "nvls_tree": lambda machine, graph, collective, protocol, n, g: _nvls_bus(machine, graph, collective, n, g, tree=True),
    "pat": lambda machine, graph, collective, protocol, n, g: _plain(machine, graph, n) * factor("pat"),
}


def _log(nodes) -> np.ndarray:
    return np.floor(np.log2(nodes))


def _ring_latency(machine, collective, protocol, n, g, intra, inter):
    steps = _steps(collective, n * g)
    if collective in ("broadcast", "reduce"):
        own = latencies()["ring" if machine.same_channels or protocol != "simple" else "tree", protocol]
        hop = np.where(n == 1, _inside(machine, own), own["net_s"])
        return hop * (1 if machine.same_channels else steps)
    between = (n - 1) * (2 if collective == "all_reduce" else 1)
    overhead = factor("net-overhead-amd" if machine.cpu == "amd" else "net-overhead-intel") * units.us
    overhead = overhead * (factor("net-overhead-simple") if protocol == "simple" else 1)
    return (steps - between) * np.where(n > 1, np.maximum(intra, overhead), intra) + between * inter


_LATENCY = {
    "ring": _ring_latency,
    "tree": lambda machine, collective, protocol, n, g, intra, inter: 2 * ((g - 1) * intra + _log(n) * inter),
    "collnet_direct": lambda machine, collective, protocol, n, g, intra, inter: (
        2 * (np.minimum(1, g - 1) * intra + (g - 1) * factor("collnet-direct-each") * units.us) + inter),
    "collnet_chain": lambda machine, collective, protocol, n, g, intra, inter: 2 * (g - 1) * intra + inter,
    "nvls": lambda machine, collective, protocol, n, g, intra, inter: intra + np.where(n > 1, inter, 0.0),
    "nvls_tree": lambda machine, collective, protocol, n, g, intra, inter: intra + 2 * _log(n) * inter,
    "pat": lambda machine, collective, protocol, n, g, intra, inter: (
        _log(n) * inter / factor("pat-steps") + n * g * factor("pat-each") * units.us),
}
