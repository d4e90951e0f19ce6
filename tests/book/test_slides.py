"""Slides: what a page gives to see, one at a time, its prose as notes; in a real browser, from files, with the network off."""

from __future__ import annotations

import re
import subprocess
import sys

import axe
import build_slides
import nbformat
import pytest
from book import slides
from book.cells import Where

import notebooks
from fabricbook.lessons import lesson, lessons

NAMES = [one.name for one in lessons()]
ALIVE = "wire-map"
STANDS = """() => {
  const slide = globalThis.Reveal?.getCurrentSlide();
  const drawn = (lab) => lab.querySelector(".fl-staged .fl-chart")?.flView;
  return slide?.style.fontSize && [...slide.querySelectorAll(".fl-lab")].every(drawn);
}"""
PAGE = """# 07 · A title

**What is asked?**

35 minutes.

## What you will be able to do

- one thing
- another

## Why

### Only said

A [rail](glossary.md#rail "all of one number") is short. It is told. And this sentence is so long that nobody in the last row
would read it, however large the letters on the wall may be, and however good the light.

### Shown

First some words. This is the sum:

$$a + b$$

More words.

````{raw} html
<details class="fl-gate" data-key="k"><summary>Predict first.</summary><div class="fl-lab" data-lab="l"></div></details>
````

And a last word.

```python
hidden = 1
```

<details><summary>For the curious: more</summary>

Folded.

</details>

## What to remember

- this

## Sources

A book.
"""


@pytest.fixture(scope="module")
def found():
    return list(slides.slides(PAGE))


def test_what_is_shown_gets_a_slide_of_its_own(found):
    titles = ["# 07 · A title", "## What you will be able to do", "## Only said", "## Shown", "## Shown", "## What to remember"]
    assert [one.title for one in found] == titles
    assert found[0].shown == "**What is asked?**"
    assert "$$a + b$$" in found[3].shown
    assert '<div class="fl-slide"><div class="fl-lab"' in found[4].shown
    assert "fl-gate" not in found[4].shown


def test_a_section_that_shows_nothing_begins_with_its_first_sentences(found):
    assert found[2].shown.strip() == "A rail is short. It is told."


def test_a_formula_is_told_by_the_sentence_before_it_and_a_lab_by_itself(found):
    assert found[3].shown.startswith("This is the sum:")
    assert "words" not in found[4].shown


def test_an_exercise_shows_what_is_to_be_filled_in_and_no_other_code():
    asked = '````{raw} html\n<div class="fl-course fl-exercise">Write it.</div>\n````'
    page = f"# A\n\n**B?**\n\n## Your turn\n\n{asked}\n\n```python\nstub = ...\n```\n\n```python\nother = 1\n```\n"
    (_, shown) = slides.slides(page)
    assert "stub = ..." in shown.shown
    assert "other" not in str(shown)


def test_prose_is_said_with_what_it_leads_to_and_the_rest_with_the_last(found):
    assert found[0].said == ["35 minutes."]
    assert found[3].said == ["First some words. This is the sum:"]
    assert found[4].said == ["More words.", "And a last word."]
    assert '<aside class="notes">' in str(found[4])
    assert not [one for one in found for left in ("hidden", "Folded", "A book", "glossary") if left in str(one)]


