"""The box of a prediction: the learner commits to a number before the lesson shows it."""

from __future__ import annotations

import html
from collections.abc import Callable

from ipywidgets import Button, HBox, Text, VBox

from . import view
from .declare import Prediction
from .feedback import judge, shown
from .progress import answers, current


class PredictionBox(VBox):
    """The question, a text box for a number with its unit, and after the answer the feedback on it."""

    def __init__(self, prediction: Prediction):
        self._prediction, self._progress = prediction, current()
        self._entered = False
        self._changing = False
        self._handed_in = False
        self._text = Text(description="Your answer", placeholder=f"such as {prediction.sample}", continuous_update=False,
                          style={"description_width": "initial"}, layout={"width": "20em", "max_width": "95%"})
        ask = Button(description="Check", button_style="primary", layout={"width": "auto"})
        ask.on_click(lambda _: self._submit())
        show = _link("Show me", lambda: self._record({"shown": True}))
        self._undo = _link("Bring my answer back", self._bring_back)
        self._change = _link("Change my answer", self._ask_again)
        clear = _link("Clear my answer", lambda: self._record(None))
        self._form, self._again = HBox([self._text, ask, show, self._undo]), HBox([self._change, clear])
        self._feedback = view.html_box()
        for row in (self._form, self._again):
            row.add_class("fl-row")
        question = view.html_box(f'{view.STYLE}<div class="fl-question">{html.escape(prediction.question)}</div>')
        super().__init__([question, self._form, self._feedback, self._again])
        for name in ("fl-course", "fl-predict", view.css_key(prediction.key)):
            self.add_class(name)
        self._text.on_msg(self._on_enter)
        self._text.observe(self._on_text, "value")
        self._progress.watch("predictions", prediction.key, self._refresh)
        self._refresh()

    def __repr__(self) -> str:
        return f"Prediction {self._prediction.key}: {self._prediction.question}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def _on_enter(self, _, content: dict, buffers) -> None:
        # The browser reports the Enter key before the text it ends, and the text not at all when it is unchanged:
        # what is here already is judged now, and what follows takes its place. Of an empty box nothing is said, for a slow
        # kernel would ask for an answer, seconds long, under the one that is just given.
        if content.get("event") == "submit":
            if self._text.value.strip():
                self._submit()
            self._entered = True

    def _on_text(self, change: dict) -> None:
        # Leaving the box, by Tab or by a click elsewhere, reports the text too; that is no submission.
        if self._entered:
            self._submit()
        self._entered = False

    def _submit(self) -> None:
        typed = self._text.value
        if not typed.strip():
            self._feedback.value = view.sentence("problem", f"Type your answer first, such as {self._prediction.sample}.")
            self._entered = True  # a busy kernel hears the button, too, ahead of the text
            return
        try:
            judge(self._prediction, typed)
        except ValueError as problem:
            self._feedback.value = view.sentence("problem", str(problem))
        else:
            self._record({"typed": typed})

    def _ask_again(self) -> None:
        """Open the box again with the answer in it. The record stays as it is until another answer is given."""
        self._changing = True
        self._refresh()
        self._text.focus()

    def _bring_back(self) -> None:
        self._record(self._attempts()[-1])

    def _attempts(self) -> list[dict]:
        return answers(*(self._progress.get(section, self._prediction.key) for section in ("attempts", "predictions")))

    def _record(self, entry: dict | None) -> None:
        kept = self._attempts()
        kept += [entry] if entry and entry not in kept[-1:] else []
        self._progress.record("attempts", self._prediction.key, {"entries": kept})
        self._changing, self._handed_in = False, True
        self._progress.record("predictions", self._prediction.key, entry)

    def _refresh(self) -> None:
        """Show what the record says: the question still open, or the answer given and the feedback on it."""
        self._entered = False  # what is written into the box from here on is not the learner's
        entry = self._progress.get("predictions", self._prediction.key)
        if not self._changing:  # before the box is seen: what is typed into it once it is seen must stay
            self._text.value = str(entry.get("typed", "")) if entry else ""
        notice = f'<div class="fl-notice">{html.escape(self._progress.notice)}</div>' if self._progress.notice else ""
        self._feedback.value = (self._verdict(entry) if entry else "") + notice
        asking = not entry or self._changing
        view.reveal(self._form, asking)
        view.reveal(self._again, not asking)
        view.reveal(self._undo, not entry and bool(self._attempts()))
        if self._handed_in:
            # What had the focus is hidden now; without this the keyboard would be nowhere. A second Enter must spoil nothing.
            # Now, not after the gates: they take seconds to open in a browser's Python, and the learner types elsewhere by then.
            (self._change if entry else self._text).focus()
            self._handed_in = False

    def _verdict(self, entry: dict) -> str:
        try:
            feedback = judge(self._prediction, entry["typed"])
        except (KeyError, ValueError):  # shown on demand, or a record of an older lesson that now reads differently
            feedback = shown(self._prediction)
        said = view.sentence(feedback.verdict, feedback.sentence, more=self._prediction.explain, css="fl-answer")
        earlier = [str(old["typed"]) for old in self._attempts() if old.get("typed") and old != entry]
        return said + (f'<div class="fl-notice">Earlier: {html.escape(", ".join(earlier))}</div>' if earlier else "")


def _link(text: str, clicked: Callable[[], None]) -> Button:
    """Return a button that looks like a link."""
    button = Button(description=text, layout={"width": "auto"})
    button.add_class("fl-link")
    button.on_click(lambda _: clicked())
    return button
