"""Fabrics: the graph and the closed form agree, the halving cut is the least one, and what does not fit is said."""

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

import fabriclib as fl
from fabriclib.topology.fabrics.ask import _split

SMALL = {"per_server": 4, "radix": 8}
CASES = {  # twenty sizes each, many of which fill no group, no pod or no even number of them
    "leaf-spine": [({"gpus": 2 * n, "per_server": 2, "radix": 8}) for n in (2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16)]
    + [{"gpus": 4 * n, "per_server": 4, "radix": 12, "oversubscription": o} for n in (4, 7, 10, 12) for o in (2, 0.5)],
    "fat-tree": [{"gpus": 2 * n, "per_server": 2, "radix": 4} for n in (2, 3, 4, 5, 6, 7, 8)]
    + [{"gpus": 4 * n, "radix": 8, "per_server": 4} for n in (2, 5, 9, 13, 18, 24, 32)]
    + [{"gpus": 4 * n, "radix": 12, "per_server": 4, "oversubscription": 3, "core_oversubscription": 2} for n in range(5, 11)],
    "rail-optimised": [{"gpus": 4 * n, **SMALL} for n in (2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 21, 32)]
    + [{"gpus": 4 * n, "per_server": 4, "rails": 2, "radix": 8} for n in (3, 6, 9, 14)]
    + [{"gpus": 8 * n, "radix": 24, "oversubscription": 2, "core_oversubscription": 3} for n in (20, 26, 40, 64)],
    "rail-only": [{"gpus": 4 * n, **SMALL} for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 17, 20, 24, 31, 32)]
    + [{"gpus": 4 * n, "oversubscription": 3, **SMALL} for n in (9, 12, 16, 20)],
    "dual-plane": [{"gpus": 4 * n, **SMALL} for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 21, 24)]
    + [{"gpus": 4 * n, "speed": "eth200", "trunk": "eth400", **SMALL} for n in (5, 8, 11, 16)],
    "multi-plane": [{"gpus": 4 * n, "planes": 2 * p, "per_server": 4, "radix": 4} for n in (2, 5, 8, 16) for p in (1, 2, 4)]
    + [{"gpus": 4 * n, "planes": 4, "per_server": 4, "radix": 4, "oversubscription": 3} for n in (3, 9, 15, 24)]
    + [{"gpus": 8 * n, "planes": 2, "radix": 8, "rails": 4} for n in (2, 6, 11, 16)],
    "one-tier": [{"gpus": n * s, "per_server": s, "radix": 48, "planes": p} for n in (2, 3, 5, 7, 12) for s in (1, 4)
                 for p in (1, 6)],
    "dragonfly": [{"gpus": 8 * g, "radix": 7, "per_server": 2} for g in range(2, 10)]
    + [{"gpus": 18 * g, "radix": 11, "per_server": 3} for g in (2, 3, 4, 5, 7, 10, 13, 19)]
    + [{"gpus": 32 * g, "radix": 15} for g in (2, 3, 4, 8)],
    "torus": [{"dims": dims} for dims in (
        (1, 2), (2, 2), (2, 3), (3, 3), (4, 4), (4, 2), (5, 3), (8, 4), (16, 16), (7, 9), (2, 2, 2), (3, 3, 3), (4, 4, 4),
        (4, 4, 8), (2, 4, 6), (5, 4, 3), (8, 8, 8), (1, 4, 4), (1, 1, 6), (12, 10, 4))],
}
CASES["torus"][-6:] = [{"dims": dims, "trunk": trunk, "speed": "ici-v5p"} for trunk in ("ici-v4", "nvlink5")
                       for dims in ((4, 4, 4), (3, 4, 4), (2, 6))]
LEAVES = {"leaf_ports": (12, 4), "radix": 24}
MORE = [("leaf-spine", {"gpus": 4 * n, "per_server": 4, "planes": 3, "links": 2, "leaf_ports": (8, 6), "radix": 12})
        for n in (2, 5, 8)]
