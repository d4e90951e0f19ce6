"""What copies, rings and all-to-alls get of each server, which link is tight, and what was published beside it."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, copies, units
from fabriclib.collectives import schedule
from fabriclib.flows import Share, all_to_all, max_min, ring, route, share
from fabriclib.links import link
from fabriclib.measurements import published
from fabriclib.peers import hosts, p2p, through_host
from fabriclib.topology import Graph, disjoint_rings, server
from fabriclib.topology.classes import classes

from ...course.story import GPUS
from ...stage import tiers

BOX = "PCIe 4, two sockets"
box, dies, rack = server("pcie4-two-socket"), server("mi250x"), server("gb200-nvl72")
port = link("slingshot11")  # of the GH200's node
RUNS = {row["short"]: row["id"] for row in catalog.rows("servers")}
PEER, STAGED = "yes", "no: through host memory"
COPIES = {f"GPU 0 to GPU {i}": i for i in range(1, GPUS)}
NEAR, *_, FAR = COPIES
RING, ALL, HOST = "ring", "all-to-all", "host memory to every GPU"
PATTERNS = [*COPIES, RING, ALL, HOST]
LINE, REACHED, CLASS, MEASURED = "line rate", "what a copy reaches", "path class", "measured"
ERROR = "the model's error (%)"
MOST_GPUS = 8  # of a matrix of pairs


def flows(graph: Graph, pattern: str) -> np.ndarray:
    """Return the flows of *pattern* as rows of node numbers.

    The ring takes as many rings as share no link, if there are any. A copy to a GPU that the server lacks goes to its last.
    """
    last = len(graph.gpus) - 1
    if pattern == HOST:
        return np.stack([hosts(graph, graph.gpus), graph.gpus], axis=1)
    if pattern == RING:
        return graph.gpus[np.concatenate([ring(order) for order in disjoint_rings(graph) or [list(range(last + 1))]])]
    return graph.gpus[np.array(all_to_all(last + 1) if pattern == ALL else [(0, min(COPIES[pattern], last))])]


@functools.cache
def moved(name: str, pattern: str, peer: str) -> Share:
    """Return what *pattern* gets of a server; without peer-to-peer access every flow is two: up to the host, and down."""
    graph = server(name)
    src, dst = flows(graph, pattern).T
    if peer == STAGED and pattern != HOST:
        _, src, dst = through_host(graph, src, dst)
    names = np.array(graph.nodes)
    return share(graph, np.stack([names[src], names[dst]], axis=1))


def method(name: str) -> str:
    """Return the id of the copies whose constant was set for the links between a server's GPUs; none: an empty text."""
    graph, allowed = server(name), catalog.row("servers", name)["peer"] is not False
    free = (row["id"] for row in catalog.rows("copies") if not row["base"] and allowed and _knows(row["id"], graph))
    return next(free, "")


@functools.cache
def matrix(name: str, peer: str) -> str:
    """Return the id of the largest published matrix of a server's pairs, or of one wired alike; none: an empty text."""
    copy = "staged" if peer == STAGED else method(name)
    same = {row["id"] for row in catalog.rows("servers") if _wired(row) == _wired(catalog.row("servers", name))}
    pairs = [row["table"] for row in catalog.rows("p2p_measurements")]
    tables = [row["id"] for row in catalog.rows("p2p_tables") if row["copy"] == copy and row["server"] in same
              and (row["config"], row["direction"]) == ("ok", "one way")]
    return max(tables, key=pairs.count, default="")


def _wired(row: catalog.Row) -> tuple:
    return tuple(row[column] for column in ("gpus", "gpu", "link", "links_per_switch", "links_per_pair", "pairs"))


def detours(graph: Graph) -> set[tuple[int, int]]:
    """Return the pairs of GPUs that their own links join only through other GPUs."""
    if len(graph.of_kind("switch")) or not graph.own.any():
        return set()
    joined = set(zip(graph.inner.src.tolist(), graph.inner.dst.tolist(), strict=True))
    every = [(i, j) for i in range(len(graph.gpus)) for j in range(len(graph.gpus)) if i != j]
    return {(i, j) for i, j in every if (graph.gpus[i], graph.gpus[j]) not in joined}


