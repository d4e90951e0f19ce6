"""Answers as a file: taken along, brought in, put aside."""

from __future__ import annotations

import base64
import json
import re

import pytest

from fabricbook import my_answers
from fabricbook.course.progress import Progress, current

A, B = "moving_bytes.small", "moving_bytes.large"


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return current()


def exported(box):
    return base64.b64decode(re.search(r'base64,([^"]*)"', box._export.value)[1])


def upload(box, text, name="mine.json", size=None):
    file = {"name": name, "content": memoryview(text), "size": size or len(text), "type": "", "last_modified": 0}
    box._on_upload({"new": (file,)})


def test_what_is_exported_is_imported_elsewhere_and_what_stands_there_stays(record, tmp_path):
    record.record("predictions", A, {"typed": "1 us"})
    record.record("stops", "lab.stop", {"outcome": "right"})
    taken = exported(my_answers())
    other = Progress(tmp_path / "other.json")
    other.record("predictions", A, {"typed": "2 us"})
    other.record("predictions", B, {"typed": "3 us"})
    assert other.take_over(taken) == 1
    assert other.recorded("predictions") == {A: {"typed": "2 us"}, B: {"typed": "3 us"}}
    assert Progress(other.path).recorded("stops") == {"lab.stop": {"outcome": "right"}}


def test_who_watches_an_answer_sees_the_imported_one(record):
    seen = []
    record.watch("predictions", A, lambda: seen.append(record.get("predictions", A)))
    upload(my_answers(), json.dumps({"predictions": {A: {"typed": "1 us"}}}).encode())
    assert seen == [{"typed": "1 us"}]


def test_before_any_answer_there_is_a_file_to_take_along_that_can_be_imported(record):
    assert record.take_over(exported(my_answers())) == 0


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b'{"stops": 3}', b"[" * 100_000, b"<script>"])
def test_a_file_that_is_none_of_ours_is_refused_in_a_sentence_and_changes_nothing(record, text):
    record.record("predictions", A, {"typed": "1 us"})
    before, box = record.path.read_bytes(), my_answers()
    upload(box, text, "<b>x</b>.json")
    assert "&lt;b&gt;x&lt;/b&gt;.json: this file is none that the course exported." in box._said.value
    assert record.path.read_bytes() == before


def test_a_file_too_large_is_refused_unread(record):
    box = my_answers()
    upload(box, b'{"predictions": {}}', size=10**8)
    assert "none that the course exported" in box._said.value


def test_a_new_start_keeps_the_old_answers_and_brings_them_back(record):
    record.record("predictions", A, {"typed": "1 us"})
    box, seen = my_answers(), []
    record.watch("predictions", A, lambda: seen.append(record.get("predictions", A)))
    assert box._back.layout.display == "none"
    box._over.click()
    assert "kept as progress.before-1.json" in box._said.value
    assert (record.get("predictions", A), seen) == (None, [None])
    record.record("predictions", A, {"typed": "2 us"})
    record.record("predictions", B, {"typed": "3 us"})
    box._over.click()
    assert record.path.with_name("progress.before-2.json").exists()
    box._back.click()
    assert record.recorded("predictions") == {A: {"typed": "2 us"}, B: {"typed": "3 us"}}


def test_with_no_answers_a_new_start_says_so(record):
    box = my_answers()
    box._over.click()
    assert "There were no answers yet." in box._said.value


def test_a_folder_that_cannot_be_written_to_is_told(record, monkeypatch):
    record.record("predictions", A, {"typed": "1 us"})

    def refused(*_):
        raise OSError(13, "Permission denied")

    box = my_answers()
    monkeypatch.setattr("os.replace", refused)
    box._over.click()
    assert "Your answers cannot be moved" in box._said.value
    assert record.get("predictions", A) == {"typed": "1 us"}


def test_what_could_not_be_saved_is_exported_and_no_new_start_loses_it(record, monkeypatch):
    record.record("predictions", A, {"typed": "1 us"})
    record.path.chmod(0o444)
    record.record("predictions", B, {"typed": "2 us"})
    box = my_answers()
    assert json.loads(exported(box))["predictions"] == {A: {"typed": "1 us"}, B: {"typed": "2 us"}}
    box._over.click()
    assert f"Your answers cannot be moved ({record.path} is read-only)." in box._said.value
    assert record.get("predictions", B) == {"typed": "2 us"}
    record.path.chmod(0o644)
    box._over.click()
    kept = Progress(record.path.with_name("progress.before-1.json"))
    assert kept.recorded("predictions") == {A: {"typed": "1 us"}, B: {"typed": "2 us"}}
    assert record.get("predictions", B) is None


def test_answers_that_cannot_be_read_are_not_exported_as_none(record):
    record.path.mkdir()
    assert my_answers()._export.value.startswith("Your answers cannot be read (")


def test_no_answer_is_in_a_saved_lesson(record):
    before = my_answers()._repr_mimebundle_()["text/plain"]
    record.record("predictions", A, {"typed": "1 us"})
    assert my_answers()._repr_mimebundle_()["text/plain"] == before
