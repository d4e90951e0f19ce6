"""What PCIe leaves for data, the lane budget, and what a switch does and does not do."""

import math

from fabriclib import catalog, lanes, units
from fabriclib.flows import all_to_all, share
from fabriclib.topology import Part, tree

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from . import box
from .tables import PAIR, SMALL, settings, short_header, slot, tested

_GPUS = 4


def _below(switches: int) -> list[Part]:
    """Eight GPUs, on the CPU or evenly below switches."""
    names = " ".join(f"gpu{i}" for i in range(2 * _GPUS))
    if not switches:
        return [Part("cpu", "cpu0"), Part("gpu", names, "cpu0")]
    return [Part("cpu", "cpu0"), Part("pcie-switch", " ".join(f"sw{i}" for i in range(switches)), "cpu0"),
            Part("gpu", names, " ".join(f"sw{i * switches // (2 * _GPUS)}" for i in range(2 * _GPUS)))]


def _to_cpu() -> float:
    """What each of four GPUs below one switch gets when all send to the CPU."""
    graph = tree("half a box", _below(2))
    return float(share(graph, [(f"gpu{i}", "cpu0") for i in range(_GPUS)]).rates[0])


def _slowest_copy(switches: int) -> float:
    """The rate of the slowest copy while each of eight GPUs sends to each other one."""
    return float(share(tree("a box", _below(switches)), all_to_all(2 * _GPUS)).rates.min())


PREDICTIONS = [
    Prediction(
        "pcie.payload",
        "A PCIe 5 slot with 16 lanes carries {{ si(slot.line, 'B/s') }} each way once the line code is taken off. Everything a "
        "device writes travels in packets, and each packet has {{ digits(header) }} bytes of its own around the data: framing, "
        "header, checksum. This system allows at most {{ SMALL }} bytes of data in a packet. How many bytes of data a second "
        "can the device write?",
        "rate", lambda: slot.bandwidth(SMALL),
        "Of every {{ digits(SMALL + header, 3) }} bytes {{ SMALL }} are data: {{ portion(data_share(SMALL)) }}. With "
        "{{ 2 * SMALL }} bytes a packet it would be {{ portion(data_share(2 * SMALL)) }}, with {{ 4 * SMALL }} "
        "it would be {{ portion(data_share(4 * SMALL)) }}: each doubling saves half of what is left to save.",
        slips={
            "that is the line rate; each packet carries {{ digits(header) }} bytes that are not data": lambda: slot.line,
            "that is the signalling rate, before line code and packets": lambda: slot.raw,
            "that is with {{ settings.mps }} bytes of data a packet": lambda: slot.bandwidth(settings.mps),
            "that is what the {{ digits(header) }} bytes take; asked for is what they leave":
                lambda: slot.line - slot.bandwidth(SMALL),
        },
        per_direction=True,
    ),
    Prediction(
        "pcie.lanes",
        "A CPU of AMD's EPYC 9004 series has {{ lanes.lanes_of(PAIR) }} PCIe lanes. Two of them in one server reach each other "
        "over {{ to_the_other_cpu() }} of these lanes on each side. The server shall hold 8 GPUs with {{ lanes_for('gpu') }} "
        "lanes each, 8 NICs (network cards) with {{ lanes_for('nic') }} lanes each, and 4 SSDs with {{ lanes_for('ssd') }} "
        "lanes each. How many lanes are missing?",
        "ratio", lambda: lanes.lanes_asked() - lanes.lanes_of(PAIR, sockets=2),
        "{{ 8 * lanes_for('gpu') }} for the GPUs, {{ 8 * lanes_for('nic') }} for the NICs and {{ 4 * lanes_for('ssd') }} for "
        "the SSDs are {{ lanes.lanes_asked() }}. Each CPU has {{ lanes.lanes_of(PAIR, 2) // 2 }} lanes left for devices, so the "
        "second one has added none: {{ lanes.lanes_of(PAIR, 2) }} in all.",
        slips={
            "that counts all lanes of both CPUs; half of each CPU's lanes lead to the other CPU":
                lambda: lanes.lanes_asked() - 2 * lanes.lanes_of(PAIR),
            "that is what the devices ask for; take off the lanes there are": lanes.lanes_asked,
            "that is what the two CPUs have left, or the answer without the SSDs": lambda: lanes.lanes_of(PAIR, sockets=2),
            "that takes {{ to_the_other_cpu() }} lanes off once; each of the two CPUs gives up as many":
                lambda: lanes.lanes_asked() - lanes.lanes_of(PAIR) - lanes.lanes_of(PAIR, sockets=2) / 2,
            "that is one CPU's share of the two; there are twice as many lanes":
                lambda: lanes.lanes_asked() - lanes.lanes_of(PAIR, sockets=2) / 2,
        },
        unit="lanes", example="20 lanes",
    ),
    Prediction(
        "pcie.uplink",
        "Four GPUs hang below one PCIe switch, each by 16 lanes of PCIe 5. The switch hangs below the CPU by 16 lanes too. With "
        "{{ settings.mps }} bytes of data a packet, 16 lanes carry {{ si(slot.bandwidth(settings.mps), 'B/s') }} of data each "
        "way. All four GPUs send to the CPU's memory at the same time. How many bytes a second does each of them get?",
        "rate", _to_cpu,
        "All four share the 16 lanes above the switch. It has made room for four devices where the CPU had lanes for one; it has "
        "made no lanes towards the CPU.",
        slips={
            "that is what a GPU has to the switch; above it all four share 16 lanes": lambda: slot.bandwidth(settings.mps),
            "that is all four together, if the switch had 64 lanes to the CPU": lambda: _GPUS * slot.bandwidth(settings.mps),
            "that is two GPUs that share; there are four": lambda: slot.bandwidth(settings.mps) / 2,
            "that shares the line rate; packets take their part of it": lambda: slot.line / _GPUS,
        },
        per_direction=True,
    ),
]


