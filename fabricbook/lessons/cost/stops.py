"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.collectives.cost import sent

from ...course.stops import Choice, Find, Number
from . import row
from .tables import GPUS, RANKS, RATE, START, h100


def _lines(table: dict, column: str) -> dict[str, np.ndarray]:
    """Return {algorithm: its values in *column*, by the size of the buffer}."""
    names, values = np.array(table["algorithm"]), np.array(table[column], dtype=float)
    return {name: values[names == name] for name in dict.fromkeys(table["algorithm"])}


# ---- five ways to add up ----

_BOUND = "lower bound"
_DOUBLING, _RABENSEIFNER, _TREE = "recursive doubling", "Rabenseifner", "double tree"
_TURNS = {("ring", _DOUBLING): "The ring, then recursive doubling", (_DOUBLING, "ring"): "Recursive doubling, then the ring",
          (_TREE, "ring"): "The double tree, then the ring", (_DOUBLING, _TREE): "Recursive doubling, then the double tree"}
_BOTH_RIGHT, _RIGHT_LEFT, _BOTH_LEFT = "To the right, both times", "To the right, then to the left", "To the left, both times"
_POWER, _MORE, _RING_SLOWER = "It is a power of two", "More ranks share the work", "The ring has become slower"
_WIRE = {"ranks": RANKS, "latency": START, "bandwidth": RATE}


def _fastest(see, **at) -> list[str]:
    """The fastest algorithm, by the size of the buffer."""
    lines = _lines(see(**at), "seconds")
    lines.pop(_BOUND)
    return [list(lines)[k] for k in np.array(list(lines.values())).argmin(axis=0)]


def _turns(see) -> str:
    winners = _fastest(see)
    return _TURNS[winners[0], winners[-1]]


def _left_end(see) -> str:
    """Whose time for the smallest buffer grows most from the fewest ranks to the most."""
    few, many = (_lines(see(ranks=ranks), "seconds") for ranks in (see.at["ranks"], see.values["ranks"][-1]))
    return max((name for name in few if name != _BOUND), key=lambda name: many[name][0] / few[name][0])


def _crossings(see) -> str:
    """Where the first crossing goes with twice the latency, then with twice the bandwidth."""
    def first(**at):
        return _fastest(see, **at).count(_DOUBLING)

    slower, faster = first(latency=2 * see.at["latency"]), first(bandwidth=2 * see.at["bandwidth"])
    before = first()
    return _BOTH_RIGHT if min(slower, faster) > before else _BOTH_LEFT if max(slower, faster) < before else _RIGHT_LEFT


def _drops(see) -> str:
    """What makes it quicker at 128 ranks than at 96: whether fewer ranks, also a power of two, do so too."""
    large = {ranks: _lines(see(ranks=ranks), "seconds") for ranks in (64, RANKS, 128)}
    if large[128]["ring"][-1] > 1.2 * large[RANKS]["ring"][-1]:
        return _RING_SLOWER
    return _POWER if large[64][_RABENSEIFNER][-1] < 0.8 * large[RANKS][_RABENSEIFNER][-1] else _MORE


