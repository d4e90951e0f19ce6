"""The learner's predictions beside the truth, in the order of the lessons."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from ipywidgets import VBox

from ..stage.charts import GREEN, VERMILION
from . import view
from .declare import Prediction
from .feedback import times
from .guesses import Guess, guesses, told

_FAR = 100.0  # a guess further off than this stands at the edge of the picture
_WIDTH, _HEIGHT, _LEFT = 640, 190, 64
STYLE = """<style>
.fl-guesses .widget-html-content { overflow-x: auto; }
.fl-guesses svg { width: 100%; min-width: 520px; max-width: 680px; height: auto; }
.fl-guesses svg text { font-size: 12px; fill: currentColor; }
</style>"""


class Guesses(VBox):
    """A dot for each first guess: how many times the truth it was. A widget, so that it is in no saved lesson."""

    def __init__(self, predictions: Iterable[Prediction]):
        found = guesses(predictions)
        said = f'<div class="fl-sentence" role="status">{html.escape(told(found))}</div>'
        super().__init__([view.html_box(view.STYLE + STYLE + said + (_picture(found) + _table(found) if found else ""))])
        self.add_class("fl-course")
        self.add_class("fl-guesses")

    def __repr__(self) -> str:
        return "Your guesses beside the truth: run this cell."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}


def _picture(found: Sequence[Guess]) -> str:
    """Return an SVG: filled circles are right or close, hollow diamonds are not; the line in the middle is the truth."""
    step = (_WIDTH - _LEFT - 20) / max(len(found) - 1, 1)
    lines = "".join(_level(ratio, text) for ratio, text in ((_FAR, "100 times"), (10, "10 times"), (1, "the truth"),
                                                            (0.1, "a tenth"), (1 / _FAR, "1/100")))
    dots = "".join(_dot(one, _LEFT + 12 + at * step) for at, one in enumerate(found))
    label = html.escape(told(found))
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{lines}{dots}</svg>'


def _level(ratio: float, text: str) -> str:
    y, dashes = _at(ratio), "" if ratio == 1 else ' stroke-dasharray="2 4"'
    return (f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" stroke-opacity="0.6"{dashes}/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')


def _dot(one: Guess, x: float) -> str:
    y, title = _at(one.feedback.ratio), f"<title>{html.escape(_line(one))}</title>"
    if one.near:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{GREEN}">{title}</circle>'
    corners = f"{x:.1f},{y - 7:.1f} {x + 7:.1f},{y:.1f} {x:.1f},{y + 7:.1f} {x - 7:.1f},{y:.1f}"
    return f'<polygon points="{corners}" fill="none" stroke="{VERMILION}" stroke-width="2">{title}</polygon>'


def _at(ratio: float) -> float:
    """Return how far down a ratio stands: in logarithms, the truth in the middle."""
    up = math.log(min(max(ratio, 1 / _FAR), _FAR), _FAR)
    return _HEIGHT / 2 - up * (_HEIGHT / 2 - 12)


def _line(one: Guess) -> str:
    answer = one.prediction.format(one.prediction.answer())
    return f"{one.prediction.key}: {one.typed}, {times(one.feedback.ratio)} the answer, {answer}"


def _table(found: Sequence[Guess]) -> str:
    """Return the same as a folded table, for who cannot see the picture, or wants the numbers."""
    rows = "".join(f"<tr><td>{'✓' if one.near else '✗'}</td><td>{html.escape(_line(one))}</td></tr>" for one in found)
    return f"<details><summary>The same as a table</summary><table>{rows}</table></details>"
