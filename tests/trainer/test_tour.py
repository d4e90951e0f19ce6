"""A plan opens just its parts: they run by themselves, lead nowhere that is not there, and add up to their minutes."""

from __future__ import annotations

import json
import re

import minutes
import pytest
from shipped import NOTEBOOKS, calls

import fabriclib as fl
from fabricbook.desk import learner_copies
from fabricbook.lessons import lesson
from fabricbook.trainer import tour
from fabricbook.trainer.plans import PLANS, Part, plan

NAMES = [one.name for one in PLANS]


def code(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize(("name", "takes"), [("90-minutes", 90), ("half-day", 210), ("two-days", 660)])
def test_a_plan_takes_what_its_name_says(name, takes):
    assert plan(name).minutes == takes


def test_a_plan_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="plan '90-minute' is not known. Did you mean '90-minutes'"):
        plan("90-minute")


@pytest.mark.parametrize("name", NAMES)
def test_every_part_shows_what_it_names_and_what_unlocks_it(name):
    found = tour.notebooks(plan(name))
    for part in plan(name).parts:
        sources = code(found[lesson(part.lesson).file])
        asked = {key for source in sources for key in calls(source, "predict_first")}
        assert {key for source in sources for key in calls(source, "after")} <= asked, part
        keys = [cell for cell in part.cells if not cell[0].isupper()]  # the others are headings
        assert all(any(f'"{key}"' in source or f"book.{key}(" in source for source in sources) for key in keys), part


@pytest.mark.parametrize("name", NAMES)
def test_a_part_fits_its_minutes_with_one_exercise_a_pair(name):
    found = tour.notebooks(plan(name))
    for part in plan(name).parts:
        one = lesson(part.lesson)
        counted = minutes.of_cells(one, found[one.file]["cells"], part.minutes)
        once = counted._replace(written=min(1, counted.written), decisions=0)
        assert once.needed <= part.minutes, (part.lesson, once)


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_lesson_runs_by_itself(name):
    found = tour.notebooks(plan(name))
    for part in plan(name).parts:
        if part.cells:
            names: dict = {}
            for source in code(found[lesson(part.lesson).file]):
                exec(compile(source, part.lesson, "exec"), names)


@pytest.mark.parametrize("name", NAMES)
def test_no_link_leads_to_a_lesson_that_is_not_laid_out(name):
    found = tour.files(plan(name))
    links = {link for text in found.values() for link in re.findall(r"\]\(([\w.]+\.(?:ipynb|md))", text.decode())}
    assert "plan.ipynb" in links
    assert links <= set(found)


def test_a_cut_lesson_says_what_it_is_and_keeps_what_to_remember():
    found = tour.notebooks(plan("90-minutes"))
    cells = ["".join(cell["source"]) for cell in found[lesson("congestion").file]["cells"]]
    assert "A part of the lesson, 18 minutes of the [plan](plan.ipynb)" in cells[0]
    assert "48 minutes" not in cells[0]
    assert tour.REMEMBER in cells[0]
    assert not any(cell.startswith("<details>") for cell in cells)
    assert any(cell.startswith("## What to remember") for cell in cells)
    assert not any("incast-queue" in cell for cell in cells)
    whole = json.loads((NOTEBOOKS / lesson("congestion").file).read_bytes())
    assert len(cells) < len(whole["cells"]) / 2


