"""`fabricbook trainer`: its commands reach what they name, and say in a sentence what they cannot do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from learners_records import guessed
from patience import PATIENCE

from fabricbook.__main__ import main
from fabricbook.desk import jupyter
from fabricbook.trainer import ready, records, wall


@pytest.fixture
def started(monkeypatch):
    """With what JupyterLab would have been started, and whether all would be unlocked."""
    calls = []
    monkeypatch.setattr(jupyter, "run", lambda work, **more: calls.append((work, more, os.environ.get("FABRICBOOK_UNLOCKED"))))
    monkeypatch.setenv("FABRICBOOK_UNLOCKED", "")
    return calls


def test_open_lays_out_the_plan_and_opens_its_page(tmp_path, started):
    main(["trainer", "open", "90-minutes", str(tmp_path / "here"), "--no-browser", "--port", "0"])
    assert started == [(tmp_path / "here", {"browser": False, "port": 0, "lesson": "plan.ipynb"}, "")]
    assert sorted(path.name for path in (tmp_path / "here").glob("*.ipynb")) == [
        "00_start_here.ipynb", "05_pcie.ipynb", "07_one_server.ipynb", "09_fabrics.ipynb", "10_congestion.ipynb", "plan.ipynb"]


def test_open_unlocks_all_by_one_switch_and_has_a_folder_for_each_plan(tmp_path, monkeypatch, started):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    main(["trainer", "open", "half-day", "--unlocked"])
    assert started == [(tmp_path / "fabricbook-half-day", {"browser": True, "port": None, "lesson": "plan.ipynb"}, "1")]


@pytest.mark.parametrize(("arguments", "said"), [
    (["open", "a-week"], "plan 'a-week' is not known"),
    (["open", "90-minutes", "FILE"], "cannot hold the lessons .*name one that you can write to"),
    (["wall", "congestion.slowes", "."], "Did you mean 'congestion.slowest'"),
    (["wall", "congestion.slowest", "nowhere"], "place 'nowhere' is not there"),
    (["stuck", "nowhere"], "place 'nowhere' is not there"),
    (["stuck", ".", "--plan", "a-week"], "plan 'a-week' is not known"),
    (["reset", "nowhere"], "holds no laid-out lessons"),
])
def test_what_cannot_be_done_is_told_in_a_sentence(tmp_path, monkeypatch, started, arguments, said):
    (tmp_path / "FILE").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said) as left:
        main(["trainer", *arguments])
    assert "\n" not in str(left.value)
    assert started == []


def test_whoever_stops_a_command_sees_no_traceback(tmp_path, monkeypatch):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ready, "check", stopped)
    with pytest.raises(SystemExit, match="Stopped."):
        main(["trainer", "ready", str(tmp_path)])


def test_stuck_prints_the_room(room, capsys):
    room("ana.json", **guessed("40 %"))
    main(["trainer", "stuck", str(room.folder)])
    assert capsys.readouterr().out.startswith("1 learner: 1 in 10 · Congestion\n")
    main(["trainer", "stuck", str(room.folder), "--plan", "90-minutes"])
    assert capsys.readouterr().out.startswith("1 learner: 1 in 10 · Congestion\n")


def test_homes_that_cannot_be_looked_into_are_told(room, monkeypatch, capsys):
    room("maria/progress.json", **guessed("40 %"))
    monkeypatch.setattr(records.os, "access", lambda path, mode: False)
    main(["trainer", "stuck", str(room.folder)])
    assert capsys.readouterr().out.startswith("1 folder cannot be looked into: call this with sudo")


def test_a_folder_of_homes_that_cannot_be_looked_into_is_told(room, monkeypatch, capsys):
    monkeypatch.setattr(records.os, "access", lambda path, mode: False)
    monkeypatch.setattr(type(room.folder), "iterdir", refused)
    main(["trainer", "stuck", str(room.folder)])
    assert capsys.readouterr().out.startswith("1 folder cannot be looked into: call this with sudo")


def test_a_place_in_anothers_home_is_told(tmp_path, monkeypatch):
    place, stat = tmp_path / "home" / "maria", os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: refused() if path in (place, str(place)) else stat(path, **more))
    with pytest.raises(SystemExit, match="place '.*maria' is not there"):
        main(["trainer", "stuck", str(place)])


def refused(*_):
    raise PermissionError(13, "Permission denied")


def test_a_name_that_a_terminal_has_no_letters_for_stops_nothing(room):
    room("\u674e.json", **guessed("40 %"))
    done = subprocess.run([sys.executable, "-m", "fabricbook", "trainer", "stuck", room.folder], capture_output=True,
                          encoding="cp1252", env=os.environ | {"PYTHONIOENCODING": "cp1252"}, timeout=PATIENCE)
    assert done.stderr == ""
    assert "\\u674e" in done.stdout


def test_wall_serves_the_prediction_with_the_records_as_they_are(room, monkeypatch):
    served = []
    monkeypatch.setattr(wall, "serve", lambda prediction, learners, **more: served.append((prediction, learners, more)))
    main(["trainer", "wall", "congestion.slowest", str(room.folder), "--no-browser"])
    [(prediction, learners, more)] = served
    assert (prediction.key, learners(), more) == ("congestion.slowest", [], {"port": 0, "browser": False})
    room("ana.json", **guessed("40 %"))
    assert len(learners()) == 1
