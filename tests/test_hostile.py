"""The whole public API, the labs and the learner's boxes against hostile values: a refusal names what is wrong, an answer is
finite and can be shown, and in a box there is a sentence. Nothing warns, runs without end or takes a gigabyte.

HOSTILE_CALLS=1000000 makes the sweep longer: that many calls in all.
"""

import math
import os
import random
import warnings

import boxes
import hostile
import numpy as np
import pytest

import fabriclib as fl

TARGETS = {name: target for name, target in {**hostile.targets(), **hostile.labs()}.items() if hostile.arguments_of(target)}
BOXES = boxes.boxes()
CALLS = math.ceil(int(os.environ.get("HOSTILE_CALLS", "20000")) / (len(TARGETS) + len(BOXES)))


@pytest.mark.parametrize("name", TARGETS)
def test_only_a_sentence_refuses(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write what they are asked to
    target, valid = TARGETS[name], hostile.valid_calls()[name]
    assert valid, f"No example calls {name}: give it one in a docstring, or arguments in valid_arguments.VALID."
    rng, faults = random.Random(name), []
    for _ in range(CALLS):
        start = rng.choice(valid)
        arguments, spoiled = hostile.spoiled(target, start, rng)
        if found := hostile.fault(target, arguments, start):
            faults.append(f"{ {one: hostile.shown(arguments[one]) for one in spoiled} }: {found}")
    assert not faults, "\n".join(faults[:20])


@pytest.mark.parametrize("name", BOXES)
def test_a_box_answers_in_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(os, "fsync", lambda _: None)  # what is answered here need not outlive the machine
    say, rng, faults = BOXES[name](), random.Random(name), []
    with warnings.catch_warnings(), hostile.bounds(CALLS):
        warnings.simplefilter("error")
        for _ in range(CALLS):
            if found := boxes.fault(say, boxes.given(rng)):
                faults.append(found)
    assert not faults, "\n".join(faults[:20])


def test_everything_public_is_swept():
    assert hostile.unreached() == []
    assert {"links.link", "links.Link", "links.Link.bundle", "links.AlphaBeta.fit", "units.parse", "collectives.choose.best",
            "congestion.ecmp.expected_max_load", "measurements.read.read_measurements", "cells.predict_first",
            "course.declare.Prediction.parse", "topology.graph.Graph.paths", "machines.system",
            "lab one-server", "collectives.plan.Plan.messages"} <= set(TARGETS)
    assert {"prediction start_here.one-chip", "log", "import", "message one-server"} <= set(BOXES)


@pytest.mark.parametrize("name", TARGETS)
def test_a_valid_call_gets_through(name, tmp_path, monkeypatch):
    """Or no hostile value would be met but by the first check."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    assert any(hostile.works(TARGETS[name], valid) for valid in hostile.valid_calls()[name])


def test_what_is_public_and_not_swept_is_named(monkeypatch):
    monkeypatch.setattr(hostile, "targets", lambda: {name: one for name, one in TARGETS.items() if name != "links.link"})
    assert "link" in hostile.unreached()


def test_a_call_that_takes_a_gigabyte_is_a_fault():
    def large(size):
        return float(np.ones(size).sum())

    found = hostile.fault(hostile.Target("large", large, large, 0), {"size": 2**28}, {"size": 1})
    assert "MemoryError" in found


@pytest.mark.parametrize(("says", "wrong"), [("Right.", False), ("", True), ("This question cannot be judged (x).", True),
                                             (ZeroDivisionError("x"), True)])
def test_what_a_box_may_not_say(says, wrong):
    def say(value):
        if isinstance(says, Exception):
            raise says
        return says

    assert bool(boxes.fault(say, 3)) == wrong


def _faulty(answer):
    """A function that answers 1 with 1.0, and all else with *answer*, which may be an error or a function."""
    def faulty(size):
        if size == 1:
            return 1.0
        if isinstance(answer, Exception):
            raise answer
        return answer(size) if callable(answer) else answer

    return hostile.Target("faulty", faulty, faulty, 0)


@pytest.mark.parametrize(("answer", "says"), [
    (ValueError("size must be positive"), None), (TypeError("size must be a number"), None), (3.0, None),
    (ValueError("bad"), "ValueError: bad"), (TypeError("unhashable type: 'list'"), "TypeError: unhashable"),
    (KeyError("size"), "KeyError"), (OverflowError("size"), "Overflow"), (np.inf, "not finite"),
    ([{"a": np.array([1.0, np.nan])}], "not finite"), (hostile.Unwritable(), "repr of the result"),
    (lambda size: np.float64(size) * 1e308 * 10, "RuntimeWarning: overflow"), (lambda size: fl.link(size), None),
], ids=lambda value: type(value).__name__)
def test_what_counts_as_a_fault(answer, says):
    found = hostile.fault(_faulty(answer), {"size": 10}, {"size": 1})
    assert (found is None) == (says is None), found
    assert says is None or says in found


def test_infinity_may_come_of_infinity_or_where_the_valid_call_gives_it():
    assert hostile.fault(_faulty(np.inf), {"size": np.inf}, {"size": 1}) is None
    assert hostile.fault(_faulty(np.inf), {"size": 2}, {"size": 3}) is None


def test_a_call_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(hostile, "SECONDS", 0.2)

    def endless(size):
        while True:
            pass

    found = hostile.fault(hostile.Target("endless", endless, endless, 0), {"size": 1}, {"size": 1})
    assert "TimeoutError: runs for more than 0.2 s" in found
