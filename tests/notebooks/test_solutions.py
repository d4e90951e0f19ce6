"""Every exercise can be solved, by the solution we ship; every wrong answer we know gets its own hint."""

from __future__ import annotations

import ast
import re

import pytest
from shipped import LESSONS, calls, code_cells, filled

from fabricbook.course.checking import bind, grade
from fabricbook.lessons import declared, lesson

EXERCISES = declared("exercises")
every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def run_cell(source: str, space: dict):
    """Run a cell as a kernel does and return what it would display: the value of a last expression."""
    body = ast.parse(source).body
    shown = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), space)
    return eval(compile(shown, "<cell>", "eval"), space) if shown else None


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_filled_in_passes_every_check(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    space, passed = {}, []
    for cell in code_cells(path):
        source, keys = cell["source"], calls(cell["source"], "check")
        for key in keys:
            source = filled(source, EXERCISES[key].function, EXERCISES[key].solution)
        shown = run_cell(source, space)
        if keys:
            assert shown.passed, shown
            passed += keys
    assert passed == list(lesson(path.stem[3:]).exercises)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_module_that_a_hint_names_is_at_hand(path):
    """Who reads "with math.ceil" writes it into the cell and runs it: the cells up to there have imported math."""
    imported = set()
    for cell in code_cells(path):
        tree = ast.parse(cell["source"])
        imported |= {name.asname or name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        hints = " ".join(hint for key in calls(cell["source"], "check") for _, hint in EXERCISES[key].wrong)
        assert set(re.findall(r"\b(math|np|pd)\.\w", hints)) <= imported, cell["source"]


@every_exercise
def test_the_solution_is_right(exercise):
    assert grade(exercise, bind(exercise, exercise.solution)).passed


@every_exercise
def test_each_wrong_answer_gets_its_own_hint(exercise):
    assert len(exercise.wrong) >= 3
    assert len({hint for _, hint in exercise.wrong}) == len(exercise.wrong)
    for source, hint in exercise.wrong:
        result = grade(exercise, bind(exercise, source))
        assert not result.passed
        assert result.sentence == hint


@every_exercise
def test_a_ladder_leads_up_to_the_solution(exercise):
    assert re.fullmatch(r"\w.{20,250}[.?]", exercise.nudge)
    half = ast.parse(exercise.half)
    assert any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(half))
    assert exercise.function in {getattr(node, "name", getattr(node, "id", "")) for node in ast.walk(half)}


DECISIONS = [exercise for exercise in EXERCISES.values() if exercise.options]


@pytest.mark.parametrize("exercise", DECISIONS, ids=lambda exercise: exercise.key)
def test_a_decision_has_one_right_option_a_hint_for_each_other_and_no_rung_names_it(exercise):
    wrong = [ast.literal_eval(source) for source, _ in exercise.wrong]
    assert len(exercise.options) >= 4
    assert sorted(exercise.options) == sorted([exercise.answer(), *wrong])
    assert exercise.answer() not in exercise.nudge + exercise.half


def test_there_are_eighty_exercises_half_of_them_functions_and_some_decisions():
    assert len(EXERCISES) >= 80
    assert sum(bool(exercise.cases) for exercise in EXERCISES.values()) >= len(EXERCISES) / 2
    assert len(DECISIONS) >= 20


@pytest.mark.parametrize("term", ["p / m - 1", "(p - m) / m", "(p / m) - 1.0", "1 / m * p - 1"])
def test_errors_without_abs_get_their_hint_however_they_are_written(term):
    exercise = EXERCISES["against_world.off"]
    source = f"sum({term} for p, m in zip(predicted, measured)) / len(measured)"
    assert "too long and too short cancel" in grade(exercise, bind(exercise, source)).sentence
