"""Published tables read as they were printed, glitches replaced, and models set beside them with the right sign."""

import numpy as np
import pytest

from fabriclib import AlphaBeta, catalog, measurements


def test_a_published_table_is_sorted_positive_and_has_a_source():
    for table in catalog.rows("measurement_tables"):
        run = measurements.published(table["id"])
        assert (np.diff(run.nbytes) > 0).all(), table["id"]
        assert (run.seconds > 0).all(), table["id"]
        assert catalog.source(table["source"]).url, table["id"]


def test_a_warm_up_glitch_gives_way_to_the_in_place_time():
    run = measurements.published("h100x8-dgx-nvls-ar").set_index("nbytes").seconds
    assert run[32] == 13.52e-6  # out of place: 68.14
    assert run[4096] == 16.46e-6  # out of place: 23.59, 1.43 times
    assert run[1024] == 16.94e-6  # out of place, as nothing is wrong with it


def test_a_tables_note_names_every_time_that_is_replaced():
    notes = {table["id"]: table["note"] for table in catalog.rows("measurement_tables")}
    replaced = [r for r in catalog.texts("measurements")
                if float(r["out_of_place_s"]) > measurements.GLITCH * float(r["in_place_s"] or "nan")]
    assert len(replaced) >= 2
    for r in replaced:
        outside, inside = (r[column].removesuffix("e-6") for column in ("out_of_place_s", "in_place_s"))
        assert f"{r['nbytes']} B ({outside} us, {inside} in place)" in notes[r["table"]]


def test_error_is_positive_where_the_model_is_too_slow():
    assert measurements.error([2.0, 0.5], [1.0, 1.0]).tolist() == [1.0, -0.5]


def test_a_fit_beside_its_own_points_has_no_error():
    run = measurements.published("a100x8-nvswitch-ar")
    model = AlphaBeta(2e-6, 1 / 100e9)
    run["seconds"] = model.time(run.nbytes)
    assert set(measurements.beside(run, AlphaBeta.fit(run.nbytes, run.seconds).time(run.nbytes)).error) == {"+0 %"}


def test_an_unknown_table_suggests_the_nearest():
    with pytest.raises(ValueError, match="a100x8-nvswitch-ar"):
        measurements.published("a100x8-nvswitch")


TABLES = catalog.rows("measurement_tables")
CAUSES = {None, "tcp", "no-gpudirect", "one-nic", "pcie-not-nvlink", "nvls-off", "rank-order", "congestion"}


def test_a_table_says_whether_its_machine_was_properly_configured():
    for table in TABLES:
        assert table["config"] in {"ok", "misconfigured", "unsuited"}
        assert table["cause"] in CAUSES
        assert table["cause"] or table["config"] != "misconfigured", table["id"]
        assert table["config"] == "ok" or table["split"] == "none", "only tables of proper machines are fitted or predicted"
        assert table["system"] or table["config"] == "unsuited", table["id"]


def test_a_table_is_fitted_or_not():
    assert {table["split"] for table in TABLES} == {"fit", "none"}
