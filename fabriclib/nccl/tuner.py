"""The tuner: a score in seconds for each algorithm and protocol, latency + bytes / bandwidth, and the smallest wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import MAX_BYTES, known, number, plain, single, together, whole
from ..machines import System
from ..shown import digits, sentence
from .constants import VERSION, caps, factor, latencies, tree_correction
from .found import Found, Searched
from .search import searched

ALGORITHMS = ("tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat")
PROTOCOLS = ("ll", "ll128", "simple")
COLLECTIVES = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
_GRAPH = {name: name for name in ALGORITHMS} | {"nvls_tree": "nvls", "pat": "ring"}
_HALVES = ("all_gather", "reduce_scatter")


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
        """Return the candidates for ONE message as a DataFrame, best first: algorithm, protocol, score in µs.

        Raises:
            ValueError: this choice is for several messages.
        """
        import pandas as pd

        self._of_one("table")
        ranked = sorted((float(score), *name) for name, score in self.scores.items() if score == score)
        return pd.DataFrame({"algorithm": [a for _, a, _ in ranked], "protocol": [p for *_, p in ranked],
                             "score (µs)": [round(1e6 * s, 2) for s, *_ in ranked]})

    def beside(self, seconds) -> str:
        """Return a sentence that says why the score of ONE message is not the *seconds* predicted, or measured, for it.

        Raises:
            ValueError: *seconds* is not positive, or this choice is for several messages.

        >>> nccl_choice("dgx-h100", "all_reduce", 2**20).beside(35e-6)[:67]
        'NCCL v2.30.7-1 scores ring with ll at 28 µs, 0.8 times the 35 µs be'
        """
        self._of_one("beside")
        score, other = float(self.seconds), single("seconds", number("seconds", seconds))
        return (f"NCCL {self.version} scores {self.algorithm} with {self.protocol} at {units.format(score, 's')}, "
                f"{digits(score / other)} times the {units.format(other, 's')} beside it: a score answers another question, "
                "which candidate is best, with the constants of that release; a prediction is fitted to measured times.")

    def _of_one(self, asked: str) -> None:
        if np.ndim(self.seconds):
            raise ValueError(f"{asked} is for one message at a time; this choice is for {np.size(self.seconds)}.")

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
    size, n, g = _checked(nbytes, nodes, gpus_per_node, alone.gpus)
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


def _checked(nbytes, nodes, gpus_per_node, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size, n = number("nbytes", nbytes, high=MAX_BYTES), whole("nodes", nodes, high=100_000)
    g = whole("gpus_per_node", most if gpus_per_node is None else gpus_per_node, high=most)
    together(nbytes=size, nodes=n, gpus_per_node=g)
    size, n, g = np.broadcast_arrays(size, n, g)
    if (n * g < 2).any():
        raise ValueError(f"nodes and gpus_per_node must make at least two ranks; got {n.min()} node of {g.min()} GPU.")
    return size, n, g


class _Case(NamedTuple):
    """A candidate for a collective over `nodes` nodes of `gpus` GPUs each, which are numbers or arrays of one shape."""

    machine: Searched
    collective: str
    algorithm: str
    protocol: str
    nodes: np.ndarray
    gpus: np.ndarray

    @property
    def ranks(self) -> np.ndarray:
        return self.nodes * self.gpus

    @property
    def steps(self) -> np.ndarray:
        ranks = self.ranks
        return {"all_reduce": 2 * (ranks - 1), "all_gather": ranks - 1, "reduce_scatter": ranks - 1}.get(self.collective, ranks)

    @property
    def graph(self) -> Found:
        return self.machine.graphs[_GRAPH[self.algorithm]]

    @property
    def gpu(self) -> catalog.Row:
        return catalog.row("nccl_gpus", self.machine.gpu)

    def cap(self, name: str, gpu: str = "") -> np.ndarray:
        """The most of the kind *name*, by the number of nodes, for the machine's GPU or another one's row."""
        return caps(name)[gpu or self.machine.gpu][np.minimum(self.nodes - 1, 2)]

    def inside(self, row: catalog.Row) -> float:
        """The latency of a step within a node."""
        return row["nvlink_s" if self.machine.inside == "nvlink" else "pci_s"]

    def together(self, collnet: bool = False) -> np.ndarray:
        """The rate of all channels: at two nodes still that inside a node, as the code has it."""
        return self.graph.channels * np.where((self.nodes <= 2) | collnet, self.graph.intra, self.graph.inter)


def bandwidth(machine: Searched, collective: str, algorithm: str, protocol: str, nodes, gpus_per_node) -> np.ndarray:
    """Return bytes of the buffer per second as the tuner reckons, zero where the combination is not available.

    >>> round(float(bandwidth(searched("dgx-h100"), "all_reduce", "nvls", "simple", 1, 8)) / 1e9, 1)
    272.0
    """
    case = _Case(machine, collective, algorithm, protocol, *np.broadcast_arrays(nodes, gpus_per_node))
    if not _available(case):
        return np.zeros(case.nodes.shape)
    bus = _BUS[algorithm](case) * _works(case)
    if algorithm == "ring" or collective not in _HALVES:
        bus = bus * (0.5 if algorithm in ("tree", "collnet_direct", "collnet_chain") else case.ranks / case.steps)
    return bus


def latency(machine: Searched, collective: str, algorithm: str, protocol: str, nodes, gpus_per_node) -> np.ndarray:
    """Return the seconds before the first byte, as the tuner reckons.

    >>> round(1e6 * float(latency(searched("dgx-h100"), "all_reduce", "ring", "simple", 1, 8)), 1)
    56.0
    """
    case = _Case(machine, collective, algorithm, protocol, *np.broadcast_arrays(nodes, gpus_per_node))
    one, tree = latencies()[algorithm, protocol], latencies()["tree", protocol]
    nic = machine.latency_inter * (2 if protocol == "simple" else 1)
    inter = np.where(case.gpus == 1, float(tree["net_s"]), float(one["net_s"])) + nic
    return one["base_s"] + _LATENCY[algorithm](case, case.inside(one), inter)


def _score(machine, collective, algorithm, protocol, size, n, g) -> np.ndarray:
    rate = bandwidth(machine, collective, algorithm, protocol, n, g)
    start = latency(machine, collective, algorithm, protocol, n, g)
    if collective == "all_reduce":
        capability = catalog.row("nccl_gpus", machine.gpu)["compute_capability"]
        if algorithm == "tree":
            rate = rate * _correction(size, tree_correction(protocol)[: int(factor("tree-correction-factors"))])
        elif algorithm == "nvls_tree" and capability >= 100 and machine.cpu != "arm":
            rate = rate * _correction(size, tree_correction(protocol))
        elif (algorithm, protocol) == ("ring", "simple"):
            # The channels that run are twice those that the search found.
            each = size // (2 * machine.graphs["ring"].channels * n * g)
            plateau = (n > 1) & (each >= factor("ring-plateau-bytes"))
            start = np.where(plateau, start * factor("ring-plateau" if capability >= 80 else "ring-plateau-old"), start)
    with np.errstate(divide="ignore"):
        return np.where(rate > 0, start + size / rate, np.nan)


def _correction(size: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """One factor for each power of two from the first size on, and none for smaller and larger messages."""
    power = np.floor(np.log2(np.maximum(size, 1) / factor("tree-correction-bytes"))).astype(int)
    return np.where((power >= 0) & (power < len(factors)), factors[np.clip(power, 0, len(factors) - 1)], 1.0)


def _available(case: _Case) -> bool:
    """Whether the combination exists at all, whatever the number of nodes."""
    does = {"ring": COLLECTIVES, "nvls": ("all_reduce", *_HALVES), "pat": _HALVES, "collnet_direct": ("all_reduce", *_HALVES)}
    return (_GRAPH[case.algorithm] in case.machine.graphs and case.collective in does.get(case.algorithm, ("all_reduce",))
            and (case.protocol != "ll128" or case.machine.ll128))


def _works(case: _Case) -> np.ndarray:
    """Where the combination may be used: NVLS within a node or with switches that reduce, PAT with one GPU in each node."""
    several, many = case.nodes > 1, case.gpus > 1
    reduces = "collnet_direct" in case.machine.graphs
    return {"nvls": many & (~several | reduces), "nvls_tree": many & several, "pat": ~many & several,
            "collnet_direct": several, "collnet_chain": several}.get(case.algorithm, case.nodes > 0)


def _ring_bus(case: _Case) -> np.ndarray:
    bus = case.together()
    if case.protocol == "ll":
        return np.minimum(_ll_cap(case), bus * factor("ring-ll"))
    if case.protocol == "ll128":
        return np.minimum(bus * factor("ring-ll128"), case.graph.channels * case.cap("ring_ll128"))
    return bus


def _ll_cap(case: _Case) -> np.ndarray:
    # Between nodes the CPU tells the row: the first for Intel and others, the second for AMD.
    between = "ampere" if case.machine.cpu == "amd" else "volta"
    return np.where(case.nodes == 1, case.cap("ll_max"), case.cap("ll_max", between))


def _tree_bus(case: _Case) -> np.ndarray:
    graph = case.graph
    bus = np.minimum(case.together() * factor("tree"), graph.channels * case.cap("tree"))
    if case.protocol == "ll":
        bus = np.minimum(bus * factor("tree-ll"), _ll_cap(case))
    elif case.protocol == "ll128":
        share = np.where(case.nodes == 1, factor("tree-ll128-one-node"), factor("tree-ll128"))
        bus = np.minimum(bus * share, graph.channels * case.cap("tree_ll128"))
    return bus * (factor("tree-one-nic-gpu") if graph.one_nic_gpu else 1.0)


def _nvls_bus(case: _Case) -> np.ndarray:
    graph, tree = case.graph, case.algorithm == "nvls_tree"
    if graph.channels < 2:
        return np.zeros(case.nodes.shape)
    intra = graph.intra * case.gpu["nvls_efficiency"] * (graph.channels - 1) / graph.channels
    intra = intra * (2.0 if case.collective == "all_reduce" else (case.gpus - 1) / case.gpus)
    inter = graph.inter * np.where((case.nodes <= 2) & tree, 2.0, 1.0)
    return graph.channels * np.minimum(np.minimum(intra, inter), case.cap("nvls_tree") if tree else np.inf)


def _direct_bus(case: _Case) -> np.ndarray:
    graph = case.graph
    if case.collective != "all_reduce":
        return case.gpus * np.minimum(graph.intra, graph.inter * factor("collnet-direct-inter"))
    spread = case.gpus / graph.channels
    bus = case.together(collnet=True) / (spread - (spread - 1) / 2)
    return bus * (factor("collnet-direct-hopper") if case.gpu["compute_capability"] >= 90 else 1.0)


_BUS: dict[str, Callable[[_Case], np.ndarray]] = {
    "ring": _ring_bus, "tree": _tree_bus, "collnet_direct": _direct_bus, "nvls": _nvls_bus, "nvls_tree": _nvls_bus,
    "collnet_chain": lambda case: case.together(collnet=True),
    "pat": lambda case: case.together() * factor("pat"),
}


def _log(nodes) -> np.ndarray:
    return np.floor(np.log2(nodes))


def _ring_latency(case: _Case, intra: float, inter: np.ndarray) -> np.ndarray:
    machine, several = case.machine, case.nodes > 1
    if case.collective in ("broadcast", "reduce"):
        own = latencies()["ring" if machine.same_channels or case.protocol != "simple" else "tree", case.protocol]
        hop = np.where(several, own["net_s"], case.inside(own))
        return hop * (1 if machine.same_channels else case.steps)
    between = (case.nodes - 1) * (2 if case.collective == "all_reduce" else 1)
    overhead = factor("net-overhead-amd" if machine.cpu == "amd" else "net-overhead-intel") * units.us
    overhead = overhead * (factor("net-overhead-simple") if case.protocol == "simple" else 1)
    return (case.steps - between) * np.where(several, np.maximum(intra, overhead), intra) + between * inter


_LATENCY: dict[str, Callable[[_Case, float, np.ndarray], np.ndarray]] = {
    "ring": _ring_latency,
    "tree": lambda case, intra, inter: 2 * ((case.gpus - 1) * intra + _log(case.nodes) * inter),
    "collnet_direct": lambda case, intra, inter: (
        2 * (np.minimum(1, case.gpus - 1) * intra + (case.gpus - 1) * factor("collnet-direct-each") * units.us) + inter),
    "collnet_chain": lambda case, intra, inter: 2 * (case.gpus - 1) * intra + inter,
    "nvls": lambda case, intra, inter: intra + np.where(case.nodes > 1, inter, 0.0),
    "nvls_tree": lambda case, intra, inter: intra + 2 * _log(case.nodes) * inter,
    "pat": lambda case, intra, inter: _log(case.nodes) * inter / factor("pat-steps") + case.ranks * factor("pat-each") * units.us,
}
