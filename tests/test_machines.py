"""A machine is a graph for routing and a few numbers for predicting: what both say of it is the same."""

from dataclasses import asdict, replace

import pytest

import fabriclib as fl
from fabriclib import catalog

BOTH = sorted({row["id"] for row in catalog.rows("servers")} & {row["id"] for row in catalog.rows("systems")})
FIRST_OF_ITS_GPU = {row["gpu"]: row for row in reversed(catalog.rows("systems"))}


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


@pytest.mark.parametrize("row", FIRST_OF_ITS_GPU.values(), ids=lambda row: row["id"])
def test_a_machine_put_together_from_the_parts_of_a_row_is_that_row(row):
    made = fl.composed(row["gpu"], row["gpus"], port=row["port"] or "", ports=row["ports"])
    known = fl.system(row["id"])
    made = replace(made, name=known.name, id=known.id, note=known.note, sharp=known.sharp)
    assert repr(asdict(made)) == repr(asdict(known))  # compared as text: what is not published is NaN


def test_parts_may_be_others_than_the_gpus_own():
    made = fl.composed("H100", 4, link="pcie5", wiring="staged", port="roce-400")
    assert (made.gpus, made.ports, made.wiring, made.switch, made.server_gpus) == (4, 4, "staged", None, 4)
    assert made.gpu_rate == fl.link("pcie5").line
    assert fl.composed("A100", wiring="mesh").gpu_rate == fl.system("polaris").gpu_rate
    below_a_switch = fl.system("rtx4090-pcie-switch")
    made = fl.composed("RTX 4090", below_a_switch.gpus, wiring="pcie-switch")
    assert fl.predict(made, "all_reduce", 2**30).seconds == fl.predict(below_a_switch, "all_reduce", 2**30).seconds


@pytest.mark.parametrize(("parts", "said"), [
    ({"gpu": "H10"}, "Did you mean 'H100'"), ({"gpu": "T4", "wiring": "switch"}, "no switch for them is known"),
    ({"gpu": "H100", "link": "pcie5", "wiring": "mesh"}, "wiring must be pcie, pcie-switch, staged"),
    ({"gpu": "H100", "wiring": "staged"}, "for NVLink 4"), ({"gpu": "H100", "link": "nvlnik4"}, "Did you mean 'nvlink4'"),
    ({"gpu": "H100", "gpus": 0}, "gpus must"),
    ({"gpu": "H100", "port": "ib"}, "port 'ib' is not known"), ({"gpu": "H100", "ports": 0, "port": "ib-ndr"}, "ports must"),
])
def test_parts_that_do_not_fit_are_refused(parts, said):
    with pytest.raises(ValueError, match=said):
        fl.composed(**parts)
