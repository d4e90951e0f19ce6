"""The slides of a lesson: its page, cut. What is shown gets a slide of its own, and what explains goes into the speaker's notes.

    the title       with the question of the lesson
    a slide each    for a prediction, a lab, a formula, a table, a verdict, an exercise, under the heading of its section
    one slide       for a section that shows nothing: its list, or the sentence it begins with
    no slide        for what is folded, for code, for the sources, and for a cell that Jupyter's own mark leaves out, in its
                    metadata: {"slideshow": {"slide_type": "skip"}}
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

import notebooks
from fabricbook.lessons import Lesson, lessons

from .cells import Where, markdown
from .pages import TITLE, prose

SHORT = 160  # characters of what is read at a glance
LINES = 12  # of a table or of what was printed: more cannot be read from the last row
# Kinds of blocks of a page's Markdown, by how they begin and end. What is none of them is a paragraph.
_BLOCK = re.compile(
    r"(?P<raw>^````\{raw\} html\n.*?\n````$)|(?P<code>^```.*?^```$)|(?P<fold>^<details>.*?^</details>$)|"
    r"(?P<formula>^\$\$.*?\$\$$)|(?P<heading>^#+ [^\n]*$)|(?P<table>(?:^\|[^\n]*\n?)+)|"
    r"(?P<list>(?:^(?:[-*]|\d+\.) [^\n]*\n?(?:^ +[^\n]*\n?)*)+)|(?P<text>^[^\n]+(?:\n[^\n#|`$<-][^\n]*)*)",
    re.DOTALL | re.MULTILINE)
_GATE = re.compile(r'<details class="fl-gate".*?</summary>(.*)</details>', re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r".+?(?:[.?!:](?=\s+[A-Z*“(])|\Z)", re.DOTALL)
_ALWAYS = ("What you will be able to do", "What to remember")  # their lists are shown whole


@dataclass
class Slide:
    """One slide: its title, what it shows, and what is said with it, both in Markdown."""

    title: str
    shown: str
    said: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        notes = "\n\n".join(self.said)
        aside = f'```{{raw}} html\n<aside class="notes">\n```\n\n{notes}\n\n```{{raw}} html\n</aside>\n```\n' if notes else ""
        return f"{self.title}\n\n{self.shown}\n\n{aside}"


def write(folder: Path, names: Iterable[str] = ()) -> None:
    """Write the decks of the lessons *names*, or of all, into *folder*, and a first one that leads to them."""
    chosen = [one for one in lessons() if one.name in names] if names else lessons()
    where = Where(folder / "_static" / "pictures", "")
    folder.mkdir(parents=True, exist_ok=True)
    for one in chosen:
        (folder / f"{Path(one.file).stem}.md").write_text(deck(one, where), encoding="utf-8")
    (folder / "index.md").write_text(_opening(chosen), encoding="utf-8")


def _opening(chosen: list[Lesson]) -> str:
    lines = [f"# {TITLE}", "", "Page Down and Page Up turn the slides, **?** lists the keys.", ""]
    for part, inside in itertools.groupby(chosen, lambda one: one.head.part):
        lines += [f"## {part}", "", *(f"- [{one.heading}]({Path(one.file).stem}.md)" for one in inside), ""]
    return "\n".join([*lines, "```{toctree}", ":hidden:", "", *(Path(one.file).stem for one in chosen), "```", ""])


def deck(one: Lesson, where: Where) -> str:
    """Return the deck of the lesson *one* as Markdown that sphinx-revealjs reads: a slide is a section."""
    return "\n".join(map(str, slides(_page(one, where))))


def _page(one: Lesson, where: Where) -> str:
    cells = nbformat.read(notebooks.NOTEBOOKS / one.file, as_version=4).cells
    kept = [cell for cell in cells if cell.metadata.get("slideshow", {}).get("slide_type") != "skip"]
    return "\n\n".join(prose(cell.source, []) if cell.cell_type == "markdown" else markdown(cell, one.file, where)
                       for cell in kept)


def slides(page: str) -> Iterator[Slide]:
    """Yield the slides of a lesson's *page*."""
    sections = _sections(page)
    title, (question, *rest) = next(sections)
    yield Slide(title, question[1], [text for _, text in rest])
    for heading, blocks in sections:
        if heading == "## Sources":
            return
        yield from _slides(heading, blocks)


