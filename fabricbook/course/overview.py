"""The learner's progress, drawn: what is done in each lesson, what is left, and where to go on."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ipywidgets import VBox

from . import view
from .progress import current

ALL_DONE = "All lessons are done. What next says the end of the last one."
# A question of each section of the record, done and to do.
MARKS = {"stops": "◆◇", "predictions": "●○", "exercises": "■□"}
STYLE = """<style>
.fl-course.fl-overview table { border-collapse: collapse; width: 100%; margin-top: 8px; }
.fl-overview :is(td, th) { padding: 1px 12px 1px 0; text-align: left; vertical-align: baseline; font-weight: normal; }
.fl-overview .widget-html-content { overflow-x: auto; }
.fl-overview td:first-child { min-width: 12em; }
.fl-overview thead th { white-space: nowrap; border-bottom: 1px solid var(--jp-border-color1, #999); }
.fl-overview .fl-left { text-align: right; white-space: nowrap; }
.fl-overview .fl-dots { letter-spacing: 0.05em; white-space: nowrap; }
.fl-overview .widget-html-content { container: fl-overview / inline-size; }
@container fl-overview (max-width: 40rem) {
  .fl-overview :is(td, th) { vertical-align: top; padding-right: 6px; }
  .fl-overview thead th { white-space: normal; overflow-wrap: normal; font-size: 0.72em; }
  .fl-overview .fl-dots { white-space: normal; overflow-wrap: anywhere; }
  .fl-overview td:first-child { min-width: 5em; }
}
.fl-overview .fl-here { font-weight: 600; }
.fl-overview progress { width: 100%; height: 10px; }
.fl-overview button { font: inherit; border: none; padding: 0; text-align: left; cursor: pointer; }
</style>"""


@dataclass(frozen=True)
class Done:
    """How much of a lesson is done.

    Args:
        heading: its number and title.
        file: the name of its notebook.
        minutes: how long all of it takes.
        parts: by section of the record, how many of its questions are done and how many there are.
    """

    heading: str
    file: str
    minutes: int
    parts: Mapping[str, tuple[int, int]]

    @property
    def done(self) -> int:
        """How many questions are done."""
        return sum(done for done, _ in self.parts.values())

    @property
    def all(self) -> bool:
        """Whether nothing is left."""
        return self.done == self.asked

    @property
    def left(self) -> int:
        """The minutes left, if every question takes the same time."""
        return math.ceil(self.minutes * (1 - self.done / self.asked)) if self.asked else 0

    @property
    def asked(self) -> int:
        """How many questions there are."""
        return sum(of for _, of in self.parts.values())


def done(heading: str, file: str, minutes: int, keys: Mapping[str, Iterable[str]]) -> Done:
    """Return how much is done of the lesson that asks these *keys*, by section, as the learner's record says now."""
    record = current()
    parts = {}
    for section, asked in keys.items():
        entries = [record.get(section, key) for key in asked]
        parts[section] = sum(bool(entry) and entry.get("outcome") != "wrong" for entry in entries), len(entries)
    return Done(heading, file, minutes, parts)


def here(found: list[Done]) -> Done | None:
    """Return where to go on: at the last lesson begun or, if that is done, at the next that is not; None if all are."""
    last = max((at for at, lesson in enumerate(found) if lesson.done), default=0)
    return next((lesson for lesson in found[last:] + found[:last] if not lesson.all), None)


class Overview(VBox):
    """The lessons, a row each. It is a widget so that what a learner has done is in no saved lesson."""

    def __init__(self, found: list[Done]):
        super().__init__([view.html_box(view.STYLE + STYLE + _summary(found) + _table(found))])
        self.add_class("fl-course")
        self.add_class("fl-overview")

    def __repr__(self) -> str:
        return "Your progress: run this cell."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}


def _summary(found: list[Done]) -> str:
    """Return how far the learner is, as a sentence and a bar, and the link to the lesson at which to continue."""
    next_one, finished, asked = here(found), sum(lesson.all for lesson in found), sum(lesson.asked for lesson in found)
    hours, minutes = divmod(sum(lesson.left for lesson in found), 60)
    advice = f"Continue at lesson {_link(next_one)}." if next_one else ALL_DONE
    told = f"{finished} of {len(found)} lessons done, about {hours} h {minutes:02d} min left."
    answered = sum(lesson.done for lesson in found)
    bar = f'<progress value="{answered}" max="{asked}" aria-label="{answered} of {asked} questions done"></progress>'
    return f'<div class="fl-sentence" role="status"><div>{advice}</div><div>{told}</div></div>{bar}'


def _table(found: list[Done]) -> str:
    heads = "".join(f"<th>{head}</th>" for head in ("lesson", *MARKS, "minutes left", "done"))
    rows = "".join(map(_row, found, [lesson is here(found) for lesson in found]))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(lesson: Done, is_next: bool) -> str:
    dots = "".join(_dots(section, *lesson.parts[section]) for section in MARKS)
    rest = f'<td class="fl-left">{lesson.left or ""}</td><td>{"✓" if lesson.all else ""}</td>'
    return f'<tr class="{"fl-here" if is_next else ""}"><td>{_link(lesson)}</td>{dots}{rest}</tr>'


def _dots(section: str, done: int, of: int) -> str:
    """Return a mark for each question of a lesson; a screen reader says how many of how many."""
    full, empty = MARKS[section]
    drawn = f'<span role="img" aria-label="{done} of {of} {section}">{full * done}{empty * (of - done)}</span>'
    return f'<td class="fl-dots">{drawn}</td>'


def _link(lesson: Done) -> str:
    """Return what opens the lesson in JupyterLab, in a tab beside this one."""
    path = html.escape(json.dumps({"path": lesson.file}))
    opens = f'data-commandlinker-command="docmanager:open" data-commandlinker-args="{path}"'
    return f'<button class="fl-link" {opens}>{html.escape(lesson.heading)}</button>'
