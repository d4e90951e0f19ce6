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


def part(share: float) -> str:
    """Return a share as text that says nothing, or all, only where it is exactly that.

    >>> part(0.07), part(0.005), part(0.995), part(1.0), part(0.0)
    ('7 %', 'less than 1 %', 'more than 99 %', '100 %', '0 %')
    """
    return "less than 1 %" if 0 < share <= 0.005 else "more than 99 %" if 0.995 <= share < 1 else units.portion(share)


def signed(value: float) -> str:
    """Return *value* as a whole number with its sign; nothing has none.

    >>> signed(12.6), signed(-3.0), signed(-0.2)
    ('+13', '-3', '0')
    """
    return f"{value:+.0f}" if round(value) else "0"


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
