"""What the cells of a lesson call, each by the key or the name of the thing it wants.

Every function that takes a key raises a ValueError for one that nothing has; the message suggests the nearest.
"""

from __future__ import annotations

from fabriclib import catalog

from .course import checking
from .course.claims import Claims, Verdict
from .course.gate import Gate
from .course.overview import Overview, done
from .course.prediction import PredictionBox
from .course.prose import fill
from .lessons import declared, find, lesson, lessons
from .stage import Lab


def lab(name: str) -> Lab:
    """Return the lab *name*, new and in its default state.

    >>> lab("alpha-beta").declared.tier
    'chip'
    """
    function = find("labs", name)
    home = lesson(function.__module__.split(".")[-2])
    return Lab(function, lambda text: fill(text, home.names))


def labs() -> list[str]:
    """Return the names of all labs, in lesson order."""
    return list(declared("labs"))


def predict_first(key: str) -> PredictionBox:
    """Return the box that asks the prediction *key*; its answer appears only after the learner's, or on demand."""
    return PredictionBox(find("predictions", key))


def after(key: str, thing) -> Gate:
    """Return a box that shows *thing* as soon as the prediction *key* is answered or shown, and not before.

    Args:
        key: a declared prediction.
        thing: a Lab, a DataFrame, a text or a number.
    """
    return Gate(find("predictions", key), thing)


def check(key: str, given) -> checking.Result:
    """Return whether *given*, the learner's function or value, answers the exercise *key*, and if not, a hint."""
    return checking.check(find("exercises", key), given)


def solution(key: str) -> checking.Solution:
    """Return the solution of the exercise *key*, folded away until the learner opens it."""
    return checking.Solution(find("exercises", key))


def verdict(claim: str) -> Verdict:
    """Return the verdict that a lesson reaches on the claim with this letter."""
    return find("verdicts", claim)


def claims() -> Claims:
    """Return the claims the course tests: rows with the keys id, claim and lesson, the number of the one that settles it.

    >>> claims()[0]["lesson"]
    '00'
    """
    rows = catalog.rows("claims")
    return Claims(row | {"lesson": "later" if row["lesson"] == "later" else lesson(row["lesson"]).number} for row in rows)


def my_progress() -> Overview:
    """Return a table of the lessons with what is done in each, and the lesson at which to continue."""
    return Overview([done(one.heading, one.predictions, one.exercises) for one in lessons()])
