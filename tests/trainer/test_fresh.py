"""For the next group: nothing is deleted, and what is laid out is fresh."""

import os

import pytest
from shipped import LESSONS

from fabricbook.__main__ import main
from fabricbook.trainer import fresh


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "class"
    main(["copy", str(folder)])
    (folder / "progress.json").write_text("answers", encoding="utf-8")
    (folder / LESSONS[0].name).write_text("my own words", encoding="utf-8")
    return folder


def test_answers_and_copies_are_moved_aside_and_fresh_ones_laid_out(work, capsys):
    main(["trainer", "reset", str(work)])
    [aside] = work.glob("aside-*")
    assert (aside / "progress.json").read_text(encoding="utf-8") == "answers"
    assert (aside / LESSONS[0].name).read_text(encoding="utf-8") == "my own words"
    assert not (work / "progress.json").exists()
    assert "my own words" not in (work / LESSONS[0].name).read_text(encoding="utf-8")
    assert f"is in {aside}." in capsys.readouterr().out


def test_a_second_group_in_the_same_minute_keeps_the_first_ones_answers(work):
    for _ in range(3):
        fresh.reset(work)
    assert len(list(work.glob("aside-*"))) == 3
    assert len(list(work.glob("aside-*/progress.json"))) == 1


def test_what_is_in_use_stops_it_until_it_is_closed(work, monkeypatch):
    replace = os.replace

    def in_use(old, new):
        if old.name == "progress.json":
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        replace(old, new)

    with monkeypatch.context() as busy:
        busy.setattr(os, "replace", in_use)
        with pytest.raises(ValueError, match="cannot be changed .*; close what uses it"):
            fresh.reset(work)
    fresh.reset(work)
    assert len(list(work.glob("aside-*/progress.json"))) == 1
    assert not (work / "progress.json").exists()


def test_a_plan_can_be_laid_out(work):
    fresh.reset(work, "90-minutes")
    assert len(list(work.glob("*.ipynb"))) == 6


def test_a_folder_that_holds_no_lessons_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no laid-out lessons"):
        fresh.reset(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_plan_that_is_not_there_moves_nothing(work):
    with pytest.raises(ValueError, match="plan 'a-week' is not known"):
        fresh.reset(work, "a-week")
    assert (work / "progress.json").exists()
