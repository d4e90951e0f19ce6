"""The course in a browser alone, as `make lite` built it: handed out by a plain server on this machine, with no network.

`make lite-check` runs these; without it they are skipped, since the site takes downloads and minutes.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

import in_both
import pasted
import pytest
from lesson_page import box
from lite_page import run
from playwright.sync_api import expect
from shipped import LESSONS, code_cells, named

import fabricbook
from fabricbook.lessons import find

pytestmark = pytest.mark.browser
RING = """def all_reduce_seconds(nbytes, gpus, rate):
    return 2 * (gpus - 1) / gpus * nbytes / rate


book.check("start_here.ring", all_reduce_seconds)"""
PYTHON = """async ({ code, call, given }) => {
  const { loadPyodide } = await import("/static/pyodide/pyodide.mjs");
  const python = await loadPyodide({ env: { HOME: "/home/pyodide" } });
  await python.loadPackage(["fabriclib", "ipython", "jedi"]);
  python.FS.writeFile("in_both.py", code);
  python.globals.set("given", given);
  return python.runPythonAsync(`import in_both, json; json.dumps(in_both.${call})`);
}"""


def test_the_first_lesson_from_opening_it_to_an_answer_that_outlives_the_page(page, site):
    began, path = time.monotonic(), LESSONS[0]

    def tell(what):
        print(f"{time.monotonic() - began:6.1f} s  {what}", file=sys.stderr)

    page.goto(site)
    run(page, len(code_cells(path)))
    tell("all cells of lesson 00 have run")
    key = named(path, "predict_first")[0]
    typed = find("predictions", key).format(2 * find("predictions", key).answer())
    box(page, key).locator("input").focus()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(box(page, key).locator(".fl-answer")).to_contain_text("2.0 times the answer")
    tell("a prediction is answered")

    lab = page.locator(".fabriclib-lab").first
    slider, sentence = lab.locator("input[type=range]").first, lab.locator(".fl-sentence")
    before = sentence.text_content()
    slider.press("ArrowRight" if slider.input_value() == "0" else "ArrowLeft")
    expect(sentence).not_to_have_text(before)
    expect(lab.locator("canvas")).to_have_count(1)
    tell("a slider has moved, and its lab said and drew something else")

    stop = next(iter(fabricbook.lab(named(path, "lab")[0]).stops.values()))
    right = next(option for option in stop.setup["options"] if stop.judge(option).outcome == "right")
    lab.locator(f'input[value="{right}"]').first.check()
    page.keyboard.press("Enter")
    expect(lab.locator(".fl-said").first).to_have_text("Right.")
    tell("a stop is answered")

    cell = page.locator(".jp-CodeCell", has_text="book.check(").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(RING)
    page.keyboard.press("Shift+Enter")
    expect(cell.locator(".fl-check .fl-right")).to_be_visible()
    tell("an exercise is solved")

    page.goto(site)  # a new page: Python and all it knew are gone
    run(page, len(code_cells(path)))
    expect(box(page, key).locator(".fl-answer")).to_contain_text("2.0 times the answer")
    tell("the page was loaded again, and the answer is still there")


def write(page, cell, code):
    """Write *code* in place of what is in a cell, and run it."""
    page.locator(".jp-CodeCell .cm-content").nth(cell).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def test_what_is_pasted_is_never_run_nor_shown_as_markup(page, site):
    page.goto(site)
    for cell, code in enumerate(pasted.CELLS):
        write(page, cell, code)
    boxes = pasted.Boxes(page)
    log = page.locator(".fl-bring textarea").first
    log.fill("a")
    log.press("End")
    page.keyboard.press("Enter")
    expect(log).to_have_value("a\n")
    for text in pasted.PAYLOADS:
        boxes.paste(text)
        assert not boxes.harmed(), text
    boxes.take_over("progress.json", pasted.hostile_record())
    for cell in (1, 0, 1):
        boxes.settle(cell)
    assert not boxes.harmed()


def same(one, other) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-7, abs_tol=1e-12)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def asked_there(page, site, call, given=None):
    page.goto(f"{site}icon-120x120.png")  # any page of the site's own
    code = Path(in_both.__file__).read_text(encoding="utf-8")
    return json.loads(page.evaluate(PYTHON, {"code": code, "call": call, "given": json.dumps(given)}))


def test_every_lab_and_answer_is_the_same_in_its_narrow_python(page, site):
    here, there = json.loads(json.dumps(in_both.said())), asked_there(page, site, "said()")
    assert here.keys() == there.keys()
    assert {key: (here[key], there[key]) for key in here if not same(here[key], there[key])} == {}


def test_no_cell_of_any_lesson_fails(page, site):
    lessons = {path.name: [cell["source"] for cell in code_cells(path)] for path in LESSONS}
    assert asked_there(page, site, "failed(json.loads(given))", lessons) == []
