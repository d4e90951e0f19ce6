"""What made NVLink faster, what a switch buys one pair of GPUs, and what it means that the switch adds."""

from fabriclib import catalog, units
from fabriclib.collectives import algbw
from fabriclib.collectives.busbw import factor
from fabriclib.flows import one_pair, share
from fabriclib.topology import Cables, Graph, server

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    GPUS,
    H100,
    KEPT,
    NEW,
    OLD,
    PER_SWITCH,
    SPLITS,
    all_reduce_seconds,
    copies,
    left_of_a_pair,
    nvls_busbw,
    port_rate,
    whole,
)


def through_switches(sender, receiver, link_rate: float) -> float:
    """Return what one GPU sends to another whose links, so many to each switch, are the other list."""
    nodes = {"gpu0": "gpu", "gpu1": "gpu"} | {f"switch{i}": "switch" for i in range(len(sender))}
    cables = [Cables([gpu], [2 + i], H100, many)
              for gpu, ends in enumerate((sender, receiver)) for i, many in enumerate(ends) if many]
    return float(share(Graph.wired("two GPUs", nodes, cables), one_pair(2)).rates[0]) / H100.bandwidth() * link_rate


PREDICTIONS = [
    Prediction(
        "nvlink.lane",
        "From NVLink 1 (P100, 2016) to NVLink 5 (B200, 2024) the rate of a GPU grew {{ digits(whole(NEW) / whole(OLD), 4) }} "
        "times, from {{ digits(whole(OLD) / units.GB, 3) }} to {{ si(whole(NEW), 'B/s') }} one way. Its links became more: "
        "{{ NEW.per_device }} instead of {{ OLD.per_device }}. By what factor did the raw rate of one lane grow?",
        "ratio", lambda: NEW.lane_rate / OLD.lane_rate,
        "From {{ digits(raw_gbps(OLD), 4) }} to {{ digits(raw_gbps(NEW), 4) }} Gb/s. The links became more, but each became "
        "narrower: from {{ OLD.lanes }} lanes to {{ NEW.lanes }}. So a GPU has {{ NEW.per_device * NEW.lanes }} lanes where it "
        "had {{ OLD.per_device * OLD.lanes }}: nearly the same number of wires, each ten times as fast.",
        slips={
            "that is the growth of the whole GPU; the number of lanes grew a little too, and the line code took a little":
                lambda: whole(NEW) / whole(OLD),
            "that is the lane after its line code; the raw rate grew a little more":
                lambda: NEW.lane_rate * NEW.code_rate / OLD.lane_rate,
            "that gives the number of links all they grew by; but each link lost lanes in the meantime":
                lambda: NEW.bandwidth() / OLD.bandwidth(),
            "that is how many more links there are": NEW.per_device / OLD.per_device,
        },
    ),
    Prediction(
        "nvlink.direct",
        "Eight GPUs have {{ H100.per_device }} links each; a link carries {{ si(H100.line, 'B/s') }} one way. There is no "
        "switch: each GPU's links are split over the seven others. At what rate does one GPU copy to another, averaged over all "
        "pairs?",
        "rate", lambda: whole(H100) / (GPUS - 1),
        "{{ H100.per_device }} links over 7 neighbours are {{ digits(H100.per_device / 7, 3) }} links a pair. As links cannot be "
        "cut, four neighbours get three and three get two: {{ digits(3 * H100.line / units.GB, 3) }} or "
        "{{ si(2 * H100.line, 'B/s') }}. The other fifteen or sixteen links wait while the two talk.",
        slips={
            "that is all {{ H100.per_device }} links, and most of them lead elsewhere": lambda: whole(H100),
            "that spreads the links over eight GPUs; no link leads from a GPU to itself": lambda: whole(H100) / GPUS,
            "that is a pair with two links; some have three": lambda: H100.bundle(2).bandwidth(),
            "that is a pair with three links; some have two": lambda: H100.bundle(3).bandwidth(),
        },
        per_direction=True,
    ),
    Prediction(
        "nvlink.busbw",
        "Eight H100 add up with NVLS. Suppose every GPU really moves {{ si(whole(H100), 'B/s') }} out and "
        "{{ si(whole(H100), 'B/s') }} in, all that its wire can. Which busbw does the benchmark print?",
        "rate", lambda: nvls_busbw(whole(H100)),
        "Each GPU moves 9/8 of the buffer each way, so n / T is 8/9 of {{ digits(whole(H100) / units.GB, 3) }}: "
        "{{ si(8 / 9 * whole(H100), 'B/s') }} of algbw. The benchmark multiplies by 2 x 7/8, as if a ring had done it, and "
        "prints {{ digits(nvls_busbw(whole(H100)) / units.GB, 3) }}.",
        slips={
            "so it would be with a ring; but here 9/8 of the buffer is sent and 14/8 are counted": lambda: whole(H100),
            "that adds up both directions; they are used at the same time, for the same buffer": lambda: 2 * whole(H100),
            "upside down: 9/8 of a buffer take more time than one, so algbw is 8/9 of {{ digits(whole(H100) / units.GB, 3) }}":
                lambda: 9 / 8 * whole(H100),
            "that is algbw, the buffer over the time; busbw is 2 (p - 1)/p times that":
                lambda: algbw(1.0, all_reduce_seconds("nvls", GPUS, whole(H100), 1.0)),
            "that sends each buffer once; 1/8 of it, the GPU's own share, is sent a second time":
                lambda: factor("all_reduce", GPUS) * whole(H100),
        },
    ),
]

