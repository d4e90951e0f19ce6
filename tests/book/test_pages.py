"""What every page holds, and what none may hold: the lessons as Sphinx reads them, and two of them as it made them."""

from __future__ import annotations

import html
import re

import nbformat
import pytest
from book.cells import Where
from book.pages import lesson_page

import notebooks
from fabricbook.lessons import declared, lesson, lessons

NAMES = [one.name for one in lessons()]
LIVE = "../lite/lab/index.html?path={file}"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def text(request, pictures):
    return lesson_page(lesson(request.param), Where(pictures, LIVE), lessons())


every = pytest.mark.parametrize(("name", "text"), [(name, name) for name in NAMES], ids=NAMES, indirect=["text"])


@every
def test_a_page_has_all_headings_questions_and_labs_of_its_lesson(name, text):
    one = lesson(name)
    cells = nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = [line for line in prose.splitlines() if line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("#")] == headings
    assert set(re.findall(r'<form class="fl-course fl-predict" data-key="([^"]+)"', text)) == set(one.predictions)
    labs = set(re.findall(r'<div class="fl-lab" data-lab="([^"]+)">', text))
    assert labs <= set(declared("labs"))
    named = {found for cell in cells for found in re.findall(r'book\.lab\("([^"]+)"\)', cell.source)}
    assert labs >= named
    assert text.count("fl-exercise") + text.count("fl-decision") == len(one.exercises)
    assert all(f">{html.escape(option)}<" in text for exercise in one.exercises.values() for option in exercise.options)
    assert text.count(LIVE.format(file=one.file)) >= len(one.exercises)


@every
def test_no_solution_no_hint_and_no_answer_can_be_read(name, text):
    one = lesson(name)
    shown = html.unescape(re.sub(r'data-sealed="[^"]*"', "", text))
    stubs = "".join(cell.source for cell in nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4).cells)
    for exercise in one.exercises.values():
        body = [line.strip() for line in exercise.solution.splitlines() if "return " in line and line.strip() not in stubs]
        assert not [line for line in body if len(line) > 24 and line in shown], exercise.key
        assert not [hint for hint in (exercise.nudge, *(hint for _, hint in exercise.wrong)) if hint in shown], exercise.key
    for asked in one.predictions.values():
        assert asked.explain not in shown
        assert not [clause for clause in asked.slips if clause in shown], asked.key


@every
def test_nothing_speaks_of_cells_that_no_page_has_and_nothing_is_raw(name, text):
    for wrong in ("Shift + Enter", "this cell", "Run All", "run the cell", "Traceback", "&lt;fabric", " object at 0x",
                  "returns nothing yet", "is still empty", "book.", "<style"):
        assert wrong not in re.sub(r"fabricbook\.", "", text), wrong


def test_the_book_is_whole_and_asks_no_network(site):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in site.glob("*.html")}
    around = {"index", "glossary", "claims", "sources", "answers", "live", "search"}
    assert {"00_start_here", "01_moving_bytes"} | around == set(pages)
    for name, text in pages.items():
        assert text.index("Content-Security-Policy") < text.index("<script"), name
        assert not re.findall(r"<script(?![^>]* src=)[^>]*>|<[^>]+ on[a-z]+=", text), name
        assert not re.findall(r'<(?:script|img|link|iframe|source)[^>]*(?:src|href)="(?:https?:)?//', text), name
        assert not re.findall(r'<a (?![^>]*noopener)[^>]*href="https?:', text), name
        assert not re.findall(r"url\(|@import", re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)), name
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style
    assert 'class="next-page" href="01_moving_bytes.html"' in pages["00_start_here"]
    assert 'class="prev-page" href="00_start_here.html"' in pages["01_moving_bytes"]
    assert re.search(r'href="glossary\.html#gradient" title="how each parameter ', pages["00_start_here"])


def test_the_search_index_is_a_script_that_knows_the_words_of_the_lessons(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(")
    assert '"gradient"' in index or "gradient:" in index


@pytest.mark.browser
def test_on_paper_it_has_pages_an_outline_and_links_that_lead_within_it(chromium, site):
    paper = (site / "course.pdf").read_bytes()
    assert 30 < len(re.findall(rb"/Type /Page\b", paper)) < 90
    outline = re.findall(rb"/Title \((.*?)\)", paper)
    for heading in ("What you will be able to do", "Where the 450 come from", "Sources"):
        assert heading.encode() in outline
    assert {b"document-01_moving_bytes", b"document-glossary"} <= set(re.findall(rb"/Dest /([\w-]+)", paper))
    assert all(address.startswith(b"http") for address in re.findall(rb"/URI \((.*?)\)", paper))
    assert paper.count(b"/Subtype /Image") > 10
