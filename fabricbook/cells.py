"""What the cells of a lesson call, each by the key or the name of the thing it wants.

Every function that takes a key raises a ValueError for one that nothing has; the message suggests the nearest. Widgets are
imported where one is made, which takes seconds: a lab can be evaluated without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lessons import as_lab, declared, find, lessons
from .stage import Lab

if TYPE_CHECKING:
    from .course.checking import Result, Solution
    from .course.claims import Claims
    from .course.gate import Gate
    from .course.keeping import Keeping
    from .course.my_guesses import Guesses
    from .course.overview import Overview
    from .course.prediction import PredictionBox
    from .course.shown import Fold
    from .course.verdicts import Verdict
    from .course.votes import Votes
    from .lessons.capstone.report import Told


def lab(name: str) -> Lab:
    """Return the lab *name*, new and in its default state.

    >>> lab("alpha-beta").declared.tier
    'chip'
    """
    return as_lab(find("labs", name).declaration)


def labs() -> list[str]:
    """Return the names of all labs, in lesson order."""
    return list(declared("labs"))


def predict_first(key: str) -> PredictionBox:
    """Return the box that asks the prediction *key*; its answer appears only after the learner's, or on demand."""
    from .course.prediction import PredictionBox

    return PredictionBox(find("predictions", key))


def after(key: str, thing) -> Gate:
    """Return a box that shows *thing* as soon as the prediction *key* is answered or shown, and not before.

    Args:
        key: a declared prediction.
        thing: a Lab, or anything that `show` takes.
    """
    from .course.gate import Gate

    return Gate(find("predictions", key), thing)


def show(thing):
    """Return *thing* as a cell shows it, never as raw Python.

    Args:
        thing: a text, shown as a sentence; a mapping from labels to results, shown as a small table; a list of results, one a
            line; a DataFrame, shown without the numbers of its rows. Anything else stays as it is.

    >>> show({"ring": "54.7 ms", "switch": "31.1 ms"})
    ring    54.7 ms
    switch  31.1 ms
    """
    from .course.shown import shown

    return shown(thing)


def fold(title: str, thing) -> Fold:
    """Return *thing*, anything that `show` takes, folded below "For the curious: *title*".

    Raises:
        ValueError: a thing without a form in HTML, such as a lab.

    >>> fold("three cables", "DAC, AOC, AEC")
    For the curious: three cables
    DAC, AOC, AEC
    """
    from .course.shown import Fold

    return Fold(title, thing)


def check(key: str, given) -> Result:
    """Return whether *given*, the learner's function or value, answers the exercise *key*, and if not, a hint."""
    from .course.checking import check

    return check(find("exercises", key), given)


def play(key: str, given):
    """Return the lab that plays *given*, the learner's function, or the sentence that says when it will."""
    from .course.checking import grade

    exercise = find("exercises", key)
    if not grade(exercise, given).passed:
        return show(f"{exercise.function} is played here once it is right: then run this cell again.")
    return show(exercise.plays(given))


def solution(key: str) -> Solution:
    """Return the solution of the exercise *key*, folded away until the learner opens it."""
    from .course.checking import Solution

    return Solution(find("exercises", key))


def verdict(claim: str) -> Verdict:
    """Return the verdict that a lesson reaches on the claim with this letter, or on a part of it: "a", or "a.part"."""
    return find("verdicts", claim)


def claims() -> Claims:
    """Return the claims the course tests: rows with the keys id, claim and lesson, the numbers of those that settle it or "".

    >>> claims()[0]["lesson"]
    '00'
    """
    from fabriclib import catalog

    from .course.claims import Claims

    numbers = {one.name: one.number for one in lessons()}
    return Claims(row | {"lesson": ", ".join(numbers[one] for one in row["lesson"])} for row in catalog.rows("claims"))


def votes() -> Votes:
    """Return the claims that the lessons settle, each with what the learner noted of it and what was found."""
    from .course.votes import Votes

    return Votes(list(declared("verdicts").values()))


def report(brief, plan, *, name: str = "", defence: str = "") -> Told:
    """Write a report on a *plan* into this folder, as a page of HTML and as Markdown, and return what it says in a sentence.

    A later report on the same brief takes the place of an earlier one. What cannot be written is said in a sentence.

    Args:
        brief: an id of `fl.capstone.briefs()`, or a Brief of one's own.
        plan: a `fl.capstone.Plan`; `...` while there is none.
        name: who planned it. defence: why it should be built so. Both are shown as they were typed, and mean nothing more.
    """
    from .lessons.capstone.report import report

    return report(brief, plan, name=name, defence=defence)


def my_progress() -> Overview:
    """Return the lessons with what is done and what is left in each, and the one at which to continue."""
    from .course.overview import Overview, done

    return Overview([done(one.heading, one.file, one.head.minutes, one.asked) for one in lessons()])


def my_guesses() -> Guesses:
    """Return the learner's first answers to all predictions, each beside the truth, and whether they come nearer."""
    from .course.my_guesses import Guesses

    return Guesses(declared("predictions").values())


def my_answers() -> Keeping:
    """Return what exports the learner's answers into a file, imports them from one, and begins a new record."""
    from .course.keeping import Keeping

    return Keeping()
