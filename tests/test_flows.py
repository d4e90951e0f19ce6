"""Flows: hand-solved cases, the two machines' limits, an independent linear-programming reference, and symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import fabriclib as fl
from fabriclib.flows import Routing, all_to_all, finish, finish_each, max_min, one_pair, ring, route
from fabriclib.topology import Graph


def network(edges, capacity, nodes=None) -> Graph:
    """A graph of one-way edges between numbered GPUs."""
    src, dst = np.array(edges).T
    nodes = nodes or int(max(src.max(), dst.max())) + 1
    many = len(src)
    return Graph("a test network", tuple(f"n{i}" for i in range(nodes)), np.full(nodes, "gpu"), src, dst,
                 np.array(capacity, float), np.ones(many, int), np.full(many, 1e-6), np.full(many, "wire"))


def random_network(draw: np.random.Generator, nodes=8, chords=10) -> Graph:
    """A ring both ways, so that there is always a path, and some chords."""
    a = np.concatenate([np.arange(nodes), np.arange(nodes), draw.integers(0, nodes, chords)])
    b = np.concatenate([np.arange(1, nodes + 1), np.arange(-1, nodes - 1), a[2 * nodes:] + draw.integers(1, nodes, chords)])
    return network(np.stack([a, b % nodes], axis=1), draw.integers(1, 20, len(a)), nodes)


def random_flows(draw: np.random.Generator, nodes: int, many: int) -> np.ndarray:
    src = draw.integers(0, nodes, many)
    return np.stack([src, (src + draw.integers(1, nodes, many)) % nodes], axis=1)


# Hand-solvable cases.

def test_two_flows_share_one_link_equally():
    assert fl.share(network([(0, 1)], [10]), [(0, 1), (0, 1)]).rates.tolist() == [5, 5]


def test_line_network_gives_the_long_flow_half_and_the_short_ones_the_rest():
    line = network([(0, 1), (1, 2)], [10, 10])
    assert fl.share(line, [(0, 2), (0, 1), (1, 2)]).rates.tolist() == [5, 5, 5]
    uneven = network([(0, 1), (1, 2)], [10, 4])
    shared = fl.share(uneven, [(0, 2), (0, 1), (1, 2)])
    assert shared.rates.tolist() == [2, 8, 2]
    assert shared.bottleneck.tolist() == [1, 0, 1]


def test_a_flow_limited_elsewhere_frees_its_share():
    graph = network([(0, 1), (1, 2)], [30, 6])
    assert fl.share(graph, [(0, 2), (0, 1), (0, 1)]).rates.tolist() == [6, 12, 12]


def test_striping_follows_what_each_way_on_can_carry():
    graph = network([(0, 1), (0, 2), (1, 3), (2, 3)], [100, 100, 20, 60])
    shared = fl.share(graph, [(0, 3)])
    assert shared.rates == pytest.approx([80])
    assert shared.load == pytest.approx([20, 60, 20, 60])


def test_parallel_edges_between_two_nodes_add_up():
    assert fl.share(network([(0, 1), (0, 1)], [10, 30]), [(0, 1)]).rates == pytest.approx([40])


def test_longer_ways_round_are_not_used():
    assert fl.share(network([(0, 1), (0, 2), (2, 1)], [10, 99, 99]), [(0, 1)]).rates.tolist() == [10]


# The two machines. Hand-computed: 18 links of 25 GB/s through the switches; 7 links of 64 GB/s, one a neighbour.

@pytest.mark.parametrize(("machine", "pattern", "each", "per_gpu"), [
    ("hgx-h100", one_pair(8), 450e9, None),
    ("mi300x", one_pair(8), 64e9, None),
    ("hgx-h100", ring(8), 450e9, 450e9),
    ("mi300x", ring(8), 64e9, 64e9),
    ("hgx-h100", all_to_all(8), 450e9 / 7, 450e9),
    ("mi300x", all_to_all(8), 64e9, 448e9),
    ("hgx-h100", [("gpu0", f"gpu{i}") for i in range(1, 8)], 450e9 / 7, None),
    ("hgx-h100", [(f"gpu{i}", "gpu0") for i in range(1, 8)], 450e9 / 7, None),
    ("mi300x", [(f"gpu{i}", "gpu0") for i in range(1, 8)], 64e9, None),
])
def test_limits_of_mesh_and_switch(machine, pattern, each, per_gpu):
    shared = fl.share(fl.server(machine), pattern)
    assert shared.rates == pytest.approx(each)
    if per_gpu:
        assert np.bincount(shared.src, shared.rates)[:8] == pytest.approx(per_gpu)


def test_the_whole_switch_box_is_busy_in_an_all_to_all():
    shared = fl.share(fl.server("hgx-h100"), all_to_all(8))
    assert shared.load == pytest.approx(shared.graph.capacity)


def test_share_tells_who_limits_whom():
    shared = fl.share(fl.server("mi300x"), [("gpu3", "gpu5")])
    assert shared.table().to_dict("records") == [{"from": "gpu3", "to": "gpu5", "GB/s": 64.0, "limited by": "gpu3 to gpu5"}]
    assert repr(shared) == "<1 flow over MI300X platform: 64 GB/s each, 64 GB/s together>"


# All-to-all on rings and tori: worked by hand for every size, and by its bisection.

def torus(k: int, d: int, width: float) -> Graph:
    """A k-ary d-torus of one-way edges: k > 2, so that a node has two neighbours in each dimension."""
    nodes = np.arange(k**d)
    ahead = [nodes + ((nodes // k**i + 1) % k - nodes // k**i % k) * k**i for i in range(d)]
    pairs = np.concatenate([np.stack(ends, axis=1) for one in ahead for ends in ((nodes, one), (one, nodes))])
    graph = network(pairs, np.full(len(pairs), width))
    return replace(graph, half=nodes // k ** (d - 1) < k // 2)


def all_to_all_seconds(graph: Graph, nbytes: float) -> float:
    """Seconds of an all-to-all in which every node holds *nbytes*, a block for each node, itself included."""
    ranks = len(graph.nodes)
    src, dst = all_to_all(ranks).T
    return finish(route(graph, src, dst), graph.capacity, np.full(len(src), nbytes / ranks))


@pytest.mark.parametrize("p", [3, 4, 5, 6, 7, 8, 9, 12, 15])
def test_an_all_to_all_on_a_ring_sends_an_eighth_of_all_data_over_every_link(p):
    everything, one_way = 720.0, 10.0
    share = 1 / 8 if p % 2 == 0 else (p**2 - 1) / (8 * p**2)
    seconds = all_to_all_seconds(torus(p, 1, one_way), everything / p)
    assert seconds == pytest.approx(share * everything / one_way)
    if p % 2 == 0:  # a quarter of what an all-gather of the same array takes, which fills the links both ways
        assert seconds == pytest.approx(everything / (2 * one_way) / 4)


@pytest.mark.parametrize(("k", "d"), [(4, 1), (8, 1), (4, 2), (6, 2), (4, 3)])
def test_an_all_to_all_on_a_torus_takes_as_long_as_its_bisection_demands(k, d):
    held, one_way = 60.0, 10.0
    graph = torus(k, d, one_way)
    across = k**d / 2 * held / 2  # one half of the nodes sends half of what it holds to the other half
    assert graph.bisection() == pytest.approx(2 * k ** (d - 1) * one_way)
    assert across / graph.bisection() == pytest.approx(k * held / (8 * one_way))
    assert all_to_all_seconds(graph, held) == pytest.approx(k * held / (8 * one_way))


# An independent reference: lexicographic max-min by linear programs.

def by_linear_programs(load: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Raise the least rate as far as it goes, fix the flows that cannot have more, and go on with the others."""
    flows = load.shape[1]
    rates = np.full(flows, np.nan)
    while (free := np.isnan(rates)).any():
        # Variables: the rates, then the level that every free rate must reach.
        bounds = [(0, None) if f else (r, r) for f, r in zip(free, rates, strict=True)] + [(0, None)]
        above = np.hstack([-np.eye(flows)[free], np.ones((free.sum(), 1))])
        least = np.vstack([np.hstack([load, np.zeros((len(load), 1))]), above])
        limit = np.concatenate([capacity, np.zeros(free.sum())])
        level = linprog(-np.eye(flows + 1)[-1], least, limit, bounds=bounds).x[-1]
        bounds = [(level, None) if f else (r, r) for f, r in zip(free, rates, strict=True)]
        for f in np.flatnonzero(free):
            most = linprog(-np.eye(flows)[f], load, capacity * (1 + 1e-9), bounds=bounds)
            if -most.fun <= level * (1 + 1e-6):
                rates[f] = level
    return rates


