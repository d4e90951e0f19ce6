"""The trainer's pages: in step with the plans and the lessons, without answers; the sheet has them all, and is not committed."""

from __future__ import annotations

import re

import pytest
import trainer_guide
from shipped import ROOT

from fabricbook.__main__ import main
from fabricbook.lessons import ORDER, lesson
from fabricbook.trainer import guide, notes, sheet

PAGES = trainer_guide.pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_make_guide_writes(name):
    assert (trainer_guide.DOCS / name).read_text(encoding="utf-8") == PAGES[name], "make guide"


@pytest.mark.parametrize("name", ORDER)
def test_no_page_gives_an_answer_away(name):
    one = lesson(name)
    for key, asked in one.predictions.items():
        told = [guide.section(one), *asked.slips]
        assert not [text for text in told if asked.format(asked.answer()) in text], key


def test_a_lesson_without_notes_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(notes, "NAME", "nowhere.yaml")
    with pytest.raises(ValueError, match=r"nowhere.yaml must hold aim, minutes, show, skip, discuss and listen"):
        notes.notes.__wrapped__(lesson("cxl"))


@pytest.mark.parametrize("name", ORDER)
def test_the_sheet_has_every_answer(name):
    one = lesson(name)
    text = sheet.of_lesson(one)
    assert all(asked.format(asked.answer()) in text for asked in one.predictions.values())
    assert all(asked.solution.strip() in text for asked in one.exercises.values())
    for function in one.labs.values():
        assert text.count(f"### Lab `{function.declaration.name}`") == bool(function.declaration.stops)
    assert text.count("The answer: ") + text.count("Here: ") >= len(one.asked["stops"])


def test_the_sheet_is_written_as_a_page_and_as_text_and_git_ignores_both(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sheet, "lessons", lambda: [lesson("start_here")])
    main(["trainer", "solutions", str(tmp_path / "new")])
    assert f"{tmp_path / 'new' / 'solutions.html'}" in capsys.readouterr().out
    page = (tmp_path / "new" / "solutions.html").read_text(encoding="utf-8")
    assert "<h2>00 · Start here</h2>" in page
    assert "http" not in page
    assert {"solutions.html", "solutions.md"} <= set((ROOT / ".gitignore").read_text(encoding="utf-8").split())


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "lessons", lambda: [])
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="cannot be written to"):
        main(["trainer", "solutions", str(tmp_path / "file")])


def test_the_guide_names_the_commands_and_files_that_there_are(capsys):
    page = (trainer_guide.DOCS / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", page)
    assert not [path for path in linked if not (trainer_guide.DOCS / path).exists()]
    with pytest.raises(SystemExit):
        main(["trainer", "--help"])
    offered = re.findall(r"^    (\w+)(?: |$)", capsys.readouterr().out, flags=re.MULTILINE)
    assert set(re.findall(r"\btrainer (\w+) ", page)) <= set(offered)
    assert all(f"trainer {name}" in page for name in offered)
