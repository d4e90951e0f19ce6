"""Joules of a byte, copper against optics, and every whole beside what is published of it."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.energy import byte_energy, cable_energy, frugal, links_by_reach, reconciled, ways


def test_a_byte_by_hand():
    """What a vendor prints a bit, and what follows from watts and rates; 8 bits a byte."""
    pj = {name: way.joules / 8 * 1e12 for name, way in ways().items()}
    assert (pj["GPU memory"], pj["CPU and GPU on a module"]) == pytest.approx((3.97, 1.3))
    assert pj["NVLink through a switch"] == pytest.approx(5.5 + 120 / 12.8)
    assert pj["optics over one switch"] == pytest.approx(25 / 0.4 + 913 / 51.2 + 2 * 17 / 0.8)
    assert pj["optics over three switches"] == pytest.approx(25 / 0.4 + 3 * 913 / 51.2 + 4 * 17 / 0.8)
    assert pj["copper over one switch"] == pytest.approx(25 / 0.4 + 913 / 51.2 + 2 * 0.1 / 0.4)


def test_each_tier_farther_out_costs_more_and_an_idle_way_more_still():
    tiers = [max(way.joules for way in ways().values() if way.tier == tier and way.kind != "convention")
             for tier in ("package", "memory", "board", "network")]
    assert np.all(np.diff(tiers) > 0)
    assert byte_energy("GPU memory", [1.0, 0.5, 0.1]) == pytest.approx(ways()["GPU memory"].joules * np.array([1, 2, 10]))


def test_copper_ends_where_optics_begin():
    assert frugal([0, 3, 5, 30, 500], "eth800") == pytest.approx([0.2, 0.2, 3, 17, 17])
    table = links_by_reach("eth400").set_index("id")
    assert table.loc["module-800-sm", "W"] == 17  # half of a module with two ports, at both ends
    assert "aec-800" not in table.index  # no source says what it draws
    assert cable_energy("module-800-sm", 0.5) == 2 * 17 / 100e9


def test_every_whole_stands_beside_a_published_figure():
    found = {(one.what, one.how): one for one in reconciled()}
    assert all(np.isfinite([one.model, one.published]).all() and one.source for one in found.values())
    machines = [one for one in found.values() if one.what.startswith("DGX")]
    assert len(machines) == 4
    assert all(abs(one.gap) < 0.1 for one in machines)
    racks = [one.gap for one in found.values() if one.what.startswith("GB200")]
    assert racks == pytest.approx([-0.061, -0.146, -0.020], abs=0.001)
    chip = found["Tomahawk 5, a box without modules", "its bare chip"]
    assert chip.gap == pytest.approx(500 / 913 - 1)


def test_a_machines_own_nameplate_is_not_what_it_is_held_against():
    h100 = next(one for one in reconciled() if one.what.startswith("DGX H100"))
    others = [(6500 - 3200 - 6 * 67.5 - 8 * 12.5) / 3200, (14_300 - 8000 - 2 * 270 - 8 * 25) / 8000]
    assert h100.model == pytest.approx(5600 * (1 + np.mean(others)) + 4 * 120 + 8 * 25)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: byte_energy("NVLink"), "Did you mean"), (lambda: byte_energy("GPU memory", 0), "use must be"),
    (lambda: cable_energy("dac-40"), "Did you mean 'dac-400'"), (lambda: cable_energy("aec-800"), "cable 'aec-800' is not known"),
    (lambda: frugal(501), "metres must be .* at most 500"), (lambda: frugal(1, "eth40"), "link 'eth40' is not known"),
    (lambda: frugal(1, "pcie3"), "whose reach and watts are known"), (lambda: fl.energy.links_by_reach(3), "is not known"),
])
def test_what_cannot_be_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
