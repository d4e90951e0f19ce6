"""What is said to a learner's prediction: a pure function of the declaration and the text typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fabriclib import units

from .declare import Prediction

RIGHT, CLOSE = 0.05, 1.5
RIGHT_POINTS, CLOSE_POINTS = 2.0, 10.0  # of a share in per cent
RIGHT_SHARE, CLOSE_SHARE = 0.01, 0.05  # of a count; close is one step beside it, too
MOST_COUNTED = 200  # what is more nobody counts: it is estimated, and judged by its ratio
SAME = 0.02  # a slip is named to an answer that is no further from it
WITHIN = {"ratio": f", within {units.portion(RIGHT)}", "share": f", within {RIGHT_POINTS:.0f} points", "count": ""}

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
FRACTION = "that is the share as a fraction; in % it is a hundred times as much"
_BOTH, _HALVED = "that counts both directions; one is asked for", "that halves a figure that is already for one direction"
_BOTH_TIME = "that uses the rate of both directions; a message goes one way"
_HALVED_TIME = "that halves a rate that is already for one direction"
_SLIPS = {"size": _BITS | _THOUSAND, "rate": _BITS | _THOUSAND, "ratio": _PERCENT}


@dataclass(frozen=True)
class Feedback:
    """A verdict ("right", "close", "slip", "off" or "shown"), the sentence that carries it, and what that rests on.

    The *ratio* is that of the answer given to the right one; *slip* is the clause of the slip that it was, or "".
    """

    verdict: str
    sentence: str
    ratio: float = 1.0
    slip: str = ""


def judge(prediction: Prediction, text: str) -> Feedback:
    """Return the feedback on *text*, the learner's answer: the ratio to the right one, and the slip if it is a known one.

    Raises:
        ValueError: *text* is no positive number with a unit of the asked kind; the message is for the learner.

    >>> ask = Prediction("moving_bytes.a", "?", "rate", lambda: 4.5e11, "", per_direction=True)
    >>> judge(ask, "900 GB/s").sentence
    'Your 900 GB/s is 2.0 times the answer, 450 GB/s: that counts both directions; one is asked for.'
    >>> judge(ask, "500 GB/s").sentence
    'Close: your 500 GB/s is 1.1 times the answer, 450 GB/s.'
    """
    given, answer = prediction.parse(text), prediction.answer()
    shown, typed = prediction.format(answer), " ".join(text.split())
    by = scale(prediction, answer)
    near = _nearness(by, given, answer)
    if near == "right":
        return Feedback("right", f"Right: your {typed} agrees with the answer, {shown}{WITHIN[by]}.", given / answer)
    compared = f"our {typed} is {_apart(by, given, answer)} the answer, {shown}"
    slip = _slip(prediction, given, answer, text)
    why = f": {slip}." if slip else "."
    if near == "close":
        return Feedback("close", f"Close: y{compared}{why}", given / answer, slip)
    return Feedback("slip" if slip else "off", f"Y{compared}{why}", given / answer, slip)


def scale(prediction: Prediction, answer: float) -> str:
    """Return by what an answer is judged: "ratio", "share" or "count". A count that nobody counts is judged by its ratio."""
    return "ratio" if prediction.scale == "count" and answer > MOST_COUNTED else prediction.scale


def _nearness(scale: str, given: float, answer: float) -> str:
    """Return "right", "close" or "off": by the ratio, or by the points of a share, or by the steps of a count."""
    ratio, apart = given / answer, abs(given - answer)
    if scale == "share":
        right, close = min(RIGHT_POINTS, answer / 5), min(CLOSE_POINTS, answer / 2)  # of a small share, a part of it
        return "right" if apart <= right else "close" if apart <= close else "off"
    if scale == "count":
        return "right" if apart <= RIGHT_SHARE * answer else "close" if apart <= max(1.0, CLOSE_SHARE * answer) else "off"
    return "right" if abs(ratio - 1) <= RIGHT else "close" if 1 / CLOSE <= ratio <= CLOSE else "off"


def _apart(scale: str, given: float, answer: float) -> str:
    """Return how far *given* is from *answer*, as words that read well before "the answer"."""
    gap = given - answer
    if scale == "count" and abs(gap) <= 1 and abs(gap) == round(abs(gap)):
        return "one more than" if gap > 0 else "one less than"
    if scale == "share" and _nearness(scale, given, answer) == "close":
        points = f"{abs(gap):.0f} point{'' if round(abs(gap)) == 1 else 's'}"
        return f"{points} {'above' if gap > 0 else 'below'}"
    return times(given / answer)


def locked(prediction: Prediction) -> str:
    """Return the sentence that says which question opens a lock, as far as it fits."""
    question = prediction.question
    if len(question) > 110:
        question = question[:110].rsplit(" ", 1)[0] + " …"
    return f"Locked: this opens when you have answered the question “{question}”"


def shown(prediction: Prediction) -> Feedback:
    """Return what a learner sees who asked to be shown the answer."""
    return Feedback("shown", f"The answer is {prediction.format(prediction.answer())}.")


def times(ratio: float) -> str:
    """Return a ratio as words that read well before "the answer".

    >>> times(2), times(1234567), times(0.8), times(1 / 3), times(1 / 600)
    ('2.0 times', '1,234,567 times', '80 % of', '3.0 times smaller than', '600 times smaller than')
    """
    if ratio >= 1:
        return f"{_factor(ratio)} times"
    return f"{units.portion(ratio)} of" if ratio > 0.5 else f"{_factor(1 / ratio)} times smaller than"


def _factor(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def _slip(prediction: Prediction, given: float, answer: float, text: str) -> str:
    """Return the known slip nearest to *given*, or "" if none is near. Of two alike, the prediction's own says more."""
    known = known_slips(prediction, answer, "iB" in text + prediction.question)
    distance, clause = min(((abs(given / answer / factor - 1), clause) for factor, clause in known), key=lambda pair: pair[0])
    if distance <= SAME:
        return clause
    if prediction.scale == "share" and "%" not in text and _nearness("share", 100 * given, answer) != "off":
        return FRACTION
    return ""


def known_slips(prediction: Prediction, answer: float, binary: bool) -> Iterator[tuple[float, str]]:
    """Yield (wrong answer over the right one, clause). GiB for GB is a slip only where one of them stands: *binary*."""
    for clause, value in prediction.slips.items():
        yield (value() if callable(value) else value) / answer, clause
    if prediction.per_direction:
        if prediction.kind == "time":  # twice the rate is half the time
            yield from ((0.5, _BOTH_TIME), (2.0, _HALVED_TIME))
        else:
            yield from ((2.0, _BOTH), (0.5, _HALVED))
    if binary and prediction.kind in ("size", "rate"):
        yield from _GIB.items()
    yield from _SLIPS.get(prediction.kind, _THOUSAND).items()
