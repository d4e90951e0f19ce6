"""Where the learner's answers go: into a file to take along, from such a file, or aside, for a new start."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from pathlib import Path

from ipywidgets import Button, FileUpload, HBox, VBox

from . import view
from .progress import current

_LARGEST = 5_000_000  # bytes; a record of the whole course, with all attempts, is a fiftieth of that


class Keeping(VBox):
    """Export, import, start over. It is a widget so that no answer is in a saved lesson."""

    def __init__(self) -> None:
        self._before: Path | None = None
        self._record = current()
        self._export, self._said = view.html_box(), view.html_box()
        self._export.layout.margin = "0 8px 0 0"
        self._upload = FileUpload(accept=".json", description="Import", tooltip="a file that Export wrote")
        self._upload.observe(self._on_upload, "value")
        self._over, self._back = Button(description="Start over"), Button(description="Bring my answers back")
        self._over.on_click(lambda _: self._start_over())
        self._back.on_click(lambda _: self._bring_back())
        for button in (self._over, self._back):
            button.layout.width = "auto"
        row = HBox([self._export, self._upload, self._over, self._back])
        row.add_class("fl-row")
        super().__init__([view.html_box(view.STYLE), row, self._said])
        self.add_class("fl-course")
        self.add_class("fl-keeping")
        self._refresh()

    def __repr__(self) -> str:
        return "Your answers as a file: run this cell."

    def _repr_mimebundle_(self, **options) -> dict:
        return super()._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def _refresh(self) -> None:
        """Offer the answers as they are now."""
        try:
            data = base64.b64encode(self._record.exported()).decode()
        except OSError as problem:
            self._export.value = html.escape(f"Your answers cannot be read ({problem}).")
        else:
            self._export.value = (f'<a class="fl-link" download="progress.json" href="data:application/json;base64,{data}">'
                                  "Export as they are now</a>")
        view.reveal(self._back, self._before is not None)

    def _say(self, verdict: str, text: str) -> None:
        self._refresh()
        self._said.value = view.sentence(verdict, text)

    def _on_upload(self, change: dict) -> None:
        for file in change["new"]:
            if file["size"] > _LARGEST:
                self._say("problem", f"{file['name']}: this file is none that the course exported.")
            else:
                self._take_over(file["name"], lambda file=file: bytes(file["content"]))
        if change["new"]:
            self._upload.value = ()  # the same file may be chosen again

    def _take_over(self, name: str, read: Callable[[], bytes]) -> None:
        try:
            added = self._record.take_over(read())
        except (ValueError, OSError) as problem:
            self._say("problem", f"{name}: {problem}")
        else:
            self._say("right", f"{added} answers added; what was answered here already stays. Run a lesson again to see them. "
                               f"{self._record.notice}".rstrip())

    def _start_over(self) -> None:
        try:
            self._before = self._record.start_over()
        except OSError as problem:
            self._say("problem", f"Your answers cannot be moved ({problem}).")
        else:
            kept = f"Your answers are kept as {self._before.name}." if self._before else "There were no answers yet."
            self._say("shown", f"{kept} Run a lesson again to begin anew.")

    def _bring_back(self) -> None:
        if self._before:
            self._take_over(self._before.name, self._before.read_bytes)
