"""`make lab` says what it does while it installs."""

from __future__ import annotations

import ast
import re
import sys
from types import SimpleNamespace

import install
import pytest

PIP = """Obtaining file:///course
  Installing build dependencies: started
  Installing build dependencies: finished with status 'done'
Collecting numpy>=2.0 (from fabriclib==0.1.0)
  Downloading numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl (16 MB)
Collecting jupyterlab>=4.4
Requirement already satisfied: pip in ./.venv
Building wheels for collected packages: fabriclib
  Building editable for fabriclib (pyproject.toml): started
Installing collected packages: numpy, jupyterlab, fabriclib
Successfully installed fabriclib-0.1.0 jupyterlab-4.4 numpy-2.1.0
"""


@pytest.mark.parametrize("file", ["install.py", "open_lab.py", "kit/start.py"])
def test_an_older_python_reads_as_far_as_the_sentence_that_it_is_too_old(file):
    """Of Python 3.6, which clusters still have as python3, a file with newer words in it is a syntax error."""
    ast.parse((install.ROOT / "tools" / file).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_each_step_of_pip_is_a_line():
    said = [text for line in PIP.splitlines(keepends=True) if (text := install._step(line))]
    assert said == ["  building the course itself", "  fetching numpy", "  fetching jupyterlab",
                    "  building the course itself", "  unpacking 3 packages; this is the longest step", "  installed"]


@pytest.mark.parametrize("line", ["", "\n", "Collecting", "Collecting ;", "Installing collected packages:"])
def test_no_line_stops_it(line):
    assert isinstance(install._step(line), str)


def test_lines_are_told_as_they_come_and_a_failure_in_a_sentence(capfd):
    script = "print('Collecting numpy'); print('noise'); import sys; sys.exit(int(sys.argv[1]))"
    install._run([sys.executable, "-c", script, "0"], install._step, "It failed.")
    assert re.fullmatch(r" *\d+:\d\d  fetching numpy\n", capfd.readouterr().out)
    with pytest.raises(SystemExit, match="It failed."):
        install._run([sys.executable, "-c", script, "1"], install._step, "It failed.")


def test_a_long_silence_is_broken(capfd, monkeypatch):
    monkeypatch.setattr(install, "PATIENCE", 0.05)
    script = "import time; print('Collecting numpy', flush=True); time.sleep(1)"
    install._run([sys.executable, "-c", script], install._step, "It failed.")
    said = [line.partition("  ")[2].lstrip(" 0123456789:") for line in capfd.readouterr().out.splitlines()]
    assert said.count("fetching numpy") == 1  # on a busy machine not the first: Python itself takes its time to start
    assert set(said) == {"fetching numpy", "still at it"}


def test_whoever_stops_it_sees_no_traceback():
    def stopped(_):
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match="Stopped. Running the same command again continues it."):
        install._run([sys.executable, "-c", "print('Collecting numpy')"], stopped, "It failed.")


def test_where_a_process_cannot_become_another_it_is_waited_for(monkeypatch):
    monkeypatch.setattr(install, "os", SimpleNamespace(name="nt"))
    with pytest.raises(SystemExit) as left:
        install.go_on(sys.executable, "-c", "raise SystemExit(3)")
    assert left.value.code == 3
