"""Folding: like switches become one, and every flow gets what it got before."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.flows import finish, max_min, route
from fabriclib.topology import Cables, Graph

CASES = [("leaf-spine", {"gpus": 96, "radix": 16}), ("fat-tree", {"gpus": 64, "radix": 8, "per_server": 4}),
         ("rail-optimised", {"gpus": 96, "radix": 8, "per_server": 4, "oversubscription": 3}),
         ("rail-only", {"gpus": 48, "radix": 8, "per_server": 4}), ("dual-plane", {"gpus": 48, "radix": 8, "per_server": 4}),
         ("dragonfly", {"gpus": 72, "radix": 7, "per_server": 2}), ("torus", {"dims": (4, 4, 2)})]


@pytest.mark.parametrize(("kind", "options"), CASES, ids=lambda value: str(value))
def test_flows_get_on_the_folded_graph_what_they_get_on_the_whole(kind, options):
    graph, draw = fl.fabric(kind, **options), np.random.default_rng(5)
    small = graph.folded
    gpus = graph.gpus
    assert small.gpus.tolist() == gpus.tolist()
    assert small.capacity.sum() == pytest.approx(graph.capacity.sum())
    assert small.count.sum() == graph.count.sum()
    src, dst = draw.permutation(gpus), draw.permutation(gpus)
    keep = src != dst
    if kind == "rail-only":  # elsewhere the rails are joined
        keep &= (src % 4 == dst % 4) | (src // 4 == dst // 4)
    src, dst, found = src[keep], dst[keep], []
    for one in (graph, small):
        routing = route(one, src, dst)
        rates = max_min(routing, one.capacity)[0]
        found.append((rates, routing.latency, finish(routing, one.capacity, np.arange(1.0, len(src) + 1))))
    for whole, folded in zip(*found, strict=True):
        assert folded == pytest.approx(whole)


def test_the_spines_of_a_pod_become_one_and_so_do_all_cores():
    graph = fl.fabric("fat-tree", gpus=128, radix=8, per_server=4).folded
    assert [len(graph.of_kind(kind)) for kind in ("leaf", "spine", "core")] == [32, 8, 1]
    assert graph.nodes[:2] == ("gpu0", "gpu1")
    assert graph.folded.nodes == graph.nodes


def test_switches_that_differ_stay_apart():
    # Two spines with the same neighbours: one by a single link to each leaf, one by two.
    nodes = {f"gpu{i}": "gpu" for i in range(4)} | {"leaf0": "leaf", "leaf1": "leaf", "spine0": "spine", "spine1": "spine"}
    wire, leaf = fl.link("eth400"), np.array([4, 4, 5, 5])
    for count, left in ((2, 2), (1, 1)):
        graph = Graph.wired("two spines", nodes, [Cables([0, 1, 2, 3], leaf, wire), Cables([4, 5], [6, 6], wire),
                                                  Cables([4, 5], [7, 7], wire, count)])
        assert len(graph.folded.of_kind("spine")) == left
    assert len(graph.folded.of_kind("leaf")) == 2
    assert fl.server("hgx-h100").folded is fl.server("hgx-h100")


def test_a_stage_of_an_all_to_all_over_16384_gpus_has_six_rows_a_flow():
    many = 16_384
    graph, rank = fl.fabric("rail-optimised", gpus=many).folded, np.arange(many)
    routing = route(graph, rank, (rank + many // 2 + 3) % many)  # to another pod, and another rail
    assert len(routing.flow) == 6 * many
    nics = ~graph.own & np.isin(graph.src, graph.gpus)
    load = np.bincount(routing.edge, routing.fraction, minlength=len(graph.src))
    assert load[nics].tolist() == [1] * many
    assert finish(routing, graph.capacity, np.ones(many)) == pytest.approx(1 / fl.link("eth400").bandwidth())


@pytest.mark.parametrize(("kind", "options"), CASES, ids=lambda value: str(value))
def test_no_link_is_lost(kind, options):
    whole = fl.fabric(kind, **options)
    for column in ("count", "capacity"):
        assert getattr(whole.folded, column).sum() == pytest.approx(getattr(whole, column).sum(), rel=1e-12)
