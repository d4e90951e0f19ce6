"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from .tables import (
    CABLE,
    GPUS,
    LOSSES,
    MANY,
    MINUTES,
    NETWORK,
    NOTHING,
    ONE,
    PARTS,
    RINGS,
    SIZES,
    SLOWER,
    TWO,
    all_lost,
    job,
    lost,
    waits,
    what_is_left,
)

# ---- 54 days


def _most(see) -> str:
    """The cause with most ticks in its row."""
    table = see()
    causes = [cause for part, cause in zip(table["part"], table["cause"], strict=True) if part == "interruption"]
    return max(PARTS, key=causes.count)


def _count(see) -> int:
    return see()["part"].count("interruption")


def _hours(see) -> float:
    return job(see.at["gpus"]).between


DAYS = (
    Choice("most", "Each row is a cause, each tick an interruption of the whole job.", "Which cause has most of them? Click its "
           "row, or choose.", options=list(PARTS), answer=_most, field="cause", at={"gpus": GPUS},
           hints={NETWORK: "Its row is much emptier than the fullest. Read the counts at the right.",
                  "host": "A host is the rest of the server. Read the counts at the right."},
           saw="GPUs and their memory interrupt most, in this throw as in Llama 3's run (the diamonds). The network has "
               "{{ portion(of_run()[NETWORK] / SEEN) }} of that run's."),
    Find("many", "Throw once more, and again. The mean is {{ digits(SEEN, 3) }}.",
         "Stop at a run with more than {{ digits(MANY, 3) }} interruptions.", control="throws",
         accepts=lambda see: _count(see) > MANY, at={"gpus": GPUS, "throws": 1},
         hint="Read the count in the sentence; about one run in six is like that.",
         saw="Counts scatter by about their square root: ± {{ digits(SEEN ** 0.5) }} here. One count of "
             "{{ of_run()[NETWORK] }} may as well have been {{ digits(of_run()[NETWORK] - of_run()[NETWORK] ** 0.5) }}: rates of "
             "rare causes are rough."),
    Number("small", "Take 1,024 GPUs. Read in the sentence how often they are interrupted in the mean.",
           "How much time passes from one interruption to the next, in hours or days?", kind="time", answer=_hours,
           at={"gpus": SIZES[1]},
           slips={"that is for the whole run's GPUs": lambda see: job(GPUS).between},
           saw="A sixteenth of the GPUs: {{ GPUS // SIZES[1] }} times as long. The parts are as good: their number fails."),
)

# ---- saves


def _at(see, **moved) -> tuple[int, float, float]:
    at = see.at | moved
    return at["gpus"], at["save"], at["restart"]


def _left_end(see) -> str:
    found = lost(*_at(see))
    return max(LOSSES, key=lambda what: found[what][0])


def _lowest(see) -> bool:
    found = all_lost(*_at(see))
    return found[MINUTES.index(see.at["interval"])] <= found.min() * 1.003


_SAVE, _RESTART, _BOTH = "A save that takes half as long", "A restart that takes half as long", "Both help alike"


def _helps(see) -> str:
    gpus, save, restart = _at(see)
    less_saved, less_restarted = all_lost(gpus, save / 2, restart).min(), all_lost(gpus, save, restart / 2).min()
    return _BOTH if abs(less_saved - less_restarted) < 0.1 else _SAVE if less_saved < less_restarted else _RESTART


SAVING = (
    Choice("left", "Drag the dot to the left end: a save every quarter of a minute.", "What is lost there, most of all?",
           options=list(LOSSES), answer=_left_end, at={"interval": MINUTES[0], "gpus": GPUS},
           hints={"work done again": "After a failure at most a quarter of a minute of work is gone.",
                  "restarts": "Their line is level: they cost the same everywhere."},
           saw="At the left saves take the time, at the right work that is done again. Between them lies a lowest point."),
    Find("lowest", "Drag along the U.", "Where is least lost? Stop there.", control="interval", accepts=_lowest,
         at={"interval": 61.0, "gpus": GPUS}, hint="Read the share in the sentence: a step to the left or right makes it larger.",
         saw="Where saves cost as much as work done again: {{ digits(BEST / 60, 2) }} minutes. The U is flat there, so a third "
             "more or less hardly matters."),
    Choice("helps", "Stay at the lowest point, {{ thousands(GPUS) }} GPUs.",
           "Which would leave more of the time, the saves at their best again?", options=[_SAVE, _RESTART, _BOTH], answer=_helps,
           at={"interval": 3.9, "gpus": GPUS},
           hints={_SAVE: "Saves and work done again are small there already. Which part of the loss is the largest?",
                  _BOTH: "Compare the level line with the two others at the lowest point."},
           saw="Of the {{ digits(100 * (1 - job().share), 2) }} % that are lost, restarts take "
               "{{ digits(100 * job().shares.restarting, 2) }}. Finding the fault and starting again is what costs."),
)

