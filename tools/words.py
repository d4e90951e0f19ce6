"""Where each word of the glossary first stands in the course: `python tools/words.py` prints the places that are not its own.

A word stands where its lesson explains it: there for the first time, and bold in that paragraph or table. What a lesson
promises at its beginning, and its sources at its end, may name what a reader does not know yet.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import glossary

import notebooks
from fabricbook.lessons import lessons
from fabriclib import catalog


class Place(NamedTuple):
    """Where a word stands: a lesson, the words around it, and whether it is bold in that paragraph or table."""

    lesson: str
    around: str
    bold: bool


@functools.cache
def prose() -> tuple[tuple[str, str], ...]:
    """Return (lesson, text) in the order of the course: what explains, without code, formulas and headings."""
    return tuple((one.name, glossary.NOT_READ.sub(" ", _explaining(notebooks.source(one).cells))) for one in lessons())


def _explaining(cells) -> str:
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]  # what stands before them is the title and its question
    return "\n\n".join(one for one in sections if not one.startswith(glossary.ASIDE))


def first(word: re.Pattern) -> Place | None:
    """Return where what *word* finds first stands in the course; None if nowhere."""
    for lesson, text in prose():
        if found := word.search(text):
            around = " ".join(text[max(found.start() - 40, 0):found.end() + 40].split())
            paragraph = text[:found.end()].rpartition("\n\n")[2] + text[found.end():].partition("\n\n")[0]
            return Place(lesson, around, any(map(word.search, re.findall(r"\*\*(.+?)\*\*", paragraph, flags=re.DOTALL))))
    return None


def misplaced() -> dict[str, str]:
    """Return, for each word of the glossary that is not explained where it first stands, what is wrong, in a clause."""
    wrong = {}
    for row in catalog.rows("glossary"):
        place = first(glossary.spelt(row))
        if place is None:
            wrong[row["id"]] = "stands nowhere"
        elif place.lesson != row["lesson"]:
            wrong[row["id"]] = f"first stands in {place.lesson}, and is to be explained in {row['lesson']}: {place.around}"
        elif not place.bold:
            wrong[row["id"]] = f"is not bold where it first stands, in {place.lesson}: {place.around}"
    return wrong


if __name__ == "__main__":
    print("\n".join(f"{word} {what}" for word, what in misplaced().items()))
