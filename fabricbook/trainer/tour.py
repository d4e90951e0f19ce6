"""Just the parts of a plan: its lessons cut down to the cells it shows, and a page with its minutes, laid out in a folder."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Container, Iterable

from ..desk import learner_copies
from ..lessons import Lesson, lesson
from .plans import Part, Plan

FIRST = "plan.ipynb"
TOLD = ("*For the learners to know: the trainer may draw the room's guesses on the wall, as dots without names, and may see who "
        "is stuck at which question.*")
REMEMBER = "> *What to remember*, at the end, is of the whole lesson, also of what is not shown here."
HAND_IN = "If the trainer collects answers, run the cell below and export yours."
_COURSE = re.compile(r"\n\n(\d+ minutes · |\*\*You bring along:\*\* )[^\n]*")
_LINK = re.compile(r"\[([^\]]+)\]\((\d\d_\w+\.ipynb)\)")
_LINKED = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_SHOWN_AFTER = re.compile(r"\bafter\(\s*\"([\w.-]+)\"")


def files(plan: Plan) -> dict[str, bytes]:
    """Return what *plan* lays out, by file name, for `learner_copies.refresh`: its notebooks, and the pages that lessons link to;
    no link leads elsewhere."""
    found = notebooks(plan)
    pages = {path.name: _unlinked(path.read_text(encoding="utf-8"), found) for path in learner_copies.shipped().glob("*.md")}
    return ({name: text.encode() for name, text in pages.items()}
            | {name: learner_copies.cleared(json.dumps(notebook)) for name, notebook in found.items()})


def notebooks(plan: Plan) -> dict[str, dict]:
    """Return the notebooks of *plan* by file name: those of its lessons, and first the page of the plan itself."""
    found, before = {}, None
    for name, parts in _by_lesson(plan.parts).items():
        one = lesson(name)
        found[one.file] = cut(json.loads((learner_copies.shipped() / one.file).read_bytes()), *parts, before=before)
        before = one
    for cell in (cell for notebook in found.values() for cell in notebook["cells"] if cell["cell_type"] == "markdown"):
        cell["source"] = _unlinked("".join(cell["source"]), found)
    return {FIRST: _page(plan, found[min(found)]["metadata"]), **found}


def cut(notebook: dict, *parts: Part, before: Lesson | None = None) -> dict:
    """Return *notebook* with the cells that its *parts* show and what they need; lines below its heading say so.

    Args:
        before: the lesson that the plan shows before this one, whose number is brought along; none at its beginning.

    Raises:
        ValueError: a part names a cell that the lesson has not.
    """
    cells = notebook["cells"]
    kept = set().union(*(_chosen(cells, part) if part.cells else range(len(cells)) for part in parts))
    whole = "All of the lesson" if len(kept) == len(cells) else "A part of the lesson"
    notes = [f"> {whole}, {part.minutes} minutes of the [plan]({FIRST}). {part.does}" for part in parts]
    head = _COURSE.sub("", "".join(cells[0]["source"]))  # minutes, neighbours and what is brought are those of the whole course
    brought = [f"**You bring along:** {before.hands}"] if before else []
    if len(kept) < len(cells) and any("## What to remember" in "".join(cells[at]["source"]) for at in kept):
        notes.append(REMEMBER)
    first = cells[0] | {"source": "\n\n".join([head, *brought, *notes])}
    return notebook | {"cells": [first, *(cells[at] for at in sorted(kept - {0}))]}


def _by_lesson(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """Return the parts by their lesson, in the order in which lessons come first: a plan may come back to one."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.lesson, []).append(part)
    return found


