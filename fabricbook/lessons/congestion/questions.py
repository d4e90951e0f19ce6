"""Dice for flows, many senders to one receiver, and three figures that are all called utilisation."""

from fabriclib import units
from fabriclib.congestion import dcqcn, ecmp, pause

from ...course.declare import Exercise, Prediction
from .tables import BUFFER, CABLE, DICE, LLAMA, LONGEST, MESSAGE, NEWS, PATHS, PORT, RATE, SENDERS, WAITS, blocks, needed

PREDICTIONS = [
    Prediction(
        "congestion.slowest",
        "8 senders, 8 paths, one flow each; a die picks every flow's path, and flows on one path share it. All send the same "
        "amount, and the step is over when the last one is done. Averaged over many steps: which throughput, in % of what one "
        "path for each would give?",
        "ratio", lambda: 100 * ecmp.slowest(PATHS, PATHS),
        "The fullest path has {{ digits(ecmp.expected_max_load(PATHS, PATHS)) }} flows on average, and the step takes as long as "
        "that path does: 1 over {{ digits(ecmp.expected_max_load(PATHS, PATHS)) }}. Every other flow is done sooner and waits.",
        slips={
            "that is the share of paths that carry anything; the step waits for the fullest one":
                lambda: 100 * float(ecmp.busy_share(PATHS, PATHS)),
            "that is two flows on the fullest path; three are about as likely": 50.0,
            "that takes each flow to meet the mean of the others; the step waits for the one that meets most":
                lambda: 100 / (1 + (PATHS - 1) / PATHS),
            "that is how often no two flows meet, in %": lambda: 100 * ecmp.collision_free(PATHS, PATHS),
            "that is all flows on one path, the worst case and a rare one": 100 / PATHS,
            "that needs a path for each; eight dice hardly ever show eight different numbers": 100.0,
        },
        unit="%", example="12 %",
    ),
    Prediction(
        "congestion.flows-95",
        "More dice even things out. Each of the 8 transfers is cut into equal flows, every flow with a die of its own. Into how "
        "many flows must each be cut, so that the step reaches {{ portion(WANTED) }}?",
        "ratio", lambda: float(needed(PATHS)),
        "What sticks out shrinks only with the square root of the number: four times the flows halve it. {{ LLAMA }} flows "
        "reach {{ portion(reached(PATHS, LLAMA)) }}, 64 reach {{ portion(reached(PATHS, 64)) }}, and {{ portion(WANTED) }} takes "
        "hundreds.",
        slips={
            "that many were used to train Llama 3, and reach {{ portion(reached(PATHS, LLAMA)) }}": float(LLAMA),
            "that many reach {{ portion(reached(PATHS, 64)) }}": 64.0,
            "that is for all eight together; asked is each": lambda: float(PATHS * needed(PATHS)),
        },
        unit="flows", example="12 flows",
    ),
    Prediction(
        "congestion.incast",
        "8 servers send {{ si(MESSAGE) }} each to a ninth, all at once, all links {{ si(8 * RATE, 'b/s') }}. A sender hears "
        "after {{ si(NEWS, 's') }} that it must slow down. How many bytes must the last switch hold, so that none is lost?",
        "size", lambda: WAITS,
        "Eight links come in, one goes out: the queue grows at {{ SENDERS - 1 }} times {{ si(RATE, 'B/s') }}, for "
        "{{ si(NEWS, 's') }}. That is {{ si(WAITS) }} before anybody has heard of it, and it grows with the number of senders "
        "and with every faster generation of links.",
        slips={
            "that counts what comes in; one eighth of it has left meanwhile": lambda: SENDERS * RATE * NEWS,
            "that is all they send; after {{ si(NEWS, 's') }} they slow down": lambda: SENDERS * MESSAGE,
            "that is all that piles up if nobody ever slows down": lambda: (SENDERS - 1) * MESSAGE,
            "that is one sender's share": lambda: RATE * NEWS,
        },
    ),
]


def _step_throughput(loads) -> float:
    return sum(loads) / len(loads) / max(loads)


def _pause_headroom(rate, metres, mtu, response, delay_per_metre) -> float:
    return pause.headroom(rate, metres, mtu, response, delay_per_metre=delay_per_metre) - pause.PAUSE_FRAME


def _whatever_the_size(theirs) -> str:
    few, many, roomy = (theirs(flows, paths) for flows, paths in ((PATHS, PATHS), (1024, 1024), (PATHS, 32)))
    return (f"With your function: {PATHS} flows keep {units.portion(few)} of {PATHS} paths busy, {1024:,} flows keep "
            f"{units.portion(many)} of as many, and {PATHS} flows {units.portion(roomy)} of 32. Size does not help.")


def _of_the_throws(theirs) -> str:
    reached = []
    for draw in range(1, 41):
        path = blocks(PATHS, PATHS, DICE, draw)[:, 1]
        reached.append(theirs([int((path == one).sum()) for one in range(PATHS)]))
    return (f"With your function: of the lab's {len(reached)} throws the best reaches {units.portion(max(reached))} of even "
            f"spreading, the worst {units.portion(min(reached))}, and a job that makes them all, one after the other, "
            f"{units.portion(len(reached) / sum(1 / one for one in reached))}.")


