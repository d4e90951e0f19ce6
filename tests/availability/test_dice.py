"""The dice agree with the formulas within their own error bars; a seed is a run."""

import numpy as np
import pytest

from fabriclib import availability, catalog, uptime


@pytest.mark.parametrize(("interval", "save", "restart"), [(240, 2.4, 600), (3600, 300, 60), (9000, 900, 5000), (1200, 0, 0)])
def test_ten_thousand_runs_spend_their_time_as_the_formula_says(interval, save, restart):
    times = {"save": save, "between": 11_000, "restart": restart}
    runs = availability.simulate(40, interval, **times, runs=10_000, seed=2024)
    share, error = runs.share
    assert error < 0.002
    assert share == pytest.approx(availability.spent(interval, **times).useful, abs=3 * error)
    per_run = 40 * np.expm1((interval + save) / 11_000) * np.exp(restart / 11_000)
    assert runs.failures.mean() == pytest.approx(per_run, abs=3 * runs.failures.std() / 100)


def test_ten_thousand_times_54_days():
    by_part, run = uptime("dgx-h100", gpus=16384).by_part, catalog.figure("llama3-run").si
    thrown = [availability.throw(by_part, run, seed) for seed in range(1000)]
    for part, rate in by_part.items():
        many = np.array([(events.part == part).sum() for events in thrown])
        assert many.mean() == pytest.approx(rate * run, abs=3.5 * np.sqrt(rate * run / 1000)), part
        assert many.var() == pytest.approx(rate * run, rel=0.2), part
    gaps = np.concatenate([np.diff(events.at) for events in thrown[:100]])
    assert np.median(gaps) == pytest.approx(np.log(2) / sum(by_part.values()), rel=0.02)


def test_a_seed_is_a_run():
    one, same, other = (availability.throw({"gpu": 1e-4}, 86400, seed) for seed in (7, 7, 8))
    assert np.array_equal(one.at, same.at)
    assert not np.array_equal(one.at, other.at)


@pytest.mark.parametrize(("call", "named"), [
    (lambda: availability.throw({}, 1), "by_part"), (lambda: availability.throw({"gpu": 1.0}, 1e9), "seconds must be so few"),
    (lambda: availability.simulate(10, 1e6, save=1, between=1000), "interval must be so short"),
    (lambda: availability.simulate(10, 1, save=1, between=1000, restart=1e5), "restart must be so short"),
    (lambda: availability.simulate(10, [1, 2], save=1, between=1000), "interval must be one number"),
])
def test_bad_input_is_a_sentence(call, named):
    with pytest.raises(ValueError, match=named):
        call()
