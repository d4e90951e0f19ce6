"""The whole public API against hostile arguments: a refusal names what is wrong, an answer is finite and can be shown.

HOSTILE_CALLS=500 makes the sweep longer: that many calls of each function.
"""

import os
import random

import hostile
import numpy as np
import pytest

import fabriclib as fl

CALLS = int(os.environ.get("HOSTILE_CALLS", "12"))
SWEPT = [name for name, target in {**hostile.targets(), **hostile.labs()}.items() if hostile.arguments_of(target)]


@pytest.mark.parametrize("name", SWEPT)
def test_only_a_sentence_refuses(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write what they are asked to
    target, valid = {**hostile.targets(), **hostile.labs()}[name], hostile.valid_calls()[name]
    assert valid, f"No example calls {name}: give it one in a docstring, or arguments in hostile.VALID."
    rng, faults = random.Random(name), []
    for _ in range(CALLS):
        start = rng.choice(valid)
        arguments, spoiled = hostile.spoiled(target, start, rng)
        if found := hostile.fault(target, arguments, start):
            faults.append(f"{ {one: hostile.shown(arguments[one]) for one in spoiled} }: {found}")
    assert not faults, "\n".join(faults)


def test_everything_public_is_swept():
    assert {"links.link", "links.Link", "links.Link.bundle", "links.AlphaBeta.fit", "units.parse", "collectives.choose.best",
            "congestion.ecmp.expected_max_load", "measurements.read.read_measurements", "cells.predict_first",
            "course.declare.Prediction.parse", "topology.graph.Graph.paths", "machines.system", "lab one-server"} <= set(SWEPT)
    assert len(SWEPT) > 200


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
