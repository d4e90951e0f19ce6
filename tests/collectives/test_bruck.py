"""Bruck's all-to-all: the exact sum over set bits, and the crossover with pairwise exchange."""

from __future__ import annotations

import math

import pytest

from fabriclib import collective_time, schedule
from fabriclib.collectives.registry import algorithm

BRUCK = algorithm("all_to_all", "bruck")


@pytest.mark.parametrize(("p", "vectors"), [(3, 2 / 3), (5, 1), (6, 1.1667), (7, 1.2857), (12, 1.6667), (24, 2.1667)])
def test_worked_sums_of_set_bits(p, vectors):
    assert schedule("all_to_all", "bruck", p).counts().sent == pytest.approx(vectors, abs=5e-5)


def test_closed_form_is_the_sum_of_set_bits():
    for p in range(1, 600):
        assert BRUCK.counts(p).sent * p == pytest.approx(sum(i.bit_count() for i in range(p)), rel=1e-12)


def test_the_usual_formula_holds_for_powers_of_two_and_is_too_much_for_others():
    assert BRUCK.counts(64).sent == 3
    assert 6 / 2 * math.log2(6) / 6 == pytest.approx(1.2925, abs=5e-5)
    assert BRUCK.counts(6).sent < math.log2(6) / 2


@pytest.mark.parametrize("p", [4, 8, 64])
def test_pairwise_overtakes_where_the_formula_says(p):
    crossing = 1e-6 * (p - 1 - math.log2(p)) / (1e-10 * (math.log2(p) / 2 - (p - 1) / p))
    times = [collective_time("all_to_all", name, nbytes=crossing, ranks=p, alpha=1e-6, beta=1e-10)
             for name in ("bruck", "pairwise")]
    assert times[0] == pytest.approx(times[1], rel=1e-12)
