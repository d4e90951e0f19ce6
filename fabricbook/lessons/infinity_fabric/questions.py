"""Eight GPUs in a full mesh; what one pair gets of it, what one ring, and what all of them together."""

from fabriclib import catalog, units
from fabriclib.collectives import collective_time
from fabriclib.flows import all_to_all, share
from fabriclib.topology import disjoint_rings

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import GPUS, GRADIENT, LOGGED, MESH, RACK, SWITCH, all_links, bus_rate, h100, log_of_a_sum, mi350x, pair_rate, summed

PREDICTIONS = [
    Prediction(
        "infinity_fabric.pair",
        "A datasheet says: MI300X, Infinity Fabric, {{ si(2 * all_links.bandwidth(), 'B/s') }} per GPU. Each of eight GPUs has "
        "seven links, one to every other. You copy a large buffer from one MI300X to another. At what rate does it arrive, at "
        "the very best?",
        "rate", lambda: pair_rate(MESH),
        "Of the seven links one leads to that neighbour. {{ digits(2 * all_links.bandwidth() / units.GB, 3) }} / {{ GPUS - 1 }} "
        "= {{ si(2 * one_link.bandwidth(), 'B/s') }} is what this link carries both ways, and a copy goes one way. The other "
        "six links cannot help, unless the copy makes detours.",
        slips={
            "that is all seven links in one direction, and six of them lead elsewhere": all_links.bandwidth,
            "that is the headline: all seven links, both directions": lambda: 2 * all_links.bandwidth(),
            "that counts both directions, and a link for each of eight GPUs; there are seven others":
                lambda: 2 * all_links.bandwidth() / GPUS,
            "that spreads the sum over eight GPUs; a GPU has a link to each of the seven others":
                lambda: all_links.bandwidth() / GPUS,
        },
        per_direction=True,
    ),
    Prediction(
        "infinity_fabric.one-ring",
        "Lesson {{ number('start_here') }} again: eight GPUs hold {{ si(GRADIENT) }} each and add them up in a ring. Eight H100 "
        "took {{ si(summed(SWITCH, 1), 's', 2) }} for it. "
        "Now eight MI300X, in one ring, everyone sending to the next only. How long?",
        "time", lambda: summed(MESH, 1),
        "Each GPU still sends {{ si(RING.counts().sent * GRADIENT) }}, but to one neighbour: over one link, at "
        "{{ si(pair_rate(MESH), 'B/s') }}. The other six do nothing.",
        slips={
            "that takes all seven links for one neighbour; in one ring each GPU sends over one of them":
                lambda: summed(MESH, GPUS - 1),
            "that sends the buffer once; a ring all-reduce sends nearly twice the buffer":
                lambda: GRADIENT / pair_rate(MESH),
            "nearly: a GPU sends 2 x 7/8 of the buffer, not all of it twice": lambda: 2 * GRADIENT / pair_rate(MESH),
        },
        per_direction=True,
    ),
    Prediction(
        "infinity_fabric.rings",
        "Cut the buffer into parts and send each part round another ring of all eight GPUs, all at once. How many such rings fit "
        "on the mesh, if no two may send over the same link in the same direction?",
        "ratio", lambda: len(disjoint_rings(MESH)),
        "Each ring leaves every GPU over one link, and a GPU has seven: there cannot be more than seven. That seven really fit "
        "is not obvious; with 4 or 6 GPUs one of them is impossible (Tillson, 1980).",
        slips={
            "that would be right if a link could carry one direction only; it carries both at once, so two rings may pass "
            "over it in opposite directions": (GPUS - 1) // 2,
            "that counts the links; each ring uses eight of them, in one direction": GPUS * (GPUS - 1) // 2,
            "that divides {{ MESH.count.sum() // 2 }} links by the eight of a ring, but a link carries both directions at once, "
            "a ring in each":
                (GPUS - 1) / 2,
            "those are the links, each direction by itself; a ring uses eight of them": GPUS * (GPUS - 1),
            "that counts the GPUs; each has only seven links, and a ring needs one to leave it": GPUS,
        },
        unit="rings", example="2 rings",
    ),
]

def _other_datasheet(theirs) -> str:
    two, four, eight = (theirs(2 * all_links.bandwidth(), GPUS, group) for group in (2, 4, GPUS))
    newer = theirs(2 * mi350x.bundle(mi350x.per_device).bandwidth(), GPUS, 2)
    return (f"With your function: an MI300X can send {units.format(two, 'B/s')} in a group of two, {units.format(four, 'B/s')} "
            f"in one of four and {units.format(eight, 'B/s')} among all eight; two MI350X get {units.format(newer, 'B/s')}, and "
            f"two H100 behind switches {units.format(pair_rate(SWITCH), 'B/s')}.")


def _of_a_rack(theirs) -> str:
    return (f"With your function: {theirs(GPUS)} links join {GPUS} GPUs, {theirs(RACK):,.0f} would join the {RACK} of a rack, "
            f"and each GPU would need {RACK - 1} of them. So a rack has switches.")


