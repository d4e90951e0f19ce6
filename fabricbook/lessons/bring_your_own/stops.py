"""What the labs of this lesson ask. The labs in its boxes ask nothing: nobody knows the answer of what a learner brings."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog
from fabriclib.diagnosis.suspects import TOO_SLOW

from ...course.stops import Choice, Find
from .examples import RUNS
from .tables import CAUSES

TCP, MISSING, NO_NVLINK, NO_ADDING, ORDER = (
    next(name for name, id in CAUSES.items() if id == wanted)
    for wanted in ("tcp", "one-nic", "pcie-not-nvlink", "nvls-off", "rank-order"))
_FOUR = {"machine": "DGX H100", "nodes": 4, "collective": "all_reduce"}
_BROKEN = "broken"

# ---- break a machine ----

_LEFT, _RIGHT, _ALL = "At the left: small buffers", "At the right: large buffers", "All along"


def _ends(see, **at) -> tuple[float, float]:
    """How many times as long the broken machine takes for the smallest and for the largest buffer."""
    table = see(**at)
    times = [t for t, line in zip(table["times as long"], table["machine"], strict=True) if line == _BROKEN]
    return times[0], times[-1]


def _where(see) -> str:
    small, large = _ends(see)
    return _ALL if min(small, large) >= TOO_SLOW else _RIGHT if large >= TOO_SLOW else _LEFT


_BOTH, _NEITHER = "Both, easily", "Neither"


def _noticed(see) -> str:
    """Which of the two an alarm would notice at the right end."""
    loud = [cause for cause in (NO_NVLINK, NO_ADDING) if _ends(see, cause=cause)[1] >= TOO_SLOW]
    return _BOTH if len(loud) == 2 else loud[0] if loud else _NEITHER


_BY_LEFT, _BY_RIGHT, _BY_NONE = "The left end", "The right end", "Nothing in the curve"


def _told_apart(see) -> str:
    (left, right), (other_left, other_right) = _ends(see), _ends(see, cause=MISSING)
    apart = [end for end, times in ((_BY_LEFT, left / other_left), (_BY_RIGHT, right / other_right)) if times >= TOO_SLOW]
    return apart[0] if len(apart) == 1 else _BY_NONE


BREAK = (
    Choice("nics", "NICs missing: of eight, one is left.", "Where is the dashed line far from the healthy one?",
           options=[_LEFT, _RIGHT, _ALL], answer=_where, at={"cause": MISSING, **_FOUR},
           hints={_LEFT: "Follow both lines to the left end: how far apart are they there?",
                  _ALL: "Follow both lines to the left end."},
           saw="A rate is lost at the right end. Small buffers hardly notice that seven NICs are idle."),
    Choice("tcp", "Now TCP instead of RDMA.", "And where is the dashed line far off now?", options=[_LEFT, _RIGHT, _ALL],
           answer=_where, at={"cause": TCP, **_FOUR},
           hints={_RIGHT: "Look at the left end as well, and read the first figure of the sentence.",
                  _LEFT: "Look at the right end as well."},
           saw="A latency is lost at the left end. TCP costs both: the operating system copies, and waits."),
    Choice("notice", "One node. Break NVLink; then give it back, and forbid the switch to add (NVLS off).",
           "Which of the two would you notice?", options=[NO_NVLINK, NO_ADDING, _BOTH, _NEITHER], answer=_noticed,
           at={"cause": NO_NVLINK, **_FOUR, "nodes": 1},
           hints={NO_ADDING: "Set it, and see how near the lines lie.", _BOTH: "Set NVLS off, and see how near the lines lie.",
                  _NEITHER: "One of them falls to a fraction of its rate."},
           saw="Broken NVLink shouts. A switch that does not add costs so little that it passes for a bad day."),
    Choice("apart", "Four nodes, a bad rank order; then NICs missing. The right ends are nearly the same.",
           "What tells the two apart?", options=[_BY_RIGHT, _BY_LEFT, _BY_NONE], answer=_told_apart, at={"cause": ORDER, **_FOUR},
           hints={_BY_RIGHT: "Both take about as many times as long there.",
                  _BY_NONE: "Compare the first figure of the sentence."},
           saw="In a bad order every step crosses the network, so small buffers wait too. With large sizes alone nobody could "
               "tell."),
)

# ---- published runs ----

_RUN = {run[0]: run for run in RUNS}


def _medians(see) -> tuple[float, float]:
    """How many times as long as predicted the smaller and the larger half of the sizes took."""
    measured = [m for m in see()["measured"] if m == m]
    halves = np.array_split(np.array(measured), 2)
    return float(np.median(halves[0])), float(np.median(halves[1]))


def _above(see) -> str:
    small, large = _medians(see)
    return _ALL if min(small, large) >= TOO_SLOW else _RIGHT if large >= TOO_SLOW else _LEFT


def _missed(see, suspect: str) -> float:
    """How far a suspect's line is from the diamonds, as the mean of logarithms."""
    table = see(suspect=suspect)
    many = len(table["line"]) // 2
    expected, measured = np.array(table["expected"][many:]), np.array(table["measured"][:many])
    off = float(np.abs(np.log(expected / measured)).mean())
    return off if off == off else np.inf  # what cannot happen in such a run has no line


