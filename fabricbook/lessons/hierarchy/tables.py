"""What the cells and the texts of lesson "Hierarchy and in-network reduction" show: bytes, starts, and published runs."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import Level, busbw, collective_time, schedule
from fabriclib.collectives.cost import sent
from fabriclib.flows import route
from fabriclib.links import link
from fabriclib.machines import system
from fabriclib.measurements import Measured, error, largest
from fabriclib.nccl.constants import latencies
from fabriclib.topology import Graph, fabric, rail_rings

from ...course.story import GRADIENT
from ...stage.words import joined

PLACES = 8  # GPUs of a server, each with a NIC of its own
SERVERS = 16
RANKS = PLACES * SERVERS
BUFFER = float(units.GiB)
SUMMED = 1 * units.GB  # the buffer that the questions ask about
nvlink, nic, faster_nic = link("nvlink4").bundle(link("nvlink4").per_device), link("ib-ndr"), link("ib-xdr")
rack = system("gb200-nvl72")
nvls_start, sharp_start = latencies()["nvls", "simple"]["nvlink_s"], latencies()["collnet_chain", "simple"]["net_s"]

ONE_RING, RINGS, TWO_LEVELS, ADDING = "one ring", "eight rings", "two levels", "two levels, switches add"
ALONE, PXN = "each block by itself", "along the rails (PXN)"
ROUTES = {ALONE: "pairwise_by_level", PXN: "rail_aggregated"}
_RADIX = 64
_SMALL = 32  # ports of a switch, so that even few servers need several leaves


def steps(ranks: int) -> int:
    """Return the messages, one after the other, of an all-reduce that goes round a ring.

    >>> steps(8)
    14
    """
    return schedule("all_reduce", "ring", ranks=ranks).counts().messages


def between(collective: str, name: str, *, alpha: float = 0.0, beta: float = 0.0) -> float:
    """Return what the network between the servers adds: *alpha* counts its messages, *beta* the bytes of a NIC."""
    levels = [Level(PLACES, alpha=0.0, beta=0.0), Level(SERVERS, alpha=alpha, beta=beta)]
    return float(collective_time(collective, name, nbytes=SUMMED, levels=levels))


def two_levels(nbytes: float, gpus: int = PLACES, servers: int = SERVERS, inside: float = nvlink.bandwidth(),
               outside: float = nic.bandwidth()) -> float:
    """Return the seconds of an all-reduce on two levels, without starts, from the rates of a GPU's NVLink and NIC."""
    levels = [Level(gpus, alpha=0.0, beta=1 / inside), Level(servers, alpha=0.0, beta=1 / outside)]
    return float(collective_time("all_reduce", "hierarchical", nbytes=nbytes, levels=levels))


def ring_inside(nbytes: float) -> float:
    """Return the seconds of both halves inside a server, by rings."""
    return sent("all_reduce", "ring", PLACES) * nbytes / nvlink.bandwidth()


PURCHASES = {
    "NICs twice as fast": lambda: two_levels(GRADIENT, outside=2 * nic.bandwidth()),
    "NVLinks twice as fast": lambda: two_levels(GRADIENT, inside=2 * nvlink.bandwidth()),
    "switches that add inside (NVLS)": lambda: float(adding(GRADIENT, SERVERS, nic.id, between=False)),
    "switches that add between (SHARP)": lambda: float(adding(GRADIENT, SERVERS, nic.id, inside=False)),
}


# ---- times on the graph of a fabric: straight lines in bytes ----

@functools.cache
def rails(servers: int, speed: str = "ib-ndr") -> Graph:
    """Return the rail-optimised fabric of so many servers with eight GPUs and eight NICs each."""
    return fabric("rail-optimised", gpus=PLACES * servers, radix=_RADIX, speed=speed)


