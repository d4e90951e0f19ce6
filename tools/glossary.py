"""The words that the course explains: a link to its meaning where a lesson first uses one, and the page they lead to.

The link carries the meaning as its title, so that a pointer on it is enough; the page is `notebooks/glossary.md`, beside the
lessons wherever they are. Both are written by `python tools/reference.py`, or with the notebooks.
"""

from __future__ import annotations

import re

from fabricbook.lessons import Lesson, lesson
from fabriclib import catalog

PAGE = "glossary.md"
ASIDE = ("## What you will be able to do", "## Sources")  # what a lesson promises, and whom it names, is not yet explained
NOT_READ = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)]*\)|<summary>[^\n]*|</?[a-z][^>\n]*>|^#[^\n]*",
                      re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)")


def spelt(row: catalog.Row) -> re.Pattern:
    """Return what finds the word of a *row* of the glossary, in each of its forms, in the singular or the plural."""
    forms = [row["word"], *filter(None, row["forms"].split(", "))]
    alike = "|".join(re.escape(form) if form != form.lower() else f"(?i:{re.escape(form)})" for form in forms)
    return re.compile(rf"(?<![\w-])(?:{alike})(?:s|es)?(?![\w-])")


def linked(notebook, one: Lesson):
    """Return the *notebook* of the lesson *one*, each word of the glossary linked to its meaning where it is first used."""
    waiting = {row["id"]: row for row in catalog.rows("glossary") if one.name == row["lesson"] or one.name not in row["not_in"]}
    explains = False
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        parts = re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)
        for at, part in enumerate(parts):
            explains = not part.startswith(ASIDE) if part.startswith("## ") else explains
            parts[at] = _linked(part, waiting) if explains else part
        cell.source = "".join(parts)
    return notebook


def _linked(text: str, waiting: dict[str, catalog.Row]) -> str:
    """Return *text* with the first use of each of *waiting* linked, and take those out of *waiting*."""
    while found := _first(text, waiting):
        start, row, word = found
        text = f"{text[:start]}[{word}]({PAGE}#{anchor(row)} \"{row['meaning']} · {row['word_zh']}\"){text[start + len(word):]}"
        del waiting[row["id"]]
    return text


def _first(text: str, waiting: dict[str, catalog.Row]) -> tuple[int, catalog.Row, str] | None:
    """Return where the first of *waiting* stands in what is read of *text*, the longest of those that begin there."""
    for hidden in (_LINK, NOT_READ):
        text = hidden.sub(lambda found: "\0" * len(found[0]), text)
    places = [(found.start(), -len(found[0]), row, found[0]) for row in waiting.values() if (found := spelt(row).search(text))]
    if not places:
        return None
    start, _, row, word = min(places, key=lambda one: one[:2])
    return start, row, word


def anchor(row: catalog.Row) -> str:
    """Return the name that JupyterLab gives the heading of a word."""
    return row["word"].replace(" ", "-")


def page() -> str:
    """Return the page of all words, in the order of the alphabet, and of all symbols, in that of the lessons."""
    words = sorted(catalog.rows("glossary"), key=lambda row: row["word"].lower())
    return "\n".join([_HEAD, *map(_entry, words), _SYMBOLS, *map(_symbol, catalog.rows("symbols")), ""])


def _entry(row: catalog.Row) -> str:
    meaning = row["meaning"][0].upper() + row["meaning"][1:]
    return f"### {row['word']}\n\n{meaning}. {_where(row)}\\\n{row['word_zh']}：{row['meaning_zh']}。\n"


def _symbol(row: catalog.Row) -> str:
    return f"| ${row['tex']}$ | {row['meaning']} | {row['unit']} | {_where(row)} |"


def _where(row: catalog.Row) -> str:
    there = lesson(row["lesson"])
    return f"[{there.number}]({there.file})"


_HEAD = """# Words and symbols

Every word in English and in Chinese, as the course uses it, with the lesson that explains it. A lesson links each word here where
it first uses it. The symbols of the formulas stand at the end.

## Words · 词汇
"""

_SYMBOLS = """## Symbols · 符号

A letter means what the last lesson said of it. 1 is a number without a unit.

| symbol | what it stands for | unit | lesson |
|---|---|---|---|"""
