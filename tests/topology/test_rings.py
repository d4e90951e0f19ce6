"""Rings that share no link."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.topology import Cables, Graph, disjoint_rings


def mesh(gpus: int, links=1) -> Graph:
    a, b = np.triu_indices(gpus, k=1)
    return Graph.wired("a mesh", {f"gpu{i}": "gpu" for i in range(gpus)}, [Cables(a, b, fl.link("nvlink4"), links)])


def links_used(rings, gpus: int) -> np.ndarray:
    used = np.zeros((gpus, gpus), dtype=int)
    for ring in rings:
        assert sorted(ring) == list(range(len(ring)))
        np.add.at(used, (ring, np.roll(ring, -1)), 1)
    return used


# Tillson (1980): the directed mesh of n falls apart into n - 1 rings, but for n = 4 and 6, where one less than that is left over.
@pytest.mark.parametrize(("gpus", "rings"), [(2, 1), (3, 2), (4, 2), (5, 4), (6, 4), (7, 6), (8, 7), (9, 8), (16, 15)])
def test_a_mesh_falls_apart_into_rings(gpus, rings):
    found = disjoint_rings(mesh(gpus))
    assert len(found) == rings
    assert found[0] == list(range(gpus))
    assert links_used(found, gpus).max() == 1


def test_seven_rings_use_every_link_of_the_mi300x():
    assert (links_used(disjoint_rings(fl.server("mi300x")), 8) == 1 - np.eye(8)).all()


def test_parallel_links_carry_a_ring_each():
    found = disjoint_rings(mesh(3, links=2))
    assert len(found) == 4
    assert links_used(found, 3).max() == 2


def test_fewer_ranks_use_the_links_among_themselves():
    found = disjoint_rings(fl.server("mi300x"), ranks=5)
    assert len(found) == 4
    assert links_used(found, 5).max() == 1


def test_no_ring_without_direct_links_or_over_a_line():
    assert disjoint_rings(fl.server("hgx-h100")) == []
    line = Graph.wired("a line", {f"gpu{i}": "gpu" for i in range(4)}, [Cables([0, 1, 2], [1, 2, 3], fl.link("nvlink4"))])
    assert disjoint_rings(line) == []


def test_the_search_ends_where_rings_are_many_or_hard_to_find():
    assert len(disjoint_rings(mesh(24))) >= 20
