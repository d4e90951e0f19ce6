"""A network that is less than whole: what `predict` says of it is what the cuts of a fabric's graph leave."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import flows
from fabriclib.availability import lose
from fabriclib.topology import fabric

NODES, GPUS, BELOW = 16, 8, 4  # servers, GPUs of each, servers below a leaf
ENDLESS = 1e15
RINGS = np.concatenate([flows.ring(np.roll(np.arange(NODES * GPUS).reshape(NODES, GPUS), k, axis=1).ravel().tolist())
                        for k in range(GPUS)])


def slowest(pairs, over: int) -> float:
    """What the slowest flow gets where a leaf has *over* ports down for each port up."""
    graph = fabric("leaf-spine", gpus=NODES * GPUS, per_server=GPUS, leaf_ports=(BELOW * GPUS, BELOW * GPUS // over), radix=64)
    return float(flows.share(graph, pairs).rates.min())


def seconds(collective: str, **missing) -> float:
    return fl.predict(fl.system("dgx-h100", **missing), collective, ENDLESS, nodes=NODES).seconds


@pytest.mark.parametrize("over", [2, 4])
@pytest.mark.parametrize(("collective", "pairs"), [("all_to_all", flows.all_to_all(NODES * GPUS)), ("all_gather", RINGS)])
def test_predict_and_fabric_meet_where_leaves_are_oversubscribed(collective, pairs, over):
    longer = seconds(collective, oversubscription=over, leaf_nodes=BELOW) / seconds(collective)
    assert longer == pytest.approx(slowest(pairs, 1) / slowest(pairs, over), rel=1e-3)


# ---- the cuts themselves: maximum flows of the graph of such a machine's network ----

MACHINES = {"dgx-h100": "eth400", "dgx-a100": "eth200", "snellius-h100": "eth200", "dgx-b300": "eth800"}
SHAPES = [(4, 2, 2), (6, 3, 2), (8, 2, 4), (8, 4, 8), (9, 3, 4), (16, 4, 2)]  # nodes, those below a leaf, ports down for one up


def network(system: str, nodes: int, below: int, over: int):
    gpus = fl.system(system).gpus
    ports = (below * gpus, below * gpus // over)
    return fabric("leaf-spine", gpus=nodes * gpus, per_server=gpus, leaf_ports=ports, radix=256, speed=MACHINES[system])


def passed(graph, sources, targets) -> float:
    return graph.max_flow(graph.gpus[list(sources)], graph.gpus[list(targets)])


@pytest.mark.parametrize(("nodes", "below", "over"), SHAPES)
@pytest.mark.parametrize("system", MACHINES)
def test_what_a_leaf_passes_up_is_the_cut_of_the_graph(system, nodes, below, over):
    machine = fl.system(system, oversubscription=over, leaf_nodes=below)
    graph, g = network(system, nodes, below, over), machine.gpus
    leaf = passed(graph, range(below * g), range(below * g, nodes * g))
    own = passed(graph, range(g), range(g, nodes * g) if below == 1 else range(g, below * g))
    # A ring passes one machine's rate from leaf to leaf; of an all-to-all, a machine's pairs with those below other leaves.
    assert float(machine.crossing(nodes)) == pytest.approx(max(1.0, own / leaf))
    up, all_others = below * (nodes - below), nodes - 1
    assert float(machine.crossing(nodes, all_to_all=True)) == pytest.approx(max(1.0, (up / leaf) / (all_others / own)))


@pytest.mark.parametrize("failed", [1, 2, 3])
@pytest.mark.parametrize("system", MACHINES)
def test_what_a_machine_sends_without_some_ports_is_the_cut_of_the_graph(system, failed):
    machine = fl.system(system, failed_ports=failed)
    graph, g = network(system, 4, 2, 1), machine.gpus
    broken = lose(graph, [(f"gpu{i}", "leaf0") for i in range(failed)])
    longer = passed(graph, range(g), range(g, 4 * g)) / passed(broken, range(g), range(g, 4 * g))
    assert float(machine.crossing(4)) == float(machine.crossing(4, all_to_all=True)) == pytest.approx(longer)


@pytest.mark.parametrize(("over", "failed"), [(2, 1), (2, 4), (8, 1), (4, 6)])
def test_of_a_thin_leaf_and_a_failed_port_the_narrower_cut_counts(over, failed):
    machine = fl.system("dgx-h100", oversubscription=over, leaf_nodes=2, failed_ports=failed)
    graph = lose(network("dgx-h100", 6, 2, over), [(f"gpu{i}", "leaf0") for i in range(failed)])
    one, leaf = passed(graph, range(8), range(8, 48)), passed(graph, range(16, 32), range(32, 48))
    whole = passed(graph, range(32, 40), range(40, 48))
    assert float(machine.crossing(6)) == pytest.approx(max(whole / min(one, whole), whole / leaf))


def test_a_leaf_that_holds_all_nodes_has_nothing_to_pass_up():
    assert seconds("all_to_all", oversubscription=4, leaf_nodes=NODES) == seconds("all_to_all")


def test_a_failed_port_takes_its_share_of_the_rate():
    assert seconds("all_gather", failed_ports=1) / seconds("all_gather") == pytest.approx(8 / 7, rel=1e-3)


def test_one_node_has_no_network_to_lack():
    whole, broken = (fl.predict(one, "all_reduce", 2**30).seconds
                     for one in (fl.system("dgx-h100"), fl.system("dgx-h100", oversubscription=8, failed_ports=4)))
    assert whole == broken


@pytest.mark.parametrize(("missing", "said"), [
    ({"oversubscription": 0.5}, "oversubscription must be a number at least 1"),
    ({"failed_ports": 8}, "failed_ports must be a whole number from 0 to 7; got 8"),
    ({"leaf_nodes": 0}, "leaf_nodes must be a whole number from 1"),
])
def test_errors_name_the_argument(missing, said):
    with pytest.raises(ValueError, match=said):
        fl.system("dgx-h100", **missing)
