"""The claims one reads about AI interconnects, and the verdict a lesson reaches on each by a number it computed."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

from ipywidgets import HBox, ToggleButtons, VBox

from fabriclib import catalog
from fabriclib.checks import known, typed

from . import view
from .progress import current

RULINGS = {"holds": "✓", "holds with a qualification": "≈", "misleads": "✗"}


@typed
@dataclass(frozen=True)
class Verdict:
    """What a lesson finds on one claim of claims.csv.

    Args:
        claim: its letter.
        ruling: "holds", "holds with a qualification" or "misleads".
        because: a function of nothing that computes the reason, one or two sentences with the number in them.

    Raises:
        ValueError: an unknown claim or ruling.
    """

    claim: str
    ruling: str
    because: Callable[[], str]

    def __post_init__(self):
        catalog.row("claims", self.claim)
        known("ruling", self.ruling, RULINGS)

    @property
    def text(self) -> str:
        """The claim as it is usually put."""
        return catalog.row("claims", self.claim)["claim"]

    def __repr__(self) -> str:
        return f"Claim {self.claim}: {self.text}\n{self.ruling.capitalize()}. {self.because()}"

    def to_html(self) -> str:
        """Return the verdict as a card, with what the learner believed, if that was noted."""
        ruling = f"<b>{RULINGS[self.ruling]} {html.escape(self.ruling.capitalize())}.</b> {html.escape(self.because())}"
        noted = believed(self.claim)
        ruling += f'<div class="fl-notice">You had noted: {noted}.</div>' if noted else ""
        return (f'{view.STYLE}<div class="fl-course fl-verdict"><div class="fl-question">Claim {self.claim}: '
                f'{html.escape(self.text)}</div><div class="fl-sentence">{ruling}</div></div>')

    _repr_html_ = to_html


def believed(claim: str) -> str:
    """Return what the learner noted of a claim, "yes" or "no"; "" if nothing."""
    noted = (current().get("claims", claim) or {}).get("believed")
    return noted if noted in ("yes", "no") else ""


class Claims(tuple):
    """The claims the course tests, whole and legible: a table cell of pandas would cut them off.

    Its rows have the keys id, claim and lesson: the number of the one that settles it, or "later". In a notebook each has two
    buttons to note a yes or a no.
    """

    def __repr__(self) -> str:
        return "\n".join(f"{row['id']}  {row['claim']} (lesson {row['lesson']})" for row in self)

    def _repr_html_(self) -> str:
        lines = "".join(f"<tr><td>{html.escape(row['id'])}</td><td style='text-align: left'>{html.escape(row['claim'])}</td>"
                        f"<td>{html.escape(row['lesson'])}</td></tr>" for row in self)
        heads = "<th></th><th style='text-align: left'>claim</th><th>lesson</th>"
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"

    def _repr_mimebundle_(self, **options) -> dict:
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return VBox(list(map(_noted, self)), layout={"max_width": "48em"})._repr_mimebundle_(**options) | bundle


def _noted(row: dict[str, str]) -> HBox:
    """Return a claim and two buttons; what the learner clicks is kept, and the verdict shows it."""
    choice = ToggleButtons(options=["yes", "no"], value=believed(row["id"]) or None, style={"button_width": "3.5em"},
                           tooltips=[f"I believe claim {row['id']}", f"I do not believe claim {row['id']}"])
    choice.observe(lambda change: current().record("claims", row["id"], {"believed": change["new"]}), "value")
    line = HBox([choice, view.html_box(html.escape(f"{row['id']}  {row['claim']} (lesson {row['lesson']})"))])
    line.add_class("fl-claim")
    return line
