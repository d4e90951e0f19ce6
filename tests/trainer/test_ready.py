"""Ready for tomorrow? Each thing that may be missing is told with what to do, and any one of them is enough for a no."""

from __future__ import annotations

import os
import shutil

import pytest

from fabricbook.__main__ import main
from fabricbook.trainer import ready
from fabricbook.trainer.ready import Found


@pytest.fixture
def work(tmp_path):
    main(["copy", str(tmp_path / "class")])
    return tmp_path / "class"


def test_this_machine_has_what_the_tests_need():
    assert all(found.does for found in (ready.python(), ready.packages(), ready.charts(), ready.clock()))


def test_lessons_must_be_there_writable_and_without_answers(work, tmp_path, monkeypatch):
    assert ready.lessons(work) == Found(True, f"{len(list(work.glob('*.ipynb')))} notebooks in {work}, and no answers yet")
    assert "fabricbook copy" in ready.lessons(tmp_path / "nowhere").said
    (work / "progress.json").write_text("{}", encoding="utf-8")
    assert ready.lessons(work).said.endswith(f"holds a former group's answers: fabricbook trainer reset {work} moves them aside")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in ready.lessons(work).said


def test_jupyterlab_is_really_started_and_asks_nobody_else():
    found = ready.jupyter()
    assert found.does, found.said
    assert "starts on 127.0.0.1" in found.said


def test_a_page_that_asks_the_network_is_found_out():
    assert ready._ELSEWHERE.findall('<script src="https://cdn.example.com/x.js"></script>')
    assert ready._ELSEWHERE.findall('<link href="//fonts.example.com/x.css">')
    assert not ready._ELSEWHERE.findall('<script src="/static/x.js"></script><a href="a">')


def test_a_server_that_ends_at_once_is_told(monkeypatch):
    monkeypatch.setattr(ready.sys, "executable", shutil.which("false") or "false")
    assert "did not start" in ready.jupyter().said


@pytest.mark.parametrize(("patched", "value", "check", "said"), [
    ("OLDEST", (9, 0), ready.python, "needs 9.0 or newer"),
    ("ROOM", 1e30, lambda: ready.disk(ready.ROOT), "GB free"),
    ("FONTS", ("none",), ready.fonts, "fonts-liberation"),
    ("_pinned", lambda: {"altair": "0.1"}, ready.packages, "tested with 0.1"),
])
def test_what_is_missing_is_told_with_what_to_do(monkeypatch, patched, value, check, said):
    if patched == "FONTS" and shutil.which("fc-match") is None:
        pytest.skip("nothing to ask for fonts")
    monkeypatch.setattr(ready, patched, value)
    found = check()
    assert not found.does
    assert said in found.said


def test_a_package_that_is_missing_is_named(monkeypatch):
    needed = ["numpy>=2", 'no-such-thing>=1; extra == "book"', 'other; extra == "test"']
    monkeypatch.setattr(ready.metadata, "requires", lambda _: needed)
    assert ready.packages().said.startswith("no-such-thing not installed")


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    def none():
        raise ready.webbrowser.Error

    monkeypatch.setattr(ready.shutil, "which", lambda _: None)
    monkeypatch.setattr(ready.webbrowser, "get", none)
    assert "install Chromium or Firefox" in ready.browser().said


def test_a_clock_that_is_behind_is_told(monkeypatch):
    monkeypatch.setattr(ready.time, "time", lambda: 0.0)
    assert "set it" in ready.clock().said


@pytest.mark.parametrize("does", [True, False])
def test_one_thing_missing_is_exit_code_1(monkeypatch, capsys, tmp_path, does):
    monkeypatch.setattr(ready, "checks", lambda folder: {"this": lambda: Found(True, "fine"), "that": lambda: Found(does, "so")})
    if does:
        main(["trainer", "ready", str(tmp_path)])
    else:
        with pytest.raises(SystemExit) as left:
            main(["trainer", "ready", str(tmp_path)])
        assert left.value.code == 1
    told = capsys.readouterr().out
    assert "ok       this: fine" in told
    assert told.endswith("Ready for tomorrow.\n" if does else "Not ready: that.\n")


def test_what_there_is_to_fall_back_on_is_said_with_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setattr(ready, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert ready.fall_back() == "no book is built (make book) · no slides are built (make slides) · no kit is built (make kit)"
    for name in ("site/index.html", "dist/slides/index.html", "dist/fabricbook-kit-linux.zip"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    told = ready.fall_back()
    assert "no " not in told.replace(str(tmp_path), "")
    assert told.endswith("the newest kit is fabricbook-kit-linux.zip")
