"""Lesson 02's labs against what can be worked out by hand: 25 GB/s a link, eighteen links, and counted buffers."""

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons import find
from fabricbook.lessons.nvlink.tables import (
    all_reduce_seconds,
    direct,
    growth,
    nvl72,
    port_rate,
    switched,
)
from fabriclib.flows import all_to_all, one_pair

GENERATIONS = range(1, 6)


# Where the rate comes from.

@pytest.mark.parametrize("old", GENERATIONS)
@pytest.mark.parametrize("new", GENERATIONS)
def test_the_factors_together_are_the_growth_and_the_bars_hang_together(old, new):
    before, after = fl.link(f"nvlink{old}"), fl.link(f"nvlink{new}")
    whole = after.bundle(after.per_device).bandwidth() / before.bundle(before.per_device).bandwidth()
    assert np.prod(list(growth(before, after).values())) == pytest.approx(whole)
    table, _ = book.lab("where-the-rate-comes-from").evaluate(old=old, new=new)
    start, end = table["from (GB/s)"].dropna(), table["to (GB/s)"].dropna()
    assert start.iloc[1:].tolist() == end.iloc[:-1].tolist()
    assert [start.iloc[0], end.iloc[-1]] == pytest.approx(table["rate (GB/s)"].dropna())
    assert table["vendor (GB/s)"].dropna().tolist() == pytest.approx(table["rate (GB/s)"].dropna())


def test_five_generations_are_ten_times_the_lane_and_hardly_more_lanes():
    table, sentence = book.lab("where-the-rate-comes-from").evaluate(old=1, new=5)
    assert table["text"].tolist()[1:5] == ["× 10.62", "÷ 1.062", "÷ 4", "× 4.5"]
    assert "× 11.25" in sentence
    assert "32 before, 36 after" in sentence


# The same links, with and without switches.

def test_the_lesson_asks_for_what_the_flows_give():
    pairs = fl.share(direct(8), all_to_all(8)).rates
    assert find("predictions", "nvlink.direct").answer() == pytest.approx(pairs.mean())
    worst = find("exercises", "nvlink.worst-pair").answer
    assert [worst(18, gpus, 25e9) for gpus in range(2, 9)] == pytest.approx(
        [fl.share(direct(gpus), all_to_all(gpus)).rates.min() for gpus in range(2, 9)])
    assert all(f" {rate:.0f} GB/s" in repr(find("verdicts", "c")) for rate in pairs / 1e9)


