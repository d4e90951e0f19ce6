"""The latency ladder of three transports, what headers leave of a message, and what a lost packet costs."""

from __future__ import annotations

import math

import numpy as np

from fabriclib import framing, ladder, units
from fabriclib.congestion import loss as losses
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab
from ...stage.words import span
from .stops import HEADERS, LADDER, LOST
from .tables import (
    ETHERNET_MTU,
    FITTING,
    KERNEL,
    MESSAGE,
    METRES,
    PACKET_PARTS,
    RDMA_MTU,
    RDMA_MTUS,
    ROUND,
    SIZE,
    SPEEDS,
    TCP_PAYLOAD,
    TRANSPORTS,
    climbed,
    latency_against_measured,
    packet_fields,
    rdma_against_measured,
    usual,
    wires,
)

# ---- lab 1: the ladder ----

_LEFT, _RIGHT = ("0", "width * 0.38"), ("width * 0.45", "width")  # two panels of one chart: all, and RDMA alone
_ALL, _NEAR = (0, 20), (0, 8)  # microseconds
_GROUPS = {"kernel and copies": ("kernel", "copies"), "interrupt and wake-up": ("interrupt and wake-up",),
           "program": ("program",), "PCIe and NIC": ("PCIe and NIC",), "wire, FEC, cable": ("wire and FEC",),
           "switches": ("switches",)}
_COLOURS = [charts.OTHER, charts.FAINT, charts.PAPER, charts.SERVER, charts.OTHER_2, charts.CLUSTER]


def _ladder_chart():
    import altair as alt

    y = charts.names("transport", list(TRANSPORTS)).scale(alt.Scale(domain=list(TRANSPORTS), padding=0.35)).axis(
        alt.Axis(title=None, labelLimit=120))
    legend = charts.legend(list(_GROUPS), symbolSize=170, symbolType="square", symbolStrokeColor=charts.EDGE)
    colour = alt.Color("kind:N", legend=legend, scale=alt.Scale(domain=list(_GROUPS), range=_COLOURS))

    def panel(start, end, low, high, place, said, domain, width, title):
        def x(field):
            return charts.panel(field, domain, width, title=title, small=10)

        bars = charts.live().mark_bar(stroke=charts.EDGE, strokeWidth=1, height={"band": 0.8}).encode(
            x=x(start), x2=alt.X2(f"{end}:Q"), y=y, color=colour)
        spread = charts.live().mark_rule(color=charts.BLACK, strokeWidth=2.5, yOffset=34).encode(
            x=x(low), x2=alt.X2(f"{high}:Q"), y=y)
        text = charts.legible(charts.live().encode(x=x(place), y=y, text=f"{said}:N"), align="left", dx=6, fontSize=15,
                              fontWeight="bold")
        return alt.layer(bars, spread, *text)

    left = panel("from (µs)", "to (µs)", "least (µs)", "most (µs)", "total (µs)", "said", _ALL, _LEFT, "one way, all three (µs)")
    right = panel("near from (µs)", "near to (µs)", "near least (µs)", "near most (µs)", "near total (µs)", "near said", _NEAR,
                  _RIGHT, "RDMA alone (µs)")
    return charts.stack(left, right, height=300, description=
        "Stacked bars of the time of one message, one way, for TCP, RoCE v2 and InfiniBand, cut into kernel and copies, "
        "interrupt and wake-up, program, PCIe and NIC, wire with FEC and cable, and switches. A thin line below each bar "
        "goes from the least to the most its sources allow. On the right the two RDMA transports on a finer scale.",
    ).resolve_scale(x="independent")


