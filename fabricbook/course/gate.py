"""The gate: what a lesson shows only once its prediction is made."""

from __future__ import annotations

import html
import os

from ipywidgets import VBox, Widget

from . import view
from .declare import Prediction
from .feedback import locked
from .progress import current
from .shown import form, shown

UNLOCKED = "FABRICBOOK_UNLOCKED"  # set to 1, in the environment of the server, it opens every gate: a trainer's switch
_AS_AN_OUTPUT = "jp-RenderedHTMLCommon jp-RenderedHTML jp-OutputArea-output"  # with the last, a table stands at the left
_TOLD = '<div class="fl-notice">Unlocked for everybody here. Otherwise this opens when you have made its prediction.</div>'


class Gate(VBox):
    """Locked with a sentence, or open with the thing itself; it follows the record without the cell being run again.

    Args:
        prediction: opens the gate as soon as it is answered or shown.
        thing: a Lab, or what `shown` can show: a DataFrame, a text, a mapping from labels to results. The text of the gate is
            always that of the thing, whatever was answered, so a saved notebook holds the real numbers.
    """

    def __init__(self, prediction: Prediction, thing):
        self._prediction, self._thing, self._progress = prediction, shown(thing), current()
        self._stands: tuple[bool, bool] | None = None
        super().__init__()
        self.add_class("fl-after")
        self.add_class(view.css_key(prediction.key))
        self._progress.watch("predictions", prediction.key, self._refresh)
        self._refresh()

    def __repr__(self) -> str:
        return repr(self._thing)

    def _repr_mimebundle_(self, **options) -> dict:
        front = super()._repr_mimebundle_(**options)
        return _saved_forms(self._thing) | front | {"text/plain": repr(self)}

    def _refresh(self) -> None:
        answered = bool(self._progress.get("predictions", self._prediction.key))
        unlocked = os.environ.get(UNLOCKED) == "1"
        if self._stands == (answered, unlocked):  # another answer: to show the same anew takes seconds in a browser's Python
            return
        self._stands = answered, unlocked
        if answered or unlocked:
            self.remove_class("fl-locked")
            self.children = [_shown(self._thing)] if answered else [view.html_box(_TOLD), _shown(self._thing)]
        else:
            self.add_class("fl-locked")
            told = html.escape(locked(self._prediction))
            self.children = [view.html_box(f'<div class="fl-locked-text" role="status">{told}</div>')]


def _shown(thing) -> Widget:
    if isinstance(thing, Widget):
        return thing
    if hasattr(thing, "widget"):
        return thing.widget
    rendered = thing.to_html() if hasattr(thing, "to_html") else form(thing)  # the former has what no saved output may hold
    return view.html_box(f'<div class="{_AS_AN_OUTPUT}">{rendered}</div>')


def _saved_forms(thing) -> dict:
    """The forms of *thing* that a saved notebook shows where no kernel runs: a lab's picture, a table's HTML."""
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
    if isinstance(bundle, tuple):
        bundle = bundle[0]
    if hasattr(thing, "_repr_html_"):
        bundle = bundle | {"text/html": thing._repr_html_()}
    return bundle