def test_a_cell_that_jupyter_s_mark_skips_is_on_no_slide(tmp_path):
    one = lesson("collectives")
    cells = nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4).cells
    skipped = [cell.source for cell in cells if cell.metadata.get("slideshow", {}).get("slide_type") == "skip"]
    assert skipped
    assert "hold the sum of all" not in slides.deck(one, Where(tmp_path, ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_deck_asks_and_shows_all_that_its_lesson_does(name, tmp_path):
    one = lesson(name)
    deck = slides.deck(one, Where(tmp_path, ""))
    assert set(re.findall(r'<form class="fl-course fl-predict" data-key="([^"]+)"', deck)) == set(one.predictions)
    cells = nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4).cells
    shown = {lab for cell in cells for lab in re.findall(r'book\.lab\("([^"]+)"\)', cell.source)}
    assert shown <= set(re.findall(r'(?:data-lab="|pictures/)([a-z0-9-]+)', deck))
    assert deck.count('<div class="fl-slide">') == deck.count('class="fl-lab"') + deck.count('class="fl-kernel"')
    assert not re.search(r"fl-gate|^## Sources|\]\(\d\d_", deck, re.MULTILINE)
    assert 8 < len(re.findall(r"^## ", deck, re.MULTILINE)) < 50


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    built = tmp_path_factory.mktemp("slides") / "slides"
    made = subprocess.run([sys.executable, build_slides.__file__, "--into", str(built), "start_here", "moving_bytes"],
                          capture_output=True, encoding="utf-8")
    assert made.returncode == 0, made.stderr
    return built


@pytest.fixture(params=[(1920, 1080), (1366, 768), (1024, 768)], ids=lambda size: str(size[0]))
def page(browser, folder, request):
    width, height = request.param
    context, complaints = browser.new_context(viewport={"width": width, "height": height}, offline=True), []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or complaints.append(asked.url))
    yield page
    context.close()
    assert complaints == []


def show(page, folder, name):
    page.goto(f"{(folder / name).as_uri()}.html")
    page.wait_for_function(STANDS)


def now(page):
    return page.evaluate("Reveal.getIndices().h")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index", "00_start_here", "01_moving_bytes"])
def test_every_slide_fits_the_wall(page, folder, name):
    show(page, folder, name)
    for at in range(page.evaluate("Reveal.getTotalSlides()")):
        assert now(page) == at
        page.wait_for_function(STANDS)
        size, *over = page.evaluate("""() => { const slide = Reveal.getCurrentSlide();
            const inside = [...slide.querySelectorAll(":scope > :not(aside, h2)")].map((one) => one.getBoundingClientRect());
            return [parseFloat(slide.style.fontSize),
                    slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth,
                    Math.max(0, ...inside.map(({ bottom }) => Math.floor(bottom - innerHeight))),
                    Math.max(0, ...inside.map(({ top }) => Math.floor(-top)))]; }""")
        assert over == [0, 0, 0, 0], at
        assert size > 0.5, at
        page.keyboard.press("PageDown")


@pytest.mark.browser
def test_a_lab_has_the_slide_to_itself_keeps_its_keys_and_lets_a_clicker_go_on(page, folder):
    show(page, folder, "00_start_here")
    at = page.evaluate("lab => Reveal.getIndices(document.querySelector(`[data-lab=${lab}]`).closest('section')).h", ALIVE)
    page.evaluate("at => Reveal.slide(at)", at)
    lab = page.locator(f'[data-lab="{ALIVE}"] .fabriclib-lab.fl-staged')
    lab.locator("svg.marks").wait_for()
    assert axe.findings(page, f'[data-lab="{ALIVE}"]') == []
    box, window = lab.bounding_box(), page.viewport_size
    assert (box["x"], box["y"]) == (0, 0)
    assert box["width"] == pytest.approx(window["width"], abs=2)
    assert 0.9 * window["height"] < box["height"] <= window["height"]
    assert lab.evaluate("lab => lab.scrollHeight <= lab.clientHeight + 1")
    beside = lab.locator(".fl-slide").first.evaluate("""one => { const text = document.createRange();
        text.selectNodeContents(one.lastChild);
        const [a, b] = [one.firstChild, text].map((part) => part.getBoundingClientRect());
        return (a.top + a.bottom - b.top - b.bottom) / 2; }""")
    assert abs(beside) < 2  # pixels: a value stands as high as its slider
    slider, said = lab.locator("input[type=range]").first, lab.locator(".fl-sentence")
    before = said.inner_text()
    slider.press("ArrowRight")
    page.wait_for_function("([lab, was]) => document.querySelector(`[data-lab=${lab}] .fl-sentence`).textContent !== was",
                           arg=[ALIVE, before])
    assert now(page) == at
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    slider.focus()
    page.keyboard.press("PageDown")
    assert now(page) == at + 1
    page.keyboard.press("ArrowLeft")
    assert now(page) == at
