"""Servers: what their rows build, set beside published figures."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog

NAMES = [cells["id"] for cells in catalog.rows("servers")]
OWN = [name for name in NAMES if fl.server(name).own.any()]
DIES = [7, 6] * 4  # of an MI250X: four links inside the package, five that leave it, one more of each die to the host


@pytest.mark.parametrize("name", OWN)
def test_every_server_uses_exactly_the_links_its_gpus_have(name):
    graph, cells = fl.server(name).inner, catalog.row("servers", name)
    used = np.bincount(graph.src, graph.count, minlength=len(graph.nodes))[graph.gpus]
    assert used.tolist() == (DIES if name == "mi250x" else [fl.link(cells["link"]).per_device] * cells["gpus"])


@pytest.mark.parametrize("name", NAMES)
def test_both_directions_are_alike(name):
    graph = fl.server(name)
    there = sorted(zip(graph.src, graph.dst, graph.capacity, strict=True))
    assert there == sorted(zip(graph.dst, graph.src, graph.capacity, strict=True))


@pytest.mark.parametrize("table", ["servers", "server_parts"])
def test_every_value_of_a_row_names_its_source(table):
    said = ("unverified", "derived", "assumed", "the H100 board's")
    for cells, text in zip(catalog.rows(table), catalog.texts(table), strict=True):
        told = ("id", "name", "server", "kind", "short", "peer", "ring_table", "sources", "note")
        valued = {field for field, value in text.items() if value and field not in told}
        sources = catalog.sources_of(cells)
        assert set(sources) == valued, cells
        assert all(s.id != "none" for s in sources.values()) or any(word in cells["note"] for word in said), cells


@pytest.mark.parametrize("name", [name for name in OWN if name != "mi250x"])
def test_a_hop_from_gpu_to_gpu_takes_the_links_latency_with_or_without_a_switch(name):
    latency = fl.share(fl.server(name), [("gpu0", "gpu1")]).routing.latency
    assert latency == pytest.approx(fl.link(catalog.row("servers", name)["link"]).latency)


def test_a_dgx_has_what_its_makers_list():
    parts = dict(fl.server("dgx-h100").parts()[["part", "count"]].to_numpy().tolist())
    assert parts == {"cpu": 2, "gpu": 8, "nic": 8, "pcie-switch": 8, "root": 8, "switch": 4, "inside": 8, "nvlink4": 144,
                     "pcie5": 24, "upi2": 3}
    parts = dict(fl.server("dgx-a100").parts()[["part", "count"]].to_numpy().tolist())
    assert (parts["pcie-switch"], parts["switch"], parts["nvlink3"], parts["nic"]) == (4, 6, 96, 8)
    # The DGX H100 manual: module 0, on CPU 0, serves GPUs 0 to 3; module 1 serves GPUs 4 to 7.
    classes = fl.path_classes(fl.server("dgx-h100"))
    assert classes.loc["nic0", [f"gpu{i}" for i in range(8)]].tolist() == ["PIX", *["NODE"] * 3, *["SYS"] * 4]


def test_traffic_of_gpus_stays_on_their_own_links_and_that_of_nics_on_the_tree():
    box, bare = fl.server("dgx-a100"), fl.server("hgx-h100")
    # Two GPUs below one PCIe switch are as near over it as over an NVSwitch, and must not use it.
    shared = fl.share(box, [("gpu0", "gpu1"), ("gpu0", "nic1"), ("nic0", "gpu5")])
    assert shared.rates == pytest.approx([300e9, fl.link("pcie4").bandwidth(), fl.link("pcie4").bandwidth()])
    through = {box.nodes[n] for n in box.dst[shared.routing.edge[shared.routing.flow == 0]]}
    assert through == {"gpu1", *(f"nvswitch{i}" for i in range(6))}
    assert not any(box.own[shared.routing.edge[shared.routing.flow > 0]])
    plan = fl.schedule("all_reduce", "ring", ranks=8)
    assert plan.time_on(fl.server("dgx-h100"), 1e9) == pytest.approx(plan.time_on(bare, 1e9))


# The topology matrix of a cloud server with eight B200, as published (dsvolk-b200): what each GPU is to NIC 0 and NIC 2.
@pytest.mark.parametrize(("gpu", "words"), [*enumerate([("PIX", "NODE")] * 2 + [("NODE", "PIX")] * 2 + [("SYS", "SYS")] * 4)])
def test_path_classes_of_a_b200_server_as_published(gpu, words):
    classes = fl.path_classes(fl.server("hgx-b200"))
    assert tuple(classes.loc[f"gpu{gpu}", ["nic0", "nic2"]]) == words
    assert set(classes.loc[f"gpu{gpu}", [f"gpu{i}" for i in range(8) if i != gpu]]) == {"NV18"}


# A DGX A100 whose sockets are cut into four NUMA nodes each (nccl-1505) prints PXB to the two NICs of a GPU's own switch, which
# shows two levels, and SYS to all others: the coarser words of the same tree.
def test_path_classes_of_a_dgx_a100_are_those_published_with_a_socket_as_one_numa_node():
    classes = fl.path_classes(fl.server("dgx-a100"))
    for gpu in range(8):
        near = {f"nic{gpu // 2 * 2}", f"nic{gpu // 2 * 2 + 1}"}
        words = {"PIX": "PXB", "NODE": "SYS", "SYS": "SYS"}
        printed = {nic: words[classes.loc[f"gpu{gpu}", nic]] for nic in (f"nic{i}" for i in range(8))}
        assert printed == {nic: "PXB" if nic in near else "SYS" for nic in printed}


def test_a_rack_of_72_declares_its_cut_and_that_is_what_its_gpus_can_send():
    rack = fl.server("gb200-nvl72")
    assert dict(rack.parts()[["part", "count"]].to_numpy().tolist()) == {"gpu": 72, "switch": 18, "nvlink5": 1296}
    assert rack.bisection() == pytest.approx(36 * 900e9)
    assert rack.max_flow(rack.gpus[:36], rack.gpus[36:]) == pytest.approx(rack.bisection())
    # NVIDIA adds up both directions of all 72: 130 TB/s.
    assert 2 * rack.capacity[np.isin(rack.src, rack.gpus)].sum() == pytest.approx(130e12, rel=0.01)


def test_a_pair_of_dies_takes_one_path_the_widest():
    node = fl.server("mi250x")
    rates = {pair: fl.share(node, [pair]).total / 50e9 for pair in [(0, 1), (0, 6), (0, 2), (0, 3), (0, 7), (1, 6), (1, 7)]}
    assert rates == pytest.approx({(0, 1): 4, (0, 6): 2, (0, 2): 1, (0, 3): 1, (0, 7): 2, (1, 6): 2, (1, 7): 2})
    # From 1 to 7 there are ways of two links, each with a single one in it; the widest has three and goes by 0 and 6.
    taken = fl.share(node, [(1, 7)]).routing.edge
    assert [node.nodes[n] for n in node.dst[taken]] == ["gpu0", "gpu6", "gpu7"]


def test_hgx_h100_is_four_switches_and_144_links():
    graph = fl.server("hgx-h100")
    assert dict(graph.parts()[["part", "count"]].to_numpy().tolist()) == {"gpu": 8, "switch": 4, "nvlink4": 144}
    assert graph.paths("gpu2", "gpu6") == [("gpu2", f"nvswitch{i}", "gpu6") for i in range(4)]
    # NVIDIA states 3.6 TB/s of bisection for DGX H100, both ways.
    assert 2 * graph.bisection() == pytest.approx(3.6e12)


def test_mi300x_is_a_full_mesh_of_28_links():
    graph = fl.server("mi300x")
    assert dict(graph.parts()[["part", "count"]].to_numpy().tolist()) == {"gpu": 8, "xgmi-mi300x": 28}
    assert graph.paths("gpu2", "gpu6") == [("gpu2", "gpu6")]
    assert graph.bisection() == pytest.approx(4 * 4 * 64e9)


def test_the_catalogue_lists_them():
    table = fl.servers().set_index("id")
    assert table.loc["hgx-h100", "GPU GB/s one way"] == pytest.approx(450)
    assert table.loc["mi300x", "GPU GB/s one way"] == pytest.approx(448)
    assert table.loc["mi300x", "switches"] == 0


def test_an_unknown_server_suggests_the_nearest():
    with pytest.raises(ValueError, match="server 'hgx-h10' is not known. Did you mean 'hgx-h100'"):
        fl.server("hgx-h10")
