"""A lesson's core takes no longer than its head says: what is read, tried, predicted and written."""

import re

import minutes
import pytest

from fabricbook.lessons import lessons


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_fits_its_minutes(lesson):
    counted = minutes.minutes(lesson)
    assert counted.needed <= counted.printed <= 50, minutes.report([lesson])


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_what_one_will_be_able_to_do_is_a_few_things_that_add_up_to_the_minutes(lesson):
    told = lesson.text.split("## What you will be able to do\n")[1].split("\n## ")[0]
    things = re.findall(r"^- (?:.*) \((\d+) min\)$", told, flags=re.MULTILINE)
    assert 3 <= len(things) <= 6
    assert len(things) == len(re.findall(r"^- ", told, flags=re.MULTILINE))
    assert sum(map(int, things)) == lesson.head.minutes


def test_each_part_is_counted():
    assert minutes.Minutes(words=1000, stops=7, predictions=3, written=2, decisions=1, printed=31).needed == 31


@pytest.mark.parametrize(("text", "count"), [
    ("", 0), ("one *two* three", 3), ("| a | b |\n|---|---|\n| 1 | 2 |", 4), ("$$T = \\alpha + n$$ so", 2),
    ("a ```code that is long``` b", 2), ("<details><summary>For the curious: x</summary>\n\nlong\n\n</details>\n\nshort", 1),
    ("[two words](https://example.org/x y)", 2),
])
def test_words_are_what_is_read(text, count):
    assert minutes.words(text) == count
