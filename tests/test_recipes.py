"""Every recipe of CONTRIBUTING.md, followed to the letter in a copy of the tree; one half followed is refused with its reason."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from once import once
from patience import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
RECIPES = dict(re.findall(r"^### An? ([^\n]+)\n(.*?)(?=^### An? |\Z)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
                          flags=re.MULTILINE | re.DOTALL))
STEP = re.compile(r"^([^\n]+):\n\n(`{3,})\w+\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
NAMES = ["test", "link", "server", "system", "algorithm", "lab", "stop", "lesson", "benchmark table", "claim"]


def edits(recipe: str) -> list[tuple[str, str]]:
    """(what to do, with which text) of a recipe."""
    return [(how, text) for how, _, text in STEP.findall(RECIPES[recipe]) if how != "Check"]


def commands(recipe: str) -> list[str]:
    return next(text for how, _, text in STEP.findall(RECIPES[recipe]) if how == "Check").splitlines()


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """The tree as git would commit it, compiled: the many interpreters that the recipes start need not do it again."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout

    def make(tree: Path) -> str:
        for name in filter(lambda name: (ROOT / name).is_file(), listed.splitlines()):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
        compiled = all(compileall.compile_dir(tree / package, quiet=1) for package in ("fabriclib", "fabricbook"))
        return "" if compiled else "the packages do not compile"

    return once(tmp_path_factory, "tree", make)


@pytest.fixture
def copy(tree, tmp_path):
    """A tree of the test's own."""
    return shutil.copytree(tree, tmp_path, dirs_exist_ok=True)


def follow(copy: Path, how: str, text: str) -> None:
    path, line = re.fullmatch(r"(?:New file|Append to|In) `([^`]+)`(?:, below `([^`]+)`)?", how).groups()
    before = "" if how.startswith("New file") else (copy / path).read_text(encoding="utf-8")
    if line:
        assert before.splitlines().count(line) == 1, f"{path} has not one line {line!r}"
        after = before.replace(f"{line}\n", f"{line}\n{text}", 1)
    else:
        after = before + text
    (copy / path).parent.mkdir(exist_ok=True)
    (copy / path).write_text(after, encoding="utf-8")


def run(copy: Path, command: str) -> subprocess.CompletedProcess:
    """Run a command of a recipe in the copy, with the Python of this test and without installing anything."""
    program, _, arguments = command.partition(" ")
    start = {"make": f'make --old-file ready RUN="{sys.executable}"', "python": f'"{sys.executable}"'}[program]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(f"{start} {arguments}", shell=True, cwd=copy, capture_output=True, text=True, timeout=PATIENCE,
                          env=clean | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""})


def test_there_is_a_recipe_for_each_thing_that_one_adds():
    assert list(RECIPES) == NAMES


@pytest.mark.parametrize("recipe", NAMES)
def test_a_recipe_works(recipe, copy):
    for how, text in edits(recipe):
        follow(copy, how, text)
    for command in commands(recipe):
        found = run(copy, command)
        assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"


@pytest.mark.parametrize(("recipe", "command", "said"), [
    ("lab", "make check ROOM=start_here ONLY='shows and start_here'", "['share-of-the-start']"),
    ("claim", "make check ROOM=moving_bytes ONLY='claims and moving_bytes'", "['o'] == []"),
    ("lesson", "make check ROOM=trial", "lesson 'trial' is not known"),
    ("benchmark table", "make check ROOM=readme ONLY=scored", "held_out.csv lacks"),
])
def test_a_recipe_without_its_last_step_is_refused(recipe, command, said, copy):
    """A lab that no cell shows, a claim that no cell settles, a lesson outside the order, a table without its score."""
    steps = edits(recipe)
    for how, text in steps if recipe == "benchmark table" else steps[:-1]:  # whose last step is a command
        follow(copy, how, text)
    found = run(copy, command)
    assert found.returncode != 0
    assert said in found.stdout + found.stderr