def way(name: str, sender: int, receiver: int, peer: str) -> list[int]:
    """Return the node numbers that a copy from one GPU of a server to another passes in turn, both GPUs among them."""
    graph = server(name)
    ends = graph.gpus[[sender]], graph.gpus[[receiver]]
    legs = zip(*through_host(graph, *ends)[1:], strict=True) if peer == STAGED else [(ends[0][0], ends[1][0])]
    passed = [int(ends[0][0])]
    for src, dst in legs:
        edges = route(graph, np.array([src]), np.array([dst])).edge
        onward = dict(zip(graph.src[edges].tolist(), graph.dst[edges].tolist(), strict=True))
        while passed[-1] != dst:
            passed.append(onward[passed[-1]])
    return passed


def cells(name: str, show: str, peer: str) -> dict[tuple[int, int], float | str]:
    """Return {(from, to): GB/s, word or % of error} for the pairs of GPUs of a server; what is not known is missing."""
    graph = server(name)
    if peer == STAGED and show != CLASS and not len(graph.of_kind("cpu")):
        return {}
    pairs = [(i, j) for i in range(MOST_GPUS) for j in range(MOST_GPUS) if i != j]
    pairs = [pair for pair in pairs if max(pair) < len(graph.gpus)]
    if show == CLASS:
        return dict(zip(pairs, classes(graph, *graph.gpus[np.array(pairs).T]), strict=True))
    if show == MEASURED:
        table = matrix(name, peer)
        rows = [row for row in catalog.rows("p2p_measurements") if row["table"] == table]
        return {tuple(int(end[3:]) for end in row["pair"]): row["bytes_per_s"] / units.GB for row in rows}
    if show == ERROR:
        model, seen = (cells(name, what, peer) for what in (REACHED, MEASURED))
        return {pair: 100 * (model[pair] / seen[pair] - 1) for pair in seen if pair in model}
    if show == LINE:
        rates = p2p(graph, staged=peer == STAGED).rates
    elif (how := "staged" if peer == STAGED else method(name)) and _knows(how, graph):
        rates = copies.reached(name, how).rates
    else:
        return {}
    return {pair: float(rates[pair]) / units.GB for pair in pairs}


def _knows(method: str, graph: Graph) -> bool:
    """Whether the constant of *method* was set for the links that the copies of a server take."""
    taken = graph.tree if method == "staged" else graph.inner if graph.own.any() else graph
    ends = set(taken.link[np.isin(taken.src, graph.gpus)].tolist())
    return ends <= set(catalog.row("copies", method)["over"])


SIZES = [2.0**k for k in range(16, 35)]


@functools.cache
def line(name: str) -> tuple[float, float]:
    """Return (seconds to start, seconds a byte) of a ring all-reduce over all GPUs of a server."""
    start, per_byte = _ring_plan(len(server(name).gpus)).line_on(server(name))
    if direct(name):
        return start, per_byte
    # No peer-to-peer access: each message is two flows at once, with what else goes up and down.
    return 2 * start, sent(name) / float(moved(name, RING, STAGED).rates.min())


def direct(name: str) -> bool:
    """Whether a server's GPUs may write into each other's memory."""
    return catalog.row("servers", name)["peer"] is not False


@functools.cache
def ranked() -> list[str]:
    """Return the short names of all servers, that of the fastest ring first."""
    return sorted(RUNS, key=lambda label: ring_seconds(RUNS[label], SIZES[-1]) / sent(RUNS[label]))


@functools.cache
def _ring_plan(gpus: int):
    return schedule("all_reduce", "ring", ranks=gpus)


@functools.cache
def sent(name: str) -> float:
    """Return how many times the buffer each GPU of a server sends in a ring all-reduce."""
    return float(_ring_plan(len(server(name).gpus)).counts().sent)


def ring_seconds(name: str, nbytes: float) -> float:
    """Return the seconds of a ring all-reduce of *nbytes* over all GPUs of a server, over all rings that share no link."""
    start, per_byte = line(name)
    return start + per_byte * nbytes


@functools.cache
def measured(name: str) -> dict[float, float]:
    """Return {bytes: seconds} of the published all-reduce that a server's row names, if it names one."""
    table = catalog.row("servers", name)["ring_table"]
    return dict(published(table).to_numpy().tolist()) if table else {}


def sends(label: str, what: str) -> float:
    """Return what each GPU of a server sends in a ring or an all-to-all, in bytes a second."""
    name = RUNS[label]
    shared = moved(name, what, PEER if direct(name) else STAGED)
    # All pieces are of one size, so all end with the slowest: as many flows as a GPU has, at the slowest's rate.
    return float(shared.rates.min()) * len(flows(shared.graph, what)) / len(shared.graph.gpus)


