"""Eight GPUs in a mesh and around a switch: every rate of the two labs equals its hand-computed limit."""

import itertools

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons import find
from fabricbook.lessons.infinity_fabric.labs import PATTERNS, got, pairs, reached, within
from fabricbook.lessons.infinity_fabric.tables import (
    GPUS,
    GRADIENT,
    line_against_measured,
    machine,
    mi250x_all_to_all,
    rings_against_measured,
)
from fabriclib.topology import disjoint_rings

MESH, SWITCH = "MI300X mesh", "HGX H100 switch box"
GB = 1e9

# One MI300X has 7 links of 64 GB/s each way, one H100 a port of 450: pair, one GPU, all together, share of the wires at work.
LIMITS = {
    (MESH, "one pair"): (64, 64, 64, 1 / 56),
    (MESH, "one ring"): (64, 64, 8 * 64, 8 / 56),
    (MESH, "three rings"): (64, 3 * 64, 24 * 64, 24 / 56),
    (MESH, "seven rings"): (64, 7 * 64, 56 * 64, 1),
    (MESH, "all-to-all"): (64, 7 * 64, 56 * 64, 1),
    (SWITCH, "one pair"): (450, 450, 450, 1 / 8),
    (SWITCH, "one ring"): (450, 450, 8 * 450, 1),
    (SWITCH, "three rings"): (450, 450, 8 * 450, 1),
    (SWITCH, "seven rings"): (450, 450, 8 * 450, 1),
    (SWITCH, "all-to-all"): (450 / 7, 450, 8 * 450, 1),
}


def test_the_hand_computed_table_has_every_pattern():
    assert {pattern for _, pattern in LIMITS} == set(PATTERNS)


@pytest.mark.parametrize(("name", "pattern"), LIMITS)
def test_rates_equal_what_one_computes_by_hand(name, pattern):
    found = got(name, pattern)
    pair, gpu, total, busy = LIMITS[name, pattern]
    assert (found.pair, found.gpu, found.total) == pytest.approx((pair * GB, gpu * GB, total * GB))
    assert found.busy == pytest.approx(busy)


@pytest.mark.parametrize("name", [MESH, SWITCH])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pair_and_every_sender_gets_the_same(name, pattern):
    """The lab draws one figure for all of them."""
    shared = got(name, pattern).shared
    for key in (shared.src, shared.src * len(machine(name).nodes) + shared.dst):
        sums = np.bincount(key, shared.rates)
        assert np.ptp(sums[sums > 0]) < 1


def test_no_control_is_dead_on_the_mesh():
    """Every value of every control gives another sentence, where the others stand as they open."""
    lab = book.lab("mesh-or-switch")
    for name, control in lab.controls.items():
        said = {lab.evaluate(**{name: value})[1] for value in control.values}
        assert len(said) == len(control.values), name
    for machines in lab.controls["machines"].values:
        assert len({lab.evaluate(machines=machines, pattern=pattern)[1] for pattern in PATTERNS}) == len(PATTERNS)


def test_an_all_to_all_on_mi250x_is_printed_for_one_way_and_for_all_equal_ways():
    """The tight link of one way a pair carries four of the 56 flows, with equal ways three: which one it is nobody publishes."""
    table = mi250x_all_to_all()
    assert table["slowest pair"].tolist() == ["12.5 GB/s", "16.7 GB/s"]
    assert table["each GPU sends"].tolist() == ["87.5 GB/s", "117 GB/s"]