@lab("latency-ladder", title="One message, three transports", tier="cluster",
     controls=[Control("size", [8, SIZE, 256, 1024, RDMA_MTU], default=SIZE, label="message", unit="B"),
               Control("speed", list(SPEEDS), default=usual, as_="menu"),
               Control("switches", range(6), default=1, label="switches on the way"),
               Control("metres", [1, 5, 10, METRES, 30], default=METRES, label="each cable", unit="m")],
     chart=_ladder_chart,
     leaves_out="Queues: the network is empty. Waiting for more packets before an interrupt, a core that sleeps, a NIC that must "
                "look up an address, reading the message from memory. The kernel's rungs are ranges of one design document; the "
                "interrupt, the copies and the polling are estimates. Of the makers of switches only a few state a latency.",
     hides=("from (µs)", "to (µs)", "said", "near from (µs)", "near to (µs)", "near least (µs)", "near most (µs)",
            "near total (µs)", "near said"),
     sources=["spin-slides", "helios-rdma", "larsen-2009", "potter-mtu", "yobitel-quantum2", "ai-stack-tomahawk"],
     stops=LADDER)
def latency_ladder(size, speed, switches, metres):
    """What RDMA removes is the kernel; what is left is PCIe, switches and cables."""
    rows, totals = [], {}
    for name, transport in TRANSPORTS.items():
        found = climbed(transport, size, speed, switches, metres)
        totals[name] = _total(found)
        rows += _stacked(name, found, near=name != "TCP")
    kernel = sum(one.seconds for one in climbed("tcp", size, speed, switches, metres) if one.kind in KERNEL)
    said = ", ".join(f"{name} {spread(*total)}" for name, total in totals.items())
    return {field: [one[field] for one in rows] for field in rows[0]}, (
        f"{units.format(size)} one way at {speed}, {counted(switches, 'switch', 'switches')} on the way: {said}. Kernel, "
        f"copies and waking up take {units.format(kernel, 's')} of TCP's time. {_apart(size, speed, switches, metres)}.")


def _total(found: tuple[ladder.Rung, ...]) -> tuple[float, float, float]:
    """Usual, lowest and highest seconds of all rungs."""
    typical, low, high = (sum(getattr(one, field) for one in found) for field in ("seconds", "low", "high"))
    return typical, low, high


def spread(typical: float, low: float, high: float) -> str:
    """Return a time with the range that its sources allow, as text.

    >>> spread(1.4e-6, 1.2e-6, 1.6e-6)
    '1.4 µs (1.2 µs to 1.6 µs)'
    """
    return f"{units.format(typical, 's')} ({span(low, high, 's')})"


def apart(size: float, speed: str, switches: int, metres: float) -> tuple[float, float]:
    """Return how many seconds more RoCE takes than InfiniBand, at least and at most: less than zero where it may take less.

    All but headers and switches is the same for both, and cancels; the switches of each may be anything within their range.
    """
    ours, theirs = (climbed(one, size, speed, switches, metres) for one in ("roce", "ib"))
    differ = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return sum(a.low - b.high for a, b in differ), sum(a.high - b.low for a, b in differ)


def _apart(size: float, speed: str, switches: int, metres: float) -> str:
    least, most = apart(size, speed, switches, metres)
    more = units.format(most, "s")
    if least < 0:
        return f"RoCE takes from {units.format(-least, 's')} less to {more} more than InfiniBand: which switch it is decides"
    return f"RoCE takes {more} more than InfiniBand, for its headers" if not switches else (
        f"RoCE takes {units.format(least, 's')} to {more} more than InfiniBand, for switches and headers")


def _stacked(name: str, found: tuple[ladder.Rung, ...], near: bool) -> list[dict]:
    """The rows of one transport: a stretch of the bar for each group of rungs; totals stand in the first row only."""
    total, low, high = (sum(getattr(one, field) for one in found) / units.us for field in ("seconds", "low", "high"))
    rows, at = [], 0.0
    for group, kinds in _GROUPS.items():
        length = sum(one.seconds for one in found if one.kind in kinds) / units.us
        first = not rows
        here = {"from (µs)": at, "to (µs)": at + length} | {
            field: value if first else math.nan
            for field, value in (("least (µs)", low), ("most (µs)", high), ("total (µs)", total))}
        at += length
        said = f"{total:.2g} µs" if first else ""
        rows.append({"transport": name, "kind": group, "µs": length, **here, "said": said,
                     **{f"near {field}": value if near else math.nan for field, value in here.items()},
                     "near said": said if near else ""})
    return rows


