"""`check` and the folded solution: the learner's code against the library's own, with a hint for each known wrong answer."""

from __future__ import annotations

import ast
import html
from dataclasses import dataclass

from ipywidgets import VBox

from . import view
from .declare import Exercise
from .outcomes import Interrupted, Outcome, agree, brief, outcomes
from .progress import current


def check(exercise: Exercise, given) -> Result:
    """Return whether *given*, the learner's function or value, answers *exercise*, and if not, a hint; record a pass or a try.

    Whatever the learner's code raises is told as a sentence.
    """
    result, before = grade(exercise, given), current().get("exercises", exercise.key) or {}
    if result.passed:  # a pass stays: running an old or an empty cell later does not take it back
        current().record("exercises", exercise.key, {"passed": True})
    elif result.tried and not before.get("passed"):
        tries = before.get("tries")
        current().record("exercises", exercise.key, {"outcome": "wrong", "tries": 1 + (tries if type(tries) is int else 0)})
    return result


@dataclass(frozen=True)
class Result:
    """A verdict on the learner's code, the sentence that explains it, and what follows from code that is right.

    Code that is still empty has not *tried*.
    """

    exercise: Exercise
    passed: bool
    sentence: str
    follows: str = ""
    tried: bool = True

    def __repr__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.sentence} {self.follows}".rstrip()

    def _repr_html_(self) -> str:
        asks = "" if self.passed else task(self.exercise)
        verdict = view.sentence("right" if self.passed else "wrong", self.sentence, more=self.follows)
        return f'<div class="fl-course fl-check {view.css_key(self.exercise.key)}">{asks}{verdict}</div>'


def grade(exercise: Exercise, given) -> Result:
    """Return the verdict on *given* without recording it. One interrupt ends it, wherever it is, with a sentence."""
    try:
        return _graded(exercise, given)
    except Interrupted as stop:
        return Result(exercise, False, str(stop))
    except KeyboardInterrupt:
        return Result(exercise, False, "The check was interrupted. Run this cell again.")


def _graded(exercise: Exercise, given) -> Result:
    name = exercise.function
    if given is None or given is ...:
        return Result(exercise, False, f"{name} is still empty. Fill it in and run this cell again.", tried=False)
    if exercise.options and not (isinstance(given, str) and given in exercise.options):
        options = ", ".join(map(repr, exercise.options))
        return Result(exercise, False, f"{name} is {brief(given)}, which is none of {options}.")
    if exercise.cases and not callable(given):
        return Result(exercise, False, f"check needs the function {name} itself, with no parentheses after its name.")
    got, expected = outcomes(given, exercise), outcomes(exercise.answer, exercise)
    if all(agree(g, e, exercise.tolerance) for g, e in zip(got, expected, strict=True)):
        if objection := exercise.demand and exercise.demand(given):
            return Result(exercise, False, objection)
        cases = len(exercise.cases)
        right = f"Right: {given}." if exercise.options else f"{name} is right{f' on all {cases} cases' if cases > 1 else ''}."
        return Result(exercise, True, right, _consequence(exercise, given))
    for source, hint in exercise.wrong:
        bad = outcomes(bind(exercise, source), exercise)
        if all(agree(g, b, exercise.tolerance) for g, b in zip(got, bad, strict=True)):
            return Result(exercise, False, hint)
    first = next((g, e) for g, e in zip(got, expected, strict=True) if not agree(g, e, exercise.tolerance))
    lacking = exercise.lacks(given) if exercise.lacks and first[0].error is None else ""
    return Result(exercise, False, f"{_general(exercise, *first)} {lacking}".rstrip(), tried=not _empty(first[0]))


def _consequence(exercise: Exercise, given) -> str:
    """Return what follows from *given*, or "": code that is right on all cases may still stop at what is asked here."""
    try:
        return exercise.follows(given) if exercise.follows else ""
    except (Exception, SystemExit):
        return ""


def task(exercise: Exercise) -> str:
    """Return the task as markup: its prompt, and the options of a decision as they are to be written."""
    options = "".join(f"<li><code>{html.escape(repr(option))}</code></li>" for option in exercise.options)
    return f'<div class="fl-question">{view.marked(exercise.prompt)}</div>' + (f"<ul>{options}</ul>" if options else "")


def _general(exercise: Exercise, got: Outcome, expected: Outcome) -> str:
    call = got.call or exercise.function
    if got.error is not None:
        return f"{call} stopped{got.place}: {got.error}"
    if _empty(got):
        return f"{call} returns nothing yet. Fill the function in, end it with return, and run this cell again."
    return f"{call} gives {brief(got.value)}; {brief(expected.value)} is expected."


def _empty(got: Outcome) -> bool:
    return got.error is None and (got.value is None or got.value is ...)


def bind(exercise: Exercise, source: str):
    """Return what *source* binds to the exercise's name; a bare expression stands for the function that returns it."""
    import numpy as np

    import fabriclib as fl

    space = {"fl": fl, "np": np}
    exec(compile(as_definition(exercise, source), f"<{exercise.key}>", "exec"), space)
    return space[exercise.function]


def as_definition(exercise: Exercise, source: str) -> str:
    """Return *source* as statements that bind the exercise's name, as a learner's cell does.

    >>> double = Exercise("moving_bytes.d", "?", "double", lambda n: 2 * n, "def double(n):\\n    return 2 * n", cases=[(1,)])
    >>> print(as_definition(double, "n * n"))
    def double(n):
        return n * n
    """
    tree = ast.parse(source)
    if not (len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)):
        return source
    if not exercise.cases:
        return f"{exercise.function} = {source}"
    arguments = next(n.args for n in ast.parse(exercise.solution).body if getattr(n, "name", "") == exercise.function)
    return f"def {exercise.function}({ast.unparse(arguments)}):\n    return {source}"


class Solution(VBox):
    """The ladder to a solution, its rungs folded. It is a widget so that nothing of it is in a saved output."""

    def __init__(self, exercise: Exercise):
        self._key = exercise.key
        rungs = {"A nudge": f"<p>{view.marked(exercise.nudge)}</p>" if exercise.nudge else "",
                 "Half of it": _code(exercise.half) if exercise.half else "",
                 "One solution": _code(exercise.solution)}
        folded = "".join(f"<details><summary>{title}</summary>{rung}</details>" for title, rung in rungs.items() if rung)
        super().__init__([view.html_box(view.STYLE + folded)])
        self.add_class("fl-course")
        self.add_class("fl-solution")

    def __repr__(self) -> str:
        return f"Solution of {self._key}, folded: run this cell and open it."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}


def _code(source: str) -> str:
    """Return *source* as it is read: JupyterLab would break its lines within a word, an output of it being any text."""
    return f'<pre style="word-break: normal">{html.escape(source.strip())}</pre>'
