"""Servers drawn by tier: what stands where, which cables there are, what is marked."""

import numpy as np
import pytest

import fabriclib as fl
from fabricbook.stage import tiers
from fabriclib.topology import Part

NAMES = ["hgx-h100", "dgx-h100", "dgx-a100", "hgx-b200", "mi250x", "mi300x", "alps-gh200", "pcie4-two-socket", "titan-rtx-box"]


@pytest.mark.parametrize("name", NAMES)
def test_every_device_has_a_place_of_its_own_within_the_picture(name):
    graph = fl.server(name)
    at = tiers.places(graph)[graph.kinds != "switch"]
    assert len({tuple(place) for place in at.round(6).tolist()}) == len(at)
    assert ((at >= [0, tiers.Y[0]]) & (at <= [1, tiers.Y[1]])).all()
    for kind, above in (("gpu", "pcie-switch"), ("nic", "pcie-switch"), ("pcie-switch", "cpu"), ("gpu", "cpu")):
        heights = tiers.places(graph)[:, 1]
        if len(graph.of_kind(kind)) and len(graph.of_kind(above)):
            assert heights[graph.of_kind(kind)].max() < heights[graph.of_kind(above)].min()


def test_what_is_above_stands_over_the_middle_of_what_is_below():
    graph = fl.server("dgx-a100")
    at = dict(zip(graph.nodes, tiers.places(graph)[:, 0].tolist(), strict=True))
    assert at["sw0"] == at["rc0"] == pytest.approx(np.mean([at[name] for name in ("gpu0", "gpu1", "nic0", "nic1")]))
    assert at["cpu0"] == pytest.approx((at["rc0"] + at["rc1"]) / 2)
    assert at["gpu0"] < at["gpu1"] < at["nic0"] < at["nic1"] < at["gpu2"]


def test_a_cable_each_and_the_nvswitches_as_one():
    rows = tiers.drawn(fl.server("dgx-h100"), fl.share(fl.server("dgx-h100"), [("gpu0", "gpu1"), ("gpu0", "nic6")]))
    cables = {(row["from"], row["to"]): row for row in rows if row["part"] == "cable"}
    assert len(cables) == 8 + 8 * 4 + 1  # to the NVSwitches; per GPU: GPU, NIC, root, CPU; between the sockets
    assert cables["gpu0", "NVSwitches"] | {"x": 0, "x2": 0} == cables["gpu0", "NVSwitches"] | {
        "x": 0, "x2": 0, "GB/s one way": 450.0, "GB/s used": 450.0, "link": "nvlink4", "state": tiers.TIGHT}
    assert cables["cpu0", "cpu1"]["state"] == tiers.IN_USE
    assert cables["gpu1", "sw1"]["state"] == tiers.IDLE
    assert sum(row["part"] == "bar" for row in rows) == 1
    assert {row["label"] for row in rows if row["part"] == "rate"} >= {"450", "▲ 450", "115", "57.6", "▲ 57.6"}


def test_a_mesh_is_drawn_in_arcs_and_labelled_as_far_as_it_can_be_read():
    def labels(name):
        return [row["label"] for row in tiers.drawn(fl.server(name)) if row["part"] == "rate" and row["y"] < 0.16]

    assert sorted(labels("mi250x")) == sorted(["200"] * 4 + ["100"] * 2 + ["50"] * 6)
    assert [row["label"] for row in tiers.drawn(fl.server("mi300x")) if row["part"] == "rate"] == ["64"]


def test_switches_below_switches_and_retimers_stand_between():
    parts = [Part("cpu", "cpu0"), Part("pcie-switch", "sw0", "cpu0"), Part("pcie-switch", "sw1", "sw0"),
             Part("retimer", "rt0", "sw1"), Part("gpu", "gpu0", "rt0"), Part("ssd", "ssd0", "sw0")]
    graph = fl.tree("a deep tree", parts)
    height = dict(zip(graph.nodes, tiers.places(graph)[:, 1].tolist(), strict=True))
    assert height["cpu0"] > height["sw0"] > height["sw1"] > height["rt0"] > height["gpu0"]


