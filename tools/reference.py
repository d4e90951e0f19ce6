"""Write the pages that data/ and the lessons are the source of: the words and symbols, and the index of sources.

    notebooks/glossary.md    each word in English and Chinese, each symbol of the formulas, and the lesson that explains it
    docs/sources.md          each source, and what rests on it
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import glossary

from fabricbook.lessons import Lesson, lessons
from fabriclib import catalog
from fabriclib.collectives.registry import entries

ROOT = Path(__file__).resolve().parents[1]
WORDS = ROOT / "notebooks" / glossary.PAGE
SOURCES = ROOT / "docs" / "sources.md"


def used() -> dict[str, dict[str | Lesson, None]]:
    """Return, by the id of each source, the tables whose rows name it, "algorithms" where one does, and lessons whose labs do."""
    found: dict[str, dict[str | Lesson, None]] = defaultdict(dict)
    for table in catalog.rows("tables"):
        for row in catalog.rows(table["id"]):
            for source in [row["source"]] if row.get("source") else row.get("sources", {}).values():
                found[source][table["id"]] = None
    for entry in entries().values():
        found[entry.source]["algorithms"] = None
    for one in lessons():
        for lab in one.labs.values():
            for source in lab.declaration.sources:
                found[source][one] = None
    return found


def sources() -> str:
    """Return the index of sources as a page."""
    places = used()
    return "\n".join([_HEAD, *(_line(row, places[row["id"]]) for row in catalog.rows("sources")), ""])


def _line(row: catalog.Row, places: dict[str | Lesson, None]) -> str:
    named = [f"[{one.number}](../notebooks/{one.file})" if isinstance(one, Lesson) else one for one in places]
    title = f"[{row['title']}](<{row['url']}>)" if row["url"] else row["title"]
    return f"| `{row['id']}` | {title} | {row['publisher']} | {row['date']} | {row['grade']} | {', '.join(named)} |"


def main() -> None:
    """Write both pages."""
    WORDS.write_text(glossary.page(), encoding="utf-8")
    SOURCES.write_text(sources(), encoding="utf-8")


_HEAD = """# The sources, and what rests on each

Written by `make data` from `data/sources.csv`, the rows that cite it, and the lessons: change it there. Grade A is the maker, a
standard, a paper or source code, B a curated collection, C another secondary source. A name in the last column is a table of
[the data](data.md), a number a lesson in whose labs the source is named.

| id | title | publisher | date | grade | used in |
|---|---|---|---|---|---|"""


if __name__ == "__main__":
    main()
