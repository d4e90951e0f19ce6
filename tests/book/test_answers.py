"""A reader's answers, in a real browser, from files: judged, kept, opened by, carried away and brought back."""

from __future__ import annotations

import json

import axe
import pytest
from payloads import PAYLOADS, SPOILT
from playwright.sync_api import expect

from fabricbook.course.checking import grade
from fabricbook.course.progress import Progress
from fabricbook.lessons import find

pytestmark = pytest.mark.browser
KEY = "start_here.all-reduce"


def form(page, key=KEY):
    return page.locator(f'form.fl-predict[data-key="{key}"]')


def answer(page, text, key=KEY):
    form(page, key).locator("input").fill(text)
    form(page, key).locator("input").press("Enter")
    return form(page, key).locator(".fl-told").inner_text()


def test_right_a_slip_and_nonsense(opened):
    page, asked = opened("00_start_here"), find("predictions", KEY)
    assert "is not a number with a unit" in answer(page, "<img src=x onerror=alert(1)>")
    assert page.locator("img[src=x]").count() == 0
    assert form(page).locator(".fl-ask").is_visible()
    clause, value = next(iter(asked.slips.items()))
    assert clause in answer(page, asked.format(value() if callable(value) else value))
    form(page).locator('[data-do="change"]').click()
    said = answer(page, asked.format(asked.answer()))
    assert "Right: your" in said
    assert asked.explain in said
    assert "Earlier: " in said


def test_a_decision_is_judged_in_python_s_words_kept_and_once_right_stays(opened):
    page, asked = opened("01_moving_bytes"), find("exercises", "moving_bytes.offer")
    box = page.locator(f'.fl-decision[data-key="{asked.key}"]')
    right = asked.answer()
    for option in (*[one for one in asked.options if one != right], right):
        box.get_by_role("button", name=option, exact=True).press("Enter")
        result = grade(asked, option)
        assert box.locator(".fl-told").inner_text().split("\n") == [f"{'✓' if result.passed else '✗'} {result.sentence}",
                                                                    *filter(None, [result.follows])]
        kept = page.evaluate("key => flKept.get('exercises', key)", asked.key)
        assert kept.get("passed", False) is result.passed
    assert kept == {"passed": True, "given": right}
    box.get_by_role("button", name=asked.options[0], exact=True).click()
    again = opened("01_moving_bytes").locator(f'.fl-decision[data-key="{asked.key}"]')
    expect(again.locator('[aria-pressed="true"]')).to_have_text(right)
    expect(again.locator(".fl-told")).to_contain_text(grade(asked, right).sentence)


def test_a_nudge_is_there_for_whoever_opens_it(opened):
    page, asked = opened("01_moving_bytes"), find("exercises", "moving_bytes.offer")
    nudge = page.locator(f'.fl-decision[data-key="{asked.key}"] .fl-nudge')
    assert asked.nudge not in page.content()
    nudge.locator("summary").press("Enter")
    assert nudge.locator("p").inner_text() == asked.nudge


def test_an_answer_opens_what_waits_and_survives_another_visit(opened):
    page = opened("00_start_here")
    gate = page.locator(f'details.fl-gate[data-key="{KEY}"]').first
    expect(gate.locator("img, table").first).to_be_hidden()
    gate.locator("summary").click()
    expect(gate.locator("img").first).to_be_visible()
    gate.locator("summary").click()
    answer(page, "1 s")
    expect(gate.locator("img").first).to_be_visible()
    again = opened("00_start_here")
    expect(form(again).locator(".fl-told")).to_contain_text("Your 1 s is")
    gated = again.locator(f'details.fl-gate[data-key="{KEY}"] img').first
    expect(gated).to_be_visible()
    form(again).locator('[data-do="clear"]').click()
    expect(gated).to_be_hidden()
    form(again).locator('[data-do="back"]').click()
    expect(form(again).locator(".fl-told")).to_contain_text("Your 1 s is")


def test_answers_are_exported_for_the_lessons_with_python_imported_and_cleared(opened, tmp_path):
    page = opened("00_start_here")
    answer(page, "1 s")
    page.locator('[data-claim="b"] [data-vote="yes"]').click()
    answers = opened("answers")
    rows = answers.locator("tr[data-section]:visible")
    expect(rows).to_have_count(1)
    with answers.expect_download() as download:
        answers.locator('[data-do="export"]').click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    kept = Progress(file)
    assert kept.get("predictions", KEY) == {"typed": "1 s"}
    assert kept.get("claims", "b") == {"believed": "yes"}
    answers.locator('[data-do="reset"]').click()
    answers.locator('[data-do="reset"]').click()
    expect(rows).to_have_count(0)
    answers.locator("input[type=file]").set_input_files(file)
    expect(rows).to_have_count(1)
    assert json.loads(answers.evaluate("localStorage.fabricbook")) == json.loads(file.read_text())


def test_what_was_answered_here_stays_as_it_does_with_python(opened, tmp_path):
    page = opened("00_start_here")
    answer(page, "2 s")
    here = json.loads(page.evaluate("localStorage.fabricbook"))
    file = {"predictions": {KEY: {"typed": "1 s"}, "cxl.half": {"typed": "3 GB/s"}}, "attempts": {KEY: {"entries": []}}}
    (tmp_path / "mine.json").write_text(json.dumps(file))
    answers = opened("answers")
    answers.locator("input[type=file]").set_input_files(tmp_path / "mine.json")
    answers.get_by_text("Imported. What was answered here already stays.").wait_for()
    assert json.loads(answers.evaluate("localStorage.fabricbook")) == here | {
        "predictions": here["predictions"] | {"cxl.half": {"typed": "3 GB/s"}}}


