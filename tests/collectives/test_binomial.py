"""Binomial trees: what passes through the root's port."""

from __future__ import annotations

import pytest

from fabriclib import schedule


@pytest.mark.parametrize("p", [2, 3, 6, 8, 13, 64, 100])
def test_the_root_of_a_scatter_sends_all_but_its_own_block_in_ceil_lg_messages(p):
    plan = schedule("scatter", "binomial", p, root=p // 2)
    of_root = plan.moves.where(plan.moves.src == p // 2)
    assert len(of_root) == (p - 1).bit_length()
    assert of_root.size.sum() == p - 1


@pytest.mark.parametrize("p", [2, 3, 6, 8, 13, 64, 100])
def test_everyone_but_the_root_hears_once(p):
    assert sorted(schedule("broadcast", "binomial", p, root=1).moves.dst) == [r for r in range(p) if r != 1]