# ---- lab 2: headers ----

_SIZES = [2**k for k in range(3, 21)]
_CURVES = {"TCP": (charts.OTHER, charts.DASH_DOT), "RoCE v2": (charts.CLUSTER, charts.SOLID),
           "InfiniBand": (charts.CHIP, charts.DASHED)}


def _share_chart():
    x = charts.x("message (B)", (8, 2**20), title="message", unit="B", log=2)
    y = charts.y("payload (%)", (0, 100), title="share of the wire that is message (%)")
    here = charts.y("here (%)", (0, 100), title="share of the wire that is message (%)")
    return charts.stack(
        charts.line(x, y, colour=charts.CLUSTER, **charts.series("transport", _CURVES)),
        *charts.here_on_each(x, here, "transport", _CURVES),
        description="The share of the bytes on the wire that are message, against the size of the message on a logarithmic "
                    "scale, for TCP, RoCE v2 and InfiniBand. All rise steeply and then level off below 100 %, with small dips "
                    "where one more packet begins. Dots mark the size chosen.")


@lab("header-share", title="What headers leave", tier="cluster",
     controls=[Control("size", _SIZES, default=4096, label="message", unit="B"),
               Control("rdma_mtu", RDMA_MTUS, default=FITTING, label="RDMA MTU", unit="bytes"),
               Control("ethernet_mtu", list(TCP_PAYLOAD), default=ETHERNET_MTU, label="Ethernet MTU for TCP", unit="bytes"),
               Control("speed", list(SPEEDS), default=usual, as_="menu")],
     chart=_share_chart,
     leaves_out="Acknowledgements, which go the other way; the 16 bytes that the first packet of an RDMA write adds; tags of "
                "virtual networks; InfiniBand's flow-control messages. A NIC also has a limit of messages a second, which small "
                "ones reach first.",
     sources=["pingdo-roce", "csdn-iba", "rfc-9293", "rfc-7323", "a2o-tcp"], stops=HEADERS)
def header_share(size, rdma_mtu, ethernet_mtu, speed):
    """Headers take most of a small message and a few per cent of a large one."""
    cut = {"TCP": ("tcp-ipv4", TCP_PAYLOAD[ethernet_mtu]), "RoCE v2": ("rocev2", rdma_mtu), "InfiniBand": ("ib", rdma_mtu)}
    sizes = np.unique([round(s * f) for s in _SIZES for f in (1, 1.02, 1.19, 1.41, 1.68) if s * f <= _SIZES[-1]])
    shares = {name: 100 * framing.message_share(frame, sizes, packet) for name, (frame, packet) in cut.items()}
    here = {name: framing.message_share(frame, size, packet) for name, (frame, packet) in cut.items()}
    table = {"transport": np.repeat(list(cut), len(sizes)), "message (B)": np.tile(sizes, len(cut)),
             "payload (%)": np.concatenate([shares[name] for name in cut]),
             "here (%)": np.concatenate([np.where(sizes == size, 100 * here[name], np.nan) for name in cut])}
    line = wires("roce", speed)[0].line
    said = ", ".join(f"{name} {100 * share:.3g} %" for name, share in here.items())
    return table, (f"Of the bytes on the wire, a message of {units.format(size)} is: {said}. At {speed} RoCE carries "
                   f"{units.format(8 * line * here['RoCE v2'], 'b/s', 4)} of it.")


# ---- a packet to scale ----

_PART_COLOURS = [charts.CLUSTER, charts.OTHER_2, charts.YELLOW, charts.PAPER, charts.FAINT]


