"""Small pieces of Altair charts that look and read the same in every lab.

A chart is a `stack` of layers. A layer starts with `live()`, the table that moves with the controls, or with
`fixed(rows)`, marks that stay; a helper that needs several layers returns a tuple of them. Axes come from `x` and
`y`: their domains are given, so nothing jumps while a slider moves. Altair is imported inside the functions:
evaluating a lab needs no drawing.
"""

from __future__ import annotations

import json
import math
import re

LIVE = "table"
PAGE = "page"  # in an expression: the width of the whole chart in pixels, as the page has it; `width` is that of the plot alone

# Okabe-Ito. In charts a colour means one thing through the whole course, and never stands alone: there is always a dash,
# a shape or a label beside it.
BLACK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY, YELLOW = "#D55E00", "#CC79A7", "#56B4E9", "#F0E442"
INK, EDGE, GREY = "#222222", "#333333", "#555555"  # of what is written, of what is filled, of what belongs to no tier
PAPER, FILL, GRID = "#ffffff", "#dddddd", "#e4e4e4"  # the card a chart stands on, devices without a colour, lines of an axis
FAINT, PALE = "#8a8a8a", "#bbbbbb"  # what is there and not meant
BLUE_TINT, ORANGE_TINT, GREEN_TINT = "#cfe6f5", "#fbe3b8", "#bfe3d6"  # areas that carry text
VERMILION_TINT, YELLOW_TINT, YELLOW_INK = "#f3b99a", "#fbf6b6", "#6b6300"
ON_BRIGHT = "#1c1c1c"  # of what is written on green, light blue, yellow or grey, which are bright on either page
# What each of them is on a dark page; a colour that has no entry may stand in no chart.
DARK = {
    BLACK: "#f5f5f5", INK: "#e8e8e8", EDGE: "#d0d0d0", GREY: "#a8a8a8", PAPER: "#1e1e1e", FILL: "#4a4a4a", GRID: "#3a3a3a",
    FAINT: "#909090", PALE: "#5c5c5c",
    BLUE: "#3a8fd0", ORANGE: "#e69f00", GREEN: "#1fb58a", VERMILION: "#f0762a", PURPLE: "#d98fb6", SKY: "#8fd3ff",
    YELLOW: "#f0e442",
    BLUE_TINT: "#12405c", ORANGE_TINT: "#5c4206", GREEN_TINT: "#0d4a3a", VERMILION_TINT: "#6b3010", YELLOW_TINT: "#4a4608",
    YELLOW_INK: "#e0d860", ON_BRIGHT: ON_BRIGHT,
}
CHIP, SERVER, CLUSTER = BLUE, ORANGE, GREEN
TIERS = {"chip": CHIP, "server": SERVER, "cluster": CLUSTER}
TIER = TIERS | {"all": GREY}
MEASURED, LIMIT, OTHER, OTHER_2 = BLACK, VERMILION, PURPLE, SKY

SOLID, DASHED, DOTTED, DASH_DOT = [1, 0], [8, 5], [2, 4], [10, 4, 2, 4]
FONT = "Arial, Helvetica, Liberation Sans, fabriclib broad, sans-serif"  # "fabriclib broad" is in front/lab.css
HEIGHT = 320

# Tick labels as the prose writes them: sizes in binary units, rates and times with SI prefixes.
_SI = r"replace(format(datum.value, '.3~s'), regexp('([a-zA-Z\u00b5]?)$'), ' $1')"
_LABELS = {
    "B": "datum.value < 1024 ? datum.value + ' B' : "
    + " : ".join(
        f"datum.value < {2 ** (10 * power + 10)} ? format(datum.value / {2 ** (10 * power)}, '.3~g') + ' {prefix}iB'"
        for power, prefix in enumerate("KMG", 1)
    )
    + f" : format(datum.value / {2**40}, '.3~g') + ' TiB'",
} | {unit: f"{_SI} + '{unit}'" for unit in ("s", "B/s", "J", "W")}
UNIT_OF = {label: unit for unit, label in _LABELS.items()}
_PRINTED = 800  # pixels: the width of a stored picture
MOST_TICKS = 9
_LONG = 24  # characters: a title below a chart that may have to be smaller on a narrow page
_CHARACTER, _BESIDE_SIGN = 8.2, 22  # pixels: a character of a legend's label in a broad font, the gaps beside its sign
_BESIDE_PLOT = 70  # pixels: what an axis takes of the width
LEAST = 10.5  # pixels: of what is written; where there is no room for that, there is less to say
NARROW = f"{PAGE} < 420"  # in an expression: on a telephone, or beside another window
_CONFIG = {
    "font": FONT,
    "padding": 8,
    "axis": {
        "labelFontSize": {"expr": f"{NARROW} ? 12 : 14"}, "titleFontSize": {"expr": f"{NARROW} ? 13 : 15"},
        "titleFontWeight": "normal", "titlePadding": 10,
        "gridColor": GRID, "domainColor": FAINT, "tickColor": FAINT, "labelColor": INK, "titleColor": INK,
        "labelOverlap": "parity", "labelSeparation": 6,
    },
    "legend": {"labelFontSize": {"expr": f"{NARROW} ? 12 : 14"}, "titleFontSize": 14, "labelColor": INK, "titleColor": INK,
               "symbolBaseStrokeColor": GREY, "gradientStrokeColor": PALE},
    "background": PAPER,
    "view": {"stroke": PALE},
    "mark": {"color": GREY},
    "rule": {"color": INK},
    "text": {"color": INK},
}


