"""Recursive doubling and halving: the worked values, and other than powers of two."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabriclib import collective_time, schedule
from fabriclib.collectives.registry import algorithm

NOT_POWERS = [3, 5, 6, 7, 12, 24, 63, 65]


def test_worked_values():
    seconds = collective_time("all_reduce", "recursive_doubling", nbytes=np.array([1e3, 1e6, 1e9]), ranks=8, alpha=1e-6,
                              beta=1 / 50e9)
    assert seconds * 1e6 == pytest.approx([3.06, 63, 60_003], rel=1e-12)


@pytest.mark.parametrize("p", NOT_POWERS)
def test_folded_all_reduce_takes_two_more_vectors(p):
    rounds = math.floor(math.log2(p))
    assert schedule("all_reduce", "recursive_doubling", p).counts() == (rounds + 2, rounds + 2, rounds + 1)


@pytest.mark.parametrize("p", NOT_POWERS)
def test_folded_halving_takes_about_two_vectors(p):
    """MPICH's comment says 2 n in floor(lg p) + 2 messages. Ranks that stand for two make some rounds longer than that."""
    counts = schedule("reduce_scatter", "recursive_halving", p).counts()
    assert counts.messages == math.floor(math.log2(p)) + 2
    assert 2 - 1 / p <= counts.sent + 1e-12
    assert counts.sent < 2.4


def test_folded_halving_comes_near_to_two_point_four_vectors():
    sent = algorithm("reduce_scatter", "recursive_halving").counts(np.arange(2, 3_000_000)).sent
    assert (sent < 2.4).all()
    assert sent.argmax() + 2 == 5 * 2**19
    assert sent.max() > 2.39999


@pytest.mark.parametrize("p", [2, 4, 8, 64])
def test_order_keeping_reduce_scatter_pays_for_it(p):
    ordered, halving = (schedule("reduce_scatter", f"recursive_{name}", p).counts() for name in ("doubling", "halving"))
    assert ordered.messages == halving.messages
    assert ordered.sent == pytest.approx(math.log2(p) - (p - 1) / p)
    assert halving.sent == pytest.approx((p - 1) / p)


@pytest.mark.parametrize(("collective", "p"), [("all_gather", 6), ("reduce_scatter", 3)])
def test_refuses_with_the_reason(collective, p):
    with pytest.raises(ValueError, match=f"{collective} by recursive_doubling cannot serve {p} ranks: .* a power of two"):
        collective_time(collective, "recursive_doubling", nbytes=1e6, ranks=p, alpha=1e-6, beta=1e-10)
