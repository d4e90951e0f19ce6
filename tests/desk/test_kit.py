"""A kit starts with Python alone, and says in a sentence what it cannot do. `make kit-check` tries a whole one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import build_kit
import pytest
from patience import PATIENCE


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Returns a function that calls start.py of a kit without wheels, as a Python without packages does; and the kit's folder."""
    kit = tmp_path / "Übung 1" / "kit"
    monkeypatch.setattr(build_kit, "SITE", tmp_path / "site")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("the book", encoding="utf-8")
    build_kit.lay_out(kit)

    def called(*arguments):
        return subprocess.run([sys.executable, "-I", kit / "start.py", *arguments], capture_output=True, text=True,
                              timeout=PATIENCE, env=os.environ | {"PYTHONIOENCODING": "utf-8"})

    return called, kit


def test_a_kit_for_another_machine_says_so_before_it_installs(start):
    called, kit = start
    (kit / "made_for.json").write_text(json.dumps(build_kit.made_for() | {"python": "3.99", "system": "Plan9"}), encoding="utf-8")
    done = called()
    assert done.stderr.startswith("This kit is for Python 3.99 on Plan9 ")
    assert done.stderr.endswith("`python start.py book` works all the same.\n")
    assert not (kit / ".venv").exists()


def test_the_book_is_served_with_nothing_installed(start):
    called, kit = start
    assert "192.168.1.20" in called("book", "--help").stdout
    assert "cannot be served from" in called("book", "--address", "192.0.2.1").stderr
    (kit / "book" / "index.html").unlink()
    assert "has no index.html" in called("book").stderr
    assert not (kit / ".venv").exists()


def test_what_lies_in_a_kit_is_told_in_it(start):
    _, kit = start
    assert {path.name for path in kit.iterdir()} == {"start.py", "parts", "book", "made_for.json", "README.txt"}
    assert "python start.py book --address ADDRESS" in (kit / "README.txt").read_text(encoding="utf-8")