def _of_every_server(worst_pair) -> str:
    rates = {gpus: units.format(worst_pair(H100.per_device, gpus, H100.line), "B/s") for gpus in (2, 4, 8, 16)}
    return ("With your function, the links of an H100 laid directly: " + ", ".join(
        f"{rate} for the worst pair of {gpus}" for gpus, rate in rates.items()) + ". Through switches it stays the same.")


def _with_a_switch_lost(pair_rate) -> str:
    whole_, lost = (units.format(pair_rate(PER_SWITCH, there, H100.line), "B/s") for there in (PER_SWITCH, [0, *PER_SWITCH[1:]]))
    return (f"With your function: a pair of this server gets {whole_} through its {len(PER_SWITCH)} switches, and {lost} if the "
            "receiver has lost its links to the first of them.")


def _first(gpus, in_ring, in_switch) -> str:
    ring, switch = (all_reduce_seconds(way, gpus, rate, 1.0) for way, rate in (("ring", in_ring), ("nvls", in_switch)))
    return "switch" if switch < ring else "ring"


def _from_how_many(who_adds) -> str:
    ports = port_rate("ring", GPUS), port_rate("nvls", GPUS)
    fewest = next(gpus for gpus in range(2, GPUS + 1) if who_adds(gpus, *ports) == "switch")
    ring, switch = (units.format(rate, "B/s") for rate in ports)
    return (f"With your function: at the {ring} and {switch} that ports of an H200 moved, the switch is first from {fewest} GPUs "
            f"on. With {fewest - 1} NCCL picked a ring by itself.")


def _survives() -> str:
    return next(split for split in SPLITS if left_of_a_pair(split) >= KEPT * whole(H100))


def _after_the_loss(design) -> str:
    told = ", ".join(f"{units.format(left_of_a_pair(split), 'B/s')} with {split}" for split in SPLITS if split != design)
    return (f"After the loss the worst pair gets {units.format(left_of_a_pair(design), 'B/s')} with {design}, one way; it would "
            f"be {told}. The more switches, the less is lost with one.")


