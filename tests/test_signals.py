"""Channels, retimers and eyes: published sums come out, the eye agrees with every bit pattern and with drawn noise."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib import catalog, signals, units
from fabriclib.signals import at_least, channel, eye, needed, part, place, reach, receiver_noise, redriven, segment, standard

PARTS = [row["id"] for row in catalog.rows("channel_parts")]
CHANNELS = [row["id"] for row in catalog.rows("channels")]
GENERATIONS = [row["id"] for row in catalog.rows("channel_budgets")]


@pytest.mark.parametrize("name", PARTS)
def test_a_part_loses_what_its_row_says_and_more_at_every_higher_frequency(name):
    row, one = catalog.row("channel_parts", name), part(name)
    per = {"piece": 1, "m": 1, "inch": units.inch}[row["per"]]
    for column, frequency in (("at_8ghz_db", 8e9), ("at_16ghz_db", 16e9)):
        assert one.loss(frequency, per) == pytest.approx(row[column])
    assert min(one.coefficients) >= 0
    assert (np.diff(one.loss(np.linspace(1e9, 32e9, 32))) > 0).all()


def test_estimates_at_8_ghz_follow_the_rule_their_notes_state():
    ratios = [row["at_8ghz_db"] / row["at_16ghz_db"] for row in catalog.rows("channel_parts") if row["kind"] == "board"]
    assert 0.52 < min(ratios) < 0.55 < max(ratios) < 0.62
    for row in catalog.rows("channel_parts"):
        if row["kind"] != "board":
            assert row["at_8ghz_db"] == pytest.approx(0.55 * row["at_16ghz_db"])


def test_the_harness_that_set_no_constant_loses_what_was_measured():
    connector, cable = part("cable-connector"), part("thin-cable")
    assert 2 * connector.loss(16e9) + cable.loss(16e9, 0.35) == pytest.approx(catalog.figure("harness-35cm").value)


def test_the_budget_of_pcie_5_leaves_what_was_published_for_the_board():
    rest = standard("pcie5").budget - sum(part(name).loss(16e9) for name in ("cpu-package", "card", "cem-connector"))
    assert rest == pytest.approx(catalog.figure("pcie5-board").value)
    slot = [segment(name, 1) for name in ("cpu-package", "card", "cem-connector")]
    assert reach("pcie5", "fr4", slot, margin=0) == pytest.approx(rest / 1.289 * units.inch)
    assert reach("pcie5", "fr4", slot * 3) == 0


def test_the_nyquist_frequency_is_half_the_symbol_rate():
    """PCIe 6 doubles the bits of a symbol and not the symbols: the same 16 GHz as PCIe 5 (EE World, part 2 of its series)."""
    assert [standard(name).nyquist for name in GENERATIONS] == pytest.approx([4e9, 8e9, 16e9, 16e9])


def test_decibels_leave_the_published_amplitude():
    left = eye("pcie5", 36, noise=1e-9).swing
    assert 1e3 * left == pytest.approx(catalog.figure("pcie5-left").value, rel=0.003)


# ---- retimers ----


@pytest.mark.parametrize(("name", "board", "generation", "retimers"),
                         list(product(CHANNELS, ["megtron6", "fr4"], ["pcie4", "pcie6"], [1, 2])))
def test_retimers_sit_on_boards_and_cost_two_packages_each(name, board, generation, retimers):
    segments, asked = channel(name, board), standard(generation)
    plan, bare = place(segments, generation, retimers), place(segments, generation, 0)
    package = part("device-package").loss(asked.nyquist)
    assert sum(plan.stretches) == pytest.approx(bare.stretches[0] + 2 * retimers * package)
    ends = np.concatenate([[0], np.cumsum(signals.losses(segments, asked.nyquist))])
    boards = [(a, b) for one, a, b in zip(segments, ends, ends[1:], strict=False) if one.part.kind == "board"]
    assert all(any(a <= cut <= b for a, b in boards) for cut in plan.cuts)
    assert plan.fits == (max(plan.stretches) <= asked.usable)


def test_one_retimer_sits_as_well_as_any_place_on_a_fine_grid():
    segments, f = channel("baseboard", "getek"), standard("pcie5").nyquist
    ends, package = np.concatenate([[0], np.cumsum(signals.losses(segments, f))]), part("device-package").loss(f)
    worst = min(max(c + package, ends[-1] - c + package)
                for one, a, b in zip(segments, ends, ends[1:], strict=False) if one.part.kind == "board"
                for c in np.linspace(a, b, 501))
    assert max(place(segments, "pcie5", 1).stretches) == pytest.approx(worst, abs=0.1)


@given(loss=st.floats(0, 200), usable=st.floats(5, 40))
def test_the_bound_from_below_is_the_least_number_of_stretches(loss, usable):
    n = int(at_least(loss, usable))
    assert loss <= (n + 1) * usable * (1 + 1e-8)
    assert n == 0 or loss > n * usable


def test_a_budget_used_to_the_last_db_needs_no_more_for_being_a_sum():
    assert at_least(0.1 + 0.1 + 0.1, 0.1) == 2


def test_a_second_retimer_that_cannot_help_the_worst_stretch_halves_the_rest():
    """The cable decides, and no retimer sits in it: the other one still stands half-way along the board behind it."""
    segments = [segment("fr4", 0.1), segment("twinax", 8), segment("fr4", 20)]
    cable, middle, last = place(segments, "pcie5", 2).stretches
    step = segments[-1].part.loss(16e9, segments[-1].amount) / 100
    assert cable > middle
    assert middle == pytest.approx(last, abs=step)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_no_channel_needs_fewer_retimers_than_the_bound_and_newer_ones_never_fewer(generation):
    asked = standard(generation)
    for name in CHANNELS:
        for board in signals.boards():
            segments = channel(name, board)
            found = needed(segments, generation)
            assert found is None or found >= at_least(signals.losses(segments, asked.nyquist).sum(), asked.usable)


def test_counts_are_shared_and_cannot_be_spoilt():
    with pytest.raises(TypeError, match="does not support item assignment"):
        signals.by_board("slot", "pcie5")["fr4"] = 9


def test_loss_decides():
    """The statement of claim h, and where it fails: none, one or two between a CPU and a GPU, with the same generation."""
    counts = {needed(channel(name, board), "pcie5") for name, board in
              (("slot", "fr4"), ("baseboard", "getek"), ("baseboard", "fr4-tetra"))}
    assert counts == {0, 1, 2}
    assert needed([*channel("baseboard", "fr4"), *channel("baseboard", "fr4")], "pcie5") is None


# ---- the eye ----


def worst_opening(levels, memory, swing, symbols):
    """The smallest gap between neighbouring levels over every pattern of *symbols* symbols after any long run."""
    heights = np.linspace(-swing / 2, swing / 2, levels)
    at = {level: [] for level in range(levels)}
    for pattern in product(range(levels), repeat=symbols):
        for y in (heights[0], heights[-1]):
            for symbol in pattern:
                y += (1 - memory) * (heights[symbol] - y)
            at[pattern[-1]].append(y)
    return min(min(at[level + 1]) - max(at[level]) for level in range(levels - 1))


@pytest.mark.parametrize(("generation", "symbols"), [("pcie5", 6), ("pcie6", 4)])
@pytest.mark.parametrize("loss", [0.5, 3.0, 9.0, 15.0])
def test_the_opening_is_that_of_the_worst_of_all_patterns(generation, symbols, loss):
    found = eye(generation, loss, equalised=0, noise=1e-12)
    expected = worst_opening(standard(generation).levels, found.memory, found.swing, symbols)
    assert found.height == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("generation", ["pcie5", "pcie6"])
def test_the_error_rate_is_that_of_drawn_noise(generation):
    asked, rng = standard(generation), np.random.default_rng(7)
    found = eye(generation, 20.0, noise=0.014 if asked.levels == 2 else 0.006)
    heights = np.linspace(-found.swing / 2, found.swing / 2, asked.levels)
    gray = np.array([0, 1, 3, 2][:asked.levels])
    sent = rng.integers(asked.levels, size=400_000)
    got = np.abs((heights[sent] + rng.normal(0, found.noise, sent.size))[:, None] - heights).argmin(axis=1)
    wrong = np.array([0, 1, 1, 2])[gray[sent] ^ gray[got]].sum() / sent.size / np.log2(asked.levels)
    assert found.error_rate == pytest.approx(wrong, rel=0.05)


def drawn(levels, found, symbols=300_000):
    """The share of wrong bits among random ones: symbols sent through the one pole of the model, and drawn noise."""
    rng = np.random.default_rng(11)
    heights = np.linspace(-found.swing / 2, found.swing / 2, levels)
    sent, y, arrived = rng.integers(levels, size=symbols), 0.0, []
    for x in heights[sent].tolist():
        y += (1 - found.memory) * (x - y)
        arrived.append(y)
    thresholds = (1 - found.memory) * (heights[1:] + heights[:-1]) / 2
    got = ((np.array(arrived) + rng.normal(0, found.noise, symbols))[:, None] > thresholds).sum(axis=1)
    gray = np.array([0, 1, 3, 2][:levels])
    return np.array([0, 1, 1, 2])[gray[sent] ^ gray[got]].sum() / symbols / np.log2(levels)


@pytest.mark.parametrize(("generation", "loss", "equalised"), [
    ("pcie3", 9.62, 0), ("pcie3", 11.1, 0), ("pcie3", 20, 0), ("pcie3", 60, 0), ("pcie5", 44, None), ("pcie5", 52.3, None),
    ("pcie6", 36.9, None), ("pcie6", 36.9, 0), ("pcie6", 60, None)])
def test_random_bits_are_wrong_as_often_as_drawn_ones(generation, loss, equalised):
    found = eye(generation, loss, equalised=equalised)
    assert found.height < 0
    assert found.error_rate == pytest.approx(drawn(standard(generation).levels, found), rel=0.05)
    assert found.error_rate < found.worst_rate


@pytest.mark.parametrize("loss", [38.0, 52.3])
def test_random_bits_are_wrong_as_often_as_all_patterns_say(loss):
    """Every pattern of 18 past bits, one by one; what lies before them weighs less than half a per cent."""
    found = eye("pcie5", loss)
    left = np.zeros(1)
    for k in range(1, 19):
        left = np.concatenate([left + sign * (1 - found.memory) * found.memory**k * found.swing / 2 for sign in (-1, 1)])
    away = ((1 - found.memory) * found.swing / 2 + left) / found.noise
    expected = np.mean([math.erfc(d / math.sqrt(2)) / 2 for d in away])
    assert found.memory**19 < 0.005
    assert found.error_rate == pytest.approx(expected, rel=1e-4)


def test_a_closed_eye_does_not_make_half_of_the_bits_wrong():
    """Just closed, the worst pattern always fails and random bits rarely; without a past there is no worst pattern."""
    found = eye("pcie3", 9.62, equalised=0)
    assert found.worst_rate == pytest.approx(1)
    assert 0.005 < found.error_rate < 0.008
    for name in GENERATIONS:
        clean = eye(name, standard(name).budget)
        assert clean.memory == 0
        assert clean.error_rate == pytest.approx(clean.worst_rate, rel=1e-6)
    lost = eye("pcie6", 200.0)
    assert 0.4 < lost.error_rate <= 0.5


def test_four_levels_cost_the_published_decibels():
    two, four = (eye(name, 20.0, noise=1e-12).height for name in ("pcie5", "pcie6"))
    assert 20 * np.log10(two / four) == pytest.approx(catalog.figure("pam4-cost").value, abs=0.01)


def test_an_eye_at_its_limit_has_the_error_rate_of_the_standard():
    for name in GENERATIONS:
        asked = standard(name)
        loss = np.linspace(asked.budget - 8, asked.budget + 10, 401)
        found = eye(name, loss)
        first = np.flatnonzero(found.height < 0)[0]
        near = eye(name, np.linspace(loss[first - 1], loss[first], 41))
        closing = np.flatnonzero(near.height < 0)[0]
        assert near.worst_rate[closing] == pytest.approx(asked.error_rate, rel=0.1)
        assert near.error_rate[closing] <= near.worst_rate[closing] * (1 + 1e-9)
        assert (np.diff(found.height) < 0).all()
        assert (np.diff(found.error_rate) >= 0).all()


def test_every_generation_still_sees_something_at_its_full_budget():
    heights = [eye(name, standard(name).budget).height for name in GENERATIONS]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] == pytest.approx(0, abs=1e-12)


def test_a_redriver_helps_less_than_a_retimer_and_amplifies_noise():
    before = after = 22.0
    nothing = eye("pcie5", before + after)
    loss, noise = redriven("pcie5", before, after, boost=22.0)
    redriver, retimer = eye("pcie5", loss, noise=noise), eye("pcie5", before)
    assert nothing.height < redriver.height < retimer.height
    assert nothing.error_rate > redriver.error_rate > retimer.error_rate
    assert noise > receiver_noise("pcie5")
    assert redriven("pcie5", 5.0, after, boost=22.0)[0] == after  # it does not make more than was lost


def test_the_noise_of_a_redriver_adds_to_the_receivers_by_power():
    """10 dB of gain before 30 dB of board leave a tenth of the redriver's noise: with the receiver's, the root of 1.01."""
    loss, noise = redriven("pcie5", 20.0, 30.0, boost=10.0)
    assert loss == 40.0
    assert noise / receiver_noise("pcie5") == pytest.approx(1.01**0.5, rel=1e-9)
    _, noise = redriven("pcie5", 20.0, 0.0, boost=20.0)  # right before the receiver: ten times its noise, and its own
    assert noise / receiver_noise("pcie5") == pytest.approx(101**0.5, rel=1e-9)


def test_arrays_in_arrays_out():
    found = eye("pcie6", np.array([[10.0, 20.0, 30.0]]))
    assert {np.shape(one) for one in found} == {(1, 3)}
    assert isinstance(eye("pcie6", 10.0).height, float)
    assert redriven("pcie5", np.arange(3.0), 5.0, boost=2.0)[1].shape == (3,)
    assert [type(one) for one in redriven("pcie5", 20.0, 5.0, boost=2.0)] == [float, float]
    assert type(at_least(80.0, 36.0)) is int


@pytest.mark.parametrize(("call", "says"), [
    (lambda: part("fr5"), "channel_part 'fr5' is not known. Did you mean 'fr4'"),
    (lambda: channel("slot", "twinax"), "board 'twinax' is not known"),
    (lambda: channel("slots", "fr4"), "Did you mean 'slot'"),
    (lambda: standard("pcie7"), "'pcie7' is not known"),
    (lambda: segment("fr4", -2), "amount must be a number greater than 0.*-2"),
    (lambda: segment("fr4", [1, 2]), "amount must be one number"),
    (lambda: place([], "pcie5", 1), "segments must be a list of at least one Segment"),
    (lambda: place(["fr4"], "pcie5", 1), "segments must be a list of at least one Segment"),
    (lambda: place(channel("slot", "fr4"), "pcie5", 3), "retimers must be a whole number from 0 to 2; got 3"),
    (lambda: place([segment("twinax", 1)], "pcie5", 1), "segments must have a board for 1 retimer to sit on"),
    (lambda: eye("pcie5", -3), "loss must be a number at least 0.*-3"),
    (lambda: eye("pcie5", float("nan")), "loss must be"),
    (lambda: eye("pcie5", 10, noise=0), "noise must be"),
    (lambda: part("fr4").loss(0), "frequency must be"),
    (lambda: redriven("pcie5", 1, 1, boost=-1), "boost must be"),
    (lambda: at_least(10, 0), "usable must be"),
    (lambda: signals.device("aries"), "retimer 'aries' is not known"),
])
def test_bad_input_gets_a_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_every_device_and_count_has_its_row():
    assert set(signals.devices()["kind"]) == {"retimer", "redriver"}
    assert len(signals.devices()) == len(catalog.rows("retimers"))
    assert set(signals.retimer_counts()["retimers"]) == {0, 4, 8, 48}


def test_frequencies_and_amounts_that_do_not_go_together_are_named():
    with pytest.raises(ValueError, match="^frequency and amount must have shapes that broadcast"):
        part("fr4").loss([1e9, 2e9], [1, 2, 3])
