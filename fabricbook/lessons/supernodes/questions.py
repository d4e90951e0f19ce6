"""What leaves a domain, what a torus leaves of its links, how far two tiers reach, and what a claim says of its baseline."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    MACHINES,
    MANY,
    RANKS,
    SERVER,
    box,
    claimed,
    dispatched,
    each_to_all,
    largest,
    least_wait,
    of_machine,
    pod,
    rack,
    smallest_domain,
    times_longer,
)

PREDICTIONS = [
    Prediction(
        "supernodes.leaving",
        "{{ RANKS }} GPUs each send an equal share of a buffer to every one of the {{ RANKS }}, themselves included. First all "
        "stand in one rack, where each sends {{ si(rack.rate, 'B/s') }} one way. Then they stand in servers of {{ SERVER }} with "
        "the same links inside, and each has one port of {{ si(rack.out, 'B/s') }} out of its server. How many times as long "
        "does it take in servers?",
        "ratio", lambda: times_longer(SERVER),
        "Of {{ RANKS }} shares {{ RANKS - SERVER }} leave a server, and they pass a port that is {{ digits(rack.rate / rack.out) "
        "}} times as thin. In the rack {{ RANKS - 1 }} shares pass the links inside. The links of the servers finish long "
        "before, and wait.",
        slips={
            "that is how many times as thin the port is; a share for the seven neighbours does not pass it":
                lambda: rack.rate / rack.out,
            "that is how many servers there are; what counts is how much leaves each, and through what": float(RANKS // SERVER),
            "that takes both directions of the rack's links and one of the port": lambda: times_longer(SERVER) * 2,
        },
        unit="times", example="3 times",
    ),
    Prediction(
        "supernodes.pod",
        "A TPU v5p, a chip of Google's, has links to six neighbours, {{ si(pod.rate, 'B/s') }} one way in all. "
        "{{ thousands(pod.gpus) }} of them form a torus of {{ pod_shape }}. All send to all, each as fast as the links let "
        "it. What rate does each chip get?",
        "rate", lambda: each_to_all(pod),
        "Cut it across its longest side. Each of {{ pod_rings }} rings along that side crosses the cut by two links of {{ "
        "si(pod_link, 'B/s') }}: {{ si(pod.counts().cut, 'B/s') }} one way, for {{ thousands(pod.counts().near) }} chips. "
        "Half of what each sends has to cross, so each sends at twice its part of the cut.",
        slips={
            "that is what its links carry to its neighbours; to reach all others, bytes take up links at every chip on their way":
                lambda: pod.rate,
            "that is each chip's part of the cut; only half of what it sends has to cross it": lambda: pod.counts().cut_per_gpu,
        },
        example="3 TB/s",
    ),
]


_SMALLEST = ("next((domain for domain in (2**k for k in range(20)) if domain <= gpus and ({}) <= most), None)")


def _how_large(smallest_domain) -> str:
    bounds = (4 * units.ms, 2 * units.ms, units.ms)
    found = [smallest_domain(RANKS, dispatched, rack.rate, rack.out, most) for most in bounds]
    told = ", ".join(f"{domain} for {units.format(most, 's')}" for domain, most in zip(found, bounds, strict=True))
    return (f"With your function: {RANKS} GPUs that each send {units.format(dispatched)} need a domain of {told}. As long as "
            "anything leaves it, a larger domain helps little.")


def _done_first(machine) -> str:
    first, *others = (units.format(of_machine(name, MANY), "s") for name in (machine, *(m for m in MACHINES if m != machine)))
    return (f"It takes {first}, the others {', '.join(others[:-1])} and {others[-1]}. With {RANKS} GPUs the fastest would be the "
            f"{min(MACHINES, key=lambda name: of_machine(name, RANKS))}: the machine must be as large as the job.")


def _how_far(largest_two_tiers) -> str:
    reach = [f"{largest_two_tiers(box.ports, planes):,}" for planes in (1, 2, 8)]
    return (f"With your function: two tiers of switches with {box.ports} ports join {reach[0]} GPUs in one plane, {reach[1]} in "
            f"two and {reach[2]} in eight.")


def _what_it_takes(share_waited) -> str:
    shares = [units.portion(share_waited(claimed(id))) for id in ("kunlun-training", "kunlun-inference")]
    return (f"With your function: {claimed('kunlun-training'):g} times as fast takes a job that waited at least {shares[0]} of "
            f"its time, {claimed('kunlun-inference'):g} times one that waited {shares[1]}; twice as fast, "
            f"{units.portion(share_waited(2))}.")


EXERCISES = [
    Exercise(
        "supernodes.smallest-domain",
        "Write smallest_domain: of domains of 1, 2, 4, 8 and so on, up to all GPUs, the smallest with which an all-to-all "
        "takes at most so many seconds; None if there is none.",
        "smallest_domain",
        smallest_domain,
        "def smallest_domain(gpus, nbytes, inside, outside, most):\n"
        "    domain = 1\n"
        "    while domain <= gpus:\n"
        "        near = (domain - 1) / gpus * nbytes / inside\n"
        "        far = (gpus - domain) / gpus * nbytes / outside\n"
        "        if max(near, far) <= most:\n"
        "            return domain\n"
        "        domain *= 2\n"
        "    return None\n",
        cases=[(64, 1 * units.GB, 900 * units.GB, 50 * units.GB, 11 * units.ms),
               (64, 1 * units.GB, 900 * units.GB, 50 * units.GB, 2 * units.ms),
               (256, 1 * units.GB, 900 * units.GB, 100 * units.GB, 6 * units.ms),
               (64, 1 * units.GB, 900 * units.GB, 50 * units.GB, 18 * units.ms),
               (8, 1 * units.GB, 60 * units.GB, 50 * units.GB, 12 * units.ms),
               (8, 1 * units.GB, 60 * units.GB, 50 * units.GB, 8 * units.ms)],
        wrong=[
            (_SMALLEST.format("(gpus - domain) / gpus * nbytes / outside"),
             "The links inside may be the slower ones: both work at the same time, and the later one decides."),
            (_SMALLEST.format("nbytes / outside if domain < gpus else nbytes / inside"),
             "Only what leaves the domain passes the port: gpus - domain of gpus shares."),
            (_SMALLEST.format("(domain - 1) / gpus * nbytes / inside + (gpus - domain) / gpus * nbytes / outside"),
             "The two kinds of links work at the same time: take the larger of the two, not their sum."),
            (_SMALLEST.format("(gpus - domain) / domain * nbytes / outside"),
             "A buffer has a share for each of the GPUs: gpus shares, not as many as the domain is large."),
        ],
        nudge="Two times count, that of the links inside and that of the port, and the later one decides. Try one domain after "
              "the other.",
        half="def smallest_domain(gpus, nbytes, inside, outside, most):\n"
             "    domain = 1\n"
             "    while domain <= gpus:\n"
             "        near = (domain - 1) / gpus * nbytes / inside\n"
             "        far = ...\n"
             "        if ...:\n"
             "            return domain\n"
             "        domain *= 2\n"
             "    return None\n",
        follows=_how_large,
    ),
    Exercise(
        "supernodes.machine",
        "All experts of a layer are spread over {{ thousands(MANY) }} GPUs, {{ si(dispatched) }} out of each. On which "
        "machine is their all-to-all done first? Set machine to its name.",
        "machine",
        lambda: min(MACHINES, key=lambda name: of_machine(name, MANY)),
        'machine = "Huawei CloudMatrix 384"\n',
        options=list(MACHINES),
        wrong=[
            ('"GB200 NVL72"',
             "Its links are the fastest. But {{ MANY - rack.gpus }} of {{ MANY }} shares leave the rack, through ports of "
             "{{ si(rack.out, 'B/s') }}."),
            ('"Trainium2 UltraServer"',
             "Its links are fast to neighbours only; and {{ MANY - MACHINES['Trainium2 UltraServer'].gpus }} of {{ MANY }} "
             "shares leave it, through the thinnest port of all."),
            ('"servers of 8 H100"',
             "Nearly everything leaves a server, through a port of {{ si(MACHINES['servers of 8 H100'].out, 'B/s') }}."),
        ],
        nudge="Ask of each machine first how many of the shares leave it, and only then how fast its links are.",
        half=f"leaving = max({MANY} - {rack.gpus}, 0) / {MANY}  # of a {rack.name}; its port has "
             f"{units.format(rack.out, 'B/s')}\n"
             "seconds = ...\nmachine = ...  # the one of which nothing leaves, or the fastest port?\n",
        follows=_done_first,
    ),
    Exercise(
        "supernodes.two-tiers",
        "Write largest: how many GPUs two tiers join, from the ports of a switch and the planes that divide each port.",
        "largest",
        largest,
        "def largest(ports, planes):\n    radix = ports * planes\n    return radix // 2 * radix\n",
        cases=[(64, 1), (64, 8), (128, 4), (32, 2)],
        wrong=[
            ("ports // 2 * ports * planes",
             "The leaf has planes times as many ports, and so has the spine: each counts. (A plane more is no network more for "
             "other GPUs: every GPU is in all of them.)"),
            ("ports // 2 * ports", "That is one plane. With planes a switch has planes times as many ports, thinner ones."),
            ("(ports * planes) ** 2", "Half of a leaf's ports must lead up to spines; only the other half lead to GPUs."),
            ("(ports * planes) ** 2 // 4",
             "A spine has all its ports for leaves: nothing is above it. Only the leaves' ports are halved."),
            ("ports * planes // 2", "That is one leaf. A spine has a port for each of ports * planes leaves."),
        ],
        nudge="Draw one leaf: how many of its ports lead to GPUs? Then one spine: how many leaves can it see?",
        half="def largest(ports, planes):\n"
             "    radix = ports * planes  # thin ports of a switch\n"
             "    gpus_below_a_leaf = ...\n"
             "    leaves = ...\n"
             "    return gpus_below_a_leaf * leaves\n",
        follows=_how_far,
    ),
    Exercise(
        "supernodes.waited",
        "Write share_waited: the least share of its time that a job must have waited for wires, if better wires alone make it so "
        "many times as fast.",
        "share_waited",
        least_wait,
        "def share_waited(faster):\n    return 1 - 1 / faster\n",
        cases=[(2.0,), (10.0,), (1.25,), (64.0,)],
        wrong=[
            ("1 / faster", "That is the share that is left: what the job did besides waiting. Asked is what it waited."),
            ("faster / (faster + 1)",
             "Let the job take 1, of which w is waiting. The best wires take the waiting away and leave 1 - w. What is faster "
             "then?"),
            ("faster - 1", "That is how much faster. A share of its time cannot be more than all of it."),
            ("(faster - 1) / 10", "Let the job take 1, of which w is waiting: without it 1 - w is left, and 1 / (1 - w) is "
                                  "faster."),
            ("1 - 1 / faster ** 2", "Once is enough: 1 - w is left of 1, so faster = 1 / (1 - w)."),
        ],
        nudge="Let the job take 1 in all, and wait for a part of it. If the waiting vanishes altogether, how long does it "
              "take?",
        half="def share_waited(faster):\n"
             "    left = ...  # of a time of 1, when it is so many times as fast\n"
             "    return ...\n",
        follows=_what_it_takes,
    ),
]


def _ten_times() -> str:
    faster, mfu = claimed("kunlun-training"), claimed("p800-mfu")
    return (f"To become {faster:g} times as fast by better wiring, a job must have waited {units.portion(least_wait(faster))} "
            f"of its time. A cluster of the same cards is said to reach {units.portion(mfu)} of their peak, which leaves room "
            f"for {1 / mfu:.2g} times. Neither names a workload, a baseline or the rate of a link, so neither can be checked.")


VERDICTS = [Verdict("m", "misleads", _ten_times)]