def test_sharing_agrees_with_linear_programs_on_200_random_graphs():
    draw = np.random.default_rng(4)
    for _ in range(200):
        graph = random_network(draw)
        shared = fl.share(graph, random_flows(draw, 8, draw.integers(2, 7)))
        load = np.zeros((len(graph.src), len(shared.rates)))
        np.add.at(load, (shared.routing.edge, shared.routing.flow), shared.routing.fraction)
        assert shared.rates == pytest.approx(by_linear_programs(load, graph.capacity), rel=1e-5)


def test_ten_thousand_flows_on_two_thousand_edges_share_fairly():
    draw = np.random.default_rng(1)
    graph = random_network(draw, nodes=300, chords=1400)
    src, dst = random_flows(draw, 300, 10_000).T
    routing = route(graph, src, dst)
    rates, bottleneck = max_min(routing, graph.capacity)
    # The certificate of max-min fairness: everybody's bottleneck is full, and nobody has more there.
    load = np.bincount(routing.edge, rates[routing.flow] * routing.fraction, minlength=2000)
    assert (load <= graph.capacity * (1 + 1e-9)).all()
    assert load[bottleneck] == pytest.approx(graph.capacity[bottleneck])
    most = np.zeros(2000)
    np.maximum.at(most, routing.edge, rates[routing.flow])
    assert rates == pytest.approx(most[bottleneck])


