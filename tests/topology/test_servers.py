"""Servers: what their rows build, set beside published figures."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog

NAMES = [cells["id"] for cells in catalog.rows("servers")]


@pytest.mark.parametrize("name", NAMES)
def test_every_server_uses_exactly_the_links_its_gpus_have(name):
    graph, cells = fl.server(name), catalog.row("servers", name)
    used = np.bincount(graph.src, graph.count, minlength=len(graph.nodes))[graph.gpus]
    assert used.tolist() == [fl.link(cells["link"]).per_device] * int(cells["gpus"])


@pytest.mark.parametrize("name", NAMES)
def test_both_directions_are_alike(name):
    graph = fl.server(name)
    there = sorted(zip(graph.src, graph.dst, graph.capacity, strict=True))
    assert there == sorted(zip(graph.dst, graph.src, graph.capacity, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_a_row_names_its_source(name):
    cells = catalog.row("servers", name)
    valued = {field for field, value in cells.items() if value and field not in ("id", "name", "sources", "note")}
    assert set(catalog.sources_of(cells)) == valued


def test_a_hop_from_gpu_to_gpu_takes_the_links_latency_with_or_without_a_switch():
    for name in NAMES:
        graph = fl.server(name)
        path = graph.paths("gpu0", "gpu1")[0]
        hop = graph.latency[(graph.src == graph.node(path[0])) & (graph.dst == graph.node(path[1]))]
        wire = fl.link(catalog.row("servers", name)["link"])
        assert hop.sum() * (len(path) - 1) == pytest.approx(wire.latency)


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
