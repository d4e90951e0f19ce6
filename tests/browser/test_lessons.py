"""Every lesson as its learner meets it: in JupyterLab, in a browser, by keyboard, with no network.

PICTURES=1 keeps a screenshot of each whole lesson.
"""

from __future__ import annotations

import os
import re

import axe
import pytest
from lesson_page import an_arrow_key_changes_sentence_and_chart, answer, box, twice
from playwright.sync_api import expect
from shipped import LESSONS, ROOT, code_cells, named

import fabricbook as book
from fabricbook.course.progress import Progress
from fabricbook.course.stops import Number

pytestmark = pytest.mark.browser
AXED = ("00_start_here", "20_bring_your_own")  # the first, and the one with most of what can be filled in
INDENTED = """() => [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-output > table')]
  .map((table) => Math.round(table.getBoundingClientRect().left - table.parentElement.getBoundingClientRect().left))
  .filter((gap) => gap > 12)"""
MEASURED = """([box, drawn]) =>
  box.querySelector('.fl-chart')?.flView?.data('table').some(row => (row.measured ?? row['measured (s)']) != null) === drawn"""


def open_and_run(page, server, path):
    """Open the learner's copy from its address, and run all of it."""
    page.goto(server.lesson(path.name))
    run(page, path)


def run(page, path):
    """Run all of the lesson that is open."""
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = len(code_cells(path))
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").nth(last - 1)).to_have_text(f"[{last}]:")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_from_first_cell_to_last(desk, server, path):
    (server.work / "progress.json").unlink(missing_ok=True)
    desk.evaluate("async (path) => { await jupyterapp.commands.execute('docmanager:open', { path }); }", path.name)
    run(desk, path)
    predictions, locks = named(path, "predict_first"), named(path, "after")
    expect(desk.locator(".fl-predict")).to_have_count(len(predictions))
    expect(desk.locator(".fl-after.fl-locked")).to_have_count(len(locks))
    assert desk.locator(".jp-RenderedText[data-mime-type*=error], .jp-OutputArea-output[data-mime-type*=stderr]").count() == 0
    assert desk.get_by_role("dialog").count() == 0

    for key in predictions:
        assert box(desk, key).locator(".fl-answer").count() == 0
        assert box(desk, key, "fl-after.fl-locked").count() == locks.count(key)
        answer(desk, key)
        expect(box(desk, key, "fl-after.fl-locked")).to_have_count(0)
    expect(desk.locator(".fl-after.fl-locked")).to_have_count(0)
    assert desk.evaluate(INDENTED) == []
    for name in named(path, "lab"):
        a_number_asked_by_a_lab_is_handed_in_by_enter(desk, name)

    an_arrow_key_changes_sentence_and_chart(desk, path)
    for box_of_buttons in desk.locator(".fl-measure").all():
        this_computer_is_measured_and_stopped(box_of_buttons)
    for bring in desk.locator(".fl-bring").all():
        an_own_run_is_read_and_a_bad_log_takes_its_picture_away(bring)
    if path.stem in AXED:
        nothing_is_in_the_way_of_who_sees_or_hears_otherwise(desk)
    if os.environ.get("PICTURES") == "1":
        picture(desk, path)


def a_number_asked_by_a_lab_is_handed_in_by_enter(page, name):
    """Type no number into the first stop of the lab that asks for a number, and press Enter: it is told so."""
    lab = book.lab(name)
    asked = [at for at, stop in enumerate(lab.stops.values()) if isinstance(stop.declared, Number)]
    for at in asked[:1]:
        box = page.get_by_role("region", name=lab.declared.title, exact=True)
        box.locator(".fl-stop-tab").nth(at).press("Enter")
        panel = box.locator(".fl-stop").nth(at)
        panel.locator(".fl-number-field").fill("much")
        panel.locator(".fl-number-field").press("Enter")
        expect(panel.locator(".fl-said")).to_contain_text("much")


def this_computer_is_measured_and_stopped(box):
    """Start the measurement by keyboard, see rows arrive in words and in the chart, and end it."""
    said = box.get_by_role("status").first
    box.get_by_role("button", name="Measure this computer").press("Enter")
    expect(said).to_have_text(re.compile(r"\d+ of \d+ times measured"))  # all of them, on a machine that shows them late
    box.get_by_role("button", name="Stop").press("Enter")
    expect(said).to_have_text(re.compile(r"\d+ of \d+ times measured\.$"))
    draws_what_was_measured(box)


