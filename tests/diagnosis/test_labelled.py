"""The labelled tables: every cause is among the first two that are named, and no table without one gets an alarm."""

import numpy as np
import pytest

from fabriclib import catalog
from fabriclib.diagnosis import causes, compare
from fabriclib.diagnosis.suspects import FALLEN, TOO_FAST, TOO_SLOW
from fabriclib.measurements import as_read

TABLES = [table for table in catalog.rows("measurement_tables") if table["system"]]
FOUND = {table["id"]: compare(as_read(table["id"]), table["system"]) for table in TABLES}


@pytest.mark.parametrize("table", [t for t in TABLES if t["cause"]], ids=lambda t: t["id"])
def test_the_cause_of_a_bad_table_is_among_the_first_two(table):
    found = FOUND[table["id"]]
    assert found.alarm
    assert table["cause"] in [one.cause for one in found.causes[:2]]
    assert all(one.evidence.endswith(".") and one.check for one in found.causes)


@pytest.mark.parametrize("table", [t for t in TABLES if not t["cause"]], ids=lambda t: t["id"])
def test_a_table_without_a_cause_gets_no_alarm(table):
    found = FOUND[table["id"]]
    assert not found.alarm
    assert not found.causes


def test_the_thresholds_leave_room_on_both_sides():
    """What separates clean tables from bad ones was set by looking at them; here is how far either side is from it."""
    def slow(table):
        rows = FOUND[table["id"]].table
        at = (rows.nbytes / rows.measured).idxmax()
        return rows.measured[at] / rows.predicted[at]

    def fallen(table):
        rows = FOUND[table["id"]].table
        rate = (rows.nbytes / rows.measured).to_numpy()
        return rate[rate.argmax():].min() / rate.max()

    clean = [t for t in TABLES if t["config"] == "ok" and not t["cause"]]
    assert max(map(slow, clean)) < 0.95 * TOO_SLOW
    assert min(map(slow, clean)) > 1.1 * TOO_FAST
    assert min(map(slow, TABLES)) > TOO_FAST
    assert min(slow(t) for t in TABLES if t["cause"] == "tcp" and t["tool"] != "osu_bw") > 1.9 * TOO_SLOW
    assert min(fallen(t) for t in clean if t["nodes"] >= 4) > 1.15 * FALLEN
    assert max(fallen(t) for t in TABLES if t["cause"] == "congestion") < 0.9 * FALLEN


def test_labels_are_causes():
    known = set(causes()["id"])
    assert {table["cause"] for table in TABLES if table["cause"]} <= known


def test_errors_are_those_of_the_accuracy_room():
    from fabriclib.accuracy import by_regime, tables

    for table in tables()[::7]:
        regimes = FOUND[table.id].regimes.set_index("regime")["mean absolute error"]
        for name, value in zip(("up to 64 KiB", "between", "from 64 MiB"), by_regime(table)[1:], strict=True):
            assert np.isnan(value) if name not in regimes else regimes[name] == pytest.approx(value)
