"""The rungs of a message, what headers leave, what a lost packet and FEC cost, and what was published beside them."""

from __future__ import annotations

import functools

from fabriclib import catalog, fec, figures, framing, ladder, units
from fabriclib.cabling import cable
from fabriclib.congestion import loss as losses
from fabriclib.links import link
from fabriclib.measurements import error
from fabriclib.switches import switch

TRANSPORTS = {"TCP": "tcp", "RoCE v2": "roce", "InfiniBand": "ib"}
# For each speed the Ethernet, the InfiniBand and the slot that go together.
SPEEDS = {units.format(8 * link(group[0]).line, "b/s"): group for group in (
    ("eth100", "ib-edr", "pcie3"), ("eth200", "ib-hdr", "pcie4"), ("eth400", "ib-ndr", "pcie5"), ("eth800", "ib-xdr", "pcie6"))}
slow, _, usual, fast = SPEEDS
fibre, copper = cable("module-400-mm"), cable("dac-400")
_MTUS = [(row["transport"], row["mtu_bytes"], row["payload_bytes"]) for row in catalog.rows("mtus")]
TCP_PAYLOAD = {mtu: payload for transport, mtu, payload in _MTUS if transport == "tcp"}
RDMA_MTUS = [mtu for transport, mtu, _ in _MTUS if transport == "rdma"]
RDMA_MTU, ETHERNET_MTU = max(RDMA_MTUS), min(TCP_PAYLOAD)
FITTING = max(mtu for mtu in RDMA_MTUS if mtu < ETHERNET_MTU)  # with its headers, into what a usual Ethernet allows

# What the questions ask: a small message through one switch, and a packet lost on a long round trip.
SIZE, METRES, ROUND, LONG_ROUND, LOST = 64, 20, 10 * units.us, 20 * units.us, 1e-3
KERNEL = "kernel", "copies", "interrupt and wake-up"

roce, infiniband = framing.overhead("rocev2"), framing.overhead("ib")
gap = sum(row["bytes"] for row in catalog.rows("framings")
          if row["framing"] == "rocev2" and row["field"] in ("preamble and start delimiter", "inter-frame gap"))
eth25, eth100, ndr, hdr, slingshot = map(link, ("eth25", "eth100", "ib-ndr", "ib-hdr", "slingshot11"))
line_code, code = (catalog.row("codes", name) for name in ("64b66b", "64b66b-rs544"))
kp4, low_latency = fec.fec("rs544"), fec.fec("rs272")
measured, curated = map(catalog.figure, ("edr-latency-32", "edr-latency-stas"))
x800, x800_printed = switch("quantum-x800"), catalog.figure("quantum-x800-pingdo")
tomahawk, tomahawk_printed = switch("tomahawk4"), catalog.figure("tomahawk4-chip")
with_address, with_field = map(catalog.figure, ("rocev2-overhead-74", "rocev2-overhead-66"))


# What a field of a packet is for: all others have to do with the internet's addresses, or with the transport itself.
MESSAGE = "the message"
_PARTS = {"the link": ("preamble and start delimiter", "Ethernet header", "LRH", "inter-frame gap"),
          "internet addresses": ("IPv4 header", "UDP header"),
          "the transport": ("InfiniBand BTH", "BTH", "TCP header", "TCP timestamps option"),
          MESSAGE: (MESSAGE,), "checksums": ("ICRC and FCS", "FCS", "ICRC", "VCRC")}
PACKET_PARTS = list(_PARTS)


def rdma_mtus() -> str:
    """Return the MTUs of RDMA as text.

    >>> rdma_mtus()
    '256, 512, 1,024, 2,048 and 4,096'
    """
    *smaller, largest = (f"{mtu:,}" for mtu in RDMA_MTUS)
    return f"{', '.join(smaller)} and {largest}"


def packet_fields() -> list[dict]:
    """Return the fields of one packet with a message of SIZE bytes: transport, field, part, from and to, in bytes."""
    found = []
    for name, frame in {"TCP": "tcp-ipv4", "RoCE v2": "rocev2", "InfiniBand": "ib"}.items():
        fields = [(row["field"], row["bytes"]) for row in catalog.rows("framings") if row["framing"] == frame]
        behind = next(at for at, (field, _) in enumerate(fields) if field in _PARTS["checksums"])
        at = 0.0
        for field, size in [*fields[:behind], (MESSAGE, SIZE), *fields[behind:]]:
            part = next(part for part, those in _PARTS.items() if field in those)
            found.append({"transport": name, "field": field, "part": part, "from": at, "to": at + size})
            at += size
    return found


def wires(transport: str, speed: str):
    """Return (wire, slot) of a transport at a speed."""
    ethernet, infiniband, slot = SPEEDS[speed]
    return link(infiniband if transport == "ib" else ethernet), link(slot)


