"""What a learner does on the page of a lesson that has been run, by keyboard: answer a prediction, move a slider."""

from __future__ import annotations

from playwright.sync_api import expect
from shipped import named

import fabricbook as book
from fabricbook.course.view import css_key
from fabricbook.lessons import find

STATE = """lab => [lab.querySelector('.fl-sentence').textContent,
                   JSON.stringify(lab.querySelector('.fl-chart').flView.data('table'))]"""
ALL_DRAWN = """many => {
  const charts = [...document.querySelectorAll('.fabriclib-lab .fl-chart')];
  return charts.length >= many && charts.every(chart => !chart.clientWidth || chart.flView);
}"""


def box(page, key, kind="fl-predict"):
    return page.locator(f".{kind}.{css_key(key)}")


def twice(key):
    """Return what a learner types who is wrong by a factor of two."""
    prediction = find("predictions", key)
    return prediction.format(2 * prediction.answer())


def answer(page, key):
    """Type a wrong answer and press Enter, by keyboard alone; its ratio to the right one appears, for all to hear."""
    prediction = find("predictions", key)
    box(page, key).locator("input").focus()
    page.keyboard.type(twice(key))
    page.keyboard.press("Enter")
    said = box(page, key).locator(".fl-answer[role=status][aria-live=polite]")
    expect(said).to_contain_text(prediction.format(prediction.answer()))
    expect(said).to_contain_text("2.0 times the answer")
    expect(box(page, key).locator("input")).to_be_hidden()
    # The kernel hands the focus on; what is typed before that would land here and not in the next question.
    expect(box(page, key).get_by_role("button", name="Change my answer")).to_be_focused()


def lively_slider(path) -> tuple[int, int]:
    """Return (which lab of the lesson, which of its sliders): one whose next stop changes sentence and table, says the lab."""
    for at, name in enumerate(named(path, "lab")):
        lab = book.lab(name)
        before = lab.evaluate()
        for nth, control in enumerate(c for c in lab.controls.values() if c.as_ != "menu" and not c.verb):
            here = control.position(control.default)
            after = lab.evaluate(**{control.name: control.values[here - 1 if here == len(control.values) - 1 else here + 1]})
            if before[1] != after[1] and not before[0].equals(after[0]):
                return at, nth
    raise AssertionError(f"no slider of {path.name} changes what its lab says and draws")


def an_arrow_key_changes_sentence_and_chart(page, path):
    """Press an arrow key on a slider; its lab says something else and draws other data. All charts are large enough to see."""
    page.wait_for_function(ALL_DRAWN, arg=len(named(path, "lab")))
    for canvas in page.locator(".fl-chart canvas").all():
        size = canvas.bounding_box()
        assert size["width"] > 300
        assert size["height"] > 100
    at, nth = lively_slider(path)
    lab = page.locator(".fabriclib-lab").nth(at)
    slider, before = lab.locator("input[type=range]").nth(nth), lab.evaluate(STATE)
    slider.press("ArrowLeft" if slider.evaluate("slider => slider.value === slider.max") else "ArrowRight")
    page.wait_for_function(f"([lab, before]) => ({STATE})(lab).every((now, i) => now !== before[i])",
                           arg=[lab.element_handle(), before])