@pytest.mark.parametrize("gpus", range(2, 9))
def test_directly_every_gpu_uses_its_18_links_and_pairs_differ_by_one_at_most(gpus):
    graph = direct(gpus)
    assert np.bincount(graph.src, graph.count).tolist() == [18] * gpus
    assert set(graph.count) <= {18 // (gpus - 1), 18 // (gpus - 1) + 1}
    assert len(graph.src) == gpus * (gpus - 1)


def test_the_switches_are_those_of_the_catalogue():
    ours, box = switched(8, [5, 5, 4, 4]), fl.server("hgx-h100")
    assert ours.edges().equals(box.edges())
    assert ours.latency.tolist() == box.latency.tolist()


@pytest.mark.parametrize(("controls", "left", "right"), [
    ({"pattern": "one pair, neighbours"}, ("75 GB/s", "75 GB/s", "75 GB/s"), ("450 GB/s", "450 GB/s", "450 GB/s")),
    ({"pattern": "one pair, opposite"}, ("50 GB/s", "50 GB/s", "50 GB/s"), ("450 GB/s", "450 GB/s", "450 GB/s")),
    ({"pattern": "ring"}, ("75 GB/s", "75 GB/s", "600 GB/s"), ("450 GB/s", "450 GB/s", "3.6 TB/s")),
    ({"pattern": "all-to-all"}, ("50 GB/s to 75 GB/s", "450 GB/s", "3.6 TB/s"), ("64.3 GB/s", "450 GB/s", "3.6 TB/s")),
    ({"pattern": "one pair, opposite", "gpus": 4}, ("150 GB/s",) * 3, ("450 GB/s",) * 3),
    ({"pattern": "one pair, opposite", "gpus": 2}, ("450 GB/s",) * 3, ("450 GB/s",) * 3),
    ({"pattern": "one pair, opposite", "switches": 1}, ("50 GB/s",) * 3, ("125 GB/s",) * 3),
    ({"pattern": "one pair, opposite", "switches": 3}, ("50 GB/s",) * 3, ("350 GB/s",) * 3),
    ({"pattern": "all-to-all", "gpus": 6, "switches": 1}, ("75 GB/s to 100 GB/s", "450 GB/s", "2.7 TB/s"),
     ("25 GB/s", "125 GB/s", "750 GB/s")),
])
def test_rates_worked_out_by_hand(controls, left, right):
    table, _ = book.lab("switch-or-direct").evaluate(**controls)
    said = table[table["part"] == "caption"]
    for graph, rates in zip(said["graph"].unique(), (left, right), strict=True):
        expected = [f"{what}: {rate}" for what, rate in zip(("one pair", "one GPU sends", "all together"), rates, strict=True)]
        assert said.loc[said["graph"] == graph, "label"].tolist() == expected


def test_the_picture_shows_each_link_and_what_leaves_gpu_0():
    table, _ = book.lab("switch-or-direct").evaluate(gpus=8, pattern="one pair, opposite", switches=4)
    cables = table[table["part"] == "cable"]
    assert cables.groupby("graph")["links"].sum().to_dict() == {"Wired directly": 8 * 18 / 2, "Through 4 NVSwitches": 8 * 18}
    assert cables.loc[cables["label"] != "", "label"].tolist() == ["50", "125", "125", "100", "100"]
    in_use = cables[cables["state"] != "idle"]
    assert in_use.groupby("graph")["from"].count().to_dict() == {"Wired directly": 1, "Through 4 NVSwitches": 8}


@pytest.mark.parametrize("gpus", range(2, 9))
def test_no_gpu_stands_in_the_row_of_switches(gpus):
    table, _ = book.lab("switch-or-direct").evaluate(gpus=gpus)
    assert (table.loc[table["part"] == "GPU", "y"].abs() > 0.15).all()
    assert (table.loc[table["part"] == "switch", "y"] == 0).all()


def test_a_rack_is_one_link_of_72_gpus_to_each_of_18_switches():
    rack = nvl72()
    assert rack.parts()["count"].tolist() == [72, 18, 72 * 18]
    assert fl.share(rack, one_pair(72)).total == pytest.approx(900e9)
    everybody = fl.share(rack, all_to_all(72)).total
    assert everybody == pytest.approx(64.8e12)
    assert 2 * everybody == pytest.approx(fl.catalog.figure("nvl72").si, rel=0.005)


# The switch adds.

@pytest.mark.parametrize(("gpus", "port", "shown", "ring", "nvls"), [
    (8, 450e9, "busbw", 450, 700), (8, 450e9, "algbw", 450 / 1.75, 400), (2, 300e9, "busbw", 300, 200),
    (3, 360e9, "busbw", 360, 360), (4, 300e9, "algbw", 200, 240),
])
def test_printed_rates_by_counting_buffers(gpus, port, shown, ring, nvls):
    table, sentence = book.lab("in-switch-sum").evaluate(shown=shown, gpus=gpus, port=port)
    here = table[(table["GPUs"] == gpus) & table["printed (GB/s)"].notna()]
    assert here["printed (GB/s)"].tolist() == pytest.approx([ring, nvls])
    assert f"{1 + 1 / gpus:.4g} buffers, {shown} {nvls:.0f} GB/s" in sentence


@pytest.mark.parametrize(("shown", "factor"), [("busbw", 1), ("algbw", 1 / 1.75)])
def test_measured_points_follow_what_is_shown(shown, factor):
    table, _ = book.lab("in-switch-sum").evaluate(shown=shown)
    of_eight = table[(table["GPUs"] == 8) & table["measured (GB/s)"].notna()]
    assert of_eight["measured (GB/s)"].tolist() == pytest.approx([365.6 * factor, 473.1 * factor])
    nvls = table[table["what"] == "measured: NVLS"]
    assert nvls["GPUs"].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("way", ["ring", "nvls"])
@pytest.mark.parametrize("gpus", [2, 5, 8])
def test_counts_and_flows_over_the_switches_give_the_same_seconds(way, gpus):
    nbytes = 8 * fl.units.GiB
    box = switched(8, [5, 5, 4, 4])
    schedule = fl.schedule("all_reduce", way, ranks=gpus)
    assert schedule.time_on(box, nbytes) == pytest.approx(all_reduce_seconds(way, gpus, 450e9, nbytes), rel=1e-3)


def test_no_port_moved_more_than_its_wire():
    assert port_rate("nvls", 8) == pytest.approx(473.1e9 * (9 / 8) / (14 / 8))
    assert port_rate("ring", 8) == pytest.approx(365.6e9)
    table, sentence = book.lab("sums-against-published").evaluate()
    assert table["error (%)"].round().tolist() == [0, 2, 1, 2]
    assert "No port moved more than" in sentence


def test_copies_of_all_pairs_stand_beside_the_line_rate():
    table, _ = book.lab("pairs-against-line").evaluate()
    assert table["error (%)"].round().tolist() == [11, 8, 24, 14]


@pytest.mark.parametrize("gpus", book.lab("switch-adds").controls["gpus"].values)
def test_the_switch_holds_the_sums_and_hands_them_to_all(gpus):
    adds = book.lab("switch-adds")
    tables = [adds.evaluate(step=step, gpus=gpus)[0] for step in range(5)]
    moving = [table[table["part"] == "under way"] for table in tables]
    assert [len(table) for table in moving] == [gpus**2] * 5
    assert [set(table["holds"]) for table in moving] == [{1}, {gpus}, {gpus}, {gpus}, {gpus}]
    assert moving[0]["x"].equals(moving[4]["x"])  # all is back where it began, as a sum
    sums = fl.schedule("all_reduce", "nvls", ranks=gpus).counts().sent
    assert f"has sent {sums:.4g} buffers and received {sums:.4g} buffers." in adds.evaluate(step=4, gpus=gpus)[1]
