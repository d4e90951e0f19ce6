"""The panel of a lab's stops in a real Chromium, its answers judged by the lab's own Python side."""

from __future__ import annotations

import pytest
from lab_page import opened

pytestmark = pytest.mark.browser


class Panel:
    """A page that shows a lab; `answered()` hands what the page sent to the lab's widget, and its answer back."""

    def __init__(self, page, lab):
        self.page, self.lab, self.taken = page, lab, 0
        page.evaluate("() => { globalThis.lab = open(); }")

    def answered(self):
        sent = self.page.evaluate("lab.questions()")
        for message in sent[self.taken:]:
            self.lab.widget._on_message(self.lab.widget, message, [])
        self.taken = len(sent)
        self.page.evaluate("""({ state, stops }) => {
            Object.assign(lab, { state, stops });
            lab.tell("change:stops");
            lab.tell("change:state");
        }""", {"state": self.lab.widget.state, "stops": self.lab.widget.stops})

    def click(self, name, role="button"):
        self.page.get_by_role(role, name=name, exact=True).locator("visible=true").click()

    def text(self, css):
        return self.page.locator(f".fl-stop:not([hidden]) {css}").inner_text()

    def focused(self):
        return self.page.evaluate("document.activeElement.textContent || document.activeElement.value")

    def tabs(self):
        """The stops' marks: which is open, which are done."""
        return [(tab.get_attribute("aria-current") == "step", "done" in tab.get_attribute("aria-label"))
                for tab in self.page.locator(".fl-stop-tab").all()]


@pytest.fixture
def panel(tab, asking):
    lab = asking()
    with opened(tab, lab) as page:
        yield Panel(page, lab)


def test_a_right_answer_marks_the_stop_says_what_was_to_be_seen_and_opens_the_next(panel):
    panel.click("It grows", "radio")
    panel.click("check")
    panel.answered()
    assert panel.text(".fl-said") == "Right."
    assert panel.text(".fl-saw").startswith("It grows by 1.0")
    assert panel.tabs() == [(True, True), (False, False), (False, False)]
    panel.click("next")
    assert panel.tabs() == [(False, True), (True, False), (False, False)]
    assert panel.text(".fl-question") == "What is the largest time?"
    assert panel.text(".fl-saw") == ""


def test_a_wrong_answer_gets_its_hint_and_no_next(panel):
    panel.click("It falls", "radio")
    panel.click("check")
    panel.answered()
    assert panel.text(".fl-said").startswith("Look at its end")
    assert panel.text(".fl-saw") == ""
    assert not panel.page.locator(".fl-stop:not([hidden]) .fl-next").is_visible()
    assert panel.tabs()[0] == (True, False)


def test_what_is_said_is_scrolled_to_in_a_panel_that_is_lower(panel):
    panel.page.add_style_tag(content=".fl-stops { height: 40px; overflow: auto; }")
    panel.click("It falls", "radio")
    panel.click("check")
    panel.answered()
    assert panel.page.evaluate("""() => {
        const panel = lab.find(".fl-stops").getBoundingClientRect();
        const said = lab.find(".fl-stop:not([hidden]) .fl-said").getBoundingClientRect();
        return said.top < panel.bottom && said.bottom > panel.top;
    }""")


def test_nonsense_gets_a_sentence(panel):
    panel.click("check")
    panel.answered()
    assert panel.text(".fl-said") == "Pick one of the answers first."
    panel.click("Stop 2")
    field = panel.page.locator("input.fl-number-field")
    for typed in ("", "banana", "-1", "1e400", "9" * 5000):
        field.fill(typed)
        panel.click("check")
        panel.answered()
        assert len(panel.text(".fl-said")) > 10
    assert panel.tabs() == [(False, False), (True, False), (False, False)]


def test_hostile_text_shows_as_text(panel):
    panel.click("It falls", "radio")
    panel.click("check")
    panel.answered()
    assert "<img" in panel.text(".fl-said")
    assert "<img" in panel.text(".fl-options")
    panel.click("show me")
    panel.answered()
    assert "<img" in panel.text(".fl-saw")
    assert panel.page.locator(".fabriclib-lab img").count() == 0
    assert panel.page.evaluate("globalThis.hit") is None


