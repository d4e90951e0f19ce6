"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from fabriclib import accuracy

from ...course.stops import Choice, Find

_SMALLEST, _MIDDLE = 2.0**10, 2.0**22
_ORACLE, _AWS, _ALPS = "Oracle BM.GPU.B4.8", "AWS p5.48xlarge", "CSCS Alps"

# ---- every table, and the prediction beside it ----

PARTS = _LAUNCH, _LATENCY, _WIRE, _RAMP = ["launching", "steps and hops", "bytes on the wire", "ramp"]
LINES = ["the model", "the model and its parts"]


def _curve(see, what: str, **at) -> dict[float, float]:
    """{bytes: seconds} of one line, or of what was measured."""
    table = see(**at)
    rows = zip(table["what"], table["size"], table["time"], strict=True)
    return {size: seconds for kind, size, seconds in rows if kind == what and seconds is not None}


def _parts(see, at: int, **controls) -> dict[str, float]:
    """{part: seconds} at the smallest message, 0, or in the middle of the table, or at the end, -1; what is off the axis is 0."""
    sizes = sorted(_curve(see, "measured", **controls))
    return {part: _curve(see, part, **controls).get(sizes[at], 0.0) for part in PARTS}


def _rules_left(see) -> str:
    found = _parts(see, 0)
    return max(found, key=found.get)


def _bend(see) -> str:
    """Which part is the largest just where the wire has not taken over."""
    wire, others = _curve(see, _WIRE), [part for part in PARTS if part != _WIRE]
    last = max(size for size in _curve(see, _LAUNCH)
               if wire.get(size, 0.0) < max(_curve(see, part).get(size, 0.0) for part in others))
    return max(others, key=lambda part: _curve(see, part).get(last, 0.0))


def _aws_waits(see) -> str:
    oracle, aws = _parts(see, 0), _parts(see, 0, machine=_AWS)
    return max(PARTS, key=lambda part: aws[part] - oracle[part])


_FALLS, _DOUBLES, _SAME = "It falls, far", "It doubles, as the bytes do", "It stays about the same"


def _past_the_bump(see) -> str:
    """What the measured time does from one mebibyte to two."""
    measured = _curve(see, "measured")
    times = measured[2.0**21] / measured[2.0**20]
    return _FALLS if times < 0.5 else _DOUBLES if times > 1.5 else _SAME


WORLD = (
    Choice("left", "Eight H100: the diamonds are measured, the solid line is the model. Show its parts.",
           "Which part rules at the left end? Click its line, or choose.", options=PARTS, answer=_rules_left, field="what",
           at={"machine": "DGX H100", "run": 1, "lines": LINES[1]},
           hints={_LAUNCH: "Close, but another level line lies above it.",
                  _WIRE: "A few bytes are on the wire for no time at all."},
           saw="Steps from GPU to GPU, one after another, and what they cost at all. Starting the kernels hides behind the round "
               "before, with a process for each GPU. However small the message, that much it takes."),
    Choice("bend", "Go along the model's line to its bend.",
           "Which part is the largest just before the wire takes over?", options=PARTS, answer=_bend, field="what",
           at={"machine": "DGX H100", "run": 1, "lines": LINES[1]},
           hints={_WIRE: "It takes over a little further right. Which line crosses the level ones first?",
                  _LATENCY: "It is level. Something has grown past it by then.", _LAUNCH: "It is level, and low."},
           saw="Filling the pipeline. That part grows with the root of the size, and makes the bend between level and steep."),
    Choice("aws", "Two servers of Oracle's. Then set the machine to AWS p5.48xlarge.",
           "AWS takes about twice as long at the left. Which part makes the difference?", options=PARTS,
           answer=_aws_waits, field="what",
           at={"machine": _ORACLE, "run": 1, "lines": LINES[1]},
           hints={_LAUNCH: "That line is as high on both.", _WIRE: "Look at the left end: few bytes."},
           saw="A hop over AWS's own network costs several times as much. At the right its ports win."),
    Choice("bump", "Two nodes of CSCS Alps, its second table. Look between 64 KiB and 4 MiB.",
           "What does the measured time do from 1 MiB to 2 MiB?", options=[_DOUBLES, _SAME, _FALLS], answer=_past_the_bump,
           at={"machine": _ALPS, "run": 2},
           hints={_DOUBLES: "That is what a wire would make. Follow the diamonds.",
                  _SAME: "The axis is logarithmic: follow the diamonds."},
           saw="No law of wires makes that: the library stays too long with a protocol made for small messages, and then drops "
               "it."),
)

# ---- the errors of all tables ----


def _means(see, **at) -> dict[str, float]:
    table = see(**at)
    rows = zip(table["part"], table["regime"], table["error (%)"], strict=True)
    return {regime: error for part, regime, error in rows if part == "mean"}


def _worst(see) -> str:
    means = _means(see)
    return max(accuracy.REGIMES[1:], key=means.get)


