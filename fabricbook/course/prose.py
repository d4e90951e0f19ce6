"""Numbers in prose: a text names what the model computes, in double braces, and is filled in before anybody reads it.

    The line carries {{ si(port.rate, "B/s") }} one way.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import jinja2

from fabriclib import units
from fabriclib.measurements import percent
from fabriclib.shown import digits

_FILLERS = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, block_start_string="{{%",
                              block_end_string="%}}", comment_start_string="{{#", comment_end_string="#}}")


def thousands(value: float) -> str:
    """Return the whole number nearest to *value*, with a comma between its thousands.

    >>> thousands(4096), thousands(224.0)
    ('4,096', '224')
    """
    return f"{value:,.0f}"


FORMATS = {"si": units.format, "portion": units.portion, "error": percent, "digits": digits, "thousands": thousands}


def fill(text: str, names: Mapping) -> str:
    """Return *text* with every {{ expression }} replaced by its value among *names* and the functions that format numbers.

    Those are `si(value, unit)`, `portion(share)`, which is a percentage, `error(share)`, a signed one, `digits(value, count)`
    and `thousands(value)`.

    Raises:
        ValueError: an expression that cannot be computed; the message holds it.

    >>> fill("{{ si(rate, 'B/s') }} one way", {"rate": 4.5e11})
    '450 GB/s one way'
    """
    if "{{" not in text:
        return text
    try:
        return _template(text).render({**FORMATS, **names})
    except Exception as problem:
        raise ValueError(f"a text cannot be filled in ({problem}): {text.strip()[:200]}") from problem


@functools.cache
def _template(text: str) -> jinja2.Template:
    return _FILLERS.from_string(text)
