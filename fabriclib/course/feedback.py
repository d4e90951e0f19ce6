"""What is said to a learner's prediction: a pure function of the declaration and the text typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import units
from .declare import Prediction

RIGHT, CLOSE = 0.05, 1.5
_SAME = 0.02

_GIBI = 2.0**30 / 1e9
_BITS = {
    8.0: "that counts bits where bytes are asked for",
    1 / 8: "that takes bits for bytes: eight bits are one byte",
}
_GIB = {
    _GIBI: "that takes GiB for GB: 1 GiB is 1.074 GB",
    1 / _GIBI: "that takes GB for GiB: 1 GiB is 1.074 GB",
}
_THOUSAND = {
    1e3: "the unit is a step of 1000 too large",
    1e-3: "the unit is a step of 1000 too small",
    1e6: "the unit is two steps of 1000 too large",
    1e-6: "the unit is two steps of 1000 too small",
}
_PERCENT = {
    100.0: "that is the number of per cent: write it with a % sign",
    0.01: "that is a hundredth of it; per cent are meant",
}
_BOTH, _HALVED = "that counts both directions; one is asked for", "that halves a figure that is already for one direction"
_BOTH_TIME = "that uses the rate of both directions; a message goes one way"
_HALVED_TIME = "that halves a rate that is already for one direction"
_SLIPS = {"size": _BITS | _GIB | _THOUSAND, "rate": _BITS | _GIB | _THOUSAND, "ratio": _PERCENT}


@dataclass(frozen=True)
class Feedback:
    """A verdict ("right", "close", "slip", "off" or "shown") and the sentence that carries it."""

    verdict: str
    sentence: str


def judge(prediction: Prediction, text: str) -> Feedback:
    """Return the feedback on *text*, the learner's answer: the ratio to the right one, and the slip if it is a known one.

    Raises:
        ValueError: *text* is no positive number with a unit of the asked kind; the message is for the learner.

    >>> ask = Prediction("01.a", "?", "rate", lambda: 4.5e11, "", per_direction=True)
    >>> judge(ask, "900 GB/s").sentence
    'Your 900 GB/s is 2.0 times the answer, 450 GB/s: that counts both directions; one is asked for.'
    >>> judge(ask, "500 GB/s").sentence
    'Close: your 500 GB/s is 1.1 times the answer, 450 GB/s.'
    """
    given, answer = prediction.parse(text), prediction.answer()
    shown, typed = prediction.format(answer), " ".join(text.split())
    ratio = given / answer
    if abs(ratio - 1) <= RIGHT:
        return Feedback("right", f"Right: your {typed} agrees with the answer, {shown}, within {RIGHT:.0%}.")
    compared = f"our {typed} is {times(ratio)} the answer, {shown}"
    if slip := _slip(prediction, answer, ratio):
        return Feedback("slip", f"Y{compared}: {slip}.")
    if 1 / CLOSE <= ratio <= CLOSE:
        return Feedback("close", f"Close: y{compared}.")
    return Feedback("off", f"Y{compared}.")


def shown(prediction: Prediction) -> Feedback:
    """Return what a learner sees who asked to be shown the answer."""
    return Feedback("shown", f"The answer is {prediction.format(prediction.answer())}.")


def times(ratio: float) -> str:
    """Return a ratio as words that read well before "the answer".

    >>> times(2), times(1234567), times(0.8), times(1 / 3), times(1 / 600)
    ('2.0 times', '1,234,567 times', '80 % of', '1/3.0 of', '1/600 of')
    """
    if ratio >= 1:
        return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"
    if ratio > 0.5:
        return f"{units.portion(ratio)} of"
    return f"1/{1 / ratio:.1f} of" if ratio > 0.1 else f"1/{1 / ratio:,.0f} of"


def _slip(prediction: Prediction, answer: float, ratio: float) -> str | None:
    """Return the known slip nearest to *ratio*, if one is near. Of two alike, the prediction's own says more."""
    near = [(abs(ratio / factor - 1), clause) for factor, clause in _known_slips(prediction, answer)]
    distance, clause = min(near, key=lambda pair: pair[0])
    return clause if distance <= _SAME else None


def _known_slips(prediction: Prediction, answer: float) -> Iterator[tuple[float, str]]:
    for clause, value in prediction.slips.items():
        yield (value() if callable(value) else value) / answer, clause
    if prediction.per_direction:
        if prediction.kind == "time":  # twice the rate is half the time
            yield from ((0.5, _BOTH_TIME), (2.0, _HALVED_TIME))
        else:
            yield from ((2.0, _BOTH), (0.5, _HALVED))
    yield from _SLIPS.get(prediction.kind, _THOUSAND).items()
