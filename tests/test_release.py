"""What says which version this is agrees, and a release that is not ready says why."""

from __future__ import annotations

import importlib
import re
import sys

import pytest
import release
import yaml

import fabriclib


def test_the_version_is_the_same_wherever_it_stands():
    cited = yaml.safe_load((release.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == release.version() == fabriclib.__version__
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)


def test_the_changelog_begins_with_what_is_not_released_and_dates_the_rest():
    heads = re.findall(r"^## (.*)$", (release.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert all(re.fullmatch(r"Not released yet|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", head) for head in heads)
    assert heads.index("Not released yet") == 0 if "Not released yet" in heads else heads


@pytest.mark.parametrize(("texts", "said"), [
    ({}, ""),
    ({"CHANGELOG.md": "## Not released yet\n"}, "CHANGELOG.md has no heading '## 3.2.1 (YYYY-MM-DD)'."),
    ({"CITATION.cff": "a: b\nversion: 3.2.0\n"}, "CITATION.cff does not say 'version: 3.2.1'."),
])
def test_what_is_missing_is_said(monkeypatch, texts, said):
    ready = {"CHANGELOG.md": "# Changes\n\n## 3.2.1 (2027-01-02)\n", "CITATION.cff": "a: b\nversion: 3.2.1\n"}
    monkeypatch.setattr(release, "version", lambda: "3.2.1")
    monkeypatch.setattr(release, "_text", (ready | texts).get)
    monkeypatch.setattr(release, "_run", lambda *command, cwd: "v3.2.0\n" if "tag" in command else "")
    assert release.unready() == ([said] if said else [])


def test_a_taken_tag_and_a_changed_checkout_are_said(monkeypatch):
    tag = f"v{release.version()}"
    monkeypatch.setattr(release, "_run", lambda *command, cwd: f"{tag}\n" if "tag" in command else " M README.md\n")
    said = " ".join(release.unready())
    assert f"The tag {tag} is taken" in said
    assert "not committed" in said


def test_every_issue_form_can_be_read_and_asks_something():
    forms = sorted((release.ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) >= 3
    for form in forms:
        read = yaml.safe_load(form.read_text(encoding="utf-8"))
        assert read["name"]
        assert read["description"]
        assert all(one["attributes"]["label"] for one in read["body"])


@pytest.mark.parametrize("tool", ["build_kit", "build_lite", "first_lesson", "release"])
def test_whoever_asks_for_help_starts_nothing(tool, monkeypatch, capsys):
    module = importlib.import_module(tool)
    monkeypatch.setattr(sys, "argv", [tool, "--help"])
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("it starts"))
    with pytest.raises(SystemExit) as left:
        module.main()
    assert left.value.code == 0
    assert "usage: " in capsys.readouterr().out
