"""The fluid model stands still where its equations say, shares fairly, and pauses no more than it must."""

import dataclasses

import numpy as np
import pytest

from fabriclib import catalog
from fabriclib.congestion import dcqcn, incast

RATE = 5e9  # 40 Gb/s
LIKE = dcqcn.published()


def simple_fixed_point(flows):
    """Zhu et al. 2016, theorem 1: the marking probability for few marks, in closed form."""
    port = RATE / LIKE.packet
    raises = LIKE.packet / LIKE.byte_counter + flows / (LIKE.timer * port)
    return (LIKE.step / LIKE.packet * flows**2 / (LIKE.alpha_interval * port**2) * raises**2) ** (1 / 3)


@pytest.mark.parametrize("flows", [2, 4, 8])
def test_the_queue_settles_where_the_equations_stand_still(flows):
    mark, queue = dcqcn.equilibrium(RATE, flows)
    trace = dcqcn.run(RATE, [RATE] * flows, 0.08)
    late = trace.queue[-20_000:]
    assert late.mean() == pytest.approx(queue, rel=0.05)
    assert LIKE.marked(queue) == pytest.approx(mark)
    assert trace.rates[:, -20_000:].mean(axis=1) == pytest.approx(np.full(flows, RATE / flows), rel=0.01)


@pytest.mark.parametrize("flows", [1, 2, 4, 8])
def test_the_closed_form_of_the_equilibrium_is_near_for_few_marks(flows):
    assert dcqcn.equilibrium(RATE, flows)[0] == pytest.approx(simple_fixed_point(flows), rel=0.3)


def test_many_senders_need_more_marks_than_pmax_and_the_queue_stays_at_kmax():
    assert dcqcn.equilibrium(RATE, 32)[1] == LIKE.kmax
    late = dcqcn.run(RATE, [RATE] * 32, 0.04).queue[-10_000:]
    assert late.mean() == pytest.approx(LIKE.kmax, rel=0.15)


def test_unequal_senders_become_equal():
    trace = dcqcn.run(RATE, [RATE, RATE / 4, RATE], 0.08)
    assert trace.rates[0].tolist() == trace.rates[2].tolist()
    assert trace.rates[1, 0] == RATE / 4
    assert trace.rates[1, -1] / trace.rates[0, -1] == pytest.approx(1, abs=0.1)


def test_every_setting_of_the_table_can_be_read():
    rows = catalog.rows("congestion")
    assert all(dcqcn.value(row["id"]) > 0 for row in rows)
    assert (LIKE.kmin, LIKE.step, LIKE.timer) == pytest.approx((5e3, 5e6, 55e-6))


def test_one_sender_keeps_its_rate():
    trace = dcqcn.run(RATE, RATE, 0.002)
    assert (trace.rates == RATE).all()
    assert trace.queue.max() == 0


def test_at_first_the_queue_grows_as_if_nobody_listened():
    trace = dcqcn.run(RATE, [RATE] * 8, 0.001, feedback=10e-6)
    first = trace.time <= 9e-6
    assert trace.queue[first] == pytest.approx(incast.queue_growth(8, RATE) * trace.time[first])


def test_news_may_take_no_time():
    assert dcqcn.run(RATE, [RATE] * 8, 1e-4, feedback=0).queue.max() < dcqcn.run(RATE, [RATE] * 8, 1e-4).queue.max()


def test_a_pause_caps_the_queue():
    free = dcqcn.run(RATE, [RATE] * 8, 0.005)
    capped = dcqcn.run(RATE, [RATE] * 8, 0.005, threshold=500e3)
    assert free.queue.max() > 1e6
    assert not free.paused.any()
    assert capped.queue.max() == 500e3
    assert capped.paused.any()
    assert not capped.paused[-1]


def test_half_the_step_gives_the_same_curve():
    coarse = dcqcn.run(RATE, [RATE] * 4, 0.01)
    fine = dcqcn.run(RATE, [RATE] * 4, np.arange(20_000) * 0.5e-6)
    assert fine.queue[::2] == pytest.approx(coarse.queue, abs=0.05 * coarse.queue.max())  # the first cut falls on a step