def test_the_first_page_has_the_minutes_and_says_what_the_trainer_sees():
    cell, _, answers = tour.notebooks(plan("90-minutes"))[tour.FIRST]["cells"]
    assert "| 4 | 18 | [10 Congestion](10_congestion.ipynb) |" in cell["source"]
    assert "| 82 | 8 | [00 Start here](00_start_here.ipynb) |" in cell["source"]
    assert tour.TOLD in cell["source"]
    assert "book.my_answers()" in answers["source"]


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_begins_with_why_anybody_should_care(name):
    one = plan(name).parts[0]
    cells = ["".join(cell["source"]) for cell in tour.notebooks(plan(name))[lesson("start_here").file]["cells"]]
    assert one.lesson == "start_here"
    at = next(at for at, cell in enumerate(cells) if "a_step_in_an_office()" in cell)
    assert cells[at - 1].startswith("## Why wires?")
    assert "would do nothing" in cells[at + 1]


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_brings_along_what_the_one_before_it_in_the_plan_hands_on(name):
    shown = list(dict.fromkeys(part.lesson for part in plan(name).parts))
    found = tour.notebooks(plan(name))
    heads = ["".join(found[lesson(one).file]["cells"][0]["source"]) for one in shown]
    assert "You bring along" not in heads[0]
    assert [f"**You bring along:** {lesson(before).hands}" in head
            for before, head in zip(shown, heads[1:], strict=False)] == [True] * (len(shown) - 1)


def test_a_lesson_to_which_a_plan_comes_back_is_laid_out_once_with_both_parts():
    cells = ["".join(cell["source"]) for cell in tour.notebooks(plan("90-minutes"))[lesson("start_here").file]["cells"]]
    assert [minutes for minutes in (4, 8) if f"{minutes} minutes of the [plan]" in cells[0]] == [4, 8]
    assert any("book.claims()" in cell for cell in cells)
    assert tour.REMEMBER not in cells[0]


def test_a_part_that_names_no_cell_of_its_lesson_is_refused():
    notebook = json.loads((NOTEBOOKS / lesson("pcie").file).read_bytes())
    with pytest.raises(ValueError, match="part on 'pcie' must be its own; no cell shows 'hash-draw'"):
        tour.cut(notebook, Part(5, "pcie", ("hash-draw",), ""))


def test_what_a_learner_changed_stays(tmp_path):
    learner_copies.refresh(tour.files(plan("90-minutes")), tmp_path)
    copy = tmp_path / "10_congestion.ipynb"
    assert json.loads(copy.read_bytes())["cells"][-1]["cell_type"] == "markdown"
    copy.write_text(copy.read_text(encoding="utf-8").replace("dice", "my words"), encoding="utf-8")
    learner_copies.refresh(tour.files(plan("90-minutes")), tmp_path)
    assert "my words" in copy.read_text(encoding="utf-8")
    assert fl  # what a cut lesson imports is there


def test_a_heading_stands_for_all_below_it():
    notebook = json.loads((NOTEBOOKS / lesson("cost").file).read_bytes())
    found = code(tour.cut(notebook, Part(5, "cost", ("Your turn",), "")))
    asked = [key for source in found for key in calls(source, "check")]
    assert asked == [key for cell in code(notebook) for key in calls(cell, "check")]
    assert not any("book.lab(" in source for source in found)


def test_of_a_prediction_and_an_exercise_with_one_key_the_prediction_is_shown():
    notebook = json.loads((NOTEBOOKS / lesson("cost").file).read_bytes())
    found = code(tour.cut(notebook, Part(5, "cost", ("cost.crossover",), "")))
    assert [calls(source, "predict_first") for source in found][-1] == ["cost.crossover"]
    assert not any(calls(source, "check") for source in found)


def test_a_text_about_a_lab_that_is_left_out_goes_with_it():
    cells = [("markdown", "# Heading"), ("code", 'book.lab("out")'), ("markdown", "It shows this."),
             ("markdown", "## Next\n\nText."), ("markdown", "<details>more</details>"), ("code", 'book.lab("in")'),
             ("markdown", "And this shows that."), ("markdown", "## Last"), ("code", 'book.lab("end")')]
    notebook = {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}
    found = tour.cut(notebook, Part(5, "cost", ("in", "end"), ""))["cells"]
    assert [cell["source"] for cell in found[1:]] == [cells[at][1] for at in (3, 5, 6, 7, 8)]
