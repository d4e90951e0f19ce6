"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from ...course.stops import Choice, Find, Number
from . import ring
from .tables import CHIPS, GPUS, peak, reached, training_flop

_STILL, _DOUBLE, _ONE = "They hardly move", "They double at each step", "Only NVLink's moves"


def _grows(see) -> str:
    """What the dots do where the message doubles."""
    before, after = see()["seconds"], see(nbytes=2 * see.at["nbytes"])["seconds"]
    times = [b / a for a, b in zip(before, after, strict=True)]
    return _STILL if max(times) < 1.1 else _DOUBLE if min(times) > 1.9 else _ONE


def _pulled_away(see) -> bool:
    """The smallest message for which PCIe takes more than four times as long as NVLink."""

    def times(nbytes):
        nvlink, pcie, _ = see(nbytes=nbytes)["seconds"]
        return pcie / nvlink

    return times(see.at["nbytes"] / 2) <= 4 < times(see.at["nbytes"])


WIRE_MAP = (
    Choice("small", "Start at the smallest message, and make it larger step by step, up to a kibibyte.",
           "What do the three dots do?", options=[_STILL, _DOUBLE, _ONE], answer=_grows, at={"nbytes": 2.0**6},
           hints={_DOUBLE: "The message doubles at each step; read what stands beside the dots.",
                  _ONE: "Compare NVLink's time at both ends of these steps: how much is it?"},
           saw="A small message waits for its start, and its bytes hardly count."),
    Choice("large", "Go to a gibibyte, and on from there.",
           "And now, what do the three dots do?", options=[_STILL, _DOUBLE, _ONE], answer=_grows, at={"nbytes": 2.0**30},
           hints={_STILL: "The axis is logarithmic: read the times beside the dots.",
                  _ONE: "Read the times of the other two as well, before and after a step."},
           saw="For a large message the rate decides: twice the bytes, twice the time. PCIe and Ethernet end up nearly level; "
               "PCIe takes {{ digits(see()['seconds'][1] / see()['seconds'][0]) }} times as long as NVLink."),
    Find("away", "Somewhere between the two NVLink pulls away.",
         "Which is the smallest message for which PCIe takes more than 4 times as long as NVLink? Stop there.",
         control="nbytes", accepts=_pulled_away, at={"nbytes": 2.0**6},
         hint="Beside PCIe's dot stands how many times as long it takes: go to where it first is above 4.",
         saw="Between a kibibyte and a mebibyte the bytes begin to count. NVLink has the shortest start, and pulls away first."),
)

_REACHED, _LARGER, _WAITS = "Chips reach only part of their peak", "The model is another one", "One chip waits for its wires"


def _about_a_month(see) -> bool:
    """Of all numbers of chips, the one that comes nearest to 30 days, as a ratio."""
    away = np.abs(np.log(np.array(see()["days"]) / 30))
    return see.at["chips"] == CHIPS[away.argmin()]


def _longer_because(see) -> str:
    """What makes one chip slower here than in the prediction: nothing but the share of the peak that it reaches."""
    at_peak = training_flop("llama3") / peak / 86400
    return _REACHED if np.isclose(see()["days"][0] * reached, at_peak) else _LARGER


ONE_CHIP = (
    Choice("peak", "Read in the sentence how long one chip would need, and compare it with your prediction.",
           "Why more years than a moment ago?", options=[_LARGER, _REACHED, _WAITS], answer=_longer_because,
           hints={_LARGER: "It is the same model, with the same tokens.",
                  _WAITS: "One chip alone waits for no wire. What does the sentence say of its peak?"},
           saw="Your prediction took the full speed of the datasheet, the peak. Meta reports that its training reached "
               "{{ portion(reached) }} of it, and the lab counts with that."),
    Find("month", "Keep Llama 3 405B on H100, and move the number of chips.",
         "How many bring it down to about a month? Stop there.", control="chips", accepts=_about_a_month,
         at={"model": "Llama 3 405B (2024)", "chip": "H100 (2022)"},
         hint="The line of one month is dashed: bring the dot as near to it as it goes.",
         saw="{{ chips_for_a_month('llama3', 'h100') }} chips, if none of them waits for another."),
    Find("gpt3", "Now GPT-3, on the chips of its time: A100.",
         "How many chips make it about a month? Stop there.", control="chips", accepts=_about_a_month,
         at={"model": "GPT-3 (2020)", "chip": "A100 (2020)"},
         hint="The line of one month is dashed: bring the dot as near to it as it goes.",
         saw="{{ chips_for_a_month('gpt3', 'a100') }} chips. From one to the other the model outgrew the chip by far."),
)

_GPT3 = 175  # billion parameters
_QUARTER, _HALF, _SAME = "About a quarter of it", "A little more than half of it", "As long"


def _two_of_eight(see) -> str:
    """What 2 GPUs need of the time of 8, over every wire."""
    shares = [two / eight for two, eight in zip(see(gpus=2)["seconds"], see(gpus=8)["seconds"], strict=True)]
    return _HALF if all(0.5 < share < 0.6 for share in shares) else _SAME if min(shares) > 0.9 else _QUARTER


_EIGHTFOLD, _TWICE, _LITTLE = "Eight times as long", "Twice as long", "A little longer"