def draws_what_was_measured(box, drawn=True):
    """Wait until the chart in a box has measured points, or has none."""
    box.page.wait_for_function(MEASURED, arg=[box.element_handle(), drawn])


def an_own_run_is_read_and_a_bad_log_takes_its_picture_away(bring):
    """A plain table beside a machine put together from parts: what is typed is what is read, and it can be copied away."""
    log, said, summary = bring.locator("textarea").first, bring.get_by_role("status").first, bring.locator(".fl-copy")
    lab = bring.locator(".fabriclib-lab")
    parts = bring.locator(".fl-own-machine")
    expect(parts).to_be_hidden()
    for menu, choice in (("machine", "my own machine"), ("GPU", "A100"), ("NICs of a node", "4"), ("collective", "all_gather")):
        bring.get_by_label(menu, exact=True).select_option(choice)
    expect(parts).to_be_visible()
    log.fill("nbytes,seconds\n" + "".join(f"{2**n},{1e-5 + 2**n / 8e10:.6g}\n" for n in range(10, 33, 2)))
    for name, number in (("nodes", "2"), ("ranks", "16")):
        bring.get_by_label(name, exact=True).fill(number)
    bring.get_by_role("button", name="Read it").press("Enter")
    expect(said).to_contain_text("my A100 machine")
    expect(lab.locator(".fl-sentence")).to_contain_text("Measured against predicted")
    draws_what_was_measured(bring)
    summary.get_by_role("button").press("Enter")
    expect(summary.get_by_role("status")).to_have_text(re.compile("^(Copied|Press)"))
    assert "my A100 machine" in summary.locator("textarea").input_value()

    log.fill("srun: error: node17: task 3: Out Of Memory")
    bring.get_by_role("button", name="Read it").press("Enter")
    expect(said).to_contain_text("no table was found")
    expect(summary.get_by_role("button")).to_be_disabled()
    draws_what_was_measured(bring, drawn=False)


def nothing_is_in_the_way_of_who_sees_or_hears_otherwise(page):
    """What axe-core finds in the texts and in what the cells show, on a dark page and on a light one: nothing."""
    for theme in ("Dark", "Light"):
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {theme}")
        page.wait_for_selector(f"body[data-jp-theme-light={str(theme == 'Light').lower()}]", state="attached")
        assert axe.findings(page, ".jp-RenderedMarkdown", ".jp-OutputArea-output") == []


def picture(page, path):
    """Keep a screenshot of the whole lesson: the notebook scrolls inside JupyterLab, so the window grows instead."""
    panel, last = page.locator(".jp-WindowedPanel-outer").first, page.locator(".jp-Notebook .jp-Cell").last
    page.set_viewport_size({"width": 1280, "height": panel.evaluate("panel => panel.scrollHeight") + 200})
    panel.evaluate("panel => panel.scrollTo(0, 0)")
    page.wait_for_timeout(500)
    frame, end = panel.bounding_box(), last.bounding_box()
    (ROOT / "artifacts").mkdir(exist_ok=True)
    frame["height"] = end["y"] + end["height"] - frame["y"]
    page.screenshot(path=ROOT / "artifacts" / f"{path.stem}.png", clip=frame)


