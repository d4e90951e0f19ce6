"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from ...course.stops import Choice, Find, Number
from .tables import (
    BUFFER,
    DCQCN,
    DICE,
    FEEDBACK,
    LLAMA,
    NOBODY,
    PACKET,
    PATHS,
    PFC,
    SECONDS,
    SENDERS,
    THRESHOLDS,
    WANTED,
    averages,
    blocks,
    figures,
    needed,
    steps,
    trace,
    used,
)

# ---- dice for flows ----

_EIGHT = {"senders": PATHS, "paths": PATHS, "way": DICE}


def _flows_on_paths(see) -> list[int]:
    """How many flows each busy path has in the throw that is shown."""
    table = see()
    left = [left for part, left in zip(table["part"], table["left"], strict=True) if part == "flow"]
    return np.unique(left, return_counts=True)[1].tolist()


def _thrown(see) -> list[int]:
    """In how many of all throws the fullest path had 1, 2, 3 and so on flows, as the bars count them."""
    table = see(draw=see.values["draw"][-1])
    labels = [label for part, label in zip(table["part"], table["label"], strict=True) if part == "count"]
    return [int(label.split()[0]) if label else 0 for label in labels]


_RARE, _NEARLY_HALF, _MOSTLY = "In hardly any of them", "In nearly half of them", "In nearly all of them"


def _three_or_more(see) -> str:
    counts = _thrown(see)
    share = sum(counts[2:]) / sum(counts)
    return _RARE if share < 0.2 else _NEARLY_HALF if share < 0.5 else _MOSTLY


_BUSY_MEAN, _MEAN_SLOWEST, _NONE = "busy and mean", "mean and slowest", "no two of them"


def _always_equal(see) -> str:
    senders, paths, way = (see.at[name] for name in ("senders", "paths", "way"))
    thrown = np.array([figures(blocks(senders, paths, way, draw), senders, paths) for draw in see.values["draw"]])
    return _BUSY_MEAN if np.allclose(thrown[:, 0], thrown[:, 1]) else (
        _MEAN_SLOWEST if np.allclose(thrown[:, 1], thrown[:, 2]) else _NONE)


def _on_average(see):
    return averages(see.at["senders"], see.at["paths"], see.at["way"])


DRAW = (
    Number("fullest", "Look at the first throw. A column is a path, a block in it a flow.",
           "How many flows share the fullest path?", kind="ratio", unit="flows", example="7 flows", at=_EIGHT | {"draw": 1},
           answer=lambda see: max(_flows_on_paths(see)),
           slips={"those are all flows; look at one column": lambda see: see.at["senders"],
                  "that many paths carry something; look at the highest": lambda see: len(_flows_on_paths(see))},
           saw="They take so many times as long as a flow that is alone, and in the end all others wait for them."),
    Choice("often", "Press “keep going”. The bars count how high each throw's fullest path was; yellow is the present throw.",
           "In how many throws do three flows or more meet on a path?", options=[_RARE, _NEARLY_HALF, _MOSTLY],
           answer=_three_or_more, at=_EIGHT | {"draw": 1},
           hints={_RARE: "Let all throws be made, then add up the bars at 3 and above.",
                  _MOSTLY: "Which bar is the longest? It counts those where two meet."},
           saw="And all eight paths are busy in {{ '{:.2g}'.format(100 * ecmp.collision_free(PATHS, PATHS)) }} % of all throws: "
               "collisions are not bad luck, they are the rule."),
    Choice("equal", "Throw a few times more, and watch the three figures above the columns.",
           "Which two of them are always equal here?", options=[_BUSY_MEAN, _MEAN_SLOWEST, _NONE],
           answer=_always_equal, at=_EIGHT,
           hints={_MEAN_SLOWEST: "The slowest is one over the highest column. Is the mean?",
                  _NONE: "Throw once more, and compare neighbours."},
           saw="A busy path is full, whoever fills it. Take 32 paths, and they part: most idle, and nobody minds."),
    Number("longer", "At the end of the sentence stands what the slowest reaches on average, over very many throws.",
           "How many times as long as on an even spread does a step take?", kind="ratio", unit="times", at=_EIGHT,
           answer=lambda see: 1 / _on_average(see).slowest,
           slips={"that is its rate; the time is one over it": lambda see: _on_average(see).slowest,
                  "that is from the busy paths; the step waits for the slowest": lambda see: 1 / _on_average(see).busy},
           saw="That is your first prediction: the step runs at {{ portion(averages(PATHS, PATHS, DICE).slowest) }}."),
    Find("even", "Now another way to choose a path.",
         "Which makes every throw as good as an even spread? Stop there.", control="way", at=_EIGHT,
         accepts=lambda see: _on_average(see).slowest == 1,
         hint="Every path is to be busy, and no column higher than the dashed line, in every throw.",
         saw="Only spraying packets and fixed paths. Of the dice, {{ LLAMA }} flows each reach "
             "{{ portion(averages(PATHS, PATHS, HASHED | list | last).slowest) }}, two choices "
             "{{ portion(averages(PATHS, PATHS, TWO).slowest) }}."),
)


