"""The pages of the book as Sphinx reads them: every lesson from its executed notebook, and the pages around them."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import glossary
import nbformat
import reference

import notebooks
from fabricbook.course.view import marked
from fabricbook.lessons import Lesson, declared, lessons
from fabriclib import catalog

from . import standing
from .cells import Where, markdown

TITLE = "The wiring of AI clusters, hands on"
# Paragraphs of lessons that tell how a notebook is used, by their beginnings, and what a page says in their place.
_READS = {
    "Run a cell with **Shift + Enter**": "Where a box asks you to predict, type a number with its unit, and press Enter. Guess "
    "first: a wrong guess teaches more than a right answer read. What you answer stays in this browser; the page "
    "[Your answers](answers.md) lists, exports and clears it.",
    "When you come back another day": "",
    "Put the words of your choice in place": "",
    "What is done in each lesson, and where to continue": "What you have answered of each lesson, and where to continue:",
}


def write(folder: Path, live: str, names: Iterable[str] = ()) -> None:
    """Write the pages of the lessons *names*, or of all, into *folder*; *live* is where a lesson opens with Python."""
    chosen = [one for one in lessons() if one.name in names] if names else lessons()
    where = Where(folder / "_static" / "pictures", live)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {Path(one.file).stem: lesson_page(one, where, chosen) for one in chosen}
    pages |= {"index": _opening(chosen), "glossary": prose(glossary.page(), chosen), "claims": _claims(), "sources": _sources(),
              "answers": _answers(), "live": _LIVE}
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def lesson_page(one: Lesson, where: Where, chosen: list[Lesson]) -> str:
    """Return the page of the lesson *one*, in a book of those *chosen*: links to others lead to its opening page."""
    notebook = nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4)
    return "\n".join(prose(cell.source.removesuffix(one.neighbours), chosen) if cell.cell_type == "markdown"
                     else markdown(cell, one.file, where) for cell in notebook.cells)


def prose(text: str, chosen: list[Lesson]) -> str:
    """Return the *text* of a lesson as a page has it, in a book of those *chosen*."""
    text = re.sub(rf"(?<=\]\({glossary.PAGE})#\S+", lambda anchor: anchor[0].lower(), text)  # as MyST names a heading
    for other in lessons():
        text = text.replace(f"]({other.file})", f"]({Path(other.file).stem if other in chosen else 'index'}.md)")
    paragraphs = [next((page for told, page in _READS.items() if part.startswith(told)), part) for part in text.split("\n\n")]
    return "\n\n".join(paragraphs) + "\n\n"


def _opening(chosen: list[Lesson]) -> str:
    hours = round(sum(one.head.minutes for one in chosen) / 60)
    about = _ABOUT.format(lessons=len(chosen), labs=len(declared("labs")), hours=hours)
    lines = [f"# {TITLE}", "", about, "", "## The map", "", "```{raw} html", standing.progress(chosen), "```", ""]
    parts = [(part, list(inside)) for part, inside in itertools.groupby(chosen, lambda one: one.head.part)]
    for part, inside in [*parts, ("Beside the lessons", None)]:
        files = [Path(one.file).stem for one in inside] if inside else ["glossary", "claims", "sources", "answers", "live"]
        lines += ["```{toctree}", ":hidden:", f":caption: {part}", "", *files, "```", ""]
    return "\n".join(lines)


def _claims() -> str:
    found = "".join(f"<p><b>{html.escape(one.text)}</b><br>{html.escape(f'{one.found.capitalize()}. {one.because()}')}</p>"
                    for one in declared("verdicts").values())
    return ("# Claims\n\nThese one reads in overviews of how AI clusters are wired. Which would you believe today? A lesson "
            "settles each by a number.\n\n````{raw} html\n" + standing.claims()
            + f"<details><summary>What the lessons find</summary>{found}</details>\n````\n")


def _sources() -> str:
    places = reference.used()
    rows = "".join(f'<tr id="source-{row["id"]}"><td>{_titled(row)}</td><td>{html.escape(row["publisher"])}</td>'
                   f'<td>{html.escape(row["date"])}</td><td>{row["grade"]}</td><td>{_places(places[row["id"]])}</td></tr>'
                   for row in catalog.rows("sources"))
    heads = "<tr><th>title</th><th>publisher</th><th>date</th><th>grade</th><th>used in</th></tr>"
    return ("# Sources\n\nEvery figure of the course is a row of a table, and every row names one of these. Grade A is the "
            "maker, a standard, a paper or source code, B a curated collection, C another secondary source. The last column has "
            "the tables whose rows name it, and the lessons whose labs do.\n\n````{raw} html\n"
            f'<div class="fl-output"><table><thead>{heads}</thead><tbody>{rows}</tbody></table></div>\n````\n')


def _places(used: Iterable[str | Lesson]) -> str:
    return ", ".join(f'<a href="{standing.page(one.name)}">{one.number}</a>' if isinstance(one, Lesson) else one for one in used)


def _titled(row: dict) -> str:
    title = html.escape(row["title"])
    return f'<a class="reference external" href="{html.escape(row["url"])}">{title}</a>' if row["url"] else title


def _answers() -> str:
    rows = "".join(_row(one, section, key, text) for one in lessons() for section, key, text in _asked(one))
    heads = "<tr><th>lesson</th><th>question</th><th>your answer</th></tr>"
    return _YOURS + (f'````{{raw}} html\n<div class="fl-output"><table class="fl-answers"><thead>{heads}</thead><tbody>{rows}'
                     "</tbody></table></div>\n````\n")


def _asked(one: Lesson) -> Iterable[tuple[str, str, str]]:
    for key, asked in one.predictions.items():
        yield "predictions", key, asked.question
    for name, function in one.labs.items():
        for place, stop in enumerate(function.declaration.stops, start=1):
            yield "stops", f"{one.name}.{name}.{stop.key}", f"{function.declaration.title}, stop {place}"
    for key, exercise in one.exercises.items():
        yield "exercises", key, exercise.prompt


def _row(one: Lesson, section: str, key: str, text: str) -> str:
    return (f'<tr hidden data-section="{section}" data-key="{key}"><td><a href="{standing.page(one.name)}">{one.number}</a></td>'
            f"<td>{marked(text)}</td><td></td></tr>")


_ABOUT = """**You predict a number, move a lab that answers, and read why.** From the link between two chips, through the
inside of a server, to the network between servers, and what that wiring does to collectives, to training, to the time of one
token, to the power bill, and on the day something breaks.

