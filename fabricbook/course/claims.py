"""The claims one reads about AI interconnects, and what the learner believes of them."""

from __future__ import annotations

import html

from ipywidgets import HBox, ToggleButtons, VBox

from . import view
from .progress import current
from .verdicts import believed


class Claims(tuple):
    """The claims the course tests, whole and legible: a table cell of pandas would cut them off.

    Its rows have the keys id, claim and lesson: the numbers of those that settle it, or "" where none does yet. In a notebook
    each has two buttons to note a yes or a no.
    """

    def __repr__(self) -> str:
        return "\n".join(f"{row['id']}  {row['claim']} ({_where(row)})" for row in self)

    def _repr_html_(self) -> str:
        lines = "".join(f"<tr><td>{html.escape(row['id'])}</td><td style='text-align: left'>{html.escape(row['claim'])}</td>"
                        f"<td>{html.escape(row['lesson'] or 'still open')}</td></tr>" for row in self)
        heads = "<th></th><th style='text-align: left'>claim</th><th>lesson</th>"
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"

    def _repr_mimebundle_(self, **options) -> dict:
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return VBox(list(map(_noted, self)), layout={"max_width": "48em"})._repr_mimebundle_(**options) | bundle


def _where(row: dict) -> str:
    return f"lesson{'s' * (',' in row['lesson'])} {row['lesson']}" if row["lesson"] else "still open"


def _noted(row: dict) -> HBox:
    """Return a claim and two buttons; what the learner clicks is kept and said, and the verdict shows it."""
    choice = ToggleButtons(options=["yes", "no"], value=believed(row["id"]) or None, style={"button_width": "3.5em"},
                           layout={"flex": "none", "width": "max-content"},  # side by side, however long the claim
                           tooltips=[f"I believe claim {row['id']}", f"I do not believe claim {row['id']}"])
    text = view.html_box()

    def say() -> None:
        noted = f" Noted: {choice.value}." if choice.value else ""
        claim = html.escape(f"{row['id']}  {row['claim']} ({_where(row)})")
        text.value = f'{claim}<span role="status" aria-live="polite">{noted}</span>'

    def keep(change: dict) -> None:
        current().record("claims", row["id"], {"believed": change["new"]})
        say()

    choice.observe(keep, "value")
    say()
    line = HBox([choice, text])
    line.add_class("fl-claim")
    return line
