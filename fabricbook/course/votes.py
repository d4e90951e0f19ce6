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
.fl-votes :is(td, th) { padding: 3px 12px 3px 0; text-align: left; vertical-align: baseline; overflow-wrap: normal; }
.fl-votes thead th { border-bottom: 1px solid var(--jp-border-color1, #999); }
</style>"""


class Votes(VBox):
    """A row for each claim. It is a widget so that what a learner noted is in no saved lesson."""

    def __init__(self, verdicts: Sequence[Verdict]):
        self._verdicts = verdicts
        said = f'<div class="fl-sentence" role="status">{told(verdicts)}</div>'
        super().__init__([view.html_box(view.STYLE + STYLE + said + _table(verdicts, believed))])
        self.add_class("fl-course")
        self.add_class("fl-votes")

    def __repr__(self) -> str:
        return "\n".join(f"{claim}  {all_[0].text}: {', '.join(one.found for one in all_)}"
                         for claim, all_ in by_claim(self._verdicts).items())

    def _repr_mimebundle_(self, **options) -> dict:
        without_notes = {"text/plain": repr(self), "text/html": _table(self._verdicts, lambda claim: "")}
        return super()._repr_mimebundle_(**options) | without_notes


def by_claim(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Return {claim: its verdicts, one for each of its parts}."""
    found: dict[str, list[Verdict]] = {}
    for one in verdicts:
        found.setdefault(one.claim, []).append(one)
    return found


def told(verdicts: Sequence[Verdict]) -> str:
    """Return how many of the learner's notes stand: a yes where every part of the claim holds, if qualified, else a no."""
    noted = [(believed(claim), all(one.ruling.startswith("holds") for one in parts))
             for claim, parts in by_claim(verdicts).items() if believed(claim)]
    stand = sum((note == "yes") == holds for note, holds in noted)
    if not noted:
        return "You noted nothing of these claims when the course began."
    return f"Of your {len(noted)} notes {stand} {'stands' if stand == 1 else 'stand'}."


def _table(verdicts: Sequence[Verdict], note) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    cells = [(html.escape(parts[0].text), note(claim), "<br>".join(f"{RULINGS[one.ruling]} {one.found}" for one in parts))
             for claim, parts in by_claim(verdicts).items()]
    rows = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