def around(graph: Graph, rings: np.ndarray) -> tuple[tuple[float, float], int]:
    """Return ((seconds to start, seconds a byte), the tightest edge) of an all-reduce round *rings*, an order of GPUs a row.

    Step after step every GPU hands pieces of one size to the next in each ring, so one step tells the price of all that
    `Schedule.line_on` adds up: its longest way, and the edge that has most to carry.
    """
    steps = 2 * (rings.shape[1] - 1)
    routing = route(graph, *graph.gpus[np.stack([rings, np.roll(rings, -1, axis=1)]).reshape(2, -1)])
    load = np.bincount(routing.edge, routing.fraction, minlength=len(graph.src)) / graph.capacity
    return (steps * float(routing.latency.max()), steps * float(load.max()) / rings.size), int(load.argmax())


@functools.cache
def all_reduce_lines(servers: int, speed: str) -> dict[str, tuple[float, float]]:
    """Return {way: (seconds to start, seconds a byte)}: rings and two levels on the graph, switches that add by formula."""
    graph = rails(servers, speed).folded
    rings = np.array(rail_rings(graph))
    levels = schedule("all_reduce", "hierarchical", ranks=PLACES * servers, dims=(PLACES, servers))
    little, much = adding(np.array([1.0, BUFFER]), servers, speed)
    per_byte = float(much - little) / (BUFFER - 1)
    return {ONE_RING: around(graph, rings[:1])[0], RINGS: around(graph, rings)[0],
            TWO_LEVELS: levels.line_on(graph), ADDING: (float(little) - per_byte, per_byte)}