def bottlenecks():
    """Return a DataFrame of text: what each GPU sends in a ring and in an all-to-all on each server, and which link is tight."""
    import pandas as pd

    rows = []
    for label in ranked():
        name, row = RUNS[label], {"server": label}
        peer = PEER if direct(name) else STAGED
        for what in (RING, ALL):
            shared = moved(name, what, peer)
            graph, edge = shared.graph, shared.bottleneck[shared.rates.argmin()]
            row |= {f"{what}, a GPU sends": units.format(sends(label, what), "B/s"),
                    f"{what}, tight": f"{tiers.said(graph, graph.src[edge])} to {tiers.said(graph, graph.dst[edge])}"}
        rows.append(row)
    return pd.DataFrame(rows)


def rings_beside() -> list[tuple[str, float, float, float]]:
    """Return (server, seconds at line rate, seconds as fast as a copy, measured) of an all-reduce of its largest buffer."""
    found = []
    for label in ranked():
        name = RUNS[label]
        if not measured(name) or name == "hgx-b200":  # whose switches may have added: no ring
            continue
        nbytes, seconds = max(measured(name).items())
        alone = ring_seconds(name, nbytes)
        found.append((label, alone, alone / copies.copy(method(name)).efficiency, seconds))
    return found


KINDS = {"nvlink": "NVLink", "nvlink3": "NVLink", "xgmi": "Infinity Fabric", "xgmi-engine": "Infinity Fabric", "pcie": "PCIe",
         "staged": "through host memory"}


def copies_beside() -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Return {kind of copy: (model, model, measured)} in B/s: of pairs alike to the model the slowest and the fastest."""
    found = {kind: [] for kind in KINDS.values()}
    for one in catalog.rows("p2p_tables"):
        if one["config"] != "ok":  # broken, or of messages too small for a rate
            continue
        pairs = copies.beside(one["id"])
        for model, alike in pairs[pairs["sets"] == ""].groupby("model GB/s")["measured GB/s"]:
            found[KINDS[one["copy"]]] += [(model * units.GB, end * units.GB) for end in sorted({alike.min(), alike.max()})]
    return {kind: tuple(zip(*[(model, *both) for model, *both in sorted((m, m, seen) for m, seen in points)], strict=True))
            for kind, points in found.items()}


def printed_matrix(table: str) -> str:
    """Return a published matrix of GPUs as p2pBandwidthLatencyTest prints it."""
    rates = {row["pair"]: row["bytes_per_s"] / units.GB for row in catalog.rows("p2p_measurements") if row["table"] == table}
    numbers = range(len({end for pair in rates for end in pair}))
    lines = ["Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)", "   D\\D" + "".join(f"{j:7d}" for j in numbers)]
    lines += [f"{i:6d}" + "".join(f"{rates.get((f'gpu{i}', f'gpu{j}'), 0.0):7.2f}" for j in numbers) for i in numbers]
    return "\n".join(lines)


def groups_of_small():
    """Return a DataFrame: into which groups the widest path puts the pairs of an MI250X, and what was measured of each."""
    found = copies.beside("mi250x-small")
    found["the model's group"] = found["model GB/s"].rank(method="dense").astype(int)
    groups = found.groupby("the model's group")["measured GB/s"].agg(["count", "min", "max"]).round(1).reset_index()
    return groups.rename(columns={"count": "pairs", "min": "slowest (GB/s)", "max": "fastest (GB/s)"})


def slot() -> float:
    """Return the payload rate of one of the box's links, one way."""
    return float(box.capacity[box.src == box.node("gpu0")][0])


def first_byte(to: str) -> float:
    """Return the seconds that a first byte takes in the box from GPU 0 to another device."""
    return float(p2p(box, ["gpu0", to]).latency[0, 1])


def line_rate() -> float:
    """Return what the lanes of such a link carry one way before headers take their part."""
    return link("pcie4", lanes=16).line


def joined(links: int) -> float:
    """Return the line rate of so many links between two dies, one way."""
    return links * float(dies.inner.capacity.min())


def staged_ring() -> float:
    """Return what each GPU of the box sends in a ring when every copy goes through host memory."""
    src, dst = box.gpus[ring(GPUS)].T
    return float(max_min(route(box, *through_host(box, src, dst)[1:]), box.capacity)[0].min())


def n_half(name: str) -> float:
    """Return the buffer of a ring all-reduce whose bytes take as long as the starts of its steps."""
    start, per_byte = line(name)
    return start / per_byte
