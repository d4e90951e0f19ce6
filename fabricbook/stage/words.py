"""What the sentences of many labs say in the same words."""

from __future__ import annotations

import re

from fabriclib import units

# What is shown below whatever stands on a kernel that is gone.
COME_BACK = "The kernel was stopped or restarted. Run All Cells, in the menu Run, brings this back: your answers are kept."


def span(low: float, high: float, unit: str = "B") -> str:
    """Return the values from *low* to *high*, given in the SI base *unit*, as text: one where both read the same.

    >>> span(5e10, 7.5e10, "B/s"), span(4.5e11, 4.501e11, "B/s")
    ('50 GB/s to 75 GB/s', '450 GB/s')
    """
    return joined(units.format(low, unit), units.format(high, unit))


def joined(low: str, high: str) -> str:
    """Return the text of two ends, or of one where they read the same.

    >>> joined("4", "6"), joined("4", "4")
    ('4 to 6', '4')
    """
    return low if low == high else f"{low} to {high}"


def grouped(text: str) -> str:
    """Return *text* with a comma between the thousands of its whole numbers; `units.format` writes none, for what it writes
    can be read back.

    >>> grouped("2961 years"), grouped("66.5 days")
    ('2,961 years', '66.5 days')
    """
    return re.sub(r"(?<![\d.])\d{4,}(?![\d.])", lambda number: f"{int(number[0]):,}", text)
