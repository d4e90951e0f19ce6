"""The numbers that the model must meet, and that the files which say so were written from the model that is here."""

import fitting
import numpy as np
import pytest

from fabricbook.lessons.against_world.tables import ladder
from fabriclib import accuracy, catalog
from fabriclib.prediction import interval
from fabriclib.prediction.constants import fitted

README = catalog.data_folder().parent / "README.md"


def test_with_a_site_left_out_the_errors_meet_their_targets():
    means = accuracy.summary(accuracy.held_out())
    assert set(accuracy.held_out()) == {table.id for table in accuracy.tables()}, "run tools/accuracy.py --add"
    for group, (everything, large) in accuracy.TARGETS.items():
        assert means[group][0] <= everything
        assert means[group][3] <= large


def test_95_of_100_measured_times_lie_in_their_intervals():
    inside = [_inside(table, *interval.factors(table.nbytes, table.nodes > 1, accuracy.elsewhere(table)))
              for table in accuracy.tables()]
    for held in (_rows(inside), *(_rows(inside, several) for several in (False, True))):
        assert 0.90 <= held <= 0.98


def test_intervals_from_other_sites_alone_hold_what_readme_says():
    made = {site: accuracy.intervals(accuracy.held_out_seconds(), site) for site in {table.site for table in accuracy.tables()}}
    inside = [_inside(table, *_made(table, made[table.site])) for table in accuracy.tables()]
    assert 0.90 <= _rows(inside) <= np.mean([one.mean() for one in inside]) <= 0.98
    said = f"made from other sites alone it holds {100 * _rows(inside):.0f}, and {100 * _rows(inside, False):.0f} on one node."
    assert said in " ".join(README.read_text(encoding="utf-8").split())


def _rows(inside, several=None) -> float:
    return np.concatenate([one for table, one in zip(accuracy.tables(), inside, strict=True)
                           if several in (None, table.nodes > 1)]).mean()


def _made(table, intervals):
    ends = [one[3:] for one in intervals if one[:2] == (table.nodes > 1, accuracy.elsewhere(table))]
    return (np.interp(np.log2(table.nbytes), interval.KNOTS, each) for each in zip(*ends, strict=True))


def _inside(table, low, high) -> np.ndarray:
    ratio = table.seconds / accuracy.held_out_seconds()[table.id]
    return (low <= ratio) & (ratio <= high)


def test_intervals_are_those_of_the_predictions_written_down():
    written = [tuple(row[name] for name in ("several", "seen", "regime", "low", "high")) for row in catalog.rows("intervals")]
    for now, kept in zip(accuracy.intervals(accuracy.held_out_seconds()), written, strict=True):
        assert now[:3] == kept[:3]
        assert now[3:] == pytest.approx(kept[3:], rel=0.01)


def test_a_refit_gives_the_shipped_constants():
    again = fitting.build(fitting.fit(accuracy.tables()))
    assert {key: pytest.approx(value, rel=0.01) for key, value in again.items()} == dict(fitted())


def test_the_errors_written_down_are_those_of_a_refit_without_the_site():
    site = "nvidia-dgxc"
    constants = fitting.build(fitting.fit([table for table in accuracy.tables() if table.site != site]))
    held_out = [table for table in accuracy.tables() if table.site == site]
    assert held_out
    for table in held_out:
        now = accuracy.by_regime(table, table.predicted(constants))
        assert now == pytest.approx(accuracy.held_out()[table.id], abs=0.005, nan_ok=True)


def test_a_technology_without_a_table_follows_its_family():
    priors = fitting.build(np.zeros(len(fitting.free())))
    moved = fitting.build(np.ones(len(fitting.free())))
    family, child = ("pcie", "efficiency"), ("staged", "efficiency")
    assert priors[child] / priors[family] == pytest.approx(row("staged", "efficiency")["prior"])
    assert moved[family] > priors[family]
    unmeasured = row("staged", "pair efficiency")
    assert not unmeasured["tables"]
    assert unmeasured["value"] == pytest.approx(unmeasured["prior"] * fitted()["any", "pair efficiency"], rel=1e-3)


def row(subject: str, quantity: str) -> catalog.Row:
    return next(r for r in catalog.rows("fitted") if (r["subject"], r["quantity"]) == (subject, quantity))


def test_constants_name_the_tables_they_were_fitted_on():
    for one in catalog.rows("fitted"):
        assert one["unit"] in ("", "s", "B", "B/s")
        assert one["note"]
        for table in one["tables"]:
            assert catalog.row("measurement_tables", table)["split"] == "fit"
    assert row("nvlink4", "efficiency")["tables"]


def test_each_part_of_the_model_is_worth_something():
    means = [tuple(summary[group][0] for group in accuracy.TARGETS) for summary in ladder().values()]
    singles, multis = zip(*means, strict=True)
    assert list(singles) == sorted(singles, reverse=True)
    assert multis[-1] < multis[0] / 3
