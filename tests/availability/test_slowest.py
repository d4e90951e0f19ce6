"""Waiting for the slowest: the largest of p random times, by formula and by dice."""

import numpy as np
import pytest

from fabriclib.availability import expected_slowest, flapping, slow_one

RANKS = np.array([1, 2, 3, 64])


def test_what_is_known_of_the_largest():
    normal = expected_slowest(RANKS[:3], mean=1, spread=1) - 1
    assert normal == pytest.approx([0, 1 / np.sqrt(np.pi), 1.5 / np.sqrt(np.pi)], abs=1e-9)
    assert expected_slowest(4, mean=1, spread=1, shape="exponential") == pytest.approx(25 / 12)
    assert expected_slowest(31, mean=1, spread=1, shape="exponential") == pytest.approx((1 / np.arange(1, 32)).sum(), rel=1e-12)
    assert expected_slowest(3, mean=1, spread=1 / np.sqrt(12), shape="uniform") == pytest.approx(1.25)


@pytest.mark.parametrize("shape", ["normal", "exponential", "uniform"])
def test_dice_agree(shape):
    draw = np.random.default_rng(5)
    throws = {"normal": lambda size: draw.normal(1, 0.1, size), "exponential": lambda size: 0.9 + draw.exponential(0.1, size),
              "uniform": lambda size: draw.uniform(1 - 0.1 * np.sqrt(3), 1 + 0.1 * np.sqrt(3), size)}[shape]
    for ranks in RANKS:
        most = throws((10_000, ranks)).max(axis=1)
        assert most.mean() == pytest.approx(expected_slowest(ranks, spread=0.1, shape=shape), abs=3.5 * most.std() / 100)


def test_all_wait_for_one():
    assert slow_one(0.25) == pytest.approx(0.8)
    assert slow_one(0.1, share=0.5) == pytest.approx(1 / 1.05)
    assert flapping(np.array([0, 1, 30]), 60) == pytest.approx([1, 59 / 60, 0.5])
    with pytest.raises(ValueError, match="pause must be shorter"):
        flapping(60, 60)
