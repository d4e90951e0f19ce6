"""A model against measurements, as a picture: the model a line, what was measured diamonds, and the error below them.
What was not measured but printed, a nameplate say, is called so: `PUBLISHED`.

    runs = {"eight A100": (charts.CHIP, charts.SOLID)}

    def drawn():
        def time(field):
            return charts.y(field, (1e-5, 1), title="time", unit="s", log=10)
        return against.chart(charts.x("message", (2**15, 2**34), unit="B", log=2), time, runs, errors=(-50, 50), description=...)

    @lab("two-numbers", controls=(), chart=drawn, ...)
    def two_numbers():
        return against.table("message", {"eight A100": (sizes, predicted, measured)}), f"... at most {worst} off."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fabriclib.checks import short

from . import charts

MODEL, MEASURED, PUBLISHED, ERROR, RUN, LOW, HIGH = "model", "measured", "published", "error (%)", "run", "low", "high"
_UPPER, _LOWER = ("height * 0.66", "0"), ("height", "height * 0.76")  # bottom and top of the two parts of the plot
_PIECES = tuple("".join(f"M{a},-.2H{b}V.2H{a}Z" for a, b in ends) for ends in (
    [(-1, 1)], [(-1, -0.2), (0.2, 1)], [(-1, -0.55), (-0.225, 0.225), (0.55, 1)]))  # of a short bar: whole, in two, in three

_FILLS = charts.MEASURED, charts.PAPER, charts.FAINT, charts.YELLOW  # of the diamonds of one run after the other
_EDGED = {"fill": charts.PAPER, "stroke": charts.MEASURED, "strokeWidth": 1.5}


def table(at: str, runs: Mapping[str, tuple], fact: str = MEASURED) -> dict[str, np.ndarray]:
    """Return the columns of a live table: *at*, which run, what the model says, what was measured, and the error in %.

    Args:
        at: the column of what was varied, such as "message".
        runs: for each run by its name, equally long columns: what was varied, what the model says, what was measured; and where
            the model says how sure it is, between what and what it should lie.
        fact: what the model is held against, `MEASURED` or `PUBLISHED`: the name of its column.

    Raises:
        ValueError: columns of a run that are not equally long, or not three or five.

    >>> table("message", {"one": ([8.0], [1.1e-6], [1e-6])})["error (%)"].round(1).tolist()
    [10.0]
    """
    parts: dict[str, list] = {name: [] for name in (at, RUN, MODEL, fact)}
    for run, columns in runs.items():
        if len(columns) not in (3, 5) or len({len(column) for column in columns}) != 1:
            raise ValueError(f"runs[{run!r}] must be three or five equally long columns; got {short(columns)}.")
        names = (at, MODEL, fact, *(LOW, HIGH)[:len(columns) - 3])
        for name, column in ((RUN, [run] * len(columns[0])), *zip(names, columns, strict=True)):
            parts.setdefault(name, []).append(np.asarray(column))
    whole = {name: np.concatenate(part) for name, part in parts.items()}
    return whole | {ERROR: 100 * (whole[MODEL] / whole[fact] - 1)}


def named(at: str, run: str, found: Mapping[str, tuple[float, float]], fact: str = MEASURED) -> dict[str, np.ndarray]:
    """Return the `table` of one *run* over named things: *found* has, by name, what the model says and what was measured.

    >>> named("link", "line rate", {"NVLink 4": (450e9, 376e9)})["error (%)"].round().tolist()
    [20.0]
    """
    return table(at, {run: (list(found), *zip(*found.values(), strict=True))}, fact)


def chart(x, y: Callable, runs: Mapping[str, tuple], *, errors: tuple[float, float], description: str, sure: bool = False,
          fact: str = MEASURED):
    """Return the chart of a `table`: above the model and what was measured, below how far the model is off.

    *sure*: the table says between what each prediction should lie, which is a band around the line.

    Args:
        x: the axis of what was varied: `charts.x`, or `charts.names(..., channel="X")`, where a short bar stands for the model.
        y: returns the axis of a column, `charts.y`, the same for what the model says and what was measured.
        runs: {name: (colour, dash)} of each run, as `charts.series` takes them.
        errors: lowest and highest error, in %, fixed for good.
        description: what the chart shows, for those who cannot see it.
        fact: as in `table`.
    """
    import altair as alt

    off = _off(errors)
    x["axis"]["grid"] = False  # its lines would be as long as one part of the plot
    zero = charts.fixed([{ERROR: 0}]).mark_rule(color=charts.GREY, strokeWidth=1.5).encode(y=charts.within(off, _LOWER))
    over_names = x.to_dict()["type"] == "nominal"
    apart = len(runs) > 1 and not over_names  # then each run was measured by itself; over names all share what was measured
    if over_names:
        said = _bars(x, charts.within(y(MODEL), _UPPER), runs, charts.legend(list(runs), symbolSize=400, padding=6))
        missed = _bars(x, charts.within(off, _LOWER), runs, None)
    else:
        styled = charts.series(RUN, dict(runs))
        said = charts.line(x, charts.within(y(MODEL), _UPPER), colour="", **styled)
        if sure:
            bands = (charts.live().transform_filter(f"datum.{RUN} === '{run}'").mark_area(opacity=0.2, color=colour).encode(
                x=x, y=charts.within(y(LOW), _UPPER), y2=f"{HIGH}:Q") for run, (colour, _) in runs.items())
            said = alt.layer(*bands, said)
        missed = charts.live().mark_line(strokeWidth=2.5).encode(x=x, y=charts.within(off, _LOWER), **styled)
    measured = charts.diamonds(charts.live(), x, charts.within(y(fact), _UPPER), size=90, **_EDGED if apart else {})
    if apart:
        measured = measured.encode(fill=_own(runs, fact))
    key = () if apart else _key(fact)
    scales = dict.fromkeys(("y", *(("color", "shape") if over_names else ())), "independent")
    return charts.stack(alt.layer(said, measured), alt.layer(zero, missed), key, description=description).resolve_scale(**scales)


def _off(errors: tuple[float, float]):
    off = charts.y(ERROR, errors, title="error", ticks=(errors[0], 0, errors[1]))
    off["axis"]["labelExpr"] = "datum.label + ' %'"  # beside the numbers: so high a title would be too small to read
    off["axis"]["labelOverlap"] = "greedy"  # from below: where there is no room for three, the zero stays
    off["axis"]["labelSeparation"] = 0
    return off


def _bars(x, y, runs: Mapping[str, tuple], key):
    """A short bar for each row, told apart by its colour *and* by how many pieces it is in."""
    import altair as alt

    colour = charts.series(RUN, dict(runs))["color"].legend(key)
    pieces = alt.Shape(f"{RUN}:N", scale=alt.Scale(domain=list(runs), range=list(_PIECES[:len(runs)])), legend=key)
    return charts.live().mark_point(filled=True, opacity=1, size=500).encode(x=x, y=y, color=colour, shape=pieces)


def _own(runs: Mapping[str, tuple], fact: str):
    """What tells the diamonds of several runs apart: black, hollow or grey, with a legend that says which is whose."""
    import altair as alt

    labels = [f"{fact}: {run}" for run in runs]
    legend = charts.legend(labels, orient="bottom", symbolType="diamond", symbolSize=110, padding=6,
                           symbolStrokeColor=charts.MEASURED, labelExpr=f"'{fact}: ' + datum.label")
    return alt.Fill(f"{RUN}:N", legend=legend, scale=alt.Scale(domain=list(runs), range=list(_FILLS[:len(runs)])))


def _key(fact: str):
    """The diamond's place in the legend: a mark that nobody sees, for Vega writes a legend of encoded columns only."""
    import altair as alt

    legend = charts.legend([fact], orient="bottom", symbolSize=110, padding=6, symbolOpacity=1,
                           symbolFillColor=charts.MEASURED)
    shape = alt.Shape("what:N", legend=legend, scale=alt.Scale(domain=[fact], range=["diamond"]))
    return charts.fixed([{"what": fact}]).mark_point(opacity=0, filled=True, color=charts.MEASURED).encode(shape=shape)
