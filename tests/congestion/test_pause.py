"""Pauses: the parts of the headroom, and a victim against max-min sharing on a graph."""

import numpy as np
import pytest

from fabriclib.congestion import pause
from fabriclib.flows import Routing, max_min

FIBRE = {"delay_per_metre": 5e-9}


def test_headroom_is_what_the_cable_holds_twice_and_a_frame_at_each_end():
    base = pause.headroom(50e9, 0, 4096, 0, **FIBRE)
    assert base == 2 * 4096 + pause.PAUSE_FRAME
    assert pause.headroom(50e9, 300, 4096, 0, **FIBRE) - base == pytest.approx(50e9 * 3e-6)
    assert pause.headroom(50e9, 0, 4096, 1e-6, **FIBRE) - base == pytest.approx(50e9 * 1e-6)
    assert (np.diff(pause.headroom(50e9, np.array([3, 30, 300]), 4096, 0, **FIBRE)) > 0).all()


@pytest.mark.parametrize(("hot", "shared"), [(4, 2), (6, 2), (8, 1), (3, 3), (5, 0)])
def test_without_pauses_the_victim_gets_its_fair_share(hot, shared):
    """Edge 0: the crowded receiver; 1: the uplink; 2: the victim's own receiver. The victim is the last flow."""
    flow = np.concatenate([np.arange(hot), np.arange(shared), [hot, hot]])
    edge = np.concatenate([np.zeros(hot, int), np.ones(shared, int), [1, 2]])
    routing = Routing(flow, edge, np.ones(len(flow)), np.zeros(hot + 1))
    fair = max_min(routing, np.full(3, 5e9))[0][-1]
    assert pause.victim_rate(5e9, hot, shared, paused=False) == pytest.approx(fair)


def test_with_pauses_the_victim_is_as_slow_as_a_hot_flow():
    assert pause.victim_rate(5e9, 4, 2, paused=True) == 5e9 / 4
    assert (pause.victim_rate(5e9, np.arange(4, 20), 2, paused=True)
            <= pause.victim_rate(5e9, np.arange(4, 20), 2, paused=False)).all()


@pytest.mark.parametrize("hot", [1, 3, 8])
def test_a_pause_takes_no_more_than_the_uplink_has_and_stops_no_uplink_without_hot_flows(hot):
    assert pause.victim_rate(5e9, hot, hot, paused=True) == pause.victim_rate(5e9, hot, hot, paused=False) == 5e9 / (hot + 1)
    assert pause.victim_rate(5e9, hot, [0, 1], paused=True).tolist() == [5e9, 5e9 / max(hot, 2)]


def test_response_time_is_counted_in_quanta():
    assert pause.response_time(905, 50e9) * 50e9 == pytest.approx(57_920)


@pytest.mark.parametrize(("call", "said"), [
    (lambda: pause.headroom(0, 1, 1500, 0, **FIBRE), "rate must be"),
    (lambda: pause.victim_rate(5e9, 2, 1, paused=np.array([])), "paused must be True or False; got array"),
    (lambda: pause.victim_rate(5e9, 2, 3, paused=True), "shared must be at most hot, 2; got 3"),
])
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