def live():
    """The layer whose data is the lab's table, sent anew at every move of a control."""
    import altair as alt

    return alt.Chart(alt.NamedData(LIVE))


def fixed(rows: list[dict]):
    """A layer of marks that stay where they are: measurements, published figures."""
    import altair as alt

    return alt.Chart(alt.InlineData(values=rows))


def x(field: str, domain: tuple[float, float], **options):
    """The horizontal axis of numbers in *field*; see `y`."""
    return _axis("X", field, domain, **options)


def y(field: str, domain: tuple[float, float], *, title: str = "", unit: str = "", log: int = 0, ticks=None):
    """The vertical axis of numbers in *field*.

    Args:
        field: a column of the table.
        domain: lowest and highest value, fixed for good.
        title: what is along the axis, with its unit; *field* if not given.
        unit: "B", "s", "B/s", "J" or "W" when the column is in that base unit: the ticks then read "64 KiB" or "10 µs".
        log: base of a logarithmic axis, 2 or 10; 0 for a linear one.
        ticks: the values to mark, where the automatic ones are not wanted.
    """
    return _axis("Y", field, domain, title=title, unit=unit, log=log, ticks=ticks)


def names(field: str, listed: list[str], *, channel: str = "Y", title: str = ""):
    """An axis of names, all of them always there, in the order given; *channel* is "X" or "Y"."""
    import altair as alt

    axis = {"title": title or field, "labelLimit": 260, "labelAngle": 0, "labelOverlap": False}
    axis |= _slanted(listed) if channel == "X" else _wrapped(listed)
    if channel == "X":
        axis["title"] = axis["title"].strip() or None  # a blank one keeps a line free, below the names and above a legend
    return getattr(alt, channel)(
        field=_escaped(field), type="nominal", axis=alt.Axis(**axis), sort=list(listed), scale=alt.Scale(domain=list(listed))
    )