def _sections(page: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each heading with the blocks below it, as (kind, text), links as plain words."""
    heading, blocks = "", []
    for found in _BLOCK.finditer(page):
        kind, text = found.lastgroup, found[0].strip()
        if kind == "heading":
            if heading:
                yield heading, blocks
            heading, blocks = text, []
        else:
            blocks.append((kind, text if kind in ("raw", "code") else plain(text)))
    yield heading, blocks


def plain(text: str) -> str:
    """Return *text* with its links as plain words."""
    return _LINK.sub(r"\1", text)


def _slides(heading: str, blocks: list[tuple[str, str]]) -> list[Slide]:
    """Return the slides of a section: what is said before something is shown goes with it, and what remains with the last."""
    title, said, found = f"## {heading.lstrip('# ')}", [], []
    for kind, text in blocks:
        if shown := _shown(kind, text, title):
            found.append(Slide(title, f"{_said_of(kind, shown, said)}\n\n{shown}", said))
            said = []
        elif kind in ("text", "list"):
            said.append(text)
        elif kind == "code" and found and "fl-exercise" in found[-1].shown and "```python" not in found[-1].shown:
            found[-1].shown += f"\n\n{text}"  # what is to be filled in
    if found:
        found[-1].said += said
    return found or ([Slide(title, _lead(said), said)] if said else [])


def _shown(kind: str, text: str, title: str) -> str:
    """Return what a slide shows of a block, "" if it is nothing to be shown."""
    if kind == "raw":
        return _whole(_GATE.sub(r"\1", text))
    if kind == "list" and title.endswith(_ALWAYS):
        return text
    return text if kind == "formula" or (kind == "table" and text.count("\n") <= LINES) else ""


def _whole(markup: str) -> str:
    """Return *markup* where a slide has room for it: a lab by itself, a table or a text of few lines, anything that asks."""
    if 'class="fl-lab"' in markup or 'class="fl-kernel"' in markup:
        return markup.replace("html\n", 'html\n<div class="fl-slide">', 1).removesuffix("\n````") + "</div>\n````"
    folded = 'class="fl-output"' in markup and "<details" in markup
    long = markup.count("<tr") > LINES or ("<pre>" in markup and markup.count("\n") > LINES)
    return "" if folded or long or not re.search(r"<(?:form|table|pre|ul|div)", markup) else markup


def _said_of(kind: str, shown: str, said: list[str]) -> str:
    """Return the sentence that says what a table or a formula is: the last before it. What asks, and a lab, says it itself."""
    itself = kind == "list" or re.search(r'class="fl-(?:slide|course|claims)', shown)
    return "" if itself or not said else _SENTENCE.findall(said[-1])[-1].strip()


def _lead(said: list[str]) -> str:
    """Return what stands for a section that shows nothing: its first sentence, and the beginnings of a list's items."""
    lists = [text for text in said if re.match(r"[-*\d]", text) and not text.startswith("**")]
    first = _first(said[0]) if said[0] not in lists else ""
    items = [f"- {_first(item)}" for text in lists[:1] for item in re.findall(r"^(?:[-*]|\d+\.) (.*)$", text, re.MULTILINE)]
    return "\n".join([first, "", *items])


def _first(text: str) -> str:
    """Return the first sentence of a *text*, and those after it while they are short."""
    first, *others = _SENTENCE.findall(text)
    for other in others:
        if len(first + other) > SHORT:
            break
        first += other
    return first
