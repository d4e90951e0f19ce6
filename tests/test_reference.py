"""The pages written from data/ and the lessons are in step with both; every word, symbol and source has its place."""

from __future__ import annotations

import re

import glossary
import nbformat
import pytest
import reference

import notebooks
from fabricbook.lessons import ORDER, lessons
from fabriclib import catalog

WORDS = catalog.rows("glossary")
SYMBOLS = catalog.rows("symbols")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
# What is no symbol in a formula: text, labels under braces, and what TeX sets in a line.
WORDS_OF_TEX = re.compile(r"_\{\\text\{[^}]*\}\}|(?<!_)\\text\{[^}]*\}|\\[td]?frac|\\sqrt|\\left|\\right|\\[bB]ig|\\underbrace|"
                          r"\\q?quad|\\cdot|\\max|\\min|\\sum|\\log_2|\\Rightarrow|\\[lr]ceil|\\[;,]")
SYMBOL = re.compile(r"(?:\\[A-Za-z]+|[A-Za-z])(?:_\\text\{\w+\}|_\{[^}]*\})?(?:\^\*)?")
LINK = re.compile(rf'\[([^\]]+)\]\({re.escape(glossary.PAGE)}#(\S+) "[^"]+"\)')


def symbols(tex: str) -> set[str]:
    return set(SYMBOL.findall(WORDS_OF_TEX.sub(" ", tex)))


def formulas(one) -> str:
    text = "\n\n".join(cell.source for cell in notebooks.source(one).cells if cell.cell_type == "markdown")
    return " ".join(block or inline for block, inline in FORMULA.findall(text))


def links(cells) -> list[tuple[str, str]]:
    """Return (what is read, where it leads) for each link to a word's meaning."""
    return LINK.findall("\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))


@pytest.mark.parametrize(("page", "text"), [(reference.WORDS, glossary.page), (reference.SOURCES, reference.sources)])
def test_a_page_is_up_to_date(page, text):
    assert page.read_text(encoding="utf-8") == text(), "make data writes it anew"


def test_every_source_has_a_place():
    places = reference.used()
    assert not [row["id"] for row in catalog.rows("sources") if not places[row["id"]]]


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row["id"])
def test_a_word_is_said_in_chinese_in_one_line(row):
    assert CHINESE.search(row["meaning_zh"])
    assert not re.search(r"[。.;；]$|[\n\"(),]", row["meaning_zh"]), "Chinese has signs of its own"
    assert not re.search(r"[(),]", row["word_zh"])


def test_a_word_in_chinese_stands_for_one_word():
    said = [row["word_zh"] for row in WORDS]
    assert len(said) == len(set(said))


def test_the_signs_of_a_formula():
    assert symbols(r"\underbrace{2\,\frac{p-1}{p}\;n\,\beta}_{\text{bytes}}") == {"p", "n", r"\beta"}
    assert symbols(r"n_{1/2} = n^* + \sqrt{B_\text{in}} \cdot \text{layers}") == {"n_{1/2}", "n^*", r"B_\text{in}"}


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.name)
def test_every_symbol_of_a_lesson_is_explained_by_then(one):
    known = {row["tex"] for row in SYMBOLS if ORDER.index(row["lesson"]) <= ORDER.index(one.name)}
    assert symbols(formulas(one)) <= known
    assert {row["tex"] for row in SYMBOLS if row["lesson"] == one.name} <= symbols(formulas(one))


def test_symbols_are_in_the_order_of_the_lessons_and_mean_one_thing_in_each():
    places = [ORDER.index(row["lesson"]) for row in SYMBOLS]
    assert places == sorted(places)
    assert len({(row["tex"], row["lesson"]) for row in SYMBOLS}) == len(SYMBOLS)


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.name)
def test_a_lesson_links_each_word_once_where_it_first_uses_it(one):
    found = links(glossary.linked(notebooks.source(one), one).cells)
    led = [anchor for _, anchor in found]
    assert len(led) == len(set(led))
    rows = {glossary.anchor(row): row for row in WORDS}
    assert all(glossary.spelt(rows[anchor]).fullmatch(word) for word, anchor in found)
    own = {glossary.anchor(row) for row in WORDS if row["lesson"] == one.name}
    assert own <= set(led)
    assert not [anchor for anchor in led if ORDER.index(rows[anchor]["lesson"]) > ORDER.index(one.name)]


def test_a_link_leads_to_a_heading_of_the_page():
    headings = {line.removeprefix("### ").replace(" ", "-") for line in glossary.page().splitlines() if line.startswith("### ")}
    assert headings == {glossary.anchor(row) for row in WORDS}


@pytest.mark.parametrize(("text", "linked"), [
    ("## Why\n\nA **ring** of rings.", "A **[ring]({})** of rings."),
    ("## Why\n\nThe `ring`, $ring$, [ring](x.md) and a ring.", "The `ring`, $ring$, [ring](x.md) and a [ring]({})."),
    ("## Why\n\n### A ring\n\nRings turn.", "### A ring\n\n[Rings]({}) turn."),
    ("# A ring\n\nA ring.\n\n## Sources\n\nA ring.", "A ring."),
    ("## Why\n\nA string.", "A string."),
])
def test_where_a_word_is_linked(text, linked):
    one = lessons()[0]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    (cell,) = glossary.linked(notebook, one).cells
    row = catalog.row("glossary", "ring")
    assert cell.source.endswith(linked.format(f'glossary.md#ring "{row["meaning"]} · {row["word_zh"]}"'))


def test_the_longest_word_that_begins_somewhere_is_linked():
    one = next(one for one in lessons() if one.name == "pcie")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Why\n\nA PCIe switch speaks PCIe.")])
    assert links(glossary.linked(notebook, one).cells) == [("PCIe switch", "PCIe-switch"), ("PCIe", "PCIe")]
