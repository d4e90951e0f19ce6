"""InfiniBand, RoCE and Ethernet: what RDMA removes, what headers leave, what a lost packet and FEC cost."""

from fabriclib import catalog, fec, framing, ladder, units
from fabriclib.links import link

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    ETHERNET_MTU,
    FITTING,
    HALF_LOST,
    HALF_PACKET,
    HALF_ROUND,
    KERNEL,
    LIMIT,
    LONG_ROUND,
    RDMA_MTU,
    REPEATED,
    ROUND,
    SIZE,
    TCP_PAYLOAD,
    TRANSPORTS,
    eth100,
    far,
    fast,
    gap,
    kept,
    mended,
    ndr,
    roce,
    rungs,
    slingshot,
    taken,
    usual,
)


def _asked(recovery: str = "go-back-n") -> float:
    return 100 * kept(recovery, fast, LONG_ROUND)


PREDICTIONS = [
    Prediction(
        "networks.kernel",
        "Two programs on two servers: {{ usual }}, one switch, cables of {{ METRES }} m. Over TCP a message of {{ SIZE }} bytes "
        "takes {{ si(taken('tcp'), 's', 2) }} from program to program, one way. RoCE uses the same kind of slot, adapter, "
        "switch and cable, and goes past the kernel. How long does it take?",
        "time", lambda: taken("roce"),
        "System calls, TCP and IP in software, the interrupt and waking the program up are "
        "{{ portion(taken('tcp', *KERNEL) / taken('tcp')) }} of TCP's time, and all of that is gone. What is left is PCIe, the "
        "adapters, the switch and the cables.",
        slips={
            "that is TCP's time; without the kernel most of its rungs are gone": lambda: taken("tcp"),
            "that removes the kernel on one of the two servers; both are bypassed":
                lambda: taken("tcp") - taken("tcp", *KERNEL) / 2,
            "that is what is removed; asked for is what is left": lambda: taken("tcp", *KERNEL),
            "that is the way through cables, FEC and switch alone; PCIe and the adapters come on top":
                lambda: taken("roce", "wire and FEC", "switches"),
        },
        example="25 µs",
    ),
    Prediction(
        "networks.headers",
        "A port of {{ slow }} sends messages of {{ SIZE }} bytes with RoCE, each in a packet of its own. A packet takes "
        "{{ digits(roce) }} bytes more on the wire: headers, checksums, the gap to the next one. How many bits a second of the "
        "messages arrive, at most?",
        "rate", lambda: eth100.line * framing.share("rocev2", SIZE),
        "{{ SIZE }} of {{ digits(SIZE + roce, 3) }} bytes: more than half of the wire is headers. With messages that fill "
        "packets of {{ thousands(RDMA_MTU) }} bytes it is {{ si(8 * eth100.bandwidth(RDMA_MTU), 'b/s', 2) }}.",
        slips={
            "that is what full packets of {{ thousands(RDMA_MTU) }} bytes leave; here a packet carries {{ SIZE }}":
                lambda: eth100.bandwidth(RDMA_MTU),
            "that is the line rate; headers travel on it too": lambda: eth100.line,
            "that is with InfiniBand's {{ digits(infiniband) }} bytes a packet; Ethernet, IP and UDP make RoCE's "
            "{{ digits(roce) }}":
                lambda: eth100.line * framing.share("ib", SIZE),
            "that leaves out the {{ digits(gap) }} bytes of preamble and gap; nothing else can be sent in that time":
                lambda: eth100.line * SIZE / (SIZE + roce - gap),
            "that is the headers' part; asked for is the messages'": lambda: eth100.line * (1 - framing.share("rocev2", SIZE)),
        },
        unit="b/s", example="7 Gb/s",
    ),
    Prediction(
        "networks.lost",
        "A RoCE sender at {{ fast }}, packets of {{ thousands(RDMA_MTU) }} bytes, {{ si(LONG_ROUND, 's') }} from a packet to its "
        "acknowledgement. One packet in a thousand is lost. The receiver throws away whatever comes after a gap, and the sender "
        "repeats all of it (go-back-N). Which share of the rate arrives for good, in %?",
        "ratio", _asked,
        "About {{ digits(under_way(fast, LONG_ROUND)) }} packets are under way when the loss is noticed, and all of them are "
        "sent again. So for every thousand packets that arrive for good about {{ digits(under_way(fast, LONG_ROUND)) }} are sent "
        "in vain.",
        slips={
            "that repeats only the lost packet (selective repeat); go-back-N repeats all that followed it":
                lambda: _asked("selective-repeat"),
            "that takes what is sent in vain off the rate; it is sent on top of what arrives: divide by both together":
                lambda: 200 - 100 * 100 / _asked(),
            "that is what is wasted; asked for is what arrives": lambda: 100 - _asked(),
            "that is the share as a fraction; in % it is a hundred times as much": lambda: _asked() / 100,
        },
        unit="%", example="12 %",
    ),
]


