"""Cables and adapters: reach, time along the way, and the narrower of port and slot."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog
from fabriclib.units import GB, ns


@pytest.mark.parametrize("row", catalog.rows("cables"), ids=lambda row: row["id"])
def test_every_cable_builds_and_light_and_copper_stay_below_the_speed_of_light(row):
    one = fl.cable(row["id"])
    assert one.delay > 1 / 299_792_458
    assert one.name in repr(one)
    assert set(one.sources) >= {"link", "s_per_m", "end_s"}


def test_a_cables_latency_is_its_way_and_both_ends():
    fibre = fl.cable("module-800-sm")
    assert fibre.latency(np.array([0, 50, 100])) == pytest.approx(np.array([20, 270, 520]) * ns)
    assert fl.cable("dac-800").latency(3) < fl.cable("aec-800").latency(3)


def test_power_falls_from_modules_to_linear_to_co_packaged_and_copper_draws_next_to_nothing():
    dsp, linear, packaged, copper = (fl.cable(id).power for id in ("module-800-xdr", "lpo-800", "cpo-800", "dac-800"))
    assert dsp > linear > copper
    assert dsp / packaged == pytest.approx(30 / 9)  # NVIDIA's comparison, of 1.6T


def test_a_module_draws_what_its_own_page_says_and_an_800g_one_no_1_6t_figure():
    assert fl.cable("module-800-mm").power == 15 < fl.cable("module-800-sm").power == 17
    for row in catalog.rows("cables"):
        if row["kind"] == "pluggable" and "800G" in row["name"]:
            assert 12 <= row["power_w"] <= 17, row["id"]
    for id in ("module-800-xdr", "cpo-800"):
        assert catalog.row("cables", id)["note"].startswith("contested:")


def test_a_cable_longer_than_its_reach_is_refused():
    with pytest.raises(ValueError, match="metres must be .* at most 3"):
        fl.cable("dac-800").latency(5)
    assert fl.cable("cpo-800").latency(1000) == pytest.approx(5004 * ns)  # nobody says how far it reaches


@pytest.mark.parametrize("row", catalog.rows("adapters"), ids=lambda row: row["id"])
def test_every_adapter_moves_what_the_narrower_side_allows(row):
    one = fl.adapter(row["id"])
    ports = one.ports * one.port.line
    assert 0 < one.rate <= ports
    assert one.name in repr(one)
    if one.host is not None and one.rate < ports:
        assert one.rate == one.host.bandwidth()


def test_a_400g_adapter_fits_its_slot_and_two_hdr_ports_do_not():
    assert fl.adapter("connectx7").rate == 50 * GB
    assert fl.adapter("connectx6").rate < 2 * 25 * GB
    assert fl.adapter("connectx8").rate == 100 * GB


@pytest.mark.parametrize("call", [lambda: fl.cable("dac800"), lambda: fl.adapter("connectx-7"), lambda: fl.cable(None)])
def test_unknown_parts_are_refused(call):
    with pytest.raises(ValueError, match="is not known"):
        call()


def test_tables_name_their_units():
    assert len(fl.cables()) == len(catalog.rows("cables"))
    assert len(fl.adapters()) == len(catalog.rows("adapters"))
    assert fl.adapters().set_index("id").loc["connectx7", "adapter GB/s one way"] == pytest.approx(50)
    assert fl.switches().set_index("id").loc["quantum2", "latency (ns)"] == pytest.approx(330)
