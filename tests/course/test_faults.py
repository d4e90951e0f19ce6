"""What may go wrong with a machine while a learner answers: nothing that was said to be saved is lost, and a sentence is said."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fabricbook.course.keeping import Keeping
from fabricbook.course.progress import Progress, current
from fabricbook.trainer import records

ROOT = Path(__file__).resolve().parents[2]
KEPT_BRIEFLY = "Your answers are kept only until this notebook's kernel stops ("
HALF = {"predictions": {"trial.a": {"typed": "1 µs"}}, "stops": {"trial.lab.b": {"outcome": "right", "given": "8", "tries": 2}}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "progress.json"


@pytest.fixture
def begun(path):
    """A record with one answer."""
    progress = Progress(path)
    progress.record("predictions", "trial.a", {"typed": "1 us"})
    assert progress.notice == ""
    return progress


def answers(path) -> set[str]:
    return set(Progress(path).recorded("predictions"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no such kill there")
def test_fifty_kills_in_saves_lose_nothing_that_was_said_to_be_saved():
    run = subprocess.run([sys.executable, ROOT / "tools" / "faults.py", "--kills", "50"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith(": 0 answers lost, 0 records damaged.\n")


def test_a_full_disk_is_told_the_file_stays_whole_and_all_is_saved_once_there_is_room(begun):
    """The system refuses to write more than some bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    before, (soft, hard) = begun.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        begun.record("predictions", "trial.b", {"typed": "2 us"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert begun.notice.startswith(KEPT_BRIEFLY)
    assert begun.path.read_bytes() == before
    assert not list(begun.path.parent.glob("*.tmp")), "half a file takes the room that is left"
    assert begun.get("predictions", "trial.b") == {"typed": "2 us"}
    begun.record("predictions", "trial.c", {"typed": "3 us"})
    assert begun.notice == ""
    assert answers(begun.path) == {"trial.a", "trial.b", "trial.c"}


@pytest.mark.parametrize(("owner", "call", "code"), [
    (Path, "mkdir", errno.EROFS), (Path, "read_bytes", errno.EACCES), (Path, "read_bytes", errno.EIO), (os, "fsync", errno.EIO),
    (os, "fsync", errno.EDQUOT), (os, "replace", errno.EROFS), (os, "open", errno.ENOSPC)],
    ids=["read-only home", "another's file", "broken disk", "broken disk at the end", "quota", "read-only disk", "full disk"])
def test_what_the_system_refuses_is_told_and_the_file_is_left_as_it_is(begun, monkeypatch, owner, call, code):
    before = begun.path.read_bytes()

    def refused(*_, **__):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(owner, call, refused)
        fresh = Progress(begun.path)
        fresh.record("predictions", "trial.b", {"typed": "2 us"})
        assert fresh.notice.startswith(KEPT_BRIEFLY)
        assert os.strerror(code) in fresh.notice
        assert fresh.get("predictions", "trial.b") == {"typed": "2 us"}
    assert begun.path.read_bytes() == before
    fresh.record("predictions", "trial.c", {"typed": "3 us"})
    assert answers(begun.path) == {"trial.a", "trial.b", "trial.c"}


def test_a_folder_in_the_place_of_the_record_is_told(path):
    path.mkdir(parents=True)
    progress = Progress(path)
    assert progress.get("predictions", "trial.a") is None
    assert progress.notice.startswith("Your earlier answers cannot be read (")
    progress.record("predictions", "trial.a", {"typed": "1 us"})
    assert progress.notice.startswith(KEPT_BRIEFLY)
    assert path.is_dir()


def test_a_record_cut_anywhere_is_kept_aside_whole(path):
    """A disk may lose the end of a file; what a learner can still read of it is never written over."""
    path.parent.mkdir()
    whole = json.dumps(HALF, ensure_ascii=False).encode()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        progress = Progress(path)
        progress.record("claims", "a", {"believed": "no"})
        aside = path.with_name(f"progress.damaged-{end + 1}.json")
        assert progress.notice == f"Your progress file was damaged; it is kept as {aside}, and a new one begins."
        assert aside.read_bytes() == whole[:end]
        assert json.loads(path.read_bytes()) == {"claims": {"a": {"believed": "no"}}}


@pytest.mark.parametrize("version", [2, 1.5, "2", None, {}])
def test_a_file_from_a_newer_course_is_left_alone_and_told(path, version):
    path.parent.mkdir()
    newer = json.dumps({"version": version, "predictions": [{"key": "trial.a", "typed": "1 us"}]})
    path.write_text(newer, encoding="utf-8")
    progress, box = Progress(path), Keeping()
    assert progress.get("predictions", "trial.a") is None
    assert "was written by a newer version of the course" in progress.notice
    progress.record("predictions", "trial.b", {"typed": "2 us"})
    assert progress.notice.startswith(KEPT_BRIEFLY)
    assert "was written by a newer version of the course" in progress.notice
    assert progress.get("predictions", "trial.b") == {"typed": "2 us"}
    box._take_over("mine.json", newer.encode)
    assert "mine.json: this file was written by a newer version of the course" in box._said.value
    assert [path.name for path in path.parent.glob("*.json")] == [path.name]
    assert path.read_text(encoding="utf-8") == newer


def test_a_file_that_names_the_version_of_today_is_one_of_today(path):
    path.parent.mkdir()
    path.write_text('{"version": 1, "predictions": {"trial.a": {"typed": "1 us"}}}', encoding="utf-8")
    Progress(path).record("predictions", "trial.b", {"typed": "2 us"})
    assert answers(path) == {"trial.a", "trial.b"}
    assert json.loads(path.read_bytes())["version"] == 1


def test_a_clock_set_back_loses_no_answer_and_confuses_no_trainer(begun):
    os.utime(begun.path, (4e9, 4e9))  # the learner's clock was wrong by decades until now
    begun.record("predictions", "trial.b", {"typed": "2 us"})
    assert answers(begun.path) == {"trial.a", "trial.b"}
    assert begun.start_over() is not None
    begun.record("predictions", "trial.c", {"typed": "3 us"})
    os.utime(begun.path, (0, 0))
    assert begun.start_over().name == "progress.before-2.json"
    [one] = records.learners([begun.path.with_name("progress.before-1.json")])
    assert set(one.entries("predictions")) == {"trial.a", "trial.b"}


@pytest.mark.skipif(os.name == "nt", reason="the files there have no such mode")
def test_only_its_owner_may_read_a_record_wherever_it_came_from(begun):
    begun.path.chmod(0o644)  # as an earlier course wrote it
    before = os.umask(0)
    try:
        begun.record("predictions", "trial.b", {"typed": "2 us"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(begun.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(begun.start_over().stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links of another kind")
@pytest.mark.parametrize("there", [True, False], ids=["to a record", "to where none is yet"])
def test_a_link_stays_one_and_leads_to_the_answers(path, tmp_path, there):
    path.parent.mkdir()
    elsewhere = tmp_path / "drive" / "mine.json"
    elsewhere.parent.mkdir()
    if there:
        Progress(elsewhere).record("predictions", "trial.a", {"typed": "1 us"})
    path.symlink_to(elsewhere)
    Progress(path).record("predictions", "trial.b", {"typed": "2 us"})
    assert path.is_symlink()
    assert answers(elsewhere) == ({"trial.a"} if there else set()) | {"trial.b"}


@pytest.mark.skipif(os.name == "nt", reason="links of another kind")
def test_a_link_that_leads_nowhere_is_told(path):
    path.parent.mkdir()
    path.symlink_to(path)
    progress = Progress(path)
    progress.record("predictions", "trial.a", {"typed": "1 us"})
    assert progress.notice.startswith(KEPT_BRIEFLY)
    assert progress.get("predictions", "trial.a") == {"typed": "1 us"}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"version": 2}'],
                         ids=["empty", "bytes", "deep", "newer"])
def test_a_record_that_cannot_be_read_can_still_be_taken_along_and_put_aside(path, monkeypatch, content):
    path.parent.mkdir()
    path.write_bytes(content)
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))
    box = Keeping()
    box._over.click()
    assert "kept as progress.before-1.json" in box._said.value
    assert path.with_name("progress.before-1.json").read_bytes() == content
    current().record("predictions", "trial.a", {"typed": "1 us"})
    box._back.click()
    assert "progress.before-1.json: this file" in box._said.value
    path.with_name("progress.before-1.json").unlink()
    box._back.click()
    assert "No such file" in box._said.value
    assert answers(path) == {"trial.a"}
