"""The lane budget, and what a switch holds and shares."""

import numpy as np
import pytest

from fabriclib import catalog, lanes, link, switch


def test_eight_gpus_and_eight_nics_fit_no_pair_of_sockets():
    table = lanes.budgets()
    assert lanes.lanes_asked() == 8 * 16 + 8 * 16 + 4 * 4
    assert (table["short"] == table["asked"] - table["lanes"]).all()
    assert (table["short"] > 0).all()
    assert len(table) == 2 * len(catalog.rows("cpus"))


def test_one_socket_of_128_lanes_holds_eight_gpus_and_nothing_more():
    assert lanes.lanes_of("epyc-9004") - lanes.lanes_asked(nics=0, ssds=0) == 0
    assert lanes.lanes_asked(nics=0, ssds=1) > lanes.lanes_of("epyc-9004")


def test_a_second_epyc_adds_no_lanes():
    """Each gives half of its lanes to reach the other."""
    assert lanes.lanes_of("epyc-9004", 2) == lanes.lanes_of("epyc-9004", 1)


@pytest.mark.parametrize(("name", "gbps", "wanted"), [("pcie3", 100, 16), ("pcie3", 56, 8), ("pcie5", 400, 16),
                                                      ("pcie6", 800, 16), ("pcie5", 200, 8), ("pcie4", 200, 16)])
def test_the_width_that_a_nic_needs(name, gbps, wanted):
    """ServeTheHome on PCIe 3: 50 and 56 Gb/s fit into x8, 100 Gb/s needs x16."""
    assert lanes.width_for(name, gbps * 1e9 / 8) == wanted


def test_the_nics_row_follows_from_its_rate():
    assert catalog.row("lane_needs", "nic")["lanes"] == lanes.width_for("pcie5", 400e9 / 8)


def test_fan_out_fills_the_chip():
    for part, uplink in (("pex89144", 16), ("pex89144", 48), ("switchtec-pfx5", 16), ("scorpio-x", 32), ("pex88024", 16)):
        held = lanes.fan_out(part, uplink)
        assert held * 16 + uplink <= switch(part).lanes < (held + 1) * 16 + uplink


def test_a_pcie_switch_counts_its_lanes_and_no_ports():
    chip = switch("pex89144")
    assert chip.rate == pytest.approx(144 / 16 * link("pcie5").line)
    assert (chip.ports, chip.lanes, chip.port.lanes, chip.latency) == (72, 144, 16, pytest.approx(115e-9))
    assert switch("nvswitch3").lanes == 64 * 2


def test_oversubscription_broadcasts():
    assert list(lanes.oversubscription(np.array([16, 64, 128]), 16)) == [1, 4, 8]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: lanes.lanes_of("epyc-9005"), "Did you mean 'epyc-9004'"),
    (lambda: lanes.lanes_of("epyc-9004", 3), "sockets must be"),
    (lambda: lanes.lanes_asked(gpus=-1), "gpus must be"), (lambda: lanes.lanes_asked(ssds=1.5), "ssds must be"),
    (lambda: lanes.width_for("pcie5", 1e12), "rate must be at most the 63.02 GB/s of PCIe 5 x16; got 1 TB/s"),
    (lambda: lanes.width_for("nvlink4", 1e9), "link 'nvlink4' is not known"), (lambda: lanes.fan_out("nvswitch3"), "PCIe switch"),
    (lambda: lanes.fan_out("pex88024", uplink=32), "uplink must be .* from 1 to 24"),
    (lambda: lanes.oversubscription(64, 0), "uplink must be"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
