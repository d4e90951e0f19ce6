"""The model over every published table, and its errors by regime."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import accuracy, catalog, units
from fabriclib.machines import system
from fabriclib.measurements import percent
from fabriclib.prediction.constants import fitted
from fabriclib.prediction.model import predicted

from ...stage import Control, charts, lab

_SIZE, _TIME = (4.0, 2.0**35), (5e-6, 3.0)
_MODEL, _LAUNCH, _LATENCY, _WIRE, _RAMP = "model", "launching", "steps and hops", "bytes on the wire", "ramp"
_STYLES = {_MODEL: (charts.CLUSTER, charts.SOLID), _LAUNCH: (charts.OTHER, charts.DOTTED),
           _LATENCY: (charts.OTHER_2, charts.DASHED), _WIRE: (charts.CHIP, charts.DASH_DOT),
           _RAMP: (charts.SERVER, charts.DOTTED)}
_LINES = ["the model", "the model and its parts"]


@functools.cache
def _named() -> dict[str, accuracy.Table]:
    """Return {what the learner reads: table}, machines in alphabetical order; what is there twice is numbered."""
    found: dict[str, accuracy.Table] = {}
    for table in sorted(accuracy.tables(), key=lambda t: (system(t.system).name.lower(), t.nodes, t.collective, t.ranks)):
        name = f"{system(table.system).name}: {table.collective}, {table.ranks} GPUs"
        again = sum(other.removesuffix(")").rsplit(" (", 1)[0] == name for other in found)
        found[f"{name} ({again + 1})" if again else name] = table
    return found


def _chart():
    import altair as alt

    x = charts.x("size", _SIZE, title="buffer (logarithmic)", unit="B", log=2)
    y = charts.y("time", _TIME, title="time (logarithmic)", unit="s", log=10)
    lines = charts.live().transform_filter("datum.what != 'measured'").mark_line(strokeWidth=2.5).encode(
        x=x, y=y, **charts.series("what", _STYLES))
    points = charts.live().transform_filter("datum.what == 'measured'").mark_point(
        shape="diamond", size=80, filled=True, opacity=1, color=charts.MEASURED).encode(
        x=x, y=y, tooltip=[alt.Tooltip("label:N", title="measured, model")])
    return charts.stack(lines, points, height=380, description=(
        "Time against the size of the buffer, both logarithmic. Black diamonds: what was published. Solid line: what the model "
        "predicts. On demand four more lines: what launching, steps and hops, the bytes on the wire and the ramp take alone."))


@lab("model-against-world", title="The model against the world", tier="all",
     controls=[Control("table", list(_named()), default="DGX H100: all_reduce, 8 GPUs", label="table", as_="menu"),
               Control("lines", _LINES, default=_LINES[0], as_="menu")],
     chart=_chart,
     leaves_out="Other traffic on the network, which protocol and algorithm a version of the library switches to and where, and "
                "what a site has tuned. The constants are those fabriclib ships: fitted on a part of these tables, which "
                "data/fitted.csv names.",
     sources=["nccl-tuning", "nccl-1455"])
def model_against_world(table, lines):
    """Every table that was published of a machine set up as it should be, and the prediction beside it."""
    one = _named()[table]
    model = predicted(fitted(), *one.case)
    shown = {"measured": one.seconds, _MODEL: model.seconds}
    if lines == _LINES[1]:
        shown |= {_LAUNCH: model.launch, _LATENCY: model.latency, _WIRE: model.wire, _RAMP: model.ramp}
    many = one.nbytes.size
    times = {what: np.broadcast_to(values, many) for what, values in shown.items()}
    errors = one.errors()
    label = [f"{units.format(n)}: {units.format(t, 's')}, {percent(e)}"
             for n, t, e in zip(one.nbytes.tolist(), one.seconds.tolist(), errors, strict=True)]
    rows = {"what": np.repeat(list(times), many), "size": np.tile(one.nbytes, len(times)),
            "time": [t if t >= _TIME[0] else None for values in times.values() for t in values.tolist()],
            "label": label * len(times)}
    worst = int(np.argmax(np.abs(errors)))
    names = ("over all sizes", *accuracy.REGIMES[1:])
    regimes = [f"{_share(error)} {name}" for name, error in zip(names, accuracy.by_regime(one), strict=True) if error == error]
    way = "short" if errors[worst] < 0 else "long"
    return rows, (f"Mean error {', '.join(regimes)}. Farthest off at {units.format(one.nbytes[worst])}: "
                  f"{_share(abs(errors[worst]))} too {way}.")


def _share(error: float) -> str:
    return percent(error).lstrip("+")


# ---- lab 2: the errors of all tables ----

_PERCENT = (0.1, 200.0)
_UNSEEN, _SHIPPED = "fitted without this site", "as shipped"
_GROUPS = list(accuracy.TARGETS)


def _error_chart():
    import altair as alt

    x = charts.names("regime", list(accuracy.REGIMES), channel="X", title="messages")
    y = charts.y("error (%)", _PERCENT, title="mean error of a table (%), logarithmic", log=10,
                 ticks=[0.1, 0.3, 1, 3, 10, 30, 100])
    offset = alt.XOffset("offset:Q", scale=alt.Scale(domain=[-1.6, 1.6]))
    dots = charts.live().transform_filter("datum.part == 'table'").mark_point(
        size=70, filled=True, opacity=0.75, color=charts.CLUSTER, stroke="black", strokeWidth=0.7).encode(
        x=x, y=y, xOffset=offset, tooltip=[alt.Tooltip("table:N")])
    means = charts.live().transform_filter("datum.part == 'mean'").mark_tick(thickness=5, size=90, color=charts.MEASURED).encode(
        x=x, y=y)
    wanted = charts.live().transform_filter("datum.part == 'wanted'").mark_tick(
        thickness=3, size=110, color=charts.LIMIT, strokeDash=charts.DASHED).encode(x=x, y=y)
    said = charts.live().transform_filter("datum.part == 'mean'").mark_text(
        fontSize=14, align="left", dx=50, fontWeight="bold").encode(x=x, y=y, text="table:N")
    return charts.stack(dots, wanted, means, said, height=380, description=(
        "Mean absolute error of each published table, on a logarithmic axis, for all sizes, for messages up to 64 KiB, between, "
        "and from 64 MiB. A dot is a table, a black bar the mean of all dots, an orange bar what was aimed at."))


@lab("error-by-regime", title="Error by regime", tier="all",
     controls=[Control("group", _GROUPS, default=_GROUPS[0], label="tables", as_="menu"),
               Control("constants", [_UNSEEN, _SHIPPED], default=_UNSEEN, as_="menu")],
     chart=_error_chart,
     leaves_out="A mean over tables says nothing of a machine that is not among them. The tables were chosen by what people "
                "publish: mostly all-reduce, mostly on two nodes.",
     sources=["nccl-tuning", "nccl-1455"])
def error_by_regime(group, constants):
    """How far off the model is, table by table; with constants that never saw the site, and with those fabriclib ships."""
    names = {table.id: name for name, table in _named().items()}
    held_out = accuracy.held_out()
    chosen = [table for table in accuracy.tables() if (table.nodes == 1) == (group == _GROUPS[0]) and table.id in held_out]
    scores = {t.id: held_out[t.id] if constants == _UNSEEN else accuracy.by_regime(t) for t in chosen}
    rows = {"part": [], "regime": [], "error (%)": [], "offset": [], "table": []}

    def add(part, regime, error, offset, table):
        for column, value in zip(rows, (part, regime, float(np.clip(100 * error, *_PERCENT)), offset, table), strict=True):
            rows[column].append(value)

    for at, (id, errors) in enumerate(scores.items()):
        for regime, error in zip(accuracy.REGIMES, errors, strict=True):
            if error == error:
                add("table", regime, error, at / max(len(scores) - 1, 1) * 2 - 1, f"{names[id]}: {_share(error)}")
    means, wanted = accuracy.summary(scores)[group], accuracy.TARGETS[group]
    for regime, mean in zip(accuracy.REGIMES, means, strict=True):
        add("mean", regime, mean, 0.0, _share(mean))
    for regime, aim in ((accuracy.REGIMES[0], wanted[0]), (accuracy.REGIMES[3], wanted[1])):
        add("wanted", regime, aim, 0.0, "aimed at")
    worst = max(scores, key=lambda id: scores[id][0])
    return rows, (f"{len(scores)} {group} tables, constants {constants}: {_share(means[0])} off over all sizes, "
                  f"{_share(means[3])} from 64 MiB. Worst: {names[worst]}, {_share(scores[worst][0])}.")


# ---- tables of the lesson ----

def constants_of(*technologies: str):
    """Return a DataFrame of text: the fitted constants of *technologies*, how many tables speak about each, and the note."""
    import pandas as pd

    rows = [row for row in catalog.rows("fitted") if row["subject"] in technologies]
    return pd.DataFrame({
        "technology": [row["subject"] for row in rows], "quantity": [row["quantity"] for row in rows],
        "value": [units.format(row["value"], row["unit"]) if row["unit"] else f"{row['value']:.3g}" for row in rows],
        "tables": [len(row["tables"]) for row in rows], "note": [row["note"] for row in rows],
    })


def by_machine():
    """Return a DataFrame of text: the mean error of each machine and collective, its tables held out with their site."""
    import pandas as pd

    groups: dict[tuple, list] = {}
    for table in _named().values():
        if table.id in accuracy.held_out():
            where = "one" if table.nodes == 1 else "several"
            groups.setdefault((system(table.system).name, table.collective, where), []).append(accuracy.held_out()[table.id])
    rows = []
    for (machine, collective, where), errors in groups.items():
        known = [[error for error in column if error == error] for column in zip(*errors, strict=True)]
        means = ["" if not column else _share(sum(column) / len(column)) for column in known]
        rows.append({"machine": machine, "collective": collective, "nodes": where, "tables": len(errors),
                     **dict(zip(accuracy.REGIMES, means, strict=True))})
    return pd.DataFrame(rows)


def parts_of_the_model():
    """Return a DataFrame of text: the mean error over tables of a model that knows more and more."""
    import pandas as pd

    groups = {"one node": "single-node", "several nodes": "multi-node"}
    rows = []
    for what, means in accuracy.ladder().items():
        cells = {f"{title}, {regime}": _share(means[group][at]) for title, group in groups.items()
                 for at, regime in ((0, "all"), (3, "large"))}
        rows.append({"the model knows": what, **cells})
    return pd.DataFrame(rows)
