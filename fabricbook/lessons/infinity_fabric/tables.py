"""What lesson "Infinity Fabric" shows and quotes: eight GPUs in a mesh and around switches, reckoned and measured."""

from __future__ import annotations

import functools
from dataclasses import replace

from fabriclib import catalog, figures, units
from fabriclib.collectives import busbw, schedule
from fabriclib.flows import all_to_all, one_pair, share
from fabriclib.links import link
from fabriclib.measurements import error, published
from fabriclib.topology import Graph, disjoint_rings, server

from ...course.story import GPUS, GRADIENT

RACK = 72  # GPUs in one of today's racks
SERVERS = {"MI300X mesh": "mi300x", "HGX H100 switch box": "hgx-h100"}
MESH, SWITCH = map(server, SERVERS.values())
RING = schedule("all_reduce", "ring", ranks=GPUS)
one_link, mi350x = link("xgmi-mi300x"), link("xgmi-mi350x")
all_links = one_link.bundle(one_link.per_device)
h100 = link("nvlink4").bundle(link("nvlink4").per_device)


def machine(name: str) -> Graph:
    """Return the graph of a machine by the name the learner reads."""
    return server(SERVERS[name])


def summed(graph: Graph, channels: int) -> float:
    """Return the seconds a ring all-reduce of the gradient takes on a machine, over so many rings at once."""
    return RING.time_on(graph, GRADIENT, channels=channels)


LOGGED = [units.GiB * 2**k for k in range(4)]  # bytes of the buffers in somebody's log
_logged = 1  # rings that ran when the log was printed


def bus_rate(rings: int, nbytes: float) -> float:
    """Return the busbw of a sum on the mesh with so many rings, if each reaches what was measured of seven."""
    return float(busbw("all_reduce", nbytes, RING.time_on(MESH, nbytes, channels=rings), GPUS)) * reached("mi300x-eight-busbw")


def log_of_a_sum():
    """Return a DataFrame of text: what a benchmark printed of sums on eight MI300X."""
    import pandas as pd

    return pd.DataFrame([{"size": units.format(nbytes), "busbw (GB/s)": f"{bus_rate(_logged, nbytes) / units.GB:.1f}"}
                         for nbytes in LOGGED])


def pair_rate(graph: Graph) -> float:
    """Return the bytes per second that a copy from one GPU to another gets of a machine that is idle otherwise."""
    return share(graph, one_pair(GPUS)).total


def all_to_all_times(nbytes: float):
    """Return a DataFrame of text: an all-to-all of *nbytes* a GPU on both machines, one partner at a time and all at once."""
    import pandas as pd

    plans = {how: schedule("all_to_all", how, ranks=GPUS) for how in ("pairwise", "direct")}
    return pd.DataFrame({"all-to-all": list(plans), "partners at a time": [plan.ports for plan in plans.values()]} | {
        name: [units.format(plan.time_on(machine(name), nbytes), "s") for plan in plans.values()] for name in SERVERS})


def links_table():
    """Return a DataFrame: the Infinity Fabric links by year, from the lane to the sum that a datasheet prints."""
    from fabriclib.links import links

    both = "device GB/s both ways"
    columns = ["name", "raw Gb/s per lane", "link GB/s one way", "links per device", both]
    found = links().query("family == 'xgmi'").sort_values("year")
    return found[columns].astype({both: int}).reset_index(drop=True)


@functools.cache
def slowest_on_mi250x(routes: str) -> float:
    """Return the rate of the slowest pair in an all-to-all on an MI250X node: one best way a pair ("widest"), or all of them."""
    return float(share(replace(server("mi250x"), routes=routes), all_to_all(GPUS)).rates.min())


def mi250x_all_to_all():
    """Return a DataFrame of text: an all-to-all on an MI250X node, if each pair takes one of its best ways, or all of them.

    Which of several equal ways the hardware takes is not published. All pieces are of one size, so that all end with the
    slowest: a GPU sends seven times the slowest flow's rate.
    """
    import pandas as pd

    ways = {"one way, the first of equal ones": "widest", "all equal ways, in equal parts": "all widest"}
    slowest = [slowest_on_mi250x(routes) for routes in ways.values()]
    return pd.DataFrame({"each pair takes": list(ways), "slowest pair": [units.format(rate, "B/s") for rate in slowest],
                         "each GPU sends": [units.format((GPUS - 1) * rate, "B/s") for rate in slowest]})


def of_line(figure: catalog.Figure) -> tuple[float, float]:
    """Return the line rate of the links over which *figure* was measured, and the share of it that was reached."""
    line = figures.computed(replace(figure, quantity="line rate"))
    return line, figure.si / line


def printed(id: str) -> str:  # noqa: A002 - as in the catalogue
    """Return the published figure *id* as its source prints it, without its unit."""
    return f"{catalog.figure(id).value:,g}"


def reached(id: str) -> float:  # noqa: A002 - as in the catalogue
    """Return the share of the line rate that the published figure *id* reaches."""
    return of_line(catalog.figure(id))[1]


_MEASURED = {  # figure: what the learner reads
    "mi250-copy-4": "MI250, 4 links", "mi250-copy-2": "MI250, 2 links", "mi250-copy-1": "MI250, 1 link",
    "mi300x-pair-busbw": "MI300X, 1 link", "mi300x-eight-busbw": "MI300X, 7 links", "nvlink4-copy-h100": "H100, a copy",
    "nvlink4-copy-h200": "H200, a copy", "nvlink4-ring-busbw": "H200, a ring", "nvlink4-nvls-busbw": "H200, NVLS",
}


def line_against_measured() -> dict[str, tuple[float, float]]:
    """Return, for links measured one by one or all together, their line rate and what was reached, in bytes a second, one way."""
    return {what: (of_line(found := catalog.figure(id))[0], found.si) for id, what in _MEASURED.items()}


@functools.cache
def rings_against_measured() -> dict[str, tuple]:
    """Return, for each all-reduce that was measured, sizes in bytes, the seconds of as many rings as fit, the measured ones."""
    runs = {"eight MI300X": published("mi300x8-rccl-ar").iloc[7:], "eight MI325X": published("mi325x8-rccl-ar")}
    return {what: (run.nbytes, RING.time_on(MESH, run.nbytes.to_numpy(), channels=len(disjoint_rings(MESH))), run.seconds)
            for what, run in runs.items()}


@functools.cache
def errors() -> dict[float, float]:
    """Return {bytes: error of the model} along the all-reduce on eight MI300X."""
    nbytes, model, measured = next(iter(rings_against_measured().values()))
    return dict(zip(nbytes.tolist(), error(model, measured.to_numpy()).tolist(), strict=True))