def test_a_word_tells_its_meaning_and_leads_to_the_page_of_words(desk):
    desk.evaluate("path => jupyterapp.commands.execute('docmanager:open', { path })", LESSONS[0].name)
    expect(desk.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()  # a kernel that starts later is stopped by nobody
    word = desk.locator(".jp-Notebook a", has_text=re.compile("^gradient$"))
    assert word.get_attribute("title").startswith("how each parameter should change")
    word.click()
    heading = desk.locator(".jp-MarkdownViewer h3", has_text=re.compile("^gradient"))
    expect(heading).to_be_in_viewport()
    assert word.evaluate("link => getComputedStyle(link).textDecorationStyle") == "dotted"


@pytest.mark.skipif(not LESSONS, reason="no lessons yet")
def test_who_comes_back_finds_the_answers_and_the_text_fits_a_narrow_window(page, server):
    path = next(lesson for lesson in LESSONS if named(lesson, "predict_first"))
    key = named(path, "predict_first")[0]
    Progress(server.work / "progress.json").record("predictions", key, {"typed": twice(key)})
    open_and_run(page, server, path)
    expect(box(page, key).locator(".fl-answer")).to_contain_text("2.0 times the answer")

    page.set_viewport_size({"width": 640, "height": 900})
    page.wait_for_function("""() => innerWidth === 640 && [...document.querySelectorAll(".fl-predict")].every(
        (box) => box.clientWidth < 640 && box.scrollWidth <= box.clientWidth + 1)""")
    text, change = box(page, key).locator("input"), box(page, key).get_by_role("button", name="Change my answer")
    clear, bring = (box(page, key).get_by_role("button", name=f"{name} my answer") for name in ("Clear", "Bring"))
    clear.press("Enter")
    expect(text).to_be_focused()  # the last that the kernel asks for: all that it had to show is shown
    expect(box(page, key).locator(".fl-answer")).to_have_count(0)
    bring.press("Enter")
    expect(change).to_be_focused()
    expect(box(page, key).locator(".fl-answer")).to_contain_text("2.0 times the answer")
    clear.press("Enter")
    expect(text).to_be_focused()
    expect(text).to_have_value("")  # or what is typed now would be taken away again
    text.fill("fast")
    expect(text).to_have_value("fast")
    box(page, key).get_by_role("button", name="Check").press("Enter")
    expect(box(page, key).locator("[role=status]")).to_contain_text(re.compile("is not a number with a unit"))
    box(page, key).get_by_role("button", name="Show me").press("Enter")
    expect(box(page, key).locator(".fl-answer")).to_contain_text("The answer is")


@pytest.mark.skipif(not LESSONS, reason="no lessons yet")
def test_the_second_evening_shows_what_was_there_and_how_it_comes_back(page, server):
    path = next(lesson for lesson in LESSONS if lesson.stem.startswith("01"))
    keys = named(path, "predict_first")
    (server.work / "progress.json").unlink(missing_ok=True)
    open_and_run(page, server, path)
    for key in keys:
        answer(page, key)
    page.keyboard.press("Enter")  # a second Enter, on what has the focus now, opens the box again and wipes nothing
    expect(box(page, keys[-1]).locator("input")).to_be_focused()  # the kernel says so, and on a busy machine it says so late
    expect(box(page, keys[-1]).locator(".fl-answer")).to_have_count(1)
    the_keys_of_the_notebook_work_in_a_lab(page)
    with page.expect_response(lambda answer: answer.request.method == "PUT" and path.name in answer.url):
        page.keyboard.press("Control+s")

    page.goto("about:blank")
    server.stop_kernels()
    page.goto(server.lesson(path.name))
    notebook = page.locator(".jp-Notebook")
    expect(notebook.get_by_text("2.0 times the answer").first).to_be_visible()
    expect(notebook.locator(".jp-RenderedImage img").first).to_be_visible()
    expect(notebook.get_by_text("model not found")).to_have_count(0)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    notebook.get_by_role("button", name="Run All Cells").click()
    expect(box(page, keys[-1]).locator(".fl-answer")).to_contain_text("2.0 times the answer")
    expect(notebook.get_by_text("Welcome back")).to_have_count(0)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()  # a server waits for a kernel that is busy


def the_keys_of_the_notebook_work_in_a_lab(page):
    """In a lab an arrow key moves the slider, Escape gives the keys back to the notebook, and Shift+Enter runs the cell."""
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    slider = page.locator(".fabriclib-lab").first.locator("input[type=range]").first
    slider.click()
    expect(active.locator(".fabriclib-lab")).to_have_count(1)
    before = slider.input_value()
    page.keyboard.press("Home" if before != slider.get_attribute("min") else "End")
    assert slider.input_value() != before
    page.keyboard.press("Escape")
    expect(slider).not_to_be_focused()
    expect(active.locator(".fabriclib-lab")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(active.locator(".fabriclib-lab")).to_have_count(0)
    slider.click()
    page.keyboard.press("Shift+Enter")
    expect(active.locator(".fabriclib-lab")).to_have_count(0)