For network engineers who meet AI clusters, for people who train models and wonder where the time goes, and for whoever
teaches either. {lessons} lessons, {labs} labs, about {hours} hours; the lessons say what they need, and most stand alone.
Every figure has a [source](sources.md), every prediction of the model stands beside a published measurement, and words are
explained where they first stand, and in the [glossary](glossary.md). These pages need no network and no installation. What
runs Python, the code you write and your own logs, [opens live](live.md)."""

_LIVE = """# Live, with Python

In these pages you read, predict, and move the labs. Writing code that is checked, measuring your own computer and comparing
your own logs need Python. In the folder of the course:

    make lab

It opens the same lessons in JupyterLab, in your browser. Put what [Your answers](answers.md) exports there as
`work/progress.json`, and you go on where you are.
"""

_YOURS = """# Your answers

They are kept in this browser only, and sent nowhere. **Export** writes them into a file, `progress.json`: another browser
imports it, and as `work/progress.json` the lessons with Python go on from it. Some browsers keep the answers of pages opened
from files for each page alone; then export here does not see them.

````{raw} html
<div class="fl-row fl-keeping"><button type="button" data-do="export">Export</button>
<label class="fl-button">Import <input type="file" accept="application/json,.json"></label>
<button type="button" data-do="reset">Clear all</button></div>
<p class="fl-kept" role="status" aria-live="polite"></p>
````

"""
