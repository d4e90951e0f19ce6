"""What lesson "Moving bytes" stands on: all NVLinks of a GPU, in one direction, and what was measured over them."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives.busbw import factor
from fabriclib.links import AlphaBeta, Link, link
from fabriclib.measurements import error, published

from ...course.story import GPUS, GRADIENT

nvlink = {n: link(f"nvlink{n}").bundle(link(f"nvlink{n}").per_device) for n in (1, 2, 3, 4, 5, 6)}
a100, h100, port = nvlink[3], nvlink[4], link("eth400")
line_code = Fraction(h100.code_rate).limit_denominator(1000)
whole_rate = catalog.figure("nvlink-hop-simple").si  # the start of the protocol that reaches the full rate
COPIES = (3, 4, 5)  # generations of NVLink whose copies were measured
small = 64 * units.KiB
copied = 30 * units.GB
HURRY = 0.03  # seconds in which a copy of the gradient shall be there, an exercise's own

# What four offers print, and what one of them carries one way, in bytes a second.
_slot, _ports = link("pcie5", lanes=16), 8
OFFERS = {
    "eight ports": (f"{_ports} network ports of {units.format(8 * port.line, 'b/s')}", _ports * port.line),
    "NVLink 3": (f"NVLink, {units.format(2 * a100.line, 'B/s')}", a100.line),
    "NVLink 2": (f"NVLink, {units.format(2 * nvlink[2].line, 'B/s')}", nvlink[2].line),
    "PCIe 5": (f"a PCIe slot, {units.format(2 * _slot.line, 'B/s')} both ways", _slot.line),
}
WIDER, SOONER, PACKED, CUT = "twice the rate", "half the start", "four messages in one", "each message in four"
ring_share = factor("all_reduce", GPUS)  # buffers that a GPU sends


def raw_gbps(one: Link) -> float:
    """Return what a lane of *one* signals, in Gb/s."""
    return 8 * one.lane_rate / units.GB


def offers():
    """Return a DataFrame of text: four offers as their datasheets print them."""
    import pandas as pd

    return pd.DataFrame([{"offer": name, "the datasheet says": printed} for name, (printed, _) in OFFERS.items()])


def copied_in(offer: str) -> float:
    """Return the seconds that a copy of the story's gradient takes over an offer, at its line rate."""
    return GRADIENT / OFFERS[offer][1]


def stream(plan: str = "") -> float:
    """Return the bytes a second of small messages, one after the other over an H100's NVLinks, as they are or after a change."""
    bandwidth = h100.line * (2 if plan == WIDER else 1)
    start = h100.latency / (2 if plan == SOONER else 1)
    nbytes = small * {PACKED: 4, CUT: 1 / 4}.get(plan, 1)
    return nbytes / (start + nbytes / bandwidth)


def copies(*generations: int) -> str:
    """Return the shares of the line rate that copies were measured to reach, from the least to the most.

    >>> copies(4)
    '84 to 88 %'
    """
    shares = [f.si / nvlink[n].line for n in generations for f in catalog.figures(f"nvlink{n}", "measured copy")]
    return f"{100 * min(shares):.0f} to {units.portion(max(shares))}"


@functools.cache
def curve():
    """Return the measured all-reduce of eight A100."""
    return published("a100x8-nvswitch-ar")


@functools.cache
def fitted() -> AlphaBeta:
    """Return the straight line through the measured all-reduce."""
    return AlphaBeta.fit(curve().nbytes, curve().seconds)


def misses() -> np.ndarray:
    """Return how far the straight line is off, size by size."""
    return np.abs(error(fitted().time(curve().nbytes), curve().seconds))


def copies_measured():
    """Return a DataFrame of text: the line rate of all links of a GPU, one way, and the copies measured over them."""
    import pandas as pd

    return pd.DataFrame([{
        "link": f"{one.count} x {one.name}", "line rate, one way": units.format(one.line, "B/s"),
        "measured copy": units.format(figure.si, "B/s"), "share": units.portion(figure.si / one.line),
        "measured with": figure.note.split(";")[0],
    } for one in (nvlink[n] for n in COPIES) for figure in catalog.figures(one.id, "measured copy")])


def generations():
    """Return the generations of NVLink as a DataFrame of text: the device, lanes, a lane's raw rate, links, one way."""
    import pandas as pd

    return pd.DataFrame([{
        "generation": one.name, "device": one.device, "lanes per link": one.lanes,
        "a lane's raw rate": units.format(8 * one.lane_rate, "b/s"),
        "links per device": one.per_device, "device, one way": units.format(one.line, "B/s"),
    } for one in nvlink.values()])