def _of_a_switch(theirs) -> str:
    response = pause.response_time(int(dcqcn.value("pfc-quanta-40g")), PORT)
    far, near = (theirs(PORT, metres, LONGEST, response, 1 / dcqcn.value("fibre-speed")) for metres in (CABLE, 1))
    return (f"With your function: at {units.format(8 * PORT, 'b/s')} a port and class need {units.format(far)} with {CABLE} m of "
            f"cable, {units.format(near)} with nearly none; {round(BUFFER / far)} of the former fill the {units.format(BUFFER)} "
            "of the lab's switch before anything has waited.")


EXERCISES = [
    Exercise(
        "congestion.busy-links",
        "Write busy_links: the expected share of paths that carry anything when every flow picks one at random.",
        "busy_links",
        lambda flows, paths: float(ecmp.busy_share(flows, paths)),
        "def busy_links(flows, paths):\n"
        "    missed_by_one = 1 - 1 / paths\n"
        "    return 1 - missed_by_one ** flows\n",
        cases=[(8, 8), (8, 32), (2, 4), (128, 8), (1, 16)],
        wrong=[
            ("min(1, flows / paths)", "That is right if flows kept out of each other's way. Dice do not look."),
            ("(1 - 1 / paths) ** flows", "That is the share of idle paths: the chance that all flows miss one. Take the rest."),
            ("1 - (1 / paths) ** flows", "That is the chance that not all flows hit one path. A path is idle if every flow "
                                         "*misses* it: 1 - 1/paths, once for each flow."),
            ("1 - (1 - 1 / paths) ** paths",
             "Right for as many flows as paths, and only then. A path must be missed by every *flow*."),
            ("1 - flows * (1 - 1 / paths)", "Chances that must all come true are multiplied, not added."),
        ],
        follows=_whatever_the_size,
    ),
    Exercise(
        "congestion.step-throughput",
        "Write step_throughput: what a step reaches of even spreading, from the number of flows on each path.",
        "step_throughput",
        _step_throughput,
        "def step_throughput(loads):\n"
        "    even = sum(loads) / len(loads)\n"
        "    return even / max(loads)\n",
        cases=[([1, 1, 1, 1],), ([2, 0, 1, 1],), ([3, 0, 0, 1, 2, 2, 0, 0],), ([20, 14, 17, 13],), ([4, 0],)],
        wrong=[
            ("sum(load > 0 for load in loads) / len(loads)",
             "That is the share of busy paths. The step is over when the *fullest* path is done."),
            ("1 / max(loads)", "Right for as many flows as paths. With more, even spreading too puts several on a path."),
            ("max(loads) * len(loads) / sum(loads)",
             "That is how many times as long the step takes. Throughput is the other way round."),
            ("min(load for load in loads if load) / max(loads)",
             "That compares the emptiest busy path with the fullest. Compare the fullest with an even spread."),
            ("sum(loads) / max(loads)", "That is how many full paths' worth of work there is. Divide by the number of paths."),
        ],
        follows=_of_the_throws,
    ),
    Exercise(
        "congestion.headroom",
        "Write headroom: the bytes that can still arrive after a switch has decided to pause its neighbour.",
        "headroom",
        _pause_headroom,
        "def headroom(rate, metres, mtu, response, delay_per_metre):\n"
        "    cable = metres * delay_per_metre\n"
        "    seconds = 2 * cable + response\n"
        "    return rate * seconds + 2 * mtu\n",
        cases=[(400 * units.Gb, 100, 4200, 1.2 * units.us, 5 * units.ns), (100 * units.Gb, 300, 9216, 2 * units.us, 5 * units.ns),
               (400 * units.Gb, 3, 1500, 0.5 * units.us, 5 * units.ns)],
        wrong=[
            ("rate * (metres * delay_per_metre + response) + 2 * mtu",
             "The pause must travel there, and what left just before it arrived travels here: the cable counts twice."),
            ("rate * (2 * metres * delay_per_metre + response)",
             "A frame that has begun is sent to its end, on both sides: the pause waits behind one, and one more is begun before "
             "it is obeyed."),
            ("rate * (2 * metres * delay_per_metre + response) + mtu",
             "There are two frames that have just begun: one before the pause, here, and one at the neighbour."),
            ("rate * 2 * metres * delay_per_metre + 2 * mtu",
             "The neighbour takes time to obey, *response*, and keeps sending meanwhile."),
            ("2 * metres * delay_per_metre + response + 2 * mtu / rate",
             "Those are seconds. The rate turns them into bytes."),
            ("8 * (rate * (2 * metres * delay_per_metre + response) + 2 * mtu)",
             "This is in bits; rate and mtu are in bytes already."),
        ],
        tolerance=0.003,
        follows=_of_a_switch,
    ),
]
