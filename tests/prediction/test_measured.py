"""The whole model beside every published table: a part that is wrong anywhere is a table that it no longer meets."""

import pytest

import fabriclib as fl
from fabriclib import accuracy
from fabriclib.prediction.interval import factors

TABLES = accuracy.tables()
PULLED = 0.05  # by which the other tables pull constants away from one of their own


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.id)
def test_constants_that_saw_a_table_are_as_near_to_it_as_those_that_did_not(table):
    assert accuracy.by_regime(table)[0] <= accuracy.held_out()[table.id][0] + PULLED


def test_over_all_tables_they_are_nearer_at_every_size():
    seen = accuracy.summary({table.id: accuracy.by_regime(table) for table in TABLES})
    unseen = accuracy.summary(accuracy.held_out())
    for group, errors in seen.items():
        assert all(near < far for near, far in zip(errors, unseen[group], strict=True)), group


@pytest.mark.parametrize(("system", "seen"), [("l40s-pcie", True), ("rtx4090-pcie-nop2p", True), ("t4-pcie", False),
                                              ("aws-inf2", False), ("dgx-h100", True), ("aws-p3dn", False)])
def test_an_interval_is_that_of_links_which_a_table_is_of_or_of_any(system, seen):
    """Of PCIe it matters which generation it is, and whether a card may send to another or goes through the host."""
    one = fl.predict(system, "all_reduce", 2**20)
    low, high = factors(2**20, False, seen)
    assert one.interval == pytest.approx((low * one.seconds, high * one.seconds))
