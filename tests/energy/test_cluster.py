"""A cluster's watts: every server its nameplate, every switch a box, every link two ends; and the learner's prices."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.topology.fabrics.parts import watts

THOUSAND = fl.cluster_power("dgx-h100", gpus=1024)


def test_a_thousand_gpus_by_hand():
    """128 servers of 10.2 kW without their NICs, and the network that the fabrics' own parts list counts: NICs once."""
    design = fl.fabric_counts("rail-optimised", gpus=1024, speed="ib-ndr")
    assert THOUSAND.network == pytest.approx(sum(watts(design).values()))
    assert THOUSAND.watts == pytest.approx(128 * (10_200 - 8 * 25) + THOUSAND.network)
    assert THOUSAND.parts["GPUs"] == 1024 * 700
    assert THOUSAND.parts["NVLink switches"] == 128 * 4 * 120
    assert fl.cluster_power("dgx-h100", fabric=design).parts == pytest.approx(THOUSAND.parts)


def test_a_tier_more_and_optics_to_the_gpus_raise_the_networks_share():
    sizes = fl.cluster_power("dgx-h100", gpus=[1024, 2048, 4096, 16_384])
    assert np.all(np.diff(sizes.share[1:3]) > 0.01)
    assert sizes.share[0] == THOUSAND.share
    copper = fl.cluster_power("dgx-h100", gpus=1024, below="dac-400")
    assert THOUSAND.watts - copper.watts == pytest.approx(2 * 1024 * (8.5 - 0.1))
    planes = fl.cluster_power("dgx-h100", gpus=16_384, fabric="multi-plane", speed="eth800", planes=8)
    assert planes.parts["links between switches"] < 2 * sizes.parts["links between switches"][-1]


def test_only_gpus_and_servers_draw_less_when_they_work_less():
    half = fl.cluster_power("dgx-h100", gpus=1024, load=0.5)
    changed = {part for part in half.parts if half.parts[part] != THOUSAND.parts[part]}
    assert changed == {"GPUs", "rest of the servers"}
    assert half.parts["GPUs"] == THOUSAND.parts["GPUs"] / 2


DRAWING = [row["id"] for row in fl.catalog.rows("systems") if row["port"] and row["accelerator"]
           and fl.accelerator(row["accelerator"]).watts]


@pytest.mark.parametrize("name", DRAWING)
def test_every_machine_has_finite_watts_and_none_is_negative(name):
    machine = fl.system(name)
    power = fl.cluster_power(name, gpus=16 * machine.gpus)
    assert all(np.isfinite(value) and value >= 0 for value in power.parts.values())
    assert power.parts["rest of the servers"] > 0
    assert 0.004 < power.share < 0.15


def test_one_server_or_rack_has_its_nameplate_and_no_network():
    for name, watts_of_all in (("dgx-h100", 10_200), ("gb200-nvl72", 120_000)):
        power = fl.cluster_power(name, gpus=fl.system(name).gpus)
        assert power.watts == pytest.approx(watts_of_all)
        assert power.counts["links"] == power.parts["switches"] == 0


def test_money_is_the_learners_or_a_sources_and_what_has_none_is_named():
    cost = fl.cluster_cost(THOUSAND, {"gpu": 30_000, "kwh": 0.1}, hours=10)
    assert cost.parts["GPUs"] == 1024 * 30_000
    assert (cost.parts["switches"], cost.parts["links"]) == (48 * 36_000, 2048 * 1280)
    assert cost.parts["energy"] == pytest.approx(0.1 * THOUSAND.watts / 1000 * 10)
    assert (cost.unpriced, cost.sourced) == (("servers", "NICs"), ("switches", "links"))
    own = fl.cluster_cost(THOUSAND, {"switch": 1, "link": 2, "gpu": 0, "server": 0, "nic": 0})
    assert (own.usd, own.unpriced, own.sourced) == (48 + 2 * 2048, (), ())


@pytest.mark.parametrize(("call", "words"), [
    (lambda: fl.cluster_power("dgx-h10", gpus=8), "Did you mean 'dgx-h100'"),
    (lambda: fl.cluster_power("dgx-h100", gpus=1024, fabric="rail-optimized"), "Did you mean 'rail-optimised'"),
    (lambda: fl.cluster_power("dgx-h100"), "gpus must be given"),
    (lambda: fl.cluster_power("dgx-h100", gpus=12), "servers of 8 GPUs"),
    (lambda: fl.cluster_power("dgx-h100", gpus=4), "fill servers of 8 GPUs"),
    (lambda: fl.cluster_power("dgx-h100", gpus=64, below="aec-800"), "below 'aec-800' is not known"),
    (lambda: fl.cluster_power("hgx-h800", gpus=64), "no source gives those of H800"),
    (lambda: fl.cluster_power("dgx-h100", gpus=64, load=1.1), "load must be"),
    (lambda: fl.cluster_cost(THOUSAND, {"gpus": 1}), "Did you mean 'gpu'"),
    (lambda: fl.cluster_cost(THOUSAND, {"gpu": float("nan")}), "gpu must be"),
    (lambda: fl.cluster_cost(1024), "power must be what cluster_power returns"),
])
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
