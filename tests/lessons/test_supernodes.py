"""Supernodes: the formula is what routing gives, and what is held against it was never fitted."""

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.supernodes import labs, stops, tables
from fabriclib import accuracy, catalog


@pytest.mark.parametrize(("gpus", "domain"), [(16, 4), (16, 8), (24, 8)])
def test_an_all_to_all_takes_what_the_slower_of_its_two_wires_takes(gpus, domain):
    """Every message routed over a fabric without oversubscription, those of a server over its NVLinks."""
    graph = fl.fabric("rail-optimised", gpus=gpus, per_server=domain, inside="nvlink5", speed="ib-ndr")
    inside, outside = fl.link("nvlink5").bundle(18).bandwidth(), fl.link("ib-ndr").bandwidth()
    routed = fl.schedule("all_to_all", "direct", gpus).line_on(graph).per_byte * 1e9
    assert routed == pytest.approx(max(tables.all_to_all(domain, gpus, inside, outside, 1e9)))


def test_in_one_domain_nothing_leaves():
    inside, outside = tables.all_to_all(72, 64, 900e9, 50e9, 64e9)
    assert (inside, outside) == (pytest.approx(0.07), 0)
    assert tables.all_to_all(64, 64, 900e9, 50e9)[1] == 0 < tables.all_to_all(63, 64, 900e9, 50e9)[1]


def test_the_claims_of_the_press_release_are_ratios_without_their_base():
    assert all(claim.endswith((" times", " %")) for claim in tables.claims()["claimed"])
    assert stops._usable(None) == stops._NONE
    for machine in labs.NAMES:
        _, said = book.lab("what-is-known").evaluate(machine=machine, show=labs.CLAIMS)
        assert ("No source gives the rate" in said) <= (not fl.supernode(labs.NAMES[machine]).rated)


def test_what_is_held_against_the_model_was_predicted_without_its_site():
    fitted = {table for row in catalog.rows("fitted") for table in row["tables"]}
    for table, gpus, racks in tables.MEASURED:
        about, held = catalog.row("measurement_tables", table), accuracy.held_out_seconds().get(table)
        assert table not in fitted if held is None else tables.foretold(table) == held[-1]
        assert (about["collective"], about["ranks"], about["nodes"]) == ("all_to_all", gpus, racks)


def test_the_wires_alone_are_too_fast_and_the_prediction_is_not_far_off():
    assert (tables.off("wires") < 0).all()
    assert abs(tables.off("predicted")).max() < 0.1


def test_two_tiers_end_where_the_formula_says():
    for planes in tables.PLANES:
        most = tables.largest(16, planes)
        assert fl.fabric_counts("multi-plane", gpus=most, radix=16, planes=planes).cores == 0
        assert fl.fabric_counts("multi-plane", gpus=most + 8, radix=16, planes=planes).cores > 0


@pytest.mark.parametrize("most", [1e-3, 2e-3, 4e-3, 18e-3])
def test_the_smallest_domain_is_quick_enough_and_half_of_it_is_not(most):
    case = {"ranks": 64, "inside": 900e9, "outside": 50e9, "nbytes": 1e9}
    domain = tables.smallest_domain(64, 1e9, 900e9, 50e9, most) or 128
    if domain <= 64:
        assert max(tables.all_to_all(domain, **case)) <= most
    assert domain == 1 or max(tables.all_to_all(domain // 2, **case)) > most
