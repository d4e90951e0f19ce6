"""Every number that a lesson's texts state is computed, but for those that `bare` lets stand."""

import re

import jupytext
import pytest

from fabricbook.course.bare import bare_numbers
from fabricbook.lessons import ORDER, lesson


def declared(one, kind):
    """What a lesson declares of a *kind*, its texts as they were written: not filled in."""
    return {item.key: item for item in getattr(one.questions, kind)}


def texts(one):
    """(where, text) of all that a learner of the lesson reads and that is written beforehand."""
    cells = jupytext.reads(one.text, fmt="md:myst").cells
    yield "what it hands on", one.head.hands
    yield from ((f"lesson.md, cell {at}", cell.source) for at, cell in enumerate(cells, 1) if cell.cell_type == "markdown")
    for key, asked in declared(one, "PREDICTIONS").items():
        yield from ((key, text) for text in (asked.question, asked.explain, *asked.slips))
    for key, asked in declared(one, "EXERCISES").items():
        yield from ((key, text) for text in (asked.prompt, asked.nudge, *(hint for _, hint in asked.wrong)))
    for name, lab in one.labs.items():
        yield f"lab {name}", lab.declaration.leaves_out
        yield from ((f"lab {name}, stop {stop.key}", text) for stop in lab.declaration.stops for text in stop.texts)


@pytest.mark.parametrize("name", ORDER)
def test_no_number_of_the_world_is_written_by_hand(name):
    found = {(where, number) for where, text in texts(lesson(name)) for number in bare_numbers(text)}
    assert not found


@pytest.mark.parametrize("name", ORDER)
def test_what_is_shown_as_it_stands_has_no_marks_of_emphasis(name):
    plain = [(where, text) for where, text in texts(lesson(name)) if not where.startswith(("lesson.md", "what it hands on"))]
    assert [where for where, text in plain if re.search(r"(^|\s)\*\w[^*]*\w\*(\W|$)", text)] == []
