"""What follows from a right exercise: computed by the learner's function, with a number, and no number of it typed in."""

import ast
import inspect
import re
import textwrap

import pytest

from fabricbook.course.bare import bare_numbers
from fabricbook.course.checking import bind, grade
from fabricbook.lessons import declared

EXERCISES = declared("exercises")
TOLD = {key: one for key, one in EXERCISES.items() if one.follows}


every_told = pytest.mark.parametrize("exercise", TOLD.values(), ids=TOLD)


def written(function) -> str:
    """Return what the texts of *function* say, with an expression in braces for each number that it computes."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(part.value if isinstance(part, ast.Constant) else "{{ computed }}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            texts.append(node.value)
    return " ".join(texts)


def test_every_exercise_says_what_follows():
    assert TOLD.keys() == EXERCISES.keys()


@every_told
def test_the_solution_tells_it_in_a_sentence_with_a_number(exercise):
    follows = grade(exercise, bind(exercise, exercise.solution)).follows
    assert re.fullmatch(r"[A-Z].{30,280}\.", follows)
    assert re.search(r"\d", follows)
    assert not re.search(r"\bnan\b|\binf\b|\de[+-]\d|\d\.\d{4}", follows)


@every_told
def test_it_calls_the_learner_s_own_function(exercise):
    """Another result says something else; one that is a variable has no calls to count."""
    if exercise.cases:
        calls = []

        def counted(*arguments):
            calls.append(arguments)
            return exercise.answer(*arguments)

        exercise.follows(counted)
        assert calls


@every_told
def test_no_number_of_the_world_is_written_by_hand(exercise):
    assert exercise.follows.__name__ != "<lambda>"
    assert not bare_numbers(written(exercise.follows))


def test_the_rule_finds_a_number_among_the_computed():
    def follows(given):
        return f"So {given(1):.0f} of them reach 54.7 ms" + " over 19 links."

    assert bare_numbers(written(follows)) == ["54.7 ms", "19"]
