"""The verdict a lesson reaches on a claim, by a number it computed."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

from fabriclib import catalog
from fabriclib.checks import known, typed

from .progress import current
from .view import STYLE

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
        return (f'{STYLE}<div class="fl-course fl-verdict"><div class="fl-question">Claim {self.claim}: '
                f'{html.escape(self.text)}</div><div class="fl-sentence">{ruling}</div></div>')

    _repr_html_ = to_html


@typed
def believed(claim: str) -> str:
    """Return what the learner noted of a claim, "yes" or "no"; "" if nothing.

    >>> believed("a") in ("yes", "no", "")
    True
    """
    noted = (current().get("claims", claim) or {}).get("believed")
    return noted if noted in ("yes", "no") else ""
