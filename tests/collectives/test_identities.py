"""Identities that hold whatever the numbers: parts make wholes, more bytes cost more, units and names do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fabriclib import collective_time, schedule
from fabriclib.collectives import algorithms
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.collectives.registry import algorithm, entries

repeatable = settings(max_examples=150)
any_entry = st.sampled_from(list(entries().values()))
ranks = st.integers(1, 40)
nbytes = st.floats(1, 1e15)
seconds = st.floats(1e-12, 1e-3)

# (reduce_scatter, all_gather, the all_reduce they make)
WHOLES = [("ring", "ring", "ring"), ("direct", "direct", "two_shot"), ("torus", "torus", "torus"),
          ("recursive_halving", "recursive_doubling", "rabenseifner")]


@pytest.mark.parametrize(("scatter", "gather", "whole"), WHOLES)
@pytest.mark.parametrize("p", [1, 2, 4, 8, 32])
def test_reduce_scatter_and_all_gather_make_an_all_reduce(scatter, gather, whole, p):
    plans = [schedule("reduce_scatter", scatter, p), schedule("all_gather", gather, p), schedule("all_reduce", whole, p)]
    first, second, both = (np.array(plan.counts()) for plan in plans)
    assert first + second == pytest.approx(both)
    vectors = list(np.random.default_rng(p).integers(-99, 99, (p, 2 * p + 1)))
    for in_two, at_once in zip(plans[1].run(plans[0].run(vectors)), plans[2].run(vectors), strict=True):
        assert np.array_equal(in_two, at_once)


@pytest.mark.parametrize("p", [2, 3, 8])
def test_a_ring_all_reduce_is_its_reduce_scatter_and_then_its_all_gather_move_by_move(p):
    scatter, gather, whole = (schedule(name, "ring", p).moves for name in ("reduce_scatter", "all_gather", "all_reduce"))
    both = scatter.then(gather)
    for column in ("step", "src", "dst", "chunk", "op"):
        assert np.array_equal(getattr(whole, column), getattr(both, column)), column


@pytest.mark.parametrize("name", ["ring", "recursive_doubling"])
def test_an_all_gather_costs_what_a_reduce_scatter_costs_without_reducing(name):
    there = {"ring": "ring", "recursive_doubling": "recursive_halving"}[name]
    assert algorithm("all_gather", name).counts(16)[:2] == algorithm("reduce_scatter", there).counts(16)[:2]


@pytest.mark.parametrize(("collective", "backwards"), [("broadcast", "reduce"), ("scatter", "gather")])
@given(p=ranks)
@repeatable
def test_played_backwards_it_costs_the_same(collective, backwards, p):
    for entry in algorithms(collective):
        if (backwards, entry.name) in entries():
            assert entry.counts(p)[:2] == algorithm(backwards, entry.name).counts(p)[:2]


def time(entry, n, p, alpha, beta, gamma):
    assume(not entry.refuses(p))
    return collective_time(entry.collective, entry.name, nbytes=n, ranks=p, alpha=alpha, beta=beta, gamma=gamma)


@given(any_entry, ranks, st.lists(nbytes, min_size=2, max_size=8), seconds, seconds, seconds)
@repeatable
def test_more_bytes_never_cost_less(entry, p, sizes, alpha, beta, gamma):
    times = time(entry, np.sort(sizes), p, alpha, beta, gamma)
    assert np.all(np.diff(times) >= -1e-12 * times[1:])


@given(any_entry, ranks, nbytes, seconds, seconds, seconds, st.floats(1e-6, 1e6))
@repeatable
def test_scaling_alpha_beta_and_gamma_scales_time(entry, p, n, alpha, beta, gamma, factor):
    scaled = time(entry, n, p, alpha * factor, beta * factor, gamma * factor)
    assert scaled == pytest.approx(factor * time(entry, n, p, alpha, beta, gamma), rel=1e-9)


@given(any_entry, nbytes, seconds, seconds, seconds)
@repeatable
def test_one_rank_costs_nothing(entry, n, alpha, beta, gamma):
    assert time(entry, n, 1, alpha, beta, gamma) == 0


@pytest.mark.parametrize("collective", COLLECTIVES)
def test_one_rank_runs_and_keeps_what_it_has(collective):
    given_ = None if collective == "barrier" else [np.arange(5)]
    for entry in algorithms(collective):
        (result,) = schedule(collective, entry.name, 1).run(given_)
        assert np.array_equal(result, [1] if collective == "barrier" else np.arange(5)), entry


@given(st.sampled_from(algorithms("all_reduce")), st.integers(1, 24), st.randoms(use_true_random=False))
@repeatable
def test_relabelling_ranks_changes_nothing(entry, p, random):
    order = random.sample(range(p), p)
    plan = schedule("all_reduce", entry.name, p)
    names = np.concatenate([order, np.arange(p, plan.nodes)])
    other = replace(plan, moves=replace(plan.moves, src=names[plan.moves.src], dst=names[plan.moves.dst]))
    assert other.counts() == plan.counts()
    vectors = list(np.random.default_rng(p).integers(-99, 99, (p, 7)))
    assert all(map(np.array_equal, other.run(vectors), plan.run(vectors)))


def test_every_collective_has_an_algorithm():
    assert [name for name in COLLECTIVES if not algorithms(name)] == []
    assert {entry.collective for entry in entries().values()} <= set(COLLECTIVES)