def _read_share(nbytes: int, payload: int, header: int) -> float:
    return nbytes / (nbytes + math.ceil(nbytes / payload) * header)


def _cut_finer(read_share) -> str:
    whole, fine = (read_share(4096, payload, short_header) for payload in (settings.mps, 64))
    return (f"With your function: of what a read of 4 KiB brings down, {units.portion(whole)} are data where completions carry "
            f"{settings.mps} bytes, and {units.portion(fine)} on a host that cuts its answers at every 64.")


def _below_one_uplink(each_gets) -> str:
    wire = slot.bandwidth(settings.mps)
    few, many = (each_gets(devices, wire, wire) for devices in (2, 2 * _GPUS))
    return (f"With your function: of the {units.format(wire, 'B/s')} of its own link a GPU gets {units.format(few, 'B/s')} where "
            f"two share an uplink of the same width, and {units.format(many, 'B/s')} where eight do.")


_UPLINK, _SLOT, _PACKETS, _CPU = "the uplink", "a GPU's own slot", "the packets' headers", "the CPU's memory"


def _tight() -> str:
    """The part that the last test of the log is held up by."""
    seen = tested()
    ends = {str(seen.graph.kinds[end]) for edge in seen.bottleneck for end in (seen.graph.src[edge], seen.graph.dst[edge])}
    return _UPLINK if ends == {"pcie-switch", "cpu"} else _SLOT if "gpu" in ends else _CPU


def _of_the_uplink(part) -> str:
    wire, rates = slot.bandwidth(settings.mps), tested().rates
    return (f"It is {part}: the last test's {len(rates)} copies of {units.format(float(rates.min()), 'B/s')} are together what "
            f"its {slot.lanes} lanes carry, {units.format(wire, 'B/s')}. What stays below the switch never sees it.")


# The boxes to choose from: switches, where the NICs are, the uplinks.
_BOXES = {"no switch": (0, box.ON_CPUS, "x16"), "two switches, NICs below them": (2, box.BESIDE, "x16"),
          "four switches, NICs on the CPUs": (4, box.ON_CPUS, "x16"), "four switches, NICs below them": (4, box.BESIDE, "x16")}


def _to_its_nic(name: str) -> float:
    """What every GPU gets to its NIC at once, in bytes a second; zero of a box that lacks lanes."""
    if box.overbooked(*_BOXES[name]):
        return 0.0
    return float(share(box.built(*_BOXES[name]), box.pairs(box.TO_NIC)).rates.min())


def _of_each_box(design) -> str:
    other = next(name for name in _BOXES if 0 < _to_its_nic(name) < _to_its_nic(design))
    refused = [name for name in _BOXES if not _to_its_nic(name)]
    return (f"In “{design}” every GPU sends {units.format(_to_its_nic(design), 'B/s')} to its NIC at once, in “{other}” "
            f"{units.format(_to_its_nic(other), 'B/s')}. The other {len(refused)} lack lanes.")