MORE += [("rail-optimised", {"gpus": 4 * n, "per_server": 4, "trunk": "eth800", **LEAVES}) for n in (6, 15, 36)]
MORE += [("fat-tree", {"gpus": 4 * n, "per_server": 4, "pod_gpus": 24, "spines": 4, "core_oversubscription": 5, **LEAVES})
         for n in (7, 18, 31)]
ALL = [(kind, options) for kind, cases in CASES.items() for options in cases] + MORE


def hops(graph) -> int:
    """The most links of a shortest way through the network, of pairs that it joins."""
    network = graph if graph.own.all() else graph.tree
    far = network.hops(graph.gpus)[:, graph.gpus]
    return far[far < len(graph.nodes)].max()


def carried(graph) -> float:
    """Another's maximum flow (Dinic's, in scipy) from near GPUs to all others; it wants whole numbers, small and large."""
    unit, nodes = graph.capacity.min() / 10_000, len(graph.nodes)
    near = graph.half[graph.gpus]
    start, end = graph.gpus[near], graph.gpus[~near]
    src = np.concatenate([graph.src, np.full(len(start), nodes), end])
    dst = np.concatenate([graph.dst, start, np.full(len(end), nodes + 1)])
    whole = np.rint(np.concatenate([graph.capacity / unit, np.full(len(graph.gpus), 10**8)])).astype(np.int32)
    return maximum_flow(csr_array((whole, (src, dst)), shape=(nodes + 2,) * 2), nodes, nodes + 1).flow_value * unit


@pytest.mark.parametrize("kind", CASES)
def test_twenty_sizes_of_each_kind(kind):
    assert len(CASES[kind]) == 20


@pytest.mark.parametrize(("kind", "options"), ALL, ids=lambda value: str(value))
def test_graph_and_closed_form_agree(kind, options):
    graph, design = fl.fabric(kind, **options), fl.fabric_counts(kind, **options)
    leaves = len(graph.of_kind("leaf")) + len(graph.of_kind("router"))
    assert (len(graph.gpus), leaves, len(graph.of_kind("spine")), len(graph.of_kind("core"))) == (
        design.gpus, design.leaves, design.spines, design.cores)
    inside = graph.own & (design.leaves > 0)
    assert graph.count[~inside].sum() == 2 * design.cable_count
    assert hops(graph) == design.hops
    assert graph.bisection() == pytest.approx(design.cut)
    assert carried(graph) == pytest.approx(design.cut, rel=1e-3)


@pytest.mark.parametrize(("kind", "options"), [(kind, options) for kind, options in ALL if kind != "torus"],
                         ids=lambda value: str(value))
def test_no_switch_has_more_cables_than_ports(kind, options):
    graph, design = fl.fabric(kind, **options), fl.fabric_counts(kind, **options)
    switch = np.isin(graph.kinds, ("leaf", "router", "spine", "core"))
    ports = np.bincount(graph.src, graph.count, len(graph.nodes))[switch]
    split = options["planes"] if kind == "multi-plane" else 1
    assert ports.max() <= max(split * options.get("radix", 64), sum(options.get("leaf_ports", ())))
    assert ports.sum() == design.ports


@pytest.mark.parametrize(("kind", "options"), [(kind, cases[3]) for kind, cases in CASES.items()], ids=lambda value: str(value))
def test_the_own_maximum_flow_says_the_same(kind, options):
    graph = fl.fabric(kind, **options)
    near = graph.half[graph.gpus]
    assert graph.max_flow(graph.gpus[near], graph.gpus[~near]) == pytest.approx(fl.fabric_counts(kind, **options).cut)


