"""`make check` finds what belongs to a room, and refuses a name that is none."""

from __future__ import annotations

import check
import pytest


def found(room):
    places, words = check.chosen(room)
    return [place.relative_to(check.ROOT).as_posix() for place in places], words


@pytest.mark.parametrize(("room", "places"), [
    ("links", ["fabriclib/links.py", "tests/test_links.py"]),
    ("collectives", ["fabriclib/collectives", "fabricbook/lessons/collectives", "tests/collectives",
                     "tests/lessons/test_collectives.py", *check.OF_EVERY_LESSON]),
    ("cxl", ["fabriclib/cxl.py", "fabricbook/lessons/cxl", "tests/lessons/test_cxl.py", "tests/test_cxl.py",
             *check.OF_EVERY_LESSON]),
    ("hierarchy", ["fabricbook/lessons/hierarchy", "tests/lessons/test_hierarchy.py", *check.OF_EVERY_LESSON]),
    ("stage", ["fabricbook/stage", "tests/stage"]),
    ("readme", ["tests/test_readme.py"]),
])
def test_a_room_is_its_sources_and_the_tests_that_bear_its_name(room, places):
    assert found(room)[0] == places


def test_of_what_every_lesson_must_be_a_lesson_is_held_to_its_own():
    assert {"hierarchy", "two-levels", "rank-order", "rail-all-to-all"} <= set(found("hierarchy")[1].split(" or "))
    assert "cost-curves" not in found("hierarchy")[1]
    assert found("links")[1] == ""


def test_what_is_named_there_exists():
    assert all((check.ROOT / place).exists() for place in check.OF_EVERY_LESSON)


def test_an_unknown_room_is_a_sentence(capsys):
    assert check.main("lniks") == 2
    assert capsys.readouterr().out.startswith("ROOM 'lniks' is not known. Did you mean 'links'")
    assert check.main() == 2


def test_only_the_tests_that_are_asked_for_run(capfd):
    assert check.main("units", "no such test") != 0  # pytest's own complaint that nothing was chosen
    assert check.main("units", "parse") == 0
