"""The box that takes a learner's own log: pasted, uploaded or picked from the examples; below it what was read, and a lab.

What a log says is somebody's text. It is shown escaped, in a box of plain text or in a sentence, and never as markup.
"""

from __future__ import annotations

import html
from collections.abc import Callable

from ipywidgets import HTML, Button, Dropdown, FileUpload, HBox, Text, Textarea, VBox

from .lab import Lab

SHOWN = 20_000  # characters of an uploaded file that are put into the box of text
_EMPTY = "Paste a log into the box or upload a file, choose the machine, and press Read it."
FILES = ".log,.txt,.out,.csv,.md"
_OWN, _SAID = "your own", "as in the log"


class BringBox(VBox):
    """A log, the machine it ran on, and a button; below them sentences and *lab*, which draws what was read last.

    Args:
        lab: draws the run that *read* read last.
        examples: {name: (text, machine)}; the first is shown at the start.
        machines, collectives: what the menus offer.
        read: takes (text or bytes, machine, collective, nodes, ranks, table), the last three as text and the collective empty
            where the log names it, and returns (how many tables the log holds, sentences about the chosen one). A ValueError
            becomes a sentence, and *lab* then has no run to draw.
    """

    def __init__(self, lab: Lab, examples: dict[str, tuple[str, str]], machines: list[str], collectives: list[str],
                 read: Callable):
        self._lab, self._examples, self._read, self._file = lab, examples, read, None
        wide = {"description_width": "initial"}
        self._example = Dropdown(options=[*examples, _OWN], description="example log", style=wide)
        self._text = Textarea(placeholder="Paste the output of nccl-tests, rccl-tests or OSU here, or a plain table",
                              layout={"width": "98%", "height": "11em"})
        self._upload = FileUpload(accept=FILES, multiple=False, description="or upload a file")
        self._machine = Dropdown(options=machines, description="machine", style=wide)
        self._collective = Dropdown(options=[_SAID, *collectives], description="collective", style=wide, layout={"width": "16em"})
        self._nodes, self._ranks = (Text(placeholder=_SAID, description=name, style=wide, layout={"width": "13em"})
                                    for name in ("nodes", "ranks"))
        self._table = Dropdown(options=["1"], description="table", style=wide, layout={"width": "9em"})
        go = Button(description="Read it", button_style="primary", layout={"width": "auto"})
        self._said = HTML(layout={"width": "auto"})
        rows = [HBox(row, layout={"flex_flow": "row wrap", "align_items": "center"}) for row in (
            [self._example, self._upload], [self._machine, self._collective, self._nodes, self._ranks, self._table, go])]
        super().__init__([rows[0], self._text, rows[1], self._said, lab.widget])
        self._example.observe(lambda _: self._pick(), "value")
        self._upload.observe(lambda _: self._take(), "value")
        self._text.observe(lambda _: self._typed(), "value")
        go.on_click(lambda _: self.read())
        self._pick()

    def __repr__(self) -> str:
        return f"Bring your own log. {self._lab!r}"

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | self._lab.picture() | {"text/plain": repr(self)}

    def _pick(self) -> None:
        """Show the chosen example, and what is to be said of it; for an own log an empty box."""
        text, machine = self._examples.get(self._example.value, ("", self._machine.value))
        self._text.value, self._machine.value = text, machine
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

    def read(self) -> None:
        """Read what is in the box, and say what was found; where nothing can be read, nothing stays drawn."""
        source = self._text.value + "\n" if self._file is None else self._file
        collective = self._collective.value.replace(_SAID, "")
        try:
            tables, sentences = self._read(source, self._machine.value, collective, self._nodes.value, self._ranks.value,
                                           self._table.value)
        except ValueError as problem:
            self._say([str(problem) if self._file or self._text.value.strip() else _EMPTY])
            self._lab.set()
            return
        wanted = [str(number) for number in range(1, tables + 1)]
        if list(self._table.options) != wanted:
            self._table.options = wanted
        self._say(sentences)
        self._lab.set()

    def _say(self, sentences: list[str]) -> None:
        lines = "".join(f"<li>{html.escape(one)}</li>" for one in sentences)
        self._said.value = f'<ul role="status" aria-live="polite" style="line-height:1.45">{lines}</ul>'
