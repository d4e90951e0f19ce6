"""Eight GPUs in a full mesh; what one pair gets of it, what one ring, and what all of them together."""

from fabriclib import catalog, units
from fabriclib.collectives import collective_time, schedule
from fabriclib.flows import all_to_all, one_pair, share
from fabriclib.links import link
from fabriclib.topology import disjoint_rings, server

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict

GPUS = 8
GRADIENT = 7e9 * 2  # bytes: the model of 7 billion parameters that lesson 00 summed up
MESH, SWITCH = server("mi300x"), server("hgx-h100")


def summed(machine, channels: int) -> float:
    """Return the seconds a ring all-reduce of lesson 00's gradient takes on a machine, over so many rings at once."""
    return schedule("all_reduce", "ring", ranks=GPUS).time_on(machine, GRADIENT, channels=channels)


def pair_rate(machine) -> float:
    """Return the bytes per second that a copy from one GPU to another gets of a machine that is idle otherwise."""
    return share(machine, one_pair(GPUS)).total


def _all_links() -> float:
    one = link("xgmi-mi300x")
    return one.bundle(one.per_device).bandwidth()


PREDICTIONS = [
    Prediction(
        "infinity_fabric.pair",
        "A datasheet says: MI300X, Infinity Fabric, 896 GB/s per GPU. Each of eight GPUs has seven links, one to every other. "
        "You copy a large tensor from one MI300X to another. At what rate does it arrive, at the very best?",
        "rate", lambda: pair_rate(MESH),
        "Of the seven links one leads to that neighbour. 896 / 7 = 128 GB/s is what this link carries both ways, and a copy goes "
        "one way. The other six links cannot help, unless the copy makes detours.",
        slips={
            "that is all seven links in one direction, and six of them lead elsewhere": _all_links,
            "that is the headline: all seven links, both directions": lambda: 2 * _all_links(),
            "that counts both directions, and a link for each of eight GPUs; there are seven others":
                lambda: 2 * _all_links() / GPUS,
            "that spreads the sum over eight GPUs; a GPU has a link to each of the seven others": lambda: _all_links() / GPUS,
        },
        per_direction=True,
    ),
    Prediction(
        "infinity_fabric.one-ring",
        "Lesson 00 again: eight GPUs hold 14 GB each and add them up in a ring. Eight H100 took 54 ms for it. "
        "Now eight MI300X, in one ring, everyone sending to the next only. How long?",
        "time", lambda: summed(MESH, 1),
        "Each GPU still sends 24.5 GB, but to one neighbour: over one link, at 64 GB/s. The other six do nothing.",
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
            "that divides 28 links by the eight of a ring, but a link carries both directions at once, a ring in each":
                (GPUS - 1) / 2,
            "those are the links, each direction by itself; a ring uses eight of them": GPUS * (GPUS - 1),
            "that counts the GPUs; each has only seven links, and a ring needs one to leave it": GPUS,
        },
        unit="rings", example="2 rings",
    ),
]

EXERCISES = [
    Exercise(
        "infinity_fabric.pair-rate",
        "Write pair_rate: what one pair gets, one way, in a full mesh of so many GPUs whose datasheet says total_both_ways.",
        "pair_rate",
        lambda total_both_ways, gpus: total_both_ways / 2 / (gpus - 1),
        "def pair_rate(total_both_ways, gpus):\n"
        "    one_way = total_both_ways / 2\n"
        "    return one_way / (gpus - 1)\n",
        cases=[(896 * units.GB, 8), (1075.2 * units.GB, 8), (300 * units.GB, 4)],
        wrong=[
            ("total_both_ways / (gpus - 1)", "That is one link, but both directions of it. A copy goes one way."),
            ("total_both_ways / 2", "That is one direction of all links. Only one of them leads to the other GPU of the pair."),
            ("total_both_ways / 2 / gpus", "Nearly. No link leads from a GPU to itself: it has one for each of the others."),
            ("total_both_ways / 2 / (gpus * (gpus - 1) / 2)",
             "The total is that of one GPU. Divide it over that GPU's links, not over all links of the machine."),
            ("total_both_ways / gpus", "That counts both directions, and a link to the GPU itself. A copy goes one way, and "
                                       "there are gpus - 1 others."),
            ("total_both_ways", "That is the datasheet's sum: all links, both directions. How much leads to one GPU, one way?"),
        ],
    ),
    Exercise(
        "infinity_fabric.cables",
        "Write cables: how many links it takes to join so many GPUs, every one to every other.",
        "cables",
        lambda gpus: gpus * (gpus - 1) // 2,
        "def cables(gpus):\n    return gpus * (gpus - 1) // 2\n",
        cases=[(8,), (4,), (2,), (72,)],
        wrong=[
            ("gpus * (gpus - 1)", "That counts every link twice, once from each end."),
            ("gpus * gpus", "That counts every link from both ends, and gives each GPU one to itself."),
            ("gpus * (gpus + 1) // 2", "Each GPU has a link to each of the others: one fewer than there are GPUs, not one more."),
            ("7 * gpus / 2", "Seven are the others of eight GPUs. How many others are there among gpus?"),
            ("gpus * gpus / 2", "That gives each GPU a link to itself as well."),
            ("gpus - 1", "Those are the links of one GPU. Add them up over all GPUs, and mind that a link has two ends."),
            ("gpus", "That closes a ring. In a full mesh each GPU has a link to each of the others."),
        ],
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
    part = _all_links() / pair_rate(MESH)
    return (f"{MESH.count.sum() // 2} links join {direct} pairs: every GPU reaches every other in one hop, without a switch. "
            f"Connected is not fast, though: a pair has 1/{part:.0f} of what a GPU can send.")


VERDICTS = [Verdict("d", "misleads", _alike), Verdict("e", "holds", _connected)]
