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


def counted(count: float, one: str, several: str = "") -> str:
    """Return how many there are of what is called *one*, or of *several* where an s alone does not make them so.

    >>> counted(1, "link"), counted(1.5, "buffer"), counted(4096, "GPU"), counted(2, "inch", "inches")
    ('1 link', '1.5 buffers', '4,096 GPUs', '2 inches')
    """
    return f"{count:,.10g} {one if count == 1 else several or one + 's'}"


def digits(value: float, count: int = 2) -> str:
    """Return *value* with *count* significant digits, as one writes it: no exponent, no decimals that are zero, and a comma
    between thousands.

    >>> digits(1234.5), digits(0.0456), digits(2.0), digits(14.04, 3)
    ('1,200', '0.046', '2', '14')
    """
    return f"{float(f'{value:.{count}g}'):,.12g}"
