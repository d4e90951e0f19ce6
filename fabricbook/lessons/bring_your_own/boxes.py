"""The two boxes of the lesson: one takes a learner's own log, the other measures the learner's own computer.

What a log says is somebody's text. It is shown escaped, in a box of plain text or in a sentence, and never as markup.
"""

from __future__ import annotations

import html
from dataclasses import replace

from ipywidgets import HTML, Button, Dropdown, FileUpload, HBox, IntProgress, Text, Textarea, VBox

from fabriclib import measure, units
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.diagnosis import Comparison, compare
from fabriclib.diagnosis.report import sentences
from fabriclib.machines import system, systems
from fabriclib.measurements import apart, read_measurements

from ...course.view import reveal
from ...stage import Lab
from ...stage.copying import CopyButton
from .examples import EXAMPLES, example
from .labs import fingerprint, nothing_drawn, overlay, read_a_log, recorded, your_machine
from .measuring import Measurement
from .own_machine import OwnMachine

SHOWN = 20_000  # characters of an uploaded file that are put into the box of text
FILES = ".log,.txt,.out,.csv,.md"
_EMPTY = "Paste a log into the box or upload a file, choose the machine, and press Read it."
_OWN, _MINE, _SAID = "your own", "my own machine", "as in the log"
_WIDE = {"description_width": "initial"}
_ROW = {"flex_flow": "row wrap", "align_items": "center"}
# The arrow that ipywidgets draws into a menu is black, whatever the theme.
_STYLE = """<style>[data-jp-theme-light="false"] :is(.fl-bring, .fl-measure) select {
  background-image: none; appearance: auto; color-scheme: dark; }</style>"""
RANKS = [2, 3, 4, 8]
ASK = "Recorded: 4 processes on 2 cores. Measuring yours takes a few seconds and can be stopped."


class BringBox(VBox):
    """A log, the machine it ran on, and a button; below them what was read, in sentences, and drawn beside the prediction."""

    def __init__(self):
        self._found: Comparison | None = None
        self._file: bytes | None = None
        self._shown = ""  # the example in the box of text
        self._machines = {system(id).name: id for id in systems()["id"]}
        self._lab = _own_lab(read_a_log, "suspect", self._drawn, name="bring-your-own", title="Your run")
        self._example = Dropdown(options=[*EXAMPLES, _OWN], description="example log", style=_WIDE)
        self._text = Textarea(placeholder="Paste the output of nccl-tests, rccl-tests or OSU here, or a plain table",
                              description="log", style=_WIDE, layout={"width": "98%", "height": "11em"})
        self._upload = FileUpload(accept=FILES, multiple=False, description="or upload a file")
        self._machine = Dropdown(options=[*self._machines, _MINE], description="machine", style=_WIDE)
        self._parts = OwnMachine()
        self._collective = Dropdown(options=[_SAID, *(name for name in COLLECTIVES if name != "barrier")],
                                    description="collective", style=_WIDE, layout={"width": "16em"})
        self._nodes, self._ranks = (Text(placeholder=_SAID, description=name, style=_WIDE, layout={"width": "13em"})
                                    for name in ("nodes", "ranks"))
        self._table = Dropdown(options=["1"], description="table", style=_WIDE, layout={"width": "9em"})
        go = Button(description="Read it", button_style="primary", layout={"width": "auto"})
        self._said = HTML(layout={"width": "auto"})
        self._summary = CopyButton("Copy a summary")
        asked = HBox([self._machine, self._parts, self._collective, self._nodes, self._ranks, self._table, go], layout=_ROW)
        super().__init__([HBox([self._example, self._upload], layout=_ROW), self._text, asked, self._said, self._summary,
                          self._lab.widget])
        self.add_class("fl-bring")
        self._example.observe(lambda _: self._pick(), "value")
        self._upload.observe(lambda _: self._take(), "value")
        self._text.observe(lambda _: self._typed(), "value")
        self._machine.observe(lambda _: self._show_parts(), "value")
        go.on_click(lambda _: self.read())
        self._show_parts()
        self._pick()

    def __repr__(self) -> str:
        return f"Bring your own log. {self._lab!r}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | self._lab.picture() | {"text/plain": repr(self)}

    def _pick(self) -> None:
        """Show the chosen example, and what is to be said of it; for an own log an empty box, if none is there yet."""
        chosen = self._example.value
        if chosen == _OWN and self._text.value.strip() and self._text.value != self._shown:
            return
        self._shown = example(chosen) if chosen in EXAMPLES else ""
        self._text.value = self._shown
        if chosen in EXAMPLES:
            self._machine.value = system(EXAMPLES[chosen].system).name
        self._nodes.value = self._ranks.value = ""
        self._collective.value = _SAID
        self.read()

    def _take(self) -> None:
        """Take an uploaded file; its beginning is shown, all of it is read."""
        if self._upload.value:
            content = bytes(self._upload.value[0]["content"])
            self._example.value = _OWN
            self._text.value = content[:SHOWN].decode("utf-8", errors="replace")
            self._file = content
            self.read()

    def _typed(self) -> None:
        self._file = None
        if self._text.value != self._shown:
            self._example.value = _OWN  # an example that is chosen again is to come back

    def _show_parts(self) -> None:
        reveal(self._parts, self._machine.value == _MINE)

    def read(self) -> None:
        """Read what is in the box, and say what was found; where nothing can be read, nothing stays drawn."""
        self._found = None  # what is refused must not leave another run's picture behind
        try:
            self._found = self._compared()
            self._say(sentences(self._found))
        except ValueError as problem:
            self._say([str(problem) if self._file or self._text.value.strip() else _EMPTY])
        self._summary.text = self._found.report() if self._found else ""
        self._lab.set()

    def _compared(self) -> Comparison:
        """Return the chosen table of the log beside the prediction."""
        source = self._text.value + "\n" if self._file is None else self._file
        typed = {"nodes": _number("nodes", self._nodes.value), "ranks": _number("ranks", self._ranks.value)}
        frame = read_measurements(source, collective=self._collective.value.replace(_SAID, "") or None, **typed)
        tables = apart(frame)
        wanted = [str(number) for number in range(1, len(tables) + 1)]
        if list(self._table.options) != wanted:
            self._table.options = wanted
        own = self._machine.value == _MINE
        machine = self._parts.machine() if own else self._machines[self._machine.value]
        return compare(tables[int(self._table.value) - 1], machine, **typed)

    def _drawn(self, suspect: str) -> tuple[dict, str]:
        return fingerprint(self._found, suspect) if self._found else nothing_drawn()

    def _say(self, said: list[str]) -> None:
        first, *others = map(html.escape, said)
        lines = "".join(f"<li>{one}</li>" for one in (f"<strong>{first}</strong>", *others))
        look = "line-height:1.45; white-space:pre-line"
        self._said.value = f'{_STYLE}<div role="status" aria-live="polite"><ul style="{look}">{lines}</ul></div>'


