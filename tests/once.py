"""What is made once for all processes of a test run, however many share it out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def once(tmp_path_factory, name: str, make: Callable[[Path], str]) -> Path:
    """Return the folder *name*, which one process has had *make* fill while the others waited.

    *make* returns what went wrong, or ""; it fails in every process that asks.
    """
    run = tmp_path_factory.getbasetemp()
    folder = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / name
    told = folder.with_suffix(".told")
    try:
        folder.mkdir()
    except FileExistsError:
        while not told.exists():
            time.sleep(0.1)
    else:
        problem = "nothing was made"
        try:
            problem = make(folder)
        finally:
            _put(told, problem)
    assert told.read_text(encoding="utf-8") == ""
    return folder


def _put(path: Path, text: str) -> None:
    half = path.with_suffix(".part")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