CURVES = (
    Choice("turns", "Follow the yellow band, the fastest, from the left end to the right.",
           "Which is fastest for the smallest buffer, and which for the largest?", options=list(_TURNS.values()), answer=_turns,
           at=_WIRE, hints={_TURNS["ring", _DOUBLING]: "The buffer grows to the right.",
                            _TURNS[_TREE, "ring"]: "Look closely at the far left: which lines lie lowest?",
                            _TURNS[_DOUBLING, _TREE]: "Two lie close together at the right: take the largest buffer, and read."},
           saw="Few messages win small, few bytes win large; in between two others take their turn."),
    Choice("starts", "Set {{ GPUS }} ranks, then 1,024, and watch the left ends.",
           "Whose left end rises most?", options=[_DOUBLING, _TREE, "ring"], answer=_left_end,
           at={**_WIRE, "ranks": GPUS}, hints={_DOUBLING: "Its messages grow with the logarithm of the ranks.",
                                               _TREE: "It rises, but is there one that rises more?"},
           saw="The ring's messages grow with the ranks themselves. Its bytes hardly do: the right end stays."),
    Choice("crossings", "Double the latency. Put it back, and double the bandwidth instead.",
           "Where do the crossings go?", options=[_BOTH_LEFT, _RIGHT_LEFT, _BOTH_RIGHT], answer=_crossings, at=_WIRE,
           hints={_BOTH_LEFT: "Watch where the yellow band bends.",
                  _RIGHT_LEFT: "Read the size in the sentence, once with each change."},
           saw="Both make a start worth more bytes. A faster wire needs larger buffers to be filled by few bytes alone."),
    Choice("power", "Compare {{ RANKS }} ranks with 128, at the right end. Try 64 too.",
           "Why does Rabenseifner's line drop at 128?", options=[_MORE, _RING_SLOWER, _POWER], answer=_drops, at=_WIRE,
           hints={_MORE: "Then it would be high at 64.", _RING_SLOWER: "Does the ring's line move there?"},
           saw="With {{ RANKS }} ranks {{ UNPAIRED }} find no partner: they must hand over their whole buffer, and get the whole "
               "result back."),
)

# ---- times the best ----


def _behind(see) -> float:
    """How many per cent longer the double tree takes than the fastest."""
    lines, sizes = _lines(see(), "times the fastest"), _lines(see(), "size")
    return 100 * (float(lines[_TREE][np.isclose(sizes[_TREE], see.at["nbytes"])][0]) - 1)


def _ahead(see, nbytes: float) -> bool:
    lines, sizes = _lines(see(), "times the fastest"), _lines(see(), "size")["ring"]
    at = np.isclose(sizes, nbytes)
    return bool((lines[_TREE][at] < lines["ring"][at])[0])


def _last_ahead(see) -> bool:
    """The largest buffer for which the double tree beats the ring."""
    return _ahead(see, see.at["nbytes"]) and not _ahead(see, 2 * see.at["nbytes"])


BEST = (
    Number("behind", "{{ si(units.GiB) }} on {{ RANKS }} ranks: the grey line. The fastest lies on the lower edge.",
           "How much more time than the fastest does the double tree take?", kind="ratio", unit="%",
           answer=_behind, at={**_WIRE, "nbytes": 2.0**30},
           slips={"the fastest is at 1, and what is asked for is how much more": lambda see: 100 + _behind(see),
                  "one mark of the upright axis is a tenth": lambda see: _behind(see) / 10},
           saw="So little that the first picture cannot show it. The plain tree is far beyond, not drawn: whole buffers at "
               "every step."),
    Find("ahead", "1,024 ranks. Trees for small, rings for large, one reads.",
         "Which is the largest buffer for which the double tree still beats the ring? Stop there.", control="nbytes",
         accepts=_last_ahead, at={**_WIRE, "ranks": 1024, "nbytes": 2.0**20},
         hint="Bring the grey line to where the two lines cross, and not beyond.",
         saw="Hundreds of megabytes: with chunks the tree is no friend of small buffers only."),
)

# ---- the pipeline ----

_BUFFER = 2.0**20


def _moving(see, step: int) -> int:
    """How many chunks go one rank on in a step."""
    def fronts(at):
        table = see(step=at)
        return [gpu for part, gpu in zip(table["part"], table["GPU"], strict=True) if part == "under way"]

    return sum(a != b for a, b in zip(fronts(step - 1), fronts(step), strict=True))


def _filled(see) -> bool:
    """The first step in which as many wires work as ever do."""
    step, last = see.at["step"], row.plan(see.at["chunks"]).moves.steps
    most = max(_moving(see, at) for at in range(1, last + 1))
    return step > 0 and _moving(see, step) == most and all(_moving(see, at) < most for at in range(1, step))


def _quickest(see) -> bool:
    times = {chunks: row.seconds(chunks, see.at["nbytes"]) for chunks in see.values["chunks"]}
    return see.at["chunks"] == min(times, key=times.get)


