"""lower_bound: the published table, what its assumptions change, and that no algorithm goes below the one it must respect."""

import math

import numpy as np
import pytest
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.registry import entries

# Chan et al. 2007 and Patarasuk and Yuan 2009: multiples of ceil(lg p) alpha, n beta and n gamma, for p ranks with one port.
TABLE = {
    "broadcast": (1, lambda p: 1, lambda p: 0), "reduce": (1, lambda p: 1, lambda p: (p - 1) / p),
    "scatter": (1, lambda p: (p - 1) / p, lambda p: 0), "gather": (1, lambda p: (p - 1) / p, lambda p: 0),
    "all_gather": (1, lambda p: (p - 1) / p, lambda p: 0),
    "reduce_scatter": (1, lambda p: (p - 1) / p, lambda p: (p - 1) / p),
    "all_reduce": (1, lambda p: 2 * (p - 1) / p, lambda p: (p - 1) / p),
    "all_to_all": (1, lambda p: (p - 1) / p, lambda p: 0), "barrier": (1, lambda p: 0, lambda p: 0),
}
ALPHA, BETA, GAMMA, N = 1e-6, 2e-11, 5e-11, 1e6


def bound(collective, p, alpha=0.0, beta=0.0, gamma=0.0, **more):
    return fl.lower_bound(collective, nbytes=N, ranks=p, alpha=alpha, beta=beta, gamma=gamma, **more)


@pytest.mark.parametrize("collective", TABLE)
@pytest.mark.parametrize("p", [2, 3, 4, 7, 8, 9, 64, 65, 1000])
def test_each_term_of_the_table(collective, p):
    latency, bandwidth, compute = TABLE[collective]
    assert bound(collective, p, alpha=ALPHA) == pytest.approx(latency * math.ceil(math.log2(p)) * ALPHA)
    assert bound(collective, p, beta=BETA) == pytest.approx(bandwidth(p) * N * BETA)
    assert bound(collective, p, gamma=GAMMA) == pytest.approx(compute(p) * N * GAMMA)
    parts = [bound(collective, p, alpha=ALPHA), bound(collective, p, beta=BETA), bound(collective, p, gamma=GAMMA)]
    assert bound(collective, p, ALPHA, BETA, GAMMA) == max(parts)


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: f"{entry.collective}-{entry.name}")
def test_no_algorithm_goes_below_the_bound_whose_assumptions_it_meets(entry):
    sizes = np.geomspace(1, 1e12, 25)
    for p in (*range(1, 66), 96, 127, 128, 257, 4096):
        if entry.refuses(p):
            continue
        for price in ((ALPHA, BETA, 0.0), (ALPHA, BETA, GAMMA), (ALPHA, 0.0, 0.0), (0.0, BETA, 0.0), (0.0, 0.0, GAMMA)):
            at = dict(zip(("alpha", "beta", "gamma"), price, strict=True), nbytes=sizes, ranks=p)
            near = fl.efficiency(entry.collective, entry.name, **at)
            assert np.all((near >= 0) & (near <= 1 + 1e-9)), f"{entry}, {p} ranks, {price}: {near}"
            weaker = fl.lower_bound(entry.collective, **at, ports=entry.ports, reduction="network")
            assert np.all(fl.collective_time(entry.collective, entry.name, **at) >= weaker * (1 - 1e-9)), entry


@pytest.mark.parametrize("dims", [(4, 4), (2, 8), (8, 2), (2, 2, 4), (16, 1)])
def test_shapes_do_not_beat_the_bound_either(dims):
    for entry in entries().values():
        if "dims" in entry.options:
            near = fl.efficiency(entry.collective, entry.name, nbytes=np.geomspace(1, 1e12, 25), ranks=16, alpha=ALPHA, beta=BETA,
                                 gamma=GAMMA, dims=dims)
            assert np.all(near <= 1 + 1e-9), f"{entry}, {dims}: {near}"


def test_algorithms_that_are_known_to_be_optimal_reach_the_bound():
    for collective in ("all_reduce", "all_gather", "reduce_scatter"):
        assert fl.efficiency(collective, "ring", nbytes=1e9, ranks=12, alpha=0.0, beta=BETA) == pytest.approx(1)
    assert fl.efficiency("broadcast", "binomial", nbytes=1, ranks=13, alpha=ALPHA, beta=0.0) == 1
    assert fl.efficiency("barrier", "dissemination", ranks=13, alpha=ALPHA, beta=0.0) == 1
    assert fl.efficiency("all_reduce", "one_shot", nbytes=1, ranks=13, alpha=ALPHA, beta=0.0) == 1
    assert fl.efficiency("all_reduce", "sharp", nbytes=1e9, ranks=13, alpha=0.0, beta=BETA) == 1


