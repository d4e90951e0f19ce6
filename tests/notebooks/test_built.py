"""The notebooks are what the lessons' texts say today, in the order of the one list, and README's map is theirs."""

from __future__ import annotations

import ast
import base64
import re

import glossary
import jupytext
import pytest
from shipped import LESSONS, NOTEBOOKS, ROOT, calls, read

import notebooks
from fabricbook import lessons as book
from fabriclib import catalog

every_lesson = pytest.mark.parametrize("lesson", book.lessons(), ids=lambda lesson: lesson.name)


def asked(lesson, function: str) -> list[str]:
    """Return what the cells of a lesson's text hand to *function* ("lab", "verdict", ...)."""
    cells = jupytext.reads(lesson.text, fmt="md:myst").cells
    return [name for cell in cells if cell.cell_type == "code" for name in calls(cell.source, function)]


def test_every_folder_is_in_the_order_and_every_notebook_is_a_lesson():
    folders = {path.parent.name for path in (ROOT / "fabricbook" / "lessons").glob("*/*") if path.suffix in (".md", ".py")}
    assert folders == set(book.ORDER)
    assert [path.name for path in LESSONS] == [lesson.file for lesson in book.lessons()]


@every_lesson
def test_a_notebook_says_what_its_text_says(lesson):
    cells = [(cell["cell_type"], cell["source"]) for cell in read(NOTEBOOKS / lesson.file)["cells"]]
    linked = glossary.linked(notebooks.source(lesson), lesson)
    assert cells == [(cell.cell_type, cell.source) for cell in linked.cells], "run: make notebooks"


@every_lesson
def test_the_pictures_of_labs_are_stored_in_few_bytes(lesson):
    """Twenty thousand bytes a picture are megabytes to fetch with all lessons, and to read past in a diff."""
    outputs = [output["data"] for cell in read(NOTEBOOKS / lesson.file)["cells"] for output in cell.get("outputs", [])
               if "image/png" in output.get("data", {})]
    assert len(outputs) >= len(lesson.labs)
    for data in outputs:
        assert 5000 < len(base64.b64decode(data["image/png"])) < 40_000, "".join(data["text/plain"])[:60]


@every_lesson
def test_what_one_should_have_done_comes_before(lesson):
    assert all(book.ORDER.index(name) < book.ORDER.index(lesson.name) for name in lesson.head.needs)


def said(lesson, after: str, until: str) -> str:
    """Return what a lesson's notebook says between two headings, or from its title on."""
    text = "\n".join(cell["source"] for cell in read(NOTEBOOKS / lesson.file)["cells"] if cell["cell_type"] == "markdown")
    return text.partition(after)[2].partition(until)[0]


@every_lesson
def test_a_lesson_but_the_last_hands_a_computed_number_to_the_next(lesson):
    if lesson.name == book.ORDER[-1]:
        assert not lesson.head.hands
        return
    following = book.lessons()[book.ORDER.index(lesson.name) + 1]
    assert "{{" in lesson.head.hands
    assert re.fullmatch(r"[A-Z].{30,300}\.", lesson.hands)
    assert not [key for key, asked in lesson.predictions.items() if asked.format(asked.answer()) in lesson.hands], "locked above"
    assert f"**Take along:** {lesson.hands}" in said(lesson, "## What to remember", "## Sources")
    assert f"**You bring along:** {lesson.hands}" in said(following, "# ", "## What you will be able to do")


@every_lesson
def test_a_lesson_is_named_by_its_place_not_by_a_number(lesson):
    """A literal number of a lesson would be wrong as soon as one is put before it."""
    for path in [*lesson.folder.glob("*.py"), lesson.folder / "lesson.md"]:
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"\blessons? \d+", text, flags=re.IGNORECASE), path


@every_lesson
def test_it_shows_every_lab_it_declares(lesson):
    """By name in a cell, or by the function in the lesson's own code, as a lab that a box fills."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in lesson.folder.glob("*.py"))
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    shown = asked(lesson, "lab")
    assert not [name for name, function in lesson.labs.items() if name not in shown and function.__name__ not in used]


@every_lesson
def test_it_settles_the_claims_that_name_it_and_shows_its_verdicts(lesson):
    claims = [row["id"] for row in catalog.rows("claims") if lesson.name in row["lesson"]]
    assert claims == sorted(one.claim for one in lesson.verdicts.values())
    assert sorted(lesson.verdicts) == sorted(asked(lesson, "verdict"))


def test_every_claim_names_a_lesson_or_is_still_open():
    assert {one for row in catalog.rows("claims") for one in row["lesson"]} <= set(book.ORDER)


def test_readme_has_the_map_of_the_lessons():
    readme = notebooks.README.read_text(encoding="utf-8")
    assert readme == notebooks.with_map(readme), "run: make notebooks"
