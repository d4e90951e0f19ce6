"""A learner's first answers to predictions, and how near they are: do the guesses come nearer?"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .declare import Prediction
from .feedback import Feedback, judge
from .progress import answers, current

FEWEST = 6  # guesses, before halves of them are compared


@dataclass(frozen=True)
class Guess:
    """The first answer to a prediction: as it was typed, its value in SI base units, and how it was judged."""

    prediction: Prediction
    typed: str
    value: float
    feedback: Feedback

    @property
    def near(self) -> bool:
        """Whether it was right or close."""
        return self.feedback.verdict in ("right", "close")

    @property
    def off(self) -> float:
        """How many times too large or too small it was: 1.0 or more."""
        return max(self.feedback.ratio, 1 / self.feedback.ratio)


def first(prediction: Prediction, given: Sequence[dict]) -> Guess | None:
    """Return the first of the answers *given*. What was shown before it was answered is no guess, nor what no longer reads."""
    typed = given[0].get("typed") if given else None
    if not isinstance(typed, str):
        return None
    try:
        return Guess(prediction, typed, prediction.parse(typed), judge(prediction, typed))
    except ValueError:  # of another edition of the course
        return None


def guesses(predictions: Iterable[Prediction]) -> list[Guess]:
    """Return the first answers that the learner's record holds, in the order of *predictions*."""
    record = current()
    found = (first(one, answers(record.get("attempts", one.key), record.get("predictions", one.key))) for one in predictions)
    return [one for one in found if one]


def told(found: Sequence[Guess]) -> str:
    """Return how near the guesses are, and whether the later half came nearer than the earlier one."""
    if not found:
        return "You have predicted nothing yet: this cell shows your guesses beside the truth as soon as there are some."
    near, typical = sum(one.near for one in found), statistics.median(one.off for one in found)
    said = (f"Of your {len(found)} first {'guess' if len(found) == 1 else 'guesses'} {near} {'was' if near == 1 else 'were'} "
            f"right or close; the one in the middle was off by a factor of {_factor(typical)}.")
    if len(found) < FEWEST:
        return said
    half = len(found) // 2
    earlier, later = (statistics.median(one.off for one in part) for part in (found[:half], found[-half:]))
    trend = "nearer" if later < earlier / 1.1 else "further off" if later > earlier * 1.1 else "about as near"
    return (f"{said} In the later half it is a factor of {_factor(later)}, in the earlier {_factor(earlier)}: your guesses are "
            f"{trend} now.")


def _factor(off: float) -> str:
    return f"{off:.2g}" if off < 100 else f"{off:,.0f}"
