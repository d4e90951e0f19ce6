"""The labelled tables: every cause is named first, well before the next, and no table without one gets an alarm."""

import numpy as np
import pytest

from fabriclib import catalog
from fabriclib.diagnosis import causes, compare
from fabriclib.diagnosis.suspects import FALLEN, TOO_FAST, TOO_SLOW
from fabriclib.measurements import as_read

TABLES = [table for table in catalog.rows("measurement_tables") if table["system"]]


@pytest.fixture(scope="module")
def found():
    """What is found in each table, by its id. Computed here, not at import: every process that collects would pay for it."""
    return {table["id"]: compare(as_read(table["id"]), table["system"]) for table in TABLES}


AHEAD = 0.1  # in logarithms: by how much the cause resembles the curve more than what is named next


def test_the_cause_of_a_bad_table_is_named_first_and_well_before_the_next(found):
    for table in [t for t in TABLES if t["cause"]]:
        one = found[table["id"]]
        assert one.alarm, table["id"]
        assert one.causes[0].cause == table["cause"], table["id"]
        assert all(other.distance > one.causes[0].distance + AHEAD for other in one.causes[1:2]), table["id"]
        assert all(suspect.evidence.endswith(".") and suspect.check for suspect in one.causes), table["id"]


def test_a_table_without_a_cause_gets_no_alarm(found):
    assert [t["id"] for t in TABLES if not t["cause"] and (found[t["id"]].alarm or found[t["id"]].causes)] == []


def test_the_thresholds_leave_room_on_both_sides(found):
    """What separates clean tables from bad ones was set by looking at them; here is how far either side is from it."""
    def slow(table):
        rows = found[table["id"]].table
        at = (rows.nbytes / rows.measured).idxmax()
        return rows.measured[at] / rows.predicted[at]

    def fallen(table):
        rows = found[table["id"]].table
        rate = (rows.nbytes / rows.measured).to_numpy()
        return rate[rate.argmax():].min() / rate.max()

    clean = [t for t in TABLES if t["config"] == "ok" and not t["cause"]]
    assert max(map(slow, clean)) < 0.95 * TOO_SLOW
    assert min(map(slow, clean)) > 1.1 * TOO_FAST
    assert not [t["id"] for t in TABLES if found[t["id"]].verdict.startswith("Impossible")]
    assert min(slow(t) for t in TABLES if t["cause"] == "tcp" and t["tool"] != "osu_bw") > 1.9 * TOO_SLOW
    assert min(fallen(t) for t in clean if t["nodes"] >= 4) > 1.15 * FALLEN
    assert max(fallen(t) for t in TABLES if t["cause"] == "congestion") < 0.9 * FALLEN


def test_labels_are_causes():
    known = set(causes()["id"])
    assert {table["cause"] for table in TABLES if table["cause"]} <= known


def test_errors_are_those_of_the_accuracy_room(found):
    from fabriclib.accuracy import by_regime, tables

    for table in tables()[::7]:
        regimes = found[table.id].regimes.set_index("regime")["mean absolute error"]
        for name, value in zip(("up to 64 KiB", "between", "from 64 MiB"), by_regime(table)[1:], strict=True):
            assert np.isnan(value) if name not in regimes else regimes[name] == pytest.approx(value)
