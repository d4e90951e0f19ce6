"""The course never overwrites what a learner changed."""

from __future__ import annotations

import json
import os

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output, writes

from fabricbook.desk import learner_copies

NAME = "01_moving_bytes.ipynb"


@pytest.fixture
def folders(tmp_path):
    shipped, work = tmp_path / "notebooks", tmp_path / "work"
    shipped.mkdir()
    ship(shipped, "1 + 1")
    learner_copies.refresh(learner_copies.handed_out(shipped), work)
    return shipped, work


def ship(shipped, source):
    """Put an executed lesson into *shipped*."""
    shown = new_output("execute_result", {"text/plain": "the answer"}, execution_count=1)
    cell = new_code_cell(source, id="cell-01", outputs=[shown], execution_count=1)
    (shipped / NAME).write_text(writes(new_notebook(cells=[cell])), encoding="utf-8")


def change(work):
    """Do what a learner does: write into the copy."""
    copy = work / NAME
    copy.write_text(copy.read_text(encoding="utf-8").replace("1 + 1", "my own words"), encoding="utf-8")
    return copy.read_bytes()


def source(path):
    return "".join(json.loads(path.read_bytes())["cells"][0]["source"])


def test_a_copy_arrives_with_its_outputs_cleared(folders):
    cell = json.loads((folders[1] / NAME).read_bytes())["cells"][0]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert "the answer" not in (folders[1] / NAME).read_text(encoding="utf-8")


def test_the_page_of_words_comes_along_and_is_the_learners_once_changed(folders):
    shipped, work = folders
    (shipped / "glossary.md").write_text("ring", encoding="utf-8")
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert (work / "glossary.md").read_text(encoding="utf-8") == "ring"
    (work / "glossary.md").write_text("a note of mine", encoding="utf-8")
    (shipped / "glossary.md").write_text("ring, rail", encoding="utf-8")
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work)[0].endswith("the new one is glossary.new.md.")
    assert (work / "glossary.md").read_text(encoding="utf-8") == "a note of mine"
    assert (work / "glossary.new.md").read_text(encoding="utf-8") == "ring, rail"


def test_a_second_start_changes_nothing(folders):
    shipped, work = folders
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in [work / NAME]}
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in [work / NAME]} == before


def test_an_untouched_copy_follows_the_lesson(folders):
    shipped, work = folders
    ship(shipped, "2 + 2")
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert source(work / NAME) == "2 + 2"


def test_a_changed_copy_stays_while_the_lesson_is_the_same(folders):
    shipped, work = folders
    mine = change(work)
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert (work / NAME).read_bytes() == mine
    assert [path.name for path in work.glob("*.ipynb")] == [NAME]


def test_a_newer_lesson_arrives_beside_a_changed_copy_once(folders):
    shipped, work = folders
    mine = change(work)
    ship(shipped, "2 + 2")
    told = learner_copies.refresh(learner_copies.handed_out(shipped), work)
    assert told == [f"{NAME} has a newer version. Yours stays as it is; the new one is 01_moving_bytes.new.ipynb."]
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert (work / NAME).read_bytes() == mine
    assert source(work / "01_moving_bytes.new.ipynb") == "2 + 2"

    ship(shipped, "3 + 3")
    assert "01_moving_bytes.new2.ipynb" in learner_copies.refresh(learner_copies.handed_out(shipped), work)[0]
    assert source(work / "01_moving_bytes.new.ipynb") == "2 + 2"
    assert source(work / "01_moving_bytes.new2.ipynb") == "3 + 3"
    assert (work / NAME).read_bytes() == mine


def test_what_is_in_use_stops_it_and_nothing_arrives_twice(folders, monkeypatch):
    shipped, work = folders
    change(work)
    ship(shipped, "2 + 2")
    (shipped / "02_nvlink.ipynb").write_bytes((shipped / NAME).read_bytes())
    replace = os.replace

    def in_use(old, new):
        if new.name == "02_nvlink.ipynb":
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        replace(old, new)

    with monkeypatch.context() as busy:
        busy.setattr(os, "replace", in_use)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"cannot hold the lessons \(The process cannot access the file"):
                learner_copies.refresh(learner_copies.handed_out(shipped), work)
    assert learner_copies.refresh(learner_copies.handed_out(shipped), work) == []
    assert sorted(path.name for path in work.glob("*.ipynb")) == ["01_moving_bytes.ipynb", "01_moving_bytes.new.ipynb",
                                                                  "02_nvlink.ipynb"]


def test_a_deleted_copy_comes_back(folders):
    shipped, work = folders
    (work / NAME).unlink()
    learner_copies.refresh(learner_copies.handed_out(shipped), work)
    assert source(work / NAME) == "1 + 1"


@pytest.mark.parametrize("record", [None, b"", b"[]", b"[" * 100_000, b'{"01_moving_bytes.ipynb": 3}'],
                         ids=["none", "empty", "list", "deep", "number"])
def test_without_a_readable_record_nothing_is_overwritten(folders, record):
    shipped, work = folders
    mine = change(work)
    if record is None:
        (work / learner_copies.RECORD).unlink()
    else:
        (work / learner_copies.RECORD).write_bytes(record)
    assert len(learner_copies.refresh(learner_copies.handed_out(shipped), work)) == 1
    assert (work / NAME).read_bytes() == mine
