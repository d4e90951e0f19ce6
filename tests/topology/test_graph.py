"""Graphs: names, paths, cuts and what is refused."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.topology import Cables, Graph


def wired(cables, gpus=4, switches=0, **options) -> Graph:
    nodes = {f"gpu{i}": "gpu" for i in range(gpus)} | {f"switch{i}": "switch" for i in range(switches)}
    return Graph.wired("a test graph", nodes, cables, **options)


NVLINK = fl.link("nvlink4")
LINE = wired([Cables([0, 1, 2], [1, 2, 3], NVLINK, [1, 2, 3])])


def test_a_cable_is_an_edge_each_way():
    assert LINE.src.tolist() == [0, 1, 2, 1, 2, 3]
    assert LINE.dst.tolist() == [1, 2, 3, 0, 1, 2]
    assert LINE.capacity == pytest.approx([25e9, 50e9, 75e9] * 2)
    assert LINE.latency == pytest.approx(NVLINK.latency)
    assert LINE.parts()["count"].tolist() == [4, 6]
    assert LINE.edges()["GB/s one way"].tolist() == [25, 50, 75] * 2


def test_hops_and_paths():
    assert LINE.hops(np.array([0, 2])).tolist() == [[0, 1, 2, 3], [2, 1, 0, 1]]
    assert LINE.paths("gpu3", "gpu0") == [("gpu3", "gpu2", "gpu1", "gpu0")]
    apart = wired([Cables([0, 2], [1, 3], NVLINK)])
    assert apart.hops(np.array([0])).tolist() == [[0, 1, 4, 4]]
    with pytest.raises(ValueError, match="no path from gpu0 to gpu3"):
        apart.paths("gpu0", "gpu3")


def test_parallel_cables_are_one_path():
    twice = wired([Cables([0, 0], [1, 1], NVLINK)], gpus=2)
    assert twice.paths("gpu0", "gpu1") == [("gpu0", "gpu1")]


def test_most_flow_over_a_graph_solved_by_hand():
    assert LINE.max_flow(np.array([0]), np.array([3])) == pytest.approx(25e9)
    assert LINE.max_flow(np.array([0, 3]), np.array([1])) == pytest.approx(75e9)
    # Two ways round: 1 link through the first switch; 3 in but 2 out of the second, and 1 more across to the first.
    diamond = wired([Cables([0, 2, 0, 3, 3], [2, 1, 3, 1, 2], NVLINK, [1, 2, 3, 2, 1])], gpus=2, switches=2)
    assert diamond.max_flow(np.array([0]), np.array([1])) == pytest.approx(4 * 25e9)


def test_most_flow_takes_back_what_a_short_path_took_first():
    # One way each: the short path 0-1-2-7 must give its middle edge up, for 0-1-3-4-7 and 0-5-6-2-7.
    src, dst = np.array([(0, 1), (1, 2), (2, 7), (1, 3), (3, 4), (4, 7), (0, 5), (5, 6), (6, 2)]).T
    ones = np.ones(9)
    graph = Graph("one way", tuple("01234567"), np.full(8, "gpu"), src, dst, ones, ones, ones, np.full(9, "wire"))
    assert graph.max_flow(np.array([0]), np.array([7])) == 2


def test_bisection_is_the_worst_balanced_cut():
    # Two pairs with 3 links inside each, joined by one link: the cut goes between the pairs.
    pairs = wired([Cables([0, 2, 1], [1, 3, 2], NVLINK, [3, 3, 1])])
    assert pairs.bisection() == pytest.approx(25e9)
    # Through a switch with unequal links, the half with the thin ones is the cut.
    star = wired([Cables([0, 1, 2, 3], [4, 4, 4, 4], NVLINK, [1, 2, 3, 4])], switches=1)
    assert star.bisection() == pytest.approx(3 * 25e9)


def test_a_declared_cut_is_taken_and_a_large_graph_needs_one():
    ring = Cables(np.arange(16), (np.arange(16) + 1) % 16, NVLINK)
    half = np.arange(16) < 8
    assert wired([ring], gpus=16, half=half).bisection() == pytest.approx(50e9)
    with pytest.raises(ValueError, match="a test graph has 16: give the graph the cut"):
        wired([ring], gpus=16).bisection()


def test_names_and_numbers_are_found_or_the_nearest_suggested():
    assert LINE.node("gpu2") == 2
    assert LINE.numbers(["gpu2", "gpu0"]).tolist() == [2, 0]
    assert LINE.numbers([3, 1]).tolist() == [3, 1]
    with pytest.raises(ValueError, match="'gpu7' is not known. Did you mean 'gpu"):
        LINE.node("gpu7")
    with pytest.raises(ValueError, match="Did you mean 'gpu3'"):
        LINE.paths("gpu0", "gqu3")
    with pytest.raises(ValueError, match="b must be another node than a; got 'gpu1' twice"):
        LINE.paths("gpu1", "gpu1")


@pytest.mark.parametrize(("changed", "words"), [
    ({"nodes": ("gpu0", "gpu1", "gpu1", "gpu3")}, "'gpu1' comes more than once"),
    ({"kinds": np.array(["gpu"])}, "columns of one length"),
    ({"src": np.array([0])}, "columns of one length"),
    ({"src": np.array([0, 1, 2, 1, 2, 4])}, "src must be a whole number from 0 to 3; got 4"),
    ({"dst": np.array([-1, 2, 3, 0, 1, 2])}, "dst must be"),
    ({"dst": np.array([0, 2, 3, 0, 1, 2])}, "joins? two different nodes.*gpu0 to itself"),
    ({"capacity": np.array([0.0, 1, 1, 1, 1, 1])}, "capacity must be a number greater than 0; got 0"),
    ({"latency": np.array([-1.0, 1, 1, 1, 1, 1])}, "latency must be"),
    ({"count": np.array([0, 1, 1, 1, 1, 1])}, "count must be"),
])
def test_impossible_graphs_are_refused_with_a_sentence(changed, words):
    columns = {name: getattr(LINE, name) for name in Graph.__dataclass_fields__}
    with pytest.raises(ValueError, match=words):
        Graph(**columns | changed)
