"""Copies: the model beside published matrices, and which figures set its constants."""

import numpy as np
import pytest

from fabriclib import catalog, copies

TABLES = [cells for cells in catalog.rows("p2p_tables") if cells["config"] == "ok"]
# What the wires do not say: copies that cross the link between two sockets, and staged ones that pass one port both ways.
KNOWN_MISSES = {"a6000x6-nvbandwidth": 18, "titan-rtx-p2p": 8}


@pytest.mark.parametrize("table", [cells["id"] for cells in TABLES])
def test_checks_agree_within_ten_percent_or_are_known_not_to(table):
    found = copies.beside(table)
    checks = found[found["sets"] == ""]
    assert (checks["error"].abs() > 0.1).sum() == KNOWN_MISSES.get(table, 0)


def test_the_misses_are_the_pairs_that_cross_and_the_pairs_that_share_a_port():
    a6000 = copies.beside("a6000x6-nvbandwidth")
    crosses = (a6000["from"] < "gpu3") != (a6000["to"] < "gpu3")
    assert ((a6000["error"].abs() > 0.1) == crosses).all()
    titan = copies.beside("titan-rtx-p2p")
    switch = {f"gpu{i}": i // 2 for i in range(8)}
    assert ((titan["error"].abs() > 0.1) == (titan["from"].map(switch) == titan["to"].map(switch))).all()


def test_at_least_five_servers_agree_on_figures_that_set_nothing():
    agreeing = set()
    for cells in TABLES:
        found = copies.beside(cells["id"])
        checks = found[found["sets"] == ""]
        if len(checks) and (checks["error"].abs() <= 0.1).all():
            agreeing.add(cells["server"])
    assert agreeing >= {"dgx-a100", "hgx-h100", "dgx-h200", "gb200-tray", "h100-mesh4", "mi250x", "mi300x", "rtx5090-pair"}


def test_each_constant_is_set_by_the_rows_that_say_so_and_by_as_few_tables_as_can_be():
    sets = {(copy, row["sets"]): table["id"] for table in TABLES for copy in [table["copy"]]
            for row in catalog.rows("p2p_measurements") if row["table"] == table["id"] and row["sets"]}
    assert sets == {
        ("nvlink3", "efficiency"): "a100x8-p2p", ("nvlink", "efficiency"): "h100x8-p2p", ("xgmi", "efficiency"): "mi250x-osu",
        ("xgmi-engine", "efficiency"): "mi250x-osu-engine", ("xgmi-engine", "cap"): "mi250x-osu-engine",
        ("pcie", "efficiency"): "pcie5-switch", ("staged", "extra"): "h100x8-p2p-off"}


def test_a_constant_reproduces_what_set_it():
    for table in ("mi250x-osu", "pcie5-switch", "mi250x-osu-engine"):
        found = copies.beside(table)
        assert found[found["sets"] != ""]["error"].to_numpy() == pytest.approx(0)
    for table in ("a100x8-p2p", "h100x8-p2p", "h100x8-p2p-off"):  # set by the mean of all pairs
        assert copies.beside(table)["error"].mean() == pytest.approx(0, abs=2e-3)


def test_rates_of_a_method_by_hand():
    engine, staged = copies.copy("xgmi-engine"), copies.copy("staged")
    assert engine.rate(np.array([50e9, 100e9, 200e9])) == pytest.approx([41.9251e9, 49.39652e9, 49.39652e9])
    wire = copies.copy("pcie").rate(57.6e9)
    assert 1 / staged.rate(57.6e9) == pytest.approx(1 / wire + staged.extra)
    assert 1 / staged.extra == pytest.approx(109e9, rel=0.01)  # as if the bytes passed one more link, of 109 GB/s


def test_small_copies_between_all_dies_fall_into_the_bands_of_the_widest_paths():
    """4 MB copies do not reach the rate of the wires, but wider paths are faster, detours included: 56 pairs, three bands."""
    found = copies.beside("mi250x-small")
    line = (found["model GB/s"] / copies.copy("xgmi").efficiency).round()
    bands = [found["measured GB/s"][line == rate] for rate in (50, 100, 200)]
    assert [len(band) for band in bands] == [32, 16, 8]
    assert bands[0].max() < bands[1].min() < bands[1].max() < bands[2].min()


def test_a_copy_over_the_wrong_link_shows():
    """Two GPUs of one node at the network card's 24 GB/s: no constant explains a factor of five."""
    assert copies.beside("gh200-osu")["error"].tolist() == [pytest.approx(4.2, abs=0.1)]


def test_the_summary_counts_every_pair_once():
    table = copies.summary()
    assert len(table) == len(TABLES)
    assert table["pairs checked"].sum() - table["within 10 %"].sum() == sum(KNOWN_MISSES.values())


def test_both_directions_are_added_up():
    one, both = copies.reached("h100-mesh4", "nvlink"), copies.reached("h100-mesh4", "nvlink", both=True)
    assert both.rates[0, 1] == pytest.approx(2 * one.rates[0, 1])


def test_every_table_of_copies_has_rows():
    assert {row["table"] for row in catalog.rows("p2p_measurements")} == {cells["id"] for cells in catalog.rows("p2p_tables")}


@pytest.mark.parametrize("call", [copies.copy, copies.beside, lambda name: copies.reached(name, "nvlink")])
def test_unknown_names_are_refused(call):
    with pytest.raises(ValueError, match="is not known"):
        call("nothing")