# Routes.

@given(st.integers(0, 10_000))
@settings(max_examples=50)
def test_every_route_is_a_unit_of_flow_over_shortest_paths(seed):
    draw = np.random.default_rng(seed)
    graph = random_network(draw)
    src, dst = random_flows(draw, 8, 5).T
    routing = route(graph, src, dst)
    for flow, (a, b) in enumerate(zip(src, dst, strict=True)):
        mine = routing.flow == flow
        balance = np.zeros(8)
        np.add.at(balance, graph.src[routing.edge[mine]], routing.fraction[mine])
        np.subtract.at(balance, graph.dst[routing.edge[mine]], routing.fraction[mine])
        assert balance == pytest.approx(np.eye(8)[a] - np.eye(8)[b])
        paths = graph.paths(f"n{a}", f"n{b}")
        legs = {leg for path in paths for leg in zip(path, path[1:], strict=False)}
        assert legs == {(f"n{graph.src[e]}", f"n{graph.dst[e]}") for e in routing.edge[mine]}
        assert routing.latency[flow] == pytest.approx(1e-6 * (len(paths[0]) - 1))


def test_routing_a_few_flows_at_a_time_gives_the_same_routes(monkeypatch):
    draw = np.random.default_rng(2)
    graph = random_network(draw)
    src, dst = random_flows(draw, 8, 30).T

    def rows():
        routing = route(graph, src, dst)
        order = np.lexsort([routing.edge, routing.flow])
        return [column[order].tolist() for column in routing[:3]]

    at_once = rows()
    monkeypatch.setattr("fabriclib.topology.shortest.AT_ONCE", 56)  # seven flows
    assert rows() == at_once


def test_latency_is_that_of_the_slowest_path():
    graph = network([(0, 1), (0, 2), (1, 3), (2, 3)], [10, 10, 10, 10])
    graph.latency[:] = [1, 2, 3, 4]
    assert route(graph, np.array([0]), np.array([3])).latency.tolist() == [6]


@pytest.mark.parametrize("routes", ["all shortest", "widest", "all widest"])
def test_each_way_of_routing_adds_up_the_latency(routes):
    graph = replace(network([(0, 1), (1, 2)], [10, 4]), routes=routes, latency=np.array([1e-6, 3e-6]))
    assert route(graph, [0, 0], [1, 2]).latency == pytest.approx([1e-6, 4e-6])


def test_what_is_shared_says_the_least_and_the_most_of_a_flow():
    graph = network([(0, 1), (2, 3)], [10e9, 4e9])
    assert "4 GB/s to 10 GB/s each, 14 GB/s together" in repr(fl.share(graph, [(0, 1), (2, 3)]))


@pytest.mark.parametrize("capacity", [[1.0], [[1.0, 1.0]]])
def test_capacities_are_counted(capacity):
    both = route(network([(0, 1), (1, 2)], [10, 4]), [0], [2])
    with pytest.raises(ValueError, match="^capacity must be one number for each edge, the last in use being 1; got shape"):
        max_min(both, capacity)