def test_a_file_that_holds_no_answers_changes_nothing(opened, tmp_path):
    answers = opened("answers")
    answers.evaluate("localStorage.fabricbook = '{\"claims\": {}}'")
    for text in ("", "[]", "no", '{"predictions": []}', '{"claims": "<b>"}'):
        (tmp_path / "any.json").write_text(text)
        answers.evaluate("document.querySelector('.fl-kept').textContent = ''")
        answers.locator("input[type=file]").set_input_files(tmp_path / "any.json")
        answers.get_by_text("nothing was changed").wait_for()
        assert answers.evaluate("localStorage.fabricbook") == '{"claims": {}}'


def test_whatever_is_typed_is_shown_as_text(opened):
    page = opened("00_start_here")
    for text in PAYLOADS:
        answer(page, text)
        assert page.evaluate(SPOILT) == [0, 0], text
        assert page.url.endswith("00_start_here.html"), text
    assert form(page).locator(".fl-ask").is_visible(), "none of these is a number"


def test_whatever_an_imported_file_says_is_shown_as_text(opened, tmp_path):
    attempts = {KEY: {"entries": [*({"typed": text} for text in PAYLOADS), 3]}}
    for at, text in enumerate(PAYLOADS):
        entry = {"typed": text, "given": text, "outcome": text, "believed": text, "passed": text}
        record = {"predictions": {KEY: entry, text: entry}, "attempts": attempts, "claims": {"a": entry, text: entry},
                  "stops": {"start_here.wire-map.cables": entry, text: entry}, "exercises": {text: entry}, text: {text: entry}}
        (tmp_path / f"{at}.json").write_text(json.dumps(record))
    answers = opened("answers")
    page = opened("00_start_here")
    for at, text in enumerate(PAYLOADS):
        answers.evaluate("localStorage.clear(); document.querySelector('.fl-kept').textContent = ''")
        answers.locator("input[type=file]").set_input_files(tmp_path / f"{at}.json")
        answers.get_by_text("Imported.").wait_for()
        page.wait_for_function("([key, text]) => flKept.get('predictions', key)?.typed === text", arg=[KEY, text])
        page.evaluate("dispatchEvent(new Event('fl-kept'))")
        assert [one.evaluate(SPOILT) for one in (answers, page)] == [[0, 0]] * 2, text
        assert "The answer is" in form(page).locator(".fl-told").inner_text() or "Your" in form(page).inner_text()
    assert opened("index").evaluate(SPOILT) == [0, 0]


def test_what_were_more_than_text_would_not_run_either(opened, reader):
    page = opened("00_start_here")
    page.evaluate("""async () => {
      globalThis.refused = [];
      addEventListener("securitypolicyviolation", ({ effectiveDirective }) => refused.push(effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "globalThis.hit = 1";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<p onclick='globalThis.hit = 1'>go</p><img src='https://example.invalid/x.png'>");
      document.body.lastElementChild.previousElementSibling.click();
      await fetch("https://example.invalid/").catch(() => {});
    }""")
    page.wait_for_function("() => refused.length === 4")
    assert page.evaluate("[globalThis.hit ?? 0, refused.toSorted().join()]") == [
        0, "connect-src,img-src,script-src-attr,script-src-elem"]
    reader.complaints.clear()


def test_damaged_answers_are_put_aside_and_the_reader_is_told(opened):
    page = opened("00_start_here")
    page.evaluate("localStorage.fabricbook = '{\"predictions\": {\"a'")
    page.reload()
    assert "cannot be read" in form(page).locator(".fl-told").inner_text()
    said = answer(page, "1 s")
    assert "this browser keeps them as fabricbook.damaged-1, and a new record begins" in said
    page.evaluate("localStorage.fabricbook = 'again'")
    answer(page, "2 s", "start_here.one-chip")
    assert page.evaluate("[1, 2, 3].map((at) => localStorage.getItem(`fabricbook.damaged-${at}`))") == [
        '{"predictions": {"a', "again", None]


def test_the_map_says_where_to_continue(opened):
    page = opened("00_start_here")
    answer(page, "1 s")
    expect(opened("index").locator(".fl-progress p")).to_have_text("1 questions answered. Continue at Start here.")


@pytest.mark.parametrize("name", ["index", "00_start_here", "glossary", "sources", "answers"])
def test_a_page_fits_and_follows_the_theme(opened, name):
    page = opened(name)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for scheme, width in (("light", 480), ("dark", 1366)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => innerWidth === width && document.documentElement.scrollWidth <= width", arg=width)
        page.wait_for_function("""scheme => document.documentElement.dataset.theme === scheme
            && (getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128) === (scheme === "light")""", arg=scheme)
        assert axe.findings(page, "article", ".sidebar-tree") == []


def test_the_search_finds_a_lesson_from_a_file(opened):
    page = opened("index")
    page.locator("input.sidebar-search").fill("gradient")
    page.locator("input.sidebar-search").press("Enter")
    page.locator("#search-results li a", has_text="Start here").first.wait_for()  # results come one by one


def test_the_search_page_says_what_to_do_until_something_is_looked_for(opened):
    page, told = opened("search"), ".fl-unasked"
    assert "press Enter" in page.locator(told).inner_text()
    assert axe.findings(page, "article") == []
    page.goto(f"{page.url}?q=gradient")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator(told).is_hidden()