def _of_a_gradient(theirs) -> str:
    mesh, switch = theirs(GRADIENT, GPUS, pair_rate(MESH), h100.bandwidth())
    return (f"With your function: an all-to-all of {units.format(GRADIENT)} takes {units.format(mesh, 's')} on the mesh and "
            f"{units.format(switch, 's')} through the switches: as near as that, where a pair is "
            f"{pair_rate(SWITCH) / pair_rate(MESH):.1f} times apart.")


_RINGS = {"seven rings": 7, "five rings: a cable is broken": 5, "one ring": 1}
_SWITCHES = "switches that add"


def _in_the_log() -> str:
    """How many rings print what the log says."""
    printed = [float(rate) * units.GB for rate in log_of_a_sum()["busbw (GB/s)"]]
    return min(_RINGS, key=lambda name: abs(bus_rate(_RINGS[name], LOGGED[-1]) - printed[-1]))


def _of_the_log(ran) -> str:
    lost = summed(MESH, 1) - summed(MESH, GPUS - 1)
    seven, five = (units.format(bus_rate(rings, LOGGED[-1]), "B/s") for rings in (7, 5))
    return (f"It was {ran}; seven would have printed {seven}, and five {five}. For each sum of {units.format(GRADIENT)} the "
            f"job waits {units.format(lost, 's')} longer than it need, at line rate.")


EXERCISES = [
    Exercise(
        "infinity_fabric.group-rate",
        "Write group_rate: what a GPU can send to the others of its group, one way, in a full mesh whose datasheet says "
        "total_both_ways for a GPU.",
        "group_rate",
        lambda total_both_ways, gpus, group: total_both_ways / 2 * (group - 1) / (gpus - 1),
        "def group_rate(total_both_ways, gpus, group):\n"
        "    one_link = total_both_ways / 2 / (gpus - 1)\n"
        "    return (group - 1) * one_link\n",
        cases=[(896 * units.GB, 8, 2), (896 * units.GB, 8, 4), (1075.2 * units.GB, 8, 8), (300 * units.GB, 4, 2)],
        wrong=[
            ("total_both_ways * (group - 1) / (gpus - 1)",
             "That counts both directions of the links. What a GPU sends goes one way."),
            ("total_both_ways / 2", "That is one direction of all links. Most of them lead out of a small group."),
            ("total_both_ways / 2 / (gpus - 1)", "That is one link: right for a group of two. To how many others does it send?"),
            ("total_both_ways / 2 * group / gpus",
             "Nearly. No link leads from a GPU to itself: count the others, of the group and of the machine."),
            ("total_both_ways / 2 / (group - 1)",
             "The links were laid for the whole machine: a small group does not get those that lead elsewhere."),
            ("total_both_ways / 2 * (group - 1) / gpus", "Nearly. A GPU has one link for each of the gpus - 1 others."),
            ("total_both_ways", "That is the datasheet's sum: all links, both directions. How much leads into the group?"),
        ],
        nudge="First one link: what does it carry one way? Then count the links that stay inside the group.",
        half="def group_rate(total_both_ways, gpus, group):\n"
             "    one_link = total_both_ways / 2 / ...\n"
             "    return ... * one_link\n",
        follows=_other_datasheet,
    ),
    Exercise(
        "infinity_fabric.cables",
        "Write cables: how many links it takes to join so many GPUs, every one to every other.",
        "cables",
        lambda gpus: gpus * (gpus - 1) // 2,
        "def cables(gpus):\n    return gpus * (gpus - 1) // 2\n",
        cases=[(GPUS,), (4,), (2,), (RACK,)],
        wrong=[
            ("gpus * (gpus - 1)", "That counts every link twice, once from each end."),
            ("gpus * gpus", "That counts every link from both ends, and gives each GPU one to itself."),
            ("gpus * (gpus + 1) // 2", "Each GPU has a link to each of the others: one fewer than there are GPUs, not one more."),
            ("7 * gpus / 2", "Seven are the others of eight GPUs. How many others are there among gpus?"),
            ("gpus * gpus / 2", "That gives each GPU a link to itself as well."),
            ("gpus - 1", "Those are the links of one GPU. Add them up over all GPUs, and mind that a link has two ends."),
            ("gpus", "That closes a ring. In a full mesh each GPU has a link to each of the others."),
        ],
        nudge="Count the ends of all links first: how many has each GPU? And how many ends has a link?",
        half="def cables(gpus):\n"
             "    ends = gpus * ...\n"
             "    return ...\n",
        follows=_of_a_rack,
    ),
    Exercise(
        "infinity_fabric.all-to-all",
        "Write all_to_all_seconds: the time on a mesh and the time through a switch, as two numbers.",
        "all_to_all_seconds",
        lambda nbytes, gpus, pair_rate, port_rate: (
            nbytes / gpus / pair_rate,
            collective_time("all_to_all", "direct", nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / port_rate)),
        "def all_to_all_seconds(nbytes, gpus, pair_rate, port_rate):\n"
        "    piece = nbytes / gpus\n"
        "    mesh = piece / pair_rate\n"
        "    switch = (gpus - 1) * piece / port_rate\n"
        "    return mesh, switch\n",
        cases=[(8 * units.GB, 8, 64 * units.GB, 450 * units.GB), (units.GiB, 4, 50 * units.GB, 300 * units.GB),
               (14 * units.GB, 2, 64 * units.GB, 450 * units.GB)],
        wrong=[
            ("(gpus - 1) * nbytes / gpus / pair_rate, (gpus - 1) * nbytes / gpus / port_rate",
             "The switch is right. On the mesh this sends one piece after the other; each piece has a link of its own, so all go "
             "at once."),
            ("nbytes / gpus / pair_rate, nbytes / gpus / port_rate",
             "The mesh is right. At the switch all the pieces leave through the same port: it carries gpus - 1 of them."),
            ("nbytes / gpus / pair_rate, nbytes / port_rate",
             "The mesh is right. At the switch: a GPU keeps the piece meant for itself, so it sends gpus - 1 pieces, not gpus."),
            ("(gpus - 1) * nbytes / gpus / port_rate, nbytes / gpus / pair_rate",
             "Both are right, in the wrong order: first the mesh, then the switch."),
            ("nbytes / gpus / pair_rate", "The mesh is right. Return two numbers: return mesh, switch."),
            ("nbytes / (gpus - 1) / pair_rate, nbytes / port_rate",
             "There are gpus pieces: one is for the GPU itself, and that one is not sent."),
            ("nbytes / pair_rate, nbytes / port_rate",
             "This sends the whole buffer to everybody. In an all-to-all each gets a piece of its own, nbytes / gpus."),
            ("nbytes / gpus / (2 * pair_rate), (gpus - 1) * nbytes / gpus / (2 * port_rate)",
             "Both rates are those of one direction already. What comes in does not make what goes out any faster."),
        ],
        nudge="One piece a GPU: on the mesh each has a link of its own; at the switch all that leave share one port.",
        half="def all_to_all_seconds(nbytes, gpus, pair_rate, port_rate):\n"
             "    piece = nbytes / gpus\n"
             "    mesh = ...  # one piece over one link\n"
             "    switch = ...  # how many pieces through one port?\n"
             "    return mesh, switch\n",
        follows=_of_a_gradient,
    ),
    Exercise(
        "infinity_fabric.log",
        "Set ran: what ran when the log was printed?",
        "ran", _in_the_log, 'ran = "one ring"\n', options=[*_RINGS, _SWITCHES],
        wrong=[
            ("'seven rings'",
             "Seven rings use all links of a GPU: divide what the log prints by what one link carries, one way."),
            ("'five rings: a cable is broken'",
             "A cable less stops two rings, one in each direction. The log shows far less than five sevenths."),
            ("'switches that add'", "There is no switch in this machine. And switches that add print more than a ring."),
        ],
        nudge="busbw is what a ring sends out of each GPU. How many links' worth of it does the log show?",
        half="one_link = ...  # GB/s, one way\n"
             "links_at_work = ... / one_link  # what the log prints, over one link\n"
             "ran = ...\n",
        follows=_of_the_log,
    ),
]


