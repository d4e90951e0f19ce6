"""PCIe trees: what a list of parts builds, the path classes of `nvidia-smi topo -m`, and trees that cannot be."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.topology import Cables, Graph
from fabriclib.topology.trees import Part, cables, listed

PARTS = [
    Part("cpu", "cpu0", has=80), Part("cpu", "cpu1", "cpu0", "xgmi-epyc2", links=3, has=80),
    Part("root", "rc0 rc1", "cpu0"), Part("root", "rc2", "cpu1"),
    Part("pcie-switch", "sw0 sw1 sw2", "rc0 rc1 rc2", has=96, latency=100e-9),
    Part("pcie-switch", "sw3", "sw2", has=96, latency=100e-9),
    Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0 sw1 sw2 sw3"), Part("nic", "nic0 nic1 nic3", "sw0 sw1 sw3"),
    Part("ssd", "ssd0", "rc0", lanes=4),
]
BOX = fl.tree("a box", PARTS)


def test_every_part_is_a_node_and_every_link_a_pair_of_edges():
    assert BOX.nodes[:4] == ("gpu0", "gpu1", "gpu2", "gpu3")
    assert len(BOX.nodes) == sum(len(part.names.split()) for part in PARTS)
    assert len(BOX.src) == 2 * (len(BOX.nodes) - 1)
    table = BOX.edges().set_index(["from", "to"])["GB/s one way"]
    wire = fl.link("pcie5").bandwidth() / 1e9
    assert table["gpu0", "sw0"] == table["sw0", "rc0"] == pytest.approx(wire)
    assert table["ssd0", "rc0"] == pytest.approx(wire / 4)
    assert table["cpu0", "cpu1"] == pytest.approx(3 * 36)
    assert table["rc0", "cpu0"] == pytest.approx(2.5 * wire)  # inside the chip: twice what hangs below


def test_one_hop_of_latency_from_device_to_device_and_what_is_passed_on_the_way():
    hop = fl.link("pcie5").latency
    route = fl.share(BOX, [("gpu0", "nic0"), ("gpu2", "gpu3"), ("gpu0", "ssd0")]).routing
    assert route.latency == pytest.approx([hop + 100e-9, hop + 200e-9, hop + 100e-9])


@pytest.mark.parametrize(("a", "b", "word"), [
    ("gpu0", "nic0", "PIX"), ("gpu3", "nic3", "PIX"), ("gpu2", "gpu3", "PXB"), ("gpu2", "nic3", "PXB"),
    ("gpu0", "ssd0", "PHB"), ("gpu0", "gpu1", "NODE"), ("nic0", "nic1", "NODE"), ("gpu0", "gpu2", "SYS"), ("nic3", "gpu1", "SYS"),
])
def test_path_classes(a, b, word):
    assert fl.path_class(BOX, a, b) == fl.path_class(BOX, b, a) == word


def test_the_table_of_path_classes_has_every_device():
    table = fl.path_classes(BOX)
    assert list(table.index) == list(table.columns) == [f"gpu{i}" for i in range(4)] + ["nic0", "nic1", "nic3", "ssd0"]
    assert (np.diag(table) == "X").all()
    assert (table.to_numpy() == table.to_numpy().T).all()
    assert table.loc["gpu2", "gpu3"] == "PXB"


@pytest.mark.parametrize(("name", "word"), [("hgx-h100", "NV18"), ("mi300x", "XGMI")])
def test_gpus_joined_by_their_own_links_are_named_after_them(name, word):
    assert fl.path_class(fl.server(name), "gpu0", "gpu1") == word


def test_a_gpu_with_links_of_its_own_still_reaches_its_nic_through_the_tree():
    found = listed("a pair", [Part("cpu", "cpu0"), Part("gpu", "gpu0 gpu1", "cpu0"), Part("nic", "nic0", "cpu0")])
    nodes = {name: part.kind for name, part in found.items()}
    number = {name: i for i, name in enumerate(nodes)}
    graph = Graph.wired("a pair", nodes, [*cables(found, number), Cables([1], [2], fl.link("nvlink3"), 4)])
    assert graph.own.sum() == 2
    assert len(set(graph.islands.tolist())) == 3  # the GPUs together, the CPU and the NIC each alone
    assert fl.path_class(graph, "gpu0", "gpu1") == "NV4"
    assert fl.path_class(graph, "gpu0", "nic0") == "PHB"
    assert fl.path_class(graph.tree, "gpu0", "gpu1") == "PHB"


def test_cpus_may_be_linked_to_several_others():
    cpus = [Part("cpu", "cpu0"), Part("cpu", "cpu1", "cpu0", "xgmi-epyc2"), Part("cpu", "cpu2", "cpu0,cpu1", "xgmi-epyc2")]
    ring = fl.tree("three sockets", [*cpus, Part("nic", "nic1 nic2", "cpu1 cpu2")])
    assert ring.paths("nic1", "nic2") == [("nic1", "cpu1", "cpu2", "nic2")]
    assert fl.path_class(ring, "nic1", "nic2") == "SYS"


def test_islands_are_found_over_long_ways():
    chain = Graph.wired("a chain", {f"gpu{i}": "gpu" for i in range(40)},
                        [Cables([*range(19), *range(20, 39)][::-1], [*range(1, 20), *range(21, 40)][::-1], fl.link("nvlink3"))])
    assert chain.islands.tolist() == [0] * 20 + [20] * 20


CPU = Part("cpu", "cpu0", has=32)


@pytest.mark.parametrize(("parts", "words"), [
    ([CPU, Part("gpu", "gpu0 gpu1 gpu2", "cpu0")],
     "cpu0 of a box has 32 PCIe lanes, and 48 are asked of it: 16 by gpu0, 16 by gpu1, 16 by gpu2"),
    ([CPU, Part("pcie-switch", "sw0", "cpu0", has=48), Part("gpu", "gpu0 gpu1 gpu2", "sw0")],
     "sw0 of a box has 48 PCIe lanes, and 64 .*16 by its uplink"),
    ([CPU, Part("root", "rc0 rc1", "cpu0"), Part("gpu", "gpu0 gpu1 gpu2", "rc0 rc1 rc1")],
     "cpu0 of a box has 32 PCIe lanes, and 48"),
    ([CPU, Part("root", "rc0", "cpu0", has=16), Part("gpu", "gpu0 gpu1", "rc0")], "rc0 of a box has 16 PCIe lanes, and 32"),
    ([CPU, Part("pcie-switch", "sw0", "sw1"), Part("pcie-switch", "sw1", "sw0"), Part("gpu", "gpu0", "sw0")],
     "hang at each other in a loop: sw0 at sw1 at sw0"),
    ([CPU, Part("pcie-switch", "sw0", "sw0")], "in a loop: sw0 at sw0"),
    ([CPU, Part("gpu", "gpu0", "cpu0"), Part("gpu", "gpu1")], "gpu1 of a box is not connected.*'cpu0'"),
    ([CPU, Part("cpu", "cpu1")], "cpu1 of a box is not connected"),
    ([CPU, Part("pcie-switch", "sw0", "cpu0"), Part("gpu", "gpu0", "cpu0"), Part("gpu", "gpu0", "sw0")],
     "gpu0 of a box is listed twice: at cpu0 and at sw0"),
    ([CPU, Part("cpu", "cpu1", "cpu0"), Part("gpu", "gpu0", "cpu0,cpu1")],
     "must hang at one place; gpu0 is to hang at cpu0 and at cpu1"),
    ([CPU, Part("gpu", "gpu0", "cpu1")], "the part that gpu0 of a box hangs at, 'cpu1' is not known. Did you mean 'cpu0'"),
    ([CPU, Part("root", "rc0", "cpu0")], "a root must have a part below it; rc0 of a box has 0"),
    ([CPU, Part("gpu", "gpu0", "cpu0"), Part("nic", "nic0", "gpu0")],
     "nic0 .nic. of a box must hang at a cpu or a root.*got gpu0, a gpu"),
    ([CPU, Part("pcie-switch", "sw0", "cpu0"), Part("cpu", "cpu1", "sw0")], "cpu1 .cpu. of a box must hang at a cpu; got sw0"),
    ([CPU, Part("retimer", "rt0", "cpu0"), Part("gpu", "gpu0 gpu1", "rt0", lanes=8)], "rt0 of a box has 2"),
    ([CPU, Part("retimer", "rt0", "cpu0")], "a retimer must have one part below it; rt0 of a box has 0"),
    ([Part("gpu", "gpu0")], "a box must have a CPU that hangs at nothing"),
    ([], "a box must have a CPU"),
    ([CPU, Part("gpu", "gpu0 gpu1", "cpu0 cpu0 cpu0")], "one place for all of 'gpu0 gpu1' or one for each; got 'cpu0 cpu0 cpu0'"),
    ([CPU, Part("gpu", "", "cpu0")], "at must name"),
    ([CPU, Part("gqu", "gpu0", "cpu0")], "kind of part 'gqu' is not known. Did you mean 'gpu'"),
    ([CPU, Part("gpu", "gpu0", "cpu0", "pcie9")], "link 'pcie9' is not known. Did you mean 'pcie"),
    ([CPU, Part("gpu", "gpu0", "cpu0", lanes=3)], "lanes must be 1 or 2 or 4 or 8 or 16 for PCIe 5; got 3"),
    ([CPU, Part("gpu", "gpu0", "cpu0", links=0)], "links of gpu0 must be a whole number"),
    ([Part("cpu", "cpu0", has=-8)], "has of cpu0 must be a whole number"),
    ([Part("cpu", "cpu0", latency=-1.0)], "latency of cpu0 must be"),
])
def test_impossible_trees_are_refused_with_a_sentence(parts, words):
    with pytest.raises(ValueError, match=words):
        fl.tree("a box", parts)


@pytest.mark.parametrize(("a", "b", "words"), [("gpu0", "gpu0", "another device than a"), ("gpu0", "nic9", "Did you mean 'nic"),
                                               ("gpu0", "cpu0", "device of a box 'cpu0'")])
def test_path_class_refuses_with_a_sentence(a, b, words):
    with pytest.raises(ValueError, match=words):
        fl.path_class(BOX, a, b)
