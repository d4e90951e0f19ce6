"""What lesson "NVLink and NVSwitch" stands on: its links, with and without switches, and sums that a switch adds up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fabriclib import catalog, published, units
from fabriclib.collectives import busbw, collective_time
from fabriclib.flows import Share, all_to_all, one_pair, share
from fabriclib.links import Link, link, links
from fabriclib.measurements import error
from fabriclib.switches import switch
from fabriclib.topology import Cables, Graph

from ...course.story import GPUS

OLD, V100, A100, H100, NEW = (link(f"nvlink{n}") for n in range(1, 6))
PER_SWITCH = list(catalog.row("servers", "hgx-h100")["links_per_switch"])
BUFFER = 8 * units.GiB  # what was measured; without start-up times it changes nothing
one_bit_in = Fraction(H100.code_rate).limit_denominator(1000).denominator
printed_elsewhere, printed_rack = (catalog.figure(id).si for id in ("nvlink4-nvls-busbw", "nvl72"))
rack_chip = switch("nvswitch4")


# ---- lanes and links ----

def whole(one: Link) -> float:
    """Return the bytes per second, one way, of all links of a GPU."""
    return one.bundle(one.per_device).bandwidth()


def raw_gbps(one: Link) -> float:
    """Return what a lane of *one* signals, in Gb/s."""
    return 8 * one.lane_rate / units.GB


def growth(old: Link, new: Link) -> dict[str, float]:
    """Return what the rate of a GPU grew by from *old* links to *new* ones, factor by factor: together they are all of it."""
    return {"lane rate": new.lane_rate / old.lane_rate, "line code": new.code_rate / old.code_rate,
            "lanes per link": new.lanes / old.lanes, "links per GPU": new.per_device / old.per_device}


def lanes_by_generation():
    """Return the NVLinks of the catalogue: lanes, links and lanes of a whole GPU, and its rate."""
    nvlink = links().query("family == 'nvlink'").astype({"device GB/s one way": int})
    lanes = nvlink.assign(**{"lanes per device": nvlink["lanes"] * nvlink["links per device"]})
    columns = ["name", "device", "lanes", "links per device", "lanes per device", "device GB/s one way"]
    return lanes[columns].rename(columns={"name": "generation", "lanes": "lanes per link"}).reset_index(drop=True)


# ---- the same links, with and without switches ----

def direct(gpus: int) -> Graph:
    """Return *gpus* GPUs wired to each other with all their links, split over the others as evenly as whole links allow."""
    each, left = divmod(H100.per_device, gpus - 1)
    a, b = np.triu_indices(gpus, k=1)
    apart = np.minimum(b - a, gpus - b + a)  # places between two GPUs, the shorter way round
    # What is left over goes to the nearest, two at a time; a single one goes to the GPU opposite.
    extra = (apart <= left // 2) | ((left % 2 == 1) & (2 * apart == gpus))
    return Graph.wired("wired directly", _named(gpus), [Cables(a, b, H100, each + extra)])


def switched(gpus: int, per_switch: list[int], wire: Link = H100, name: str = "through switches") -> Graph:
    """Return *gpus* GPUs, each with per_switch[i] links to switch i."""
    a, b = np.divmod(np.arange(gpus * len(per_switch)), len(per_switch))
    cables = Cables(a, gpus + b, wire, np.array(per_switch)[b], wire.latency / 2)
    return Graph.wired(name, _named(gpus) | {f"nvswitch{i}": "switch" for i in range(len(per_switch))}, [cables])


def _named(gpus: int) -> dict[str, str]:
    return {f"gpu{i}": "gpu" for i in range(gpus)}


def carrying(graph: Graph, flow: Share):
    """Return the cables of *graph* that *flow* uses, as a DataFrame, and the GB/s that each carries one way."""
    load = graph.edges().assign(**{"carries GB/s": flow.load / units.GB})
    load["link"] = [link(id).name for id in load["link"]]
    return load[flow.load > 0].reset_index(drop=True)


def nvl72() -> Graph:
    """Return the rack: one link of each GPU to each switch, so as many switches as a GPU has links, and GPUs as a switch ports.

    >>> nvl72()
    <NVL72: 72 gpu, 18 switch, 2592 directed edges>
    """
    return switched(rack_chip.ports, [1] * rack_chip.port.per_device, rack_chip.port, "NVL72")


def rates_of_pairs() -> tuple[float, float]:
    """Return what a pair gets while all GPUs talk to all: the worst-off one, wired directly, and any, through the switches."""
    pairs = all_to_all(GPUS)
    return share(direct(GPUS), pairs).rates.min(), share(switched(GPUS, PER_SWITCH), pairs).rates.min()


SPLITS = {"no switch": [], "one switch": [sum(PER_SWITCH)], "two switches": [sum(PER_SWITCH) // 2] * 2,
          "four switches": PER_SWITCH, "eighteen switches": [1] * sum(PER_SWITCH)}
KEPT = 0.9  # of what a GPU can send, that a pair shall keep


def left_of_a_pair(split: str) -> float:
    """Return the rate of the worst-off pair of eight, one way, after the loss of the switch that has most of its links."""
    if not SPLITS[split]:  # nothing to lose
        return min(share(direct(GPUS), [[0, other]]).total for other in range(1, GPUS))
    left = sorted(SPLITS[split])[:-1]
    return share(switched(GPUS, left), one_pair(GPUS)).total if left else 0.0


def splits():
    """Return a DataFrame of text: five ways to join eight GPUs, and how many links a GPU has to each switch."""
    import pandas as pd

    return pd.DataFrame([{"design": name, "links of a GPU": " + ".join(map(str, links)) or "straight to the others"}
                         for name, links in SPLITS.items()])


# ---- the switch adds ----

def all_reduce_seconds(way: str, gpus: int, port: float, nbytes: float = BUFFER) -> float:
    """Return the seconds of an all-reduce, "ring" or "nvls", if each GPU moves *port* bytes per second each way."""
    return collective_time("all_reduce", way, nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / port)


def nvls_busbw(port: float, gpus: int = GPUS) -> float:
    """Return the busbw that a benchmark prints if the switch adds and each GPU moves *port* bytes per second each way."""
    return busbw("all_reduce", 1.0, all_reduce_seconds("nvls", gpus, port, 1.0), gpus)


def measured(way: str) -> dict[int, float]:
    """Return {GPUs: seconds for the buffer} of the H200 server, from the busbw published for each number of GPUs."""
    quantity = f"{'NVLS' if way == 'nvls' else way} all_reduce busbw"
    found = {gpus: f.si for gpus in range(2, GPUS + 1) for f in catalog.figures(f"h200x{gpus}", quantity)}
    return {gpus: busbw("all_reduce", BUFFER, 1.0, gpus) / printed for gpus, printed in found.items()}


def port_rate(way: str, gpus: int) -> float:
    """Return the bytes per second, one way, that a port of the H200 server moved, by the bytes that *way* sends."""
    return all_reduce_seconds(way, gpus, 1.0) / measured(way)[gpus]


def worst_sum() -> float:
    """Return how far the model is off, at most, when it predicts NVLS on other numbers of GPUs from NVLS on 5."""
    rate = port_rate("nvls", 5)
    return max(abs(float(error(all_reduce_seconds("nvls", p, rate), t))) for p, t in measured("nvls").items())


def copies(wire: Link) -> tuple[float, float]:
    """Return the rates of the slowest and of the fastest measured copy among all pairs of a server."""
    low, high = (catalog.figures(wire.id, f"{end} measured copy")[0].si for end in ("slowest", "fastest"))
    return low, high


def totals_of_vendors():
    """Return the published totals for NVLink 4 and 5 and their switches as a DataFrame of text: of what, how counted, stated."""
    parts = {"nvlink4": H100.name, "nvlink5": NEW.name} | {id: switch(id).name for id in ("nvswitch3", "nvswitch4")}
    totals = published().query("about in @parts and quantity != 'raw rate'").replace({"about": parts})
    columns = ["about", "of one or several", "direction", "stated"]
    return totals.rename(columns={"scope": "of one or several"})[columns].reset_index(drop=True)


def stated(id: str) -> str:
    """Return the total published as *id*, as it was printed."""
    return published().set_index("id")["stated"][id]


def off(id: str) -> float:
    """Return the ratio of what the model computes to the total published as *id*."""
    return published().set_index("id")["computed / stated"].round(3)[id]