# ---- a part lost

_STOP, _HALF, _SHARE = "They stop", "They go on at half the rate", "They go on over the neighbours' cables"


def _without_cable(see) -> str:
    found = what_is_left(see.at["wiring"], CABLE, see.at["pattern"])
    return _STOP if found.cut_off else _HALF if abs(found.slowest - 0.5) < 0.01 else _SHARE


def _stops_two(see) -> bool:
    return what_is_left(TWO, see.at["lost"], see.at["pattern"]).cut_off > 0


LOSING = (
    Choice("cable", "One leaf takes the only cable of each NIC. Lose the cable of GPU 0: click it, at the far left.",
           "What do the rings on the rails do?", options=[_HALF, _STOP, _SHARE], answer=_without_cable,
           at={"wiring": ONE, "pattern": RINGS, "lost": NOTHING},
           hints={_HALF: "Is there a second cable that could carry half?",
                  _SHARE: "The leaf next to it hangs at other GPUs. See what the sentence counts."},
           saw="One cable, and a synchronous job stands. It must be restarted without that server."),
    Number("dealt", "Now two planes: every NIC has a cable to two leaves. Lose the cable of GPU 0 again.",
           "How much of the rate is left if rings that are faster take more?", kind="ratio", unit="%",
           answer=lambda see: 100 * what_is_left(TWO, CABLE, RINGS).dealt, at={"wiring": TWO, "pattern": RINGS, "lost": NOTHING},
           slips={"that is with equal pieces, where all wait for the ring of GPU 0": 50.0},
           saw="One of 16 cables of a server. Alibaba cut one under a training job on 256 GPUs: it went on, "
               "{{ digits(100 * figure('hpn-one-cable'), 3) }} % slower."),
    Find("stops", "Stay with two planes, and try the other losses.", "Which one still stops the rings?", control="lost",
         accepts=_stops_two, at={"wiring": TWO, "pattern": RINGS, "lost": NOTHING},
         hint="Something that a GPU cannot go around: both of its leaves.",
         saw="Both leaves of a rail, at once: two failures. Even a whole plane may go, at half the rate."),
)

# ---- the slowest


def _chance_wins(see) -> bool:
    """The fewest GPUs whose chance costs more than the slow one."""
    here, chance = see.at["ranks"], waits(see.values["ranks"], see.at["spread"])
    more = [ranks for ranks, longer in zip(see.values["ranks"], chance, strict=True) if longer > see.at["slower"]]
    return bool(more) and here == more[0]


_LESS_SPREAD, _FEWER = "Half the spread", "Half the GPUs"


def _halved(see) -> str:
    ranks, spread = see.at["ranks"], see.at["spread"]
    return _LESS_SPREAD if waits(ranks, spread / 2) < waits(ranks // 2, spread) else _FEWER


SLOWEST = (
    Find("chance", "The dashed line is one GPU that is always slower by {{ SLOWER[1] }} %. Drag to the right.",
         "From how many GPUs on does chance cost more than that GPU? Stop there.", control="ranks", accepts=_chance_wins,
         at={"ranks": 8, "spread": 2.0, "slower": SLOWER[1]}, hint="The first place at which the line is above the dashed one.",
         saw="The slowest of {{ waiting_from }} ordinary GPUs is slower than that one. So in a large job a slow GPU hides "
             "behind chance, and GPUs must be measured one by one."),
    Choice("helps", "Take all of 16,384 GPUs, and try both.", "What makes the step shorter?",
           options=[_LESS_SPREAD, _FEWER], answer=_halved, at={"ranks": GPUS, "spread": 2.0, "slower": 0},
           hints={_FEWER: "Move one position to the left, and see how little the line falls."},
           saw="The line rises only as the root of a logarithm: from 8 to 16,384 GPUs "
               "{{ digits(waits(GPUS, 2.0) / waits(8, 2.0)) }} times. The spread goes in whole: equal GPUs are worth more than "
               "few."),
)
