"""What the learner's code does on each case: a value, or the error it stopped with and where."""

from __future__ import annotations

import copy
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabriclib import checks

from .declare import Exercise, short


def brief(value) -> str:
    """Return *value* as short text: a float with four significant digits, anything else as far as it fits.

    >>> brief(450000.0), brief([1, 2])
    ('4.5e+05', '[1, 2]')
    """
    return short(value) if isinstance(value, float) else checks.short(value)


@dataclass(frozen=True)
class Outcome:
    """One call: its text, and either its value, or the error as a sentence with the place in the learner's code."""

    call: str = ""
    value: object = None
    error: str | None = None
    place: str = ""


class Interrupted(Exception):
    """The learner has interrupted a call; the text says which, and where it was."""


def outcomes(given: Callable | object, exercise: Exercise) -> list[Outcome]:
    """Return one outcome per case; for an exercise without cases, *given* is the value, or a function that computes it.

    Raises:
        Interrupted: the learner stopped one of the calls; the cases after it are not tried.
    """
    if exercise.cases:
        return [_outcome(given, case, exercise.function) for case in exercise.cases]
    return [_outcome(given, (), exercise.function) if callable(given) else Outcome(value=given)]


def _outcome(function: Callable, arguments: tuple, name: str) -> Outcome:
    call = f"{name}({', '.join(brief(a) for a in arguments)})"
    try:
        return Outcome(call, function(*copy.deepcopy(arguments)))
    except KeyboardInterrupt as stop:
        where = _place(stop, function)
        raise Interrupted(f"{call} was interrupted{where} before it returned. Does a loop in it never end?") from None
    except (Exception, SystemExit) as problem:
        return Outcome(call, error=_sentence(problem), place=_place(problem, function))


def agree(got: Outcome, expected: Outcome, tolerance: float) -> bool:
    """Whether two outcomes are the same: the same error, or values equal within the relative *tolerance*."""
    if got.error is not None or expected.error is not None:
        return got.error == expected.error
    try:
        return _same(got.value, expected.value, tolerance)
    except Exception:  # the learner's value may be anything, even an object whose comparison fails
        return False


def _same(got, expected, tolerance: float) -> bool:
    a, b = np.asarray(got), np.asarray(expected)
    if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=0, equal_nan=True)
    return type(got) is type(expected) and bool(np.all(got == expected))


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, RecursionError):
        return "it calls itself without end."
    try:
        message = " ".join(str(problem).split())
    except Exception:  # an exception of the learner's own, whose text fails too
        message = ""
    text = f"{type(problem).__name__}{': ' if message else ''}{message}"
    return text[:200] + ("" if text.endswith(".") else ".")


def _place(problem: BaseException, function: Callable) -> str:
    """Where the learner's own code stopped: the innermost line in the cell that defines *function*."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [f.lineno for f in traceback.extract_tb(problem.__traceback__, limit=-20) if f.filename == file]
    if not lines:
        return ""
    source = linecache.getline(file, lines[-1]).strip()
    return f" at line {lines[-1]} of the cell" + (f" ({source})" if source else "")
