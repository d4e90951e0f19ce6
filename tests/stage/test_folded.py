"""What the tables under the pictures tell: what means something to a reader, and in which unit."""

import pytest

import fabricbook
from fabricbook.stage import charts, folded


def test_what_only_places_a_mark_is_left_out_and_what_stands_along_an_axis_is_told():
    here = {"x": charts.x("left", (0, 1)).axis(None), "y": charts.y("time", (0, 1), unit="s"), "size": "px:Q",
            "detail": "cable:N"}
    chart = charts.stack(charts.live().transform_filter({"field": "part", "oneOf": ["dot"]}).mark_point().encode(**here),
                         charts.live().mark_rule().encode(x=here["x"], x2="right:Q"), description="")
    assert folded.columns(chart.to_dict()) == {
        "hides": ["cable", "left", "part", "px", "right"], "units": {"time": "s"}, "titles": {}}


def test_a_column_along_an_axis_stays_although_another_layer_draws_with_it():
    x = charts.x("kind", (0, 1))
    chart = charts.stack(charts.live().mark_point().encode(x=x), charts.live().mark_point().encode(size="kind:Q"), description="")
    assert folded.columns(chart.to_dict())["hides"] == []
    assert folded.columns(chart.to_dict(), ("kind",))["hides"] == ["kind"]


def test_where_no_unit_is_written_at_the_ticks_the_title_of_the_axis_says_it():
    def titled(name, title):
        return folded.columns(charts.stack(charts.line(charts.x(name, (0, 1), title=title), charts.y("y", (0, 1)), colour="x"),
                                           description="").to_dict())["titles"].get(name)

    assert titled("model", "% of the line (logarithmic)") == "model: % of the line"
    assert titled("share", "share of the line, %") == "share of the line, %"
    assert titled("share (%)", "share of the line") is None


@pytest.mark.parametrize("name", fabricbook.labs())
def test_a_lab_hides_columns_that_it_has_and_tells_others(name):
    lab = fabricbook.lab(name)
    columns, _ = lab.evaluate()
    assert set(lab.declared.hides) <= set(columns)
    assert set(columns) - set(folded.columns(lab.spec, lab.declared.hides)["hides"])
