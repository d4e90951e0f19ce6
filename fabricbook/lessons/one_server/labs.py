"""A server drawn with its traffic, the matrix of its pairs, and what an all-reduce costs on each server."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, copies, units
from fabriclib.collectives import schedule
from fabriclib.flows import Share, all_to_all, ring, share
from fabriclib.measurements import percent, published
from fabriclib.peers import hosts, p2p, through_host
from fabriclib.topology import Graph, disjoint_rings, path_class, server
from fabriclib.topology.trees import DEVICES

from ...stage import Control, charts, lab, tiers

MOST_GPUS, MOST_DEVICES = 8, 24  # of a matrix of pairs, and of a drawing that can be read


def _listed(shown) -> dict[str, str]:
    """Return {short name: id} of the servers of the catalogue of which shown(id, graph) holds."""
    return {row["short"]: row["id"] for row in catalog.rows("servers") if shown(row["id"], server(row["id"]))}


DRAWN = _listed(lambda _, graph: graph.beyond.any() and np.isin(graph.kinds, DEVICES).sum() <= MOST_DEVICES)
PAIRED = _listed(lambda _, graph: len(graph.gpus) <= MOST_GPUS)
RUNS = _listed(lambda *_: True)
BOX = "PCIe 4, two sockets"
PEER, STAGED = "yes", "no: through host memory"
NEAR, FAR, RING, ALL, HOST = "GPU 0 to GPU 1", "GPU 0 to the last GPU", "ring", "all-to-all", "host memory to every GPU"
PATTERNS = [NEAR, FAR, RING, ALL, HOST]


def flows(graph: Graph, pattern: str) -> np.ndarray:
    """Return the flows of *pattern* as rows of node numbers; the ring takes as many rings as share no link, if there are any."""
    last = len(graph.gpus) - 1
    if pattern == HOST:
        return np.stack([hosts(graph, graph.gpus), graph.gpus], axis=1)
    if pattern == RING:
        return graph.gpus[np.concatenate([ring(order) for order in disjoint_rings(graph) or [list(range(last + 1))]])]
    return graph.gpus[np.array({NEAR: [(0, 1)], FAR: [(0, last)], ALL: all_to_all(last + 1)}[pattern])]


@functools.cache
def moved(name: str, pattern: str, peer: str) -> Share:
    """Return what *pattern* gets of a server; without peer-to-peer access every flow is two: up to the host, and down."""
    graph = server(name)
    src, dst = flows(graph, pattern).T
    if peer == STAGED and pattern != HOST:
        _, src, dst = through_host(graph, src, dst)
    names = np.array(graph.nodes)
    return share(graph, np.stack([names[src], names[dst]], axis=1))


@lab("one-server", title="One server, drawn", tier="server",
     controls=[Control("machine", list(DRAWN), default=BOX, label="server", as_="menu"),
               Control("traffic", PATTERNS, default=NEAR, as_="menu"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu")],
     chart=lambda: tiers.chart(
         "A server by tier: CPUs at the top, PCIe switches, network cards, GPUs, and NVSwitches as a bar at the bottom, or arcs "
         "where GPUs are joined directly. Each cable carries its GB/s in one direction. Idle cables are thin and grey, those in "
         "use thick and blue, the bottlenecks thickest, dashed, orange and marked with a triangle."),
     leaves_out="Packets smaller than 256 bytes, start-up times, what a copy reaches of the rate (the next lab has it), and the "
                "memory itself. A flow that goes through host memory is two flows at once. Several NVSwitch chips are one bar.",
     sources=["besthub-a100-server", "nccl-1505", "vengineer-dgx-h100", "dgx-h100-guide-copy", "olcf-frontier",
              "rocm-single-node", "fusco-gh200", "gpu-micro"])
def one_server(machine, traffic, peer):
    """Which links carry a copy, a ring or an all-to-all, and which of them is tight."""
    shared = moved(DRAWN[machine], traffic, peer)
    graph, staged = shared.graph, peer == STAGED and traffic != HOST
    slowest = int(shared.rates.argmin())
    edge = shared.bottleneck[slowest]
    tight = f"{tiers.said(graph, graph.src[edge])} to {tiers.said(graph, graph.dst[edge])}"
    rates = [units.format(rate, "B/s") for rate in (shared.rates.min(), shared.rates.max())]
    pairs = len(shared.rates) // (2 if staged else 1)
    each = f"{rates[0]}{' each' if pairs > 1 else ''}" if rates[0] == rates[1] else f"{rates[0]} to {rates[1]}"
    how = ", each up to the host and down again" if staged else ""
    got = f"{pairs} {'copy' if pairs == 1 else 'copies'} at once{how}: {each}"
    last = f"gpu{len(graph.gpus) - 1}"
    sentence = (f"{machine}, {traffic}: {got}. The slowest is held up from {tight}. GPU 0 to GPU 1 is "
                f"{path_class(graph, 'gpu0', 'gpu1')}, to GPU {last[3:]} {path_class(graph, 'gpu0', last)}.")
    return tiers.columns(tiers.drawn(graph, shared, (f"{machine}, {traffic}", got, f"held up from {tight}"))), sentence


# ---- lab 2: the matrix of pairs ----

LINE, REACHED, CLASS, MEASURED = "line rate", "what a copy reaches", "path class", "measured"
COLOURS = (5, 900)  # GB/s, from the palest to the darkest cell
DETOUR = "↷"  # beside the rate of a pair that no link and no switch joins: the copy goes through other GPUs


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


def cells(name: str, show: str, peer: str) -> dict[tuple[int, int], float | str]:
    """Return {(from, to): GB/s or word} for the pairs of GPUs of a server; a pair of which nothing is known is missing."""
    graph, pairs = server(name), [(i, j) for i in range(MOST_GPUS) for j in range(MOST_GPUS) if i != j]
    pairs = [pair for pair in pairs if max(pair) < len(graph.gpus)]
    if show == CLASS:
        return {(i, j): path_class(graph, f"gpu{i}", f"gpu{j}") for i, j in pairs}
    if show == MEASURED:
        table = matrix(name, peer)
        rows = [row for row in catalog.rows("p2p_measurements") if row["table"] == table]
        return {tuple(int(end[3:]) for end in row["pair"]): row["bytes_per_s"] / units.GB for row in rows}
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


def _matrix_chart():
    import altair as alt

    numbers = [str(i) for i in range(MOST_GPUS)]
    place = {"x": charts.names("to", numbers, channel="X", title="to GPU"), "y": charts.names("from", numbers, title="from GPU")}
    shade = alt.Color("shade:Q", title="GB/s", scale=alt.Scale(type="log", domain=list(COLOURS), scheme="blues", clamp=True),
                      legend=alt.Legend(orient="right", gradientLength=200))
    dark = alt.condition("datum.shade > 70", alt.value("white"), alt.value("black"))
    boxes = charts.live().mark_rect(stroke="#777777").encode(**place, color=shade)
    text = charts.live().mark_text(fontSize=alt.ExprRef("clamp(width / 46, 10, 15)"), fontWeight="bold").encode(
        **place, text="cell:N", color=dark)
    return charts.stack(boxes, text, height=400, description=(
        "A square of cells, a row for the GPU that sends and a column for the one that receives. Each cell holds the GB/s of "
        "that pair, or how it is joined; the higher the rate, the darker the cell. A bent arrow marks a detour through other "
        "GPUs."))


@lab("pair-matrix", title="Every pair of GPUs", tier="server",
     controls=[Control("machine", list(PAIRED), default="MI250X node", label="server", as_="menu"),
               Control("show", [LINE, REACHED, CLASS, MEASURED], default=LINE, as_="menu"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu")],
     chart=_matrix_chart,
     leaves_out="One pair at a time, one direction, long copies. A copy's constant was set on one published figure or matrix for "
                "each kind of link; where no published figure says it, cells stay empty. The measured H100, A100 and PCIe 5 are "
                "such machines, not always these.",
     sources=["stas-network", "nccl-1264", "amd-lab-notes", "gpu-micro", "ik-llama-1022", "rtx6kpro-microchip"])
def pair_matrix(machine, show, peer):
    """The matrix that a benchmark prints, from the graph."""
    name = PAIRED[machine]
    found, rates = cells(name, show, peer), cells(name, LINE, peer)
    bent = detours(server(name)) & found.keys() if peer == PEER and show != CLASS else set()
    sides = range(len(server(name).gpus))
    where = [(i, j) for i in sides for j in sides]
    shades = found if show in (LINE, REACHED, MEASURED) else rates
    table = {"from": [str(i) for i, _ in where], "to": [str(j) for _, j in where],
             "cell": ["–" if i == j else _cell(found.get((i, j), "")) + DETOUR * ((i, j) in bent) for i, j in where],
             "shade": [None if i == j else shades.get((i, j)) for i, j in where]}
    told = f" {len(bent)} of them take a detour through other GPUs ({DETOUR})." if bent else ""
    return table, f"{machine}, {show}, peer-to-peer {peer}: {_matrix_told(found, show)}{told}"


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _matrix_told(found: dict, show: str) -> str:
    if not found:
        return "0 pairs; no published figure that we know of tells it."
    if show == CLASS:
        words, many = np.unique(list(found.values()), return_counts=True)
        return ", ".join(f"{m} pairs {word}" for word, m in zip(words, many, strict=True)) + "."
    low, high = min(found.values()), max(found.values())
    rates = [units.format(rate * units.GB, "B/s") for rate in (low, high)]
    alike = f"all {len(found)} pairs {rates[0]}" if rates[0] == rates[1] else f"{len(found)} pairs, {rates[0]} to {rates[1]}"
    return f"{alike}." if high < 1.05 * low else f"{alike}; the fastest has {high / low:.1f} times the slowest."


# ---- lab 3: what an all-reduce costs ----

SIZES = [2.0**k for k in range(16, 35)]


@functools.cache
def _line(name: str) -> tuple[float, float]:
    """Return (seconds to start, seconds a byte) of a ring all-reduce over all GPUs of a server."""
    graph = server(name)
    plan = _ring(name)
    if not _direct(name):  # no peer-to-peer access: each message is two flows at once, with what else goes up and down
        small = plan.time_on(graph, 1.0)
        return 2 * small, _sent(name) / float(moved(name, RING, STAGED).rates.min())
    one, two = plan.time_on(graph, units.GiB), plan.time_on(graph, 2 * units.GiB)
    return 2 * one - two, (two - one) / units.GiB


def _direct(name: str) -> bool:
    """Whether a server's GPUs may write into each other's memory."""
    return catalog.row("servers", name)["peer"] is not False


@functools.cache
def ranked() -> list[str]:
    """Return the short names of all servers, that of the fastest ring first."""
    return sorted(RUNS, key=lambda label: ring_seconds(RUNS[label], SIZES[-1]) / _sent(RUNS[label]))


@functools.cache
def _ring(name: str):
    return schedule("all_reduce", "ring", ranks=len(server(name).gpus))


@functools.cache
def _sent(name: str) -> float:
    """Return how many times the buffer each GPU sends."""
    return float(_ring(name).counts().sent)


def ring_seconds(name: str, nbytes: float) -> float:
    """Return the seconds of a ring all-reduce of *nbytes* over all GPUs of a server, over all rings that share no link."""
    start, per_byte = _line(name)
    return start + per_byte * nbytes


@functools.cache
def _measured(name: str) -> dict[float, float]:
    """Return {bytes: seconds} of the published all-reduce that a server's row names, if it names one."""
    table = catalog.row("servers", name)["ring_table"]
    return dict(published(table).to_numpy().tolist()) if table else {}


def _cost_chart():
    import altair as alt

    title = "time (circle: model at line rate; diamond: measured)"
    x, seen = (charts.x(field, (1e-6, 100.0), title=title, unit="s", log=10) for field in ("seconds", "measured"))
    order = ranked()
    y = charts.names("server", order, title=" ")
    diamond = {"shape": "diamond", "size": 130, "filled": True, "opacity": 1, "color": charts.MEASURED}
    measured = charts.live().mark_point(**diamond).encode(x=seen, y=y)
    said = alt.value(alt.ExprRef("page < 520 ? split(datum.label, ',')[0] : datum.label"))  # the rate where there is room for it
    ink = {"align": "right", "dx": -4, "fontSize": alt.ExprRef("page < 420 ? 11 : 13")}
    label = charts.live().mark_text(**ink).encode(x=alt.value(alt.ExprRef("width")), y=y, text=said)
    above = alt.value(alt.ExprRef("page < 520 ? 'time' : 'time, and rate at which each GPU sends'"))
    heading = charts.live().transform_filter(f"datum.server == '{order[0]}'").mark_text(**ink, fontWeight="bold").encode(
        x=alt.value(alt.ExprRef("width")), y=alt.value(-9), text=above)
    return charts.stack(charts.here(x, y, colour=charts.SERVER), measured, label, heading, height=450, description=(
        "A row a server, the fastest first: a circle at the time of a ring all-reduce of the buffer, on a logarithmic axis, "
        "with the time and the rate at which each GPU sends at the right. Black diamonds: measured."))


@lab("server-all-reduce", title="What an all-reduce costs on each server", tier="server",
     controls=[Control("nbytes", SIZES, default=2.0**30, label="buffer", unit="B")],
     chart=_cost_chart,
     leaves_out="What software reaches of the line rate, other algorithms than the ring (NVSwitches of H100 and B200 can add by "
                "themselves), smaller pieces for small buffers. Servers of four GPUs send 1.5 times the buffer, those of "
                "eight 1.75, a rack of 72 twice. Of the measured runs only A100 and the four H100 are known to be rings.",
     sources=["patarasuk-yuan", "stas-network", "odissei", "hisohara-rccl", "alcf-nccl-tests", "nccl-tuning", "rccl-tuning"])
def server_all_reduce(nbytes):
    """The link that carries the ring sets the price: a factor of a hundred from the first server to the last."""
    times = {label: ring_seconds(RUNS[label], nbytes) for label in ranked()}
    sent = {label: _sent(RUNS[label]) for label in times}
    measured = [_measured(RUNS[label]).get(nbytes) for label in times]
    table = {"server": list(times), "seconds": list(times.values()), "measured": measured,
             "label": [f"{units.format(t, 's')}, {units.format(sent[label] * nbytes / t, 'B/s')}" for label, t in times.items()]}
    fast, slow = min(times, key=times.get), max(times, key=times.get)
    seen = dict(zip(times, measured, strict=True))["DGX A100"]
    told = f" On DGX A100 the model takes {times['DGX A100'] / seen:.2f} of the measured time." if seen else ""
    least, most = (units.format(times[label], "s") for label in (fast, slow))
    return table, (f"Adding up {units.format(nbytes)}: {least} on {fast}, {most} on {slow}, "
                   f"{times[slow] / times[fast]:.0f} times as long.{told}")


