"""What lesson "PCIe and switches" shows and quotes: packets, lanes and copies, reckoned and measured."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, framing, lanes, pcie, units
from fabriclib.flows import share
from fabriclib.links import Link, link
from fabriclib.measurements import error, percent
from fabriclib.switches import switch
from fabriclib.topology import Part, tree

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


def lane_budgets():
    """Return a DataFrame: the lanes that CPUs with PCIe 5 have, alone and as two, and those that eight GPUs, eight NICs and
    four SSDs ask for."""
    found = lanes.budgets()
    return found[found["link"] == slot.name].reset_index(drop=True)


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


def chips():
    """Return a DataFrame: the PCIe switch chips."""
    from fabriclib.switches import switches

    columns = ["name", "port", "lanes", "latency (ns)"]
    return switches().query("family == 'pcie-switch'")[columns].reset_index(drop=True)


def chip_delay() -> str:
    """Return the shortest and the longest time that a switch chip takes, as a share of the start of a copy over PCIe."""
    shares = chips()["latency (ns)"] * units.ns / slot.latency
    return joined(units.portion(shares.min()), units.portion(shares.max()))


def figures_beside_published():
    """Return a DataFrame: how many published PCIe figures of each kind the model computes, and the largest difference."""
    from fabriclib.figures import published

    table = published()
    table = table[table["about"].str.match(r"pcie|pex") & ~table["note"].str.startswith("differs:")]
    off = (table["computed / stated"] - 1).abs()
    found = table.assign(off=off).groupby("quantity").agg(figures=("id", "size"), off=("off", "max")).reset_index()
    found["largest difference"] = [f"{100 * value:.1f} %" for value in found.pop("off")]
    return found


def measured(kind: str) -> dict[int, float]:
    """Return {bytes of one transfer: bytes per second} as pcie-bench measured it over PCIe 3 x8, of one kind of transfer."""
    found = catalog.figures("pcie3", f"measured {kind}")
    return {int(figure.scope.split(", ")[1].removesuffix(" B")): figure.si for figure in found}


def errors(kind: str) -> dict[int, float]:
    """Return {bytes of one transfer: error of the model} beside what was measured, of one kind of transfer."""
    one = chosen(MEASURED_ON)
    return {nbytes: float(error(read_rate(one, nbytes, settings, UNDER_WAY) if kind == "read"
                                else pcie.rate(one, kind, nbytes, settings), got)) for nbytes, got in measured(kind).items()}


def at_the_largest() -> tuple[float, float]:
    """Return the least and the greatest error at the largest transfers that were measured."""
    off = [found[max(found)] for found in map(errors, pcie.OPERATIONS)]
    return min(off), max(off)


def transfers_beside_measured():
    """Return a DataFrame of text: reads and writes over PCIe 3 x8, the model beside pcie-bench's measurements."""
    import pandas as pd

    columns = {"transfer": [units.format(nbytes) for nbytes in measured("write")]}
    for kind in ("write", "read", "read and write"):
        columns[f"{kind}, measured"] = [units.format(8 * got, "b/s") for got in measured(kind).values()]
        columns[f"{kind}, error"] = [percent(off) for off in errors(kind).values()]
    return pd.DataFrame(columns)


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


def copies_beside_measured():
    """Return a DataFrame of text: copies with and without switches, the model beside what was measured."""
    import pandas as pd

    direct = tree("no switch", [Part("cpu", "cpu0"), Part("gpu", "gpu0 gpu1", "cpu0")])
    box = tree("two switches", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0 sw1", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0 sw0 sw1 sw1")])
    below = tree("one switch", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0")])
    over = [("gpu0", "cpu0"), ("gpu1", "cpu0"), ("cpu0", "gpu0"), ("cpu0", "gpu1")]  # up to the root port and down again
    cases = [("p2p-no-switch", share(direct, [("gpu0", "gpu1")]).total), ("p2p-one-switch", share(box, [("gpu0", "gpu1")]).total),
             ("p2p-two-switches", share(box, [("gpu0", "gpu2")]).total),
             ("p2p-two-pairs-one-switch", share(below, [("gpu0", "gpu2"), ("gpu1", "gpu3")]).total),
             ("p2p-two-pairs-uplink", share(box, [("gpu0", "gpu2"), ("gpu1", "gpu3")]).total),
             ("p2p-both-ways-no-switch", share(direct, [("gpu0", "gpu1"), ("gpu1", "gpu0")]).total),
             ("p2p-both-ways", share(box, [("gpu0", "gpu1"), ("gpu1", "gpu0")]).total),
             ("p2p-both-ways-acs", share(box, over).total / 2)]
    found = [(catalog.figure(id), value) for id, value in cases]
    return pd.DataFrame([{"copy": figure.quantity, "model": units.format(value, "B/s"),
                          "measured": units.format(figure.si, "B/s"), "error": percent(error(value, figure.si)),
                          "source": figure.source.id} for figure, value in found])


def below_model() -> float:
    """Return the share that is missing of the model in copies both ways below a Broadcom switch."""
    return 1 - catalog.figure("p2p-both-ways").si / (2 * slot.bandwidth())