def adding(nbytes, servers: int, speed: str, *, inside: bool = True, between: bool = True):
    """Return the seconds of an all-reduce on two levels where switches may add: NVLS inside a server, SHARP between them.

    Inside, every GPU's switches form its eighth of the sum (reduce-scatter) and hand the finished eighths round (all-gather);
    between, the GPUs of one place add their eighths over their rail.
    """
    nic = link(speed)
    if inside:
        hop = {"alpha": nvlink.latency / 2, "beta": 1 / nvlink.bandwidth(), "ranks": PLACES, "nbytes": nbytes}
        server = sum(collective_time(half, "nvls", **hop) for half in ("reduce_scatter", "all_gather"))
    else:
        hop = {"alpha": nvlink.latency, "beta": 1 / nvlink.bandwidth(), "ranks": PLACES, "nbytes": nbytes}
        server = sum(collective_time(half, "ring", **hop) for half in ("reduce_scatter", "all_gather"))
    wire = {"nbytes": np.asarray(nbytes) / PLACES, "beta": 1 / nic.bandwidth(), "ranks": servers}
    if not between:
        return server + collective_time("all_reduce", "ring", alpha=nic.latency, **wire)
    leaf = _RADIX // 2
    dims = (servers,) if servers <= leaf else (leaf, servers // leaf)  # one leaf switch to a rail, or leaves under a spine
    return server + collective_time("all_reduce", "sharp", alpha=nic.latency / 2, dims=dims, **wire)


@functools.cache
def network(kind: str, servers: int, oversubscription: int) -> Graph:
    """Return the fabric of the rank-order lab."""
    return fabric(kind, gpus=PLACES * servers, radix=_SMALL, speed="ib-ndr", oversubscription=oversubscription)


@functools.cache
def all_to_all_lines(servers: int, oversubscription: int) -> dict[str, tuple[float, float]]:
    """Return {way: (seconds to start, seconds a byte)} of an all-to-all on the rail-optimised fabric."""
    graph, found = network("rail-optimised", servers, oversubscription), {}
    for way, name in ROUTES.items():
        plan = schedule("all_to_all", name, ranks=PLACES * servers, dims=(PLACES, servers))
        found[way] = plan.line_on(graph)
    return found


def eight_rings_show() -> float:
    """Return the bytes from which on one ring takes half as long again as eight."""
    lines = all_reduce_lines(SERVERS, nic.id)
    (start, one), (_, eight) = lines[ONE_RING], lines[RINGS]
    return start / 2 / (one - 1.5 * eight)


def bundling_pays() -> float:
    """Return the bytes, to the next power of two, up to which an all-to-all is faster along the rails."""
    (start, alone), (less, bundled) = all_to_all_lines(SERVERS, 1).values()
    return 2.0 ** round(np.log2((start - less) / (bundled - alone)))


def all_to_all_on_separate_rails() -> dict[str, str]:
    """Return {way: its time on a rail-only fabric of eight servers, or why it has none}."""
    apart, ways = fabric("rail-only", gpus=PLACES * PLACES), {}
    for way, name in ROUTES.items():
        plan = schedule("all_to_all", name, ranks=PLACES * PLACES, dims=(PLACES, PLACES))
        try:
            ways[way] = units.format(plan.time_on(apart, units.MiB), "s")
        except ValueError as refused:
            ways[way] = str(refused)
    return ways


def all_reduces_on_one_rail():
    """Return a DataFrame of text: how long the servers' pieces take to be summed by a ring, and by switches that add."""
    import pandas as pd

    network, rail = fabric("rail-optimised", gpus=RANKS, speed=nic.id), range(3, RANKS, PLACES)
    plans = {way: schedule("all_reduce", algorithm, ranks=SERVERS) for way, algorithm in (("a ring", "ring"), ("SHARP", "sharp"))}
    return pd.DataFrame({units.format(piece): {way: units.format(plan.time_on(network, piece, order=rail), "s")
                                               for way, plan in plans.items()}
                         for piece in (units.KiB, units.MiB, units.GiB)})


def starts_between_servers():
    """Return a DataFrame of text: the starts alone, of a ring and of one hop up and one down for each level of switches."""
    import pandas as pd

    return pd.DataFrame([{"servers": f"{servers:,}", "ring": units.format(2 * (servers - 1) * nic.latency, "s"),
                          "SHARP": units.format(2 * levels * nic.latency / 2, "s")}
                         for servers, levels in ((16, 1), (256, 2), (1024, 2))])


def one_gpu_or_all() -> dict[str, str]:
    """Return {who talks to the other servers: the seconds of a ring over the network}, for BUFFER."""
    ring = {"ranks": SERVERS, "alpha": nic.latency, "beta": 1 / nic.bandwidth()}
    pieces = {"one GPU for all": BUFFER, "each GPU its eighth": BUFFER / PLACES}
    return {who: units.format(float(collective_time("all_reduce", "ring", nbytes=piece, **ring)), "s")
            for who, piece in pieces.items()}


# ---- beside what was published ----

def bytes_by_tier(servers: int):
    """Return a DataFrame: what an all-reduce sends, in buffers, through a GPU's NVLink and through all NICs of a server.

    Eight rings go through whole servers: seven of their eight hops there are NVLink, and each takes an eighth of the buffer.
    """
    import pandas as pd

    flat = sent("all_reduce", "ring", PLACES * servers)
    rows = {"eight rings": (flat * (PLACES - 1) / PLACES, flat),
            "two levels": (sent("all_reduce", "ring", PLACES), sent("all_reduce", "ring", servers)),
            "two levels, NVLS inside": (sent("all_reduce", "nvls", PLACES), sent("all_reduce", "ring", servers)),
            "two levels, NVLS and SHARP": (sent("all_reduce", "nvls", PLACES), sent("all_reduce", "sharp", servers))}
    return pd.DataFrame({"through a GPU's NVLink (buffers)": {way: f"{one:.4g}" for way, (one, _) in rows.items()},
                         "through a server's NICs (buffers)": {way: f"{other:.4g}" for way, (_, other) in rows.items()}})


_NVLS = {"H200": ("h200", range(5, 9), "hopper"), "B200": ("b200", range(6, 9), "blackwell")}


NVLS_RUNS = "buffers counted", "with NCCL's factor"


def nvls_gain() -> dict[str, tuple[tuple[float, float], float]]:
    """Return {GPUs: (what switches that add should gain over a ring, by each of NVLS_RUNS; what they gained)}.

    The ring, with NVLS switched off, says what a port moves. Through the same port NVLS needs (p + 1) / p buffers, a ring
    2 (p - 1) / p. NCCL's factor is the one by which its own tuner expects NVLS to fall behind.
    """
    found = {}
    for name, (gpu, counts, architecture) in _NVLS.items():
        factor = catalog.row("nccl_gpus", architecture)["nvls_efficiency"]
        for ranks in counts:
            ring, adding = largest(f"{gpu}x{ranks}-8gib-nvls-off-ar"), largest(f"{gpu}x{ranks}-8gib-ar")
            model = sent("all_reduce", "ring", ranks) / sent("all_reduce", "nvls", ranks)
            found[f"{ranks} {name}"] = (model, factor * model), ring.seconds / adding.seconds
    return found


_TWO = {"gh200x8-alps-ar": "gh200x4-alps-ar", "h100x8-snellius-2node-ar": "h100x4-snellius-ar",
        "a100x16-p4de-ar": "a100x8-nvswitch-ar", "a100x16-oci-ar": "a100x8-nvswitch-ar",
        "h100x16-nebius-ar": "h100x8-dgx-nvls-ar", "h100x16-p5-ar": "h100x8-dgx-nvls-ar", "b200x16-a4-ar": "b200x8-8gib-ar"}


def two_servers() -> dict[str, tuple[tuple[float, float], float]]:
    """Return {two servers: (the busbw that their ports allow a ring, that of two levels; the busbw measured)}.

    On two levels with two servers, each sends the buffer once. So the model is the slower of that, through all ports, and of
    what one server by itself was measured to take for the same bytes.
    """
    found = {}
    for table in _TWO:
        machine = system(catalog.row("measurement_tables", table)["system"])
        found[machine.name.partition(".")[0]] = (machine.node_rate, _two_levels(table)), largest(table).busbw
    return found


def _two_levels(table: str) -> float:
    """Return the busbw of two levels for the largest size of a table of _TWO."""
    run, one = largest(table), largest(_TWO[table])
    ports = run.nbytes / system(catalog.row("measurement_tables", table)["system"]).node_rate
    inside = one.seconds / one.nbytes * run.nbytes
    return float(busbw("all_reduce", run.nbytes, max(ports, inside), run.ranks))


def two_servers_too_fast() -> str:
    """Return by how many per cent the model of two levels is too fast, from the least to the most."""
    errors = [error(_two_levels(table), largest(table).busbw) for table in _TWO]
    return joined(f"{100 * min(errors):.0f}", f"{100 * max(errors):.0f}")


def sharp_run() -> Measured:
    """Return the largest size of the published run with SHARP."""
    return largest("h100x96-coreweave-sharp-ar")


def sharp_ways() -> dict[str, tuple[tuple[float], float]]:
    """Return {a way to sum on the H100 of the run with SHARP: (its time at line rate, the time measured)}.

    Two levels are taken to overlap: the slower one counts.
    """
    run, machine = sharp_run(), system("dgx-h100")
    servers = run.ranks // PLACES
    nics, nvlink = run.nbytes / machine.node_rate, run.nbytes / machine.gpu_rate
    ring, sharp = sent("all_reduce", "ring", run.ranks), sent("all_reduce", "sharp", servers)
    ways = {"eight rings": (ring * nics, ring * (PLACES - 1) / PLACES * nvlink),
            "SHARP, GPUs add": (sharp * nics, sent("all_reduce", "ring", PLACES) * nvlink),
            "SHARP, then NVLS": (sharp * nics, sent("all_reduce", "nvls", PLACES) * nvlink)}
    return {way: ((max(ports_and_links),), run.seconds) for way, ports_and_links in ways.items()}
