"""The labs of lesson "Congestion": the draw is the model's, more flows help slowly, a pause caps what control drains."""

import json
import re

import numpy as np
import pytest

import fabricbook as book
from fabricbook.lessons import find
from fabricbook.lessons.congestion import labs, tables
from fabriclib.congestion import ecmp

DRAW, ENTROPY, INCAST = (book.lab(name) for name in ("hash-draw", "hash-entropy", "incast-queue"))


def percents(sentence):
    return [float(number) for number in re.findall(r"([\d.]+) %", sentence)]


@pytest.mark.parametrize("way", labs._WAYS)
@pytest.mark.parametrize(("senders", "paths"), [(8, 8), (4, 16), (32, 8)])
def test_every_block_of_every_sender_is_drawn_once(senders, paths, way):
    table, _ = DRAW.evaluate(senders=senders, paths=paths, way=way)
    flows = table[table["part"] == "flow"]
    height = (flows["top"] - flows["bottom"]).sum() * max(1, senders / paths)
    assert height == pytest.approx(senders)
    busy = flows["left"].nunique()
    assert busy + (table["label"] == "idle").sum() == paths
    assert percents(DRAW.evaluate(senders=senders, paths=paths, way=way)[1])[0] == pytest.approx(100 * busy / paths, abs=0.06)


def test_the_histogram_grows_by_one_with_every_throw():
    def bars(draw):
        table, _ = DRAW.evaluate(draw=draw)
        return [int(label.split()[0]) if label else 0 for label in table.loc[table["part"] == "count", "label"]]

    before = [0] * 5
    for draw in DRAW.controls["draw"].values:
        now = bars(draw)
        assert sorted(np.subtract(now, before)) == [0] * 4 + [1]
        before = now
    assert sum(before) == 40
    assert before[0] == sum(tables.figures(tables.blocks(8, 8, labs._WAYS[0], d), 8, 8).slowest == 1 for d in range(1, 41))


def test_the_three_figures_of_a_draw_are_counted():
    placed = np.array([[0, 0], [1, 0], [2, 1], [3, 3]])  # two flows on path 0, path 2 idle
    assert tables.figures(placed, 4, 4) == pytest.approx((0.75, (0.5 + 0.5 + 1 + 1) / 4, 0.5))
    # Two senders, two flows each: path 0 carries half a transfer, path 1 three halves.
    split = np.array([[0, 0], [0, 1], [1, 1], [1, 1]])
    assert tables.figures(split, 2, 2) == pytest.approx((1.0, (1.0 + 2 / 3) / 2, 2 / 3))


def test_averages_are_the_exact_ones_and_draws_scatter_around_them():
    ever = tables.averages(8, 8, "hash, 1 flow each")
    assert ever == pytest.approx((0.656, 0.656, 0.385), abs=0.001)
    draws = np.array([tables.figures(tables.blocks(8, 8, "hash, 1 flow each", d), 8, 8) for d in range(1, 401)])
    assert draws[:, 0].mean() == pytest.approx(ever.busy, abs=0.02)
    assert 1 / (1 / draws[:, 2]).mean() == pytest.approx(ever.slowest, abs=0.02)


def test_remedies_in_their_order():
    slow = [tables.averages(8, 8, way).slowest for way in
            ("hash, 1 flow each", "two choices, 1 flow each", "hash, 4 flows each", "hash, 16 flows each", "spray packets")]
    assert slow == sorted(slow)
    assert tables.averages(8, 8, "fixed paths (rails)").slowest == 1


def test_the_learner_finds_the_flows_for_95_per_cent():
    _, sentence = ENTROPY.evaluate()
    needed = int(re.search(r"takes (\d+) flows", sentence)[1])
    assert needed == find("predictions", "congestion.flows-95").answer() == ecmp.split_for(0.95, 8, 8)
    assert "less than one packet" in sentence
    assert "packets of 4,096" in ENTROPY.evaluate(nbytes=2.0**30)[1]


def test_two_choices_are_ahead_of_the_hash_and_spraying_of_both():
    table, _ = ENTROPY.evaluate(paths=16)
    by = table.pivot(index="flows", columns="way", values="share").dropna()
    assert (by["two choices"] > by["hash"]).all()
    assert (by["spray"] >= by["two choices"]).all()


