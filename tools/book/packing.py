"""The states of a lab as one text that a page unpacks: each column's contents once, runs written as runs, all of it deflated.

    {"columns": {name: coded}, "sentences": coded, "errors": coded, "ends": coded, ...}     a JSON document
    coded = [contents, a line each, and which of them stands at each place of the grid: 0 for the next one not yet seen,
             n for the n-th last of those seen, -1 for none]
    A list is written with its runs as [length, value].
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby

from .states import Coded, States

STEPS = 4000  # of what a column spans, at least: a quarter of a pixel of the widest chart
DIGITS = 4  # significant ones, at least: as many as a lab's table shows
_EXACT = 32  # a column that shows no more contents than this is left as it is
_LONGEST = 2  # of what is no run


def packed(document: dict) -> str:
    """Return a JSON *document* as the text that `unpacked` in the page reads."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(text.encode()) + deflate.flush()).decode()


def document(states: States, exact: Iterable[str] = ()) -> dict:
    """Return what the page must know of *states*, its numbers rounded as they are drawn, but for the columns named *exact*."""
    columns = {name: rounded(column) if name not in exact else column for name, column in states.columns.items()}
    return {"sizes": states.sizes, "columns": {name: coded(column, runs_of) for name, column in columns.items()}} | {
        name: coded(getattr(states, name)) for name in ("sentences", "errors", "ends")}


def coded(told: Coded, written=str) -> list:
    """Return *told* as the page reads it, its texts *written* one a line."""
    texts = [written(text) for text in told.texts]
    if any("\n" in text for text in texts):
        raise ValueError(f"texts must be of one line each; got {next(text for text in texts if chr(10) in text)!r}.")
    seen, codes = 0, []
    for at in told.at:
        codes.append(-1 if at < 0 else seen - at)
        seen = max(seen, at + 1)
    return ["\n".join(texts), runs(codes)]


def runs(values: Sequence) -> list:
    """Return *values* with its runs as [length, value].

    >>> runs([7, None, None, None, 1, 1])
    [7, [3, None], 1, 1]
    """
    found: list = []
    for _, same in groupby(values, key=lambda value: (type(value), value)):
        run = list(same)
        found += [[len(run), run[0]]] if len(run) > _LONGEST else run
    return found


def runs_of(text: str) -> str:
    """Return a JSON list as the JSON of its runs."""
    return json.dumps(runs(json.loads(text)), ensure_ascii=False, separators=(",", ":"))


def rounded(column: Coded) -> Coded:
    """Return *column* with the numbers that are no whole ones rounded, if it shows many contents: finer than it is drawn."""
    if len(column.texts) <= _EXACT:
        return column
    contents = [json.loads(text) for text in column.texts]
    numbers = [value for content in contents for value in content if isinstance(value, float)]
    if not numbers:
        return column
    place = _place(max(numbers) - min(numbers))
    found = Coded()
    texts = [json.dumps([_near(value, place) if isinstance(value, float) else value for value in content])
             for content in contents]
    for at in column.at:
        found.add(texts[at] if at >= 0 else None)
    return found


def _place(span: float) -> int:
    """Return the decimal place of which a span has at least so many steps as are told apart."""
    return math.floor(math.log10(span / STEPS)) if span > 0 else -300


def _near(value: float, place: int) -> float | int:
    own = math.floor(math.log10(abs(value))) + 1 - DIGITS if value else 0
    near = round(value, -min(place, own))
    return int(near) if near == int(near) and abs(near) < 1e15 else near
