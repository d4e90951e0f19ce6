"""Finds every prediction and exercise declared under fabriclib/course/lessons: a new module needs no other edit."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ..checks import known
from . import lessons
from .declare import Exercise, Prediction


@cache
def declared() -> tuple[dict[str, Prediction], dict[str, Exercise]]:
    """Return all predictions and all exercises by key, in lesson order.

    Raises:
        ValueError: a key declared twice, or in a lesson of another number.
    """
    predictions: dict[str, Prediction] = {}
    exercises: dict[str, Exercise] = {}
    for number, module in _modules().items():
        for table, found in ((predictions, module.PREDICTIONS), (exercises, module.EXERCISES)):
            for item in found:
                _add(table, item, number)
    return predictions, exercises


def verdicts() -> dict:
    """Return every lesson's verdicts by the letter of their claim; a lesson that settles none has no VERDICTS."""
    return {v.claim: v for module in _modules().values() for v in getattr(module, "VERDICTS", ())}


def abouts() -> dict[str, str]:
    """Return what each lesson is about, by its number, in lesson order: the first line of its module's description."""
    return {number: module.__doc__.splitlines()[0].split(": ", 1)[1].rstrip(".") for number, module in _modules().items()}


@cache
def _modules() -> dict:
    """The lesson modules by their number, in lesson order."""
    names = sorted(m.name for m in pkgutil.iter_modules(lessons.__path__) if m.name.startswith("lesson_"))
    return {name.removeprefix("lesson_"): importlib.import_module(f"{lessons.__name__}.{name}") for name in names}


def prediction(key: str) -> Prediction:
    """Return the prediction declared as *key*; a ValueError suggests the nearest."""
    return declared()[0][known("prediction", key, declared()[0])]


def exercise(key: str) -> Exercise:
    """Return the exercise declared as *key*; a ValueError suggests the nearest."""
    return declared()[1][known("exercise", key, declared()[1])]


def _add(table: dict, item, lesson: str) -> None:
    if item.key in table:
        raise ValueError(f"key {item.key!r} is declared twice in fabriclib/course/lessons.")
    if not item.key.startswith(f"{lesson}."):
        raise ValueError(f"key {item.key!r} is declared in lesson {lesson}; it must start with '{lesson}.'.")
    table[item.key] = item