def _packet_chart():
    import altair as alt

    x = {end: charts.x(end, (0, 160), title="bytes on the wire") for end in ("from", "middle")}
    y = charts.names("transport", list(TRANSPORTS), title=" ")
    colour = alt.Color("part:N", scale=alt.Scale(domain=PACKET_PARTS, range=_PART_COLOURS), legend=charts.legend(
        PACKET_PARTS, symbolSize=170, symbolType="square", symbolStrokeColor=charts.EDGE))
    fields = charts.live().mark_bar(stroke=charts.EDGE, strokeWidth=1, height={"band": 0.6}).encode(
        x=x["from"], x2="to:Q", y=y, color=colour)
    room = "(scale('x', datum.to) - scale('x', datum.from))"
    fits = alt.ExprRef(f"{room} < 6 * length(datum.label) + 6 ? 0 : 1")
    ink = alt.condition(f"datum.part == '{MESSAGE}'", alt.value(charts.INK), alt.value(charts.ON_BRIGHT))
    names = charts.live().mark_text(fontSize=charts.fitting(room, 15), opacity=fits).encode(
        x=x["middle"], y=y, text="label:N", color=ink)
    return charts.stack(fields, names, height=270, description=(
        "One packet of each transport to scale, a box for each field: what belongs to the link, internet addresses, the "
        "transport's own header, the message, checksums. The message is less than half of TCP's and of RoCE's packet."))


@lab("packet-to-scale", title="One packet, to scale", tier="cluster", controls=(), chart=_packet_chart,
     leaves_out="Line code and FEC, which take their share of every byte alike. The gap is the least that Ethernet leaves "
                "between two packets.",
     hides=("label", "middle"),
     sources=["pingdo-roce", "csdn-iba", "rfc-9293", "rfc-7323"])
def packet_to_scale():
    """RoCE wraps what InfiniBand says into Ethernet, IP and UDP."""
    rows = packet_fields()
    table = {column: [row[column] for row in rows] for column in rows[0]}
    table["label"] = [field.removesuffix(" header").removeprefix("InfiniBand ") for field in table["field"]]
    table["middle"] = [(start + end) / 2 for start, end in zip(table["from"], table["to"], strict=True)]
    ends = {row["transport"]: row["to"] for row in rows}
    said = ", ".join(f"{name} {end:.0f} bytes" for name, end in ends.items())
    return table, f"A message of {units.format(SIZE)} in one packet takes on the wire: {said}."


# ---- lab 3: a lost packet ----

_LOSS = np.logspace(-6, -1, 51)
_HOW = {"go-back-N": (charts.LIMIT, charts.SOLID), "selective repeat": (charts.CLUSTER, charts.DASHED)}


def _loss_chart():
    import altair as alt

    title = "share of the rate that arrives for good (%)"
    x = charts.x("loss", (1e-6, 1e-1), title="packets lost, as a share of all", log=10).axis(alt.Axis(
        values=[10.0**k for k in range(-6, 0)], labelExpr="'1 in ' + format(1 / datum.value, ',')", labelOverlap="greedy"))
    y = charts.y("goodput (%)", (0, 100), title=title)
    return charts.stack(
        charts.line(x, y, colour=charts.CLUSTER, **charts.series("recovery", _HOW)),
        *charts.here_on_each(x, charts.y("here (%)", (0, 100), title=title), "recovery", _HOW),
        description="The share of the rate that arrives for good, against the share of packets lost on a logarithmic scale. With "
                    "selective repeat it stays near 100 % until one packet in a hundred is lost; with go-back-N it falls long "
                    "before. Dots mark the loss chosen.")


@lab("lost-packet", title="The price of a lost packet", tier="cluster",
     controls=[Control("one_in", [10**k for k in range(6, 1, -1)], default=1000, label="one packet lost in"),
               Control("rtt", [us * units.us for us in (2, 5, 10, 20, 50, 100)], default=ROUND, label="round trip",
                       unit="s"),
               Control("speed", list(SPEEDS), default=usual, as_="menu")],
     chart=_loss_chart,
     leaves_out="Losses in bursts, a sender that slows down after a loss, and the last packet of a message: nothing follows it "
                "to show the gap, and only a timer brings it back, which is set to milliseconds or more.",
     sources=["pingdo-roce", "networkworld-thor"], stops=LOST)