# ---- tables for the lesson ----

def bottlenecks():
    """Return a DataFrame of text: what each GPU sends in a ring and in an all-to-all on each server, and which link is tight."""
    import pandas as pd

    rows = []
    for label in ranked():
        name, row = RUNS[label], {"server": label}
        peer = PEER if _direct(name) else STAGED
        for what in (RING, ALL):
            shared = moved(name, what, peer)
            graph, edge = shared.graph, shared.bottleneck[shared.rates.argmin()]
            # All pieces are of one size, so all end with the slowest: as many flows as a GPU has, at the slowest's rate.
            sent = shared.rates.min() * len(flows(graph, what)) / len(graph.gpus)
            row |= {f"{what}, a GPU sends": units.format(sent, "B/s"),
                    f"{what}, tight": f"{tiers.said(graph, graph.src[edge])} to {tiers.said(graph, graph.dst[edge])}"}
        rows.append(row)
    return pd.DataFrame(rows)


def ring_beside_published():
    """Return a DataFrame of text: a ring all-reduce of the largest buffer measured, at line rate and as fast as a copy."""
    import pandas as pd

    rows = []
    for label in ranked():
        name = RUNS[label]
        table = catalog.row("servers", name)["ring_table"]
        if not table or name == "hgx-b200":  # whose switches may have added: no ring
            continue
        nbytes, seconds = max(_measured(name).items())
        line = ring_seconds(name, nbytes)
        share_of_line = copies.copy(method(name)).efficiency
        rows.append({"server": label, "buffer": units.format(nbytes), "line rate": units.format(line, "s"),
                     "as fast as a copy": units.format(line / share_of_line, "s"), "measured": units.format(seconds, "s"),
                     "error": percent(line / seconds - 1), "error as a copy": percent(line / share_of_line / seconds - 1),
                     "algorithm": catalog.row("measurement_tables", table)["algorithm"]})
    return pd.DataFrame(rows)


def kinds_of_pair(name: str):
    """Return a DataFrame: how many cells of a server's matrix have which line rate, joined directly or by a detour."""
    import pandas as pd

    found, bent = cells(name, LINE, PEER), detours(server(name))
    pairs = pd.Series([(rate, "a detour" if pair in bent else "direct") for pair, rate in found.items()]).value_counts()
    rows = [(rate, way, many) for (rate, way), many in sorted(pairs.items(), reverse=True)]
    return pd.DataFrame(rows, columns=["GB/s", "way", "cells"])
