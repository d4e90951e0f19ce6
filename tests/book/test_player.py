"""Labs in a page from a file, with no kernel and no network, under the book's own policy: they say and draw what Python does."""

from __future__ import annotations

import re

import pytest
from book import answered, player, tried
from book.posed import script
from once import once
from payloads import PAYLOADS, SPOILT

import fabricbook
from fabricbook.course.posed import Posed
from fabricbook.course.stops import Choice, Find, Number
from fabricbook.stage import Lab

LABS = ["wire-map", "two-numbers", "switch-adds", "kv-travels"]  # a Find by a slider; no control; steps; a drag


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    def make(built):
        player.write(built, LABS, built / "states")
        (built / "judge.js").write_text(script(), encoding="utf-8")
        (built / "labs.html").write_text(tried.page_of(LABS), encoding="utf-8")
        return ""

    return once(tmp_path_factory, "played", make)


@pytest.fixture(scope="module")
def labs(browser, folder):
    page = browser.new_page(viewport={"width": 1366, "height": 768}, offline=True, reduced_motion="reduce")
    wrong = []
    page.on("pageerror", lambda problem: wrong.append(str(problem)))
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.goto((folder / "labs.html").as_uri())
    yield page
    page.close()
    assert wrong == []


@pytest.fixture
def page(labs):
    """The page as a reader sees it who has answered nothing yet."""
    labs.evaluate("localStorage.clear()")
    labs.reload()
    return labs


@pytest.mark.browser
@pytest.mark.parametrize("name", LABS)
def test_a_lab_is_as_python_s_at_the_ends_of_its_controls(page, name):
    assert tried.differences(page, fabricbook.lab(name), name) == []


def stops(kind) -> list:
    labs = {name: fabricbook.lab(name) for name in LABS}
    return [(lab, posed) for lab in labs.values() for posed in lab.stops.values() if isinstance(posed.declared, kind)]


def opened(page, lab: Lab, posed: Posed):
    """Return the stop on the page, in front of the others."""
    box = page.locator(f'[data-lab="{lab.declared.name}"]')
    box.scroll_into_view_if_needed()
    at = list(lab.stops).index(posed.declared.key)
    box.locator(".fl-stop-tab").nth(at).click()
    return box.locator(".fl-stop").nth(at)


def told(stop) -> tuple[str, str]:
    return stop.get_attribute("data-outcome"), stop.locator(".fl-told").inner_text().replace("\N{NO-BREAK SPACE}", " ").strip()


@pytest.mark.browser
@pytest.mark.parametrize("name", LABS)
def test_every_known_answer_to_a_stop_is_judged_by_enter_in_the_same_words(page, name):
    assert list(answered.misjudged(page, fabricbook.lab(name), name)) == []


@pytest.mark.browser
def test_what_is_done_stays_done(page):
    stop = opened(page, *stops(Choice)[0])
    for option in stop.locator("input").all() * 2:
        option.check()
        stop.locator(".fl-check").click()
    assert told(stop)[0] == "right"


@pytest.mark.browser
def test_nonsense_is_told_in_the_same_words(page):
    lab, posed = stops(Number)[0]
    stop = opened(page, lab, posed)
    for text in ("", "much"):
        stop.locator(".fl-number-field").fill(text)
        stop.locator(".fl-check").click()
        assert told(stop) == ("", posed.judge(text).sentence)


@pytest.mark.browser
def test_whatever_is_typed_or_kept_of_a_stop_is_shown_as_text(page):
    lab, posed = stops(Number)[0]
    stop = opened(page, lab, posed)
    for text in PAYLOADS:
        stop.locator(".fl-number-field").fill(text)
        stop.locator(".fl-check").click()
        entry = {"outcome": "wrong", "given": text, "tries": text}
        kept = {"stops": {one.kept_as: entry for _, one in stops((Choice, Find, Number))}}
        page.evaluate("(kept) => { localStorage.fabricbook = JSON.stringify(kept); dispatchEvent(new Event('fl-kept')); }", kept)
        assert page.evaluate(SPOILT) == [0, 0], text


@pytest.mark.browser
def test_a_place_is_found_or_shown_in_the_same_words(page):
    for lab, posed in stops(Find):
        box, stop = page.locator(f'[data-lab="{lab.declared.name}"]'), opened(page, lab, posed)
        box.locator(".fl-reset").click()
        stop.locator(".fl-check").click()
        assert told(stop)[1] == posed.judge(lab.within(lab.positions())).sentence
        sentence, moves = posed.shown()
        stop.locator(".fl-tell").click()
        assert told(stop) == ("shown", f"{sentence} {posed.saw}")
        stop.locator(".fl-check").click()
        assert told(stop)[1] == f"{posed.judge(lab.positions(**moves)).sentence} {posed.saw}"


@pytest.mark.browser
def test_answers_are_still_there_when_the_page_is_opened_again(page):
    lab, posed = stops(Choice)[0]
    kept = {"claims": {"a": {}}, "stops": {posed.kept_as: {"outcome": "wrong", "given": "?", "tries": 2}}}
    page.evaluate("kept => localStorage.setItem('fabricbook', JSON.stringify(kept))", kept)
    page.reload()
    stop = opened(page, lab, posed)
    assert told(stop) == ("wrong", "")
    stop.locator(".fl-tell").click()
    assert page.evaluate("JSON.parse(localStorage.fabricbook)") == {
        "claims": {"a": {}}, "stops": {posed.kept_as: {"outcome": "shown", "given": "?", "tries": 2}}}


def test_no_answer_can_be_read_in_what_a_page_loads(folder):
    for name in LABS:
        text = (folder / "labs" / f"{name}.js").read_text(encoding="utf-8")
        assert re.fullmatch(r'flLab\("[\w-]+", "[\w+/]+=*"\);\n', text)


def test_a_lab_that_is_too_large_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(player, "MOST", 1000)
    with pytest.raises(ValueError, match=r"at most 1,000 bytes .* too large: two-numbers \("):
        player.write(tmp_path, ["two-numbers"], tmp_path)


@pytest.mark.parametrize("front", ["const a = 1;", "export default {};\nexport const b = 1;", 'import "x";\nexport default {};'])
def test_a_front_that_is_no_single_module_is_refused(monkeypatch, front):
    monkeypatch.setattr(player.LabWidget, "_esm", front)
    with pytest.raises(ValueError, match="the front must export one default object"):
        player.script()


def test_a_vega_that_ends_otherwise_is_refused():
    assert player.vega("const a=1;export{$a as vegaEmbed};").endswith("=> $a(box, spec, { ...options, ast: true });\n})();\n")
    with pytest.raises(ValueError, match="must end with the export of vegaEmbed"):
        player.vega("export default vegaEmbed;")
