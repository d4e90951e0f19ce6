"""A machine is a graph for routing and a few numbers for predicting: what both say of it is the same."""

import pytest

import fabriclib as fl
from fabriclib import catalog

BOTH = sorted({row["id"] for row in catalog.rows("servers")} & {row["id"] for row in catalog.rows("systems")})


@pytest.mark.parametrize("name", BOTH)
def test_a_machine_is_the_same_as_a_graph_and_as_a_system(name):
    graph, system = fl.server(name), fl.system(name)
    assert len(graph.gpus) == system.gpus
    for gpu in graph.gpus:
        assert graph.capacity[graph.own & (graph.src == gpu)].sum() == pytest.approx(system.gpu_rate)
    if len(graph.of_kind("nic")):
        assert len(graph.of_kind("nic")) == system.ports


def test_some_machines_are_both():
    assert {"dgx-a100", "dgx-h100", "dgx-h200", "gb200-nvl72", "alps-gh200"} <= set(BOTH)
