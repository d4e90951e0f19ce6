"""On Windows and macOS: no module of POSIX alone, no encoding but UTF-8, line ends that git does not change."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from patience import PATIENCE
from shipped import LESSONS, ROOT

# What Windows has not, nor its Python: taken away once those packages are loaded that ask which system they are on.
WINDOWS = """
import importlib, os, pkgutil, signal, sys, types, warnings
import altair, anywidget, ipywidgets, jinja2, numpy, pandas, yaml
sys.modules.update(dict.fromkeys(("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios")))
for module, names in ((os, "fork geteuid getuid mkfifo uname O_NOFOLLOW O_NONBLOCK"), (signal, "SIGKILL SIGALRM alarm")):
    for name in names.split():
        delattr(module, name)
locked = []
sys.modules["msvcrt"] = types.SimpleNamespace(LK_LOCK=1, locking=lambda *arguments: locked.append(arguments[1:]))
warnings.filterwarnings("error", category=EncodingWarning, module=r"fabric(lib|book)")

import fabriclib, fabricbook
for package in (fabriclib, fabricbook):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name != "fabricbook.desk.server":
            importlib.import_module(module.name)
from fabricbook.__main__ import main
from fabricbook.course.progress import Progress
main(["copy", sys.argv[1]])
fabricbook.lab("wire-map").evaluate()
answers = Progress(os.path.join(sys.argv[1], "progress.json"))
answers.record("predictions", "cxl.a", {"typed": "1 \\u00b5s"})
assert (answers.notice, locked) == ("", [(1, 1)]), (answers.notice, locked)
"""


def test_the_course_runs_with_what_windows_has_and_with_an_encoding_that_is_not_utf_8(tmp_path):
    course = tmp_path / "Übung 1, evening"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-X", "warn_default_encoding", "-c", WINDOWS, course], cwd=tmp_path,
                          env=os.environ | ascii_only, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert json.loads((course / "progress.json").read_bytes())["predictions"]["cxl.a"]["typed"] == "1 µs"
    assert len(list(course.glob("*.ipynb"))) == len(LESSONS)


def test_what_is_read_in_the_systems_own_encoding_is_ascii():
    """lazy_loader names no encoding when it reads the list of public names."""
    assert (ROOT / "fabriclib" / "__init__.pyi").read_bytes().isascii()


def test_git_changes_no_line_end():
    rules = subprocess.run(["git", "check-attr", "eol", "text", "--", "README.md", "data/links.csv", "docs/lesson.png"], cwd=ROOT,
                           capture_output=True, text=True, timeout=PATIENCE).stdout
    if rules:  # not a clone otherwise, but an archive of it
        assert "README.md: eol: lf" in rules
        assert "docs/lesson.png: text: unset" in rules
    assert b"\r" not in (ROOT / "data" / "links.csv").read_bytes()