EXERCISES = [
    Exercise(
        "pcie.read-share",
        "Write read_share: the share of the bytes coming down to a device that are data, when it reads.",
        "read_share",
        _read_share,
        "import math\n\n\n"
        "def read_share(nbytes, payload, header):\n"
        "    packets = math.ceil(nbytes / payload)\n"
        "    return nbytes / (nbytes + packets * header)\n",
        cases=[(512, 256, 20), (4096, 64, 20), (257, 256, 20), (100, 128, 24), (1500, 512, 20)],
        wrong=[
            ("nbytes / (nbytes + header)",
             "That is one packet, however long the read. Its answer comes in packets of at most payload bytes: count them."),
            ("payload / (payload + header)",
             "That is right when every packet is full. The last one may carry little, and has a whole header all the same: "
             "count the packets and round up, with math.ceil."),
            ("nbytes / (nbytes + nbytes // payload * header)",
             "This rounds down: what is left over after the full packets needs a packet too. Round up, with math.ceil."),
            ("-(-nbytes // payload) * header / (nbytes + -(-nbytes // payload) * header)",
             "That is the share of the headers. Asked for is the share of the data."),
            ("1 - -(-nbytes // payload) * header / nbytes",
             "The headers come on top of the data: divide by both together, not by the data alone."),
        ],
        nudge="Count the packets in which the answer comes; each brings its header, the last one too.",
        half="import math\n"
             "\n"
             "\n"
             "def read_share(nbytes, payload, header):\n"
             "    packets = ...\n"
             "    return nbytes / ...\n",
        follows=_cut_finer,
    ),
    Exercise(
        "pcie.each-gets",
        "Write each_gets: what each device below a switch gets when all of them send to the CPU at once.",
        "each_gets",
        lambda devices, wire, uplink: min(wire, uplink / devices),
        "def each_gets(devices, wire, uplink):\n"
        "    return min(wire, uplink / devices)\n",
        cases=[(4, 57.6e9, 57.6e9), (1, 57.6e9, 115.2e9), (2, 14.4e9, 57.6e9), (8, 57.6e9, 115.2e9), (3, 57.6e9, 28.8e9)],
        wrong=[
            ("uplink / devices",
             "That is the share of the uplink. With few devices it is more than a device's own link carries."),
            ("wire", "That is a device's own link. When several send, the uplink is shared: compare the two."),
            ("min(wire, uplink)", "That is one device alone. All of them send at once."),
            ("min(devices * wire, uplink)", "That is what all of them get together. Asked for is each."),
            ("min(wire, uplink) / devices",
             "That shares the device's own link too where it is the thinner one. Share the uplink, then compare the two."),
            ("max(wire, uplink / devices)", "That is the larger of the two limits. Both must be kept: take the smaller one."),
            ("wire / devices", "That shares the device's own link with the others. It has that to itself; it is the uplink that "
                               "all share."),
        ],
        nudge="There are two limits: its own link, and its part of the uplink. Which of them is met first?",
        half="def each_gets(devices, wire, uplink):\n"
             "    part = ...  # of the uplink\n"
             "    return ...(wire, part)\n",
        follows=_below_one_uplink,
    ),
    Exercise(
        "pcie.tight",
        "Set part: which part holds up the last test of the log?",
        "part", _tight, 'part = "the uplink"\n', options=[_SLOT, _PACKETS, _UPLINK, _CPU],
        wrong=[
            (repr(_SLOT), "In the first test the same slot carried four times as much."),
            (repr(_PACKETS), "Headers take their part of every copy alike, of the first test's as well."),
            (repr(_CPU), "Could be, by this log alone: but add up the last line. It is just what sixteen lanes carry."),
        ],
        nudge="Add up what each test moves altogether, and ask which cable all of it passes.",
        half="together = 4 * ...  # the last line of the log\n"
             "alone = ...  # the first line\n"
             "part = ...  # what both have in common\n",
        follows=_of_the_uplink,
    ),
    Exercise(
        "pcie.box",
        "Set design: which box can be built, and lets all eight GPUs send to their NICs at full rate at once?",
        "design", lambda: max(_BOXES, key=_to_its_nic), 'design = "four switches, NICs below them"\n', options=list(_BOXES),
        wrong=[
            ("'no switch'", "Add up the lanes that a CPU must have: four GPUs, four NICs and two SSDs hang on each."),
            ("'two switches, NICs below them'",
             "Nearly: a switch has {{ chip_lanes }} lanes. Add up four GPUs, four NICs, two SSDs and the uplink."),
            ("'four switches, NICs on the CPUs'", "It can be built. But two GPUs share each uplink on their way to the NICs."),
        ],
        nudge="Two questions of each box: has every part the lanes it is asked for, and does the way to a NIC pass an uplink?",
        half="asked = 4 * 16 + 4 * 16 + ...  # lanes below one of two switches, with the uplink\n"
             "design = ...  # none is over, and no uplink on the way\n",
        follows=_of_each_box,
    ),
]


def _what_a_switch_does() -> str:
    needed, has = lanes.lanes_asked(), lanes.lanes_of(PAIR, sockets=2)
    direct, switched = (catalog.figure(f"p2p-{way}-switch").si for way in ("no", "one"))
    together = [units.format(_slowest_copy(switches), "B/s") for switches in (0, 4)]
    return (f"It solves the lack of lanes: {needed} are asked for and {has} are there, and below switches all devices have "
            f"their full width. It makes no lanes towards the CPU: four GPUs that share 16 of them get "
            f"{units.format(_to_cpu(), 'B/s')} each. And a copy between two GPUs is no faster through it: "
            f"{units.format(direct, 'B/s')} were measured without a switch, {units.format(switched, 'B/s')} below one on "
            f"another machine. With all eight GPUs copying to all, the slowest copy falls from {together[0]} to {together[1]} "
            "below four switches. What it does speed up is traffic that stays below it, such as from a GPU to the NIC beside "
            "it: that no longer shares anything.")


VERDICTS = [Verdict("g", "holds with a qualification", _what_a_switch_does)]
