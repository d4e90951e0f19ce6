"""The page on links and algorithms of one's own: every line of it is run, and answers what it says."""

import doctest

import pytest
from shipped import ROOT

PAGE = ROOT / "docs" / "own.md"


def test_what_the_page_shows_is_what_happens():
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.failed == 0
    assert found.attempted > 20


@pytest.mark.parametrize("part", ["A link", "An algorithm", "A row of a table"])
def test_it_has_every_part(part):
    assert f"\n## {part}\n" in PAGE.read_text(encoding="utf-8")
