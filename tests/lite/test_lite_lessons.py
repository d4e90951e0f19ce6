"""Lessons in a browser alone, each from opening it to its last answer, with no network.

LITE=1 takes some of them, LITE=all every one: a lesson takes minutes on a busy machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from book import answered
from lesson_page import ALL_DRAWN, an_arrow_key_changes_sentence_and_chart, answer
from lite_page import all_have_run, are_there, nothing_is_wrong, prompts, run, run_all
from playwright.sync_api import expect
from shipped import LESSONS, code_cells, named

import fabricbook

pytestmark = pytest.mark.browser
SOME = ("10", "14")  # between them, labs of every kind of stop, and pictures of measurements
CHOSEN = [path for path in LESSONS if os.environ.get("LITE") == "all" or path.name.startswith(SOME)]


def test_cells_that_are_run_before_there_is_a_python_wait_for_it(page, site, python_may_come):
    path = LESSONS[0]
    cells = len(code_cells(path))
    page.goto(f"{site}lab/index.html?path={path.name}")
    are_there(page, cells)
    run_all(page)
    expect(prompts(page)).to_have_text(["[*]:"] * cells)
    python_may_come.set()
    all_have_run(page, cells)


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.stem)
def test_a_lesson_runs_and_all_it_asks_is_answered(page, site, path):
    tell = clock(path)
    page.goto(f"{site}lab/index.html?path={path.name}")
    run(page, len(code_cells(path)))
    tell("all cells have run")
    expect(page.locator(".fl-predict")).to_have_count(len(named(path, "predict_first")))
    for key in named(path, "predict_first"):
        answer(page, key)
        tell(f"{key} is judged")
    expect(page.locator(".fl-after.fl-locked")).to_have_count(0)
    page.wait_for_function(ALL_DRAWN, arg=len(named(path, "lab")))
    tell("all is drawn")
    an_arrow_key_changes_sentence_and_chart(page, path)
    tell("a slider has moved")
    for name in named(path, "lab"):
        every_stop_is_answered(page, fabricbook.lab(name))
        tell(f"{name}: {len(fabricbook.lab(name).stops)} stops are answered")
    nothing_is_wrong(page)


def clock(path: Path):
    """Return what tells how long after now, and at what load, something has happened."""
    began = time.monotonic()
    return lambda what: print(f"{time.monotonic() - began:6.1f} s  load {os.getloadavg()[0]:4.1f}  {path.stem}: {what}",
                              file=sys.stderr)


def every_stop_is_answered(page, lab):
    box = page.get_by_role("region", name=lab.declared.title, exact=True)
    for at, posed in enumerate(lab.stops.values()):
        *_, (right, _) = answered.handed_in(lab, posed)
        stop = box.locator(".fl-stop").nth(at)
        box.locator(".fl-stop-tab").nth(at).press("Enter")
        answered.hand_in(box, stop, lab, posed, right)
        expect(stop).to_have_attribute("data-outcome", "right")