def _message_share(nbytes: float, mtu: float, overhead: float) -> float:
    return nbytes / (nbytes + -(-nbytes // mtu) * overhead)


def _fec_wait(symbols: int, bits: int, codewords: int, lanes: int, lane_rate: float) -> float:
    return symbols * bits * codewords / (lanes * lane_rate)


def _of_a_page(theirs) -> str:
    rdma, short = theirs(2 * RDMA_MTU, RDMA_MTU, roce), theirs(SIZE, RDMA_MTU, roce)
    return (f"With your function: RoCE at {fast} carries {units.format(8 * rdma * link('eth800').line, 'b/s')} of messages that "
            f"fill their packets, and {units.format(8 * short * link('eth800').line, 'b/s')} of messages of {SIZE} bytes.")


def _over_the_way(theirs) -> str:
    here = link("eth400")
    code, at_once = fec.link_fec(here)
    wait = theirs(code.coded, code.symbol_bits, at_once, here.lanes, 8 * here.lane_rate)
    return (f"With your function: {units.format(wait, 's')} on each link at {usual}, and {units.format(6 * wait, 's')} on a way "
            "over five switches, before any of them has mended a bit.")


_NONE = "none of them"
_REMEDIES = HALF_LOST, REPEATED, HALF_PACKET, HALF_ROUND


def _promised() -> str:
    """The transport that keeps the limit by the highest figures, the one that needs least time of several."""
    kept_by = [name for name in TRANSPORTS if far(name) <= LIMIT]
    return min(kept_by, key=far, default=_NONE)


def _of_the_limit(transport) -> str:
    told = ", ".join(f"{name} {units.format(far(name), 's')}" for name in TRANSPORTS)
    return (f"It is {transport}. You sign {units.format(LIMIT, 's')}, and the highest figures are {told}. A maker who states a "
            "quicker Ethernet switch could change that.")


def _of_the_remedies(change) -> str:
    told = ", ".join(f"{100 * mended(one):.3g} % with {one}" for one in _REMEDIES)
    return f"As it is {100 * mended():.3g} % arrive; it is {told}. What is not sent again costs nothing, however long the way."


EXERCISES = [
    Exercise(
        "networks.message-share",
        "Write message_share: the share of the bytes on the wire that are message.",
        "message_share",
        _message_share,
        "import math\n\n\n"
        "def message_share(nbytes, mtu, overhead):\n"
        "    packets = math.ceil(nbytes / mtu)\n"
        "    return nbytes / (nbytes + packets * overhead)\n",
        cases=[(64, 4096, 82), (4096, 1024, 82), (5000, 1024, 26), (4344, 1448, 90), (100_000, 4096, 82)],
        wrong=[
            ("nbytes / (nbytes + overhead)",
             "This counts the overhead once. Every packet has it: how many packets of at most mtu bytes does the message need?"),
            ("mtu / (mtu + overhead)",
             "This is a full packet's share. A short message fills none, and the last packet of a long one may be short too."),
            ("nbytes / (nbytes + nbytes // mtu * overhead)",
             "This rounds the number of packets down. The rest of the message needs a packet too: round up, with math.ceil."),
            ("nbytes / (nbytes + (nbytes // mtu + 1) * overhead)",
             "One packet too many where the message fills its packets exactly: 4,096 bytes are four packets of 1,024."),
            ("1 - -(-nbytes // mtu) * overhead / nbytes",
             "This takes the headers off the message. They are sent on top of it: divide by all bytes sent."),
            ("nbytes / (-(-nbytes // mtu) * (mtu + overhead))",
             "This fills the last packet up to mtu. A packet may be shorter: only its header keeps its size."),
        ],
        nudge="Count the packets first, the last one too; each brings its overhead.",
        half="import math\n"
             "\n"
             "\n"
             "def message_share(nbytes, mtu, overhead):\n"
             "    packets = ...\n"
             "    return nbytes / ...\n",
        follows=_of_a_page,
    ),
    Exercise(
        "networks.fec-wait",
        "Write fec_wait: the seconds until the codewords that are sent together have arrived.",
        "fec_wait",
        _fec_wait,
        "def fec_wait(symbols, bits, codewords, lanes, lane_rate):\n"
        "    return symbols * bits * codewords / (lanes * lane_rate)\n",
        cases=[(544, 10, 2, 4, 106.25e9), (544, 10, 4, 8, 106.25e9), (528, 10, 1, 4, 25.78125e9), (544, 10, 1, 1, 53.125e9)],
        wrong=[
            ("symbols * bits / (lanes * lane_rate)",
             "This waits for one codeword. Interleaved codewords come symbol by symbol in turn: the first is whole only with the "
             "last of them."),
            ("symbols * bits * codewords / lane_rate", "The lanes carry parts of it at the same time: divide by their number."),
            ("symbols * codewords / (lanes * lane_rate)", "A symbol is several bits, and lane_rate counts bits."),
            ("symbols * bits * codewords / 8 / (lanes * lane_rate)",
             "lane_rate is in bits a second: leave the codeword in bits, without the 8."),
            ("symbols * bits * codewords * lanes / lane_rate",
             "More lanes carry more at once: the wait gets shorter, not longer."),
            ("symbols * bits * codewords / (lanes * lane_rate * 16 / 17)",
             "That is the rate after line code and FEC. The codeword travels with its parity, at the full signalling rate."),
        ],
        nudge="All the bits of all the codewords that come in turn, over all that the lanes bring in a second.",
        half="def fec_wait(symbols, bits, codewords, lanes, lane_rate):\n"
             "    together = ...  # bits that must be there\n"
             "    return together / ...\n",
        follows=_over_the_way,
    ),
    Exercise(
        "networks.promise",
        "Set transport: with which can you promise {{ si(LIMIT, 's') }} for a small message over {{ FAR }} switches, whichever "
        "of the figures found holds?",
        "transport", _promised, 'transport = "InfiniBand"\n', options=[*TRANSPORTS, _NONE],
        wrong=[
            ("'TCP'", "The kernel alone takes longer than that."),
            ("'RoCE v2'", "By the usual figures it does. By the highest found for an Ethernet switch it does not, and you are "
                          "to promise."),
            ("'none of them'", "Read the column of the highest figures again: one of them stays below the limit."),
        ],
        nudge="A promise holds in the worst case: which column is that?",
        half="worst = {...}  # of each transport, from the table\n"
             "transport = ...  # whose worst is below the limit\n",
        follows=_of_the_limit,
    ),
    Exercise(
        "networks.repair",
        "Set change: which one lets most of the rate arrive for good?",
        "change", lambda: max(_REMEDIES, key=mended), 'change = "selective repeat"\n', options=_REMEDIES,
        wrong=[
            ("'half as many lost'", "Half as much is wasted then. Each lost packet still costs a round trip's worth of others."),
            ("'half the round trip'", "Half as many packets are under way then, and repeated. Can it be fewer?"),
            ("'packets half as large'", "Then twice as many are under way, one in a thousand of them is lost all the same, "
                                        "and headers take more."),
        ],
        nudge="For each lost packet, how many are sent again? Ask that of each change.",
        half="again = rate * round_trip / packet  # packets sent again for a lost one, under go-back-N\n"
             "change = ...  # that makes it least\n",
        follows=_of_the_remedies,
    ),
]


def _lowest() -> str:
    infiniband, roce, tcp = (
        " to ".join(units.format(sum(getattr(rung, end) for rung in rungs(one)), "s") for end in ("low", "high"))
        for one in ("ib", "roce", "tcp"))
    ib_low, ib_high, low, high = (units.format(seconds, "s") for wire in ("ib-ndr", "eth400")
                                  for seconds in ladder.switch_latency(link(wire))[1:])
    hop, beyond = units.format(catalog.figure("nvlink-hop-ll").si, "s"), units.format(ndr.latency, "s")
    return (f"For {SIZE} bytes through one switch the ladder gives InfiniBand {infiniband}, RoCE {roce}, TCP {tcp}: TCP is far "
            f"behind, the other two overlap. Adapter and PCIe cost them the same; they differ by headers, a nanosecond or so, "
            f"and by their switches. The figures found for those are {ib_low} (no source read) to {ib_high} (InfiniBand) and "
            f"{low} to {high} (Ethernet): few are a maker's, and they overlap, so a quick Ethernet switch can beat a slow "
            f"InfiniBand one. Inside a server NVLink is quicker still: NCCL plans with {hop} a hop, software included, and with "
            f"{beyond} over any network.")


def _bypass() -> str:
    with_rdma, without = (units.format(8 * catalog.figure(id).si, "b/s") for id in ("slingshot-osu-bw", "slingshot-tcp-bw"))
    port = units.format(8 * slingshot.bandwidth(), "b/s")
    rdma, tcp = (100 * framing.share(*packet) for packet in (("rocev2", FITTING), ("tcp-ipv4", TCP_PAYLOAD[ETHERNET_MTU])))
    back, selective = (100 * kept(how) for how in ("go-back-n", "selective-repeat"))
    return (f"The bypass removes {units.format(taken('tcp', *KERNEL), 's')} of {units.format(taken('tcp'), 's')}. And a pair of "
            f"processes got {with_rdma} of a {port} port with RDMA, and {without} without it, where by our inference only kernel "
            "TCP is left (Slingshot, measured): software was the limit, not the wire. The wire itself is used no better: with "
            f"the packets that a usual Ethernet allows, headers leave RoCE {rdma:.1f} % and TCP {tcp:.1f} %. And it must not "
            f"lose: with one packet in a thousand lost and {units.format(ROUND, 's')} a round trip, {back:.0f} % of {usual} "
            f"arrive under go-back-N, {selective:.1f} % under selective repeat.")


VERDICTS = [Verdict("i", "holds with a qualification", _lowest), Verdict("j", "holds with a qualification", _bypass)]
