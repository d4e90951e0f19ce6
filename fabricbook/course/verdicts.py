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
    """What a lesson finds on one claim of claims.csv, or on a part of it.

    Args:
        claim: its letter.
        ruling: "holds", "holds with a qualification" or "misleads".
        because: a function of nothing that computes the reason, one or two sentences with the number in them.
        part: what of the claim it is on, in a word; "" where it is on all of it.

    Raises:
        ValueError: an unknown claim or ruling.
    """

    claim: str
    ruling: str
    because: Callable[[], str]
    part: str = ""

    def __post_init__(self):
        catalog.row("claims", self.claim)
        known("ruling", self.ruling, RULINGS)

    @property
    def key(self) -> str:
        """What a cell asks for it by: "a", or "a.part"."""
        return f"{self.claim}.{self.part}" if self.part else self.claim

    @property
    def found(self) -> str:
        """The ruling, and the part it is on."""
        return f"{self.part}: {self.ruling}" if self.part else self.ruling

    @property
    def text(self) -> str:
        """The claim as it is usually put."""
        return catalog.row("claims", self.claim)["claim"]

    def __repr__(self) -> str:
        return f"Claim {self.claim}: {self.text}\n{self.found.capitalize()}. {self.because()}"

    def to_html(self) -> str:
        """Return the verdict as a card, with what the learner believed, if that was noted."""
        ruling = f"<b>{RULINGS[self.ruling]} {html.escape(self.found.capitalize())}.</b> {html.escape(self.because())}"
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