EXERCISES = [
    Exercise(
        "nvlink.worst-pair",
        "Write worst_pair: what the pair with the fewest links gets, one way, when GPUs are wired directly.",
        "worst_pair",
        lambda links, gpus, link_rate: links // (gpus - 1) * link_rate,
        "def worst_pair(links, gpus, link_rate):\n"
        "    whole = links // (gpus - 1)\n"
        "    return whole * link_rate\n",
        cases=[(18, 8, 25 * units.GB), (18, 4, 25 * units.GB), (12, 8, 25 * units.GB), (6, 4, 25 * units.GB),
               (6, 8, 25 * units.GB)],
        wrong=[
            ("links / (gpus - 1) * link_rate",
             "That is the average over all pairs. But no link can be cut in two: how many whole ones has the worst pair?"),
            ("links // gpus * link_rate", "No link leads from a GPU to itself: split the links over gpus - 1 others."),
            ("links * link_rate", "That is all links of the GPU. Without a switch most of them lead to other GPUs."),
            ("-(-links // (gpus - 1)) * link_rate", "That is the best pair, which got one of the links left over. Round down."),
            ("2 * (links // (gpus - 1)) * link_rate", "That counts both directions; asked for is one."),
            ("links // (gpus - 1)", "That is the number of links. Each carries link_rate."),
        ],
        nudge="Share the links out as one deals cards: some get one more. How many does the one who gets least hold?",
        half="def worst_pair(links, gpus, link_rate):\n"
             "    others = gpus - 1\n"
             "    fewest = ...  # whole links only\n"
             "    return ...\n",
        follows=_of_every_server,
    ),
    Exercise(
        "nvlink.through-switches",
        "Write pair_rate: what one GPU sends to another through several switches, one way.",
        "pair_rate",
        through_switches,
        "def pair_rate(sender, receiver, link_rate):\n"
        "    links = sum(min(up, down) for up, down in zip(sender, receiver))\n"
        "    return links * link_rate\n",
        cases=[([5, 5, 4, 4], [5, 5, 4, 4], 25 * units.GB), ([5, 5, 4, 4], [4, 4, 5, 5], 25 * units.GB),
               ([5, 5, 4, 4], [5, 5, 4, 0], 25 * units.GB), ([1] * 18, [1] * 18, 50 * units.GB)],
        wrong=[
            ("max(sender) * link_rate",
             "That takes one switch only. A copy is cut into small pieces that go over all switches at once: add them up."),
            ("sum(sender) * link_rate",
             "That is what the sender can send. But what enters a switch must leave it: how many links has the receiver there?"),
            ("min(sum(sender), sum(receiver)) * link_rate",
             "That compares the two sums. But nothing passes from switch to switch: compare at each switch, then add."),
            ("sum(sender) / len(sender) * link_rate",
             "That is what an average switch carries. All of them work at once: do not divide."),
            ("2 * sum(min(a, b) for a, b in zip(sender, receiver)) * link_rate",
             "That counts both directions; a copy goes one way."),
            ("sum(min(a, b) for a, b in zip(sender, receiver))", "That is the number of links. Each carries link_rate."),
        ],
        nudge="Look at one switch alone: how much can enter it, and how much can leave it? Then add up the switches.",
        half="def pair_rate(sender, receiver, link_rate):\n"
             "    links = 0\n"
             "    for up, down in zip(sender, receiver):\n"
             "        links += ...  # what this switch passes on\n"
             "    return ...\n",
        follows=_with_a_switch_lost,
    ),
    Exercise(
        "nvlink.nvls",
        "Write who_adds: by which way the sum of so many GPUs is ready first, 'ring' or 'switch', if a port moves so much each "
        "way in a ring, and so much when the switch adds.",
        "who_adds",
        lambda gpus, in_ring, in_switch: _first(gpus, in_ring, in_switch),
        "def who_adds(gpus, in_ring, in_switch):\n"
        "    ring = 2 * (gpus - 1) / gpus / in_ring\n"
        "    switch = (1 + 1 / gpus) / in_switch\n"
        "    return 'switch' if switch < ring else 'ring'\n",
        cases=[(gpus, ring * units.GB, switch * units.GB) for gpus, ring, switch in (
            (8, 366, 304), (4, 366, 304), (5, 366, 304), (2, 450, 450), (3, 400, 450), (72, 450, 250), (8, 450, 250),
            (2, 300, 460), (4, 300, 460))],
        wrong=[
            ("'switch'", "Not always: with two GPUs it sends more than a ring, and its port may move less."),
            ("'switch' if in_switch > in_ring else 'ring'",
             "That compares what the ports move. Who has fewer bytes to send may be ready first at a lower rate."),
            ("'switch' if gpus > 3 else 'ring'",
             "That counts bytes alone: right while a port moves as much either way. Here the two differ: a time is bytes over a "
             "rate."),
            ("'switch' if 1 / in_switch < 2 * (gpus - 1) / gpus / in_ring else 'ring'",
             "Nearly. Besides its buffer each GPU sends its share of the sum, 1/p of a buffer, to the switch."),
            ("'switch' if (1 + 1 / gpus) / in_switch < 2 / in_ring else 'ring'",
             "Nearly. In a ring a GPU does not send two buffers but 2 (p - 1)/p of one."),
            ("'switch' if (1 + 1 / gpus) * in_switch < 2 * (gpus - 1) / gpus * in_ring else 'ring'",
             "Upside down: a higher rate takes less time. Divide the buffers by the rate."),
            ("'ring' if (1 + 1 / gpus) / in_switch < 2 * (gpus - 1) / gpus / in_ring else 'switch'",
             "The times are right, and you name the slower one."),
        ],
        nudge="Count what goes out of one port, in buffers, either way. Which has its bytes out first, each at its own rate?",
        half="def who_adds(gpus, in_ring, in_switch):\n"
             "    ring = 2 * (gpus - 1) / gpus / in_ring  # seconds, for a buffer of one byte\n"
             "    switch = ... / in_switch\n"
             "    return ...\n",
        follows=_from_how_many,
    ),
    Exercise(
        "nvlink.survives",
        "Set design: in which one does every pair keep {{ portion(KEPT) }} of what a GPU can send, whichever switch is lost?",
        "design", _survives, 'design = "eighteen switches"\n', options=list(SPLITS),
        wrong=[
            ("'no switch'", "There is no switch to lose. But a pair has two or three links, and never had more."),
            ("'one switch'", "All links of all GPUs end in that switch: without it no pair has any."),
            ("'two switches'", "Half of all links go to the lost one, so a pair keeps half."),
            ("'four switches'", "{{ PER_SWITCH | max }} of {{ PER_SWITCH | sum }} links go to the largest: "
                                "{{ si(left_of_a_pair('four switches'), 'B/s') }} are left, "
                                "{{ portion(left_of_a_pair('four switches') / whole(H100)) }}."),
        ],
        nudge="A copy is striped over all switches: take away the links to one of them, and see which share is left.",
        half="links = [5, 5, 4, 4]  # of a GPU, to each switch\n"
             "left = sum(links) - ...  # the switch that hurts most is gone\n"
             "design = ...  # where left is still large enough\n",
        follows=_after_the_loss,
    ),
]