@pytest.mark.parametrize("rings", range(1, 8))
def test_each_ring_is_drawn_in_its_own_colour_and_goes_once_round(rings):
    table, sentence = book.lab("seven-rings").evaluate(rings=rings)
    there = table[(table["part"] == "ring") & (table["size"] > 0)]
    assert there["ring"].unique().tolist() == [f"ring {i + 1}" for i in range(rings)]
    for number, (_, one) in enumerate(there.groupby("ring")):
        order = disjoint_rings(machine(MESH))[number]
        assert one["from"].tolist() == [f"gpu{i}" for i in order]
        assert one["to"].tolist() == [f"gpu{i}" for i in [*order[1:], order[0]]]
    assert len(there[["from", "to"]].drop_duplicates()) == 8 * rings
    assert f"{8 * rings} are at work; each GPU sends {64 * rings} GB/s" in sentence
    waiting = table[(table["part"] == "ring") & (table["size"] == 0)]
    assert (waiting["x"] == waiting["x2"]).all()


@pytest.mark.parametrize(("pair", "ways", "rate", "says"), [
    ((0, 1), "one of the best ways", "200 GB/s", "4 links"), ((0, 6), "one of the best ways", "100 GB/s", "2 links"),
    ((0, 2), "one of the best ways", "50 GB/s", "1 link "), ((0, 3), "one of the best ways", "50 GB/s", "detour"),
    ((0, 3), "all best ways", "100 GB/s", "detour")])
def test_the_dies_of_an_mi250x_are_not_all_neighbours(pair, ways, rate, says):
    table, sentence = book.lab("mi250x-dies").evaluate(source=pair[0], target=pair[1], ways=ways)
    assert rate in sentence
    assert says in sentence
    assert sorted(table.loc[(table["part"] == "device") & (table["state"] == "in use"), "die"]) == sorted(pair)
    cables = table[table["part"] == "cable"]
    assert (cables["state"] == "in use").sum() == (1 if says != "detour" else 2 if ways == "one of the best ways" else 4)
    assert cables["links"].sum() == 4 * 4 + 2 * 2 + 6


def test_seven_rings_share_no_link_of_the_mesh():
    flows = pairs(machine(MESH), "seven rings")
    assert len(np.unique(flows, axis=0)) == len(flows) == 56


@pytest.mark.parametrize("machines", ["both, side by side", MESH, SWITCH])
def test_what_is_drawn_in_use_is_what_carries_something(machines):
    table, _ = book.lab("mesh-or-switch").evaluate(machines=machines, pattern="one pair")
    used = table[(table["part"] == "cable") & table["state"].str.startswith("in use")]
    cables = {MESH: 1, SWITCH: 8}
    assert used.groupby("graph").size().to_dict() == {n: c for n, c in cables.items() if machines in (n, "both, side by side")}
    assert (used["px"] > 2).all()
    labels = used.loc[(used["from"] == "gpu0") & (used["label"] != ""), ["graph", "label"]]
    for name, rate in ((MESH, 64), (SWITCH, 450)):
        assert labels.loc[labels["graph"] == name, "label"].astype(float).sum() in (0, rate)


def test_the_sentence_gives_the_seconds_of_the_schedule():
    mesh = book.lab("mesh-or-switch").evaluate(machines=MESH, pattern="seven rings")[1]
    seconds = 2 * 7 / 8 * GRADIENT / (7 * 64 * GB) + 14 * 0.8e-6
    assert f"14 GB are summed in {fl.units.format(seconds, 's')}" in mesh


def rates(channels, nbytes=2.0**34):
    table, sentence = book.lab("ring-channels").evaluate(channels=channels, nbytes=nbytes)
    lines = {what: rows.set_index("GPUs")["rate (GB/s)"] for what, rows in table.groupby("what")}
    return lines["mesh, this many rings"], lines["mesh, all links of the group"], lines["switch box"], sentence


def test_one_ring_uses_one_link_whatever_the_group():
    ring, every, box, sentence = rates(1)
    assert ring.tolist() == pytest.approx([64] * 7, rel=1e-3)
    assert every.tolist() == [64 * (p - 1) for p in range(2, 9)]
    assert box.tolist() == pytest.approx([450] * 7, rel=1e-3)
    assert "leave 6 of a GPU's seven links idle" in sentence


