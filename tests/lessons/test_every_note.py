"""Every lesson has its notes for trainers: what they name is there, they fit the lesson's minutes, and give no number by hand."""

import re

import pytest

from fabricbook.course.bare import bare_numbers
from fabricbook.course.prose import fill
from fabricbook.lessons import ORDER, lesson
from fabricbook.trainer.notes import notes, raw


@pytest.mark.parametrize("name", ORDER)
def test_a_lesson_has_notes_that_name_what_it_has(name):
    one = lesson(name)
    said = notes(one)
    headings = {fill(heading, one.names) for heading in re.findall(r"^#+ (.+)$", one.text, flags=re.MULTILINE)}
    there = {*one.labs, *one.predictions, *one.exercises, *headings}
    assert len(said.show) == 3
    assert len(said.skip) == 2
    assert {*said.show, *said.skip} <= there
    code = set(re.findall(r"`([\w.-]+)`", raw(one)))
    assert code <= there


@pytest.mark.parametrize("name", ORDER)
def test_the_minutes_of_a_room_and_those_of_the_aims_add_up_to_the_lessons(name):
    one = lesson(name)
    aims = re.search(r"\n## What you will be able to do\n\n((?:- .+\n)+)", one.text)[1]
    each = re.findall(r"\((\d+) min\)$", aims, flags=re.MULTILINE)
    assert len(each) == len(aims.splitlines())
    assert sum(map(int, each)) == sum(took for took, _ in notes(one).minutes) == one.head.minutes


@pytest.mark.parametrize("name", ORDER)
def test_notes_are_sentences_and_no_number_of_the_world_is_written_by_hand(name):
    said = notes(lesson(name))
    assert bare_numbers(raw(lesson(name))) == []
    assert said.discuss.endswith("?")
    assert len(said.listen) >= 3
    assert all(text.endswith((".", "!", "?")) for text in (said.aim, *said.listen, *said.show.values(), *said.skip.values()))