@functools.cache
def climbed(transport: str, size: float, speed: str, switches: int, metres: float) -> tuple[ladder.Rung, ...]:
    """Return the rungs of one message at the controls' values."""
    wire, slot = wires(transport, speed)
    return tuple(ladder.rungs(transport, size, wire, slot, ladder.way(wire, switches, fibre, metres)))


def rungs(transport: str) -> tuple[ladder.Rung, ...]:
    """Return the rungs of the message that the question asks about."""
    return climbed(transport, SIZE, usual, 1, METRES)


def taken(transport: str, *kinds: str) -> float:
    """Return the seconds of that message, or of its rungs of some kinds only."""
    return sum(one.seconds for one in rungs(transport) if not kinds or one.kind in kinds)


def saved() -> float:
    """Return the share of its time that the fastest link saves RDMA on a packet's worth of bytes, against the slowest."""
    before, after = (sum(one.seconds for one in climbed("roce", RDMA_MTU, speed, 1, METRES)) for speed in (slow, fast))
    return 1 - after / before


def small_off(mended: bool) -> float:
    """Return how far off the model is for the smallest measured message, with or without FEC on its one link, as a share."""
    wire = link("ib-edr")
    return abs(error(ladder.latency("ib", 32, wire, link("pcie3"))[0] + mended * fec.latency(wire), measured.si))


def under_way(speed: str, rtt: float) -> float:
    """Return how many full packets are sent until the loss of one is noticed."""
    return losses.in_flight(wires("roce", speed)[0].bandwidth(RDMA_MTU), rtt, RDMA_MTU)


def kept(recovery: str, speed: str | None = None, rtt: float = ROUND) -> float:
    """Return the share of a link's payload rate that arrives for good when one packet in a thousand is lost."""
    rate = wires("roce", speed or usual)[0].bandwidth(RDMA_MTU)
    return losses.goodput(rate, LOST, rtt, RDMA_MTU, recovery) / rate


FAR, LIMIT = 5, 5 * units.us  # switches of a way across three tiers, and what a small message may take on it
REPEATED, HALF_LOST, HALF_ROUND = "selective repeat", "half as many lost", "half the round trip"
HALF_PACKET = "packets half as large"


def far(transport: str, end: str = "high") -> float:
    """Return the seconds of the small message over so many switches, by the lowest, usual or highest figures that were found."""
    return sum(getattr(one, end) for one in climbed(TRANSPORTS[transport], SIZE, usual, FAR, METRES))


def far_table():
    """Return a DataFrame of text: what the message takes over so many switches, by the figures that were found."""
    import pandas as pd

    ends = {"lowest": "low", "usual": "seconds", "highest": "high"}
    return pd.DataFrame([{"transport": name} | {what: units.format(far(name, end), "s") for what, end in ends.items()}
                         for name in TRANSPORTS])


def mended(change: str = "") -> float:
    """Return the share of the fastest port that arrives for good under go-back-N, as it is or after one change."""
    packet = RDMA_MTU / (2 if change == HALF_PACKET else 1)
    rate = wires("roce", fast)[0].bandwidth(packet)
    lost, back = LOST / (2 if change == HALF_LOST else 1), LONG_ROUND / (2 if change == HALF_ROUND else 1)
    recovery = "selective-repeat" if change == REPEATED else "go-back-n"
    return losses.goodput(rate, lost, back, packet, recovery) / wires("roce", fast)[0].bandwidth(RDMA_MTU)


def rung_table(transport: str):
    """Return the rungs of one message as a DataFrame: where, what, which kind, nanoseconds and the range of the sources."""
    import pandas as pd

    return pd.DataFrame([{"at": one.at, "what happens": one.step, "kind": one.kind, "ns": f"{one.seconds / units.ns:,.0f}",
                          "range (ns)": f"{one.low / units.ns:,.0f} to {one.high / units.ns:,.0f}" if one.high > one.low else ""}
                         for one in rungs(transport)])


def rates_table():
    """Return the generations as a DataFrame of text: lanes, signalling, what line code and FEC leave, what headers leave."""
    import pandas as pd

    rows = []
    for name in ("ib-qdr", "ib-edr", "ib-hdr", "ib-ndr", "ib-xdr", "eth100", "eth200", "eth400", "eth800", "eth1600"):
        one = link(name)
        raw, line, payload = (units.format(8 * stage.rate, "b/s", 4) for stage in one.waterfall())
        rows.append({"link": one.name, "lanes": one.lanes, "raw": raw, "line code and FEC": one.code, "line": line,
                     f"payload, MTU {RDMA_MTU:,}": payload})
    return pd.DataFrame(rows)