def test_as_many_rings_as_share_no_link_fill_the_group_but_for_four_and_six():
    ring, every, _, sentence = rates(7)
    for gpus in range(2, 9):
        held = {4: 2, 6: 4}.get(gpus, gpus - 1)
        assert len(disjoint_rings(machine(MESH), gpus)) == held
        assert ring[gpus] == pytest.approx(64 * held, rel=1e-3)
    assert (ring[8], every[8]) == pytest.approx((448, 448), rel=1e-3)
    assert "leave none of" in sentence


def test_small_buffers_are_all_start_up_time():
    assert reached(MESH, GPUS, 7, 2.0**16) < 0.05 * within(MESH, GPUS)


def test_the_exercise_on_all_to_all_agrees_with_both_graphs():
    answer = find("exercises", "infinity_fabric.all-to-all").answer
    plan = fl.schedule("all_to_all", "direct", ranks=GPUS)
    on_graphs = [plan.time_on(machine(name), 8 * GB) for name in (MESH, SWITCH)]
    assert answer(8 * GB, GPUS, 64 * GB, 450 * GB) == pytest.approx(on_graphs, rel=1e-4)


def test_measured_rates_stand_beside_the_line_rate_of_their_own_links():
    found = line_against_measured()
    assert [round(line / GB) for line, _ in found.values()] == [200, 100, 50, 64, 448, 450, 450, 450, 450]
    assert [round(100 * measured / line) for line, measured in found.values()] == [71, 76, 78, 74, 70, 84, 88, 82, 107]
    assert {what[0] for what in found} == {"M", "H"}
    assert "reaches 74 % of its line rate, all seven together 70 %" in book.lab("line-against-measured").evaluate()[1]


def test_the_measured_curves_are_drawn_whole_and_the_model_is_too_fast_everywhere():
    table, sentence = book.lab("rings-against-measured").evaluate()
    assert table.groupby("run").size().to_dict() == {"eight MI300X": 24, "eight MI325X": 3}
    assert table["message"].min() == 1024
    assert table["error (%)"].max() < 0
    assert "by 18 % to 51 %" in sentence
    seconds = 2 * 7 / 8 * fl.units.GiB / (7 * 64 * GB) + 14 * 0.8e-6
    nbytes, model, _ = rings_against_measured()["eight MI300X"]
    assert model[nbytes.tolist().index(fl.units.GiB)] == pytest.approx(seconds)


def test_six_rings_that_share_links_use_every_link_of_four_gpus():
    """Two rings share no link (Tillson), and use two of three. All six, two to a link, use all: so the fold of the lab says."""
    mesh, plan, nbytes = fl.server("mi300x"), fl.schedule("all_reduce", "ring", ranks=4), 2.0**36
    orders = [[0, *rest] for rest in itertools.permutations((1, 2, 3))]
    sent = 2 * 3 / 4 * nbytes
    assert sent / plan.time_on(mesh, nbytes) == pytest.approx(2 * 64e9, rel=1e-3)
    assert sent / plan.time_on(mesh, nbytes, order=orders) == pytest.approx(3 * 64e9, rel=1e-3)


def test_the_verdict_on_896_and_900_tells_what_was_measured():
    said = repr(book.verdict("d"))
    assert "313 GB/s on the mesh" in said
    assert "367 GB/s in a ring and 480 GB/s" in said


def test_a_mi350x_link_is_38_gb_a_lane_and_four_tenths():
    one = fl.link("xgmi-mi350x")
    assert one.line * 8 / one.lanes == pytest.approx(38.4 * GB)
    assert 2 * one.line == pytest.approx(153.6 * GB)
    assert 2 * one.bundle(one.per_device).line == pytest.approx(1075.2 * GB)


@pytest.mark.parametrize(("target", "told"), [
    (0, "reads its own memory: no link"), (1, "4 links join them"), (2, "1 link joins them")])
def test_dies_that_no_link_one_or_several_join_are_told_so(target, told):
    assert told in book.lab("mi250x-dies").evaluate(source=0, target=target)[1]
