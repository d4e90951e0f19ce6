"""Part two: the same eight servers and eight leaves, cabled by rail or by server, and what that does."""

from __future__ import annotations

import functools
import re

import numpy as np

from fabriclib import units
from fabriclib.collectives import busbw, schedule
from fabriclib.flows import share
from fabriclib.links import link
from fabriclib.measurements import percent, published
from fabriclib.topology import Graph, fabric

from ...stage import Control, charts, lab

SPEED, NVLINK = "eth400", "nvlink4"
SERVERS, SIZE = 8, 8  # servers, and GPUs in each
GPUS = SERVERS * SIZE
THIN = [1, 2, 4, 8]  # a leaf's ports down for each one up
BY_RAIL, BY_SERVER = "a leaf a rail", "a leaf a server"
CABLING = {BY_RAIL: SIZE, BY_SERVER: 1}
PLANS = {  # name: (collective, algorithm, options, whether it goes round rings)
    "all-reduce, flat ring": ("all_reduce", "ring", {}, True),
    "all-reduce, two levels": ("all_reduce", "hierarchical", {"dims": (SIZE, SERVERS)}, False),
    "all-to-all, pair by pair": ("all_to_all", "pairwise_by_level", {"dims": (SIZE, SERVERS)}, False),
    "all-to-all, by rail (PXN)": ("all_to_all", "rail_aggregated", {"dims": (SIZE, SERVERS)}, False),
}
_NBYTES = [2.0**k for k in range(16, 35)]


@functools.cache
def eight_leaves(cabling: str, up: int) -> Graph:
    """Return the fabric: eight servers of eight GPUs, eight leaves with eight ports down and *up* ports up each."""
    return fabric("rail-optimised", gpus=GPUS, rails=CABLING[cabling], leaf_ports=(SIZE, up), speed=SPEED, inside=NVLINK)


def seconds(plan: str, cabling: str, up: int, rings: int, nbytes: float) -> float:
    """Return the seconds *plan* takes on the fabric; only what goes round rings asks how many there are."""
    start, per_byte = _line(plan, cabling, up, rings if PLANS[plan][3] else "auto")
    return start + nbytes * per_byte


@functools.cache
def _line(plan: str, cabling: str, up: int, channels: int | str) -> tuple[float, float]:
    """Return (seconds to start, seconds a byte): on a graph a schedule's time is a straight line in its bytes."""
    times = _made(plan).time_on(eight_leaves(cabling, up), np.array([1.0, 1e9]), channels=channels)
    slope = (times[1] - times[0]) / (1e9 - 1)
    return float(times[0] - slope), float(slope)


@functools.cache
def _made(plan: str):
    collective, name, options, _ = PLANS[plan]
    return schedule(collective, name, ranks=GPUS, **options)


def _chart():
    import altair as alt

    def x(field):
        return charts.x(field, (1e-5, 10), title="time, on the fabric as cabled", unit="s", log=10)

    y = charts.names("what", list(PLANS), title=" ")
    styles = {BY_RAIL: ("circle", charts.CLUSTER), BY_SERVER: ("diamond", charts.OTHER)}
    shapes, colours = zip(*styles.values(), strict=True)
    legend = charts.legend(list(styles), symbolSize=260)
    shape = alt.Shape("cabling:N", scale=alt.Scale(domain=list(styles), range=list(shapes)), legend=legend)
    colour = alt.Color("cabling:N", scale=alt.Scale(domain=list(styles), range=list(colours)), legend=legend)
    between = charts.live().mark_rule(strokeWidth=3, color="#9a9a9a").encode(y=y, x=x("low"), x2="high:Q")
    marks = charts.live().mark_point(size=260, filled=True, opacity=1, stroke="black", strokeWidth=1.5).encode(
        x=x("seconds"), y=y, shape=shape, color=colour)
    once = charts.live().transform_filter(f"datum.cabling == '{BY_SERVER}'")
    ratio = once.mark_text(align="left", dx=16, fontSize=15, baseline="middle").encode(x=x("high"), y=y, text="ratio:N")
    return charts.stack(between, marks, ratio, height=330, description=(
        "Four ways to move data between 64 GPUs, one below the other, and the time each takes, on a logarithmic axis: a circle "
        "where each leaf takes the same GPU of every server, a diamond where it takes all GPUs of one server. Beside each pair: "
        "how many times as long the second takes."))


@lab("rails-or-servers", title="A leaf a rail, or a leaf a server", tier="cluster",
     controls=[Control("thin", THIN, default=4, label="a leaf's ports down for each port up"),
               Control("rings", range(1, SIZE + 1), default=8, label="rings at once (flat ring)"),
               Control("nbytes", _NBYTES, default=2.0**30, label="buffer", unit="B")],
     chart=_chart,
     leaves_out="Congestion: flows spread evenly over all shortest paths, so no two collide. Switches that reduce. What passing "
                "a switch costs in time: every way over the network takes the same. Steps of a plan do not overlap.",
     sources=["nvidia-pxn", "nccl-tuning", "patarasuk-yuan"])
