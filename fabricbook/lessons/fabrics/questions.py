"""How many switches GPUs need, what a rail is, and what rails do to a ring and an all-to-all."""

from fabriclib import units
from fabriclib.collectives import Level, collective_time
from fabriclib.links import link
from fabriclib.topology import fabric_counts

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BY_RAIL,
    DESIGNS,
    GPUS,
    GRADIENT,
    NVLINK,
    OFFERS,
    PLANS,
    SIZE,
    THIN,
    cables_up,
    job_seconds,
    joined,
    nic,
    port,
    seconds,
    sent,
    without_a_leaf,
)

_RING, _, _FLAT, _PXN = PLANS


def _ring(rings: int) -> float:
    return seconds(_RING, BY_RAIL, SIZE, rings, GRADIENT)


def _thin_ratio() -> float:
    flat, by_rail = (seconds(plan, BY_RAIL, THIN, SIZE, units.GiB) for plan in (_FLAT, _PXN))
    return flat / by_rail


PREDICTIONS = [
    Prediction(
        "fabrics.switches",
        "1,024 GPUs, each with one port of {{ si(8 * port, 'b/s') }}. Switches have 64 such ports. Half of the GPUs must be able "
        "to send to the other half at full rate, whichever half it is. How many switches does that take?",
        "ratio", lambda: joined(1024).switches,
        "{{ joined(1024).leaves }} leaves: half of the 64 ports of each go down to GPUs, the other half up. Their 1,024 cables "
        "up fill {{ joined(1024).spines }} spines: a spine has nothing above it, so all its ports point down. "
        "{{ joined(1024).switches }} in all.",
        slips={
            "that is a port for each GPU and none to join the switches": lambda: 1024 / 64,
            "those are the leaves alone; something must join them": lambda: 1024 / 32,
            "that gives the spines half their ports only; nothing is above them, so all 64 may point down": lambda: 2 * 1024 / 32,
            "one switch above cannot take the cables of all leaves: half of 1,024 GPUs send across it": lambda: 1024 / 64 + 1,
        },
        unit="switches", example="20 switches",
    ),
    Prediction(
        "fabrics.rings",
        "Eight servers of eight GPUs sum up lesson {{ number('start_here') }}'s gradient, {{ si(GRADIENT) }}, with eight rings "
        "at once. Each ring passes through all 64 GPUs, and from server to server over another one of a server's eight NICs "
        "({{ si(nic, 'B/s') }} each). NVLink inside the servers is faster than all NICs together. How long does it take?",
        "time", lambda: _ring(SIZE),
        "A ring all-reduce sends nearly twice the buffer past every point of the ring: {{ si(sent) }} leave each server, and "
        "eight NICs share them.",
        slips={
            "that is one ring alone: it uses one NIC of each server, and seven wait": lambda: _ring(1),
            "that sends the buffer once; a ring all-reduce sends nearly twice the buffer":
                lambda: GRADIENT / SIZE / nic,
            "that sends the whole buffer once through one NIC; eight rings share it, and a sum sends it nearly twice":
                lambda: GRADIENT / nic,
            "that is a ring of the eight servers; these rings pass through all 64 GPUs":
                lambda: 2 * (1 - SIZE / GPUS) * GRADIENT / SIZE / nic,
            "that is NVLink's rate; between servers the NICs are slower":
                lambda: sent / link(NVLINK).bundle(link(NVLINK).per_device).bandwidth(),
        },
    ),
    Prediction(
        "fabrics.thin",
        "Every leaf takes the same GPU of all eight servers: a rail. Now take away three of every four cables from the leaves "
        "to the spines. In an all-to-all of 1 GiB each GPU has a block for each of the {{ GPUS - 1 }} others. First way: each "
        "block goes through its sender's NIC. Second: blocks first go over NVLink to the GPU of their own server that is on the "
        "receiver's rail, and then leave through its NIC. How many times as long as the second does the first way take?",
        "ratio", _thin_ratio,
        "By rail nothing crosses a spine, so the missing cables are not missed. Pair by pair {{ changing }} of the "
        "{{ GPUS - 1 }} blocks change their rail in the network, at a quarter of the rate. It is not four times as long, because "
        "seven blocks stay inside the server, seven on the rail, and the way over NVLink costs something too.",
        slips={
            "that is what the missing cables cost a block that needs them; not all do, and NVLink is not free": 4,
            "that would be so if nothing needed the spines; pair by pair, {{ changing }} of the {{ GPUS - 1 }} blocks do": 1,
            "that is the other way round: divide the first way by the second": lambda: 1 / _thin_ratio(),
        },
        unit="times", example="2 times",
    ),
]

