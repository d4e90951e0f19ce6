"""What the labs of this lesson ask: which limit binds, any plan that passes, and what a plan on the edge hangs on."""

from __future__ import annotations

from fabriclib.capstone.score import LIMITS

from ...course.stops import Choice, Find
from .tables import B200, DENSE, H100, MIXTURE, OF_DENSE, OF_MIXTURE, OF_TRILLION, SPLIT, TRILLION


def _bars(see, **at) -> dict[str, tuple[str, float]]:
    """Return {limit: (its state, its margin)} of the bars."""
    table = see(**at)
    rows = zip(*(table[name] for name in ("part", "row", "state", "to")), strict=True)
    return {row: (state, to) for part, row, state, to in rows if part == "bar"}


def _binds(see, **at) -> str:
    return next(row for row, (state, _) in _bars(see, **at).items() if state == "binds")


def _passes(see) -> bool:
    return min(to for _, to in _bars(see).values()) >= 1


_FASTER, _HALF, _POWER, _SAME = ("It passes by more", "It fails: too slow now", "It fails: too much power", "Nothing changes")


def _doubled(see) -> str:
    bars = _bars(see, gpus=2 * see.at["gpus"])
    if min(to for _, to in bars.values()) >= 1:
        return _FASTER
    return _POWER if bars["power"][1] < 1 else _HALF


def _another_split(see) -> bool:
    """Whether a plan passes by another split than the one that the arrow names where the stop begins."""
    table = see(split=SPLIT)
    return _passes(see) and see.at["split"] not in [split for split in table["split"] if split]


YOUR_CLUSTER = (
    Choice("binds", "Four bars, one for each limit. From the line on it is enough.", "Which limit binds this plan?",
           options=list(LIMITS), answer=_binds, field="row",
           at={"job": DENSE, "machine": H100, "gpus": 2048, "split": SPLIT},
           hints={"time": "That bar goes far beyond the line. Look for the shortest.",
                  "memory": "That bar goes beyond the line. Look for the shortest.",
                  "GPUs": "That bar just reaches the line. One falls short of it."},
           saw="The job would be done in less than half of its time, and the hall cannot feed it."),
    Find("any", "The same brief. Change what you like: machines, GPUs, split.", "Find a plan that passes; there are several.",
         control="gpus", accepts=_passes, at={"job": DENSE},
         hint="All four bars must reach the line. The arrows below say what helps most; a click on one does it.",
         saw="Fewer GPUs, and it passes. The arrows are the three changes that help most, one for each control."),
    Choice("more", "{{ H100 }}, 1,024 GPUs, 8 × 2: it passes. Now double the GPUs.", "What happens?",
           options=[_FASTER, _HALF, _POWER, _SAME], answer=_doubled,
           at={"job": DENSE, "machine": H100, "gpus": 1024, "split": "8 × 2"},
           hints={_FASTER: "The bar of time grows. Do all four still reach the line?",
                  _HALF: "Look at the bar of time: it grows.", _SAME: "Look at the bars of time and of power."},
           saw="What does not bind is worth nothing. Twice the GPUs bought speed that nobody asked for."),
    Find("trillion", "Now the trillion, on 4,096 GPUs of {{ B200 }}. The last arrow names a split that passes.",
         "Which other split passes? There are several.", control="split", accepts=_another_split,
         at={"job": TRILLION, "machine": B200, "gpus": 4096, "split": SPLIT},
         hint="Memory wants tensor × stages to be large; time wants it no larger than needed. And not the arrow's.",
         saw="Below some 32 GPUs for a copy the memory does not do. Above, several pass, and power binds them all alike."),
)


# ---- network and spares

_OPTICS = ["Much: it passes by a tenth more", "Hardly: by one or two hundredths", "It passes no longer"]


def _without(see) -> str:
    """Which bar shrinks most when no server stands by."""
    with_, without = _bars(see), _bars(see, spare=0)
    return min(LIMITS, key=lambda limit: without[limit][1] / with_[limit][1])


def _light(see) -> str:
    before, after = (_bars(see, optics=optics)["power"][1] for optics in ("modules", "linear modules"))
    return _OPTICS[0] if after / before > 1.1 else _OPTICS[1] if 1 <= after / before < 1.025 else _OPTICS[2]