def _many_of_eight(see) -> str:
    """What 64 GPUs need of the time of 8, over every wire."""
    most = max(many / eight for many, eight in zip(see(gpus=64)["seconds"], see(gpus=8)["seconds"], strict=True))
    return _LITTLE if most < 1.2 else _TWICE if most < 3 else _EIGHTFOLD


def _over_ethernet(see) -> bool:
    """The largest model whose gradients Ethernet sums in the time that NVLink takes for one of GPT-3's size."""
    allowed = see(parameters=_GPT3)["seconds"][0]
    return see.at["parameters"] == max(size for size in see.values["parameters"] if see(parameters=size)["seconds"][2] <= allowed)


FIRST_ALL_REDUCE = (
    Choice("two", "Say what you expect before you move the number of GPUs from 8 to 2.",
           "How long do 2 GPUs need, against the time of 8?", options=[_QUARTER, _HALF, _SAME], answer=_two_of_eight,
           hints={_QUARTER: "A quarter of the GPUs, but each sends more than a quarter as much: move the slider, read the times.",
                  _SAME: "Nearly, but not quite: move the slider, and divide the times."},
           saw="2 GPUs need {{ portion(1 / ring_share) }} of the time: why, says the formula below."),
    Choice("many", "Now more of them: go from 8 GPUs to 64.", "How much longer does the sum take?",
           options=[_EIGHTFOLD, _TWICE, _LITTLE], answer=_many_of_eight,
           hints={_EIGHTFOLD: "Eight times the GPUs: but what does each of them send? Read the times.",
                  _TWICE: "Much less: divide the two times over NVLink."},
           saw="{{ portion(see(gpus=64)['seconds'][0] / see()['seconds'][0] - 1) }} longer over NVLink: a ring may grow, and "
               "each GPU still sends less than two buffers."),
    Number("ten", "Read NVLink's time for {{ see.at['parameters'] }} billion parameters, then for ten times as many.",
           "How many times as long does the larger model take?", kind="ratio", unit="times", at={"parameters": 7},
           answer=lambda see: see(parameters=10 * see.at["parameters"])["seconds"][0] / see()["seconds"][0],
           saw="The bytes decide; beside them the starts are lost."),
    Find("ethernet", "Note NVLink's time for a model of GPT-3's size. Then make the model smaller.",
         "Which is the largest whose gradients Ethernet sums up in that time? Stop there.",
         control="parameters", accepts=_over_ethernet, at={"parameters": _GPT3},
         hint="Read Ethernet's time: it is to be {{ si(see()['seconds'][0], 's') }} or less, and more for the next larger model.",
         saw="Ethernet sums up a tenth or less of what NVLink does in the same time: the wire decides."),
)


def _finished(see, step: int | None = None) -> int:
    """How many pieces of GPU 0 are the sum of all GPUs' numbers."""
    table = see() if step is None else see(step=step)
    rows = zip(table["part"], table["GPU"], table["holds"], strict=True)
    return sum(part == "cell" and gpu == 0 and holds == see.at["gpus"] for part, gpu, holds in rows)


_ONE_PIECE, _SOME, _ALL = "One", "Half of them", "All of them"


def _owned(see) -> str:
    finished = _finished(see)
    return _ONE_PIECE if finished == 1 else _ALL if finished == see.at["gpus"] else _SOME


def _first_finished(see) -> bool:
    """The first step after which each GPU, and so GPU 0, has a finished piece."""
    return see.at["step"] > 0 and _finished(see, see.at["step"] - 1) == 0 < _finished(see)


def _sent(see) -> float:
    """How many buffers a GPU sends: one piece in each step, and as many pieces to a buffer as there are GPUs."""
    return ring.plan(see.at["gpus"]).moves.steps / see.at["gpus"]


RING_STEPS = (
    Find("finished", "Play the ring, or take step by step. A piece is finished when its number is that of the GPUs.",
         "After which step has each GPU a finished piece for the first time? Stop there.",
         control="step", accepts=_first_finished, at={"step": 0},
         hint="Look for the number of the GPUs in the pieces: it is to be there, and a step earlier not yet.",
         saw="Adding up is over: every GPU holds the finished sum of one piece, each of another one."),
    Choice("owned", "Stay at that step, and look at one GPU.",
           "How many of its pieces are finished?", options=[_ONE_PIECE, _SOME, _ALL], answer=_owned, at={"step": GPUS - 1},
           hints={_SOME: "Count the pieces whose number is that of the GPUs.", _ALL: "Most of them are sums of a few only."},
           saw="One piece each: now the finished ones must be handed round."),
    Number("sent", "Half as many GPUs. Play to the end: in each step every GPU passes on one piece.",
           "How many times its whole buffer has each GPU sent in the end?", kind="ratio", unit="times", answer=_sent,
           at={"gpus": GPUS // 2, "step": 0},
           slips={"those are pieces; see how many of them make a buffer": lambda see: _sent(see) * see.at["gpus"],
                  "that was adding up alone; handing round sends as many again": lambda see: _sent(see) / 2,
                  "there is one piece that it does not send, in either half": 2.0},
           example="3 times",
           saw="{{ 2 * (GPUS // 2 - 1) }} pieces, of which {{ GPUS // 2 }} make a buffer; with {{ GPUS }} GPUs it is "
               "{{ digits(ring_share, 3) }} buffers. The formula below says the same for any number."),
)
