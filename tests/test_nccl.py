"""NCCL's tuner: the worked checks that were derived from its source, the table of corrections, and the shape of its choices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabriclib as fl
from fabriclib import catalog, nccl
from fabriclib.nccl import Found, Searched, nccl_choice, searched, symmetric_time
from fabriclib.nccl.constants import caps, factor, latencies, tree_correction
from fabriclib.nccl.tuner import bandwidth, latency

H100 = searched("dgx-h100")
MiB, GiB = 2**20, 2**30


def gb(*what, nodes=1, gpus=8):
    return float(bandwidth(H100, *what, nodes, gpus)) / 1e9


def us(*what, nodes=1, gpus=8, machine=H100):
    return 1e6 * float(latency(machine, *what, nodes, gpus))


@pytest.mark.parametrize(("algorithm", "protocol", "expected"), [
    ("ring", "simple", 205.714), ("ring", "ll128", 189.26), ("ring", "ll", 80.57), ("tree", "simple", 165.6),
    ("tree", "ll128", 128.8), ("tree", "ll", 43.579), ("nvls", "simple", 272.0),
])
def test_the_bandwidths_of_an_all_reduce_over_eight_h100(algorithm, protocol, expected):
    assert gb("all_reduce", algorithm, protocol) == pytest.approx(expected, rel=1e-4)


def test_nvls_for_all_gather_and_reduce_scatter_skips_the_ratio():
    assert gb("all_gather", "nvls", "simple") == gb("reduce_scatter", "nvls", "simple") == pytest.approx(208.25)
    assert gb("all_gather", "ring", "simple") == pytest.approx(360 * 8 / 7)


@pytest.mark.parametrize(("collective", "algorithm", "expected"), [
    ("all_reduce", "ring", (15.0, 40.6, 56.0)), ("all_gather", "ring", (10.8, 27.3, 32.2)),
    ("reduce_scatter", "ring", (10.8, 27.3, 32.2)), ("all_reduce", "tree", (15.2, 31.5, 64.4)),
])
def test_the_latencies_in_one_node(collective, algorithm, expected):
    assert [us(collective, algorithm, p) for p in nccl.PROTOCOLS] == pytest.approx(expected)


@pytest.mark.parametrize(("nodes", "ring", "tree", "ring_ll", "tree_ll"), [
    (2, 131.6, 92.4, 40.0, 25.2), (4, 282.8, 120.4, 78.8, 35.2), (16, 1190.0, 176.4, 311.6, 55.2),
    (128, 9657.2, 260.4, 2484.4, 85.2),
])
def test_the_latencies_between_nodes(nodes, ring, tree, ring_ll, tree_ll):
    asked = (("ring", "simple"), ("tree", "simple"), ("ring", "ll"), ("tree", "ll"))
    found = [us("all_reduce", a, p, nodes=nodes) for a, p in asked]
    assert found == pytest.approx([ring, tree, ring_ll, tree_ll])


def test_nvls_tree_and_pat_between_sixteen_nodes():
    assert us("all_reduce", "nvls_tree", "simple", nodes=16) == pytest.approx(192.2)
    assert us("all_gather", "pat", "simple", nodes=16, gpus=1) == pytest.approx(68.8)


@pytest.mark.parametrize(("nbytes", "pick", "score", "others"), [
    (MiB, ("ring", "ll"), 28.01, {("nvls", "simple"): 28.86}),
    (16 * MiB, ("nvls", "simple"), 86.68, {("ring", "ll128"): 129.25, ("ring", "simple"): 137.56}),
    (GiB, ("nvls", "simple"), 3972.58, {("ring", "simple"): 5275.58}),
])
def test_the_choices_over_eight_h100(nbytes, pick, score, others):
    choice = nccl_choice("dgx-h100", "all_reduce", nbytes)
    assert (choice.algorithm, choice.protocol) == pick
    assert 1e6 * choice.seconds == pytest.approx(score, abs=0.006)
    for name, expected in others.items():
        assert 1e6 * choice.scores[name] == pytest.approx(expected, abs=0.006)


# ---- the side of each minimum that eight H100 do not meet, by hand: GB/s of all channels, before the ratio of a collective ----

NARROW, WIDE = Found(2, 20e9, 10e9), Found(8, 60e9, 60e9)


@pytest.mark.parametrize(("graph", "algorithm", "protocol", "nodes", "bus"), [
    (NARROW, "ring", "simple", 1, 40.0),
    (NARROW, "ring", "ll", 1, 40 * 0.5),
    (WIDE, "ring", "ll128", 1, 8 * 36.7),
    (WIDE, "tree", "simple", 1, 8 * 38.7),
    (WIDE, "tree", "ll", 4, 20.4),
    (WIDE, "tree", "ll128", 4, 8 * 29.0),
    (NARROW, "tree", "ll128", 2, 40 * 0.92 * 120 / 128),
    (NARROW, "tree", "ll128", 3, 20 * 0.92 * 120 / 128),
    (Found(2, 20e9, 10e9, one_nic_gpu=True), "tree", "simple", 3, 20 * 0.92 * 0.85),
    (Found(8, 20e9, 60e9), "nvls_tree", "simple", 4, 8 * 2 * 20 * 0.85 * 7 / 8),
    (WIDE, "nvls_tree", "simple", 2, 8 * 57.7),
    (WIDE, "nvls_tree", "simple", 4, 8 * 45.5),
    (Found(1, 60e9, 60e9), "nvls", "simple", 1, 0.0),
    (Found(4, 40e9, 48e9), "collnet_direct", "simple", 4, 0.85 * 4 * 40 / 1.5),  # two GPUs a channel count as one and a half
    (WIDE, "collnet_chain", "simple", 4, 8 * 60.0),
])
def test_each_limit_of_an_all_reduce(graph, algorithm, protocol, nodes, bus):
    machine = Searched("hopper", 8, dict.fromkeys(("ring", "tree", "nvls", "collnet_direct", "collnet_chain"), graph))
    ranks = 8 * nodes
    ratio = ranks / (2 * (ranks - 1)) if algorithm in ("ring", "nvls", "nvls_tree") else 0.5
    assert float(bandwidth(machine, "all_reduce", algorithm, protocol, nodes, 8)) == pytest.approx(1e9 * ratio * bus)


@pytest.mark.parametrize(("inter", "rate"), [(48e9, 8 * 40.0), (40e9, 8 * 36.0)])
def test_each_limit_of_an_all_gather_in_a_network_that_reduces_and_of_pat(inter, rate):
    machine = Searched("hopper", 8, {"ring": NARROW, "collnet_direct": Found(8, 40e9, inter)})
    assert float(bandwidth(machine, "all_gather", "collnet_direct", "simple", 4, 8)) == pytest.approx(1e9 * rate)
    assert float(bandwidth(machine, "all_gather", "pat", "simple", 4, 1)) == pytest.approx(0.75 * 20e9)


def test_latencies_behind_other_cpus_and_through_switches_that_reduce():
    amd, arm = (Searched("hopper", 8, H100.graphs, cpu=cpu) for cpu in ("amd", "arm"))
    for protocol, behind_amd in (("ll", 6.6 + 28 * 2.0 + 2 * 2.7), ("simple", 8.4 + 28 * 6.0 + 2 * 14.0)):
        assert us("all_reduce", "ring", protocol, nodes=2, machine=amd) == pytest.approx(behind_amd)
        assert us("all_reduce", "ring", protocol, nodes=2, machine=arm) == us("all_reduce", "ring", protocol, nodes=2)
    assert us("all_reduce", "ring", "simple", machine=amd) == us("all_reduce", "ring", "simple")
    assert us("all_reduce", "collnet_chain", "simple", nodes=4) == pytest.approx(2 * 7 * 2.8 + 30)
    assert us("all_reduce", "collnet_direct", "simple", nodes=4, gpus=1) == pytest.approx(14)  # alone in a node: the tree's row
    assert [us("all_reduce", "nvls", "simple", nodes=n) for n in (1, 4)] == pytest.approx([25, 25 + 18])
    over_pci = Searched("hopper", 8, H100.graphs, inside="pci")
    assert us("all_reduce", "tree", "ll", machine=over_pci) == pytest.approx(6.8 + 2 * 7 * 1.0)


@pytest.mark.parametrize(("gpu", "times"), [("volta", 1.9), ("ampere", 1.4)])
def test_the_plateau_of_a_ring_is_higher_on_older_gpus(gpu, times):
    machine = Searched(gpu, 8, {"ring": NARROW})
    small, large = (nccl_choice(machine, "all_reduce", n, nodes=2).scores["ring", "simple"] for n in (1, 2**20))
    rate = float(bandwidth(machine, "all_reduce", "ring", "simple", 2, 8))
    assert (large - 2**20 / rate) / (small - 1 / rate) == pytest.approx(times)


# ---- the correction of trees, and the plateau of rings ----


@pytest.mark.parametrize("protocol", nccl.PROTOCOLS)
@pytest.mark.parametrize("power", range(-2, 26))
def test_a_tree_is_slowed_by_the_factor_of_its_power_of_two(protocol, power):
    nbytes = 64 * 2.0**power * 1.3
    found = nccl_choice("dgx-h100", "all_reduce", nbytes).scores["tree", protocol]
    expected = tree_correction(protocol)[power] if 0 <= power < 23 else 1.0
    start, rate = 1e-6 * us("all_reduce", "tree", protocol), 1e9 * gb("all_reduce", "tree", protocol)
    assert nbytes / (found - start) == pytest.approx(rate * expected)


def test_the_correction_has_24_factors_and_bottoms_out_where_the_sheet_says():
    assert [len(tree_correction(p)) for p in nccl.PROTOCOLS] == [24, 24, 24]
    assert [float(tree_correction(p).min()) for p in nccl.PROTOCOLS] == [0.4, 0.6, 0.5]
    assert tree_correction("ll")[[12, 13]].tolist() == [0.4, 0.4]


def test_nvls_tree_is_slowed_on_blackwell_behind_x86_only():
    graphs = {"ring": Found(16, 45e9, 45e9), "nvls": Found(8, 90e9, 90e9)}
    score = {cpu: nccl_choice(Searched("blackwell", 8, graphs, cpu=cpu), "all_reduce", 64 * 2**12, nodes=4)
             .scores["nvls_tree", "simple"] for cpu in ("intel", "arm")}
    assert score["intel"] > score["arm"]


def test_the_plateau_of_a_ring_starts_at_64_bytes_for_each_channel_and_rank():
    ranks, channels = 16, 16
    edge = 64 * ranks * channels
    below, above = (nccl_choice("dgx-h100", "all_reduce", n, nodes=2).scores["ring", "simple"] for n in (edge - 1, edge))
    assert (above - below) == pytest.approx(0.4 * 131.6e-6, rel=1e-3)
    one_node = [nccl_choice("dgx-h100", "all_reduce", n).scores["ring", "simple"] for n in (edge - 1, edge)]
    assert one_node[1] - one_node[0] < 1e-9


# ---- what is available, and the rows that are read ----


def test_only_rings_serve_broadcast_and_reduce():
    for collective in ("broadcast", "reduce"):
        scores = nccl_choice("dgx-h100", collective, MiB).scores
        assert {name for name, score in scores.items() if score == score} == {("ring", p) for p in nccl.PROTOCOLS}


def test_nvls_stays_in_a_node_and_pat_wants_one_gpu_in_each():
    def names(**where):
        return {a for (a, _), score in nccl_choice("dgx-h100", "all_gather", MiB, **where).scores.items() if score == score}

    assert names() == {"ring", "nvls"}
    assert names(nodes=2) == {"ring"}
    assert names(nodes=2, gpus_per_node=1) == {"ring", "pat"}
    for nodes, gpus, there in ((1, 8, "nvls"), (2, 8, "nvls_tree"), (2, 1, "neither")):
        found = nccl_choice("dgx-h100", "all_reduce", MiB, nodes=nodes, gpus_per_node=gpus).scores
        assert {a for a in ("nvls", "nvls_tree") if found[a, "simple"] > 0} == {there} - {"neither"}


def test_a_network_that_reduces_brings_collnet_and_nvls_between_nodes():
    graphs = dict(H100.graphs) | {"collnet_direct": Found(8, 40e9, 48e9), "collnet_chain": Found(8, 40e9, 48e9)}
    found = nccl_choice(Searched("hopper", 8, graphs), "all_reduce", GiB, nodes=4).scores
    assert all(found[name, "simple"] > 0 for name in ("collnet_direct", "collnet_chain", "nvls"))
    start = 2 * (3.7 + 7 * 0.4) + 31
    rate = 0.5 * 8 * 40e9 / 1.0 * 0.85  # as many GPUs as channels: the spread is one
    assert found["collnet_direct", "simple"] == pytest.approx(start * 1e-6 + GiB / rate)


def test_between_nodes_the_cap_on_ll_is_that_of_the_cpu_not_of_the_gpu():
    assert gb("all_reduce", "ring", "ll", nodes=4) * 2 * 31 / 32 == pytest.approx(20.4)
    amd = Searched("hopper", 8, H100.graphs, cpu="amd")
    assert float(bandwidth(amd, "all_reduce", "ring", "ll", 4, 8)) * 2 * 31 / 32 == pytest.approx(19.0e9)


def test_two_nodes_are_scored_at_the_rate_inside_a_node():
    slow = {name: Found(one.channels, one.intra, one.inter / 10) for name, one in H100.graphs.items()}
    machine = Searched("hopper", 8, slow)
    rate = [float(bandwidth(machine, "all_reduce", "ring", "simple", n, 8)) for n in (1, 2, 3)]
    assert rate[0] / rate[1] == pytest.approx((8 / 14) / (16 / 30))
    assert rate[2] < rate[1] / 5


def test_the_trees_of_two_nodes_use_the_way_between_them_both_ways():
    machine = Searched("hopper", 8, {"ring": H100.graphs["ring"], "nvls": Found(8, 40e9, 20e9)})
    rate = [float(bandwidth(machine, "all_reduce", "nvls_tree", "simple", n, 8)) / (8 * n / (2 * (8 * n - 1))) for n in (2, 3)]
    assert rate == pytest.approx([8 * 40e9, 8 * 20e9])


def test_without_ll128_nothing_is_scored_with_it():
    found = nccl_choice(Searched("hopper", 8, H100.graphs, ll128=False), "all_reduce", MiB).scores
    assert np.isnan([score for (_, p), score in found.items() if p == "ll128"]).all()


def test_a_broadcast_waits_one_step_where_channels_agree_and_many_where_they_do_not():
    apart = Searched("hopper", 8, H100.graphs, same_channels=False)
    assert us("broadcast", "ring", "ll") == pytest.approx(6.6 + 0.6)
    assert us("broadcast", "ring", "ll", machine=apart) == pytest.approx(6.6 + 8 * 0.6)
    assert us("broadcast", "ring", "simple", machine=apart) == pytest.approx(8.4 + 8 * 4.0)


def test_a_nic_that_reports_a_latency_counts_twice_with_simple():
    slow = Searched("hopper", 8, H100.graphs, latency_inter=10e-6)
    for protocol, times in (("ll", 1), ("simple", 2)):
        assert us("all_reduce", "tree", protocol, nodes=2, machine=slow) == pytest.approx(
            us("all_reduce", "tree", protocol, nodes=2) + 2 * 10 * times)


# ---- arrays, tables, bad input ----


@given(nbytes=st.lists(st.integers(1, 2**40), min_size=1, max_size=5), nodes=st.sampled_from([1, 2, 4, 100]),
       collective=st.sampled_from(nccl.COLLECTIVES))
def test_arrays_give_what_single_values_give_and_the_pick_is_the_smallest_score(nbytes, nodes, collective):
    together = nccl_choice("dgx-h100", collective, nbytes, nodes=nodes)
    for i, n in enumerate(nbytes):
        one = nccl_choice("dgx-h100", collective, n, nodes=nodes)
        assert (together.algorithm[i], together.protocol[i], together.seconds[i]) == (one.algorithm, one.protocol, one.seconds)
        assert one.seconds == min(s for s in one.scores.values() if s == s) == one.scores[one.algorithm, one.protocol]


def test_sizes_and_nodes_broadcast():
    choice = nccl_choice("dgx-h100", "all_reduce", np.array([1e3, 1e6, 1e9])[:, None], nodes=np.array([1, 2, 4, 16]))
    assert choice.seconds.shape == choice.algorithm.shape == (3, 4)
    assert "nvls" in choice.algorithm[2, 0]


def test_the_table_is_ranked_and_says_the_version():
    choice = fl.nccl_choice("dgx-h100", "all_reduce", 16 * MiB)
    assert list(choice.table().iloc[0]) == ["nvls", "simple", 86.68]
    assert choice.table()["score (µs)"].is_monotonic_increasing
    assert nccl.VERSION == choice.version == "v2.30.7-1"
    assert "v2.30.7-1 would pick nvls with simple" in repr(choice)
    assert "would pick, for 2 messages: nvls, ring" in repr(nccl_choice("dgx-h100", "all_reduce", [MiB, GiB]))


def test_a_system_of_the_catalogue_is_known_by_its_id():
    assert repr(nccl_choice(fl.system("dgx-h100"), "all_reduce", MiB)) == repr(nccl_choice("dgx-h100", "all_reduce", MiB))


def test_why_a_score_is_not_the_predicted_time_is_said_with_both():
    said = nccl_choice("dgx-h100", "all_reduce", MiB).beside(fl.predict("dgx-h100", "all_reduce", MiB).seconds)
    assert "NCCL v2.30.7-1 scores ring with ll at 28 µs, " in said
    assert fl.units.format(fl.predict("dgx-h100", "all_reduce", MiB).seconds, "s") in said
    assert ", 1,400 times the 20 ns beside it" in nccl_choice("dgx-h100", "all_reduce", MiB).beside(20e-9)


@pytest.mark.parametrize(("call", "says"), [
    (lambda: nccl_choice(fl.system("mi300x-roce"), "all_reduce", 1), "system must have GPUs that NCCL runs on, V100"),
    (lambda: nccl_choice("aws-trn1", "all_reduce", 1), "system must have GPUs that NCCL runs on"),
    (lambda: nccl_choice(fl.composed("H100"), "all_reduce", 1, nodes=2), "nodes must be 1"),
    (lambda: nccl_choice("aws-p5", "all_reduce", 1, nodes=[1, 2]), "nodes must be 1: .* got EFA of p5 .* of 'aws-p5'"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", [1, 2]).beside(1e-6), "one message at a time; this choice is for 2"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", 1).beside(-1), "seconds must be"),
    (lambda: nccl_choice("dgx-h10", "all_reduce", 1), "system 'dgx-h10' is not known. Did you mean 'dgx-h100'"),
    (lambda: nccl_choice("dgx-h100", "all_to_all", 1), "collective 'all_to_all' is not known"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", 0), "nbytes must be"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", 1, nodes=0), "nodes must be a whole number"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", 1, gpus_per_node=9), "gpus_per_node must be a whole number from 1 to 8"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", 1, gpus_per_node=1), "at least two ranks; got 1 node of 1 GPU"),
    (lambda: nccl_choice("dgx-h100", "all_reduce", [1, 2]).table(), "one message at a time; this choice is for 2"),
    (lambda: Searched("kepler", 8, H100.graphs), "gpu 'kepler' is not known"),
    (lambda: Searched("hopper", 8, {"tree": Found(1, 1e9, 1e9)}), "graphs must be a dict with a Found for 'ring'"),
    (lambda: Searched("hopper", 8, {"ring": (1, 2, 3)}), "graphs must hold a Found for 'ring'"),
    (lambda: Searched("hopper", 8, dict(H100.graphs) | {"rings": Found(1, 1e9, 1e9)}), "Did you mean 'ring'"),
    (lambda: Found(0, 1e9, 1e9), "channels must be a whole number from 1 to 64; got 0"),
    (lambda: Found(1, -1e9, 1e9), "intra must be"),
    (lambda: Found(1, 1e9, 1e9, "no"), "^one_nic_gpu must be True or False; got 'no'"),
    (lambda: Searched("hopper", 8, H100.graphs, ll128="no"), "^ll128 must be True or False; got 'no'"),
    (lambda: Searched("hopper", 8, H100.graphs, same_channels=1), "^same_channels must be True or False; got 1"),
    (lambda: Searched("hopper", 8, 3), "^graphs must be a dict"),
    (lambda: symmetric_time("three-shot", 1, 8), "kernel 'three-shot' is not known"),
    (lambda: symmetric_time("two-shot", 1, 1), "ranks must be a whole number from 2"),
    (lambda: symmetric_time("two-shot", [1] * 3, [8] * 2), "^nbytes and ranks must have shapes that broadcast; got"),
])
def test_bad_input_gets_a_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_every_constant_of_the_tables_is_read():
    assert {cap["cap"] for cap in catalog.rows("nccl_bandwidths")} == {"ll_max", "ring_ll128", "tree_ll128", "tree", "nvls_tree"}
    assert caps("ll_max")["hopper"][0] == 141e9
    assert len(latencies()) == len(catalog.rows("nccl_latencies"))
    code = "".join(path.read_text() for path in (catalog.data_folder().parent / "fabriclib" / "nccl").glob("*.py"))
    for row in catalog.rows("nccl_factors"):
        assert f'"{row["id"]}"' in code
        assert factor(row["id"]) > 0


# ---- symmetric-memory kernels ----


@pytest.mark.parametrize(("nbytes", "expected"), [
    (2**10, (4.88, 8.11, 8.11)), (2**14, (7.02, 8.14, 8.12)), (2**16, (17.23, 8.21, 8.15)), (2**20, (None, 12.15, 9.33)),
    (2**24, (None, 92.25, 43.42)),
])
def test_the_symmetric_kernels_over_eight_h100(nbytes, expected):
    for kernel, value in zip(("one-shot", "two-shot", "multicast"), expected, strict=True):
        if value:
            assert 1e6 * symmetric_time(kernel, nbytes, 8) == pytest.approx(value, abs=0.006)


def test_symmetric_kernels_broadcast_and_grow():
    found = symmetric_time("multicast", np.array([1e3, 1e6, 1e9])[:, None], np.array([2, 4, 8]), gpu="blackwell")
    assert found.shape == (3, 3)
    assert (np.diff(found, axis=0) > 0).all()