def _culprit(see) -> bool:
    """Whether no other suspect's line is nearer to the diamonds."""
    return see.at["suspect"] in CAUSES and see.at["suspect"] == min(CAUSES, key=lambda cause: _missed(see, cause))


_MANY, _CHIPS, _SAME = "Many nodes, on a shared network", "The same GPU", "The same collective"


def _in_common(see) -> str:
    """What the labels of runs C and G share."""
    one, other = (catalog.row("measurement_tables", RUNS[_RUN[run]]) for run in "CG")
    if one["collective"] == other["collective"]:
        return _SAME
    return _MANY if one["cause"] == other["cause"] == "congestion" and min(one["nodes"], other["nodes"]) > 100 else _CHIPS


READ = (
    Choice("above", "Run A, no suspect yet.", "Where do its diamonds lie far above the green line?",
           options=[_LEFT, _RIGHT, _ALL], answer=_above, at={"run": _RUN["A"], "suspect": "nothing"},
           hints={_LEFT: "There too. Now look to the right.",
                  _RIGHT: "How many times as long as predicted do small buffers take?"},
           saw="Twice as long at the left, more at the right. Which fault of the first lab bends both ends?"),
    Find("accuse", "Still run A. Accuse one after the other in the menu.",
         "Whose dashed line runs through the diamonds? Stop there.", control="suspect", accepts=_culprit,
         at={"run": _RUN["A"], "suspect": "nothing"},
         hint="Its line leaves the diamonds: read the second part of the sentence, all figures should be near to 1.",
         saw="Its source says the same: a plugin was missing, and the library fell back to TCP."),
    Choice("climb", "Run C, then run G: both end with diamonds that climb.", "What do these two runs have in common?",
           options=[_CHIPS, _SAME, _MANY], answer=_in_common, at={"run": _RUN["C"], "suspect": "nothing"},
           hints={_CHIPS: "One is Alps, the other Polaris.", _SAME: "Read the names of the runs in the menu."},
           saw="Large machines, other jobs on the same network: the largest messages meet them. Now judge the other runs."),
)

# ---- one computer ----

_RING, _DOUBLING, _OWN = "ring", "recursive doubling", "MPI's own (marks only)"
_WAYS = [_RING, _DOUBLING, _OWN]


def _times(see, at: int, column: str = "measured (s)") -> dict[str, float]:
    """{way: seconds} for the smallest buffer, 0, or the largest, -1."""
    table = see()
    rows = list(zip(table["what"], table["message"], table[column], strict=True))
    return {way: [seconds for what, _, seconds in sorted(rows) if what == way][at] for way in _WAYS}


def _quickest(see) -> str:
    times = _times(see, 0)
    return min(times, key=times.get)


def _slowest_large(see) -> str:
    times = _times(see, -1)
    return max(times, key=times.get)


_FASTER, _SLOWER, _HIT = "The marks lie above: it took longer", "The marks lie below: it was quicker", "They lie on the line"


def _large_ring(see) -> str:
    """Where the mark of the largest ring lies against its line."""
    off = _times(see, -1)[_RING] / _times(see, -1, "model (s)")[_RING]
    return _FASTER if off > 1.1 else _SLOWER if off < 0.9 else _HIT


COMPUTER = (
    Choice("small", "Four processes, the left end. Where marks cover each other, show one way at a time.",
           "Which way to add up is the quickest for a few bytes?", options=_WAYS,
           answer=_quickest, field="what", at={"processes": 4},
           hints={_RING: "Its marks lie highest there: six messages, one after the other.",
                  _DOUBLING: "Close. Another mark lies just below."},
           saw="Few messages win small, here as in a cluster: a ring of four takes six, the others fewer."),
    Choice("large", "The same, at the right end.", "Which way is the slowest for the largest buffer?", options=_WAYS,
           answer=_slowest_large, field="what", at={"processes": 4},
           hints={_RING: "Its marks lie lowest there.", _OWN: "Nearly. One lies higher."},
           saw="Recursive doubling sends the whole buffer in every step. Few bytes win large."),
    Choice("line", "Look at the ring: its line, and its marks at the right end.",
           "The line knows one message only. How good is it there?", options=[_FASTER, _HIT, _SLOWER], answer=_large_ring,
           at={"processes": 4},
           hints={_HIT: "Look at the last marks, and remember the axis is logarithmic.",
                  _SLOWER: "Which is higher, mark or line?"},
           saw="Four processes on two cores, and the adding is not counted. What a model leaves out shows where it works "
               "hardest."),
)
