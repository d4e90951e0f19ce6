"""The latency ladder: what one message costs from program to program, rung by rung, over TCP, RoCE v2 and InfiniBand.

Software, NIC and PCIe are rows of ladder_steps.csv, each with its source or marked as an estimate. What follows from
bytes and rates is computed: headers, the wire, FEC, cable, switches. A rung holds a range where its source gives one.

A message that does not fit into the order to the NIC (inline) is fetched over PCIe. Its first packet crosses both slots
before the next stage has it; the packets behind it follow while the wire is busy, or as fast as the slot lets them where that
is the slower of the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from . import catalog, fec, framing
from .cabling import Cable
from .checks import MAX_BYTES, count, number, single, typed
from .links import Link

KINDS = ("kernel", "copies", "interrupt and wake-up", "program", "PCIe and NIC", "wire and FEC", "switches")


class Rung(NamedTuple):
    """One rung: where it is, what happens, which of KINDS it is, and seconds: usual, lowest, highest."""

    at: str
    step: str
    kind: str
    seconds: float
    low: float
    high: float


@typed
@dataclass(frozen=True)
class Way:
    """What lies between two adapters: `switches` of them, seconds each (usual, lowest, highest); seconds of cables, of FEC."""

    switches: int = 0
    switch: tuple[float, float, float] = (0.0, 0.0, 0.0)
    cables: float = 0.0
    fec: float = 0.0


@typed
def way(wire: Link, switches: int, cable: Cable, metres: float) -> Way:
    """Return the way through *switches* switches, with the same *cable* of *metres* on each of the links.

    A switch takes what the catalogue has for its kind: the range over the switches with a known latency.

    Raises:
        ValueError: switches below zero or not whole, or a cable beyond its reach.

    >>> from fabriclib import cable, link, units
    >>> units.format(way(link("eth400"), 1, cable("module-400-mm"), 20).cables, "s")
    '240 ns'
    """
    switches = count("switches", switches, low=0, high=64)
    return Way(switches, switch_latency(wire), (switches + 1) * single("metres", cable.latency(metres)),
               (switches + 1) * fec.latency(wire))


@typed
def switch_latency(wire: Link) -> tuple[float, float, float]:
    """Return (usual, lowest, highest) seconds of the catalogue's switches of the *wire*'s family; usual is the geometric mean.

    Raises:
        ValueError: no switch of that family has a known latency.

    >>> from fabriclib import link, units
    >>> [units.format(seconds, "s") for seconds in switch_latency(link("ib-ndr"))]
    ['207 ns', '130 ns', '330 ns']
    """
    families = {cells["id"]: cells["family"] for cells in catalog.rows("links")}
    found = sorted(cells["latency_s"] for cells in catalog.rows("switches")
                   if not math.isnan(cells["latency_s"]) and families[cells["link"]] == wire.family)
    if not found:
        raise ValueError(f"wire must be of a family whose switches have a known latency; got {wire.name}.")
    return math.sqrt(found[0] * found[-1]), found[0], found[-1]


@typed
def rungs(transport: str, nbytes, wire: Link, host: Link, way: Way | None = None) -> list[Rung]:
    """Return the rungs of one message, in order.

    Args:
        transport: "tcp", "roce" or "ib".
        nbytes: bytes of the message: one number.
        wire: the link between adapters and switches.
        host: the slot behind each adapter.
        way: what lies between; nothing when not given: back to back, without FEC.

    Raises:
        ValueError: an unknown transport, or a size that is not one positive number.

    >>> from fabriclib.links import link
    >>> [rung.step for rung in rungs("ib", 8, link("ib-ndr"), link("pcie5"))][:3]
    ['post the message', 'tell the NIC over PCIe', 'NIC']
    """
    cells = catalog.row("transports", transport)
    nbytes, way = single("nbytes", number("nbytes", nbytes, high=MAX_BYTES)), way or Way()
    steps = [row for row in catalog.rows("ladder_steps") if row["transport"] == cells["steps"]]
    if nbytes <= cells["inline_bytes"]:
        steps = [row for row in steps if not row["id"].endswith("-fetch")]
    out = [_row(row, nbytes) for row in steps if row["at"] == "sender"]
    back = [_row(row, nbytes) for row in steps if row["at"] == "receiver"]
    return [*out, *_network(cells, nbytes, wire, host, way), *back]


@typed
def latency(transport: str, nbytes, wire: Link, host: Link, way: Way | None = None) -> tuple[float, float, float]:
    """Return (usual, lowest, highest) seconds from program to program: the sum of `rungs`.

    Raises:
        ValueError: what `rungs` refuses.

    >>> from fabriclib import link, units
    >>> [units.format(s, "s") for s in latency("ib", 32, link("ib-edr"), link("pcie3"))]
    ['805 ns', '743 ns', '893 ns']
    """
    found = rungs(transport, nbytes, wire, host, way)
    return sum(one.seconds for one in found), sum(one.low for one in found), sum(one.high for one in found)


def _row(cells: catalog.Row, nbytes: float) -> Rung:
    low, high = cells["low_s"], cells["high_s"]
    per_byte = 0.0 if math.isnan(cells["s_per_byte"]) else cells["s_per_byte"] * nbytes
    usual = math.sqrt(low * high) + per_byte
    return Rung(cells["at"], cells["step"], cells["kind"], usual, low + per_byte, high + per_byte)


def _network(cells: catalog.Row, nbytes: float, wire: Link, host: Link, way: Way) -> list[Rung]:
    """The rungs that are computed: the first packet through both slots, all bytes over the slower of slot and wire, the way."""
    packet = cells["packet_bytes"]
    first = min(nbytes, packet)
    header = framing.overhead(cells["framing"])
    sent = nbytes + math.ceil(nbytes / packet) * header
    slot = first / host.bandwidth()
    # Behind the first packet the slower stage sets the pace; the wire's own time is counted below.
    held_back = max(0.0, (nbytes - first) / host.bandwidth() - (sent - first - header) / wire.line)

    def exact(at, step, kind, seconds):
        return Rung(at, step, kind, seconds, seconds, seconds)

    usual, low, high = (way.switches * each for each in way.switch)
    return [
        exact("sender", "first packet through the slot", "PCIe and NIC", slot),
        *([exact("sender", "the slot is slower than the wire", "PCIe and NIC", held_back)] if held_back else []),
        exact("between", "bytes and headers over the wire", "wire and FEC", sent / wire.line),
        exact("between", "FEC, each link", "wire and FEC", way.fec),
        exact("between", "cables", "wire and FEC", way.cables),
        Rung("between", "switches", "switches", usual, low, high),
        exact("receiver", "last packet through the slot", "PCIe and NIC", slot),
    ]