def test_the_queue_grows_together_and_is_capped_by_the_pause():
    table, _ = INCAST.evaluate(senders=8, threshold=250e3)
    near = table.dropna(subset=["near (µs)"]).pivot(index="near (µs)", columns="case", values="near (MB)")
    together = near[near.index < 7]
    assert together.max(axis=1).to_numpy() == pytest.approx(together.min(axis=1).to_numpy())
    assert near["DCQCN and PFC"].max() == near["PFC alone"].max() == 0.25
    far = table.dropna(subset=["far (ms)"]).pivot(index="far (ms)", columns="case", values="far (MB)")
    assert far["DCQCN alone"].max() > 1
    assert far["PFC alone"].iloc[-1] == 0.25 > far["DCQCN and PFC"].iloc[-1]
    assert (far["nobody slows down"].dropna() <= 14).all()


def test_two_straight_panels_show_the_growth():
    spec = json.dumps(INCAST.spec, ensure_ascii=False)
    assert '"log"' not in spec
    for axis in ("near (µs)", "near (MB)", "far (ms)", "far (MB)"):
        assert axis in spec


def test_thirty_two_senders_fill_two_thirds_of_a_switch_and_late_news_more_than_all():
    assert "68 % of a switch's memory" in INCAST.evaluate(senders=32)[1]
    assert "128 % of a switch's memory" in INCAST.evaluate(senders=32, feedback=50e-6)[1]


def test_more_senders_are_paused_longer():
    def stopped(senders):
        return tables.steps() @ tables.trace(senders, 4e-6, 250e3).paused

    assert stopped(2) == 0 < stopped(4) < stopped(16)
    assert tables.trace(2, 4e-6, 250e3) is tables.trace(2, 4e-6)  # no pause, so nothing is different


def test_the_port_is_used_while_anything_waits():
    trace = tables.trace(8, 4e-6, 500e3)
    assert 0.5 < tables.used(trace) < 1
    assert tables.used(trace._replace(queue=trace.queue + 1)) == pytest.approx(1)


def off(lab):
    table, _ = book.lab(lab).evaluate()
    return {run: [round(error) for error in errors] for run, errors in table.groupby("run")["error (%)"]}


def test_published_figures_stand_beside_the_model():
    assert off("hashing-against-published") == {"slowest flow": [-39, -48, -56, -20, -53], "mean flow": [4, -11, -25, 8, -19]}
    assert off("headroom-against-published") == {"bytes as sent": [-45, -30], "in cells": [-11, 16]}
    assert off("adaptive-against-measured") == {"four ports at line rate": [9, 9, 62, 10, 8, 50, 9, 9, 115]}
    assert (tables.explained()[0], tables.explained()[-1]) == (7, 201)
    assert tables.gain() / tables.META_GAIN == pytest.approx(1.35, abs=0.01)


def test_what_the_lesson_answers_is_what_the_labs_say():
    """The answers that the lesson gives in words to its own questions."""
    assert 1 - ecmp.max_load_distribution(8, 8)[:3].sum() == pytest.approx(0.5, abs=0.01)
    ways = ("fixed paths (rails)", "hash, 16 flows each", "two choices, 1 flow each", "hash, 1 flow each")
    slowest = [tables.averages(8, 8, way).slowest for way in ways]
    assert slowest == sorted(slowest, reverse=True)
    dozens = next(flows for flows in range(1, 65) if tables.reached(8, flows, 2) >= 0.95) / 12
    assert dozens == pytest.approx(2, abs=0.3)
    both = tables.trace(8, 4e-6, 500e3)
    empty = both.time[both.queue == 0][1:] * 1e3
    assert (empty[0], empty[-1]) == pytest.approx((1 / 3, 3.95), abs=0.05)
    assert tables.used(both) == pytest.approx(0.9, abs=0.01)
    always = tables.trace(8, 4e-6, 25e3)
    assert always.paused[1:].all()
    assert tables.dcqcn.published().marked(25e3) == pytest.approx(1e-3, rel=0.05)


def test_what_so_many_flows_reach_is_said_to_be_of_what():
    assert "1 flow each: a step reaches 38.5 % of an even spread." in book.lab("hash-entropy").evaluate(split=1)[1]