def switches_table():
    """Return the network switches with a known latency as a DataFrame: nanoseconds from port to port, and what is doubtful."""
    import pandas as pd

    rows = []
    for row in catalog.rows("switches"):
        port = link(row["link"])
        if row["latency_s"] > 0 and port.family in ("infiniband", "ethernet"):
            source = catalog.sources_of(row)["latency_s"]
            rows.append({"switch": row["name"], "ports": port.name, "ns": round(row["latency_s"] / units.ns),
                         "grade": source.grade, "source": source.publisher or "none found"})
    return pd.DataFrame(rows)


def fec_table():
    """Return what FEC costs on one link, as a DataFrame: the code, the wait for its block, the estimated decoder, in ns."""
    import pandas as pd

    rows = []
    for name in ("eth10", "eth25", "eth100", "eth400", "eth800"):
        wire, own = link(name), fec.link_fec(link(name))
        wait = own[0].block_time(wire.raw, own[1]) if own else 0.0
        rows.append({"link": wire.name, "code": own[0].name if own else "none",
                     "wait for the block (ns)": round(wait / units.ns, 1),
                     "mend (ns, estimate)": round(own[0].decode_time / units.ns) if own else 0,
                     "one link (ns)": round(fec.latency(wire) / units.ns, 1)})
    return pd.DataFrame(rows)


def latency_against_measured() -> dict[str, tuple[float, float]]:
    """Return for each published latency, back to back and without FEC, the ladder's seconds and the measured ones."""
    cases = {"InfiniBand, 32 B": ("edr-latency-32", "ib", 32, "ib-edr"),
             "InfiniBand, 1 KiB": ("edr-latency-1024", "ib", 1024, "ib-edr"),
             "InfiniBand, 4 KiB": ("edr-latency-4096", "ib", 4096, "ib-edr"),
             "InfiniBand, 32 KiB": ("edr-latency-32768", "ib", 32768, "ib-edr"),
             "InfiniBand, 2 MiB": ("edr-latency-2mib", "ib", 2**21, "ib-edr"),
             "a curated table": ("edr-latency-stas", "ib", 32, "ib-edr"),
             "TCP over 10G": ("tcp-10g-latency", "tcp", 64, "eth10")}
    return {what: (ladder.latency(transport, size, link(wire), link("pcie3"))[0], catalog.figure(id).si)
            for what, (id, transport, size, wire) in cases.items()}


def rdma_against_measured() -> dict[str, tuple[float, float]]:
    """Return for each rate measured with RDMA what headers leave of the line rate, and what was measured, in bytes a second."""
    wire = link("eth400")
    framed = wire.line * (RDMA_MTU + roce - gap) / (RDMA_MTU + roce)
    cases = {"InfiniBand EDR": ("edr-write-bw", link("ib-edr").bandwidth(RDMA_MTU)),
             f"RoCE {slow}, MTU {FITTING:,}": ("eth100-write-bw", eth100.bandwidth(FITTING)),
             f"RoCE {slow}, MTU {RDMA_MTU:,}": ("eth100-send-bw", eth100.bandwidth(RDMA_MTU)),
             f"RoCE {usual}, headers too": ("eth400-send-wire", framed),
             "Slingshot": ("slingshot-osu-bw", slingshot.bandwidth())}
    return {what: (model, catalog.figure(id).si) for what, (id, model) in cases.items()}


def without_rdma() -> tuple[float, float]:
    """Return what headers leave kernel TCP of Slingshot's port, and what was measured without RDMA, in bytes a second."""
    return (slingshot.bandwidth() * framing.share("tcp-ipv4", TCP_PAYLOAD[ETHERNET_MTU]),
            catalog.figure("slingshot-tcp-bw").si)


def riddle() -> float:
    """Return the rate of AMD's blacked-out test, as a multiple of what the slowest Ethernet here leaves to RoCE both ways."""
    return catalog.figure("rocm-loopback-both").si / (2 * eth100.bandwidth())


def cable_table():
    """Return the kinds of cable as a DataFrame of text: what it carries, how far, at which power and delay of an end."""
    from fabriclib.cabling import cables

    told = cables()[["name", "carries", "reach (m)", "power of one end (W)", "ns of one end"]]
    return told.astype(object).where(told.notna(), "no source")


def printed():
    """Return how many printed figures about these links and switches are computed, and those that differ, as a DataFrame."""
    told = figures.published()
    told = told[told["about"].str.match("ib|eth|roce|tcp|rs|quantum|spectrum|tomahawk|rosetta|silicon")]
    off = told[told["note"].str.startswith("differs")]
    off = off.assign(about=off["about"].map(figures.called).replace({"rocev2": "RoCE v2"}))
    return len(told), off[["about", "quantity", "stated", "computed / stated"]].round(3).reset_index(drop=True)
