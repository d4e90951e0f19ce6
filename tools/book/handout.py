"""The handout of a lesson, one sheet of paper: what to guess and to look for above its fold, what there was to see below.

All of it is the lesson's: its question, its predictions, the stops of the lab that asks most, that lab as it opens, and what to
remember. A sheet is written as small as it must be to stay one.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import vl_convert

import fabricbook
import notebooks
from fabricbook.lessons import Lesson, lessons
from fabricbook.stage import Lab
from fabricbook.stage.picture import filled

from . import paper
from .slides import plain

WIDE, HIGH = 703, 1040  # what margins of 12 and 11 mm leave of A4, in pixels of CSS
SMALLEST = 7  # points of a letter
_FIT = f"""() => {{
  let size = 11.25;
  const over = () => document.body.scrollHeight > {HIGH};
  do {{ size -= 0.25; document.body.style.fontSize = `${{size}}pt`; }} while (over() && size > {SMALLEST});
  return !over();
}}"""
_PAPER = {"width": 700, "height": 300, "autosize": {"type": "fit", "contains": "padding"}}  # as high as a sheet has room for
_BOXES = '<span class="box">my guess</span><span class="box">the answer</span>'


def write(folder: Path, names: Iterable[str] = ()) -> None:
    """Write the sheets of the lessons *names*, or of all, into *folder*, as Sphinx reads them."""
    chosen = [one for one in lessons() if one.name in names] if names else lessons()
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {Path(one.file).stem: sheet(one) for one in chosen}
    for name, text in (sheets | {"index": "\n".join(["# Handouts", "", "```{toctree}", *sheets, "```"])}).items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def sheet(one: Lesson) -> str:
    """Return the sheet of the lesson *one* as MyST Markdown."""
    cells = [cell.source for cell in notebooks.source(one).cells if cell.cell_type == "markdown"]
    title, question = cells[0].split("\n\n")[:2]
    remember = re.search(r"^## What to remember\n\n(.*?)(?=^## |\Z)", "\n\n".join(cells), re.DOTALL | re.MULTILINE)[1]
    lab = asking(one)
    guesses = "".join(f"<li><p>{html.escape(asked.question)}</p>{_BOXES}</li>" for asked in one.predictions.values())
    stops = "".join(f"<li>{html.escape(' '.join((stop.setup['do'], stop.setup['ask'])))}<span class=\"line\"></span></li>"
                    for stop in lab.stops.values())
    return "\n\n".join([
        title, plain(question), _raw(f"<h2>Guess first</h2><ol>{guesses}</ol>"),
        _raw(f"<h2>In the lab: {html.escape(lab.declared.title)}</h2><ol>{stops}</ol>"),
        _raw(f'<p class="fold">fold here, and look below when you have guessed</p>{still(lab)}'),
        "## What to remember", *(plain(part) for part in remember.split("\n\n") if part.startswith(("- ", "**"))), ""])


def asking(one: Lesson) -> Lab:
    """Return the lab of a lesson that asks most, the first of several."""
    return fabricbook.lab(max(one.labs, key=lambda name: len(one.labs[name].declaration.stops)))


def still(lab: Lab) -> str:
    """Return *lab* as it opens, with what it says there, as HTML."""
    columns, sentence = lab.answer(lab.within(lab.positions()))
    drawn = vl_convert.vegalite_to_svg(filled(lab.spec, columns) | _PAPER)
    return f'<div class="still"><p><b>{html.escape(lab.declared.title)}</b><br>{html.escape(sentence)}</p>{drawn}</div>'


def _raw(markup: str) -> str:
    return f"````{{raw}} html\n{markup}\n````"


def printed(pages: Path, into: Path) -> None:
    """Print each of the *pages* that Sphinx made into a PDF of one sheet in the folder *into*.

    Raises:
        SystemExit: one holds more than a sheet has room for; there is no Chromium to print with.
    """
    into.mkdir(parents=True, exist_ok=True)
    with paper.printer() as page:
        page.set_viewport_size({"width": WIDE, "height": HIGH})
        page.emulate_media(media="print")
        for path in sorted(pages.glob("[0-9]*.html")):
            page.goto(path.as_uri())
            if not page.evaluate(_FIT):
                sys.exit(f"{path.stem} does not fit on one sheet in letters of {SMALLEST} points: it asks or remembers too much.")
            page.pdf(path=into / f"{path.stem}.pdf", format="A4", print_background=True, tagged=True,
                     margin={"top": "11mm", "bottom": "10mm", "left": "12mm", "right": "12mm"})