# ---- more dice ----

def _share(see, way: str, split: int) -> float:
    """Per cent that *way* reaches with so many flows each."""
    table = see()
    return next(share for flows, name, share in zip(table["flows"], table["way"], table["share"], strict=True)
                if (flows, name) == (split, way))


def _fewest(see, way: str) -> int:
    """The smallest number of flows, of those offered, with which *way* reaches what is wanted."""
    return min(split for split in see.values["split"] if _share(see, way, split) >= 100 * WANTED)


_QUARTER, _HALF, _ALL = "About a quarter of it", "More than half of it", "Nearly all of it"


def _still_missing(see) -> str:
    before, after = (100 - _share(see, "hash", split) for split in (see.at["split"], 4 * see.at["split"]))
    return _QUARTER if after < 0.35 * before else _HALF if after < 0.7 * before else _ALL


_DOZENS, _HUNDREDS, _AS_MANY = "A few dozen", "Half as many", "As many"


def _two_choices_need(see) -> str:
    part = _fewest(see, "two choices") / _fewest(see, "hash")
    return _DOZENS if part < 1 / 8 else _HUNDREDS if part < 3 / 4 else _AS_MANY


def _a_packet_each(see) -> bool:
    """The smallest transfer, of those offered, that leaves each flow a whole packet."""
    whole = [nbytes for nbytes in see.values["nbytes"] if nbytes / needed(see.at["paths"]) >= PACKET]
    return see.at["nbytes"] == min(whole)


ENTROPY = (
    Find("wanted", "Cut each transfer into more flows: move the slider, or drag the dot along its line.",
         "Which is the smallest of these numbers that brings hashing to {{ portion(WANTED) }}?", control="split",
         at={"paths": PATHS, "split": 1}, accepts=lambda see: see.at["split"] == _fewest(see, "hash"),
         hint="The dot is to lie on the dashed level line or above it, and below it one step before.",
         saw="It takes {{ needed(PATHS) }} exactly, and more with every path that is added: "
             "{{ thousands(needed(32)) }} on 32."),
    Choice("root", "Read what is missing to 100 % with {{ LLAMA }} flows each, then with four times as many.",
           "How much of it is still missing?", options=[_QUARTER, _HALF, _ALL], answer=_still_missing,
           at={"paths": PATHS, "split": LLAMA},
           hints={_QUARTER: "That would be so if it shrank as fast as the flows grow. Read both shares.",
                  _ALL: "Read both shares in the sentence, and how far either is from 100 %."},
           saw="Four times the flows halve the time that is lost: it shrinks with their square root."),
    Choice("two", "Now the dashed line: every flow looks at two random paths, and takes the emptier one.",
           "How many flows does that need for {{ portion(WANTED) }}, against hashing?", options=[_AS_MANY, _HUNDREDS, _DOZENS],
           answer=_two_choices_need, at={"paths": PATHS},
           hints={_AS_MANY: "Where do the two lines cross the level one? The axis is logarithmic.",
                  _HUNDREDS: "Half as many would be one mark of the axis to the left. It is further."},
           saw="Looking once before choosing is worth more than hundreds of dice. But somebody must look."),
    Find("packet", "Hashing again, cut as fine as {{ portion(WANTED) }} needs it. Make the transfer larger.",
         "Which is the smallest that leaves each of its flows a whole packet?", control="nbytes",
         at={"paths": PATHS, "nbytes": 2.0**16}, accepts=_a_packet_each,
         hint="The end of the sentence says what is left to a flow, in packets.",
         saw="Smaller transfers would be cut finer than into packets. Then the switch may as well place every packet by itself: "
             "that is spraying, the line at the top."),
)