def _alike() -> str:
    machines = (MESH, SWITCH)
    pair, every = map(pair_rate, machines), (share(machine, all_to_all(GPUS)).total for machine in machines)
    rates = [units.format(rate, "B/s") for rate in (*pair, *every)]
    times = [units.format(summed(machine, GPUS - 1), "s") for machine in machines]
    sums = ("mi300x-eight-busbw", "nvlink4-ring-busbw", "nvlink4-nvls-busbw")
    got = [units.format(catalog.figure(id).si, "B/s") for id in sums]
    return (f"Both figures add up all links and both directions. One pair gets {rates[0]} on the mesh and {rates[1]} through "
            f"the switches, {pair_rate(SWITCH) / pair_rate(MESH):.1f} times as much. Only when all eight talk to all the others "
            f"are the two alike: {rates[2]} and {rates[3]} together, and {units.format(GRADIENT)} are summed in {times[0]} (over "
            f"seven rings) and {times[1]}. And that is at line rate: measured sums reach {got[0]} on the mesh, and through the "
            f"switches {got[1]} in a ring and {got[2]} where they add.")


def _connected() -> str:
    direct = len({*zip(MESH.src.tolist(), MESH.dst.tolist(), strict=True)}) // 2
    part = all_links.bandwidth() / pair_rate(MESH)
    return (f"{MESH.count.sum() // 2} links join {direct} pairs: every GPU reaches every other in one hop, without a switch. "
            f"Connected is not fast, though: a pair has 1/{part:.0f} of what a GPU can send.")


VERDICTS = [Verdict("d", "misleads", _alike), Verdict("e", "holds", _connected)]
