"""`make guide`: write docs/trainer/plans.md and docs/trainer/lessons.md from the plans and the lessons' notes for trainers."""

from __future__ import annotations

from pathlib import Path

from fabricbook.trainer import guide

DOCS = Path(__file__).resolve().parents[1] / "docs" / "trainer"
NOTEBOOKS = "../../notebooks"


def pages() -> dict[str, str]:
    """Return the pages by file name."""
    return {"plans.md": guide.plans(NOTEBOOKS), "lessons.md": guide.course(NOTEBOOKS)}


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
