"""When things fail: its pictures show what the library computes, and its short formulas are the library's."""

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.when_things_fail import broken, tables
from fabriclib import availability


def test_the_small_formulas_are_those_of_the_library():
    many = {"gpu": tables.GPUS, "host": tables.GPUS / 8, "nic": tables.GPUS, "cable": tables.GPUS,
            "leaf": tables.GPUS / tables.LEAF, "software": tables.GPUS}
    years = {part: tables.years_of(part) for part in many}
    assert 3600 * tables.hours_between(many, years) == pytest.approx(fl.uptime("dgx-h100", gpus=tables.GPUS).between)
    save = 1e12 / tables.storage_rate(1e12, 11_000, 0.02)
    at_best = availability.spent(availability.young(save, 11_000), save=save, between=11_000, restart=0)
    assert save / availability.young(save, 11_000) + availability.young(save, 11_000) / 22_000 == pytest.approx(0.02)
    assert at_best.saving + at_best.redone == pytest.approx(0.02, rel=0.02)
    assert fl.uptime("dgx-h100", gpus=tables.GPUS, spare=tables.fewest_spares(tables.GPUS)).shares.waiting <= 0.01


def test_each_tick_is_an_interruption_and_the_quiet_has_none():
    table, sentence = book.lab("fifty-four-days").evaluate(throws=2)
    ticks = table[table["part"] == "interruption"]
    assert f"{len(ticks)} interruptions" in sentence
    start, end = table.loc[table["part"] == "quiet", ["day", "to"]].iloc[0]
    assert not ticks["day"].between(start + 1e-9, end - 1e-9).any()


def test_one_interruption_is_said_so():
    assert book.lab("fifty-four-days").evaluate(gpus=128, throws=3)[1].startswith("Throw 3, 128 GPUs: 1 interruption in 54 days.")


def test_pieces_are_dealt_anew_only_where_rings_have_some():
    lab = book.lab("lose-a-part")
    told = {pattern: lab.evaluate(wiring=tables.TWO, lost=tables.CABLE, pattern=pattern)[1] for pattern in tables.PATTERNS}
    assert told[tables.RINGS].endswith("50 % of the rate is left if all rings carry equal pieces, 93.8 % if rings that are "
                                       "faster take more.")
    assert told[tables.EVERYONE].endswith("Nothing is cut off; 50 % of the rate is left.")


def test_rails_on_their_own_are_apart_and_not_lost():
    told = book.lab("lose-a-part").evaluate(wiring=tables.ALONE, pattern=tables.EVERYONE)[1]
    assert told.endswith("nothing is lost, and yet 672 of 768 flows have no way: nothing joins these rails.")


def test_no_gpu_that_is_not_slow_is_said_to_be_waited_for():
    told = book.lab("waiting-for-the-slowest").evaluate(slower=0)[1]
    assert told.endswith("and no GPU is always slow.")


def test_the_lowest_point_of_the_u_is_the_best_interval():
    lost = tables.all_lost(tables.GPUS, tables.SAVE, tables.RESTART)
    assert tables.MINUTES[lost.argmin()] == pytest.approx(tables.BEST / 60, rel=0.15)
    assert lost.min() == pytest.approx(100 * (1 - tables.job().share), abs=0.01)


def test_what_is_drawn_of_a_lost_cable():
    def states(wiring, lost, pattern=tables.RINGS):
        return [row["state"] for row in broken.drawn(wiring, lost, pattern) if row["part"] == "cable"]

    assert set(states(tables.ONE, tables.NOTHING)) == {broken.AS_BEFORE, broken.IDLE}
    two = states(tables.TWO, tables.CABLE)
    # GPU 0 and its two neighbours in the ring fill plane 1 as before: less goes over plane 0 and to the GPU opposite.
    assert (two.count(broken.OUT), two.count(broken.LESS), two.count(broken.MORE)) == (1, 4, 0)
    one = states(tables.ONE, tables.CABLE)
    assert (one.count(broken.OUT), one.count(broken.AS_BEFORE)) == (1, 28)
    assert [row["lost"] for row in broken.drawn(tables.ONE, tables.CABLE, tables.RINGS) if row["part"] == "gpu cut off"] == [""]
    assert states(tables.ONE, tables.SPINE, tables.EVERYONE).count(broken.MORE) == 3 * 8


def test_rates_of_others_are_off_by_a_factor_of_two():
    for promised, seen in tables.elsewhere().values():
        assert 0.49 < promised / seen < 2