# ---- many to one ----

def _leaves(see, case: str) -> float:
    """The microseconds after which the line of *case* is lower than that of senders that never slow down, in the left panel."""
    table = see()
    lines = {}
    for name, time, waiting in zip(table["case"], table["near (µs)"], table["near (MB)"], strict=True):
        lines.setdefault(name, []).append((time, waiting))
    return next(time for (time, waiting), (_, free) in zip(lines[case], lines[NOBODY], strict=True)
                if not np.isclose(waiting, free))


_IDLES, _FULL, _PAUSED = "It idles part of the time", "It is busy all the time", "It is paused"


def _port_meanwhile(see) -> str:
    return _IDLES if used(trace(see.at["senders"], see.at["feedback"], see.at["threshold"])) < 1 else _FULL


_HARDLY, _PART, _ALWAYS = "For hardly any of it", "For about half of it", "For all of it"


def _held_back(see) -> str:
    share = steps() @ trace(see.at["senders"], see.at["feedback"], see.at["threshold"]).paused / SECONDS
    return _HARDLY if share < 0.25 else _PART if share < 0.75 else _ALWAYS


def _overflows(see) -> bool:
    """The quickest news, of those offered, with which congestion control alone needs more than a switch has."""
    late = [news for news in see.values["feedback"] if trace(see.at["senders"], news).queue.max() > BUFFER]
    return bool(late) and see.at["feedback"] == min(late)


INCAST = (
    Choice("first", "Look at the left panel. Dotted: nobody slows down, and more and more bytes wait.",
           "Which of the two cures leaves that line first? Click it, or choose.", options=[DCQCN, PFC],
           answer=lambda see: min((DCQCN, PFC), key=lambda case: _leaves(see, case)), field="case",
           at={"senders": SENDERS, "feedback": FEEDBACK[0], "threshold": THRESHOLDS[2]},
           hints={DCQCN: "Follow that line from the left: it goes on rising with the dotted one for a while."},
           saw="The pause acts after {{ si(full_after(SENDERS, THRESHOLDS[2]), 's', 2) }}, as soon as its threshold is reached. "
               "DCQCN takes {{ si(heard(SENDERS), 's', 2) }}: marks must be made, get out of the port, and travel."),
    Choice("idle", "Both together, the solid line: in the right panel the queue is empty for milliseconds.",
           "What does the receiver's port do in that time?", options=[_FULL, _PAUSED, _IDLES], answer=_port_meanwhile,
           at={"senders": SENDERS, "feedback": FEEDBACK[0], "threshold": THRESHOLDS[3]},
           hints={_FULL: "Nothing waits for it. What is the last number of the sentence?",
                  _PAUSED: "A pause stops senders. How long are they held back in all?"},
           saw="An empty queue is no good sign: the senders have cut too deep, come back slowly, and "
               "{{ portion(1 - used(trace(SENDERS, FEEDBACK[0], THRESHOLDS[3]))) }} of the port is lost."),
    Choice("held", "Lower the pause threshold as far as it goes: now the port is full.",
           "For how much of the {{ si(SECONDS, 's') }} are the senders held back?", options=[_HARDLY, _PART, _ALWAYS],
           answer=_held_back, at={"senders": SENDERS, "feedback": FEEDBACK[0], "threshold": THRESHOLDS[0]},
           hints={_HARDLY: "Read the end of the sentence.", _PART: "Read the end of the sentence, in milliseconds."},
           saw="So short a queue marks too few packets to slow anybody down. Only pauses act, and they stop all that is behind "
               "the port, bystanders too."),
    Find("late", "32 senders, and DCQCN alone. Let the news take longer.",
         "From which of these on does the queue outgrow a switch's whole memory?", control="feedback",
         at={"senders": 32, "feedback": FEEDBACK[0]}, accepts=_overflows,
         hint="The sentence says how much of a switch's memory DCQCN alone needs. It is to be more than all of it.",
         saw="A cut halves the rate, and the next comes {{ si(dcqcn.published().cnp_interval, 's') }} later: so many senders "
             "need five cuts. Control is fair and slow, a pause fast and blind."),
)