PIPELINE = (
    Find("filled", "Four chunks go down a row of ranks. Play it.",
         "In which step do as many wires work as ever will, for the first time? Stop there.", control="step", accepts=_filled,
         at={"chunks": 4, "nbytes": _BUFFER, "step": 0},
         hint="Count the thick borders that moved, or read how many wires are at work.",
         saw="Until then the pipeline fills; at the end it drains. In between every chunk moves in every step."),
    Number("finer", "Read the time of the buffer in one piece, then in 16 chunks.",
           "How many times as fast are the 16?", kind="ratio", unit="times",
           answer=lambda see: row.seconds(1, see.at["nbytes"]) / row.seconds(16, see.at["nbytes"]),
           at={"chunks": 1, "nbytes": _BUFFER, "step": 0},
           slips={"each message is a sixteenth, but there are more of them in a row": 16.0,
                  "the steps became more, but each is shorter": lambda see: (
                      row.plan(1).moves.steps / row.plan(16).moves.steps)},
           saw="The wires work at the same time. Every chunk pays a start, though."),
    Find("fewer", "Now a smaller buffer, {{ si(2.0**17) }}.",
         "With how many chunks is it there soonest? Stop there.", control="chunks", accepts=_quickest,
         at={"nbytes": 2.0**17, "chunks": 1}, hint="Read the whole time in the sentence, for each number of chunks.",
         saw="Cut finer, and the starts cost more than the wires win. A library picks the number by the size."),
)

# ---- every algorithm ----

_AS_LONG, _THREE, _THIRTY = "About as long", "About 3 times as long", "About 30 times as long"
_PAIRS = {("ring", "pairwise"): "ring and pairwise", ("ring", "recursive_halving"): "ring and recursive_halving",
          ("pairwise", "recursive_halving"): "pairwise and recursive_halving"}


def _largest(see, **at) -> dict[str, float]:
    """What each algorithm takes for the largest buffer."""
    return {name: line[-1] for name, line in _lines(see(**at), "seconds").items() if name != _BOUND and np.isfinite(line[-1])}


def _last_chain(see) -> bool:
    """The most ranks with which a chain is the fastest for the largest buffer."""
    ranks = see.values["ranks"]
    both = [_largest(see, ranks=r) for r in ranks[ranks.index(see.at["ranks"]):][:2]]
    return [min(one, key=one.get) == "chain" for one in both] == [True, False]


def _bruck(see) -> str:
    last = _largest(see)
    ratio = last["bruck"] / last["pairwise"]
    return min({_AS_LONG: 1, _THREE: 3, _THIRTY: 30}.items(), key=lambda option: abs(np.log(ratio / option[1])))[0]


def _same(see) -> str:
    lines = _lines(see(), "seconds")
    return next(said for (one, other), said in _PAIRS.items() if np.allclose(lines[one], lines[other], equal_nan=True))


EVERY = (
    Find("chain", "Broadcast on few ranks, a large buffer: move the number of ranks up from 2, and watch the right end.",
         "With how many ranks is the chain the fastest there for the last time? Stop there.", control="ranks",
         accepts=_last_chain, at={"collective": "broadcast", "ranks": 2, "latency": START, "bandwidth": RATE},
         hint="Which line does the yellow band follow at the right end, here and with the next number of ranks?",
         saw="A long chain takes long to fill; then the double tree is ahead. Small buffers go to the binomial tree."),
    Choice("bruck", "All-to-all: bruck has few messages, but a piece travels through several ranks before it arrives.",
           "Against pairwise, how long does it take for the largest buffer?", options=[_AS_LONG, _THREE, _THIRTY], answer=_bruck,
           at={"collective": "all_to_all", **_WIRE},
           hints={_AS_LONG: "One mark of the upright axis is ten times. How far apart are the lines?",
                  _THIRTY: "One mark of the upright axis is ten times. The lines are less than that apart."},
           saw="It moves that many times the bytes: a piece is sent on again and again."),
    Choice("same", "Reduce-scatter: two lines lie on each other all the way.", "Which two?", options=list(_PAIRS.values()),
           answer=_same, at={"collective": "reduce_scatter", **_WIRE},
           hints={_PAIRS["ring", "recursive_halving"]: "Their left ends are far apart.",
                  _PAIRS["pairwise", "recursive_halving"]: "Their left ends are far apart."},
           saw="The same messages and bytes; only the partners differ, and with them the distance, which this model does not "
               "know."),
)

