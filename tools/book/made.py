"""How a folder of pages, slides or sheets is made of Markdown by Sphinx, and emptied of what was made there before."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sphinx.cmd.build import build_main

from fabricbook.lessons import ORDER, lesson

from . import player, posed

BESIDE = ("lite", "docs")  # what other commands make in the folder of the book


def empty(folder: Path, *stays: str) -> None:
    """Remove what an earlier build has made in *folder*, but for the names that stay.

    Raises:
        SystemExit: it holds something that no build has made.
    """
    there = list(folder.glob("*"))
    built = (folder / ".buildinfo").exists()  # by which Sphinx begins
    if not built and not all(path.suffix == ".pdf" or path.name in BESIDE for path in there):
        sys.exit(f"folder {str(folder)!r} holds what no build has made, and a build would delete it; name another.")
    for path in there:
        if path.name not in stays:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def furnish(static: Path, names: Sequence[str], *, moving: bool) -> None:
    """Put into the folder *static* what pages of the lessons *names*, or of all, load: the judge, and the labs if they are
    *moving*."""
    (static / "judge.js").write_text(posed.script(), encoding="utf-8")
    if moving:
        player.write(static, [lab for name in names or ORDER for lab in lesson(name).labs])


def make(conf: Path, texts: Path, into: Path, *options: str) -> None:
    """Make *into* of the *texts* in a folder, as the conf.py in the folder *conf* says.

    Raises:
        SystemExit: Sphinx has warned of something, and said what.
    """
    with tempfile.TemporaryDirectory() as trees:
        if failed := build_main(["-q", "-W", "--keep-going", "-c", str(conf), "-d", trees, *options, str(texts), str(into)]):
            sys.exit(failed)
