"""InfiniBand, RoCE and Ethernet: what RDMA removes, what headers leave, what a lost packet and FEC cost."""

from fabriclib import catalog, framing, ladder, units
from fabriclib.cabling import cable
from fabriclib.congestion import loss as losses
from fabriclib.links import link

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict

_SIZE, _METRES, _MTU = 64, 20, 1024
_RDMA_MTU, _ROUND = 4096, 10e-6
_WIRE = {"tcp": "eth400", "roce": "eth400", "ib": "ib-ndr"}
_KERNEL = "kernel", "copies", "interrupt and wake-up"


def _rungs(transport: str) -> list[ladder.Rung]:
    """The rungs of a small message through one switch at 400 Gb/s."""
    wire = link(_WIRE[transport])
    return ladder.rungs(transport, _SIZE, wire, link("pcie5"), ladder.way(wire, 1, cable("module-400-mm"), _METRES))


def _time(transport: str, *kinds: str) -> float:
    return sum(one.seconds for one in _rungs(transport) if not kinds or one.kind in kinds)


def _port() -> float:
    """The line rate of a 100G Ethernet port."""
    return link("eth100").line


def _goodput(recovery: str, wire: str = "eth400", rtt: float = _ROUND) -> float:
    """The share of a link's payload rate that arrives for good when one packet in a thousand is lost."""
    rate = link(wire).bandwidth(_RDMA_MTU)
    return losses.goodput(rate, 1e-3, rtt, _RDMA_MTU, recovery) / rate


def _asked(recovery: str = "go-back-n") -> float:
    return 100 * _goodput(recovery, "eth800", 20e-6)


PREDICTIONS = [
    Prediction(
        "networks.kernel",
        f"Two programs on two servers: 400 Gb/s, one switch, cables of {_METRES} m. Over TCP a message of {_SIZE} bytes takes "
        f"{units.format(_time('tcp'), 's', 2)} from program to program, one way. RoCE uses the same kind of slot, adapter, "
        "switch and cable, and goes past the kernel. How long does it take?",
        "time", lambda: _time("roce"),
        "System calls, TCP and IP in software, the interrupt and waking the program up are over three quarters of TCP's time, "
        "and all of that is gone. What is left is PCIe, the adapters, the switch and the cables.",
        slips={
            "that is TCP's time; without the kernel most of its rungs are gone": lambda: _time("tcp"),
            "that removes the kernel on one of the two servers; both are bypassed":
                lambda: _time("tcp") - _time("tcp", *_KERNEL) / 2,
            "that is what is removed; asked for is what is left": lambda: _time("tcp", *_KERNEL),
            "that is the way through cables, FEC and switch alone; PCIe and the adapters come on top":
                lambda: _time("roce", "wire and FEC", "switches"),
        },
        example="25 µs",
    ),
    Prediction(
        "networks.headers",
        f"A port of 100 Gb/s sends messages of {_SIZE} bytes with RoCE, each in a packet of its own. A packet takes 82 bytes "
        "more on the wire: headers, checksums, the gap to the next one. How many bits a second of the messages arrive, at most?",
        "rate", lambda: _port() * framing.share("rocev2", _SIZE),
        "64 of 146 bytes: more than half of the wire is headers. With messages that fill packets of 4096 bytes it is 98 Gb/s.",
        slips={
            "that is what full packets of 4096 bytes leave; here a packet carries 64": lambda: link("eth100").bandwidth(4096),
            "that is the line rate; headers travel on it too": lambda: _port(),
            "that is with InfiniBand's 26 bytes a packet; Ethernet, IP and UDP make RoCE's 82":
                lambda: _port() * framing.share("ib", _SIZE),
            "that leaves out the 20 bytes of preamble and gap; nothing else can be sent in that time":
                lambda: _port() * _SIZE / (_SIZE + framing.overhead("rocev2") - 20),
            "that is the headers' part; asked for is the messages'": lambda: _port() * (1 - framing.share("rocev2", _SIZE)),
        },
        unit="b/s", example="7 Gb/s",
    ),
    Prediction(
        "networks.lost",
        "A RoCE sender at 800 Gb/s, packets of 4096 bytes, 20 µs from a packet to its acknowledgement. One packet in a thousand "
        "is lost. The receiver throws away whatever comes after a gap, and the sender repeats all of it (go-back-N). Which share "
        "of the rate arrives for good, in %?",
        "ratio", _asked,
        "About 480 packets are under way when the loss is noticed, and all of them are sent again. So for every thousand packets "
        "that arrive for good about 480 are sent in vain.",
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
             "One packet too many where the message fills its packets exactly: 4096 bytes are four packets of 1024."),
            ("1 - -(-nbytes // mtu) * overhead / nbytes",
             "This takes the headers off the message. They are sent on top of it: divide by all bytes sent."),
            ("nbytes / (-(-nbytes // mtu) * (mtu + overhead))",
             "This fills the last packet up to mtu. A packet may be shorter: only its header keeps its size."),
        ],
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
    ),
]


def _lowest() -> str:
    infiniband, roce, tcp = (
        " to ".join(units.format(sum(getattr(rung, end) for rung in _rungs(one)), "s") for end in ("low", "high"))
        for one in ("ib", "roce", "tcp"))
    ib_low, ib_high, low, high = (units.format(seconds, "s") for wire in ("ib-ndr", "eth400")
                                  for seconds in ladder.switch_latency(link(wire))[1:])
    hop, beyond = units.format(catalog.figure("nvlink-hop-ll").si, "s"), units.format(link("ib-ndr").latency, "s")
    return (f"For {_SIZE} bytes through one switch the ladder gives InfiniBand {infiniband}, RoCE {roce}, TCP {tcp}: TCP is far "
            f"behind, the other two overlap. Adapter and PCIe cost them the same; they differ by headers, a nanosecond or so, "
            f"and by their switches. The figures found for those are {ib_low} (no source read) to {ib_high} (InfiniBand) and "
            f"{low} to {high} (Ethernet): few are a maker's, and they overlap, so a quick Ethernet switch can beat a slow "
            f"InfiniBand one. Inside a server NVLink is quicker still: NCCL plans with {hop} a hop, software included, and with "
            f"{beyond} over any network.")


def _bypass() -> str:
    with_rdma, without = (units.format(8 * catalog.figure(id).si, "b/s") for id in ("slingshot-osu-bw", "slingshot-tcp-bw"))
    port = units.format(8 * link("slingshot11").bandwidth(), "b/s")
    rdma, tcp = (100 * framing.share(*packet) for packet in (("rocev2", _MTU), ("tcp-ipv4", 1448)))
    back, selective = (100 * _goodput(how) for how in ("go-back-n", "selective-repeat"))
    return (f"The bypass removes {units.format(_time('tcp', *_KERNEL), 's')} of {units.format(_time('tcp'), 's')}. And a pair of "
            f"processes got {with_rdma} of a {port} port with RDMA, and {without} without it, where by our inference only kernel "
            "TCP is left (Slingshot, measured): software was the limit, not the wire. The wire itself is used no better: with "
            f"the packets that a usual Ethernet allows, headers leave RoCE {rdma:.1f} % and TCP {tcp:.1f} %. And it must not "
            f"lose: with one packet in a thousand lost and {units.format(_ROUND, 's')} a round trip, {back:.0f} % of 400 Gb/s "
            f"arrive under go-back-N, {selective:.1f} % under selective repeat.")


VERDICTS = [Verdict("i", "holds with a qualification", _lowest), Verdict("j", "holds with a qualification", _bypass)]
