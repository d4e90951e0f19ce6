"""How a notebook shows an object of the model: as a sentence, where a terminal prints it in angle brackets."""

from __future__ import annotations

import html


def paragraph(text: str) -> str:
    """Return *text* as the HTML of one paragraph.

    >>> paragraph("p < 8")
    '<p>p &lt; 8</p>'
    """
    return f"<p>{html.escape(text)}</p>"


def sentence(thing: object) -> str:
    """Return the HTML of a *thing* that prints as a sentence in angle brackets; it serves as the thing's `_repr_html_`."""
    return paragraph(repr(thing)[1:-1])
