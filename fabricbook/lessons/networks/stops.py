"""What the labs of this lesson ask."""

from __future__ import annotations

import math

import numpy as np

from ...course.stops import Choice, Find, Number
from .tables import ETHERNET_MTU, FITTING, LONG_ROUND, RDMA_MTU, fast, slow, under_way, usual, wires

_NINE_TENTHS = 90  # per cent


# ---- the ladder ----

def _parts(see, transport: str, **at) -> dict[str, float]:
    """Microseconds of each part of a transport's bar, in the order in which they stand in it."""
    table = see(**at)
    return {kind: us for name, kind, us in zip(table["transport"], table["kind"], table["µs"], strict=True) if name == transport}


def _largest(transport: str):
    """Which part of the transport's bar is the longest."""

    def largest(see) -> str:
        parts = _parts(see, transport)
        return max(parts, key=parts.get)

    return largest


_TCP_PARTS = ["kernel and copies", "interrupt and wake-up", "PCIe and NIC", "switches"]
_RDMA_PARTS = ["program", "PCIe and NIC", "wire, FEC, cable"]


def _switches_lead(see) -> bool:
    """The fewest switches that take RoCE longer than its program, PCIe and adapters together."""

    def lead(switches: int) -> bool:
        parts = _parts(see, "RoCE v2", switches=switches)
        return parts["switches"] > parts["program"] + parts["PCIe and NIC"]

    return lead(see.at["switches"]) and not lead(see.at["switches"] - 1)


def _roce(see, speed: str) -> float:
    return sum(_parts(see, "RoCE v2", speed=speed).values())


def _gone(see) -> float:
    """By how many per cent RoCE's time is shorter on the fastest link than on the slowest."""
    return 100 * (1 - _roce(see, fast) / _roce(see, slow))


LADDER = (
    Choice("tcp", "Look at TCP's bar, and at the legend.", "Which part of it is the longest? Click it, or choose.",
           options=_TCP_PARTS, answer=_largest("TCP"), field="kind", at={"switches": 1},
           hints={"switches": "The switch is a narrow strip at the bar's end.",
                  "PCIe and NIC": "PCIe is in all three bars, and short."},
           saw="Of TCP's time {{ portion(taken('tcp', *KERNEL) / taken('tcp')) }} is kernel, copies and waking up: software."),
    Choice("least", "Take the switches away and make the cables short: the least that RDMA can take.",
           "Which part of RoCE's bar is the longest now?", options=_RDMA_PARTS, answer=_largest("RoCE v2"), field="kind",
           at={"switches": 0, "metres": 1},
           hints={"program": "The program writes an order and polls: how long is its strip on the right?",
                  "wire, FEC, cable": "A metre of cable is a few nanoseconds. Look at the right panel."},
           saw="PCIe and the adapters, at both ends. No faster network shortens that."),
    Find("far", "Add switches, as on the way through a large cluster.",
         "From how many switches on do they take RoCE longer than program, PCIe and adapters together? Stop there.",
         control="switches", accepts=_switches_lead, at={"switches": 0},
         hint="Compare on the right: the strips of program and PCIe against that of the switches.",
         saw="Across a large cluster the way through the switches is the larger half of a small message's time."),
    Number("faster", "A message of {{ thousands(RDMA_MTU) }} bytes: compare RoCE at {{ slow }} and at {{ fast }}.",
           "By how many per cent is the message sooner there on the faster link?", kind="ratio", unit="%", answer=_gone,
           at={"size": RDMA_MTU, "speed": slow},
           slips={"that is what is left of the time; asked for is what is saved": lambda see: 100 - _gone(see),
                  "that would be so if the wire were all of it; look at the other strips":
                      lambda see: 100 * (1 - wires("roce", slow)[0].line / wires("roce", fast)[0].line)},
           saw="{{ portion(saved()) }}, with eight times the rate. A faster link hardly helps a small message."),
)


# ---- headers ----

def _shares(see, size: int | None = None, **at) -> dict[str, float]:
    """Per cent of the wire that is message, by transport: where the dots stand, or at the *size* named."""
    table = see(**at) if size is None else see(size=size, **at)
    here = zip(table["transport"], table["here (%)"], strict=True)
    return {name: share for name, share in here if not math.isnan(share)}


def _most(see) -> str:
    shares = _shares(see)
    return max(shares, key=shares.get)


def _first_nine_tenths(see) -> bool:
    sizes = see.values["size"]
    return see.at["size"] == min(size for size in sizes if _shares(see, size)["RoCE v2"] >= _NINE_TENTHS)


_ALIKE, _TCP_MORE, _ROCE_MORE = "About the same", "TCP, several times as much", "RoCE, several times as much"


def _waste_more(see) -> str:
    """Which of the two wastes more of a long message, and whether it is much."""
    tcp, roce = (100 - _shares(see)[name] for name in ("TCP", "RoCE v2"))
    return _TCP_MORE if tcp > 2 * roce else _ROCE_MORE if roce > 2 * tcp else _ALIKE


_PACKET, _HEADER, _SLOWER = "One more packet begins", "The headers get longer", "The port slows down"