def _slanted(listed: list[str]) -> dict:
    """Names below a chart: in two lines where they would run into one another, then in as many as they have words, smaller, and
    on a slant where even those would."""
    import altair as alt

    texts = [str(name) for name in listed]
    longest = max(map(len, texts))
    # A number stays with its unit, and as long as there is room with the name before it.
    kept = {name: re.sub(r"\b(\d+) ", "\\1\u00a0", name) for name in texts}
    tied = {name: re.sub(r"(?<=[A-Za-z]) (?=\d)", "\u00a0", text) for name, text in kept.items()}
    two, many = _in_lines(tied, max(longest // 2 + 1, 7)), _in_lines(kept, 1)
    broad = max(_breadth(line) for lines in many.values() for line in lines)

    def close(letters, size=14):
        return f"({PAGE} - {_BESIDE_PLOT}) / {len(listed)} < {_CHARACTER * size / 14 * letters:.0f}"

    line = max(len(line) for lines in two.values() for line in lines)
    in_two, tight = f"!({close(line, 12)})", close(broad, LEAST)
    shrunk = f"clamp(({PAGE} - {_BESIDE_PLOT}) / {len(listed)} / {_CHARACTER / 14 * broad:.2f}, {LEAST}, 12)"
    level = f"({in_two} ? ({close(line)} ? 12 : 14) : {shrunk})"
    look = {"labelAngle": ("-60", "0"), "labelAlign": ("'right'", "'center'"), "labelFontSize": ("11", level)}
    slanted = f"(!{in_two} && {tight})"
    lines = f"({in_two} ? {json.dumps(two)} : {json.dumps(many)})[datum.label]"
    return {"labelExpr": f"{close(longest)} && !{slanted} ? {lines} : datum.label"} | {
        name: alt.ExprRef(f"{slanted} ? {on_slant} : {usual}") for name, (on_slant, usual) in look.items()}


def _in_lines(kept: dict[str, str], letters: int) -> dict[str, list[str]]:
    """Return each name in lines of at most so many *letters*, a word that is longer by itself, a new one after each comma."""
    import textwrap

    return {name: [line for part in re.split("(?<=,) ", text) for line in textwrap.wrap(part, letters, break_long_words=False)]
            for name, text in kept.items()}


def _breadth(text: str) -> float:
    """Return how many usual letters *text* is as broad as, in a broad font."""
    return sum(0.6 if c in "fijlrtI.,:;'()| \u00a0" else 1.4 if c in "mwMW%@↔" else 1.1 if c.isupper() or c.isdigit() else 1
               for c in text)


def _wrapped(listed: list[str]) -> dict:
    """Names beside rows, as large as the rows are high; long ones in several lines where the page is narrow."""
    import textwrap

    import altair as alt

    letters = 14 if len(listed) <= 8 else 22  # in a line: of many rows none has room for three
    lines = {name: textwrap.wrap(name, letters) for name in map(str, listed) if len(name) > letters}
    narrow = f"{PAGE} < 520"
    most = max(map(len, lines.values()), default=1)
    size = f"clamp(0.72 * height / {len(listed)} / ({narrow} ? {most} : 1), {LEAST}, {narrow} ? 12 : 14)"
    look = {"labelFontSize": alt.ExprRef(size), "labelLineHeight": alt.ExprRef(f"1.1 * {size}")}
    if lines:
        look["labelExpr"] = f"{narrow} ? ({json.dumps(lines)})[datum.label] || datum.label : datum.label"
        look |= {name: alt.ExprRef(f"{narrow} ? {less} : {usual}") for name, less, usual in (
            ("titleFontSize", 1, 15), ("titleOpacity", 0, 1), ("titlePadding", 0, 10))}
    return look


def line(x, y, *, colour: str, dash=SOLID, **encodings):
    """The model: a solid line through the live table, in the colour of the tier it describes."""
    mark = {"color": colour, "strokeDash": dash} if "color" not in encodings else {}
    return live().mark_line(strokeWidth=3, **mark).encode(x=x, y=y, **encodings)


def bars(x, y, *, colour: str, **encodings):
    """Bars of the live table, with a dark edge so that neighbours stay apart without colour."""
    return live().mark_bar(color=colour, stroke=EDGE, strokeWidth=1).encode(x=x, y=y, **encodings)


def here(x, y, *, colour: str):
    """One large dot of the live table: where the controls stand on the line. Rows without a *y* value draw nothing."""
    mark = {"size": 170, "filled": True, "opacity": 1, "color": colour, "stroke": BLACK, "strokeWidth": 2}
    return live().mark_point(**mark).encode(x=x, y=y)


def here_on_each(x, y, field: str, styles: dict[str, tuple]):
    """`here` on every line of several, in the line's own colour; *field* and *styles* are those of `series`."""
    import altair as alt

    return tuple(here(x, y, colour=colour).transform_filter(alt.FieldEqualPredicate(equal=name, field=_escaped(field)))
                 for name, (colour, _) in styles.items())


def values(x, y, text: str, *, dx: int = 8):
    """What column *text* of the live table says, written beside each mark: numbers as the lab has rounded them."""
    import altair as alt

    label = alt.Text(field=_escaped(text), type="nominal")
    return legible(live().encode(x=x, y=y, text=label), **beside(x, dx, text))


def legible(text, *, edge: float = 4, **mark):
    """Text on a white edge of its own, so that a line running behind it does not spoil it: two layers.

    Args:
        text: a layer that encodes where the text stands and what it says.
        edge: how broad the white is, in pixels.
        mark: anything `mark_text` takes; an encoded colour colours the text, never its edge.
    """
    mark = {"baseline": "middle", "fontSize": 14, "color": INK} | mark
    below = text.mark_text(**mark | {"stroke": PAPER, "strokeWidth": edge, "strokeJoin": "round"})
    return below, text.mark_text(**mark)


def diamonds(layer, x, y, *, size: float = 150, **mark):
    """What was measured or published: a black diamond for each row of *layer*."""
    colour = {} if "fill" in mark else {"color": MEASURED}
    mark = {"shape": "diamond", "size": size, "filled": True, "opacity": 1} | colour | mark
    return layer.mark_point(**mark).encode(x=x, y=y)


def beside(x, dx: int, text: str) -> dict:
    """What column *text* says, to the right of its mark; to the left in the right half, where it would be cut off."""
    import altair as alt

    field = x.to_dict()["field"].replace("\\", "")
    end = f"scale('x', datum[{field!r}]) + {dx} + {_CHARACTER} * length(datum[{text!r}])"
    turned = f"{end} > width && scale('x', datum[{field!r}]) > width / 2"
    room = f"({turned} ? scale('x', datum[{field!r}]) : width - scale('x', datum[{field!r}])) - {dx - 12}"
    return {"align": alt.ExprRef(f"({turned} ? 'right' : 'left')"), "dx": alt.ExprRef(f"{turned} ? {-dx} : {dx}"),
            "fontSize": fitting(room, 14, text=text)}


def inside(x, text: str) -> dict:
    """What column *text* says, to the right of where its bar ends; further left, over the bar, where it would be cut off."""
    import altair as alt

    field, size = x.to_dict()["field"], f"({NARROW} ? 12 : 14)"
    room = f"width - scale('x', datum[{field!r}]) - 0.56 * {size} * length(datum[{text!r}])"
    return {"align": "left", "dx": alt.ExprRef(f"min(6, {room})"), "fontSize": alt.ExprRef(size)}


def limit(rows: list[dict], *, x=None, y=None):
    """A bound the model cannot pass: a dashed line across the chart, at its *x* or its *y*, named by the column "label"."""
    position = {"x": x} if y is None else {"y": y}
    rule = fixed(rows).mark_rule(color=LIMIT, strokeDash=DASHED, strokeWidth=2.5).encode(**position)
    anchor = {"y": {"value": 16}} if y is None else {"x": {"value": 4}}
    text = fixed(rows).encode(text="label:N", **position, **anchor)
    return rule, *legible(text, align="left", dx=6, dy=0 if y is None else -12, color=LIMIT, fontWeight="bold",
                          fontSize=fitting("width", 14, text="label"))


def series(field: str, styles: dict[str, tuple]) -> dict:
    """Encodings that tell several lines of the live table apart by colour *and* dash, with one legend above.

    Args:
        field: the column that names the line a row belongs to.
        styles: {name: (colour, dash)}, in the order of the legend.
    """
    import altair as alt

    listed = list(styles)
    key = legend(listed, symbolSize=700, symbolStrokeWidth=3)
    colours, dashes = zip(*styles.values(), strict=True)
    return {
        "color": alt.Color(field=_escaped(field), type="nominal", legend=key,
                           scale=alt.Scale(domain=listed, range=list(colours))),
        "strokeDash": alt.StrokeDash(field=_escaped(field), type="nominal", legend=key,
                                     scale=alt.Scale(domain=listed, range=list(dashes))),
    }


def legend(labels: list[str], *, symbolSize: float, **options):
    """The key to colours, dashes or shapes, above the chart: in one row where the page is wide enough, else in fewer columns.

    Args:
        labels: what is written beside the signs.
        symbolSize: of a sign, in square pixels.
        options: anything else `altair.Legend` takes.
    """
    import altair as alt

    beside = math.sqrt(symbolSize) + _BESIDE_SIGN
    widths = [beside + _CHARACTER * len(label) for label in labels]
    room = f"({PAGE} - {_BESIDE_PLOT})"
    columns = f"{room} > {sum(widths):.0f} ? {len(labels)} : max(1, floor({room} / {max(widths):.0f}))"
    place = {"title": None, "orient": "top", "columns": alt.ExprRef(columns), "labelLimit": 400}
    if (longest := max(map(len, labels))) > _LONG:
        fits = f"({room} - {beside:.0f}) / {_CHARACTER / 14 * longest:.1f}"
        place["labelFontSize"] = alt.ExprRef(f"clamp({fits}, {LEAST}, {NARROW} ? 12 : 14)")
    return alt.Legend(symbolSize=symbolSize, **place | options)


def fitting(room: str, size: float, *, least: float = LEAST, text: str = "label"):
    """The size of text that keeps each line of column *text* within *room*, an expression in pixels; at most *size*."""
    import altair as alt

    return alt.ExprRef(f"clamp(({room} - 12) / (0.64 * max(1, length(datum[{text!r}]))), {least}, {size})")


def within(axis, part: tuple[str, str], sizes: tuple[int, int] = (13, 15)):
    """Return the upright *axis* at the left of a part of the plot only.

    Args:
        part: bottom and top, expressions of Vega's.
        sizes: the most pixels of its title, on a narrow page and on a wide one.
    """
    import altair as alt

    axis["scale"]["range"] = [alt.ExprRef(end) for end in part]
    axis["axis"]["orient"] = "left"
    fits = f"abs(({part[0]}) - ({part[1]})) / {0.55 * len(axis['title']):.1f}"
    axis["axis"]["titleFontSize"] = alt.ExprRef(f"clamp({fits}, 11, {NARROW} ? {sizes[0]} : {sizes[1]})")
    return axis


def panel(field: str, domain: tuple[float, float], place: tuple[str, str], *, title: str, small: float = 11):
    """Return the level axis of numbers in *field* over a part of the plot's width only, for one of two panels over each other.

    Args:
        domain, title: as in `y`.
        place: left and right end, expressions of Vega's.
        small: pixels of the title on a narrow page.
    """
    import altair as alt

    scale = alt.Scale(domain=list(domain), range=[alt.ExprRef(end) for end in place], nice=False, clamp=True)
    axis = alt.Axis(orient="bottom", tickCount=5, titleFontSize=alt.ExprRef(f"width < 400 ? {small} : 15"))
    return x(field, domain, title=title).scale(scale).axis(axis)


def stack(*layers, description: str, height: int = HEIGHT):
    """The finished chart: *layers* over each other, as wide as the page allows, legible on a projector.

    Args:
        layers: Altair charts, or tuples of them as `measured`, `limit` and `values` return.
        description: what the chart shows, for those who cannot see it.
    """
    import altair as alt

    # One flat list, put together once: Altair copies everything below at each nesting and each configure_*().
    flat = [part for layer in layers for part in (layer if isinstance(layer, tuple) else (layer,))]
    chart = alt.layer(*flat, width="container", height=height, description=description, config=_CONFIG)
    return chart.add_params(alt.param(name=PAGE, value=_PRINTED))


def _axis(channel: str, field: str, domain, *, title: str = "", unit: str = "", log: int = 0, ticks=None):
    import altair as alt

    scale = {"type": "log", "base": log} if log else {}
    axis = {"labelExpr": _LABELS[unit]} if unit else {}
    axis["tickCount"] = MOST_TICKS
    if channel == "X" and len(title) > _LONG:
        axis["titleFontSize"] = alt.ExprRef(f"clamp({PAGE} / {0.63 * len(title):.1f}, {LEAST}, {NARROW} ? 13 : 15)")
        axis["titleAnchor"] = alt.ExprRef(f"{PAGE} / {0.63 * len(title):.1f} < 18 ? 'end' : 'middle'")
    if ticks is not None or log:
        axis["values"] = list(ticks) if ticks is not None else _powers(log, *domain)
    return getattr(alt, channel)(
        field=_escaped(field),
        type="quantitative",
        title=title or field,
        axis=alt.Axis(**axis),
        scale=alt.Scale(domain=list(domain), nice=False, clamp=True, **scale),
    )


def _powers(base: int, low: float, high: float) -> list[float]:
    """Whole powers of *base* from *low* to *high*, evenly thinned to what fits along an axis; of ten also twice and five
    times them where they alone would be two or fewer."""
    first, last = math.ceil(round(math.log(low, base), 9)), math.floor(round(math.log(high, base), 9))
    if base == 10 and last - first < 2:
        ticks = (times * 10.0**power for power in range(first - 1, last + 1) for times in (1, 2, 5))
        return [tick for tick in ticks if low <= tick <= high]
    step = 1 + (last - first) // MOST_TICKS
    return [float(base) ** power for power in range(first, last + 1, step)]


def _escaped(field: str) -> str:
    """A column's name as Vega reads it: a point or a bracket in it would otherwise reach into an object."""
    return "".join(f"\\{c}" if c in ".[]" else c for c in field)
