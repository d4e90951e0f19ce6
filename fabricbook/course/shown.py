"""How a cell shows a result: a text as a sentence, labelled results as a small table, anything long folded away."""

from __future__ import annotations

import html
from collections.abc import Mapping

from fabriclib.checks import short
from fabriclib.shown import paragraph


class Shown:
    """A result as a sentence, as lines, or as a table of labels: HTML in a notebook, and the same as text.

    Args:
        thing: a text; a list of things, one a line; or a mapping from labels to things.
    """

    def __init__(self, thing: str | list | tuple | Mapping):
        self._thing = thing

    def __repr__(self) -> str:
        if isinstance(self._thing, str):
            return self._thing
        if not isinstance(self._thing, Mapping):
            return "\n".join(map(_text, self._thing))
        wide = max(len(str(label)) for label in self._thing)
        return "\n".join(f"{label!s:{wide}}  {_text(one)}" for label, one in self._thing.items())

    def _repr_html_(self) -> str:
        if isinstance(self._thing, str):
            return paragraph(self._thing)
        if not isinstance(self._thing, Mapping):
            return "".join(map(form, self._thing))
        rows = "".join(f'<tr><th style="text-align: left">{html.escape(str(label))}</th><td style="text-align: left">'
                       f"{form(one)}</td></tr>" for label, one in self._thing.items())
        return f"<table><tbody>{rows}</tbody></table>"


class Table:
    """A DataFrame whose rows have no names: shown without the numbers that pandas puts down its side.

    >>> import pandas as pd
    >>> Table(pd.DataFrame({"link": ["NVLink 4"], "lanes": [2]}))
        link  lanes
    NVLink 4      2
    """

    def __init__(self, frame):
        self._frame = frame

    def __repr__(self) -> str:
        return self._frame.to_string(index=False)

    def _repr_html_(self) -> str:
        return self._frame.to_html(index=False)


class Fold:
    """Something for the curious: its title to click on, and the thing below it once it is open."""

    def __init__(self, title: str, thing):
        self._title, self._thing = title, shown(thing)
        if not hasattr(self._thing, "_repr_html_"):
            raise ValueError(f"thing must have a form in HTML, as a text, a table or a mapping has; got {short(thing)}.")

    def __repr__(self) -> str:
        return f"For the curious: {self._title}\n{self._thing!r}"

    def _repr_html_(self) -> str:
        return f"<details><summary>For the curious: {html.escape(self._title)}</summary>{form(self._thing)}</details>"


def shown(thing):
    """Return *thing* as a cell shows it: a text, a list or a mapping as `Shown`, a DataFrame whose rows have no names as `Table`,
    and anything else as it is."""
    if _is_unnamed(thing):
        return Table(thing)
    bare = isinstance(thing, (str, list, tuple, Mapping)) and not hasattr(thing, "_repr_html_")
    return Shown(thing) if bare and thing else thing


def _is_unnamed(thing) -> bool:
    import pandas as pd

    return isinstance(thing, pd.DataFrame) and isinstance(thing.index, pd.RangeIndex)


def form(thing) -> str:
    """Return the HTML of *thing*; what has none is shown as text, never as markup."""
    thing = shown(thing)
    return thing._repr_html_() if hasattr(thing, "_repr_html_") else html.escape(_text(thing))


def _text(thing) -> str:
    return repr(shown(thing))
