"""`after`: what a lesson shows only once its prediction is made."""

from __future__ import annotations

import html

from ipywidgets import VBox, Widget

from . import registry, view
from .progress import current


def after(key: str, thing) -> Gate:
    """Return a box that shows *thing* as soon as the prediction *key* is answered or shown, and not before.

    Args:
        key: a declared prediction.
        thing: a Lab, a DataFrame, a text or a number.

    Its text is always that of *thing*, whatever was answered, so a saved notebook holds the real numbers.

    Raises:
        ValueError: no prediction of that key; the message suggests the nearest.
    """
    return Gate(registry.prediction(key).key, thing)


class Gate(VBox):
    """Locked with a sentence, or open with the thing itself; it follows the record without the cell being run again."""

    def __init__(self, key: str, thing):
        self._key, self._thing, self._progress = key, thing, current()
        super().__init__()
        self.add_class("fl-after")
        self.add_class(view.css_key(key))
        self._progress.watch("predictions", key, self._refresh)
        self._refresh()

    def __repr__(self) -> str:
        return repr(self._thing)

    def _repr_mimebundle_(self, **options) -> dict:
        front = super()._repr_mimebundle_(**options)
        return _saved_forms(self._thing) | front | {"text/plain": repr(self)}

    def _refresh(self) -> None:
        if self._progress.get("predictions", self._key):
            self.remove_class("fl-locked")
            self.children = [_shown(self._thing)]
        else:
            self.add_class("fl-locked")
            self.children = [view.html_box(f'<div class="fl-locked-text" role="status">{html.escape(_told(self._key))}</div>')]


def _told(key: str) -> str:
    """Say which question opens the lock: the question of *key*, as far as it fits."""
    question = registry.prediction(key).question
    if len(question) > 110:
        question = question[:110].rsplit(" ", 1)[0] + " …"
    return f"Locked: this opens when you have answered the question “{question}”"


def _shown(thing) -> Widget:
    if isinstance(thing, Widget):
        return thing
    if hasattr(thing, "widget"):
        return thing.widget
    if hasattr(thing, "to_html"):
        return view.html_box(f'<div class="jp-RenderedHTMLCommon jp-RenderedHTML">{thing.to_html()}</div>')
    return view.html_box(f"<div>{html.escape(thing if isinstance(thing, str) else repr(thing))}</div>")


def _saved_forms(thing) -> dict:
    """The forms of *thing* that a saved notebook shows where no kernel runs: a lab's picture, a table's HTML."""
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
    if isinstance(bundle, tuple):
        bundle = bundle[0]
    if hasattr(thing, "_repr_html_"):
        bundle = bundle | {"text/html": thing._repr_html_()}
    return bundle
