"""When to save: Young's and Daly's intervals, the best one, and where the time goes, against each other and against dice."""

import numpy as np
import pytest
from scipy.special import lambertw

from fabriclib import availability

RATIOS = 10.0 ** np.arange(-5, 3)


def test_the_best_interval_is_lamberts():
    wanted = 1 + lambertw(-np.exp(-1 - RATIOS)).real
    assert availability.best_interval(RATIOS * 7200, 7200) == pytest.approx(7200 * wanted, rel=1e-9)


def test_daly_is_the_series_of_the_best_interval_and_young_its_first_term():
    save = np.array([1e-12, 1e-9, 1e-6, 1e-4])
    best, order = availability.best_interval(save, 1.0), np.sqrt(2 * save)
    assert np.all(np.abs(availability.daly(save, 1.0) / best - 1) < order**3)
    assert np.all(np.abs(availability.young(save, 1.0) / best - 1) < order)
    assert availability.daly(3.0, 1.0) == 1.0


@pytest.mark.parametrize("save", [0.1, 60, 5000])
def test_no_other_interval_leaves_more_time_useful(save):
    best = availability.best_interval(save, 10_000)
    around = availability.spent(best * np.array([0.9, 0.99, 1, 1.01, 1.1]), save=save, between=10_000, restart=300).useful
    assert around.argmax() == 2


def test_the_shares_are_dalys_expected_time_and_add_up():
    interval, save, between, restart = 1200.0, 60.0, 10_800.0, 600.0
    shares = availability.spent(interval, save=save, between=between, restart=restart)
    expected = between * np.exp(restart / between) * np.expm1((interval + save) / between)
    assert shares.useful == pytest.approx(interval / expected, rel=1e-12)
    assert sum(shares) == pytest.approx(1, rel=1e-12)
    assert sum(availability.spent([1e-20, 1e20, 1e30], save=0, between=1, restart=[0, 1, 1e20])) == pytest.approx(np.ones(3))
