"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from .tables import (
    EXPERTS,
    KEEP,
    NARROW,
    NEAR,
    NEW,
    OLD,
    ON_A100,
    ON_H100,
    PAPER,
    RECOMPUTE,
    ZERO1,
    computing,
    ranked,
    step,
    wires,
)

_KINDS = ["waits for links inside", "waits for the network", "bubble"]


def _in_kind(see) -> dict[str, float]:
    """Return {kind: per cent} of the bars of the first stage."""
    table, found = see(), {}
    top = max(top for part, top in zip(table["part"], table["top"], strict=True) if part == "bar")
    for part, kind, start, end, upper in zip(*(table[name] for name in ("part", "kind", "from", "to", "top")), strict=True):
        if part == "bar" and (upper > top - 0.5):
            found[kind] = found.get(kind, 0.0) + end - start
    return found


def _waits_longest(see) -> str:
    found = _in_kind(see)
    return max(_KINDS, key=lambda kind: found.get(kind, 0.0))


def _at(see, **moved):
    """Return the step where the controls stand, some of them moved."""
    return step(**(see.at | moved))


def _first_that_fits(see) -> bool:
    listed = see.values["split"]
    here = listed.index(see.at["split"])
    return _at(see).fits and not any(_at(see, split=one).fits for one in listed[:here])


_NOTHING, _TENTH, _EIGHT = "by less than a hundredth", "by about a tenth", "to several times as long"


def _narrowed(see) -> str:
    longer = float(_at(see, near=NARROW).seconds / _at(see, near=NEAR).seconds) - 1
    return _NOTHING if longer < 0.01 else _TENTH if longer < 0.5 else _EIGHT


_LESS, _SAME, _MORE = "a smaller one", "about the same", "a larger one"


def _waits_on(see, machine: str) -> float:
    found = _at(see, machine=machine)
    return wires(found) / computing(found)


def _newer(see) -> str:
    times = _waits_on(see, NEW) / _waits_on(see, OLD)
    return _LESS if times < 0.8 else _MORE if times > 1.25 else _SAME


ONE_STEP = (
    Choice("longest", "This is the paper's job. Find what is not computing.",
           "What takes up most of it? Click such a bar, or choose.", options=_KINDS, answer=_waits_longest, field="kind",
           at={"split": PAPER},
           hints={"waits for links inside": "Many narrow bars. Add them up in the first row, and compare them with its two gaps.",
                  "waits for the network": "Look for its colour: there is hardly any."},
           saw="A GPU has nothing to do for {{ portion(waiting(STAGES, MICRO_BATCHES)) }} of the step. The first stage waits "
               "soon after it began, for its first micro-batch to come back, and near the end; the last one at both ends."),
    Find("fits", "Start at 1 × 1, where each GPU would hold the whole model. Watch the bar on top.",
         "Which is the first split that fits? Stop there.", control="split", accepts=_first_that_fits, at={"split": "1 × 1"},
         hint="The bar on top must end before the dashed line, and that of the split before it must not.",
         saw="{{ 8 * 32 }} GPUs hold a copy. {{ gpus_for_states() }} would do, but a split must divide layers and matrices "
             "evenly, and activations need room too."),
    Number("pieces", "Read the time of 8 × 64, then give each stage 2 pieces of the model in place of one.",
           "How many seconds does that save?", kind="time",
           answer=lambda see: float(_at(see, split=PAPER).seconds - _at(see, split="8 × 64, 2 pieces").seconds),
           at={"split": PAPER},
           slips={"that is the whole bubble; two pieces halve it": lambda see: float(_at(see, split=PAPER).parts["bubble"])},
           saw="The bubble is half as long: a stage starts as soon as the first piece reaches it. For that, activations pass "
               "between stages twice as often."),
    Choice("spine", "Tensor groups still sit together; choose a spine of 1:8: from leaves to spines it is an eighth as wide.",
           "How much longer does the step take?", options=[_NOTHING, _TENTH, _EIGHT], answer=_narrowed, at={"split": PAPER},
           hints={_EIGHT: "What crosses the spine here is only what a stage passes to the next one.",
                  _TENTH: "Read both times to the last digit."},
           saw="Copies add up their gradients on the rails; over the spine goes only what a stage hands to the next. So the "
               "spine may be thin, if the split is placed on it with care."),
    Choice("newer", "Keep the split, and choose H100 in place of A100: these compute "
                    "{{ digits(computing(step()) / computing(step(machine=NEW))) }} times as fast.",
           "Beside the computing, what share do the wires take now?",
           options=[_LESS, _SAME, _MORE], answer=_newer, at={"split": PAPER},
           hints={_LESS: "NVLink and ports became faster too. But by how many times? Compare the coloured bars with the grey.",
                  _SAME: "Compare the blue bars beside the grey ones on both machines."},
           saw="From {{ portion(wires(step()) / computing(step())) }} of the computing to {{ portion(wires(step(machine=NEW)) / "
               "computing(step(machine=NEW))) }}: chips and 8-bit numbers gained more than the wires did."),
)