# ---- busbw ----

_AMOUNTS, _RATES, _STARTS = "They send different amounts", "Their ports run at different rates", "They start at different times"
_NVLS_DOES, _POINTS_DO, _NOTHING = "The line of NVLS", "Only measured points", "Nothing does"
_PRINTED, _MEASURED = "printed (GB/s)", "measured (GB/s)"
_BENCH = {"shown": "busbw", "gpus": GPUS, "rate": h100.bandwidth(), "latency": START}


def _ends(see) -> dict[str, float]:
    """What is printed for the largest buffer, by algorithm, in bytes per second."""
    lines = _lines(see(), _PRINTED)
    return {name: line[-1] * units.GB for name, line in lines.items() if name != "measured"}


def _on_the_wire(see) -> str:
    return min(_ends(see).items(), key=lambda end: abs(end[1] - h100.bandwidth()))[0]


def _three_numbers(see) -> str:
    ends, amounts = _ends(see), {"ring": sent("all_reduce", "ring", GPUS), "NVLS": sent("all_reduce", "nvls", GPUS)}
    explained = np.isclose(ends["NVLS"] / ends["ring"], amounts["ring"] / amounts["NVLS"], rtol=0.05)
    return _AMOUNTS if explained else _RATES


def _through_the_last(see) -> bool:
    """The rate of a port at which the line of NVLS ends nearest to the largest measured buffer."""
    def off(rate):
        table = see(rate=rate)
        line, points = _lines(table, _PRINTED)["NVLS"], _lines(table, _MEASURED)["measured"]
        sizes = _lines(table, "size")["measured"]
        return abs(line[-1] - points[sizes.argmax()])

    return see.at["rate"] == min(see.values["rate"], key=off)


def _passes(see) -> str:
    wire, table = h100.bandwidth() / units.GB, see()
    if _lines(table, _PRINTED)["NVLS"][-1] > wire:
        return _NVLS_DOES
    return _POINTS_DO if np.nanmax(_lines(table, _MEASURED)["measured"]) > wire else _NOTHING


BUSBW = (
    Choice("wire", "Every port moves {{ si(h100.bandwidth(), 'B/s') }}, the dashed line. Look at the right end.",
           "For which algorithm is the printed number what a port moves?", options=["double tree", "ring", "NVLS"],
           answer=_on_the_wire, at=_BENCH,
           hints={"NVLS": "Its line passes the wire: no port can do that.", "double tree": "Its line ends below the wire."},
           saw="busbw is made for a ring: there it is the rate of a wire."),
    Choice("why", "Stay there: all three fill the same ports, and yet three numbers are printed.",
           "What makes them differ, for large buffers?", options=[_RATES, _STARTS, _AMOUNTS], answer=_three_numbers, at=_BENCH,
           hints={_RATES: "The slider says what a port moves, whichever algorithm runs.",
                  _STARTS: "Double the latency: does the right end move?"},
           saw="Who sends less through a port is done sooner, and busbw takes that for a faster wire."),
    Find("rate", "Diamonds are measured, with NVLS at the right end.",
         "At which rate of a port does the line of NVLS run through the last of them? Stop there.", control="rate",
         accepts=_through_the_last, at=_BENCH, hint="Move what a port moves, until the line meets the rightmost diamond.",
         saw="Far below the wire: the port did not pass it, only the printed number did."),
    Choice("algbw", "Put the rate back to {{ si(h100.bandwidth(), 'B/s') }}, and switch to algbw, the buffer over the time.",
           "What still passes the wire?", options=[_NVLS_DOES, _POINTS_DO, _NOTHING], answer=_passes,
           at={**_BENCH, "shown": "algbw"},
           hints={_NVLS_DOES: "Read where its right end is now.", _POINTS_DO: "How high is the highest diamond now?"},
           saw="busbw is fine for two runs of one collective on as many ranks. About a cable it says something only if you know "
               "the algorithm."),
)