def rails_or_servers(thin, rings, nbytes):
    """The same switches and cables; only which NIC goes to which leaf differs."""
    up = SIZE // thin
    rows = {column: [] for column in ("what", "cabling", "seconds", "low", "high", "ratio")}
    ratios = {}
    for plan in PLANS:
        times = {cabling: seconds(plan, cabling, up, rings, nbytes) for cabling in CABLING}
        ratios[plan] = times[BY_SERVER] / times[BY_RAIL]
        for cabling, time in times.items():
            for column, value in (("what", plan), ("cabling", cabling), ("seconds", time), ("low", min(times.values())),
                                  ("high", max(times.values())), ("ratio", f"x {ratios[plan]:.2g}")):
                rows[column].append(value)
    ring, _, flat, pxn = (units.format(seconds(plan, BY_RAIL, up, rings, nbytes), "s") for plan in PLANS)
    slower = ratios[next(iter(PLANS))]
    other = f"{slower:.2g} times as long" if slower >= 1.05 else "as long"
    many = "1 ring takes" if rings == 1 else f"{rings} rings take"
    ports = f"{up} port{'s' * (up > 1)}"
    return rows, (f"{units.format(nbytes)} over {GPUS} GPUs, {ports} up for {SIZE} down: {many} {ring} with a leaf a rail and "
                  f"{other} with a leaf a server. With a leaf a rail an all-to-all takes {flat} pair by pair and {pxn} by rail.")


def small_blocks() -> dict[str, str]:
    """Return what an all-to-all of the smallest buffer takes on the rails, with full bisection, by either way."""
    flat, by_rail = list(PLANS)[2:]
    return {way: units.format(seconds(way, BY_RAIL, SIZE, SIZE, _NBYTES[0]), "s") for way in (flat, by_rail)}


def rings_at_work():
    """Return a DataFrame: what one ring and all eight put to work, with either cabling."""
    import pandas as pd

    found = [(cabling, rings, *nics_at_work(cabling, rings)) for cabling in CABLING for rings in (1, SIZE)]
    return pd.DataFrame(found, columns=["cabling", "rings", "NICs that send", "cables to spines in use"])


def nics_at_work(cabling: str, rings: int) -> tuple[int, int]:
    """Return (NICs that send, links between leaves and spines that carry something) while so many rings run."""
    from fabriclib.flows import ring
    from fabriclib.topology import rail_rings

    graph = eight_leaves(cabling, SIZE)
    found = rail_rings(graph)[:rings]
    load = share(graph, np.concatenate([ring(one) for one in found])).load
    nic = np.isin(graph.src, graph.gpus) & (graph.kinds[graph.dst] == "leaf")
    spine = graph.kinds[graph.dst] == "spine"
    return int((load[nic] > 1).sum()), int(graph.count[spine & (load > 1)].sum())


# ---- model against measurement ----

_MEASURED = ("mi325x16-rccl-ar", "mi325x32-rccl-ar", "h100x16-nebius-ar", "h100x96-coreweave-sharp-ar")


def limits(servers: int, nbytes: float) -> dict[str, float]:
    """Return bus rates that an all-reduce of *nbytes* over so many servers of eight H100 cannot pass on a rail-optimised fabric.

    One: rings through every GPU, one a NIC. Two: two levels whose parts overlap, so that the slower of NVLink and NICs remains.
    """
    gpus = SIZE * servers
    graph = fabric("rail-optimised", gpus=gpus, speed=SPEED, inside=NVLINK)
    flat = schedule("all_reduce", "ring", ranks=gpus).time_on(graph, nbytes)
    sent = schedule("all_reduce", "hierarchical", ranks=gpus, dims=(SIZE, servers)).counts()
    nvlink = link(NVLINK)
    slower = max(level.sent * nbytes / rate for level, rate in zip(
        sent, (nvlink.bundle(nvlink.per_device).bandwidth(), link(SPEED).bandwidth()), strict=True))
    return {name: float(busbw("all_reduce", nbytes, time, gpus)) for name, time in (("rings", flat), ("two levels", slower))}


def measured_beside_fabric():
    """Return published all-reduces over several servers beside the fabric's limits, as a DataFrame of text."""
    import pandas as pd

    from fabriclib import catalog

    rows = []
    for table in _MEASURED:
        about, last = catalog.row("measurement_tables", table), published(table).iloc[-1]
        servers = about["nodes"]
        got = float(busbw("all_reduce", last["nbytes"], last["seconds"], SIZE * servers))
        row = {"measured on": re.split(" and |[,:]", about["hardware"])[0], "servers": servers, "plan": about["algorithm"],
               "buffer": units.format(last["nbytes"]), "bus rate": units.format(got, "B/s")}
        for name, limit in limits(servers, last["nbytes"]).items():
            row |= {f"limit of {name}": units.format(limit, "B/s"), f"off ({name})": percent(limit / got - 1)}
        rows.append(row)
    return pd.DataFrame(rows)
