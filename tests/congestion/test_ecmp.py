"""Hash collisions: the worked numbers, exact counting by brute force, and the simulation within its own error."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from fabriclib.congestion import ecmp


def counted(flows, paths):
    """{max load: probability}, every load vector weighed by how many draws lead to it, in whole numbers."""
    found = {}
    for loads in itertools.product(range(flows + 1), repeat=paths):
        if sum(loads) == flows:
            ways = math.factorial(flows) // math.prod(map(math.factorial, loads))
            found[max(loads)] = found.get(max(loads), 0) + Fraction(ways, paths**flows)
    return found


@pytest.mark.parametrize(("flows", "paths"), [(1, 1), (5, 1), (1, 4), (2, 2), (4, 4), (7, 3), (3, 6), (9, 4), (6, 5)])
def test_the_distribution_is_what_counting_gives(flows, paths):
    exact, chance = counted(flows, paths), ecmp.max_load_distribution(flows, paths)
    assert len(chance) == max(exact) + 1
    for load, probability in enumerate(chance):
        assert probability == pytest.approx(float(exact.get(load, 0)), abs=1e-12)


def test_eight_flows_on_eight_paths():
    assert ecmp.expected_max_load(8, 8) == pytest.approx(2.60, abs=0.005)
    assert ecmp.collision_free(8, 8) == pytest.approx(math.factorial(8) / 8**8) == pytest.approx(0.0024033, rel=1e-4)
    assert ecmp.busy_share(8, 8) == pytest.approx(0.66, abs=0.005)
    assert ecmp.slowest(8, 8) == pytest.approx(0.385, abs=0.0005)  # 1 / 2.597


@pytest.mark.parametrize(("paths", "load"), [(2, 1.50), (4, 2.125), (8, 2.60), (16, 3.08), (32, 3.53), (64, 3.96)])
def test_expected_maximum_load_of_as_many_flows_as_paths(paths, load):
    assert ecmp.expected_max_load(paths, paths) == pytest.approx(load, abs=0.006)


@pytest.mark.parametrize(("paths", "idle"), [(2, 0.25), (4, 0.316), (8, 0.344), (16, 0.356), (32, 0.362), (64, 0.365)])
def test_idle_links_approach_one_over_e(paths, idle):
    assert 1 - ecmp.busy_share(paths, paths) == pytest.approx(idle, abs=0.0006)


@pytest.mark.parametrize(("split", "over_mean"), [(1, 2.60), (4, 1.76), (16, 1.37), (64, 1.18)])
def test_more_flows_a_transfer_even_the_load_out(split, over_mean):
    assert ecmp.expected_max_load(8 * split, 8) / split == pytest.approx(over_mean, abs=0.006)
    assert ecmp.slowest(8, 8, split) == pytest.approx(1 / over_mean, abs=0.004)


def test_the_chance_of_no_collision():
    assert ecmp.collision_free(np.array([2, 4, 8, 16]), np.array([2, 4, 8, 16])) == pytest.approx(
        [0.5, 0.09375, 0.0024033, 1.13e-6], rel=5e-3)
    assert ecmp.collision_free(8, 32) == pytest.approx(0.3857, abs=1e-4)
    assert ecmp.collision_free(9, 8) == 0
    assert ecmp.collision_free(23, 365) == pytest.approx(0.493, abs=1e-3)  # the birthdays


@pytest.mark.parametrize(("flows", "paths"), [(8, 8), (8, 32), (128, 8), (64, 64), (500, 7)])
def test_simulation_and_exact_agree_within_their_error(flows, paths):
    seen = ecmp.simulate(flows, paths, trials=20_000, seed=flows)
    for values, exact in ((seen.max_load, ecmp.expected_max_load(flows, paths)),
                          (seen.busy, paths * ecmp.busy_share(flows, paths))):
        mean, error = ecmp.estimate(values)
        assert abs(mean - exact) <= 4 * error + 1e-6
    assert np.bincount(seen.max_load)[2] / 20_000 == pytest.approx(
        ([*ecmp.max_load_distribution(flows, paths), 0, 0, 0])[2], abs=0.015)


def test_the_exact_answer_reaches_a_hundred_thousand_flows():
    mean, error = ecmp.estimate(ecmp.simulate(100_000, 1024, trials=300, seed=1).max_load)
    assert abs(mean - ecmp.expected_max_load(100_000, 1024)) <= 4 * error


@pytest.mark.parametrize(("flows", "paths"), [(128, 8), (3000, 2), (20_000, 32), (2000, 700)])
def test_the_frequencies_left_out_add_up_to_nothing(monkeypatch, flows, paths):
    some = ecmp.max_load_distribution(flows, paths)
    monkeypatch.setattr(ecmp, "_NOTHING", 0.0)
    every = ecmp._distribution.__wrapped__(flows, paths)
    assert len(some) == len(every)
    assert some == pytest.approx(every, abs=1e-12)


def test_a_distribution_is_shared_and_cannot_be_spoilt():
    with pytest.raises(ValueError, match="read-only"):
        ecmp.max_load_distribution(8, 8)[0] = 1


def test_mean_throughput_is_what_flows_get_of_their_paths():
    for flows, paths in ((8, 8), (8, 32), (24, 8)):
        rates = []
        for seed in range(400):
            path = ecmp.draw(flows, paths, seed=seed)
            rates.append((1 / np.bincount(path, minlength=paths)[path]).mean() / min(1, paths / flows))
        mean, error = ecmp.estimate(rates)
        assert abs(mean - ecmp.mean_throughput(flows, paths)) <= 4 * error
        assert type(ecmp.mean_throughput(flows, paths)) is float


def test_the_asymptote_is_far_off_at_64_paths():
    assert math.log(64) / math.log(math.log(64)) < 0.75 * ecmp.expected_max_load(64, 64)


def test_a_transfer_is_no_faster_than_its_port():
    assert ecmp.slowest(2, 1024, split=16) == pytest.approx(1, abs=0.02)
    assert ecmp.slowest(2, 1024, split=16) <= 1


def test_two_choices_beat_one_by_far():
    one, two = (ecmp.estimate(ecmp.simulate(64, 64, trials=500, choices=c).max_load)[0] for c in (1, 2))
    assert one == pytest.approx(ecmp.expected_max_load(64, 64), abs=0.15)
    # ln ln 64 / ln 2 + O(1), Azar et al. 1994
    assert two == pytest.approx(math.log(math.log(64)) / math.log(2), abs=1)
    assert two < one - 1


def test_rounds_are_what_simulations_of_so_many_flows_say():
    fullest = ecmp.fullest(3, 16, trials=4000, seed=4)
    for rounds in (1, 2, 3):
        seen = ecmp.simulate(16 * rounds, 16, trials=4000, choices=2, seed=rounds).max_load
        (mean, error), (other, spread) = ecmp.estimate(fullest[:, rounds - 1]), ecmp.estimate(seen)
        assert abs(mean - other) < 4 * math.hypot(error, spread)


def test_the_draw_of_a_path_takes_the_emptier_one():
    """2,000 flows on 16 paths: 125 on each, were they spread evenly."""
    hashed, chosen = (np.bincount(ecmp.draw(2000, 16, choices=choices, seed=2)).max() for choices in (1, 16))
    assert chosen <= 127 < 135 < hashed


def test_split_for_is_the_least_that_suffices():
    q = ecmp.split_for(0.95, 8, 8)
    assert ecmp.slowest(8, 8, q) >= 0.95 > ecmp.slowest(8, 8, q - 1)
    assert ecmp.split_for(0.3, 8, 8) == 1


def test_draws_are_seeded():
    assert ecmp.draw(100, 8, seed=5).tolist() == ecmp.draw(100, 8, seed=5).tolist()
    assert ecmp.draw(100, 8, seed=5).tolist() != ecmp.draw(100, 8, seed=6).tolist()


@pytest.mark.parametrize(("call", "said"), [
    (lambda: ecmp.busy_share(0, 8), "flows must be a whole number from 1"),
    (lambda: ecmp.expected_max_load(8, 0), "paths must be a whole number from 1"),
    (lambda: ecmp.max_load_distribution([8, 9], 8), "flows must be one number"),
    (lambda: ecmp.slowest(8, 8, 0), "split must be"),
    (lambda: ecmp.split_for(0.999, 8, 8), "share must be .* at most 0.99"),
    (lambda: ecmp.draw(8, 8, choices=9), "choices must be a whole number from 1 to 8"),
    (lambda: ecmp.simulate(8, 60_000, trials=100_000), "trials must be at most 333 for 60000 paths"),
    (lambda: ecmp.expected_max_load(10_000_000, 1), "flows must be fewer for an exact answer on 1 paths: 10000000 take 8e\\+08"),
    (lambda: ecmp.slowest(10_000_000, 8), "flows must be fewer for an exact answer on 8 paths"),
    (lambda: ecmp.slowest(10_000, 8, 10_000), "flows \\* split must be a whole number from 1 to 10000000; got 100000000"),
    (lambda: ecmp.split_for(0.9, 10_000_000, 8), "flows must be fewer"),
    (lambda: ecmp.split_for([0.9, 0.8], 8, 8), "share must be one number"),
    (lambda: ecmp.draw(10_000_000, 8, choices=2), "flows must be at most 100000 where they choose among 2 paths in 1 trials"),
    (lambda: ecmp.simulate(10_000, 8, 10_000, choices=2), "flows must be at most 1000 where they choose among 2 paths in 10000"),
    (lambda: ecmp.fullest(10_000, 8), "flows must be at most 10000 where they choose among 2 paths in 1000 trials; got 80000"),
    (lambda: ecmp.fullest(2, 8, choices=1), "choices must be a whole number from 2 to 8"),
    (lambda: ecmp.draw(8, 8, seed=-1), "seed must be a whole number from 0"),
    (lambda: ecmp.estimate([1e308, -1e308]), "values must be"),
    (lambda: ecmp.estimate([1.0]), "values must be at least two"),
])
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