def _links_and_lanes() -> str:
    copies = [figure.value for figure in catalog.figures(H100.id, "measured copy")]
    rate = whole(H100)
    lane = f"{units.format(H100.lane_rate * H100.code_rate, 'B/s')} (its raw rate less the line code)"
    return (f"{H100.per_device} links x {H100.lanes} lanes x {lane} are {units.format(rate, 'B/s')} each way and "
            f"{units.format(2 * rate, 'B/s')} both ways added up. A copy goes one way, and was measured at "
            f"{min(copies):.0f} GB/s (H100) and {max(copies):.0f} (H200, the same links): less than half of the "
            f"{2 * rate / units.GB:.0f}.")


def _through_the_switches() -> str:
    box = server("hgx-h100")
    fewest = H100.per_device // (GPUS - 1)
    low, high = (units.format(H100.bundle(links).bandwidth(), "B/s") for links in (fewest, fewest + 1))
    ends = [rate / units.GB for rate in copies(H100)]
    split = " + ".join(map(str, PER_SWITCH))
    pair = units.format(share(box, one_pair(GPUS)).total, "B/s")
    return (f"{len(PER_SWITCH)} of them: a GPU's {sum(PER_SWITCH)} links go {split}. So any pair can use all its links, {pair} "
            f"one way, where the same links laid directly would give it {low} or {high}. Measured: {ends[0]:.0f} to "
            f"{ends[1]:.0f} GB/s, all {GPUS * (GPUS - 1)} pairs nearly alike.")


VERDICTS = [Verdict("b", "holds", _links_and_lanes), Verdict("c", "holds", _through_the_switches)]
