"""Schedules on rail-optimised fabrics: rings, levels and rails, each against its limit worked out by hand."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.flows import share
from fabriclib.topology import rail_rings

NIC, NVLINK = fl.link("eth400").bandwidth(), 18 * fl.link("nvlink4").bandwidth()
ALPHA, HOP = fl.link("eth400").latency, fl.link("nvlink4").latency
N = 8e9
RAILS = fl.fabric("rail-optimised", gpus=64)  # eight servers of eight
TIGHT = fl.fabric("rail-optimised", gpus=24, per_server=4, radix=8, oversubscription=3)  # leaves: 6 down, 2 up


def nics_in_use(graph, pairs) -> int:
    """How many GPUs send through their NIC when *pairs* do."""
    load = share(graph, pairs).load
    out = np.isin(graph.src, graph.gpus) & (graph.kinds[graph.dst] == "leaf")
    return int((load[out] > 0).sum())


@pytest.mark.parametrize(("channels", "nics"), [(1, 1), (2, 2), (4, 4), (8, 8), ("auto", 8)])
def test_a_ring_of_all_channels_uses_every_nic_and_of_one_channel_one(channels, nics):
    ring = fl.schedule("all_reduce", "ring", ranks=64)
    assert ring.time_on(RAILS, N, channels=channels) == pytest.approx(126 * ALPHA + N * 2 * 63 / 64 / (nics * NIC), rel=1e-4)


@pytest.mark.parametrize(("servers", "per_server"), [(2, 4), (3, 4), (5, 8), (6, 4), (7, 3), (3, 2), (4, 2), (4, 1)])
def test_each_ring_enters_and_leaves_every_server_by_a_nic_of_its_own(servers, per_server):
    graph = fl.fabric("rail-optimised", gpus=servers * per_server, per_server=per_server, radix=16)
    rings = np.array(rail_rings(graph))
    assert rings.shape == (per_server, servers * per_server)
    assert (np.sort(rings) == np.arange(servers * per_server)).all()
    nexts = np.roll(rings, -1, axis=1)
    crosses = rings // per_server != nexts // per_server
    for ends in (rings[crosses], nexts[crosses]):
        assert np.bincount(ends).tolist() == [1] * (servers * per_server)
    if per_server != 2 or servers % 2 == 0:  # two GPUs and an odd number of servers: no way round that keeps to the rails
        assert (rings[crosses] % per_server == nexts[crosses] % per_server).all()
    if per_server > 1:
        assert nics_in_use(graph, np.stack([rings.ravel(), nexts.ravel()], axis=1)) == servers * per_server
        assert nics_in_use(graph, np.stack([rings[0], nexts[0]], axis=1)) == servers


def test_servers_in_use_in_part_have_no_rail_rings():
    assert rail_rings(RAILS, 12) == []
    assert rail_rings(RAILS, 8) == []
    assert rail_rings(fl.server("hgx-h100")) == []
    assert len(rail_rings(RAILS, 16)) == 8
    uneven = fl.schedule("all_reduce", "ring", ranks=12)
    assert uneven.time_on(RAILS, N) == pytest.approx(22 * ALPHA + N * 2 * 11 / 12 / NIC)


def test_two_levels_take_nvlink_then_all_nics_then_nvlink():
    two = fl.schedule("all_reduce", "hierarchical", ranks=64, dims=(8, 8))
    inside, between = 14 * HOP + 2 * N * 7 / 8 / NVLINK, 14 * ALPHA + N / 8 * 2 * 7 / 8 / NIC
    assert two.time_on(RAILS, N) == pytest.approx(inside + between)
    flat = fl.schedule("all_reduce", "ring", ranks=64)
    assert flat.time_on(RAILS, 1e4) > 4 * two.time_on(RAILS, 1e4)  # 126 steps over the network against 14
    assert flat.time_on(RAILS, 1e12) < two.time_on(RAILS, 1e12)  # NICs wait while NVLink works, and the other way round


def test_blocks_that_travel_together_need_fewer_messages_on_a_fabric_that_carries_all():
    flat, rails = (fl.schedule("all_to_all", name, ranks=64, **more) for name, more in (
        ("pairwise", {}), ("rail_aggregated", {"dims": (8, 8)})))
    # Seven of the 63 exchanges stay inside the servers. On the rails, seven messages of eight blocks each cross.
    assert flat.time_on(RAILS, N) == pytest.approx(7 * (HOP + N / 64 / NVLINK) + 56 * (ALPHA + N / 64 / NIC))
    assert rails.time_on(RAILS, N) == pytest.approx(7 * (HOP + N / 8 / NVLINK) + 7 * (ALPHA + N / 8 / NIC))


def test_on_thin_spines_only_the_rails_are_left_alone():
    flat, rails = (fl.schedule("all_to_all", name, ranks=24, **more) for name, more in (
        ("pairwise", {}), ("rail_aggregated", {"dims": (4, 6)})))
    # Flat, a step by a multiple of four keeps to the rails (5 of 23); in every other six GPUs of a leaf share two links up.
    assert flat.time_on(TIGHT, N) == pytest.approx(23 * ALPHA + N / 24 / NIC * (5 + 18 * 3))
    assert rails.time_on(TIGHT, N) == pytest.approx(3 * (HOP + N / 4 / NVLINK) + 5 * (ALPHA + N / 6 / NIC))
    ring = fl.schedule("all_reduce", "ring", ranks=24)
    assert ring.time_on(TIGHT, N) == pytest.approx(46 * ALPHA + N * 2 * 23 / 24 / (4 * NIC), rel=1e-4)


def test_without_spines_blocks_can_only_travel_by_rail():
    apart = fl.fabric("rail-only", gpus=24, per_server=4, radix=8)
    rails = fl.schedule("all_to_all", "rail_aggregated", ranks=24, dims=(4, 6))
    assert rails.time_on(apart, N) == pytest.approx(rails.time_on(TIGHT, N))
    with pytest.raises(ValueError, match="rail-only has no path from gpu3 to gpu4"):
        fl.schedule("all_to_all", "pairwise", ranks=24).time_on(apart, N)


def test_a_server_on_a_fabric_adds_in_its_switches_as_it_does_alone():
    plan = fl.schedule("all_reduce", "nvls", 8)
    alone = plan.time_on(fl.server("hgx-h100"), N)
    for order in (None, range(56, 64)):
        assert plan.time_on(RAILS, N, order=order) == pytest.approx(alone)


def test_a_leaf_adds_for_its_rail_and_for_nobody_else():
    plan, rail = fl.schedule("all_reduce", "sharp", 8), range(3, 64, 8)
    by_formula = fl.collective_time("all_reduce", "sharp", nbytes=N, ranks=8, alpha=ALPHA / 2, beta=1 / NIC)
    assert plan.time_on(RAILS, N, order=rail) == pytest.approx(by_formula)
    with pytest.raises(ValueError, match="sharp needs a switch that every rank is linked to"):
        fl.schedule("all_reduce", "sharp", 64).time_on(RAILS, N)
