"""A learner's answers are not lost: not by a second notebook, not by a damaged file. What else may go wrong: test_faults.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

from fabricbook.course.progress import Progress, current

ROOT = Path(__file__).resolve().parents[2]
SAVER = """
import sys
from fabricbook.course.progress import Progress
progress, prefix = Progress(sys.argv[1]), sys.argv[2]
for number in range(int(sys.argv[3])):
    progress.record("predictions", f"{prefix}{number}", {"typed": "450 GB/s" * 50})
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "progress.json"


def saver(path, prefix, count):
    command = [sys.executable, "-c", SAVER, str(path), prefix, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_what_was_recorded_is_there_for_the_next_kernel(path):
    Progress(path).record("predictions", "moving_bytes.a", {"typed": "450 GB/s"})
    Progress(path).record("exercises", "moving_bytes.b", {"passed": True})
    assert Progress(path).get("predictions", "moving_bytes.a") == {"typed": "450 GB/s"}
    Progress(path).record("predictions", "moving_bytes.a", None)
    assert Progress(path).get("predictions", "moving_bytes.a") is None
    assert Progress(path).get("exercises", "moving_bytes.b") == {"passed": True}


def test_a_missing_file_is_an_empty_record(path):
    progress = Progress(path)
    assert progress.get("predictions", "moving_bytes.a") is None
    assert progress.notice == ""


def test_two_notebooks_keep_each_others_answers(path):
    first, second = Progress(path), Progress(path)
    first.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    second.record("predictions", "moving_bytes.b", {"typed": "2 s"})
    first.record("predictions", "moving_bytes.c", {"typed": "3 s"})
    assert second.get("predictions", "moving_bytes.c") == {"typed": "3 s"}
    assert set(json.loads(path.read_bytes())["predictions"]) == {"moving_bytes.a", "moving_bytes.b", "moving_bytes.c"}


def test_two_writers_at_once_lose_nothing(path):
    writers = [saver(path, prefix, 60) for prefix in "ab"]
    assert [len(w.communicate(timeout=PATIENCE)[0].split()) for w in writers] == [60, 60]
    assert len(json.loads(path.read_bytes())["predictions"]) == 120


@pytest.mark.parametrize("busy", ["replace", "read_bytes"])
def test_a_file_that_is_busy_for_an_instant_is_waited_for(path, monkeypatch, busy):
    """As on Windows, where a file that somebody reads cannot be replaced, nor one that is being replaced be read."""
    progress, refused = Progress(path), []
    progress.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    owner = {"replace": os, "read_bytes": Path}[busy]
    works = getattr(owner, busy)

    def at_the_third_try(*arguments):
        refused.append(arguments)
        if len(refused) < 3:
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return works(*arguments)

    monkeypatch.setattr(owner, busy, at_the_third_try)
    progress.record("predictions", "moving_bytes.b", {"typed": "2 s"})
    assert progress.notice == ""
    assert set(Progress(path).recorded("predictions")) == {"moving_bytes.a", "moving_bytes.b"}


DAMAGED = [b"", b'{"predictions": {"moving_bytes.a"', b"[1, 2]", b'{"predictions": 3}', b"\xff\xfe", b"[" * 100_000]


@pytest.mark.parametrize("content", DAMAGED, ids=["empty", "cut", "list", "number", "bytes", "deep"])
def test_a_damaged_file_is_kept_aside(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    progress = Progress(path)
    assert progress.get("predictions", "moving_bytes.a") is None
    assert "damaged" in progress.notice
    progress.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    aside = path.with_name("progress.damaged-1.json")
    assert progress.notice == f"Your progress file was damaged; it is kept as {aside}, and a new one begins."
    assert aside.read_bytes() == content
    assert Progress(path).get("predictions", "moving_bytes.a") == {"typed": "1 s"}
    path.write_bytes(content)
    progress.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    assert path.with_name("progress.damaged-2.json").read_bytes() == content


def test_a_read_only_file_stays_and_lessons_go_on_in_memory(path):
    Progress(path).record("predictions", "moving_bytes.a", {"typed": "1 s"})
    path.chmod(0o444)
    before = path.read_bytes()
    progress = Progress(path)
    progress.record("predictions", "moving_bytes.b", {"typed": "2 s"})
    assert progress.notice.startswith("Your answers are kept only until this notebook's kernel stops")
    assert progress.get("predictions", "moving_bytes.a") == {"typed": "1 s"}
    assert progress.get("predictions", "moving_bytes.b") == {"typed": "2 s"}
    assert path.read_bytes() == before

    path.chmod(0o644)
    progress.record("predictions", "moving_bytes.c", {"typed": "3 s"})
    assert progress.notice == ""
    assert set(json.loads(path.read_bytes())["predictions"]) == {"moving_bytes.a", "moving_bytes.b", "moving_bytes.c"}


def test_a_damaged_read_only_file_is_left_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"{")
    path.chmod(0o444)
    progress = Progress(path)
    progress.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    assert "damaged and read-only" in progress.notice
    assert progress.get("predictions", "moving_bytes.a") == {"typed": "1 s"}
    assert path.read_bytes() == b"{"
    assert not list(path.parent.glob("*damaged*"))


def test_a_place_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    progress = Progress(tmp_path / "file" / "progress.json")
    progress.record("predictions", "moving_bytes.a", {"typed": "1 s"})
    assert progress.notice.startswith("Your answers are kept only until")
    assert progress.get("predictions", "moving_bytes.a") == {"typed": "1 s"}


def test_what_a_newer_course_wrote_is_kept(path):
    path.parent.mkdir()
    path.write_text('{"badges": [1], "predictions": {"fabrics.x": {"typed": "1 s"}}}')
    Progress(path).record("exercises", "moving_bytes.a", {"passed": True})
    assert json.loads(path.read_bytes()) == {
        "badges": [1], "predictions": {"fabrics.x": {"typed": "1 s"}}, "exercises": {"moving_bytes.a": {"passed": True}},
    }


def test_a_file_of_an_earlier_course_keeps_its_answers(path):
    path.parent.mkdir()
    old = {"exercises": {"moving_bytes.b": {"passed": True}}, "predictions": {"moving_bytes.a": {"typed": "1 s"}}}
    path.write_text(json.dumps(old))
    progress = Progress(path)
    assert progress.get("attempts", "moving_bytes.a") is None
    progress.record("claims", "a", {"believed": "no"})
    assert progress.notice == ""
    assert json.loads(path.read_bytes()) == old | {"claims": {"a": {"believed": "no"}}}


def test_the_keys_of_an_earlier_course_are_those_of_today(path):
    """They began with the number that the lesson had then. Nothing is lost, and the next save has the new ones."""
    path.parent.mkdir()
    old = {"predictions": {"01.small": {"typed": "1 s"}, "13.levels": {"shown": True}, "strange": {"typed": "2"}},
           "exercises": {"15.ratio": {"passed": True}}, "attempts": {"01.small": {"entries": [{"typed": "1 s"}]}},
           "claims": {"a": {"believed": "no"}}}
    path.write_text(json.dumps(old))
    progress = Progress(path)
    assert progress.get("predictions", "moving_bytes.small") == {"typed": "1 s"}
    assert progress.get("exercises", "bring_your_own.ratio") == {"passed": True}
    progress.record("predictions", "moving_bytes.copy", {"typed": "3 s"})
    assert json.loads(path.read_bytes()) == {
        "predictions": {"moving_bytes.small": {"typed": "1 s"}, "moving_bytes.copy": {"typed": "3 s"},
                        "hierarchy.levels": {"shown": True}, "strange": {"typed": "2"}},
        "exercises": {"bring_your_own.ratio": {"passed": True}},
        "attempts": {"moving_bytes.small": {"entries": [{"typed": "1 s"}]}}, "claims": {"a": {"believed": "no"}}}


def test_an_answer_of_today_counts_more_than_one_of_an_earlier_course(path):
    path.parent.mkdir()
    path.write_text(json.dumps({"predictions": {"01.small": {"typed": "1 s"}, "moving_bytes.small": {"typed": "2 s"}}}))
    assert Progress(path).get("predictions", "moving_bytes.small") == {"typed": "2 s"}


def test_the_environment_names_the_file(path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))
    assert current().path == path
    assert current() is current()
    monkeypatch.delenv("FABRICLIB_PROGRESS")
    monkeypatch.setattr(Path, "home", lambda: path.parent)
    assert current().path == path.parent / ".fabriclib" / "progress.json"