@pytest.mark.parametrize(("collective", "name", "options"), [
    ("broadcast", "chain", {}), ("broadcast", "chain", {"chunks": 1}), ("broadcast", "chain", {"chunks": 64, "root": 3}),
    ("all_reduce", "torus", {"dims": (2, 4)}), ("all_reduce", "torus", {"dims": (8,)}),
])
def test_an_efficiency_is_the_bound_over_the_time(collective, name, options):
    at = {"nbytes": N, "ranks": 8, "alpha": ALPHA, "beta": BETA, "gamma": GAMMA}
    time = fl.collective_time(collective, name, **at, **options)
    assert fl.efficiency(collective, name, **at, **options) == pytest.approx(fl.lower_bound(collective, **at) / time)


def test_an_efficiency_refuses_a_root_that_is_none_of_the_ranks():
    with refused("root"):
        fl.efficiency("broadcast", "chain", nbytes=N, ranks=8, alpha=ALPHA, beta=BETA, root=8)


def test_more_ports_shorten_the_start_up_only():
    for p, ports, steps in ((8, 1, 3), (9, 2, 2), (10, 2, 3), (8, 7, 1), (9, 7, 2), (9, "all", 1), (1, "all", 0), (1, 1, 0),
                            (3**10, 2, 10), (3**10 + 1, 2, 11), (2**20, 1, 20), (2**20 + 1, 1, 21)):
        assert bound("broadcast", p, alpha=ALPHA, ports=ports) == pytest.approx(steps * ALPHA), (p, ports)
        assert bound("broadcast", p, beta=BETA, ports=ports) == pytest.approx((p > 1) * N * BETA)


def test_switches_that_reduce_save_the_second_half():
    for p in (2, 8, 512):
        assert bound("all_reduce", p, beta=BETA, reduction="network") == pytest.approx(N * BETA)
        assert bound("all_reduce", p, gamma=GAMMA, reduction="network") == 0
        assert bound("all_reduce", p, alpha=ALPHA, reduction="network") == pytest.approx(ALPHA)
        assert bound("all_gather", p, beta=BETA, reduction="network") == pytest.approx((p - 1) / p * N * BETA)
    assert bound("all_reduce", 1, ALPHA, BETA, GAMMA, reduction="network") == 0


def test_bounds_broadcast():
    ranks, ports = np.array([1, 2, 3, 8, 9, 1000]), np.array([[1], [2], [7]])
    together = fl.lower_bound("all_reduce", nbytes=N, ranks=ranks, alpha=ALPHA, beta=BETA, ports=ports)
    assert together.shape == (3, 6)
    for i, k in enumerate(ports.ravel().tolist()):
        for j, p in enumerate(ranks.tolist()):
            assert together[i, j] == bound("all_reduce", p, ALPHA, BETA, ports=k)
    assert type(bound("all_reduce", 8, ALPHA, BETA)) is float


@pytest.mark.parametrize(("change", "named"), [
    ({"nbytes": -1}, "nbytes"), ({"nbytes": None}, "nbytes"), ({"ranks": 0}, "ranks"), ({"ranks": None}, "ranks"),
    ({"ranks": 2.5}, "ranks"), ({"alpha": float("nan")}, "alpha"), ({"alpha": None}, "alpha"), ({"beta": -1}, "beta"),
    ({"gamma": "1"}, "gamma"), ({"ports": 0}, "ports"), ({"ports": 1.5}, "ports"),
    ({"ports": "some"}, "^ports must be a whole number or 'all'; got 'some'"),
    ({"reduction": "switch"}, "reduction"), ({"reduction": None}, "reduction"),
])
def test_bad_input_is_refused_by_name(change, named):
    with refused(named):
        fl.lower_bound("all_reduce", **({"nbytes": 1e6, "ranks": 8, "alpha": ALPHA, "beta": BETA} | change))


