"""What leaves a domain, what a torus leaves of its links, how far two tiers reach, and what a claim says of its baseline."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import RANKS, SERVER, box, claimed, each_to_all, largest, least_wait, pod, rack, times_longer

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
        "A TPU v5p has links to six neighbours, {{ si(pod.rate, 'B/s') }} one way in all. {{ '{:,}'.format(pod.gpus) }} of them "
        "form a torus of {{ pod_shape }}. All send to all, everyone as much as goes. What rate "
        "does each chip get?",
        "rate", lambda: each_to_all(pod),
        "Cut the pod across its longest side: {{ si(pod.counts().cut, 'B/s') }} one way cross the cut, for {{ "
        "'{:,}'.format(pod.counts().near) }} chips on one side. Half of what each sends has to cross. All else follows.",
        slips={
            "that is what its links carry to its neighbours; to reach all others, bytes take up links at every chip on their way":
                lambda: pod.rate,
            "that is each chip's part of the cut; only half of what it sends has to cross it": lambda: pod.counts().cut_per_gpu,
        },
        example="3 TB/s",
    ),
]


def _what_leaves(leaving) -> str:
    shares = [units.portion(leaving(domain, RANKS)) for domain in (SERVER, 32, rack.gpus)]
    return (f"With your function: of an all-to-all over {RANKS} GPUs {shares[0]} leave a server of {SERVER}, {shares[1]} a "
            f"domain of 32, and {shares[2]} a rack of {rack.gpus}; of one over 256, {units.portion(leaving(rack.gpus, 256))} "
            "leave the rack.")


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
        "supernodes.leaving-share",
        "Write leaving: the share of an all-to-all's bytes that leaves the domain of its sender.",
        "leaving",
        lambda domain, gpus: max(gpus - domain, 0) / gpus,
        "def leaving(domain, gpus):\n    return max(gpus - domain, 0) / gpus\n",
        cases=[(8, 64), (32, 64), (72, 64), (72, 256)],
        wrong=[
            ("domain / gpus", "That is the share that stays, as long as the domain is no larger than the GPUs that take part."),
            ("(gpus - domain) / gpus", "Nearly. In a domain that is larger than the job nothing leaves: less than nothing "
                                       "cannot."),
            ("1 - 1 / gpus", "That is what leaves a GPU. What goes to a neighbour in the domain does not leave the domain."),
            ("max(gpus - domain, 0) / (gpus - 1)",
             "A share goes to the sender itself too: the buffer has gpus shares, as nccl-tests counts it."),
            ("1 / domain", "Count: everyone sends a share to each of gpus GPUs, and gpus - domain of these are elsewhere."),
        ],
        follows=_what_leaves,
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
        follows=_what_it_takes,
    ),
]


def _ten_times() -> str:
    faster, mfu = claimed("kunlun-training"), claimed("p800-mfu")
    return (f"To become {faster:g} times as fast by better wiring, a job must have waited {units.portion(least_wait(faster))} "
            f"of its time. A cluster of the same cards is said to reach {units.portion(mfu)} of their peak, which leaves room "
            f"for {1 / mfu:.2g} times. Neither names a workload, a baseline or the rate of a link, so neither can be checked.")


VERDICTS = [Verdict("m", "misleads", _ten_times)]
