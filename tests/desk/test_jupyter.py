"""The course opens in JupyterLab where the learner was, in a window that leaves the lesson its width."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from patience import PATIENCE
from shipped import NOTEBOOKS

from fabricbook.__main__ import main
from fabricbook.course.overview import done, here
from fabricbook.desk import jupyter
from fabricbook.lessons import lesson, lessons

FIRST = lessons()[0].file


@pytest.fixture
def progress(tmp_path, monkeypatch):
    """Returns a function that records all that the lessons named ask, and the first prediction of another; and the file."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))

    def record(*whole, begun=""):
        answered = {key: {"shown": True} for name in whole for key in lesson(name).predictions}
        answered |= {key: {"shown": True} for key in list(lesson(begun).predictions)[:1]} if begun else {}
        passed = {key: {"passed": True} for name in whole for key in lesson(name).exercises}
        stops = {key: {"outcome": "right"} for name in whole for key in lesson(name).asked["stops"]}
        path.write_text(json.dumps({"predictions": answered, "exercises": passed, "stops": stops}))
        return path

    return record


@pytest.mark.parametrize(("whole", "begun", "opened"), [
    ([], "", FIRST),
    ([], "pcie", "05_pcie.ipynb"),
    (["start_here"], "", "01_moving_bytes.ipynb"),
    (["pcie"], "start_here", "06_signals.ipynb"),
])
def test_it_opens_the_lesson_at_which_to_continue_as_the_course_says_too(progress, whole, begun, opened):
    assert jupyter.lesson_to_open(NOTEBOOKS, progress(*whole, begun=begun)) == opened
    assert here([done(one.heading, one.file, one.head.minutes, one.asked) for one in lessons()]).file == opened


def test_after_the_last_lesson_the_last_one_opens(progress):
    last = lessons()[-1]
    assert jupyter.lesson_to_open(NOTEBOOKS, progress(last.name)) == last.file


def test_a_wrong_answer_in_a_lab_is_a_beginning(tmp_path):
    (tmp_path / "progress.json").write_text(json.dumps({"stops": {"cxl.some-lab.first": {"outcome": "wrong"}}}))
    assert jupyter.lesson_to_open(NOTEBOOKS, tmp_path / "progress.json") == lesson("cxl").file


def test_an_exercise_that_is_not_right_yet_is_still_to_do(progress):
    path = progress("start_here")
    record = json.loads(path.read_bytes())
    record["exercises"][list(lesson("start_here").exercises)[0]] = {"outcome": "wrong", "tries": 3}
    path.write_text(json.dumps(record))
    assert jupyter.lesson_to_open(NOTEBOOKS, path) == FIRST


@pytest.mark.parametrize("content", [None, b"", b"[]", b"[" * 100_000, b'{"predictions": 3}',
                                     b'{"predictions": {"unknown.key": 3, "x": {}}}'],
                         ids=["none", "empty", "list", "deep", "number", "unknown"])
def test_a_progress_file_that_cannot_be_read_opens_the_first_lesson(tmp_path, content):
    if content is not None:
        (tmp_path / "progress.json").write_bytes(content)
    assert jupyter.lesson_to_open(NOTEBOOKS, tmp_path / "progress.json") == FIRST


def test_jupyterlab_opens_it_on_this_machine_only_and_asks_for_its_token():
    command = jupyter.options("05_pcie.ipynb")
    assert "--LabApp.default_url=/lab/tree/05_pcie.ipynb" in command
    assert "--ServerApp.ip=127.0.0.1" in command
    assert not [option for option in command if "token" in option.lower() or "password" in option.lower()]


@pytest.mark.parametrize("port", ["-1", "99999"])
def test_a_port_that_is_none_is_told_before_anything_starts(tmp_path, port, capsys):
    with pytest.raises(SystemExit, match=rf"port must be .* from 0 to 65535; got {port}\.") as left:
        main(["open", str(tmp_path), "--no-browser", "--port", port])
    assert "\n" not in str(left.value)
    assert "Starting" not in capsys.readouterr().out


def test_the_first_start_closes_the_list_of_files_and_later_ones_leave_the_window_alone(tmp_path):
    jupyter.settle(tmp_path)
    (window,) = (tmp_path / ".jupyter" / "lab" / "workspaces").iterdir()
    assert json.loads(window.read_bytes())["data"]["layout-restorer:data"]["left"]["collapsed"]
    window.write_text("the learner's own")
    jupyter.settle(tmp_path)
    assert window.read_text() == "the learner's own"
    assert "your answers are kept" in (tmp_path / ".jupyter" / "custom" / "custom.css").read_text()


def test_settings_and_windows_stay_in_the_learner_s_folder(tmp_path):
    """JupyterLab decides where they are when it is imported."""
    found = subprocess.run([sys.executable, "-c", f"""
import pathlib
from jupyter_server.extension.application import ExtensionApp
from fabricbook.desk import jupyter
ExtensionApp.launch_instance = classmethod(
    lambda app, options: print(app.workspaces_dir.default_value, app.user_settings_dir.default_value))
jupyter.run(pathlib.Path({str(tmp_path)!r}), browser=False)
"""], capture_output=True, text=True, timeout=PATIENCE)
    config = tmp_path / ".jupyter" / "lab"
    assert found.stdout.splitlines()[-1] == f"{config / 'workspaces'} {config / 'user-settings'}", found.stderr


def test_settings_that_cannot_be_written_are_told(tmp_path):
    (tmp_path / ".jupyter").write_text("in the way", encoding="utf-8")
    with pytest.raises(ValueError, match=r"folder '.*' cannot hold JupyterLab's settings \(.+\); make room there, or"):
        jupyter.settle(tmp_path)