_EVERYWHERE, _LARGE_ONLY, _NOWHERE = "Yes, in every column", "Only from 64 MiB", "No, nowhere"


def _falls(see) -> str:
    """Where the means fall with constants that have seen the tables."""
    unseen, shipped = (_means(see, constants=constants) for constants in see.values["constants"])
    fallen = {regime for regime in unseen if shipped[regime] < unseen[regime]}
    return _EVERYWHERE if fallen == set(unseen) else _NOWHERE if not fallen else _LARGE_ONLY


REGIMES = (
    Choice("worst", "A dot is a table, a broad bar the mean of its column. Take the tables of several nodes.",
           "In which column is the model worst now?",
           options=list(accuracy.REGIMES[1:]), answer=_worst, field="regime", at={"group": "multi-node"},
           hints={accuracy.REGIMES[1]: "Nearly. Read the figures beside the broad bars.",
                  accuracy.REGIMES[3]: "There the bar is the lowest."},
           saw="Below 64 MiB the launcher, the hops and the library's choice of a protocol set the time, and they differ from "
               "site to site. Training mostly sums large buffers; a token of inference sends small ones."),
    Choice("shipped", "Now take the constants as shipped, which have seen all of these tables.",
           "Do the broad bars get lower?", options=[_EVERYWHERE, _LARGE_ONLY, _NOWHERE], answer=_falls,
           at={"group": "single-node"},
           hints={_NOWHERE: "Go back and forth, and read the figures beside the bars.",
                  _LARGE_ONLY: "Compare the other columns as well."},
           saw="Whoever judges a model by what it was fitted on flatters it. Believe the other figures."),
)

# ---- what NCCL would pick ----

_RING, _TREE, _NVLS = "ring", "tree", "NVLS, NVLS tree"


def _ranges(see, **at) -> list[str]:
    """What the strip names, from left to right."""
    table = see(**at)
    return [name for part, name in zip(table["part"], table["candidate"], strict=True) if part == "range"]


def _first_nvls(see) -> bool:
    """The smallest of these buffers for which NVLS has the lowest score."""

    def picked(nbytes) -> bool:
        table = see(nbytes=nbytes)
        columns = (table[name] for name in ("part", "size", "score", "family"))
        rows = [row for row in zip(*columns, strict=True) if row[1] == nbytes]
        lowest = min(row[2] for row in rows if row[0] == "pick")
        return any(row[0] == "score" and row[3] == _NVLS and np.isclose(row[2], lowest) for row in rows)

    return picked(see.at["nbytes"]) and not picked(see.at["nbytes"] / 2)


def _small_on_many(see) -> str:
    first = _ranges(see)[0]
    return _TREE if first.startswith("tree") else _RING if first.startswith("ring") else _NVLS


_ABOVE, _BELOW, _ON = "Above: it took longer", "Below: it took less", "On it"


def _diamonds(see) -> str:
    """Where what was measured lies in the middle, against the lowest score there."""
    table = see()
    rows = list(zip(table["part"], table["size"], table["score"], strict=True))
    measured = {size: score for part, size, score in rows if part == "measured"}
    band = {size: score for part, size, score in rows if part == "pick"}
    times = measured[_MIDDLE] / band[_MIDDLE]
    return _ABOVE if times > 1.1 else _BELOW if times < 0.9 else _ON


CHOICE = (
    Find("nvls", "One DGX H100, an all-reduce. Make the buffer larger, or drag the dot.",
         "From which buffer on would NCCL let the switches add? Stop there.", control="nbytes", accepts=_first_nvls,
         at={"machine": "DGX H100", "collective": "all_reduce", "nodes": 1, "nbytes": _SMALLEST},
         hint="The strip on top names the winner: stop where NVLS begins.",
         saw="Its start is dear, its bytes are cheap. So small buffers go by a ring."),
    Choice("many", "The same on 16 nodes.", "What wins the small buffers now? Click its line, or choose.",
           options=[_RING, _TREE, _NVLS], answer=_small_on_many, field="family",
           at={"machine": "DGX H100", "collective": "all_reduce", "nodes": 16},
           hints={_RING: "A ring's steps grow with the nodes.", _NVLS: "Read the strip at its left end."},
           saw="A tree's hops grow with the logarithm of the nodes, a ring's steps with the nodes themselves."),
    Choice("score", "Back to one node. The diamonds are measured times.", "Where do they lie in the middle, at 4 MiB?",
           options=[_ABOVE, _ON, _BELOW], answer=_diamonds,
           at={"machine": "DGX H100", "collective": "all_reduce", "nodes": 1, "nbytes": _MIDDLE},
           hints={_ON: "The dot lies on the band there. Where is the diamond?",
                  _BELOW: "Which of them is higher up?"},
           saw="A score is there to rank what the library may run. It was never meant to be a time."),
)