def test_the_classic_fat_tree_of_four_port_switches():
    """Al-Fares, Loukissas and Vahdat (SIGCOMM 2008), figure 3: 16 hosts, four pods of two and two switches, four cores."""
    design = fl.fabric_counts("fat-tree", gpus=16, per_server=1, radix=4)
    assert (design.leaves, design.spines, design.cores, design.cable_count, design.hops) == (8, 8, 4, 48, 6)
    for radix in (4, 8, 16, 32, 64):
        full = fl.fabric_counts("fat-tree", gpus=radix**3 // 4, per_server=1, radix=radix)
        assert (full.leaves, full.spines, full.cores) == (radix**2 // 2, radix**2 // 2, radix**2 // 4)
        assert full.cut_per_gpu == pytest.approx(fl.link("eth400").bandwidth())


def test_rails_keep_a_gpu_index_on_one_leaf():
    graph = fl.fabric("rail-optimised", gpus=64, radix=16)
    for place in range(8):
        reached = {graph.dst[edge] for gpu in range(place, 64, 8) for edge in np.flatnonzero(graph.src == gpu)
                   if graph.kinds[graph.dst[edge]] == "leaf"}
        assert len(reached) == 1
    assert graph.tree.paths("gpu0", "gpu8") == [("gpu0", "leaf0", "gpu8")]
    assert len(graph.tree.paths("gpu0", "gpu9")[0]) == 5


def test_nothing_but_the_servers_joins_the_rails_of_a_rail_only_fabric():
    graph = fl.fabric("rail-only", gpus=64, radix=16)
    with pytest.raises(ValueError, match="no path from gpu0 to gpu9"):
        graph.tree.paths("gpu0", "gpu9")
    assert fl.fabric_counts("rail-only", gpus=64, radix=16).spines == 0


def test_each_port_of_a_nic_has_a_plane():
    graph = fl.fabric("dual-plane", gpus=64, radix=16)
    assert (np.bincount(graph.src[~graph.own])[graph.gpus] == 2).all()
    one, both = (fl.fabric_counts(kind, gpus=64, radix=16) for kind in ("rail-optimised", "dual-plane"))
    assert (both.leaves, both.spines, both.cut) == (2 * one.leaves, 2 * one.spines, pytest.approx(2 * one.cut))


def test_planes_that_divide_the_ports_leave_the_rate_and_save_a_tier():
    """The same NIC and the same switch: what planes change is how many leaves a spine reaches."""
    one, two, eight = (fl.fabric_counts("multi-plane", gpus=65_536, planes=planes) for planes in (1, 2, 8))
    assert one.gpu_rate == two.gpu_rate == eight.gpu_rate == pytest.approx(fl.link("eth800").bandwidth())
    assert (one.cores, two.cores, eight.cores) == (1024, 1024, 0)
    assert one.hops == eight.hops + 2
    # A source counts 5120 switches of 64 ports for a fat tree of so many; another that eight planes take 3/5 of these, and 2/3
    # of the optics: both ends of every cable, of which the planes' are eight times as many and an eighth as fast.
    assert one.switches == fl.catalog.figure("mpft-three-tiers").value
    assert eight.switches / one.switches == fl.catalog.figure("mrc-switches").value
    optics = [sum(run.count * run.link.bandwidth() for run in design.cables) for design in (one, eight)]
    assert optics[1] / optics[0] == pytest.approx(fl.catalog.figure("mrc-optics").value, rel=1e-3)


def test_two_tiers_of_eight_planes_end_where_the_source_says():
    most = fl.fabric_counts("openai-mrc").gpus
    assert fl.fabric_counts("multi-plane", gpus=most, planes=8, tiers=2).cores == 0
    with pytest.raises(ValueError, match=f"gpus must be at most {most:,} for two tiers"):
        fl.fabric_counts("multi-plane", gpus=most + 8, planes=8, tiers=2)


def test_rails_that_nothing_joins_are_what_deepseek_calls_planes():
    assert fl.fabric_counts("deepseek-mpft").switches == fl.catalog.figure("mpft-switches").value


def test_a_torus_is_halved_where_its_links_are_thinnest():
    even = fl.fabric_counts("torus", dims=(4, 4, 4), speed="neuronlink3")
    thin = fl.fabric_counts("torus", dims=(4, 4, 4), speed="neuronlink3", trunk="neuronlink3-ring")
    assert (even.cut, thin.cut) == (32 * 128e9, 32 * 64e9)
    assert [run.count for run in thin.cables] == [64, 128]
    assert fl.fabric_counts("torus", dims=(4, 4, 4), speed="neuronlink3-ring", trunk="neuronlink3").cut == thin.cut
    assert fl.fabric_counts("torus", dims=(3, 5)).near == 6  # two of five


WORST = [("leaf-spine", {"gpus": 12, "per_server": 2, "radix": 6, "oversubscription": 2}),
         ("leaf-spine", {"gpus": 10, "per_server": 2, "radix": 8, "oversubscription": 3}),  # 6 of a leaf and 4 of the other
         ("rail-optimised", {"gpus": 12, "per_server": 3, "radix": 6, "oversubscription": 2}),
         ("rail-optimised", {"gpus": 12, "per_server": 4, "rails": 2, "radix": 6, "oversubscription": 2}),
         ("rail-only", {"gpus": 10, "per_server": 2, "radix": 6, "oversubscription": 2}),
         ("rail-only", {"gpus": 12, "per_server": 3, "radix": 4, "oversubscription": 3}),  # a rail must be divided
         ("fat-tree", {"gpus": 10, "per_server": 1, "radix": 6, "oversubscription": 2, "core_oversubscription": 2}),
         ("fat-tree", {"gpus": 12, "per_server": 2, "radix": 6, "core_oversubscription": 2}),
         ("dual-plane", {"gpus": 8, "per_server": 2, "radix": 6, "oversubscription": 2}), ("torus", {"dims": (4, 3)})]


@pytest.mark.parametrize(("kind", "options"), WORST, ids=lambda value: str(value))
def test_no_half_of_the_gpus_has_less_than_what_is_assured(kind, options):
    """Every half there is, by maximum flow: the network alone, without what is inside the servers."""
    design, graph = fl.fabric_counts(kind, **options), fl.fabric(kind, **options)
    network = graph.tree if design.leaves else graph
    least = min(network.max_flow(graph.gpus[list(half)], np.setdiff1d(graph.gpus, graph.gpus[list(half)]))
                for half in itertools.combinations(range(design.gpus), design.gpus // 2))
    assert design.assured == pytest.approx(least / (design.gpus // 2))


def test_full_bisection_is_full_whichever_half_it_is():
    """The halves of one cut hide what a leaf with three ports down for each port up takes away."""
    nic = fl.link("eth400").bandwidth()
    full = fl.fabric_counts("rail-optimised", gpus=1024)
    assert full.assured == full.cut_per_gpu == pytest.approx(nic)
    thin = fl.fabric_counts("rail-optimised", gpus=1024, radix=128, oversubscription=3)
    assert thin.cut_per_gpu == pytest.approx(nic)
    # Five leaves of 96 and one of the small ones, of 32: 512 GPUs with 6 x 32 ports up.
    assert thin.assured == pytest.approx(nic * 6 * 32 / 512)
    assert fl.fabric_counts("rail-only", gpus=1024).assured == 0  # half of the rails
    assert np.isnan(fl.fabric_counts("dragonfly", gpus=1024).assured)


def test_oversubscription_takes_its_share_of_the_cut():
    full, third = (fl.fabric_counts("leaf-spine", gpus=768, oversubscription=o) for o in (1, 3))
    assert full.cut_per_gpu == pytest.approx(3 * third.cut_per_gpu)
    assert third.switches < full.switches


@pytest.mark.parametrize(("radix", "down", "up"), [(8, 5, 3), (26, 15, 11), (64, 48, 16), (128, 90, 38), (1024, 1023, 1)])
def test_ports_are_divided_as_asked_though_most_ratios_are_no_binary_fraction(radix, down, up):
    many = 2 * down  # two full leaves
    design = fl.fabric_counts("leaf-spine", gpus=many, per_server=1, radix=radix, oversubscription=down / up)
    assert (design.leaves, design.cables[1].count) == (2, 2 * up)


def test_counts_have_no_largest_fabric():
    assert fl.fabric_counts("dragonfly", gpus=32 * 16 * 513).gpus == 262656
    assert fl.fabric_counts("rail-optimised", gpus=2_000_000, radix=256).switches > 20_000


@pytest.mark.parametrize(("kind", "options", "words"), [
    ("rail-optimized", {"gpus": 64}, "Did you mean 'rail-optimised'"),
    ("leaf-spine", {"gpus": 4096}, "gpus must be at most 2,048 for two tiers of 64-port switches"),
    ("fat-tree", {"gpus": 80_000}, "gpus must be at most 65,536 for three tiers"),
    ("leaf-spine", {"gpus": 1001}, "fill at least two servers of 8 GPUs; got 1001"),
    ("leaf-spine", {"gpus": 8}, "fill at least two servers"),
    ("leaf-spine", {"gpus": 64, "radix": 8}, "radix must be larger: 4 ports of a leaf lead down, and 8"),
    ("fat-tree", {"gpus": 64, "raddix": 8}, "Did you mean 'radix'"),
    ("leaf-spine", {"gpus": 64, "tiers": 3}, "option of a leaf-spine fabric 'tiers' is not known"),
    ("leaf-spine", {}, "gpus must be given for a leaf-spine fabric"),
    ("torus", {"gpus": 64}, "option of a torus fabric 'gpus' is not known"),
    ("torus", {"dims": (4,)}, "dims must be the sizes of two or three dimensions"),
    ("torus", {"dims": 4}, "dims must be the sizes"),
    ("torus", {"dims": (1, 1)}, "dims must hold from 2"),
    ("dragonfly", {"gpus": 100, "per_server": 4}, "gpus must fill 2 to 513 groups of 512 GPUs"),
    ("dragonfly", {"gpus": 80, "radix": 7}, "2 to 9 groups of 8 GPUs .*got 80, 10 groups"),
    ("dragonfly", {"gpus": 80, "radix": 11}, "per_server must divide the 18 GPUs of a group"),
    ("multi-plane", {"gpus": 64, "planes": 3}, "planes must divide the 8 lanes of a port of 800G Ethernet; got 3"),
    ("multi-plane", {"gpus": 64, "radix": 512}, "radix must be a whole number from 4 to 128; got 512"),
    ("multi-plane", {"gpus": 64, "trunk": "eth400"}, "option of a multi-plane fabric 'trunk' is not known"),
    ("one-tier", {"gpus": 1024}, "tiers must be at least 2: 32 leaves of 64 ports are needed"),
    ("kunlun-32", {}, "speed must be given for Kunlun supernode of 32: no source gives the rate"),
    ("rail-optimised", {"gpus": 64, "rails": 3}, "rails must divide the 8 GPUs of a server; got 3"),
    ("rail-optimised", {"gpus": 4096, "tiers": 2}, "gpus must be at most 2,048 for two tiers"),
    ("rail-optimised", {"gpus": 4096, "tiers": 1}, "tiers must be at least 2"),
    ("rail-optimised", {"gpus": 1024, "spines": 12}, "spines must be 16 or 32, to take 1024 links.*got 12"),
    ("rail-optimised", {"gpus": 1024, "leaf_ports": 32}, "leaf_ports must be two numbers"),
    ("rail-optimised", {"gpus": 64, "radix": 8}, "radix must be larger: 4 ports of a spine lead down, and the leaves of 8 rails"),
    ("rail-optimised", {"gpus": 4096, "oversubscription": 0}, "oversubscription must be"),
    ("rail-optimised", {"gpus": 4096, "speed": "eth4000"}, "link 'eth4000' is not known"),
    ("rail-optimised", {"gpus": 4096, "passing": -1}, "passing must be"),
    ("fat-tree", {"gpus": 64, "radix": 3}, "radix must be a whole number from 4"),
])
def test_what_does_not_fit_is_said(kind, options, words):
    for ask in (fl.fabric, fl.fabric_counts):
        with pytest.raises(ValueError, match=words):
            ask(kind, **options)


def test_a_graph_has_a_largest_size():
    with pytest.raises(ValueError, match="gpus must be at most 100000 for a graph; got 131072: fabric_counts has no such limit"):
        fl.fabric("rail-optimised", gpus=131_072, radix=128)


def test_a_ratio_that_divides_the_ports_exactly_is_met_exactly():
    # Of 8 ports 5 down and 3 up is 5/3, which in binary is a little off: without care 2 go up.
    for radix in range(4, 65):
        for down in range((radix + 1) // 2, radix):
            assert _split("oversubscription", down / (radix - down), radix) == (down, radix - down)