def _dip_because(see) -> str:
    """What changes where the share first falls: the number of packets, for headers and rate are the same along a curve."""
    table, mtu = see(), see.at["rdma_mtu"]
    sizes, shares = (np.array(table[name])[np.array(table["transport"]) == "RoCE v2"] for name in ("message (B)", "payload (%)"))
    at = int(np.argmax(np.diff(shares) < 0))
    return _PACKET if math.ceil(sizes[at + 1] / mtu) > math.ceil(sizes[at] / mtu) else _HEADER


HEADERS = (
    Choice("least", "A message of 64 bytes.", "Which transport wastes the least of the wire?",
           options=["TCP", "RoCE v2", "InfiniBand"], answer=_most, at={"size": 64}, field="transport",
           hints={"TCP": "Which of the curves lies highest at the left?",
                  "RoCE v2": "RoCE is wrapped into Ethernet, IP and UDP: does that save headers?"},
           saw="InfiniBand needs no Ethernet, IP and UDP around its own {{ digits(infiniband) }} bytes; RoCE's are "
               "{{ digits(roce) }}."),
    Find("nine-tenths", "Make the message larger.",
         "Which is the smallest of these sizes that gives RoCE nine tenths of the wire?",
         control="size", accepts=_first_nine_tenths, at={"size": 8},
         hint="Read RoCE's share in the sentence: nine tenths or more, and less one step before.",
         saw="From about a kibibyte on headers cost a few per cent."),
    Choice("tcp", "“TCP is slow because of its headers.” Take a long message, in the packets that a usual Ethernet allows.",
           "Which of the two wastes more of it?", options=[_TCP_MORE, _ALIKE, _ROCE_MORE], answer=_waste_more,
           at={"size": 2**20, "rdma_mtu": FITTING, "ethernet_mtu": ETHERNET_MTU},
           hints=dict.fromkeys((_TCP_MORE, _ROCE_MORE), "How much do both shares in the sentence leave to headers?"),
           saw="Headers are not TCP's trouble: a packet of either has about as many bytes of them."),
    Choice("dip", "Make the RDMA MTU small, and look at the dips of RoCE's curve.", "What happens at a dip?",
           options=[_PACKET, _HEADER, _SLOWER], answer=_dip_because, at={"rdma_mtu": 256, "size": 256},
           hints={_HEADER: "A packet's header is always as long.", _SLOWER: "The rate is the same all along the curve."},
           saw="One byte more than full packets needs another packet, with all its headers."),
)


# ---- a lost packet ----

def _arrives(see, recovery: str, **at) -> float:
    table = see(**at)
    return next(share for how, share in zip(table["recovery"], table["here (%)"], strict=True)
                if how == recovery and not math.isnan(share))


def _helped(see) -> str:
    """Whom a shorter round trip helps: who gains more than a point."""
    least = min(see.values["rtt"])
    gains = {how: _arrives(see, how, rtt=least) - _arrives(see, how) for how in dict.fromkeys(see()["recovery"])}
    helped = [how for how, gain in gains.items() if gain > 1]
    return _BOTH if len(helped) > 1 else helped[0]


_BOTH = "Both"
_UNDER_WAY, _MORE_LOST, _LONGER = "More is under way", "More packets in a thousand are lost", "Its round trip is longer"


def _faster_because(see) -> str:
    """What differs between the links at the same loss and round trip: the packets under way."""
    return _UNDER_WAY if under_way(fast, see.at["rtt"]) > 2 * under_way(slow, see.at["rtt"]) else _LONGER


def _nine_tenths_arrive(see) -> bool:
    """The most frequent loss of those offered with which nine tenths still arrive."""
    rare = [n for n in see.values["one_in"] if _arrives(see, "go-back-N", one_in=n) >= _NINE_TENTHS]
    return see.at["one_in"] == min(rare)


LOST = (
    Choice("nearer", "One packet in a thousand is lost, on a long way. Now make the round trip shorter.",
           "Which of the two gains from it?", options=["go-back-N", "selective repeat", _BOTH], answer=_helped,
           at={"one_in": 1000, "rtt": LONG_ROUND, "speed": fast},
           hints={"selective repeat": "How far is its curve from 100 % before and after?",
                  _BOTH: "By how much does each dot rise?"},
           saw="Go-back-N repeats all that is under way, and that is rate times round trip; selective repeat only what is "
               "missing."),
    Choice("faster", "The same loss and the same round trip, at {{ slow }} and at {{ fast }}.",
           "Why does it hurt the faster link more?", options=[_UNDER_WAY, _MORE_LOST, _LONGER], answer=_faster_because,
           at={"one_in": 1000, "rtt": LONG_ROUND, "speed": slow},
           hints={_MORE_LOST: "One in a thousand is lost at either speed.",
                  _LONGER: "You set the round trip, and left it as it was."},
           saw="{{ digits(under_way(slow, LONG_ROUND)) }} packets are under way at {{ slow }}, "
               "{{ digits(under_way(fast, LONG_ROUND)) }} at {{ fast }}, and all of them are sent again."),
    Find("rare", "Stay at {{ usual }}. Make losses rarer.",
         "How often may a packet be lost if nine tenths are to arrive with go-back-N? Stop at the most frequent of these.",
         control="one_in", accepts=_nine_tenths_arrive, at={"one_in": 100, "speed": usual},
         hint="Read go-back-N's share in the sentence: nine tenths or more, and less with the next more frequent loss.",
         saw="That is why RoCE first asked for an Ethernet that loses nothing."),
)