def _own_lab(like, control: str, drawn, **changed) -> Lab:
    """Return a lab that looks as the lab *like*, with one *control* of it, over what the learner brought; it asks nothing."""
    controls = tuple(one for one in like.declaration.controls if one.name == control)
    return Lab(replace(like.declaration, controls=controls, function=drawn, **changed))


def bring_your_own() -> BringBox:
    """Return the box that reads a learner's own log and sets it beside the prediction."""
    return BringBox()


def _number(name: str, text: str) -> int | None:
    """What a learner typed for *name*; None for nothing."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text.strip()) > 7:
        raise ValueError(f"{name} must be a whole number, or empty where the log says it; got {text.strip()[:20]!r}.")
    return int(text)


class MeasureBox(VBox):
    """Processes, Measure, Stop; below them what a recorded run measured, then what the learner's own computer does."""

    def __init__(self):
        self._rows, self._run = recorded(4), None
        self._lab = _own_lab(your_machine, "shown", self._drawn, title="Collectives on this computer")
        self._ranks = Dropdown(options=RANKS, description="processes", layout={"width": "12em"})
        self._go = Button(description="Measure this computer", button_style="primary", layout={"width": "auto"})
        self._stop = Button(description="Stop", disabled=True, layout={"width": "auto"})
        self._bar = IntProgress(layout={"width": "12em"})
        self._said = HTML(layout={"width": "auto"})
        buttons = HBox([self._ranks, self._go, self._stop, self._bar], layout={"flex_flow": "row wrap"})
        super().__init__([buttons, self._said])
        self.add_class("fl-measure")
        self._go.on_click(lambda _: self.start())
        self._stop.on_click(lambda _: self._run.stop())
        self._go.disabled = not measure.available()
        self._say(f"{measure.HOW} Above: a recorded run." if self._go.disabled else ASK)

    def __repr__(self) -> str:
        return f"Measure this computer. {self._lab!r}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | self._lab.picture() | {"text/plain": repr(self)}

    def _say(self, text: str) -> None:
        self._said.value = f'{_STYLE}<div role="status" aria-live="polite">{html.escape(text)}</div>'

    def _drawn(self, shown: str) -> tuple[dict, str]:
        return overlay(self._rows, shown)

    def start(self) -> None:
        """Start a measurement on as many processes as the menu says."""
        try:
            self._run = Measurement(self._ranks.value, changed=self._changed)
        except (ValueError, OSError) as problem:
            self._say(str(problem))
            return
        self._bar.max, self._bar.value = self._run.expected, 0
        self._go.disabled, self._stop.disabled = True, False
        self.children = (*self.children[:2], self._lab.widget)
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


def measure_here() -> MeasureBox:
    """Return the box that measures the computer it runs on; without the extra `measure` it says how to get it."""
    return MeasureBox()
