"""Pairwise exchange: with a power of two, both of a pair send to each other."""

from __future__ import annotations

import pytest

from fabriclib import schedule


@pytest.mark.parametrize(("p", "mutual"), [(8, True), (6, False)])
@pytest.mark.parametrize("collective", ["all_to_all", "reduce_scatter"])
def test_pairs_are_mutual_for_powers_of_two(collective, p, mutual):
    moves = schedule(collective, "pairwise", p).moves
    there = set(zip(moves.step.tolist(), moves.src.tolist(), moves.dst.tolist(), strict=True))
    assert (there == {(step, dst, src) for step, src, dst in there}) == mutual
