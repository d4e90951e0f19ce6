"""A measurement on the learner's own computer, which goes on in processes of its own while the page is read."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable

from fabriclib import measure


class Measurement:
    """A sweep in processes of its own on this computer: `rows` grows while it runs, `stop` ends it, and `ended` says that no more
    rows will come.

    Args:
        ranks: how many processes.
        collective, wanted: what to run; `measure.servable` says which algorithms can be.
        changed: called, from another thread, after every row and at the end.

    Raises:
        ValueError: the extra `measure` is missing, or ranks or names that cannot be run.
    """

    def __init__(self, ranks: int = 2, collective: str = "all_reduce", wanted=measure.DEFAULT,
                 changed: Callable[[], None] = lambda: None):
        if not measure.available():
            raise ValueError(measure.HOW)
        self.wanted, self.stopped, self._changed = measure.checked(collective, ranks, wanted), False, changed
        self.rows: list[dict] = []
        self.ended, self._complaint = False, ""
        self.expected = len(measure.sizes_up_to(measure.LARGEST)) * (1 + len(self.wanted))
        command = measure.command(ranks, collective, self.wanted)
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         env=measure.environment())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def problem(self) -> str:
        """What went wrong, in a sentence; empty while it runs, or when it ended well or was stopped."""
        if self.stopped or self._process.poll() in (None, 0):
            return ""
        lines = self._complaint.strip().splitlines() or ["no reason was given"]
        telling = [text for text in lines if "error" in text.lower()] or lines
        return f"The measurement ended early: {telling[-1].strip()[:200]}"

    def _read(self) -> None:
        with self._process as process:
            assert process.stdout is not None  # both are pipes
            assert process.stderr is not None
            for text in process.stdout:
                cells = text.strip().split(",")
                if len(cells) == len(measure.COLUMNS) and cells[0] != measure.COLUMNS[0]:
                    values = (*cells[:2], *map(int, cells[2:5]), float(cells[5]))
                    self.rows.append(dict(zip(measure.COLUMNS, values, strict=True)))
                    self._changed()
            self._complaint = process.stderr.read()
        self.ended = True
        self._changed()

    def stop(self) -> None:
        """End the processes and wait until they are gone; the rows measured so far stay."""
        self.stopped = True
        self._process.terminate()
        self._reader.join(10)
