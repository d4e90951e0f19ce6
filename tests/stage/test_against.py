"""A model against measurements: the table has the error, the chart has both, on a plot in two parts."""

import pytest

from fabricbook.stage import Lab, against, charts, lab

RUNS = {"one": ([1.0, 2.0], [2.0, 3.0], [1.0, 4.0]), "two": ([1.0, 2.0], [1.0, 1.0], [1.0, 1.0])}
STYLES = {"one": (charts.CHIP, charts.SOLID), "two": (charts.SERVER, charts.DASHED)}


def drawn(x):
    def time(field):
        return charts.y(field, (0, 5), title="time (s)")

    return against.chart(x, time, STYLES, errors=(-50, 150), description="Two trial runs against two measurements.")


@lab("trial-against", title="Trial", tier="chip", controls=(), chart=lambda: drawn(charts.x("size", (1, 2))),
     leaves_out="Everything.", sources=["stas-network"])
def trial():
    return against.table("size", RUNS), "Two runs."


def test_the_table_has_every_row_of_every_run_and_its_error():
    table = against.table("size", RUNS)
    assert table["run"].tolist() == ["one", "one", "two", "two"]
    assert table["error (%)"].tolist() == [100, -25, 0, 0]


def test_a_table_of_named_things_keeps_each_with_its_own_two_numbers():
    table = against.named("link", "line", {"a": (2.0, 1.0), "b": (3.0, 4.0)})
    assert [table[column].tolist() for column in ("link", "run", "model", "measured", "error (%)")] == [
        ["a", "b"], ["line", "line"], [2, 3], [1, 4], [100, -25]]


@pytest.mark.parametrize("columns", [([1.0], [1.0]), ([1.0], [1.0, 2.0], [1.0])])
def test_a_run_of_unequal_columns_is_refused_by_its_name(columns):
    with pytest.raises(ValueError, match=r"runs\['odd'\] must be three or five equally long columns"):
        against.table("size", {"odd": columns})


def test_how_sure_the_model_is_becomes_two_columns_and_a_band():
    table = against.table("size", {"one": (*RUNS["one"], [1.0, 2.0], [3.0, 4.0])})
    assert [table[column].tolist() for column in ("low", "high")] == [[1, 2], [3, 4]]
    x = charts.x("size", (1, 2))
    drawn_in_band = against.chart(x, lambda field: charts.y(field, (0, 5), title="time (s)"), STYLES, errors=(-50, 150),
                                  description="A trial run in its band.", sure=True)
    assert parts(drawn_in_band)["low"] == ["area", "area"]
    assert "low" not in parts(drawn(charts.x("size", (1, 2))))


def parts(chart):
    """{column on the y axis: kind of mark} of the layers that draw the live table."""
    found = {}

    def walk(layer):
        for inner in layer.get("layer", []):
            walk(inner)
        if "mark" in layer and "y" in layer["encoding"]:
            found.setdefault(layer["encoding"]["y"]["field"], []).append(layer["mark"]["type"])

    walk(chart.to_dict())
    return found


def test_over_numbers_the_model_is_a_line_and_over_names_a_short_bar():
    assert parts(drawn(charts.x("size", (1, 2)))) == {"model": ["line"], "measured": ["point"], "error (%)": ["rule", "line"]}
    named = drawn(charts.names("size", ["1", "2"], channel="X"))
    assert parts(named) == {"model": ["point"], "measured": ["point"], "error (%)": ["rule", "point"]}


def diamonds(chart):
    """(what the fill goes by, its fills) of the layer that draws what was measured; nothing where all are alike."""
    layers = [layer for part in chart.to_dict()["layer"] for layer in part.get("layer", [])]
    layer = next(layer for layer in layers if layer["encoding"]["y"]["field"] == "measured")
    fill = layer["encoding"].get("fill", {"field": "", "scale": {"range": []}})
    return fill["field"], fill["scale"]["range"]


def test_over_numbers_the_diamonds_of_each_run_have_a_fill_of_their_own_that_the_legend_names():
    field, fills = diamonds(drawn(charts.x("size", (1, 2))))
    assert (field, len(set(fills))) == ("run", 2)
    assert set(fills) <= set(charts.DARK)
    one = against.chart(charts.x("size", (1, 2)), lambda field: charts.y(field, (0, 5)), dict([*STYLES.items()][:1]),
                        errors=(-50, 150), description="One trial run against its measurements.")
    assert diamonds(one) == diamonds(drawn(charts.names("size", ["1", "2"], channel="X"))) == ("", [])


def test_the_two_parts_of_the_plot_do_not_overlap():
    upper, lower = against._UPPER, against._LOWER
    ends = {part: [eval(end, {"height": 100}) for end in part] for part in (upper, lower)}
    assert 0 <= ends[upper][1] < ends[upper][0] < ends[lower][1] < ends[lower][0] <= 100


def test_a_lab_of_it_needs_no_controls():
    one = Lab(trial.declaration)
    assert one.evaluate()[1] == "Two runs."
    assert one.widget.state["values"] == {}
    assert one.widget.state["columns"]["model"] == [2, 3, 1, 1]
    assert len(one.png()) > 5000
