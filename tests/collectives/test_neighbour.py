"""Neighbour exchange: half the steps of a ring, and even numbers of ranks only."""

from __future__ import annotations

import pytest

from fabriclib import schedule


def test_half_the_steps_of_a_ring_with_the_same_neighbours():
    plan, ring = schedule("all_gather", "neighbour_exchange", 12), schedule("all_gather", "ring", 12)
    assert plan.moves.steps == 6
    assert plan.counts().sent == ring.counts().sent
    assert set(((plan.moves.dst - plan.moves.src) % 12).tolist()) == {1, 11}


def test_refuses_odd_numbers_with_the_reason():
    with pytest.raises(ValueError, match="all_gather by neighbour_exchange cannot serve 7 ranks: .* must be even"):
        schedule("all_gather", "neighbour_exchange", 7)
