"""Code exercises: passes, hints, and whatever a learner's code may do, told as one sentence."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import numpy as np
import pytest

import fabricbook as book
from fabricbook.course import checking
from fabricbook.course.checking import bind, grade
from fabricbook.course.declare import Exercise
from fabricbook.course.progress import Progress

N_HALF = Exercise(
    "moving_bytes.trial", "Write n_half.", "n_half", lambda alpha, beta: alpha / beta,
    "def n_half(alpha, beta=1.0):\n    return alpha / beta\n",
    cases=[(1e-6, 2e-12), (3e-6, np.array([1e-9, 2e-9]))],
    wrong=[("alpha * beta", "Divide, do not multiply."), ("def n_half(alpha, beta):\n    return beta / alpha", "Upside down.")],
)
PORTS = Exercise("moving_bytes.ports", "Set ports.", "ports", lambda: 18, "ports = 18",
                 wrong=[("36", "Both directions."), ("2", "Lanes.")])
NETWORK = Exercise("moving_bytes.network", "Which network for this <job>?", "network", lambda: "a ring", 'network = "a ring"',
                   options=["a ring", "a tree", "one switch"],
                   nudge="Count the <steps>.", half='network = ...  # of p - 1 "steps"',
                   wrong=[('"a tree"', "Its root is busy."), ('"one switch"', "It has too few ports.")])


def test_the_solution_passes():
    assert repr(grade(N_HALF, bind(N_HALF, N_HALF.solution))) == "✓ n_half is right on all 2 cases."
    assert repr(grade(PORTS, bind(PORTS, PORTS.solution))) == "✓ ports is right."


@pytest.mark.parametrize("exercise", [N_HALF, PORTS, NETWORK])
def test_each_known_wrong_answer_gets_its_hint(exercise):
    for source, hint in exercise.wrong:
        assert grade(exercise, bind(exercise, source)).sentence == hint


def test_a_decision_is_right_or_gets_the_hint_of_the_option_and_nothing_else_tells_which():
    assert repr(grade(NETWORK, "a ring")) == "✓ Right: a ring."
    for given in ("ring", 3, np.array(["a ring"]), ["a ring"], lambda: "a ring"):
        said = grade(NETWORK, given).sentence
        assert said.startswith("network is ")
        assert said.endswith(", which is none of 'a ring', 'a tree', 'one switch'.")
    shown = grade(NETWORK, ...)._repr_html_()
    assert "Which network for this &lt;job&gt;?</div><ul><li><code>&#x27;a ring&#x27;</code></li><li>" in shown
    with pytest.raises(ValueError, match="'moving_bytes.network' has 1"):
        replace(NETWORK, cases=[(1,)])


def endless(alpha, beta):
    return endless(alpha, beta)


def leaving(alpha, beta):
    sys.exit("bye")


def interrupted(alpha, beta):
    raise KeyboardInterrupt


class Awkward(Exception):
    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


def awkward(alpha, beta):
    raise Awkward


class Unshowable:
    def __eq__(self, other):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError

    __hash__ = None


@pytest.mark.parametrize(("given", "said"), [
    (None, "n_half is still empty."),
    (..., "n_half is still empty."),
    (5.0, "check needs the function n_half itself"),
    (lambda a, b: None, "n_half(1e-06, 2e-12) returns nothing yet."),
    (lambda a, b: ..., "returns nothing yet"),
    (lambda a, b: 7.0, "n_half(1e-06, 2e-12) gives 7; 5e+05 is expected."),
    (lambda a, b: "5e5", "gives '5e5'; 5e+05 is expected."),
    (lambda a, b: [a / b], "is expected."),
    (lambda a, b: np.mean(a / b), "n_half(3e-06, array([1.e-09, 2.e-09])) gives"),
    (lambda a, b: Unshowable(), "gives a Unshowable; 5e+05 is expected."),
    (lambda a, b: float("nan"), "gives nan"),
    (lambda a, b: 1 / 0, "ZeroDivisionError: division by zero."),
    (lambda a: a, "TypeError"),
    (endless, "it calls itself without end."),
    (leaving, "SystemExit: bye."),
    (interrupted, "n_half(1e-06, 2e-12) was interrupted at line"),
    (awkward, "Awkward."),
    (int, "TypeError"),
])
def test_anything_else_is_one_sentence(given, said):
    result = grade(N_HALF, given)
    assert not result.passed
    assert said in result.sentence
    assert "\n" not in result.sentence


def test_one_interrupt_ends_the_check():
    calls = []

    def n_half(alpha, beta):
        calls.append(alpha)
        raise KeyboardInterrupt

    assert grade(N_HALF, n_half).sentence.endswith("before it returned. Does a loop in it never end?")
    assert len(calls) == 1


def test_an_interrupt_outside_the_learner_s_code_is_told_too(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fabricbook.course.checking.bind", stopped)
    assert grade(N_HALF, lambda alpha, beta: 0.0).sentence == "The check was interrupted. Run this cell again."


def test_a_right_function_that_breaks_a_rule_is_told_so():
    ruled = replace(N_HALF, demand=lambda given: "No lambda." if given.__name__ == "<lambda>" else "")
    assert grade(ruled, lambda alpha, beta: alpha / beta).sentence == "No lambda."
    assert grade(ruled, bind(ruled, ruled.solution)).passed


def test_what_follows_is_said_of_the_learner_s_own_function_once_it_is_right():
    told = replace(N_HALF, follows=lambda given: f"So 8 over 2 is {given(8, 2):.2g} <B>.")
    shown = grade(told, lambda alpha, beta: alpha / beta * 1.0005)
    assert shown.follows == "So 8 over 2 is 4 <B>."
    assert repr(shown) == "✓ n_half is right on all 2 cases. So 8 over 2 is 4 <B>."
    assert "So 8 over 2 is 4 &lt;B&gt;." in shown._repr_html_()
    assert grade(told, lambda alpha, beta: alpha * beta).follows == ""


@pytest.mark.parametrize("stop", [ZeroDivisionError, SystemExit])
def test_what_follows_is_left_out_where_it_cannot_be_computed(stop):
    def follows(given):
        raise stop

    shown = grade(replace(N_HALF, follows=follows), N_HALF.answer)
    assert shown.passed
    assert shown.follows == ""


def test_the_line_that_failed_is_named(tmp_path):
    source = "def n_half(alpha, beta):\n    ratio = helper(alpha)\n    return ratio\n\ndef helper(x):\n    return [][0]\n"
    cell = tmp_path / "cell.py"
    cell.write_text(source)
    space = {}
    exec(compile(source, str(cell), "exec"), space)
    said = grade(N_HALF, space["n_half"]).sentence
    assert said == "n_half(1e-06, 2e-12) stopped at line 6 of the cell (return [][0]): IndexError: list index out of range."


def test_a_learner_cannot_spoil_the_cases():
    def spoil(alpha, beta):
        if isinstance(beta, np.ndarray):
            beta[:] = 1.0
        return alpha / beta

    grade(N_HALF, spoil)
    assert N_HALF.cases[1][1].tolist() == [1e-9, 2e-9]


def test_what_the_learner_wrote_is_shown_as_text():
    def n_half(alpha, beta):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in grade(N_HALF, n_half)._repr_html_()


def test_tries_are_counted_until_it_is_right_and_what_is_empty_is_none(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))

    def record(*given):
        for one in given:
            checking.check(N_HALF, one)
        return Progress(path).get("exercises", N_HALF.key)

    assert record(..., None, lambda alpha, beta: None, lambda alpha, beta: ...) is None
    assert record(lambda alpha, beta: alpha * beta, lambda alpha, beta: 1 / 0) == {"outcome": "wrong", "tries": 2}
    assert record(lambda alpha, beta: alpha / beta, lambda alpha, beta: alpha * beta) == {"passed": True}


def test_a_pass_is_recorded_and_stays(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))
    assert not checking.check(N_HALF, None).passed
    assert Progress(path).get("exercises", "moving_bytes.trial") is None
    assert checking.check(N_HALF, N_HALF.answer).passed
    checking.check(N_HALF, None)
    assert Progress(path).get("exercises", "moving_bytes.trial") == {"passed": True}


def test_the_solution_is_folded_and_in_no_saved_output():
    shown = checking.Solution(N_HALF)
    assert "<details><summary>" in shown.children[0].value
    assert "alpha / beta" in shown.children[0].value
    bundle = shown._repr_mimebundle_()
    assert sorted(bundle) == ["application/vnd.jupyter.widget-view+json", "text/plain"]
    assert "alpha / beta" not in str(bundle)


def test_a_ladder_leads_to_the_solution():
    assert re.findall("<summary>(.*?)</summary>", checking.Solution(N_HALF).children[0].value) == ["One solution"]
    rungs = checking.Solution(NETWORK).children[0].value
    assert re.findall("<summary>(.*?)</summary>", rungs) == ["A nudge", "Half of it", "One solution"]
    assert "<p>Count the &lt;steps&gt;.</p>" in rungs
    assert '<pre style="word-break: normal">network = ...  # of p - 1 &quot;steps&quot;</pre>' in rungs


def test_an_unknown_key_suggests_the_nearest():
    with pytest.raises(ValueError, match="exercise 'moving_bytes.size-fro' is not known. Did you mean 'moving_bytes.size-for'"):
        book.check("moving_bytes.size-fro", None)