def test_enter_hands_in_a_number_where_the_page_keeps_every_line_break_as_jupyterlab_does(panel):
    panel.page.evaluate("""addEventListener("keydown", ({ target }) =>
        target.addEventListener("beforeinput", (event) => event.preventDefault(), { once: true }))""")
    panel.click("Stop 2")
    field = panel.page.locator("input.fl-number-field")
    field.fill("2 s")
    field.press("Enter")
    panel.answered()
    assert "too small" in panel.text(".fl-said")
    field.press("Shift+Enter")
    assert len(panel.page.evaluate("lab.questions()")) == panel.taken, "that key runs the cell"


def test_one_press_sets_it_up(panel):
    panel.click("Stop 2")
    panel.click("set it up")
    panel.answered()
    assert panel.page.evaluate("lab.questions().at(-1).values") == {"slope": 1, "kind": 0}
    assert panel.page.evaluate("lab.find('input[type=range]').valueAsNumber") == 1


def test_a_control_is_moved_and_here_is_judged_where_it_stands(panel):
    panel.click("Stop 3")
    panel.click("set it up")
    panel.click("here")
    panel.answered()
    assert panel.text(".fl-said") == "Steeper."
    panel.page.evaluate("lab.slide(2)")
    panel.click("here")
    panel.answered()
    assert panel.text(".fl-said") == "Right: 5."
    assert not panel.page.locator(".fl-stop:not([hidden]) .fl-next").is_visible()


def test_show_me_tells_it_and_moves_the_control(panel):
    panel.click("Stop 3")
    panel.click("show me")
    panel.answered()
    assert panel.text(".fl-said") == "Here: 5."
    assert panel.page.evaluate("lab.find('input[type=range]').valueAsNumber") == 2
    assert panel.tabs()[2] == (True, True)


def test_the_keyboard_alone_goes_through_all(panel):
    page = panel.page
    page.get_by_role("radio", name="It falls", exact=True).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    panel.answered()
    assert panel.focused() == "next"
    page.keyboard.press("Enter")
    assert panel.focused() == "set it up"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("8 s")
    page.keyboard.press("ArrowLeft")  # moves the caret, not the stop
    page.keyboard.press("Enter")
    panel.answered()
    assert panel.text(".fl-said").startswith("Right: your 8\N{NO-BREAK SPACE}s")  # on one line
    page.keyboard.press("Enter")
    assert panel.tabs() == [(False, True), (False, True), (True, False)]
    page.keyboard.press("Tab")
    assert panel.focused() == "here"


def test_a_click_on_a_mark_picks_the_option_that_stands_there(panel):
    mark = """(row) => lab.find('.fl-chart').dispatchEvent(new CustomEvent('fl-mark', { bubbles: true, detail: { row } }))"""
    picked = "lab.find('.fl-options input:checked')?.value ?? ''"
    for row in ({"time": "It falls"}, {"way": "up"}, {"way": None}, {}):
        panel.page.evaluate(mark, row)
        assert panel.page.evaluate(picked) == ""
    panel.page.evaluate(mark, {"way": "It falls"})
    assert panel.page.evaluate(picked) == "It falls"
    assert panel.page.evaluate("lab.questions().length") == 0


def test_the_stage_goes_from_stop_to_stop(panel):
    go = "(by) => lab.find('.fabriclib-lab').dispatchEvent(new CustomEvent('fl-go', { detail: by }))"
    for by, now in ((1, 1), (1, 2), (1, 2), (-1, 1), (-1, 0), (-1, 0)):
        panel.page.evaluate(go, by)
        assert panel.tabs()[now][0]


def test_it_opens_at_the_first_that_is_not_done(tab, asking):
    asking().stops["grows"].answer("It grows")
    asking().stops["largest"].answer("2 s")
    lab = asking()
    with opened(tab, lab) as page:
        panel = Panel(page, lab)
        assert panel.tabs() == [(False, True), (True, False), (False, False)]
        assert page.locator("input.fl-number-field").input_value() == "2 s"


def test_a_silent_kernel_is_told(timeless, asking):
    lab = asking()
    with opened(timeless, lab) as page:
        panel = Panel(page, lab)
        panel.click("show me")
        page.clock.fast_forward(9000)
        assert panel.text(".fl-said").startswith("The kernel has not answered yet.")


def test_what_is_said_reaches_a_screen_reader(panel):
    said = panel.page.locator(".fl-stop:not([hidden]) .fl-said")
    assert (said.get_attribute("role"), said.get_attribute("aria-live")) == ("status", "polite")
    assert panel.page.get_by_role("radiogroup", name="What does it do?").is_visible()
