"""Records are read from sticks, folders and homes; what a learner may have put in their place harms nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from learners_records import guessed

from fabricbook.trainer import records


def names(*places):
    return [one.name for one in records.learners(places)]


def test_a_stick_of_files_folders_of_learners_and_the_homes_of_a_hub(room):
    for place in (["jan.json"], ["maria", "progress.json"], ["li", "work", "progress.json"],
                  ["ana", "fabricbook-course", "progress.json"]):
        room(Path(*place), **guessed("40 %"))
    assert names(room.folder) == ["ana", "jan", "li", "maria"]
    assert names(room.folder / "maria" / "progress.json", room.folder / "jan.json") == ["jan", "maria"]


def test_of_two_records_of_one_name_the_newer_counts(room):
    room("jan.json", minutes_ago=9, **guessed("1 %"))
    room("jan/progress.json", minutes_ago=1, **guessed("2 %"))
    [jan] = records.learners([room.folder])
    assert jan.entries("predictions")["congestion.slowest"] == {"typed": "2 %"}


def test_a_former_groups_answers_are_not_this_ones(room):
    room("progress.json", **guessed("40 %"))
    room("aside-2026-11-30/progress.json", **guessed("50 %"))
    assert names(room.folder) == ["room"]


def test_what_is_no_record_is_left_out(room):
    (room.folder / "broken.json").write_text("{", encoding="utf-8")
    (room.folder / "list.json").write_text("[1]", encoding="utf-8")
    (room.folder / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    (room.folder / "other.json").write_text('{"cells": {}}', encoding="utf-8")
    (room.folder / ".hidden.json").write_text('{"predictions": {}}', encoding="utf-8")
    room("odd.json", predictions={"congestion.slowest": "no entry"}, stops=3)
    [odd] = records.learners([room.folder])
    assert (odd.name, odd.entries("predictions"), odd.entries("stops")) == ("odd", {}, {})


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of another kind")
def test_a_link_a_pipe_and_a_huge_file_are_not_read(room, tmp_path, monkeypatch):
    secret = tmp_path / "secret.json"
    secret.write_text('{"predictions": {}}', encoding="utf-8")
    (room.folder / "eve").mkdir()
    (room.folder / "eve" / "progress.json").symlink_to(secret)
    (room.folder / "eva").mkdir()
    (room.folder / "eva" / "work").symlink_to(tmp_path)
    (tmp_path / "progress.json").write_text('{"predictions": {}}', encoding="utf-8")
    os.mkfifo(room.folder / "pipe.json")
    monkeypatch.setattr(records, "LARGEST", 100)
    room("huge.json", predictions={"a": {"typed": "x" * 200}})
    assert names(room.folder) == []


def test_a_place_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="place '.*nowhere' is not there; name progress files, or a folder"):
        names(tmp_path / "nowhere")
