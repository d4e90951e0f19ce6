"""The small pieces of charts that several labs share."""

import colorsys
import json
import re

import pytest

import fabricbook
from fabricbook.stage import charts

X, Y = charts.x("size", (0, 1)), charts.y("time", (0, 1))


def test_legible_text_is_itself_over_a_edge_of_paper():
    text = charts.live().encode(x=X, text="said:N")
    edge, ink = (layer.to_dict() for layer in charts.legible(text, edge=5, color=charts.LIMIT))
    assert edge["encoding"] == ink["encoding"]
    assert edge["mark"] == ink["mark"] | {"stroke": charts.PAPER, "strokeWidth": 5, "strokeJoin": "round"}
    assert ink["mark"] == {"type": "text", "baseline": "middle", "fontSize": 14, "color": charts.LIMIT}


def test_a_diamond_is_black_whole_and_as_large_as_asked():
    drawn = charts.diamonds(charts.live(), X, Y, size=90).to_dict()
    assert drawn["mark"] == {"type": "point", "shape": "diamond", "size": 90, "filled": True, "opacity": 1, "color": "#000000"}
    assert drawn["encoding"]["x"]["field"] == "size"
    assert drawn["encoding"]["y"]["field"] == "time"


def test_each_line_has_a_dot_of_its_own_colour():
    dots = charts.here_on_each(X, Y, "who [1]", {"one": (charts.BLUE, charts.SOLID), "other": (charts.GREEN, charts.DASHED)})
    drawn = [dot.to_dict() for dot in dots]
    assert [dot["mark"]["color"] for dot in drawn] == [charts.BLUE, charts.GREEN]
    assert [dot["transform"] for dot in drawn] == [
        [{"filter": {"equal": name, "field": "who \\[1\\]"}}] for name in ("one", "other")]


def lightness(colour):
    """The relative luminance of "#rrggbb", as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((lightness(one), lightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


HUES = (charts.BLUE, charts.ORANGE, charts.GREEN, charts.VERMILION, charts.PURPLE, charts.SKY, charts.YELLOW)


@pytest.mark.parametrize("colour", [*HUES, charts.BLACK, charts.INK, charts.GREY, charts.EDGE, charts.FAINT])
def test_every_colour_can_be_seen_on_a_dark_page(colour):
    assert contrast(charts.DARK[colour], charts.DARK[charts.PAPER]) >= 3


@pytest.mark.parametrize("colour", HUES)
def test_a_hue_keeps_its_meaning_in_the_dark(colour):
    def hue(shown):
        return colorsys.rgb_to_hls(*(int(shown[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0]

    assert abs(hue(colour) - hue(charts.DARK[colour])) < 0.04
    assert len({charts.DARK[one] for one in HUES}) == len(HUES)


@pytest.mark.parametrize("tint", [charts.BLUE_TINT, charts.ORANGE_TINT, charts.GREEN_TINT, charts.VERMILION_TINT,
                                  charts.YELLOW_TINT, charts.FILL])
def test_ink_can_be_read_on_every_tint_light_and_dark(tint):
    assert contrast(tint, charts.INK) >= 4.5
    assert contrast(charts.DARK[tint], charts.DARK[charts.INK]) >= 4.5


@pytest.mark.parametrize("name", fabricbook.labs())
def test_every_colour_of_a_lab_has_a_twin_in_the_dark(name):
    written = json.dumps(fabricbook.lab(name).spec)
    words = re.findall(r'"(?:color|fill|stroke|background|\w*Color)": "([^"]*)"', written)
    known = {*charts.DARK, "transparent", "independent"}  # the last says of a scale whether plots share it
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", written)) | set(words) <= known
    assert not re.findall(r"""["'](white|black|gr[ae]y|red|green|blue|orange|yellow)["']""", written)


@pytest.mark.parametrize(("ends", "marked"), [
    ((0.4, 20), [0.5, 1, 2, 5, 10, 20]),
    ((1e-3, 1), [1e-3, 1e-2, 1e-1, 1]),
])
def test_a_short_axis_of_powers_of_ten_is_marked_between_them_too(ends, marked):
    assert charts.y("time", ends, log=10)["axis"]["values"] == pytest.approx(marked)


def test_a_key_too_long_for_a_telephone_is_written_smaller_there():
    long = "measured: eight A100: the fastest algorithm"
    size = charts.legend([long], symbolSize=110).to_dict()["labelFontSize"]["expr"].replace("page < 420 ? 12 : 14", "usual")
    narrow, wide = (eval(size, {"page": page, "usual": usual, "clamp": lambda value, low, high: min(max(value, low), high)})
                    for page, usual in ((330, 12), (1000, 14)))
    assert (narrow, wide) == (charts.LEAST, 14)
    assert "labelFontSize" not in charts.legend(["measured"], symbolSize=110).to_dict()
