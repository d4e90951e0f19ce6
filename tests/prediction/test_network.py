"""A network that is less than whole: what `predict` says of it is what the cuts of a fabric's graph leave."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import flows
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
