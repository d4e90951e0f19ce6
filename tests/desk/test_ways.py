"""What docs/ways.md tells a user to type exists, and so does what conda, Binder and an editor's container are told."""

from __future__ import annotations

import json
import re
import shlex
import tomllib

import pytest
import yaml
from shipped import ROOT

from fabricbook.__main__ import main

PAGE = (ROOT / "docs" / "ways.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)[0].split()


def test_every_target_of_make_exists():
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", PAGE, flags=re.MULTILINE))
    assert {"lab", "wheel", "kit", "kit-check"} <= named <= set(TARGETS)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\bfabricbook (\w+)", PAGE))))
def test_every_command_exists(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0


def test_conda_and_binder_install_what_pyproject_lists():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert environment[:2] == [f"python={oldest}", "pip"]
    (constraints, course) = map(shlex.split, environment[2]["pip"])
    assert (ROOT / constraints[1]).exists()
    assert re.fullmatch(r"\.\[(\w+)\]", course[1])[1] in project["optional-dependencies"]
    assert "fabricbook copy work" in (ROOT / "postBuild").read_text(encoding="utf-8")


def test_a_container_of_an_editor_installs_and_lays_out():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    steps = [shlex.split(step) for step in container["postCreateCommand"].split("&&")]
    assert steps == [["python", "tools/install.py", "book"], [".venv/bin/fabricbook", "copy", "work"]]
    assert (ROOT / steps[0][1]).exists()
