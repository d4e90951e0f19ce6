"""Scatter-allgather broadcast: two ways to gather, and the factors that a well-known comment has wrong."""

from __future__ import annotations

import math

import pytest

from fabriclib import schedule


@pytest.mark.parametrize("p", [2, 5, 8, 31])
def test_ring_version(p):
    assert schedule("broadcast", "scatter_allgather", p).counts() == pytest.approx(
        (math.ceil(math.log2(p)) + p - 1, 2 * (p - 1) / p, 0))


@pytest.mark.parametrize("p", [2, 8, 64])
def test_doubling_version(p):
    assert schedule("broadcast", "scatter_allgather_doubling", p).counts() == (2 * math.log2(p), 2 * (p - 1) / p, 0)


def test_doubling_version_refuses_with_the_reason():
    with pytest.raises(ValueError, match="broadcast by scatter_allgather_doubling cannot serve 6 ranks: .* a power of two"):
        schedule("broadcast", "scatter_allgather_doubling", 6)
