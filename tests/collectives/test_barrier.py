"""Barriers: no bytes, only steps; and nobody leaves before all have come."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from refusals import refused

from fabriclib import collective_time, schedule


@pytest.mark.parametrize("p", [2, 3, 8, 100])
def test_messages(p):
    rounds = math.ceil(math.log2(p))
    for name, messages in {"dissemination": rounds, "binomial": 2 * rounds, "central_counter": p - 1 + rounds}.items():
        assert schedule("barrier", name, p).counts() == (messages, 0, 0)


def test_bytes_do_not_matter():
    link = {"ranks": 8, "alpha": 1e-6, "beta": 1e-10}
    assert collective_time("barrier", "dissemination", **link) == 3e-6
    assert collective_time("barrier", "dissemination", nbytes=1e9, **link) == 3e-6
    plan, price = schedule("barrier", "dissemination", 8), {"alpha": 1e-6, "beta": 1e-10}
    assert plan.time(**price) == plan.time(None, **price) == plan.time(0, **price) == plan.time(1e9, **price) == 3e-6
    with pytest.raises(ValueError, match="nbytes"):
        plan.time(-1, **price)


def test_a_barrier_that_ends_early_is_seen():
    plan = schedule("barrier", "dissemination", 8)
    early = replace(plan, moves=plan.moves.where(plan.moves.step < 2))
    assert all(known.all() for known in plan.run(None))
    assert early.missing.startswith("barrier by dissemination is not done after 2 steps: rank 0 lacks word of ranks 1, 2, 3 and")
    with refused(early.missing):
        early.run(None)
