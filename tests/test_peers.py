"""Peer to peer: hand-solved servers, one flow at a time against flows.share, staging, both directions, bad input."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.peers import p2p
from fabriclib.topology import Part

WIRE = fl.link("pcie4").bandwidth()
HOP = fl.link("pcie4").latency
BOX = fl.server("pcie4-two-socket")


@pytest.mark.parametrize(("name", "rate"), [("hgx-h100", 450e9), ("mi300x", 64e9), ("dgx-a100", 300e9), ("gb200-tray", 900e9),
                                            ("a100-mesh4", 100e9), ("h100-mesh4", 150e9), ("alps-gh200", 150e9)])
def test_pairs_that_are_all_alike(name, rate):
    found = fl.p2p(fl.server(name))
    off = ~np.eye(len(found.names), dtype=bool)
    assert found.rates[off] == pytest.approx(rate)
    assert np.isnan(np.diag(found.rates)).all()
    assert found.latency[off] == pytest.approx(fl.server(name).inner.latency[0] * (2 if "switch" in fl.server(name).kinds else 1))


@pytest.mark.parametrize(("name", "ends"), [("mi250x", None), ("dgx-h100", ["gpu0", "nic3", "gpu5", "cpu1"]),
                                            ("pcie4-two-socket", ["gpu0", "gpu1", "gpu7", "nic2"])])
def test_each_pair_gets_what_a_flow_alone_gets(name, ends):
    graph = fl.server(name)
    found = p2p(graph, ends)
    for i, a in enumerate(found.names):
        for j, b in enumerate(found.names):
            if i != j:
                alone = fl.share(graph, [(a, b)])
                assert found.rates[i, j] == pytest.approx(alone.total)
                assert found.latency[i, j] == pytest.approx(alone.routing.latency[0])
                assert alone.load[found.bottleneck[i, j]] == pytest.approx(graph.capacity[found.bottleneck[i, j]])


def test_both_directions_of_full_duplex_links_double_the_rate():
    one, both = p2p(BOX), p2p(BOX, both=True)
    assert both.table().to_numpy() == pytest.approx(2 * one.table().to_numpy(), nan_ok=True)


def test_staged_copies_share_what_they_pass_twice_in_one_direction():
    one, both = p2p(BOX, staged=True).table(), p2p(BOX, staged=True, both=True).table()
    # One way: up one link and down another, or up and down the same uplink: full duplex.
    assert one.loc["gpu0", "gpu1"] == one.loc["gpu0", "gpu7"] == pytest.approx(WIRE / 1e9)
    # Both ways, below one switch: two copies go up its uplink and two come down. Elsewhere each has a link of its own.
    assert both.loc["gpu0", "gpu1"] == pytest.approx(WIRE / 1e9)
    assert both.loc["gpu0", "gpu2"] == pytest.approx(2 * WIRE / 1e9)


def test_a_thin_uplink_limits_what_leaves_the_switch():
    parts = [Part("cpu", "cpu0"), Part("pcie-switch", "sw0 sw1", "cpu0", "pcie4", lanes=8, latency=1e-7),
             Part("gpu", "gpu0 gpu1 gpu2", "sw0 sw0 sw1", "pcie4")]
    found = p2p(fl.tree("thin", parts))
    assert found.table().loc["gpu0"].tolist()[1:] == pytest.approx([WIRE / 1e9, WIRE / 2e9])
    assert found.limit("gpu0", "gpu2") in ("sw0 to cpu0", "cpu0 to sw1")
    assert found.slowest == ("gpu0", "gpu2")
    assert found.latencies().loc["gpu0"].tolist()[1:] == pytest.approx([1e6 * (HOP + 1e-7), 1e6 * (HOP + 2e-7)])
    assert repr(found).startswith("<3 devices of thin, pair by pair: 14.4 GB/s to 28.8 GB/s")


def test_a_staged_copy_takes_both_halves_of_the_latency():
    there, staged = p2p(BOX, ["gpu0", "gpu1"]), p2p(BOX, ["gpu0", "gpu1"], staged=True)
    assert there.latency[0, 1] == pytest.approx(HOP + 105e-9)
    assert staged.latency[0, 1] == pytest.approx(2 * (HOP / 2 + 105e-9))


@pytest.mark.parametrize(("arguments", "words"), [
    (("hgx-h100",), "graph must be a Graph"),
    ((BOX, ["gpu0"]), "ends must be at least 2 and at most 141 different devices of Two sockets.*; got 1"),
    ((BOX, ["gpu0", "gpu0"]), "different devices"),
    ((BOX, ["gpu0", "gpu9"]), "'gpu9' is not known. Did you mean 'gpu"),
])
def test_refused_with_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        p2p(*arguments)


def test_without_a_cpu_nothing_can_be_staged():
    with pytest.raises(ValueError, match="must have a CPU to stage copies through its memory; HGX H100 has none"):
        p2p(fl.server("hgx-h100"), staged=True)
