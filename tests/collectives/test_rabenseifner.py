"""Rabenseifner: the worked values, both folds, and the crossovers with recursive doubling."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabriclib import collective_time, schedule
from fabriclib.collectives.registry import algorithm

LINK = {"alpha": 1e-6, "beta": 1 / 50e9}
NOT_POWERS = [3, 5, 6, 7, 12, 24, 63, 65]


def counts(name, p):
    return algorithm("all_reduce", name).counts(p)


def test_worked_values():
    for name, microseconds in {"rabenseifner": [6.035, 41, 35_006], "ring": [14.035, 49, 35_014]}.items():
        seconds = collective_time("all_reduce", name, nbytes=np.array([1e3, 1e6, 1e9]), ranks=8, **LINK)
        assert seconds * 1e6 == pytest.approx(microseconds, rel=1e-12)


@pytest.mark.parametrize("p", NOT_POWERS)
def test_folds_counted_round_by_round(p):
    rounds = math.floor(math.log2(p))
    q = 2**rounds
    through = (q - 1) / q
    mpich, ompi = (schedule("all_reduce", name, p).counts() for name in ("rabenseifner", "rabenseifner_ompi"))
    assert mpich == pytest.approx((2 * rounds + 2, 2 * through + 2, 1 + through), rel=1e-12)
    assert ompi == pytest.approx((2 * rounds + 3, 2 * through + 2, 1 / 2 + through), rel=1e-12)


def test_six_ranks_pay_for_not_being_a_power_of_two():
    assert schedule("all_reduce", "rabenseifner", 6).counts().sent == 3.5
    assert schedule("all_reduce", "ring", 6).counts().sent == pytest.approx(1.667, abs=5e-4)


@pytest.mark.parametrize(("p", "other", "nbytes"), [(8, "rabenseifner", 120_000), (8, "ring", 440_000),
                                                    (64, "rabenseifner", 74_419), (64, "ring", 1_488_372)])
def test_recursive_doubling_is_overtaken_at(p, other, nbytes):
    doubling, overtaking = counts("recursive_doubling", p), counts(other, p)
    crossing = (overtaking.messages - doubling.messages) * LINK["alpha"] / (doubling.sent - overtaking.sent) / LINK["beta"]
    assert crossing == pytest.approx(nbytes, abs=0.5)
    times = collective_time("all_reduce", "recursive_doubling", nbytes=crossing, ranks=p, **LINK)
    assert times == pytest.approx(collective_time("all_reduce", other, nbytes=crossing, ranks=p, **LINK), rel=1e-12)


def test_two_ranks_have_no_crossing():
    assert counts("recursive_doubling", 2).sent == counts("rabenseifner", 2).sent == counts("ring", 2).sent == 1


@pytest.mark.parametrize(("root", "messages"), [(0, 5), (1, 6), (2, 5), (3, 6), (4, 5), (5, 5)])
def test_reduce_takes_one_more_step_for_a_root_put_aside(root, messages):
    """6 ranks fold 1 into 0 and 3 into 2."""
    assert schedule("reduce", "rabenseifner", 6, root=root).counts().messages == messages


def test_the_largest_messages_go_to_the_nearest_rank():
    moves = schedule("all_reduce", "rabenseifner", 16).moves
    assert set((moves.size * abs(moves.src - moves.dst)).tolist()) == {8}
