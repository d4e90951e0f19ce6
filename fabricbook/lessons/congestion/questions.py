"""Dice for flows, many senders to one receiver, and three figures that are all called utilisation."""

import itertools

from fabriclib import units
from fabriclib.congestion import dcqcn, ecmp, incast, pause

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


def _flows_for(paths: int, share: float) -> int:
    return next(flows for flows in itertools.count(1) if ecmp.busy_share(flows, paths) >= share)


def _whatever_the_size(theirs) -> str:
    few, many, nearly = theirs(PATHS, 0.9), theirs(256, 0.9), theirs(PATHS, 0.99)
    return (f"With your function: nine tenths of {PATHS} paths are busy with {few} flows, {few / PATHS:.1f} a path, and nine "
            f"tenths of 256 with {many}, {many / 256:.1f} a path. All but a hundredth of {PATHS} take {nearly}.")


_REMEDIES = "spray packets", "two senders at a time", "sixteen flows each", "news in half the time"


def _waiting(remedy: str = "") -> float:
    """The bytes that wait in the last switch, as it is or after one change; what becomes of the paths before it is all one."""
    senders = 2 if remedy == "two senders at a time" else SENDERS
    return float(incast.lossless_buffer(senders, MESSAGE, RATE, NEWS / (2 if remedy == "news in half the time" else 1)))


def _of_the_crowd(remedy) -> str:
    before, soon, now = map(units.format, (_waiting(), _waiting("news in half the time"), _waiting(remedy)))
    return (f"With {remedy} {now} wait, where it was {before}; quicker news leave {soon}, and no choice of paths changes "
            "anything. The receiver's port is full either way: the last one is done no later.")


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
        "congestion.flows-for",
        "Write flows_for: the fewest flows that keep a share of the paths busy, on average, when every flow picks one at random.",
        "flows_for",
        _flows_for,
        "def flows_for(paths, share):\n"
        "    flows = 1\n"
        "    while 1 - (1 - 1 / paths) ** flows < share:\n"
        "        flows += 1\n"
        "    return flows\n",
        cases=[(8, 0.5), (8, 0.95), (32, 0.9), (4, 0.99), (64, 0.6)],
        wrong=[
            ("int(np.ceil(share * paths))", "That is right if flows kept out of each other's way. Dice do not look."),
            ("np.log(1 - share) / np.log(1 - 1 / paths)", "There are no parts of a flow: round up."),
            ("int(np.log(1 - share) / np.log(1 - 1 / paths))", "One too few: with so many flows it is a little less than asked. "
                                                               "Round up."),
            ("int(np.ceil(np.log(share) / np.log(1 - 1 / paths)))",
             "That leaves the share idle. A path is idle with the chance (1 - 1 / paths) ** flows; busy is the rest."),
            ("int(np.ceil(np.log(1 - share) / np.log(1 / paths)))",
             "A path is idle if every flow misses it: 1 - 1 / paths, once for each flow."),
            ("paths", "As many flows as paths keep about two thirds of them busy, whatever their number. Which share is asked?"),
        ],
        nudge="The chance that a path is missed by all flows is above. Add flow after flow until few enough paths are missed.",
        half="def flows_for(paths, share):\n"
             "    flows = 1\n"
             "    while ... < share:  # the share that is busy with so many flows\n"
             "        flows += 1\n"
             "    return ...\n",
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
             "That is the share of busy paths. The step is over when the fullest path is done."),
            ("1 / max(loads)", "Right for as many flows as paths. With more, even spreading too puts several on a path."),
            ("max(loads) * len(loads) / sum(loads)",
             "That is how many times as long the step takes. Throughput is the other way round."),
            ("min(load for load in loads if load) / max(loads)",
             "That compares the emptiest busy path with the fullest. Compare the fullest with an even spread."),
            ("sum(loads) / max(loads)", "That is how many full paths' worth of work there is. Divide by the number of paths."),
        ],
        nudge="The step is over when one particular path is done: compare what that one carries with what an even "
              "spread would give it.",
        half="def step_throughput(loads):\n"
             "    even = ...  # on each path, if they were spread evenly\n"
             "    return even / ...\n",
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
             "The neighbour takes time to obey, `response`, and keeps sending meanwhile."),
            ("2 * metres * delay_per_metre + response + 2 * mtu / rate",
             "Those are seconds. The rate turns them into bytes."),
            ("8 * (rate * (2 * metres * delay_per_metre + response) + 2 * mtu)",
             "This is in bits; rate and mtu are in bytes already."),
        ],
        tolerance=0.003,
        nudge="How long does the neighbour go on sending, counted at your end? And how many frames are cut in half by nobody?",
        half="def headroom(rate, metres, mtu, response, delay_per_metre):\n"
             "    seconds = response + ...  # the pause travels there, the last bytes travel here\n"
             "    return rate * seconds + ... * mtu\n",
        follows=_of_a_switch,
    ),
    Exercise(
        "congestion.crowd",
        "Set remedy: with which one is the least held in the last switch?",
        "remedy", lambda: min(_REMEDIES, key=_waiting), 'remedy = "two senders at a time"\n', options=_REMEDIES,
        wrong=[
            ("'spray packets'", "Spraying evens out the paths between the switches. Here all want the same last port."),
            ("'sixteen flows each'", "However finely it is cut: all of it wants to leave by one port."),
            ("'news in half the time'", "That halves what piles up. But how fast does it pile up at all?"),
        ],
        nudge="The queue grows by what comes in less what goes out, until somebody hears of it. Which remedy changes what?",
        half="growth = (senders - 1) * rate\n"
             "waiting = growth * ...\n"
             "remedy = ...  # that makes it least\n",
        follows=_of_the_crowd,
    ),
]
