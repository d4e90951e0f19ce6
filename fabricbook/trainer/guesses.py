"""The room's guesses at a prediction: what each guessed first, and what there is to say of all. No name is in any of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..course import feedback
from ..course.declare import Prediction
from ..course.guesses import Guess, first
from ..course.progress import answers
from .records import Learner


@dataclass(frozen=True)
class Guesses:
    """What a room guessed, the smallest first, and how many had themselves shown the answer without a guess."""

    given: Sequence[Guess]
    shown: int

    @property
    def values(self) -> list[float]:
        """The guesses in SI base units."""
        return [one.value for one in self.given]


def gather(prediction: Prediction, learners: Sequence[Learner]) -> Guesses:
    """Return the first guess of each of *learners*: what they typed after they saw the answer is none."""
    found, shown = [], 0
    for one in learners:
        given = answers(one.entries("attempts").get(prediction.key), one.entries("predictions").get(prediction.key))
        if guess := first(prediction, given):
            found.append(guess)
        else:
            shown += bool(given and given[0].get("shown"))
    return Guesses(sorted(found, key=lambda guess: guess.value), shown)


def counted(found: Guesses) -> str:
    """Return how many guesses there are, and how far apart: nothing of the answer."""
    if not found.given:
        return "No guess yet."
    many = len(found.given)
    told = f"{many} guess{'es' * (many > 1)}"
    least, most = found.values[0], found.values[-1]
    times = feedback.times(most / least) if most / least < 1e6 else "more than a million times"
    apart = f", the largest {times} the smallest" if most > least else ""
    looked = f"; {found.shown} looked at the answer instead" if found.shown else ""
    return f"{told}{apart}{looked}."


def told(prediction: Prediction, found: Guesses) -> list[str]:
    """Return what is said once the answer is open: the answer, how the room did, and how often each slip was made."""
    answer = prediction.answer()
    said = [f"The answer is {prediction.format(answer)}. {prediction.explain}".strip()]
    if found.given:
        judged = [guess.feedback for guess in found.given]
        verdicts = Counter(one.verdict for one in judged)
        middle = feedback.times(median(found.values) / answer)
        said.append(f"Right {verdicts['right']}, close {verdicts['close']}, of {len(judged)}. The middle guess is {middle} the "
                    "answer.")
        slips = Counter(one.slip for one in judged if one.slip)
        said += [f"{count} ×: {slip}" for slip, count in slips.most_common()]
    return said