def test_unknown_collective_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'all_reduce'"):
        fl.lower_bound("allreduce", nbytes=1e6, ranks=8, alpha=ALPHA, beta=BETA)
    with pytest.raises(ValueError, match="algorithm"):
        fl.efficiency("all_reduce", "rings", nbytes=1e6, ranks=8, alpha=ALPHA, beta=BETA)


@pytest.mark.parametrize(("ranks", "ports", "steps"), [
    (1, 1, 0), (2, 1, 1), (3, 1, 2), (4, 1, 2), (5, 1, 3), (8, 1, 3), (9, 1, 4), (9, 2, 2), (10, 2, 3), (27, 2, 3), (28, 2, 4),
    (64, 3, 3), (65, 3, 4), (64, "all", 1),
])
def test_where_bytes_cost_nothing_the_steps_are_those_counted_by_hand(ranks, ports, steps):
    assert fl.lower_bound("broadcast", nbytes=1.0, ranks=ranks, alpha=1.0, beta=0.0, ports=ports) == steps


def test_ranks_that_are_reached_sooner_pay_no_step_for_the_others():
    ranks = [1, 2, 3, 4, 8, 9, 16]
    found = fl.lower_bound("broadcast", nbytes=1.0, ranks=ranks, alpha=1.0, beta=0.0)
    assert found.tolist() == [0, 1, 2, 2, 3, 4, 4]


NETWORKS = [("one-tier", {"gpus": 8, "per_server": 4, "planes": 2, "radix": 8}, ["all_reduce", "all_to_all"]),
            ("leaf-spine", {"gpus": 16, "per_server": 4, "radix": 8, "planes": 2}, ["all_reduce", "all_to_all"]),
            ("multi-plane", {"gpus": 16, "per_server": 4, "radix": 4, "planes": 4}, ["all_reduce", "all_to_all"]),
            ("leaf-spine", {"gpus": 24, "per_server": 4, "radix": 8, "oversubscription": 3}, ["all_reduce"]),
            ("torus", {"dims": (4, 4)}, ["all_to_all"]), ("torus", {"dims": (4, 4, 4)}, {"all_to_all"}),
            ("torus", {"dims": (3, 5)}, ["all_reduce", "all_to_all"]),
            ("torus", {"dims": (4, 4, 4), "speed": "neuronlink3", "trunk": "neuronlink3-ring"}, ["all_to_all"])]


@pytest.mark.parametrize(("kind", "options", "met"), NETWORKS, ids=lambda value: str(value))
def test_the_bound_of_a_network_is_what_routing_gives_or_less(kind, options, met):
    """Every message of an all-to-all spread over all shortest paths, and a ring's step by step, on the graph of the network."""
    inside = {} if kind == "torus" else {"inside": None}
    graph, design = fl.fabric(kind, **options, **inside), fl.fabric_counts(kind, **options)
    for collective, algorithm in (("all_to_all", "direct"), ("all_reduce", "ring")):
        if kind == "torus" and collective not in met:
            continue  # no rings of this search use all of its links
        routed = fl.schedule(collective, algorithm, design.gpus).line_on(graph).per_byte * 1e9
        bound = fl.network_bound(collective, design, nbytes=1e9)
        assert routed >= bound * (1 - 1e-9)
        assert (routed == pytest.approx(bound)) == (collective in met)


def test_a_network_that_is_cut_thin_is_bound_by_its_cut():
    rack, pod = fl.fabric_counts("gb200-nvl72"), fl.fabric_counts("tpu-v5p-pod")
    n = np.array([1e6, 1e9])
    assert fl.network_bound("all_to_all", rack, nbytes=n) == pytest.approx(71 / 72 * n / rack.gpu_rate)
    assert fl.network_bound("all_to_all", pod, nbytes=n) == pytest.approx(n / 4 * pod.gpus / pod.cut)
    assert fl.network_bound("all_reduce", rack, nbytes=n, reduction="network") == pytest.approx(n / rack.gpu_rate)
    for collective in ("all_gather", "reduce_scatter"):
        assert fl.network_bound(collective, rack, nbytes=n) == pytest.approx(71 / 72 * n / rack.gpu_rate)
    with pytest.raises(ValueError, match="collective 'broadcast' is not known"):
        fl.network_bound("broadcast", rack, nbytes=1e9)
    with pytest.raises(ValueError, match="design must be what fabric_counts returns; got 'rack'"):
        fl.network_bound("all_to_all", "rack", nbytes=1e9)
