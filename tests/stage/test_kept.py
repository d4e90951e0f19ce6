"""Charts that were drawn beforehand: found by the source that drew them and by no other, and Altair is not loaded."""

import subprocess
import sys

import pytest

from fabricbook import lab
from fabricbook.stage import kept


class Drawing:
    """What a chart returns; it counts how often it is asked."""

    asked = 0

    def to_dict(self):
        Drawing.asked += 1
        return {"mark": "bar"}


def chart():
    return Drawing()


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "KEPT", tmp_path / "charts")
    monkeypatch.setattr(Drawing, "asked", 0)


def test_a_kept_chart_is_drawn_once():
    assert kept.drawn(chart) == {"mark": "bar"}
    kept.keep([chart])
    kept.keep([chart])
    assert kept.drawn(chart) == {"mark": "bar"}
    assert Drawing.asked == 2


def test_another_version_of_the_course_draws_its_own(monkeypatch):
    kept.keep([chart])
    monkeypatch.setattr(kept, "version", lambda: "another")
    kept.drawn(chart)
    assert Drawing.asked == 2
    kept.keep([])
    assert [path.name for path in kept.KEPT.iterdir()] == ["another"]


def drawing_of(mark):
    drawing = Drawing()
    drawing.to_dict = lambda: {"mark": mark}
    return drawing


@pytest.mark.parametrize("one_of_many", [lambda mark: lambda: drawing_of(mark), lambda mark: lambda own=mark: drawing_of(own),
                                         lambda mark: lambda *, own=mark: drawing_of(own)], ids=["closure", "default", "keyword"])
def test_a_chart_that_depends_on_more_than_its_place_is_not_kept(one_of_many):
    kept.keep([one_of_many("bar"), one_of_many("line")])
    assert [kept.drawn(one_of_many(mark))["mark"] for mark in ("bar", "line", "rule")] == ["bar", "line", "rule"]


def test_a_kernel_shows_a_lab_without_altair():
    drawn = lab("wire-map").spec
    kept.keep([lab("wire-map").declared.chart])
    shows = f"""
import pathlib, sys
import fabricbook
from fabricbook.stage import kept
kept.KEPT = pathlib.Path({str(kept.KEPT)!r})
shown = fabricbook.lab("wire-map")
shown.widget
assert shown.spec == {drawn!r}
assert "altair" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", shows], check=True)