def test_the_table_reads_cables_first_and_the_tight_ones_last_of_them():
    graph = fl.server("mi250x")
    table = tiers.columns(tiers.drawn(graph, fl.share(graph, [("gpu0", "gpu7")])))
    states = [state for part, state in zip(table["part"], table["state"], strict=True) if part == "cable"]
    assert states == [tiers.IDLE] * 18 + [tiers.IN_USE] + [tiers.TIGHT]
    assert table["part"][: len(states)] == ["cable"] * len(states)
    assert len({len(column) for column in table.values()}) == 1


def test_equal_bottlenecks_are_all_marked_and_equal_siblings_labelled_once():
    graph = fl.server("pcie4-two-socket")
    rows = tiers.drawn(graph, fl.share(graph, [(f"gpu{i}", f"cpu{i // 4}") for i in range(8)]))
    cables = {(row["from"], row["to"]): row["state"] for row in rows if row["part"] == "cable"}
    assert [cables[f"sw{i}", f"rc{i}"] if (f"sw{i}", f"rc{i}") in cables else cables[f"rc{i}", f"sw{i}"] for i in range(4)] == [
        tiers.TIGHT] * 4
    gpu_labels = [row for row in rows if row["part"] == "rate" and row["state"] == tiers.IN_USE and row["y"] < 0.4]
    assert len(gpu_labels) == 4  # one for the two GPUs of each switch


def test_an_uplink_that_is_half_used_is_no_bottleneck_beside_a_full_one():
    """Two GPUs fill one uplink; of two others, below two switches, each is held to half by the one GPU they send to."""
    graph = fl.server("pcie4-two-socket")
    flows = [("gpu0", "cpu0"), ("gpu1", "cpu0"), ("gpu2", "gpu6"), ("gpu4", "gpu6")]
    rows = tiers.drawn(graph, fl.share(graph, flows))
    cables = {frozenset((row["from"], row["to"])): row for row in rows if row["part"] == "cable"}
    full, half = (cables[frozenset((f"sw{i}", f"rc{i}"))] for i in (0, 1))
    assert (full["state"], full["GB/s used"]) == (tiers.TIGHT, 28.8)
    assert (half["state"], half["GB/s used"]) == (tiers.IN_USE, 14.4)


def test_an_edge_in_use_by_half_is_no_bottleneck():
    graph = fl.server("hgx-h100")
    shared = fl.flows.share(graph, [("gpu0", "gpu1"), ("gpu0", "gpu2")])  # what leaves gpu0 is full, what enters the two half
    leaves, enters = graph.src == graph.node("gpu0"), np.isin(graph.dst, [graph.node("gpu1"), graph.node("gpu2")])
    assert shared.load[enters] == pytest.approx(graph.capacity[enters] / 2)
    assert np.array_equal(tiers._tight(shared), leaves)


def test_devices_of_one_row_stand_apart_however_many_there_are():
    """On the narrowest page 17 pixels are what a name of two letters takes."""
    box = fl.tree("many", [Part("cpu", "cpu0")] + [
        Part(kind, f"{kind}{n}", "cpu0") for kind, many in (("gpu", 8), ("nic", 8), ("ssd", 4)) for n in range(many)])
    for graph in (box, *map(fl.server, NAMES)):
        at = tiers.places(graph)
        for height in {at[i][1] for kind in tiers.DEVICES for i in graph.of_kind(kind)}:
            row = np.sort(at[np.isclose(at[:, 1], height)][:, 0])
            assert (np.diff(row) * 312 / (tiers.X[1] - tiers.X[0])).min(initial=99) > 17
            rooms = [one["room"] for one in tiers.drawn(graph) if one["part"] in tiers.DEVICES and one["y"] == height]
            assert rooms == pytest.approx([np.diff(row).min(initial=1.0)] * len(row))
