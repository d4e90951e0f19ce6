"""`my_progress`: what is done in each lesson, and where to go on."""

from __future__ import annotations

import html
from dataclasses import dataclass

from ipywidgets import VBox

from . import registry, view
from .progress import current

ALL_DONE = ("All lessons are done. What next? Take a log of your own machine to lesson 15, or a machine you plan: "
            "fl.predict gives its times, and fl.catalog.rows the sources of every figure.")


@dataclass(frozen=True)
class Lesson:
    """How much of a lesson is done: predictions answered or shown, and exercises passed, each out of so many."""

    number: str
    about: str
    answered: int
    predictions: int
    passed: int
    exercises: int

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.answered == self.predictions and self.passed == self.exercises


def my_progress() -> Overview:
    """Return a table of the lessons with what is done in each, and the lesson at which to continue."""
    return Overview()


def lessons() -> list[Lesson]:
    """Return how much is done of each lesson, in their order, as the learner's record says now."""
    record = current()
    predictions, exercises = registry.declared()
    found = []
    for number, about in registry.abouts().items():
        asked = [key for key in predictions if key.startswith(f"{number}.")]
        tasks = [key for key in exercises if key.startswith(f"{number}.")]
        answered = sum(bool(record.get("predictions", key)) for key in asked)
        passed = sum(bool(record.get("exercises", key)) for key in tasks)
        found.append(Lesson(number, about, answered, len(asked), passed, len(tasks)))
    return found


def advice(found: list[Lesson]) -> str:
    """Return where to go on: at the first lesson that is not done."""
    left = next((lesson for lesson in found if not lesson.done), None)
    return f"Continue at lesson {left.number}: {left.about}." if left else ALL_DONE


class Overview(VBox):
    """The table. It is a widget so that what a learner has done is in no saved lesson."""

    def __init__(self):
        found = lessons()
        rows = "".join(
            f"<tr><td>{'✓' if lesson.done else ''}</td><td>{lesson.number}</td>"
            f"<td style='text-align: left'>{html.escape(lesson.about)}</td>"
            f"<td>{lesson.answered} of {lesson.predictions}</td><td>{lesson.passed} of {lesson.exercises}</td></tr>"
            for lesson in found)
        heads = "<th></th><th>lesson</th><th style='text-align: left'>about</th><th>predictions</th><th>exercises</th>"
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        said = f'<div class="fl-sentence" role="status">{html.escape(advice(found))}</div>'
        super().__init__([view.html_box(f'{view.STYLE}{said}<div class="jp-RenderedHTMLCommon">{table}</div>')])
        self.add_class("fl-course")
        self.add_class("fl-overview")

    def __repr__(self) -> str:
        return "Your progress: run this cell."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}