def test_long_steps_will_do_once_the_shock_is_over():
    times = 1e-6 * np.concatenate([np.arange(400), np.arange(400, 10_000, 10)])
    every, some = dcqcn.run(RATE, [RATE] * 8, 0.01), dcqcn.run(RATE, [RATE] * 8, times)
    assert some.time.tolist() == times.tolist()
    assert some.queue[:400] == pytest.approx(every.queue[:400])
    assert some.queue == pytest.approx(np.interp(times, every.time, every.queue), abs=0.03 * every.queue.max())


def test_a_switch_may_mark_all_from_one_length_on():
    step = dataclasses.replace(LIKE, kmin=LIKE.kmax)
    assert [step.marked(queue) for queue in (0, LIKE.kmax, LIKE.kmax + 1)] == [0, 0, 1]
    assert dcqcn.run(RATE, [RATE] * 2, 1e-3, parameters=step).queue.max() > LIKE.kmax


@pytest.mark.parametrize(("change", "said"), [
    ({"kmin": 200001.0}, "^kmin must be a number at least 0 and at most 200000; got 200001"), ({"kmin": -1.0}, "^kmin must be"),
    ({"pmax": 0.0}, "^pmax must be a number greater than 0 and at most 1; got 0"), ({"pmax": 1.5}, "^pmax must be"),
    ({"gain": 2.0}, "^gain must be a number greater than 0 and at most 1"), ({"packet": 0.0}, "^packet must be"),
    ({"timer": 0.0}, "^timer must be a number greater than 0; got 0"), ({"cnp_interval": 0.0}, "^cnp_interval must be"),
    ({"byte_counter": -1.0}, "^byte_counter must be"), ({"fast_recovery": -5.0}, "^fast_recovery must be a number at least 0"),
])
def test_settings_that_no_switch_could_have_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(LIKE, **change)


@pytest.mark.parametrize(("call", "said"), [
    (lambda: dcqcn.run(RATE, [2 * RATE], 0.01), "start must be .* at most 5e\\+09"),
    (lambda: dcqcn.run(RATE, RATE, 0), "seconds must be"),
    (lambda: dcqcn.run(RATE, RATE, 0.01, threshold=0), "threshold must be"),
    (lambda: dcqcn.run(RATE, RATE, 1.0), "seconds / STEP must be a whole number from 2 to 250000; got 1000000"),
    (lambda: dcqcn.run(RATE, RATE, np.array([0.0, 1e-3])), "seconds must rise from 0 in 1 to 249999 steps from 1e-08 to 1e-05 s"),
    (lambda: dcqcn.run(RATE, RATE, np.array([1e-6, 2e-6])), "seconds must rise from 0"),
    (lambda: dcqcn.run(RATE, np.linspace(1e9, 5e9, 300), 1e-3), "start must have at most 250 different rates for 1000 steps"),
    (lambda: dcqcn.run(RATE, RATE, 0.01, feedback=2.0), "feedback must be a number at least 0 and at most 1"),
    (lambda: dcqcn.run(1e300, RATE, 0.01), "rate must be a number at least 1000 and at most 1e\\+15"),
    (lambda: dcqcn.run(RATE, RATE, 0.01, threshold=float("nan")), "threshold must be"),
    (lambda: dcqcn.equilibrium(1.0, 1), "rate must be a number at least 1000"),
    (lambda: dcqcn.run(RATE, [5e-324], 0.01), "start must be a number at least 500000 and at most 5e\\+09"),
    (lambda: dcqcn.run(RATE, RATE, 0.01, parameters={}), "parameters must be a Parameters, such as published.. or None; got {}"),
    (lambda: dcqcn.equilibrium(RATE, 8, "dcqcn"), "parameters must be a Parameters"),
    (lambda: dcqcn.equilibrium(RATE, 0), "flows must be"),
    (lambda: dcqcn.value("dcqcn-kmim"), "Did you mean 'dcqcn-kmi"),
])
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
