"""What the labs of this lesson ask."""

from __future__ import annotations

from fabriclib import units

from ...course.stops import Choice, Find, Number
from .tables import GPUS, MESH, SERVERS, summed

_MESH, _BOX = SERVERS


# ---- mesh or switch ----

def _caption(table: dict, name: str, what: str) -> float:
    """A rate that stands below a machine."""
    said = next(label for graph, begins, label in zip(table["graph"], table["from"], table["label"], strict=True)
                if (graph, begins) == (name, what))
    return units.parse(said.split(": ")[1], "rate")


def _cables(see, name: str) -> int:
    """How many cables of a machine carry something."""
    table = see()
    return sum(graph == name and part == "cable" and state.startswith("in use")
               for graph, part, state in zip(table["graph"], table["part"], table["state"], strict=True))


_ONE_EACH, _ONE_AND_EIGHT, _SEVEN_AND_EIGHT = "1 and 1", "1 and 8", "7 and 8"
_NEITHER = "Neither"
_FAR, _AHEAD, _LEVEL = "About seven times as much", "About twice as much", "Hardly anything"


def _in_use(see) -> str:
    return f"{_cables(see, _MESH)} and {_cables(see, _BOX)}"


def _silent(see) -> float:
    """How many of its links a GPU of the mesh sends nothing on: a cable is labelled beside GPU 0 where it leaves something."""
    table = see()
    leaves = sum(graph == _MESH and part == "cable" and label != ""
                 for graph, part, label in zip(table["graph"], table["part"], table["label"], strict=True))
    return GPUS - 1 - leaves


def _gains(see) -> str:
    """The machine on which three rings together send more than one."""
    gain = [name for name in SERVERS
            if _caption(see(pattern="three rings"), name, "all together") > 1.5 * _caption(see(), name, "all together")]
    return gain[0] if len(gain) == 1 else _NEITHER


def _lead(see) -> str:
    """How much more the switch box carries, all together."""
    ratio = _caption(see(), _BOX, "all together") / _caption(see(), _MESH, "all together")
    return _LEVEL if ratio < 1.1 else _AHEAD if ratio < 3 else _FAR


MESH_OR_SWITCH = (
    Choice("pair", "GPU 0 sends to one other GPU, on both machines.",
           "How many cables carry something, in the mesh and in the switch box?",
           options=[_ONE_EACH, _ONE_AND_EIGHT, _SEVEN_AND_EIGHT], answer=_in_use, at={"pattern": "one pair"},
           hints={_ONE_EACH: "In the switch box follow the way through all four switches.",
                  _SEVEN_AND_EIGHT: "Thin and dashed is idle."},
           saw="A pair of the mesh has one cable; behind switches it has all cables of both GPUs, and "
               "{{ digits(pair_rate(SWITCH) / pair_rate(MESH)) }} times the rate."),
    Number("idle", "Now one ring: everyone sends to the next.",
           "On how many of its seven links does GPU 0 of the mesh send nothing?", kind="ratio", unit="links",
           example="2 links", answer=_silent, at={"pattern": "one ring"},
           slips={"two of its cables are thick, but over one of them it only receives": GPUS - 3,
                  "on one of them it does send: a figure stands beside it": GPUS - 1},
           saw="One link in seven works. A cable carries both directions, so GPU 0 receives over another one."),
    Choice("more", "Go from one ring to three, then to seven. Each carries a part of the buffer, in an order of its own.",
           "Which machine sends more with it?", options=[_MESH, _BOX, _NEITHER], answer=_gains, field="graph",
           at={"pattern": "one ring"},
           hints={_BOX: "Compare its rate of all together before and after.",
                  _NEITHER: "Read “all together” below both pictures."},
           saw="The rings use links of the mesh that were idle. The switch box had none left: one ring fills every port."),
    Choice("alike", "All-to-all: everyone sends to everyone at once.",
           "By how much is the switch box ahead, all together?", options=[_FAR, _AHEAD, _LEVEL], answer=_lead,
           at={"pattern": "all-to-all"},
           hints={_FAR: "That was a single pair. Read “all together” below both.", _AHEAD: "Read “all together” below both."},
           saw="It is the traffic that decides, not the datasheet: the same two machines differ by a factor of "
               "{{ digits(pair_rate(SWITCH) / pair_rate(MESH), 2) }}, or by "
               "{{ digits(100 * (h100.bandwidth() / all_links.bandwidth() - 1) | abs, 1) }} %."),
)