def _tiers_for_a_model(theirs) -> str:
    two, three, wider = (theirs(radix, tiers) for radix, tiers in ((64, 2), (64, 3), (128, 2)))
    return (f"With your function: 64 ports carry {two:,} GPUs on two tiers and {three:,} on three, so 16,384 GPUs need the third."
            f" With {128:,} ports of half the rate, two planes, two tiers carry {wider:,}.")


def _against_all_reduce(theirs) -> str:
    nvlink = link(NVLINK).bundle(link(NVLINK).per_device).bandwidth()
    thin, full = (seconds(_FLAT, BY_RAIL, up, SIZE, units.GiB) for up in (THIN, SIZE))
    mine = theirs(units.GiB, SIZE, GPUS // SIZE, nvlink, nic)
    return (f"With your function: {units.format(units.GiB)} takes {units.format(mine, 's')} by rail, with or without spines. "
            f"Pair by pair it takes {units.format(full, 's')} with all cables up, {units.format(thin, 's')} with a quarter.")


def _of_the_loss(design) -> str:
    stopped = [one for one in DESIGNS if not without_a_leaf(one)]
    return (f"With {design} {units.portion(without_a_leaf(design))} of the rate is left, and everybody is still there. In "
            f"{len(stopped)} of the four the GPUs of that leaf are cut off, and a job that waits for all of them stops.")


def _cheapest() -> str:
    """The offer with the fewest cables of those on which the job takes no longer than on the best."""
    best = min(map(job_seconds, OFFERS))
    return min((offer for offer in OFFERS if job_seconds(offer) < 1.01 * best), key=cables_up)


def _of_the_offers(network) -> str:
    now, *others = (units.format(job_seconds(one), "s") for one in (network, *OFFERS))
    told = "; ".join(f"{seconds} with {one}" for seconds, one in zip(others, OFFERS, strict=True) if one != network)
    return f"With {network} the job takes {now}, over {cables_up(network)} cables up; {told}."


EXERCISES = [
    Exercise(
        "fabrics.most-gpus",
        "Write most_gpus: how many GPUs a fabric without oversubscription joins, from the ports of a switch and the tiers.",
        "most_gpus",
        lambda radix, tiers: 2 * (radix // 2) ** tiers,
        "def most_gpus(radix, tiers):\n"
        "    half = radix // 2\n"
        "    return 2 * half ** tiers\n",
        cases=[(64, 2), (64, 3), (128, 2), (16, 3), (64, 1)],
        wrong=[
            ("radix ** tiers", "This points all ports down in every tier. Only the topmost tier can do that: below it half of "
                               "the ports go up."),
            ("(radix // 2) ** tiers", "Nearly: the topmost tier has nothing above it, so all its ports point down, not half."),
            ("radix ** tiers // 2", "That is right for two tiers: only one of them gives half its ports away. Of three, two do."),
            ("radix * tiers", "Each tier multiplies the number of GPUs; it does not add to it."),
            ("radix * radix // 2", "That is right for two tiers. A third one multiplies by half the ports once more."),
            ("radix // 2 * tiers", "Each tier multiplies. And the topmost one has all its ports for the tier below."),
            ("(radix // 2) ** (tiers + 1)", "The topmost tier doubles the number, because all its ports point down; it does not "
                                            "multiply it by another half."),
        ],
        nudge="Go down from the top: all ports of one switch point down, then half of the ports at every tier below.",
        half="def most_gpus(radix, tiers):\n"
             "    half = radix // 2\n"
             "    return ... * half ** ...\n",
        follows=_tiers_for_a_model,
    ),
    Exercise(
        "fabrics.by-rail",
        "Write by_rail: the seconds of an all-to-all that first goes over NVLink to the right rail, and then through the NICs.",
        "by_rail",
        lambda nbytes, gpus, servers, nvlink, nic: collective_time(
            "all_to_all", "rail_aggregated", nbytes=nbytes,
            levels=[Level(gpus, 0.0, 1 / nvlink), Level(servers, 0.0, 1 / nic)]),
        "def by_rail(nbytes, gpus, servers, nvlink, nic):\n"
        "    inside = nbytes * (gpus - 1) / gpus / nvlink\n"
        "    between = nbytes * (servers - 1) / servers / nic\n"
        "    return inside + between\n",
        cases=[(units.GiB, 8, 8, 450e9, 49e9), (8e9, 8, 2, 450e9, 49e9), (1e9, 4, 16, 300e9, 24e9), (2e9, 8, 4, 30e9, 50e9)],
        wrong=[
            ("nbytes * (servers - 1) / servers / nic",
             "That is the second part. The blocks for other rails must first get to the right GPU, over NVLink."),
            ("nbytes * (gpus - 1) / gpus / nvlink",
             "That is the first part. Then the collected blocks leave through the NICs, for the other servers."),
            ("nbytes * (gpus * servers - 1) / (gpus * servers) / nic",
             "That sends every block through the NIC of its sender: pair by pair, and those for the own server too."),
            ("nbytes * (gpus - 1) / gpus / nvlink + nbytes / nic",
             "One block in so many is for the own server: it never leaves it. (servers - 1) / servers of the bytes do."),
            ("nbytes / nvlink + nbytes * (servers - 1) / servers / nic",
             "One block in so many is on the right rail already: (gpus - 1) / gpus of the bytes go over NVLink."),
            ("nbytes / nvlink + nbytes / nic",
             "Both parts are a little less than everything: a block for the own rail skips the first, one for the own server the "
             "second."),
            ("nbytes * (gpus - 1) / gpus / nvlink + nbytes * (servers - 1) / servers / (gpus * nic)",
             "nbytes is what each GPU holds, and each GPU sends through its own NIC: do not divide by all of them."),
            ("max(nbytes * (gpus - 1) / gpus / nvlink, nbytes * (servers - 1) / servers / nic)",
             "That lets the two parts overlap. Here the second begins when the first has ended: add them."),
            ("nbytes * (servers - 1) / servers / nvlink + nbytes * (gpus - 1) / gpus / nic",
             "The two numbers are swapped: inside a server there are gpus - 1 others, and servers - 1 on a rail."),
        ],
        nudge="Two journeys one after the other: which part of a GPU's blocks makes the first, and which part the second?",
        half="def by_rail(nbytes, gpus, servers, nvlink, nic):\n"
             "    inside = nbytes * (gpus - 1) / gpus / nvlink\n"
             "    between = ...\n"
             "    return inside + between\n",
        follows=_against_all_reduce,
    ),
    Exercise(
        "fabrics.survives",
        "Set design: in which one does a sum over all GPUs go on after the loss of a leaf?",
        "design", lambda: max(DESIGNS, key=without_a_leaf), 'design = "rails in two planes"\n', options=list(DESIGNS),
        wrong=[
            ("'one leaf a server'", "A whole server hangs on that leaf by all its NICs: it is gone, and everybody waits for it."),
            ("'rails'", "The leaf takes the same GPU of every server, and that GPU's NIC has no other cable. Spines cannot "
                        "help: they are above the leaf."),
            ("'rails, not joined'", "As with rails that are joined: the GPUs of that rail have no way out but their leaf."),
        ],
        nudge="Follow the cables of one NIC upwards: where is there a second one?",
        half="cables = ...  # of a NIC, to different leaves\n"
             "design = ...  # where there is more than one\n",
        follows=_of_the_loss,
    ),
    Exercise(
        "fabrics.offer",
        "Set network: which has the fewest cables of those on which the job takes no longer than on the best?",
        "network", _cheapest, 'network = "rails, a quarter of the cables up"\n', options=list(OFFERS),
        wrong=[
            ("'rails, all cables up'", "As quick as it gets. But which of its cables up does this job ever use?"),
            ("'a leaf a server, all cables up'", "What this job sends over the network goes from a GPU to that in the same place "
                                              "of another server: here it crosses a spine every time."),
            ("'a leaf a server, a quarter of the cables up'",
             "Everything this job sends crosses a spine here, through a quarter of the cables."),
        ],
        nudge="Which cables does a sum on two levels use, and which an all-to-all by rail? The lab has both, and both cablings.",
        half="best = min(...)  # seconds of the job on each\n"
             "quick = [...]  # those that take no longer\n"
             "network = ...  # of these, the one with the fewest cables\n",
        follows=_of_the_offers,
    ),
]


def _carries() -> str:
    first, last = (fabric_counts("rail-optimised", gpus=gpus) for gpus in (256, 16_384))
    hpn, b300, meta, kunlun = (fabric_counts(name) for name in (
        "alibaba-hpn", "superpod-b300-16su", "meta-24k", "kunlun-30k"))
    rate, left = units.format(8 * port, "b/s"), units.format(last.assured, "B/s")
    return (f"With 64 ports of {rate} a switch, rails carry {first.gpus} GPUs with {first.switches} switches and {last.gpus:,} "
            f"with {last.switches:,}, and each GPU keeps {left} from any half to the other. Published: {b300.gpus:,} GPUs of "
            f"NVIDIA's B300 on Ethernet rails in two planes, {hpn.gpus:,} of Alibaba's HPN, {meta.gpus:,} of Meta's (Ethernet, "
            f"but no rails, and {units.format(meta.assured, 'B/s')} a GPU between pods); of Baidu's {kunlun.gpus:,} Kunlun cards "
            f"only the number. Size is not free: beyond 2,048 GPUs a third tier takes {last.ports / last.gpus:.0f} switch ports "
            f"a GPU instead of {first.ports / first.gpus:.0f}, unless planes put it off.")


VERDICTS = [Verdict("k", "holds", _carries)]
