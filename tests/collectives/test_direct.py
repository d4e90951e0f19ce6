"""One-shot against two-shot: the worked values of p = 8, alpha = 1 us, 50 GB/s, and where they cross."""

from __future__ import annotations

import numpy as np
import pytest

from fabriclib import collective_time
from fabriclib.collectives.registry import algorithm, schedule
from fabriclib.collectives.schedule import Schedule

SWITCH = {"ranks": 8, "alpha": 1e-6, "beta": 1 / 50e9}


@pytest.mark.parametrize(("name", "microseconds"), [("one_shot", [1.14, 141, 140_001]), ("two_shot", [2.035, 37, 35_002])])
def test_worked_values(name, microseconds):
    seconds = collective_time("all_reduce", name, nbytes=np.array([1e3, 1e6, 1e9]), **SWITCH)
    assert seconds * 1e6 == pytest.approx(microseconds, rel=1e-12)


@pytest.mark.parametrize("p", [3, 4, 8, 64])
def test_one_and_two_shot_cross_where_the_formula_says(p):
    crossing = 1e-6 * p / (SWITCH["beta"] * (p - 1) * (p - 2))
    times = [collective_time("all_reduce", name, nbytes=crossing, **SWITCH | {"ranks": p}) for name in ("one_shot", "two_shot")]
    assert times[0] == pytest.approx(times[1], rel=1e-12)


def test_two_ranks_never_gain_from_two_shots():
    one, two = (algorithm("all_reduce", name).counts(2) for name in ("one_shot", "two_shot"))
    assert one.sent == two.sent
    assert one.messages < two.messages


def test_serial_one_shot_sends_originals_not_sums():
    """Each rank collects in a second buffer; without it, later sends would carry what came in before."""
    plan = schedule("all_reduce", "one_shot_serial", 3)
    inputs = [np.array([1]), np.array([10]), np.array([100])]
    assert [int(r[0]) for r in plan.run(inputs)] == [111, 111, 111]
    in_place = Schedule("all_reduce", "one_shot_serial", 3, slots=1, moves=plan.moves)
    assert "what rank 0 brings is counted more than once" in in_place.missing
