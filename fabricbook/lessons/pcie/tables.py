"""What lesson "PCIe and switches" shows and quotes: packets, lanes and copies, reckoned and measured."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, framing, lanes, pcie, units
from fabriclib.flows import Share, share
from fabriclib.links import Link, link
from fabriclib.measurements import error
from fabriclib.switches import switch
from fabriclib.topology import Graph, Part, tree

from ...stage.words import joined

CPU, CHIP = "xeon-6900p", "pex89144"  # of the learner's box
PAIR, SMALL = "epyc-9004", 128  # the CPU whose lanes are counted in a question, the payload that another one allows
LINKS = {f"PCIe {generation} x{width}": (f"pcie{generation}", width)
         for generation, width in ((3, 8), (3, 16), (4, 16), (5, 16), (6, 16), (7, 16))}
MEASURED_ON = "PCIe 3 x8"
MRRS, UNDER_WAY = 512, 32  # bytes one read asks for; the reads under way that fit the measured ones
ROUND_TRIP = catalog.figure("pcie3-read-latency").si
settings = pcie.Settings()
header, short_header = settings.header(), settings.header(completion=True)
slot = link("pcie5")
box_lanes, chip_lanes = lanes.lanes_of(CPU, sockets=2) // 2, switch(CHIP).lanes
flit = framing.flit_bytes(pcie.FLIT)
old_code, new_code = (catalog.row("codes", id) for id in ("8b10b", "128b130b"))


def chosen(name: str) -> Link:
    """Return the link by the name the learner reads."""
    return link(*LINKS[name])


def read_rate(one: Link, nbytes, limits: pcie.Settings, requests: int):
    """Return bytes per second of reads of *nbytes*: as fast as the wire, or as fast as *requests* under way come back.

    A request is back after the measured round trip of a small read, and the time its own bytes take on the wire.
    """
    asked = np.minimum(nbytes, limits.mrrs)
    back = ROUND_TRIP + asked / one.bandwidth()
    return np.minimum(pcie.rate(one, "read", nbytes, limits), pcie.rate_in_flight(requests, asked, back))


def data_share(payload: int) -> float:
    """Return the share of a packet that is data, with so many bytes in it."""
    return framing.share("pcie-tlp", payload)


def lanes_for(device: str) -> int:
    """Return the lanes that a device ("gpu", "nic", "ssd") asks for."""
    return catalog.row("lane_needs", device)["lanes"]


def to_the_other_cpu() -> int:
    """Return the lanes that each of two CPUs gives up to reach the other."""
    return lanes.lanes_of(PAIR) - lanes.lanes_of(PAIR, sockets=2) // 2


def joined_by_three() -> int:
    """Return the lanes that two of these CPUs leave to devices where three of the four bundles between them are used."""
    return 2 * (lanes.lanes_of(PAIR) - to_the_other_cpu() * 3 // 4)


def lane_budgets():
    """Return a DataFrame: the lanes that CPUs with PCIe 5 have, alone and as two, and those that eight GPUs, eight NICs and
    four SSDs ask for."""
    found = lanes.budgets()
    named = {"CPU": "CPU", "sockets": "of them", "lanes": "lanes for devices", "asked": "lanes asked for",
             "short": "lanes missing"}
    return found.loc[found["link"] == slot.name, list(named)].rename(columns=named).reset_index(drop=True)


def packet_fields():
    """Return a DataFrame: what a packet adds to its data, with the long header and with the short one."""
    import pandas as pd

    fields = pd.DataFrame(catalog.rows("framings"))[["framing", "field", "bytes"]]
    return fields[fields["framing"].isin(["pcie-tlp", "pcie-tlp-3dw"])].reset_index(drop=True)


def generations():
    """Return a DataFrame: the rates of all generations with sixteen lanes, from the lane to the payload."""
    from fabriclib.links import links

    columns = ["name", "raw Gb/s per lane", "link GB/s one way", "link payload GB/s one way"]
    return links().query("family == 'pcie'")[columns].round(1).reset_index(drop=True)


def reads_under_way():
    """Return a DataFrame: the reads that fill sixteen lanes, in requests of `MRRS` bytes, at the measured round trip."""
    import pandas as pd

    wires = [link(name) for name in ("pcie3", "pcie4", "pcie5")]
    return pd.DataFrame([{"link": f"{one.name} x{one.lanes}", "bytes on their way": units.format(one.bandwidth() * ROUND_TRIP),
                          f"reads of {MRRS} bytes": round(one.bandwidth() * ROUND_TRIP / MRRS)} for one in wires])


def chips():
    """Return a DataFrame of text: the PCIe switch chips, and how many devices with 16 lanes each holds if 16 lanes go up."""
    import pandas as pd

    found = [switch(row["id"]) for row in catalog.rows("switches") if row["family"] == "pcie-switch"]
    return pd.DataFrame([{
        "chip": one.name, "for": one.port.name, "lanes": one.lanes, "devices with 16 lanes": lanes.fan_out(one.id),
        "port to port": units.format(one.latency, "s") if one.latency == one.latency else "not found",
    } for one in found])


def chip_delay() -> str:
    """Return the shortest and the longest time that a switch chip takes, as a share of the start of a copy over PCIe."""
    shares = [one.latency / slot.latency for one in map(switch, ("pex88096", "pex89144"))]
    return joined(units.portion(min(shares)), units.portion(max(shares)))


def figures_beside_published():
    """Return a DataFrame: how many published PCIe figures of each kind the model computes, and the largest difference."""
    table, off = _published()
    found = table.assign(off=off).groupby("quantity").agg(figures=("id", "size"), off=("off", "max")).reset_index()
    found["largest difference"] = [f"{100 * value:.1f} %" for value in found.pop("off")]
    return found


def tables_agree() -> str:
    """Say how many published figures the model computes, and how near it comes."""
    table, off = _published()
    return f"{len(table)} figures, {100 * off.max():.1f} % off at most"


def measured(kind: str) -> dict[int, float]:
    """Return {bytes of one transfer: bytes per second} as pcie-bench measured it over PCIe 3 x8, of one kind of transfer."""
    found = catalog.figures("pcie3", f"measured {kind}")
    return {int(figure.scope.split(", ")[1].removesuffix(" B")): figure.si for figure in found}


def modelled(kind: str) -> dict[int, float]:
    """Return {bytes of one transfer: bytes per second} that the model gives where one kind of transfer was measured."""
    one = chosen(MEASURED_ON)
    return {nbytes: float(read_rate(one, nbytes, settings, UNDER_WAY) if kind == "read"
                          else pcie.rate(one, kind, nbytes, settings)) for nbytes in measured(kind)}


def errors(kind: str) -> dict[int, float]:
    """Return {bytes of one transfer: error of the model} beside what was measured, of one kind of transfer."""
    return {nbytes: float(error(modelled(kind)[nbytes], got)) for nbytes, got in measured(kind).items()}


def limits_beside_measured():
    """Return a DataFrame of text: two ways to count the control packets, and copies that decide between them."""
    import pandas as pd

    narrow, wide, rows = chosen(MEASURED_ON), chosen("PCIe 5 x16"), []
    for one, operation, id in ((narrow, "write", "pcie3-x8-write-2048"), (narrow, "read", "pcie3-x8-read-2048"),
                               (wide, "write", "p2p-no-switch"), (wide, "read", "pcie5-h2d")):
        own, got = short_header if operation == "read" else header, catalog.figure(id).si
        paper = pcie.tlp_rate_in_bytes(one) * settings.mps / (settings.mps + own)
        rows.append({"link": f"{one.name} x{one.lanes}", "kind": operation,
                     "limit as the paper counts": units.format(paper, "B/s"),
                     "limit as the model counts": units.format(pcie.rate(one, operation, 4096), "B/s"),
                     "measured": units.format(got, "B/s"), "beats the paper's": "yes" if got > paper else "no"})
    return pd.DataFrame(rows)


class Copy(NamedTuple):
    """A copy between GPUs, as a chart names it, of a `kind`; what the tree predicts and what was measured, bytes per second."""

    shown: str
    kind: str
    model: float
    measured: float


@functools.cache
def half_a_box() -> Graph:
    """Return four GPUs below one switch below a CPU, all links alike."""
    parts = [Part("cpu", "cpu0"), Part("pcie-switch", "sw0", "cpu0"), Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0")]
    return tree("half a box", parts)


_TESTS = {"GPU 0 to the CPU, alone": [("gpu0", "cpu0")],
          "GPU 0 to GPU 1 and GPU 2 to GPU 3": [("gpu0", "gpu1"), ("gpu2", "gpu3")],
          "GPU 0 and GPU 1 to the CPU": [("gpu0", "cpu0"), ("gpu1", "cpu0")],
          "all four to the CPU": [(f"gpu{i}", "cpu0") for i in range(4)]}


def tested() -> Share:
    """Return what each gets in the last of the tests, with the link that is tight for it."""
    return share(half_a_box(), list(_TESTS.values())[-1])


def log_of_copies():
    """Return a DataFrame of text: four tests below one switch, and what each copy got."""
    import pandas as pd

    return pd.DataFrame([{"test": name, "each gets": units.format(share(half_a_box(), flows).rates.min(), "B/s")}
                         for name, flows in _TESTS.items()])


def copies() -> list[Copy]:
    """Return the published copies with and without switches beside the tree's prediction."""
    direct = tree("no switch", [Part("cpu", "cpu0"), Part("gpu", "gpu0 gpu1", "cpu0")])
    box = tree("two switches", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0 sw1", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0 sw0 sw1 sw1")])
    below = tree("one switch", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0")])
    over = [("gpu0", "cpu0"), ("gpu1", "cpu0"), ("cpu0", "gpu0"), ("cpu0", "gpu1")]  # up to the root port and down again
    two, both = [("gpu0", "gpu2"), ("gpu1", "gpu3")], [("gpu0", "gpu1"), ("gpu1", "gpu0")]
    cases = [("no switch", "one copy", direct, [("gpu0", "gpu1")], "p2p-no-switch"),
             ("one switch", "one copy", box, [("gpu0", "gpu1")], "p2p-one-switch"),
             ("two switches", "one copy", box, [("gpu0", "gpu2")], "p2p-two-switches"),
             ("2 below a switch", "two copies", below, two, "p2p-two-pairs-one-switch"),
             ("2 over an uplink", "two copies", box, two, "p2p-two-pairs-uplink"),
             ("↔ no switch", "both ways", direct, both, "p2p-both-ways-no-switch"),
             ("↔ one switch", "both ways", box, both, "p2p-both-ways")]
    found = [Copy(shown, kind, share(graph, flows).total, catalog.figure(id).si) for shown, kind, graph, flows, id in cases]
    # Each of the two copies goes up and down: two flows of the tree, one of the measurement.
    return [*found, Copy("↔ with ACS", "both ways", share(box, over).total / 2, catalog.figure("p2p-both-ways-acs").si)]


def below_model() -> float:
    """Return the share that is missing of the model in copies both ways below a Broadcom switch."""
    return 1 - catalog.figure("p2p-both-ways").si / (2 * slot.bandwidth())


def _published():
    """The published figures that the model computes, as a DataFrame, and how far it is off each, as a share."""
    from fabriclib.figures import published

    table = published()
    table = table[table["about"].str.match(r"pcie|pex") & ~table["note"].str.startswith("differs:")]
    return table, (table["computed / stated"] - 1).abs()