# ---- how many rings, how many GPUs ----

def _rate(see, what: str, gpus: int, **at) -> float:
    table = see(**at)
    return next(rate for name, group, rate in zip(table["what"], table["GPUs"], table["rate (GB/s)"], strict=True)
                if name.startswith(what) and group == gpus)


_SUM, _ALL, _SWITCH = "mesh, this many", "mesh, all links", "switch"  # how the names of the three lines begin


def _halfway(see) -> bool:
    """The fewest rings with which eight GPUs of the mesh reach half of the switch's line."""
    enough = [n for n in see.values["channels"] if _rate(see, _SUM, GPUS, channels=n) >= _rate(see, _SWITCH, GPUS) / 2]
    return see.at["channels"] == min(enough)


_ODD, _EVEN, _MIDDLE = "In those of 3, 5 and 7", "In those of 4 and 6", "In all but that of 8"


def _short(see) -> str:
    """The groups whose rings leave some of their links idle."""
    short = [gpus for gpus in sorted(set(see()["GPUs"])) if _rate(see, _SUM, gpus) < 0.95 * _rate(see, _ALL, gpus)]
    return {(3, 5, 7): _ODD, (4, 6): _EVEN}.get(tuple(short), _MIDDLE)


_LONE, _MORE = "Nothing", "Seven times the rate"


def _for_two(see) -> str:
    """What seven rings give a group of two."""
    return _LONE if _rate(see, _SUM, 2, channels=GPUS - 1) < 1.1 * _rate(see, _SUM, 2) else _MORE


def _starts_decide(see) -> bool:
    """The largest buffer with which eight GPUs reach less than half of what their links carry."""
    slow = [n for n in see.values["nbytes"] if _rate(see, _SUM, GPUS, nbytes=n) < _rate(see, _ALL, GPUS) / 2]
    return see.at["nbytes"] == max(slow)


RING_CHANNELS = (
    Find("half", "One ring of eight GPUs lies far below the switch's line. Add rings.",
         "How few bring eight GPUs to at least half of the switch's rate?", control="channels", accepts=_halfway,
         at={"channels": 1, "nbytes": 2.0**30},
         hint="Look at the solid line over 8 GPUs: half of the dashed line, and less with one ring fewer.",
         saw="Each ring adds one link of seven."),
    Choice("groups", "Seven rings, as far as they fit. Compare the solid with the dotted line.",
           "In which groups do the rings leave one of a GPU's links to the others idle?",
           options=[_ODD, _EVEN, _MIDDLE], answer=_short, at={"channels": GPUS - 1, "nbytes": 2.0**34},
           hints={_ODD: "There both lines meet.", _MIDDLE: "In some groups both lines meet."},
           saw="Only eight keep up with the switch; and in groups of 4 and 6 even the links to the group are not all used."),
    Choice("two", "A job of two GPUs. Go from one ring to seven.", "What do more rings give it?",
           options=[_LONE, "Twice the rate", _MORE], answer=_for_two, at={"channels": 1},
           hints={"Twice the rate": "Look at the solid line over 2 GPUs.", _MORE: "That is for eight. Look over 2 GPUs."},
           saw="Two GPUs share one link, however many lead to strangers. The diamonds, measured, say the same."),
    Find("small", "Seven rings. Now make the buffer smaller.",
         "Which is the largest buffer with which eight GPUs reach less than half of the dotted line?", control="nbytes",
         accepts=_starts_decide, at={"channels": GPUS - 1, "nbytes": 2.0**30},
         hint="Over 8 GPUs: below half of the dotted line, and above it with the next larger buffer.",
         saw="There starts begin to decide: a ring takes {{ RING.counts().messages }} steps, however little is sent."),
)


# ---- seven rings ----

_OTHER_WAY, _SAME_WAY, _NEVER = "In opposite directions", "In the same direction", "No cable has two"


