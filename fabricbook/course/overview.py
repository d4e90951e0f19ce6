"""The learner's progress: what is done in each lesson, and where to go on."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

from ipywidgets import VBox

from . import view
from .progress import current

ALL_DONE = ("All lessons are done. What next? Take a log of your own machine to the last lesson, or a machine you plan: "
            "fl.predict gives its times, and fl.catalog.rows the sources of every figure.")


@dataclass(frozen=True)
class Done:
    """How much of a lesson is done: predictions answered or shown, and exercises passed, each out of so many."""

    heading: str
    answered: int
    predictions: int
    passed: int
    exercises: int

    @property
    def all(self) -> bool:
        """Whether nothing is left."""
        return self.answered == self.predictions and self.passed == self.exercises


def done(heading: str, predictions: Iterable[str], exercises: Iterable[str]) -> Done:
    """Return how much is done of the lesson with this *heading* and these keys, as the learner's record says now."""
    record, asked, tasks = current(), list(predictions), list(exercises)
    answered = sum(bool(record.get("predictions", key)) for key in asked)
    passed = sum(bool(record.get("exercises", key)) for key in tasks)
    return Done(heading, answered, len(asked), passed, len(tasks))


def advice(found: list[Done]) -> str:
    """Return where to go on: at the first lesson that is not done."""
    left = next((lesson for lesson in found if not lesson.all), None)
    return f"Continue at lesson {left.heading}." if left else ALL_DONE


class Overview(VBox):
    """The table. It is a widget so that what a learner has done is in no saved lesson."""

    def __init__(self, found: list[Done]):
        rows = "".join(
            f"<tr><td>{'✓' if lesson.all else ''}</td><td style='text-align: left'>{html.escape(lesson.heading)}</td>"
            f"<td>{lesson.answered} of {lesson.predictions}</td><td>{lesson.passed} of {lesson.exercises}</td></tr>"
            for lesson in found)
        heads = "<th></th><th style='text-align: left'>lesson</th><th>predictions</th><th>exercises</th>"
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        said = f'<div class="fl-sentence" role="status">{html.escape(advice(found))}</div>'
        super().__init__([view.html_box(f'{view.STYLE}{said}<div class="jp-RenderedHTMLCommon">{table}</div>')])
        self.add_class("fl-course")
        self.add_class("fl-overview")

    def __repr__(self) -> str:
        return "Your progress: run this cell."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}