def lost_packet(one_in, rtt, speed):
    """Go-back-N repeats all that was under way; the faster the link, the more that is."""
    rate, lost = wires("roce", speed)[0].bandwidth(RDMA_MTU), 1 / one_in
    rows = {"recovery": [], "loss": [], "goodput (%)": [], "here (%)": []}
    here = {}
    for name in _HOW:
        how = name.replace(" ", "-").lower()
        here[name] = losses.goodput(rate, lost, rtt, RDMA_MTU, how) / rate
        grid = np.unique(np.append(_LOSS[np.abs(np.log(_LOSS / lost)) > 1e-6], lost))
        rows["recovery"] += [name] * len(grid)
        rows["loss"] += list(grid)
        rows["goodput (%)"] += list(100 * losses.goodput(rate, grid, rtt, RDMA_MTU, how) / rate)
        rows["here (%)"] += list(np.where(grid == lost, 100 * here[name], np.nan))
    under_way = losses.in_flight(rate, rtt, RDMA_MTU)
    return rows, (f"One packet in {one_in:,} lost at {speed} and {units.format(rtt, 's')} a round trip: go-back-N delivers "
                  f"{100 * here['go-back-N']:.3g} % of the rate, selective repeat {100 * here['selective repeat']:.4g} %. "
                  f"{under_way:,.0f} packets are under way when the loss is noticed.")


# ---- the model against what was measured ----

def _against(found, unit: str, domain, title: str, runs, errors, description: str, log: int = 0):
    names = charts.names("what", list(found), channel="X", title="what was measured")
    return against.chart(names, lambda field: charts.y(field, domain, title=title, unit=unit, log=log), runs, errors=errors,
                         description=description)


_LADDER_SAYS, _HEADERS_LEAVE = "the ladder", "what headers leave"


@lab("ladder-against-measured", title="The ladder against measured latencies", tier="cluster", controls=(),
     chart=lambda: _against(
         latency_against_measured(), "s", (3e-7, 1e-3), "one way (logarithmic)", {_LADDER_SAYS: (charts.CLUSTER, charts.SOLID)},
         (-75, 75), "For seven published latencies the ladder's time as a short bar and the measured one as a diamond; below, "
         "by how much the ladder is off.", log=10),
     leaves_out="Reading the message from memory, and FEC, which may have been off on so short a cable. TCP was measured in "
                "2009, on processors ten years older than the rungs.",
     sources=["potter-mtu", "stas-network", "larsen-2009"])
def ladder_against_measured():
    """RDMA's latencies follow from the rungs over five powers of ten in size."""
    table = against.named("what", _LADDER_SAYS, latency_against_measured())
    measured = [off for what, off in zip(table["what"], table[against.ERROR], strict=True) if what.startswith("InfiniBand")]
    return table, (f"No constant was fitted to these. InfiniBand, one measurement of five sizes: from {min(measured):.0f} % to "
                   f"{max(measured):+.0f} %. The curated table and TCP are told apart below.")


@lab("goodput-against-measured", title="What headers leave, against measured rates", tier="cluster", controls=(),
     chart=lambda: _against(
         rdma_against_measured(), "B/s", (0, 60e9), "rate", {_HEADERS_LEAVE: (charts.CLUSTER, charts.SOLID)}, (-10, 10),
         "For five measured rates what headers leave as a short bar and the measured one as a diamond; below, by how much the "
         "model is off."),
     leaves_out="Software. The MTUs at RoCE's two rates of {{ slow }} are assumed. For Slingshot's own protocol no headers are "
                "published: its bar is the line rate.",
     sources=["nvforum-edr", "outback-readme", "rssing-sn2700", "daqiri-162", "cscs-openmpi"])
def goodput_against_measured():
    """Headers explain the rates that RDMA reaches."""
    table = against.named("what", _HEADERS_LEAVE, rdma_against_measured())
    rdma = table[against.ERROR]
    return table, f"What headers leave is {min(rdma):.1f} to {max(rdma):.1f} % more than was measured: the wire is nearly full."