def _dots(see, **at) -> dict[int, tuple[float, float]]:
    """Return {place: (memory in per cent, times the fastest)} of the dots."""
    table = see(**at)
    rows = zip(*(table[name] for name in ("part", "place", "memory (%)", "times")), strict=True)
    return {int(place): (memory, times) for part, place, memory, times in rows if part == "split"}


def _fastest_of_half(see) -> bool:
    return see.at["place"] == min(place for place, (memory, _) in _dots(see).items() if memory < 50)


def _more(see, **at) -> dict[str, float]:
    """Return {row: per cent more than the fastest} of the bars on the right."""
    table = see(**at)
    return {row: more for part, row, more in zip(table["part"], table["row"], table["more (%)"], strict=True) if part == "part"}


_LOSSES = ["computing", "tensor", "copies"]


def _loses(see) -> str:
    found = _more(see, place=3)
    return max(found, key=lambda row: found[row])


def _seconds(see, **at) -> float:
    chosen = see.at | at
    return float(ranked(chosen["plan"], chosen["sharing"], chosen["keeping"])["seconds"].iloc[chosen["place"] - 1])


def _fastest_waits_for(see) -> str:
    table = see()
    return table["waits for"][table["place"].index(1)]


ALL_SPLITS = (
    Find("half", "Every dot is a split that fits. Click one, or step through the places.",
         "Which is the fastest that uses less than half of a GPU's memory?", control="place", accepts=_fastest_of_half,
         at={"plan": ON_A100, "sharing": ZERO1, "keeping": RECOMPUTE, "place": 1},
         hint="Left of the middle of the picture, the lowest dot.",
         saw="Memory buys time: with more room a copy needs fewer stages, and so a shorter bubble. But not much."),
    Choice("runner", "Now H100, which keep their activations. Step to place 3, and look at the bars on the right.",
           "By what does the third lose?", options=_LOSSES, answer=_loses,
           at={"plan": ON_H100, "sharing": ZERO1, "keeping": KEEP, "place": 1},
           hints={"tensor": "That bar points to the left: less of it than in the fastest.",
                  "copies": "Look at the longest bar that points to the right."},
           saw="It spreads each matrix over 4 GPUs and not 8, so less goes over the links of the server. But it cuts the texts "
               "in two, over which it computes more slowly, and loses by a hair: the map is flat around its best."),
    Number("again", "Read the fastest time with all activations kept, and with all recomputed.",
           "How many times as long does the step take when all are recomputed?", kind="ratio", unit="times",
           answer=lambda see: _seconds(see, keeping=RECOMPUTE, place=1) / _seconds(see, keeping=KEEP, place=1),
           at={"plan": ON_H100, "sharing": ZERO1, "keeping": KEEP, "place": 1},
           slips={"that is how many times as much is computed; but the room that it frees allows a better split": 4 / 3},
           saw="Four passes in place of three, and yet not 4/3 of the time: there is room for whole texts again, and larger "
               "matrices compute faster. It is worth it only where nothing else fits."),
    Choice("experts", "Take DeepSeek-V3, a mixture of {{ transformer('deepseek-v3').experts }} experts a layer.",
           "What does its fastest split wait for longest?", options=["bubble", "tensor", "copies", "experts"],
           answer=_fastest_waits_for, field="waits for", at={"plan": EXPERTS, "sharing": ZERO1, "keeping": KEEP, "place": 1},
           hints={"tensor": "It splits no matrix at all. See the shape of the lowest dot.",
                  "bubble": "See the shape and colour of the lowest dot, and the legend.",
                  "copies": "See the shape and colour of the lowest dot, and the legend."},
           saw="The all-to-all of lesson {{ number('supernodes') }}: tokens go to experts and come back, on the way "
               "forward and again on the way back. A token uses few weights, so there is little computing to hide it."),
)
