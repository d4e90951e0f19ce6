"""The small pieces of charts that several labs share."""

from fabricbook.stage import charts

X, Y = charts.x("size", (0, 1)), charts.y("time", (0, 1))


def test_legible_text_is_itself_over_a_white_edge():
    text = charts.live().encode(x=X, text="said:N")
    edge, ink = (layer.to_dict() for layer in charts.legible(text, edge=5, color=charts.LIMIT))
    assert edge["encoding"] == ink["encoding"]
    assert edge["mark"] == ink["mark"] | {"stroke": "white", "strokeWidth": 5, "strokeJoin": "round"}
    assert ink["mark"] == {"type": "text", "baseline": "middle", "fontSize": 14, "color": charts.LIMIT}


def test_a_diamond_is_black_whole_and_as_large_as_asked():
    drawn = charts.diamonds(charts.live(), X, Y, size=90).to_dict()
    assert drawn["mark"] == {"type": "point", "shape": "diamond", "size": 90, "filled": True, "opacity": 1, "color": "#000000"}
    assert drawn["encoding"]["x"]["field"] == "size"
    assert drawn["encoding"]["y"]["field"] == "time"
