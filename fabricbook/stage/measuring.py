"""The box that measures the learner's own computer: buttons, a bar that shows how far it is, and a lab that fills meanwhile."""

from __future__ import annotations

import html

from ipywidgets import HTML, Button, Dropdown, HBox, IntProgress, VBox

from fabriclib import measure, units

from .lab import Lab

RANKS = [2, 3, 4, 8]
ASK = "Recorded: 4 processes on 2 cores. Measuring yours takes a few seconds and can be stopped."


class MeasureBox(VBox):
    """Processes, Measure, Stop; below them *lab*, which draws *rows*: those of a recorded run, then the learner's own."""

    def __init__(self, lab: Lab, rows: list[dict]):
        self._lab, self._rows, self._run = lab, rows, None
        self._ranks = Dropdown(options=RANKS, description="processes", layout={"width": "12em"})
        self._go = Button(description="Measure this computer", button_style="primary", layout={"width": "auto"})
        self._stop = Button(description="Stop", disabled=True, layout={"width": "auto"})
        self._bar = IntProgress(layout={"width": "12em"})
        self._said = HTML(layout={"width": "auto"})
        buttons = HBox([self._ranks, self._go, self._stop, self._bar], layout={"flex_flow": "row wrap"})
        super().__init__([buttons, self._said, lab.widget])
        self.add_class("fl-measure")
        self._go.on_click(lambda _: self.start())
        self._stop.on_click(lambda _: self._run.stop())
        self._go.disabled = not measure.available()
        self._say(f"{measure.HOW} Below: a recorded run." if self._go.disabled else ASK)

    def __repr__(self) -> str:
        return f"Measure this computer. {self._lab!r}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | self._lab.picture() | {"text/plain": repr(self)}

    def _say(self, text: str) -> None:
        self._said.value = f'<div role="status" aria-live="polite">{html.escape(text)}</div>'

    def start(self) -> None:
        """Start a measurement on as many processes as the menu says."""
        try:
            self._run = measure.Measurement(self._ranks.value, changed=self._changed)
        except (ValueError, OSError) as problem:
            self._say(str(problem))
            return
        self._bar.max, self._bar.value = self._run.expected, 0
        self._go.disabled, self._stop.disabled = True, False
        self._say("Starting the processes.")

    def _changed(self) -> None:
        """Show what has arrived; called from the thread that reads it."""
        run = self._run
        self._bar.value = len(run.rows)
        if run.ended:
            self._go.disabled, self._stop.disabled = False, True
        if not run.rows:
            self._say(run.problem or "Nothing was measured.")
            return
        self._rows[:] = run.rows
        last = run.rows[-1]
        done = f"{len(run.rows)} of {run.expected} times measured"
        now = f"now {last['algorithm']}, {units.format(last['nbytes'])} in {units.format(last['seconds'], 's')}"
        self._say(run.problem or f"{'Stopped: ' if run.stopped else ''}{done}{'' if run.ended else '; ' + now}.")
        self._lab.set()