# Symmetries.

@given(st.integers(0, 10_000), st.floats(0.01, 100))
@settings(max_examples=50)
def test_rates_follow_flows_nodes_and_scale(seed, factor):
    draw = np.random.default_rng(seed)
    graph, flows = random_network(draw), random_flows(draw, 8, 12)
    rates = fl.share(graph, flows).rates
    mixed = draw.permutation(12)
    assert fl.share(graph, flows[mixed]).rates == pytest.approx(rates[mixed])
    names, edges = draw.permutation(8), draw.permutation(len(graph.src))
    ends = np.stack([names[graph.src], names[graph.dst]], axis=1)[edges]
    assert fl.share(network(ends, graph.capacity[edges]), names[flows]).rates == pytest.approx(rates)
    scaled = network(np.stack([graph.src, graph.dst], axis=1), graph.capacity * factor)
    assert fl.share(scaled, flows).rates == pytest.approx(rates * factor)


# When flows end.

def test_a_flow_that_ends_leaves_its_share_to_the_others():
    graph = network([(0, 1)], [10])
    routing = route(graph, np.array([0, 0]), np.array([1, 1]))
    assert finish(routing, graph.capacity, np.array([10, 30])) == pytest.approx(4)   # 2 s at 5 and 5, then 2 s at 10
    line = network([(0, 1), (1, 2)], [10, 10])
    routing = route(line, np.array([0, 0, 1]), np.array([2, 1, 2]))
    assert finish(routing, line.capacity, np.array([10, 5, 10])) == pytest.approx(2)
    # The long flow shares with one, then with the other, and never has a link to itself before they end.
    assert finish(routing, line.capacity, np.array([20, 5, 10])) == pytest.approx(3)
    uneven = network([(0, 1), (1, 2)], [10, 4])
    routing = route(uneven, np.array([0, 0]), np.array([2, 1]))
    assert finish(routing, uneven.capacity, np.array([4, 24])) == pytest.approx(2.8)  # 1 s at 4 and 6, then 18 at 10


def test_a_link_may_idle_at_first_and_be_the_last_to_end():
    line = network([(0, 1), (1, 2), (2, 3)], [10, 10, 10])
    routing = route(line, np.array([0, 1, 0, 0, 2, 2]), np.array([2, 3, 1, 1, 3, 3]))
    # Thirds of the outer links while the short flows last (1.5 s), the middle one a third idle; then halves of the middle one.
    assert finish(routing, line.capacity, np.array([10, 10, 5, 5, 5, 5])) == pytest.approx(2.5)


def test_flows_of_one_size_end_when_the_busiest_edge_does():
    draw = np.random.default_rng(7)
    for _ in range(20):
        graph = random_network(draw)
        routing = route(graph, *random_flows(draw, 8, 12).T)
        rates, _ = max_min(routing, graph.capacity)
        assert finish(routing, graph.capacity, np.full(12, 3.0)) == pytest.approx(3 / rates.min())
        # Sizes that differ by next to nothing take the long way and must come to the same.
        almost = finish(routing, graph.capacity, 3 + draw.uniform(0, 1e-6, 12))
        assert almost == pytest.approx(3 / rates.min(), rel=1e-5)


def test_a_flow_over_no_edge_is_not_limited():
    nothing = np.array([], dtype=int)
    rates, bottleneck = max_min(Routing(nothing, nothing, nothing, np.zeros(1)), np.ones(3))
    assert rates.tolist() == [np.inf]
    assert bottleneck.tolist() == [-1]


# Bad input.

@pytest.mark.parametrize(("pairs", "words"), [
    ([], "pairs must be a list of .from, to., at least one"),
    ([("gpu0",)], "pairs must be"),
    ([("gpu0", "gpu1"), ("gpu2",)], "pairs must be"),
    ("gpu0", "pairs must be"),
    ([("gpu0", "gpu0")], "another node than it comes from; got gpu0 twice"),
    ([("gpu0", "gpu9")], "node of HGX H100 'gpu9' is not known. Did you mean 'gpu"),
    ([(0, 8)], "GPU's number must be a whole number from 0 to 7; got 8"),
    ([(0, 1.5)], "GPU's number must be a whole number from 0 to 7; got 1.5"),
    ([(0, -1)], "GPU's number must be"),
    ([(0, None)], "GPU's number must be"),
])
def test_share_refuses_with_a_sentence(pairs, words):
    with pytest.raises(ValueError, match=words):
        fl.share(fl.server("hgx-h100"), pairs)


