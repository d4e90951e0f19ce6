"""Lesson 08: InfiniBand, RoCE and Ethernet: what RDMA removes, what headers leave, what a lost packet and FEC cost."""

from ... import catalog, framing, ladder, units
from ...cabling import cable
from ...congestion import loss as losses
from ...links import link
from ..claims import Verdict
from ..declare import Exercise, Prediction

_SIZE, _METRES, _MTU = 64, 20, 1024
_RTT, _LOST, _RDMA_MTU = 10e-6, 1e-3, 4096
_WIRE = {"tcp": "eth400", "roce": "eth400", "ib": "ib-ndr"}
_KERNEL = "kernel", "copies", "interrupt and wake-up"


def _rungs(transport: str) -> list[ladder.Rung]:
    """The rungs of a small message through one switch at 400 Gb/s."""
    wire = link(_WIRE[transport])
    return ladder.rungs(transport, _SIZE, wire, link("pcie5"), ladder.way(wire, 1, cable("module-400-mm"), _METRES))


def _time(transport: str, *kinds: str) -> float:
    return sum(one.seconds for one in _rungs(transport) if not kinds or one.kind in kinds)


def _goodput(recovery: str) -> float:
    rate = link("eth400").bandwidth(_RDMA_MTU)
    return losses.goodput(rate, _LOST, _RTT, _RDMA_MTU, recovery) / rate


PREDICTIONS = [
    Prediction(
        "08.kernel",
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
        "08.headers",
        "A port of 100 Gb/s sends messages of 4096 bytes with RoCE. On an Ethernet set up as usual a RoCE packet carries at most "
        "1024 of them, and takes 82 bytes more on the wire. How many bits a second of the messages arrive, at most?",
        "rate", lambda: link("eth100").bandwidth(_MTU),
        "Every packet of 1024 bytes takes 1106 on the wire, whatever the message's size: 92.6 %. With packets of 4096 bytes it "
        "would be 98 %.",
        slips={
            "that counts the 82 bytes once a message; every packet has them": lambda: link("eth100").bandwidth(4096),
            "that is the line rate; headers travel on it too": lambda: link("eth100").waterfall()[1].rate,
            "that are InfiniBand's 26 bytes a packet; Ethernet, IP and UDP make RoCE's 82":
                lambda: link("eth100").waterfall()[1].rate * framing.share("ib", _MTU),
        },
        unit="b/s", example="40 Gb/s",
    ),
    Prediction(
        "08.lost",
        "A RoCE sender at 400 Gb/s, packets of 4096 bytes, 10 µs from a packet to its acknowledgement. One packet in a thousand "
        "is lost. The receiver throws away whatever comes after a gap, and the sender repeats all of it (go-back-N). Which share "
        "of the rate arrives for good, in %?",
        "ratio", lambda: 100 * _goodput("go-back-n"),
        "About 120 packets are under way when the loss is noticed, and all of them are sent again. So for every thousand packets "
        "that arrive about 120 are sent twice.",
        slips={
            "that repeats only the lost packet (selective repeat); go-back-N repeats all that followed it":
                lambda: 100 * _goodput("selective-repeat"),
            "that is what is wasted; asked for is what arrives": lambda: 100 - 100 * _goodput("go-back-n"),
            "that is the share as a fraction; in % it is a hundred times as much": lambda: _goodput("go-back-n"),
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
        "08.message-share",
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
        "08.fec-wait",
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
    roce, infiniband, tcp = (units.format(_time(one), "s") for one in ("roce", "ib", "tcp"))
    ib_low, ib_high, low, high = (units.format(seconds, "s") for wire in ("ib-ndr", "eth400")
                                  for seconds in ladder.switch_latency(link(wire))[1:])
    hop = units.format(catalog.figure("nvlink-hop-ll").si, "s")
    return (f"Of the networks between servers the ladder puts it first: {infiniband} for {_SIZE} bytes through one switch, RoCE "
            f"{roce}, TCP {tcp}. But adapter and PCIe cost RoCE the same; the two differ by their headers, a nanosecond or so, "
            f"and by their switches. Sources give those {ib_low} to {ib_high} (InfiniBand) and {low} to {high} (Ethernet): few "
            "figures are a maker's, and the ranges overlap, so a quick Ethernet switch can beat a slow InfiniBand one. Inside a "
            f"server NVLink is quicker still: NCCL plans with {hop} a hop, software included.")


def _bypass() -> str:
    with_rdma, without = (units.format(8 * catalog.figure(id).si, "b/s") for id in ("slingshot-osu-bw", "slingshot-tcp-bw"))
    port = units.format(8 * link("slingshot11").bandwidth(), "b/s")
    rdma, tcp = (100 * framing.share(*packet) for packet in (("rocev2", _MTU), ("tcp-ipv4", 1448)))
    back, selective = (100 * _goodput(how) for how in ("go-back-n", "selective-repeat"))
    return (f"The bypass removes {units.format(_time('tcp', *_KERNEL), 's')} of {units.format(_time('tcp'), 's')}. And a pair of "
            f"processes that got {without} over kernel TCP got {with_rdma} of the same {port} port with RDMA (Slingshot, "
            "measured): the processor was the limit, not the wire. The wire itself is used no better: with the packets that a "
            f"usual Ethernet allows, headers leave RoCE {rdma:.1f} % and TCP {tcp:.1f} %. And it must not lose: with one packet "
            f"in a thousand lost, {back:.0f} % of 400 Gb/s arrive under go-back-N, {selective:.1f} % under selective repeat.")


VERDICTS = [Verdict("i", "holds with a qualification", _lowest), Verdict("j", "holds with a qualification", _bypass)]