ITS_NETWORK = (
    Choice("spare", "The A100s pass with two spare servers. Take them away.", "Which bar shrinks most?",
           options=list(LIMITS), answer=_without, field="row", at={"plan": OF_DENSE, "spare": 2},
           hints={"GPUs": "That bar grows: there are fewer to count.", "power": "That bar grows a little: less is fed.",
                  "memory": "No GPU holds more than before."},
           saw="With nobody to step in, all wait for every repair. Two servers of some "
               "{{ EDGE[OF_DENSE][1].gpus // 8 }} buy the time back."),
    Find("mixture", "The mixture, its rails narrowed to 4:1, so that four ports share one.",
         "Give it a network with which it passes.", control="network", accepts=_passes,
         at={"plan": OF_MIXTURE, "network": "rails, 4:1", "optics": "modules", "spare": 2},
         hint="Tokens go to experts all over the cluster. Which network lets all of them through at once?",
         saw="Tokens go everywhere, so the width counts. For a dense model the same narrowing costs next to nothing."),
    Choice("optics", "The same plan on full rails. Take linear modules, which draw less.", "How much does it help?",
           options=_OPTICS, answer=_light, at={"plan": OF_MIXTURE},
           hints={_OPTICS[0]: "Read the watts before and after.", _OPTICS[2]: "Does the bar of power shrink?"},
           saw="Optics are a small part of the power. Of a network's it is much more, and so it is still done."),
    Find("edge", "The trillion on the fewest GPUs. It fails by a hair; change network, optics or spares.",
         "Find a plan that passes.", control="spare", accepts=_passes, at={"plan": OF_TRILLION},
         hint="Time binds. What makes it wait?",
         saw="More spares, less waiting: at this edge a few servers that do nothing decide."),
)

# ---- all plans

_SPLIT, _MACHINE, _COUNT = "the split", "the machine", "the number of GPUs"


def _dots(see, part: str = "plan", **at) -> list[dict]:
    table = see(**at)
    return [row for row in (dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True))
            if row["part"] == part]


def _in_a_row(see) -> str:
    """What the plans of one height differ in: where all of them are of one machine, the split."""
    rows: dict[float, set] = {}
    for dot in _dots(see):
        rows.setdefault(round(dot["watts (%)"], 6), set()).add(dot["machine"])
    return _SPLIT if all(len(machines) == 1 for machines in rows.values()) else _MACHINE


def _machines(see) -> list[str]:
    return sorted({dot["machine"] for dot in _dots(see) if dot["size"] > 100})


_ONE, _TWO, _THREE, _FOUR = "one", "two", "three", "four"
_INSIDE, _LEFT, _RIGHT, _ABOVE = "Some in the shaded corner", "All too slow", "All too hungry", "Some too slow, others too hungry"


def _rings(see) -> str:
    rings = _dots(see, "ring")
    slow, hungry = ([ring for ring in rings if ring[axis] > 100] for axis in ("days (%)", "watts (%)"))
    if any(ring["days (%)"] <= 100 and ring["watts (%)"] <= 100 for ring in rings):
        return _INSIDE
    return _LEFT if len(slow) == len(rings) else _RIGHT if len(hungry) == len(rings) else _ABOVE


ALL_PLANS = (
    Choice("rows", "Dots of the same sign and the same height draw the same watts.", "What do the dots of such a row differ in?",
           options=[_SPLIT, _MACHINE, _COUNT], answer=_in_a_row, at={"job": DENSE},
           hints={_MACHINE: "A machine has a sign of its own. Look along a row.",
                  _COUNT: "Twice the GPUs draw twice the watts."},
           saw="The same machines, the same bill, and several times the days: a split costs nothing and decides a lot."),
    Choice("kinds", "Take the mixture. The large dots pass.", "How many kinds of machine are among them?",
           options=[_ONE, _TWO, _THREE, _FOUR], answer=lambda see: [_ONE, _TWO, _THREE, _FOUR][len(_machines(see)) - 1],
           at={"job": MIXTURE}, hints={_ONE: "Count the signs in the shaded corner.", _TWO: "Look at its right edge.",
                                       _FOUR: "Count the signs in the shaded corner."},
           saw="Three kinds pass, of two generations: many old GPUs, or half as many new ones. Which, is decided by what you "
               "can get."),
    Choice("both", "Stay, and ring what passes the trillion's brief.", "Where are the rings?",
           options=[_INSIDE, _LEFT, _RIGHT, _ABOVE], answer=_rings, at={"job": MIXTURE, "also": TRILLION},
           hints={_INSIDE: "Follow the rings: is one in the shaded corner?", _LEFT: "Read both axes of a ring.",
                  _ABOVE: "Is any of them right of the corner?"},
           saw="None passes both. There is no best cluster: there is a cluster for a job, a hall and a date."),
)
