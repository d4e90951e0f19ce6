"""`fabricbook` lays out the lessons and opens them, from a checkout and from a wheel alike."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from patience import PATIENCE
from shipped import LESSONS, ROOT

from fabricbook.__main__ import main
from fabricbook.desk import jupyter


def test_copy_lays_out_every_lesson_without_its_outputs(tmp_path, capsys):
    folder = tmp_path / "Übung 1, evening"
    main(["copy", str(folder)])
    assert sorted(path.name for path in folder.glob("*.ipynb")) == [path.name for path in LESSONS]
    assert '"outputs": []' in (folder / LESSONS[0].name).read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"The lessons are in {folder}\n"


def test_copy_never_overwrites(tmp_path):
    main(["copy", str(tmp_path)])
    (tmp_path / LESSONS[0].name).write_text("my own words", encoding="utf-8")
    (tmp_path / "progress.json").write_text("my answers", encoding="utf-8")
    main(["copy", str(tmp_path)])
    assert (tmp_path / LESSONS[0].name).read_text(encoding="utf-8") == "my own words"
    assert (tmp_path / "progress.json").read_text(encoding="utf-8") == "my answers"


@pytest.fixture
def started(monkeypatch):
    """With what JupyterLab would have been started."""
    calls = []
    monkeypatch.setattr(jupyter, "run", lambda work, **more: calls.append((work, more)))
    return calls


def test_without_a_command_it_opens_the_course_in_the_learners_home(tmp_path, monkeypatch, started):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    main([])
    assert started == [(tmp_path / "fabricbook-course", {"browser": True, "port": None})]
    assert (tmp_path / "fabricbook-course" / LESSONS[0].name).exists()


def test_open_takes_a_folder_a_port_and_no_browser(tmp_path, started):
    main(["open", str(tmp_path / "here"), "--no-browser", "--port", "0"])
    assert started == [(tmp_path / "here", {"browser": False, "port": 0})]


@pytest.mark.parametrize("command", ["open", "copy"])
def test_a_folder_that_cannot_hold_the_lessons_is_told_in_a_sentence(tmp_path, command, started):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="cannot hold the lessons .*name one that you can write to") as left:
        main([command, str(tmp_path / "file")])
    assert "\n" not in str(left.value)
    assert not started


@pytest.mark.parametrize(("arguments", "said"), [
    (["opne"], "invalid choice: 'opne'"), (["copy"], "arguments are required: folder"), (["open", "--port", "x"], "invalid int"),
    (["copy", "a", "b"], "unrecognized arguments: b"),
])
def test_a_slip_of_the_pen_is_told(arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


def test_the_lessons_the_facts_and_the_settings_travel_in_the_wheel(tmp_path):
    """Packed into a wheel and unpacked elsewhere, the course works with nothing of the checkout."""
    packed = subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT,
                            capture_output=True, text=True, timeout=PATIENCE)
    assert packed.returncode == 0, packed.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        assert not [name for name in archive.namelist() if name.startswith(("tests", "tools", "docs"))]
    settings = tmp_path / "site" / "fabricbook" / "desk" / "settings"
    assert {path.name for path in settings.rglob("*.*")} == {"custom.css", "overrides.json", "server_config.json"}
    assert (tmp_path / "site" / "fabricbook" / "stage" / "static" / "vega.js").exists()
    script = "import fabriclib, fabricbook; print(fabriclib.__file__); fabricbook.lab('wire-map').evaluate()"
    trainer = ("from fabricbook.lessons import lessons; from fabricbook.trainer import notes, plans, ready, tour, wall\n"
               "ready._pinned(), wall.PAGE.read_text(encoding='utf-8'), list(map(notes.notes, lessons()))\n"
               "list(map(tour.files, plans.PLANS))")
    for arguments in (["-c", script], ["-c", trainer], ["-m", "fabricbook", "copy", tmp_path / "course"]):
        done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert str(ROOT) not in done.stdout
    assert sorted(path.name for path in (tmp_path / "course").glob("*.ipynb")) == [path.name for path in LESSONS]
