"""The page of features names for each the tests that hold it: they exist."""

from __future__ import annotations

import ast
import re

import pytest
from shipped import ROOT

FEATURES = re.split(r"^### ", (ROOT / "docs" / "features.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def names_in(path: str) -> set[str]:
    return {node.name for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_all_twenty_five_are_listed_and_six_more():
    numbers = [int(number) for feature in FEATURES for number in re.findall(r"^(\d+)\. ", feature)]
    assert numbers == list(range(1, 26))
    assert len(FEATURES) == 25 + 6


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.splitlines()[0])
def test_a_feature_names_tests_that_exist(feature):
    named = re.findall(r"^- `(tests/\S+\.py)::(test_\w+)`$", feature, flags=re.MULTILINE)
    assert named
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []
