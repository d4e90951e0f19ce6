"""Schedules on graphs: the hand-computed limits of mesh and switch box, and the counts' time where nothing is shared."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.topology import Cables, Graph

HGX, MESH = fl.server("hgx-h100"), fl.server("mi300x")
ALPHA, HOP = (fl.link(name).latency for name in ("nvlink4", "xgmi-mi300x"))  # seconds from GPU to GPU
N = 8e9


def bus_rate(graph, nbytes=1e15, **options) -> float:
    """Bytes per second out of each GPU in a ring all-reduce so large that latency does not count."""
    return 2 * 7 / 8 * nbytes / fl.schedule("all_reduce", "ring", ranks=8).time_on(graph, nbytes, **options)


@pytest.mark.parametrize(("graph", "channels", "rate"), [
    (HGX, 1, 450e9), (HGX, 7, 450e9), (HGX, "auto", 450e9),
    (MESH, 1, 64e9), (MESH, 2, 128e9), (MESH, 7, 448e9), (MESH, "auto", 448e9),
    (MESH, 8, 256e9),  # the eighth shares its links with the first
    (MESH, 14, 448e9),
])
def test_rate_of_a_ring_by_machine_and_channels(graph, channels, rate):
    assert bus_rate(graph, channels=channels) == pytest.approx(rate, rel=1e-6)


def test_ring_all_reduce_takes_its_latency_and_its_bytes():
    ring = fl.schedule("all_reduce", "ring", ranks=8)
    assert ring.time_on(HGX, N) == pytest.approx(14 * ALPHA + N * 2 * 7 / 8 / 450e9)
    assert ring.time_on(MESH, N, channels=1) == pytest.approx(14 * HOP + N * 2 * 7 / 8 / 64e9)
    assert ring.time_on(MESH, N) == pytest.approx(14 * HOP + N * 2 * 7 / 8 / 448e9)


def test_all_to_all_uses_all_links_of_either():
    direct = fl.schedule("all_to_all", "direct", ranks=8)
    assert direct.time_on(HGX, N) == pytest.approx(ALPHA + N * 7 / 8 / 450e9)
    assert direct.time_on(MESH, N) == pytest.approx(HOP + N * 7 / 8 / 448e9)
    pairwise = fl.schedule("all_to_all", "pairwise", ranks=8)
    assert pairwise.time_on(HGX, N) == pytest.approx(7 * ALPHA + N * 7 / 8 / 450e9)
    assert pairwise.time_on(MESH, N) == pytest.approx(7 * HOP + N * 7 / 8 / 64e9)


def test_one_broadcast_from_a_root_is_held_by_one_link_of_the_mesh():
    chain = fl.schedule("broadcast", "chain", ranks=8, chunks=1, root=3)
    assert chain.time_on(HGX, N) == pytest.approx(7 * (ALPHA + N / 450e9))
    assert chain.time_on(MESH, N, channels=1) == pytest.approx(7 * (HOP + N / 64e9))
    assert chain.time_on(MESH, N) == pytest.approx(7 * (HOP + N / 448e9))


@pytest.mark.parametrize("root", [0, 3])
def test_a_chain_runs_either_way_over_as_many_rings(root):
    there, back = (fl.schedule(collective, "chain", ranks=8, chunks=4, root=root) for collective in ("broadcast", "reduce"))
    for graph in (HGX, MESH):
        for channels in (1, 7, "auto"):
            assert back.time_on(graph, N, channels=channels) == pytest.approx(there.time_on(graph, N, channels=channels))


def test_a_ring_run_backwards_takes_the_links_of_a_ring():
    # Two one-way rings around, and none the other way: against them a message would go three links far.
    around = Graph("one way", tuple("abcd"), np.full(4, "gpu"), np.arange(4), np.array([1, 2, 3, 0]), np.full(4, 50e9),
                   np.full(4, 2), np.ones(4), np.full(4, "nvlink4"))
    forth, back = (fl.schedule(collective, "chain", ranks=4, chunks=1) for collective in ("broadcast", "reduce"))
    assert back.time_on(around, 1e9) == pytest.approx(forth.time_on(around, 1e9)) == pytest.approx(3 + 3e9 / 50e9)


def test_every_channel_starts_at_the_root():
    # Thin links at the root, 1, thick ones beyond: either way round only the first of three steps is slow.
    square = Graph.wired("square", {f"gpu{i}": "gpu" for i in range(4)},
                         [Cables([0, 1, 2, 3], [1, 2, 3, 0], fl.link("nvlink4"), [1, 1, 2, 2])])
    chain = fl.schedule("broadcast", "chain", ranks=4, chunks=1, root=1)
    assert chain.time_on(square, 1e9, channels=2) == pytest.approx(3 * ALPHA + 0.5e9 * (1 / 25e9 + 2 / 50e9))


@pytest.mark.parametrize("ranks", [2, 3, 5, 8])
@pytest.mark.parametrize("collective", ["all_reduce", "all_gather", "reduce_scatter"])
def test_on_the_switch_box_each_one_port_schedule_takes_what_its_counts_say(collective, ranks):
    for entry in fl.algorithms(collective):
        options = {"dims": (ranks,)} if "dims" in entry.options else {}
        options |= {"chunks": 4} if "chunks" in entry.options else {}
        if entry.reduction == "network" or entry.ports != 1 or entry.refuses(ranks, **options):
            continue
        schedule = fl.schedule(collective, entry.name, ranks, **options)
        levels = {"levels": [fl.Level(size, ALPHA, 1 / 450e9) for size in schedule.dims]} if schedule.dims else {}
        counted = schedule.time(N, **levels or {"alpha": ALPHA, "beta": 1 / 450e9})
        assert schedule.time_on(HGX, N) == pytest.approx(counted), entry


def test_switches_that_reduce_work_as_one():
    nvls = fl.schedule("all_reduce", "nvls", ranks=8)
    assert nvls.time_on(HGX, N) == pytest.approx(4 * ALPHA / 2 + N * 9 / 8 / 450e9)
    with pytest.raises(ValueError, match="nvls needs a switch that every rank is linked to; MI300X platform has none"):
        nvls.time_on(MESH, N)
    apart = Graph.wired("two switches", {"gpu0": "gpu", "gpu1": "gpu", "switch0": "switch", "switch1": "switch"},
                        [Cables([0, 1, 2], [2, 3, 3], fl.link("nvlink4"))])
    with pytest.raises(ValueError, match="linked to; two switches has none"):
        fl.schedule("all_reduce", "nvls", ranks=2).time_on(apart, N)
    with pytest.raises(ValueError, match="sharp needs 3 switches one above the other"):
        fl.schedule("all_reduce", "sharp", ranks=8, dims=(4, 2)).time_on(HGX, N)


def test_a_step_waits_for_its_slowest_message():
    uneven = Graph.wired("uneven", {f"gpu{i}": "gpu" for i in range(3)},
                         [Cables([0, 1, 0], [1, 2, 2], fl.link("nvlink4"), [4, 2, 1])])
    ring = fl.schedule("all_gather", "ring", ranks=3)
    assert ring.time_on(uneven, 3e9, channels=1) == pytest.approx(2 * (ALPHA + 1e9 / 25e9))


def test_order_says_which_gpu_plays_which_rank():
    names, wire = {f"gpu{i}": "gpu" for i in range(4)}, fl.link("nvlink4")
    ring = fl.schedule("all_gather", "ring", ranks=4)
    line = Graph.wired("line", names, [Cables([0, 1, 2], [1, 2, 3], wire)])
    # In order, one block goes over every link each way. Back and forth, the middle link carries two each way.
    assert ring.time_on(line, 4e9, order=[0, 1, 2, 3]) == pytest.approx(3 * (3 * ALPHA + 1e9 / 25e9))
    assert ring.time_on(line, 4e9, order=[0, 2, 1, 3]) == pytest.approx(3 * (3 * ALPHA + 2e9 / 25e9))
    square = Graph.wired("square", names, [Cables([0, 1, 2, 3], [1, 2, 3, 0], wire)])
    for order in ([0, 1, 2, 3], [1, 2, 3, 0], [3, 2, 1, 0]):
        assert ring.time_on(square, 4e9, order=order) == pytest.approx(3 * (ALPHA + 1e9 / 25e9))
    both = ring.time_on(square, 4e9, order=[[0, 1, 2, 3], [3, 2, 1, 0]])
    assert both == pytest.approx(3 * (ALPHA + 0.5e9 / 25e9))
    assert ring.time_on(square, 4e9) == pytest.approx(both)


def test_sizes_may_be_an_array_and_a_barrier_has_none():
    ring = fl.schedule("all_reduce", "ring", ranks=8)
    sizes = np.array([1e3, 1e6, 1e9])
    assert ring.time_on(MESH, sizes) == pytest.approx([ring.time_on(MESH, n) for n in sizes])
    assert isinstance(ring.time_on(MESH, 8), float)
    assert fl.schedule("barrier", "dissemination", ranks=8).time_on(HGX, 0) == pytest.approx(3 * ALPHA)
    assert fl.schedule("barrier", "dissemination", ranks=8).time_on(HGX) == pytest.approx(3 * ALPHA)
    with pytest.raises(ValueError, match="nbytes must be given for all_reduce"):
        ring.time_on(MESH)
    assert fl.schedule("all_reduce", "ring", ranks=1).time_on(HGX, 1e9) == 0


def test_relabelling_gpus_of_a_symmetric_machine_changes_nothing():
    draw = np.random.default_rng(3)
    for name in ("ring", "rabenseifner", "recursive_doubling"):
        schedule = fl.schedule("all_reduce", name, ranks=8)
        for graph in (HGX, MESH):
            same = schedule.time_on(graph, N, order=draw.permutation(8))
            assert same == pytest.approx(schedule.time_on(graph, N, channels=1))


@pytest.mark.parametrize(("options", "words"), [
    ({"channels": 0}, "channels must be a whole number from 1 to 64; got 0"),
    ({"channels": 2.5}, "channels must be a whole number"),
    ({"channels": [1]}, "channels must be one number, not an array"),
    ({"channels": "all"}, "channels must be 'auto' or a whole number from 1 to 64; got 'all'"),
    ({"order": [0, 1, 2]}, "order must name 8 different GPUs"),
    ({"order": [0, 1, 2, 3, 4, 5, 6, 6]}, "order must name 8 different GPUs"),
    ({"order": [0, 1, 2, 3, 4, 5, 6, 8]}, "order must list GPU numbers.*got 8"),
    ({"order": "ring"}, "order must list GPU numbers"),
    ({"order": [[0, 1], [1]]}, "order must list GPU numbers"),
    ({"order": list(range(8)), "channels": 2}, "channels must be 1, as many as orders are given"),
    ({"nbytes": -1}, "nbytes must be"),
])
def test_bad_input_is_refused_with_a_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        fl.schedule("all_reduce", "ring", ranks=8).time_on(MESH, **{"nbytes": 1e6} | options)


def test_a_name_is_no_graph():
    with pytest.raises(ValueError, match="graph must be a Graph, such as server.'hgx-h100'.; got 'mi300x'"):
        fl.schedule("all_reduce", "ring", ranks=8).time_on("mi300x", N)


def test_too_many_ranks_or_channels_without_a_ring_are_refused():
    with pytest.raises(ValueError, match="ranks must be at most 8, the GPUs of MI300X platform; got 16"):
        fl.schedule("all_reduce", "ring", ranks=16).time_on(MESH, 1e6)
    # Of what goes direct, one message of seven goes to the next rank.
    for collective, name in (("all_reduce", "rabenseifner"), ("all_gather", "direct")):
        with pytest.raises(ValueError, match=f"channels must be 1 or 'auto' for {collective} by {name}, which does not go round"):
            fl.schedule(collective, name, ranks=8).time_on(MESH, 1e6, channels=3)
