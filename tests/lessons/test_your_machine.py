"""The recorded run beside the model, and the box that measures anew: by its buttons, without a browser."""

import threading

import numpy as np
import pytest

import fabriclib as fl
from fabricbook.lessons.bring_your_own import boxes
from fabricbook.lessons.bring_your_own.boxes import measure_here
from fabricbook.lessons.bring_your_own.labs import overlay, recorded
from fabriclib import measure


def rows_of(line: fl.AlphaBeta, ranks=4):
    """What a computer would measure on which the model is exactly right."""
    rows = [("send_recv", "direct", n, line.time(n)) for n in (64, 2**20)]
    constants = {"ranks": ranks, "alpha": line.alpha, "beta": line.beta}
    rows += [("all_reduce", name, n, fl.collective_time("all_reduce", name, nbytes=n, **constants))
             for name in ("ring", "recursive_doubling") for n in (64, 2**20)]
    return [dict(zip(measure.COLUMNS, (what, name, ranks, 1, n, t), strict=True)) for what, name, n, t in rows]


def test_where_the_model_is_right_the_error_is_nothing():
    table, sentence = overlay(rows_of(fl.AlphaBeta(2e-6, 1e-9)))
    assert set(table["error"]) == {"+0 %"}
    assert "2 µs to start, then 1 GB/s" in sentence
    assert "misses ring by 0 % up to 64 KiB" in sentence


def test_a_busy_computer_is_said_to_be_one():
    said = overlay(rows_of(fl.AlphaBeta(787e-6, 1e-9)))[1]
    assert "That start is 49 times the 16 µs of the recorded run: the processes wait for a core" in said
    for quiet in (overlay(rows_of(fl.AlphaBeta(40e-6, 1e-9)))[1], overlay(recorded(2))[1], overlay(recorded(4))[1]):
        assert "wait for a core" not in quiet


def test_mpis_own_choice_has_no_prediction():
    table, _ = overlay(recorded(4), "MPI's own (marks only)")
    assert np.isnan(table["model (s)"]).all()
    assert set(table["error"]) == {""}


def test_before_two_messages_are_there_one_is_told_to_wait():
    with pytest.raises(ValueError, match="still to come"):
        overlay(recorded(4)[:1])
    assert "collectives are still to come" in overlay(recorded(4)[:3])[1]


def test_the_recorded_runs_are_whole():
    for ranks in (2, 4):
        rows = recorded(ranks)
        assert len(rows) == 4 * len(measure.sizes_up_to(measure.LARGEST))
        assert {row["ranks"] for row in rows} == {ranks}


class Instead:
    """A measurement that delivers recorded rows when it is told to."""

    def __init__(self, ranks, changed):
        self.rows, self.expected, self.ended, self.stopped, self.problem = [], 44, False, False, ""
        self.changed = changed

    def deliver(self, many, ended=False):
        self.rows, self.ended = recorded(2)[:many], ended
        thread = threading.Thread(target=self.changed)
        thread.start()
        thread.join()

    def stop(self):
        self.stopped = True
        self.deliver(len(self.rows), ended=True)


@pytest.fixture
def box(monkeypatch):
    monkeypatch.setattr(measure, "available", lambda: True)
    monkeypatch.setattr(boxes, "Measurement", Instead)
    return measure_here()


def test_the_box_fills_as_rows_arrive_and_says_how_far_it_is(box):
    assert "4 processes on 2 cores" in box._said.value
    box._go.click()
    assert box._go.disabled
    assert not box._stop.disabled
    box._run.deliver(5)
    assert box._bar.value == 5
    assert "5 of 44 times measured; now direct, 2 KiB" in box._said.value
    assert len(box._lab.widget.state["columns"]["what"]) == 5
    box._run.deliver(44, ended=True)
    assert "44 of 44 times measured." in box._said.value
    assert not box._go.disabled
    assert "7.59 µs to start" in box._lab.widget.state["sentence"]


def test_the_box_stops(box):
    box._go.click()
    box._run.deliver(7)
    box._stop.click()
    assert "Stopped: 7 of 44" in box._said.value
    assert box._stop.disabled


def test_a_problem_is_a_sentence_and_stays_text(box):
    box._go.click()
    box._run.problem = "The measurement ended early: <b>no</b>"
    box._run.deliver(0, ended=True)
    assert "&lt;b&gt;no&lt;/b&gt;" in box._said.value
    assert not box._go.disabled


def test_without_the_extra_the_box_says_how_to_get_it_and_shows_the_recorded_run(monkeypatch):
    monkeypatch.setattr(measure, "available", lambda: False)
    box = measure_here()
    assert box._go.disabled
    assert "pip install" in box._said.value
    assert box._lab.widget.state["columns"]["what"]


def test_its_text_is_the_recorded_runs():
    assert repr(measure_here()).startswith("Measure this computer. Lab your-machine: One message takes ")