def test_share_says_where_there_is_no_path():
    with pytest.raises(ValueError, match="no path from n1 to n0"):
        fl.share(network([(0, 1)], [1]), [(1, 0)])


@pytest.mark.parametrize(("pattern", "argument"), [(ring, 1), (ring, [0, 0]), (ring, [3]), (ring, [[0, 1]]), (ring, "a"),
                                                   (one_pair, 1), (all_to_all, 0), (all_to_all, 2.5), (ring, [[1], [2, 3]]),
                                                   (one_pair, [8]), (all_to_all, np.array([8])), (all_to_all, 10**7)])
def test_patterns_refuse_with_a_sentence(pattern, argument):
    with pytest.raises(ValueError, match="must"):
        pattern(argument)


@pytest.mark.parametrize(("pattern", "name"), [(ring, "order"), (one_pair, "ranks"), (all_to_all, "ranks")])
def test_two_ranks_are_the_fewest(pattern, name):
    assert pattern(2)[0].tolist() == [0, 1]
    with pytest.raises(ValueError, match=f"^{name} must be a whole number .* 2.*; got 1"):
        pattern(1)


def test_two_ranks_in_their_own_order_are_a_ring():
    assert ring([4, 1]).tolist() == [[4, 1], [1, 4]]


def test_an_all_to_all_names_every_pair_once_in_order():
    for ranks in (2, 3, 8):
        assert all_to_all(ranks).tolist() == [[a, b] for a in range(ranks) for b in range(ranks) if a != b]


def test_patterns_count_the_ranks_in_whole_numbers():
    for eight in (8, 8.0, np.float64(8), np.array(8)):
        assert all_to_all(eight).dtype == ring(eight).dtype == np.int64
        assert np.array_equal(all_to_all(eight), all_to_all(8))


@pytest.mark.parametrize("graph", ["mi300x", None, 8])
def test_only_a_graph_is_a_graph(graph):
    with pytest.raises(ValueError, match="graph must be a Graph, such as server.'hgx-h100'.; got"):
        fl.share(graph, [(0, 1)])


def test_spread_over_equal_widest_ways_a_flow_takes_each_of_them_in_equal_parts():
    """Dies 0 and 3 of an MI250X node have two ways of the same width and length, over die 1 and over die 2."""
    node = replace(fl.server("mi250x"), routes="all widest")
    shared = fl.share(node, [("gpu0", "gpu3")])
    used = {(node.nodes[node.src[edge]], node.nodes[node.dst[edge]]): load / 50e9
            for edge, load in enumerate(shared.load) if load}
    assert shared.total == pytest.approx(2 * 50e9)
    assert used == pytest.approx({("gpu0", "gpu1"): 1, ("gpu1", "gpu3"): 1, ("gpu0", "gpu2"): 1, ("gpu2", "gpu3"): 1})


def test_pairs_with_one_widest_way_take_it_under_both_rules():
    one = fl.server("mi250x")
    pairs = [(a, b) for a, b in all_to_all(8).tolist() if {a, b} not in ({0, 3}, {0, 4}, {1, 2}, {2, 6}, {4, 7}, {5, 6})]
    both = [fl.share(graph, [pair]).load for graph in (one, replace(one, routes="all widest")) for pair in pairs]
    assert np.allclose(both[:len(pairs)], both[len(pairs):])


def test_runs_priced_together_end_when_each_does_alone():
    line = network([(0, 1), (1, 2), (2, 3)], [10, 10, 10])
    idle = [(0, 2), (1, 3), (0, 1), (0, 1), (2, 3), (2, 3)]  # the case above: no edge is busy all the time
    runs, sizes = [idle, [(0, 1)], idle], [[10, 10, 5, 5, 5, 5], [30], [10, 0, 5, 5, 0, 0]]
    together = route(line, *np.concatenate(runs).T)
    found = finish_each(together, line.capacity, np.concatenate(sizes), np.cumsum([len(run) for run in runs]))
    assert found == pytest.approx([2.5, 3, 2])