def _passing(see) -> str:
    """How the rings that share a cable pass over it."""
    table = see(rings=GPUS - 1)
    steps = [step for part, *step in zip(table["part"], table["from"], table["to"], strict=True) if part == "ring"]
    if len({tuple(step) for step in steps}) < len(steps):
        return _SAME_WAY
    return _OTHER_WAY if len({frozenset(step) for step in steps}) < len(steps) else _NEVER


SEVEN_RINGS = (
    Choice("share", "Step through the rings to the last. Look for a cable with two colours.",
           "How do two rings pass over the same cable?", options=[_SAME_WAY, _OTHER_WAY, _NEVER], answer=_passing,
           hints={_SAME_WAY: "Look at the arrows on it.", _NEVER: "With seven rings every cable has two lines side by side."},
           saw="A cable carries both directions at full rate each: {{ MESH.count.sum() // 2 }} cables are {{ MESH.count.sum() }} "
               "ways, and seven rings of eight steps leave none over. Three rings are not the end."),
    Number("gain", "Note how long one ring takes, then take all seven.",
           "How many times as long does one ring take?", kind="ratio", unit="times",
           answer=lambda see: summed(MESH, 1) / summed(MESH, GPUS - 1),
           slips={"there are half as many cables as ways; the sentence counts ways": (GPUS - 1) / 2,
                  "there are eight GPUs, but a ring uses one of seven links of each": GPUS},
           saw="Each GPU sends over all its links, and the sum takes {{ si(summed(MESH, GPUS - 1), 's') }} instead of "
               "{{ si(summed(MESH, 1), 's') }}: about as long as over the switches."),
)


# ---- the dies of an MI250X ----

ONE_WAY, ALL_WAYS = "one of the best ways", "all best ways"


def _used(see, **at) -> list[float]:
    """What each cable in use carries, in GB/s."""
    table = see(**at)
    return [rate for part, state, rate in zip(table["part"], table["state"], table["GB/s"], strict=True)
            if part == "cable" and state == "in use"]


def _fastest(see) -> bool:
    rates = {die: max(_used(see, target=die), default=0.0) for die in see.values["target"]}
    return rates[see.at["target"]] == max(rates.values())


def _joined(see) -> int:
    """To how many dies cables lead from the die at which the copy starts."""
    table, start = see(), f"gpu{see.at['source']}"
    return sum(part == "cable" and start in ends
               for part, *ends in zip(table["part"], table["from"], table["to"], strict=True))


_HALVES, _FASTER, _WIDER = "It goes two ways, half on each", "The same links run faster", "It finds a way with more links"


def _doubles(see) -> str:
    """Why all best ways bring more: twice as many cables carry as much each as before."""
    one, every = _used(see), _used(see, ways=ALL_WAYS)
    return _FASTER if max(every) > max(one) else _HALVES if len(every) == 2 * len(one) else _WIDER


MI250X_DIES = (
    Find("fastest", "A copy starts at die 0. Click another die.", "To which die is it fastest? Stop there.", control="target",
         accepts=_fastest, at={"source": 0, "target": 3, "ways": ONE_WAY},
         hint="Look for the thickest line at die 0.",
         saw="The other die of its package, over four links; other pairs have two links, or one."),
    Number("detour", "Look at the lines that start at die 0.", "To how many of the seven other dies does no link lead from it?",
           kind="ratio", unit="dies", answer=lambda see: GPUS - 1 - _joined(see), at={"source": 0, "target": 1},
           example="2 dies",
           slips={"to so many a link does lead": _joined},
           saw="More than half of the others are reached by a detour through a third die, whose links others may want too."),
    Choice("ways", "From die 0 to die 3: let the copy take all best ways instead of one.", "Why does its rate double?",
           options=[_FASTER, _WIDER, _HALVES], answer=_doubles, at={"source": 0, "target": 3, "ways": ONE_WAY},
           hints={_FASTER: "Read what each blue line carries, before and after.",
                  _WIDER: "Count the blue lines, before and after."},
           saw="Over die 1 and over die 2, one link sets the pace each time. A single copy was measured to take one way only."),
)