def _chosen(cells: list[dict], part: Part) -> set[int]:
    """Return the places of the cells that *part* names, of the text above each and of what unlocks it, of imports, of the end."""
    sources = ["".join(cell["source"]) for cell in cells]
    code = [at for at, cell in enumerate(cells) if cell["cell_type"] == "code"]
    wanted, kept = list(part.cells), {at for at in code if _imports(sources[at])}
    while wanted:
        name = wanted.pop()
        places = _showing(cells, sources, name)
        if not places:
            raise ValueError(f"cells of the part on {part.lesson!r} must be its own; no cell shows {name!r}.")
        for at in places - kept:
            kept |= {at} if "book.verdict(" in sources[at] else {at, *_above(cells, sources, at)}  # a verdict tells its claim
            wanted += _SHOWN_AFTER.findall(sources[at])
    kept -= {at for at in kept if _speaks_of_what_is_gone(cells, sources, kept, at)}
    if any("book.lab(" in sources[at] for at in kept):  # what nobody was shown is not to be remembered
        kept |= {at for at, source in enumerate(sources) if source.startswith("## What to remember")}
    return kept | {0}


def _showing(cells: list[dict], sources: list[str], name: str) -> set[int]:
    """Return the places of the cells that show *name*: of a prediction and an exercise with one key, the prediction."""
    for calls in ("predict_first|lab|verdict", "check|solution|play"):
        shows = re.compile(rf'\b(?:{calls})\("{re.escape(name)}"|\bbook\.{re.escape(name)}\(')
        if places := {at for at, cell in enumerate(cells) if cell["cell_type"] == "code" and shows.search(sources[at])}:
            return places
    return _section(sources, name)


def _section(sources: list[str], heading: str) -> set[int]:
    """Return the places of all cells below a heading, down to the next one of its level or above; none if there is no such."""
    headings = [(at, len(found[1]), found[2].strip()) for at, source in enumerate(sources)
                for found in re.finditer(r"^(#+) (.*)$", _LINKED.sub(r"\1", source), flags=re.MULTILINE)]
    for position, (first, level, text) in enumerate(headings):
        if text == heading:
            after = (at for at, other, _ in headings[position + 1:] if other <= level)
            return set(range(first, next(after, len(sources))))
    return set()


def _imports(source: str) -> bool:
    return all(isinstance(one, ast.Import | ast.ImportFrom) for one in ast.parse(source).body)


def _above(cells: list[dict], sources: list[str], at: int) -> Iterable[int]:
    """The places of the texts between the code cell before place *at* and that cell, but for what is folded."""
    while at and cells[at - 1]["cell_type"] == "markdown":
        at -= 1
        if not sources[at].startswith("<details>"):
            yield at


def _speaks_of_what_is_gone(cells: list[dict], sources: list[str], kept: set[int], at: int) -> bool:
    """Whether the text at place *at*, before the next heading, goes on about a code cell that is not among *kept*."""
    first, last = at, at
    while first and cells[first]["cell_type"] == "markdown":
        first -= 1
    while last + 1 < len(cells) and cells[last + 1]["cell_type"] == "markdown":
        last += 1
    goes_on = not any(source.startswith("#") for source in sources[first + 1 : at + 1])
    return first < at and first not in kept and goes_on and any(source.startswith("#") for source in sources[at : last + 1])


def _unlinked(text: str, files: Container[str]) -> str:
    """Return *text* with links to lessons that are not among *files* as plain words."""
    return _LINK.sub(lambda link: link[0] if link[2] in files else link[1], text)


def _page(plan: Plan, metadata: dict) -> dict:
    hours, minutes = divmod(plan.minutes, 60)
    took = " ".join(filter(None, (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes))))
    breaks = f" Breaks: {plan.breaks}." * bool(plan.breaks)
    text = (f"# {plan.title}\n\nFor {plan.whom}. {took} without breaks.{breaks}\n\n{plan.table}\n\n"
            f"Run a cell with **Shift + Enter**, from top to bottom. Guess first: a wrong guess teaches more.\n\n{TOLD}")
    cells = [{"cell_type": "markdown", "id": "plan", "metadata": {}, "source": text},
             {"cell_type": "markdown", "id": "hand-in", "metadata": {}, "source": HAND_IN},
             {"cell_type": "code", "id": "answers", "metadata": {}, "outputs": [], "execution_count": None,
              "source": "import fabricbook as book\n\nbook.my_answers()"}]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
