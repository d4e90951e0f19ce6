"""The double tree: its construction, its bound, and where it beats the chain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabriclib import collective_time, schedule
from fabriclib.collectives.families.double_tree import colours, parents, two_trees
from fabriclib.collectives.registry import algorithm

TREE = algorithm("broadcast", "double_tree")
N, ALPHA, BETA = 64e6, 1e-6, 1 / 50e9


@pytest.mark.parametrize("m", [*range(1, 70), 254, 255, 256, 999, 1000])
def test_two_binary_trees_with_no_rank_inner_twice_and_two_colours(m):
    child, parent = two_trees(m)
    trees = [slice(0, m), slice(m, 2 * m)]
    for tree in trees:
        assert sorted(child[tree]) == list(range(1, m + 1))
        assert np.bincount(parent[tree]).max() <= 2
        above = dict(zip(child[tree].tolist(), parent[tree].tolist(), strict=True))
        at, depth = set(above), 0
        while at != {0}:
            at, depth = {above.get(v, 0) for v in at}, depth + 1
        assert depth == m.bit_length(), "every rank reaches the root, in ceil(log2 p) hops at most"
    assert set(parent[trees[0]]) & set(parent[trees[1]]) == {0}
    colour = colours(child, parent)
    for end in (child, parent):
        assert len(set(zip(end.tolist(), colour.tolist(), strict=True))) == 2 * m, "one rank uses a colour twice"


def test_the_top_hangs_on_the_root():
    assert parents(1).tolist() == [0]
    assert parents(7).tolist() == [2, 4, 2, 0, 6, 4, 6]


@pytest.mark.parametrize("p", [2, 3, 8, 9, 33, 64, 100])
@pytest.mark.parametrize("chunks", [1, 2, 5, 40])
def test_takes_at_least_two_steps_fewer_than_the_bound(p, chunks):
    h = math.ceil(math.log2(p))
    assert 2 * chunks <= schedule("broadcast", "double_tree", p, chunks=chunks).moves.steps <= 2 * h + 2 * chunks - 2


def test_worked_example():
    assert TREE.best_chunks(8, N, ALPHA, BETA) == pytest.approx(43.8, abs=0.05)
    at = {k: TREE.counts(8, chunks=k).time(N, ALPHA, BETA) for k in range(1, 300)}
    assert min(at, key=at.get) == 44
    assert at[44] * 1e6 == pytest.approx(1461.27, abs=0.005)
    assert at[44] == pytest.approx(N * BETA + 6 * ALPHA + math.sqrt(24 * ALPHA * N * BETA), rel=1e-5)


def test_equals_the_chain_at_8_ranks_and_beats_it_at_64():
    link = {"nbytes": N, "alpha": ALPHA, "beta": BETA}
    assert collective_time("broadcast", "double_tree", ranks=8, **link) == pytest.approx(
        collective_time("broadcast", "chain", ranks=8, **link), rel=1e-12)
    assert collective_time("broadcast", "double_tree", ranks=64, **link) < collective_time("broadcast", "chain", ranks=64, **link)


def test_all_reduce_sends_two_vectors_at_most_when_it_is_long():
    huge = collective_time("all_reduce", "double_tree", nbytes=1e15, ranks=64, alpha=ALPHA, beta=BETA)
    assert huge == pytest.approx(2 * 1e15 * BETA, rel=1e-3)
