"""`predict_first`: the learner commits to a number before the lesson shows it."""

from __future__ import annotations

import html

from ipywidgets import Button, HBox, Text, VBox

from . import registry, view
from .declare import Prediction
from .feedback import judge, shown
from .progress import current

_EXAMPLES = {"size": "3 MiB", "rate": "12 GB/s", "time": "7.5 us", "energy": "2 pJ", "power": "40 W", "ratio": "1.5"}


def predict_first(key: str) -> PredictionBox:
    """Return the box that asks the prediction *key*; its answer appears only after the learner's, or on demand.

    Raises:
        ValueError: no prediction of that key; the message suggests the nearest.
    """
    return PredictionBox(registry.prediction(key))


class PredictionBox(VBox):
    """The question, a text box for a number with its unit, and after the answer the feedback on it."""

    def __init__(self, prediction: Prediction):
        self._prediction, self._progress = prediction, current()
        self._entered = False
        usual = f"{_EXAMPLES[prediction.kind]} {prediction.unit if prediction.kind == 'ratio' else ''}".strip()
        example = prediction.example or usual
        self._text = Text(description="Your answer", placeholder=f"such as {example}", continuous_update=False,
                          style={"description_width": "initial"}, layout={"width": "20em", "max_width": "95%"})
        ask = Button(description="Check", button_style="primary", layout={"width": "auto"})
        show = Button(description="Show me", layout={"width": "auto"})
        clear = Button(description="Clear my answer", layout={"width": "auto"})
        for button in (show, clear):
            button.add_class("fl-link")
        self._form, self._again = HBox([self._text, ask, show]), HBox([clear])
        self._feedback = view.html_box()
        for row in (self._form, self._again):
            row.add_class("fl-row")
        question = view.html_box(f'{view.STYLE}<div class="fl-question">{html.escape(prediction.question)}</div>')
        super().__init__([question, self._form, self._feedback, self._again])
        for name in ("fl-course", "fl-predict", view.css_key(prediction.key)):
            self.add_class(name)
        self._text.on_msg(self._on_enter)
        self._text.observe(self._on_text, "value")
        ask.on_click(lambda _: self._submit())
        self._clear = clear
        show.on_click(lambda _: self._record({"shown": True}))
        clear.on_click(lambda _: self._record(None))
        self._progress.watch("predictions", prediction.key, self._refresh)
        self._refresh()

    def __repr__(self) -> str:
        return f"Prediction {self._prediction.key}: {self._prediction.question}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def _on_enter(self, _, content: dict, buffers) -> None:
        # The browser reports the Enter key before the text it ends, and the text not at all when it is unchanged:
        # what is here already is judged now, and what follows takes its place.
        if content.get("event") == "submit":
            if self._text.value.strip():
                self._submit()
            self._entered = True

    def _on_text(self, change: dict) -> None:
        # Leaving the box, by Tab or by a click elsewhere, reports the text too; that is no submission.
        if self._entered and change["new"].strip():
            self._submit()
        self._entered = False

    def _submit(self) -> None:
        try:
            judge(self._prediction, self._text.value)
        except ValueError as problem:
            self._feedback.value = view.sentence("problem", str(problem))
        else:
            self._record({"typed": self._text.value})

    def _record(self, entry: dict | None) -> None:
        self._progress.record("predictions", self._prediction.key, entry)
        # What had the focus is hidden now; without this the keyboard would be nowhere.
        (self._clear if entry else self._text).focus()

    def _refresh(self) -> None:
        """Show what the record says: the question still open, or the answer given and the feedback on it."""
        entry = self._progress.get("predictions", self._prediction.key)
        notice = f'<div class="fl-notice">{html.escape(self._progress.notice)}</div>' if self._progress.notice else ""
        self._feedback.value = (self._verdict(entry) if entry else "") + notice
        self._form.layout.display = "none" if entry else None
        self._again.layout.display = None if entry else "none"
        if not entry:
            self._text.value = ""

    def _verdict(self, entry: dict) -> str:
        try:
            feedback = judge(self._prediction, entry["typed"])
        except (KeyError, ValueError):  # shown on demand, or a record of an older lesson that now reads differently
            feedback = shown(self._prediction)
        return view.sentence(feedback.verdict, feedback.sentence, more=self._prediction.explain, css="fl-answer")
