"""The claims at the end of the course: what the learner noted of each, beside what its lesson found."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ipywidgets import VBox

from . import view
from .verdicts import RULINGS, Verdict, believed

_HEADS = ("claim", "you noted", "the lessons find")
STYLE = """<style>
.fl-votes table { border-collapse: collapse; width: 100%; }
.fl-votes :is(td, th) { padding: 3px 12px 3px 0; text-align: left; vertical-align: baseline; }
.fl-votes thead th { border-bottom: 1px solid var(--jp-border-color1, #999); }
</style>"""


class Votes(VBox):
    """A row for each verdict. It is a widget so that what a learner noted is in no saved lesson."""

    def __init__(self, verdicts: Sequence[Verdict]):
        self._verdicts = verdicts
        said = f'<div class="fl-sentence" role="status">{told(verdicts)}</div>'
        super().__init__([view.html_box(view.STYLE + STYLE + said + _table(verdicts, believed))])
        self.add_class("fl-course")
        self.add_class("fl-votes")

    def __repr__(self) -> str:
        return "\n".join(f"{one.claim}  {one.text}: {one.ruling}" for one in self._verdicts)

    def _repr_mimebundle_(self, **options) -> dict:
        without_notes = {"text/plain": repr(self), "text/html": _table(self._verdicts, lambda claim: "")}
        return super()._repr_mimebundle_(**options) | without_notes


def told(verdicts: Sequence[Verdict]) -> str:
    """Return how many of the learner's notes stand: a yes where the claim holds, qualified or not, a no where it misleads."""
    noted = [(believed(one.claim), one.ruling) for one in verdicts if believed(one.claim)]
    stand = sum((note == "yes") == ruling.startswith("holds") for note, ruling in noted)
    if not noted:
        return "You noted nothing of these claims when the course began."
    return f"Of your {len(noted)} notes {stand} {'stands' if stand == 1 else 'stand'}."


def _table(verdicts: Sequence[Verdict], note) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    cells = [(html.escape(one.text), note(one.claim), f"{RULINGS[one.ruling]} {one.ruling}") for one in verdicts]
    rows = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
