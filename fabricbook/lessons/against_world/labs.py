"""The model over every published table, its errors by regime, and what NCCL's own tuner would pick by which scores."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import accuracy, catalog, units
from fabriclib.measurements import percent, published
from fabriclib.nccl import nccl_choice
from fabriclib.prediction.constants import fitted
from fabriclib.prediction.model import predicted
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from . import stops
from .stops import LINES, PARTS
from .tables import beside_unseen, called, runs

_SIZE, _TIME = (4.0, 2.0**35), (5e-6, 3.0)
_MODEL = "model"
_LAUNCH, _LATENCY, _WIRE, _RAMP = PARTS
_STYLES = {_MODEL: (charts.CLUSTER, charts.SOLID), _LAUNCH: (charts.OTHER, charts.DOTTED),
           _LATENCY: (charts.OTHER_2, charts.DASHED), _WIRE: (charts.CHIP, charts.DASH_DOT),
           _RAMP: (charts.SERVER, charts.DOTTED)}


def _chart():
    import altair as alt

    x = charts.x("size", _SIZE, title="buffer (logarithmic)", unit="B", log=2)
    y = charts.y("time", _TIME, title="time (logarithmic)", unit="s", log=10)
    band = charts.live().transform_filter(f"datum.what === '{_MODEL}'").mark_area(opacity=0.18, color=charts.CLUSTER).encode(
        x=x, y=charts.y("low", _TIME, title="time (logarithmic)", unit="s", log=10), y2="high:Q")
    lines = charts.live().transform_filter("datum.what != 'measured'").mark_line(strokeWidth=2.5).encode(
        x=x, y=y, **charts.series("what", _STYLES))
    # A table of one size has no line: a short bar stands for the model.
    alone = charts.live().transform_filter(f"datum.alone && datum.what === '{_MODEL}'").mark_point(
        shape="stroke", size=1600, strokeWidth=3, opacity=1, color=charts.CLUSTER).encode(x=x, y=y)
    points = charts.diamonds(charts.live().transform_filter("datum.what == 'measured'"), x, y, size=80).encode(
        tooltip=[alt.Tooltip("label:N", title="measured, model")])
    return charts.stack(band, lines, alone, points, height=380, description=(
        "Time against the size of the buffer, both logarithmic. Diamonds: what was published. Solid line: what the model "
        "predicts; the band around it holds most measured times of sites it never saw. On demand four more lines: what "
        "launching, steps and hops, the bytes on the wire and the ramp take alone."))


@lab("model-against-world", title="The model against the world", tier="all",
     controls=[Control("machine", list(runs()), default="DGX H100", as_="menu"),
               Control("run", range(1, max(map(len, runs().values())) + 1), default=1, label="its table", as_="steps",
                       until=lambda machine, lines: len(runs()[machine])),
               Control("lines", LINES, default=LINES[0], as_="menu")],
     chart=_chart, stops=stops.WORLD,
     leaves_out="Other traffic on the network, which protocol and algorithm a version of the library switches to and where, and "
                "what a site has tuned. The constants are those fabriclib ships: fitted to these tables. How wide the "
                "band is comes from constants that did not see the site.",
     hides=("alone", "label"),
     sources=["nccl-tuning", "nccl-1455"])
def model_against_world(machine, run, lines):
    """Every table that was published of a machine set up as it should be, and the prediction beside it."""
    one = runs()[machine][run - 1]
    model = predicted(fitted(), *one.case)
    shown = {"measured": one.seconds, _MODEL: model.seconds}
    if lines == LINES[1]:
        shown |= {_LAUNCH: model.launch, _LATENCY: model.latency, _WIRE: model.wire, _RAMP: model.ramp}
    sizes, hardware = one.nbytes.size, catalog.row("measurement_tables", one.id)["hardware"]
    times = {what: np.broadcast_to(values, sizes) for what, values in shown.items()}
    errors = one.errors()
    label = [f"{units.format(n)}: {units.format(t, 's')}, {percent(e)}"
             for n, t, e in zip(one.nbytes.tolist(), one.seconds.tolist(), errors, strict=True)]
    around = {what: model.interval if what == _MODEL else (np.full(sizes, np.nan),) * 2 for what in times}
    rows = {"what": np.repeat(list(times), sizes), "size": np.tile(one.nbytes, len(times)),
            "low": np.maximum(np.concatenate([low for low, _ in around.values()]), _TIME[0]),
            "high": np.concatenate([high for _, high in around.values()]),
            "time": [t if t >= _TIME[0] else None for values in times.values() for t in values.tolist()],
            "label": label * len(times), "hardware": [hardware] * (sizes * len(times)),
            "alone": [bool(one.nbytes.max() < 2 * one.nbytes.min())] * (sizes * len(times))}
    worst = int(np.argmax(np.abs(errors)))
    names = ("over all sizes", *accuracy.REGIMES[1:])
    regimes = [f"{units.portion(error)} {name}" for name, error in zip(names, accuracy.by_regime(one), strict=True)
               if error == error]
    way = "short" if errors[worst] < 0 else "long"
    return rows, (f"{called(one)}: mean error {', '.join(regimes)}. Farthest off at {units.format(one.nbytes[worst])}: "
                  f"{units.portion(abs(errors[worst]))} too {way}.")


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

    def wide(size):
        return parts.scaled(size, 0.3 * size, 600)

    dots = charts.live().transform_filter("datum.part == 'table'").mark_point(
        size=70, filled=True, opacity=0.75, color=charts.CLUSTER, stroke=charts.BLACK, strokeWidth=0.7).encode(
        x=x, y=y, xOffset=offset, tooltip=[alt.Tooltip("table:N")])
    bars = {"mean": charts.MEASURED, "aimed at": charts.LIMIT}
    colour = alt.Color("part:N", scale=alt.Scale(domain=list(bars), range=list(bars.values())), legend=charts.legend(
        list(bars), symbolSize=150, symbolType="square"))
    means, wanted = (charts.live().transform_filter(f"datum.part == '{part}'").mark_tick(thickness=thick, size=wide(size)).encode(
        x=x, y=y, color=colour) for part, thick, size in (("mean", 5, 90), ("aimed at", 3, 110)))
    mean = charts.live().transform_filter("datum.part == 'mean'").encode(x=x, y=y, text="table:N")
    said = charts.legible(mean, align="left", dx=wide(50), fontWeight="bold")
    return charts.stack(dots, wanted, means, said, height=380, description=(
        "Mean absolute error of each published table, on a logarithmic axis, for all sizes, for messages up to 64 KiB, between, "
        "and from 64 MiB. A dot is a table, a broad bar the mean of all dots, an orange bar what was aimed at."))


@lab("error-by-regime", title="Error by regime", tier="all",
     controls=[Control("group", _GROUPS, default=_GROUPS[0], label="tables", as_="menu"),
               Control("constants", [_UNSEEN, _SHIPPED], default=_UNSEEN, as_="menu")],
     chart=_error_chart, stops=stops.REGIMES,
     leaves_out="A mean over tables says nothing of a machine that is not among them. The tables were chosen by what people "
                "publish: mostly all-reduce, mostly on two nodes.",
     hides=("part",),
     sources=["nccl-tuning", "nccl-1455"])
def error_by_regime(group, constants):
    """How far off the model is, table by table; with constants that never saw the site, and with those fabriclib ships."""
    names = {table.id: f"{machine}, {called(table)}" for machine, tables in runs().items() for table in tables}
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
                add("table", regime, error, at / max(len(scores) - 1, 1) * 2 - 1, f"{names[id]}: {units.portion(error)}")
    means, wanted = accuracy.summary(scores)[group], accuracy.TARGETS[group]
    for regime, mean in zip(accuracy.REGIMES, means, strict=True):
        add("mean", regime, mean, 0.0, units.portion(mean))
    for regime, aim in ((accuracy.REGIMES[0], wanted[0]), (accuracy.REGIMES[3], wanted[1])):
        add("aimed at", regime, aim, 0.0, "aimed at")
    worst = max(scores, key=lambda id: scores[id][0])
    return rows, (f"{len(scores)} {group} tables: {units.portion(means[0])} off over all sizes, {units.portion(means[3])} from "
                  f"64 MiB. Worst: {names[worst]}, {units.portion(scores[worst][0])}.")


# ---- lab 3: what NCCL would pick ----

MACHINES = {catalog.row("systems", id)["name"]: id for id in ("dgx-a100", "dgx-h100", "dgx-b200", "gb200-nvl72", "snellius-h100")}
_CHOSEN = ["all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce"]
_SCORED = 2.0 ** np.arange(10, 34.1, 0.5)
_BUFFERS = 2.0 ** np.arange(10, 35)
_SCORES = (4e-6, 3.0)
_WORDS = {"ring": "ring", "tree": "tree", "nvls": "NVLS", "nvls_tree": "NVLS tree", "ll": "LL", "ll128": "LL128",
         "simple": "Simple"}
_FAMILY = {"nvls": "NVLS, NVLS tree", "nvls_tree": "NVLS, NVLS tree"}
_COLOURS = {"ring": charts.CLUSTER, "tree": charts.OTHER_2, "NVLS, NVLS tree": charts.SERVER}
_DASHES = {"LL": charts.DOTTED, "LL128": charts.DASHED, "Simple": charts.SOLID}
_STRIP = 24  # px above the lines, for who wins where
# What was measured on such a machine; which algorithm ran, the sources do not all say.
_MEASURED = {
    ("dgx-h100", "all_reduce", 1): "h100x8-dgx-nvls-ar", ("dgx-h100", "all_reduce", 2): "h100x16-nebius-ar",
    ("dgx-a100", "all_reduce", 1): "a100x8-nvswitch-ar", ("dgx-a100", "all_reduce", 2): "a100x16-sophia-ar",
    ("dgx-a100", "all_gather", 2): "a100x16-sophia-ag", ("dgx-b200", "all_reduce", 2): "b200x16-coreweave-ar",
    ("gb200-nvl72", "all_reduce", 1): "gb200x72-coreweave-ar", ("gb200-nvl72", "all_reduce", 2): "gb200x144-coreweave-ar",
    ("snellius-h100", "all_reduce", 1): "h100x4-snellius-ar", ("snellius-h100", "all_reduce", 2): "h100x8-snellius-2node-ar",
}


def _choice_chart():
    import altair as alt

    def x(field):
        return charts.x(field, (_SCORED[0], _SCORED[-1]), title="buffer (logarithmic)", unit="B", log=2)

    y = charts.y("score", _SCORES, title="score (logarithmic)", unit="s", log=10)

    sign = {"symbolSize": 600, "symbolStrokeWidth": 3}
    # Rows without a value would break the band: a line is drawn from point to point in the order of x.
    band = parts.of("pick").mark_line(strokeWidth=15, color=charts.YELLOW, opacity=0.55).encode(x=x("size"), y=y)
    lines = parts.of("score").mark_line(strokeWidth=2.5).encode(
        x=x("size"), y=y, detail="candidate:N",
        color=alt.Color("family:N", legend=charts.legend(list(_COLOURS), **sign),
                        scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))),
        strokeDash=alt.StrokeDash("protocol:N", legend=charts.legend(list(_DASHES), orient="bottom", **sign),
                                  scale=alt.Scale(domain=list(_DASHES), range=list(_DASHES.values()))))
    top = {"y": alt.value(0), "y2": alt.value(_STRIP)}
    strip = parts.of("range").mark_rect(fill=charts.YELLOW_TINT, stroke=charts.YELLOW_INK, strokeWidth=1).encode(
        x=x("size"), x2="end:Q", **top)
    # What is too long for its range goes without a name: the sentence has it for the chosen buffer.
    fits = alt.ExprRef("scale('x', datum.end) - scale('x', datum.size) > 6.6 * length(datum.label) ? 1 : 0")
    said = parts.of("range").mark_text(fontSize=alt.ExprRef("width < 480 ? 11 : 12"), fontWeight="bold", opacity=fits).encode(
        x=x("middle"), y=alt.value(_STRIP / 2), text="label:N")
    outlined = {"color": charts.PAPER, "stroke": charts.BLACK, "strokeWidth": 2.5}
    dot = parts.of("here").mark_point(size=170, filled=True, opacity=1, **outlined).encode(x=x("size"), y=y)
    diamonds = charts.diamonds(parts.of("measured"), x("size"), y, size=70)
    named = charts.legible(parts.of("measured").encode(x=x("size"), y=y, text="label:N"), align="right", dx=-4, dy=-14,
                           color=charts.MEASURED)
    return charts.stack(band, lines, strip, said, diamonds, *named, dot, height=420, description=(
        "The tuner's score against the size of the buffer, one line for each algorithm and protocol. Colours tell algorithms "
        "apart, dashes protocols. A broad yellow band follows the lowest, which is what the tuner picks; a strip above names "
        "it, range by range. Diamonds are measured times, where some were published. A dot marks the chosen buffer."))


@lab("nccl-choice", title="What NCCL would pick", tier="cluster",
     controls=[Control("machine", list(MACHINES), default="DGX H100", as_="menu"),
               Control("collective", _CHOSEN, default="all_reduce", as_="menu"),
               Control("nodes", [2**k for k in range(8)], default=1),
               Control("nbytes", _BUFFERS, default=2.0**24, label="buffer", unit="B", drags="x")],
     chart=_choice_chart, stops=stops.CHOICE,
     leaves_out="The tuner of NCCL {{ version }} (June 2026) alone: version 2.32 of November 2026 scores GPUs from Rubin on by "
                "another cost model, of pipelines; before them two limits of Blackwell differ. Tuner plugins, which clouds "
                "install, and environment variables overrule it. CollNet (SHARP) and PAT are not offered. The channels of one "
                "node of eight H100 are those of a log of another version; all others are derived by the rules of NCCL's search, "
                "with all GPUs alike and an adapter beside each: the sentence says so. A score ranks candidates; it was never "
                "meant to be a time. Diamonds are of other versions; those for two nodes of eight H100 or A100 are of servers "
                "like a DGX.",
     hides=("end", "middle", "label"),
     sources=["nccl-tuning", "nccl-search", "nccl-2-32", "nccl-pipeline", "nccl-platforms", "nccl-1197",
              *dict.fromkeys(catalog.row("measurement_tables", table)["source"] for table in _MEASURED.values())])
def choice(machine, collective, nodes, nbytes):
    """The winner changes with size and with nodes; the kinks of the tree's lines are a table of correction factors."""
    picked = nccl_choice(MACHINES[machine], collective, _SCORED, nodes=nodes)
    rows = []
    for (algorithm, protocol), scores in picked.scores.items():
        if not np.isnan(scores).all():
            rows += [{"part": "score", "candidate": f"{_WORDS[algorithm]}, {_WORDS[protocol]}",
                      "family": _FAMILY.get(algorithm, algorithm), "protocol": _WORDS[protocol], "size": size, "score": score}
                     for size, score in zip(_SCORED.tolist(), scores.tolist(), strict=True)]
    rows += [{"part": "pick", "size": size, "score": score}
             for size, score in zip(_SCORED.tolist(), picked.seconds.tolist(), strict=True)]
    rows += _ranges(picked)
    rows += _published(MACHINES[machine], collective, nodes)
    one = nccl_choice(MACHINES[machine], collective, nbytes, nodes=nodes)
    rows.append({"part": "here", "size": nbytes, "score": one.seconds})
    blanks = {"part": "", "candidate": "", "family": "", "protocol": "", "size": None, "score": None, "end": None,
              "middle": None, "label": ""}
    return parts.columns(rows, blanks), _picked(one, machine, nodes, nbytes)


def _ranges(picked) -> list[dict]:
    """Return one row for each run of sizes with the same pick."""
    names = [f"{_WORDS[a]} {_WORDS[p]}" for a, p in zip(picked.algorithm, picked.protocol, strict=True)]
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    found = []
    for start, end in zip(starts, [*starts[1:], len(names) - 1], strict=True):
        low, high = _SCORED[start], _SCORED[end]
        wide = np.log2(high / low) >= 0.34 * len(names[start])  # what does not fit is in the table
        found.append({"part": "range", "size": low, "end": high, "middle": float(np.sqrt(low * high)), "candidate": names[start],
                      "label": names[start] if wide else ""})
    return found


@functools.cache
def _published(machine: str, collective: str, nodes: int) -> tuple[dict, ...]:
    table = _MEASURED.get((machine, collective, nodes))
    if table is None:
        return ()
    points = published(table)
    points = points[points["nbytes"] >= _SCORED[0]]
    last = len(points) - 1
    return tuple({"part": "measured", "size": size, "score": seconds, "label": "measured" if i == last else ""}
                 for i, (size, seconds) in enumerate(zip(points["nbytes"], points["seconds"], strict=True)))


def _picked(one, machine: str, nodes: int, nbytes: float) -> str:
    ranked = sorted((score, name) for name, score in one.scores.items() if score == score)
    second = next(((score, a, p) for score, (a, p) in ranked if a != one.algorithm), None)
    other = "" if second is None else (
        f"; next best is {_WORDS[second[1]]} with {_WORDS[second[2]]}, {units.format(second[0], 's')}")
    return (f"{units.format(nbytes)} over {counted(nodes, 'node')} of a {machine}: NCCL {one.version} would pick "
            f"{_WORDS[one.algorithm]} with {_WORDS[one.protocol]}, "
            f"score {units.format(one.seconds, 's')}{other}{'; graph derived' if one.derived else ''}.")


# ---- a machine that the model never saw, and one where it fails ----

_DELL, _ALPS = "four Dell servers with H100", "two nodes of CSCS Alps"
_BUFFER = (4.0, 2.0**35)


def _against(run: str, seconds, errors, description: str):
    x = charts.x("message", _BUFFER, title="buffer (logarithmic)", unit="B", log=2)
    return against.chart(x, lambda field: charts.y(field, seconds, title="time (logarithmic)", unit="s", log=10),
                         {run: (charts.CLUSTER, charts.SOLID)}, errors=errors, description=description, sure=True)


@lab("unseen-against-measured", title="A machine it never saw", tier="cluster", controls=(),
     chart=lambda: _against(_DELL, (1e-5, 1.0), (-100, 100),
                            "The time of an all-reduce against its buffer for four Dell servers with eight H100: the prediction "
                            "as a line, in a band that most measured times of other sites lie in, what was measured as diamonds. "
                            "Below, the error."),
     leaves_out="Where the library changes its protocol. The constants were fitted on other machines.", sources=["nccl-tuning"])
def unseen_against_measured():
    """Constants of other machines foretell this one."""
    table = against.table("message", {_DELL: beside_unseen("h100x32-dell-ar")})
    large = table[against.ERROR][table["message"] >= accuracy.LARGE]
    return table, (f"On average {np.abs(table[against.ERROR]).mean():.0f} % off; from 64 MiB at most "
                   f"{np.abs(large).max():.0f} %.")


@lab("failing-against-measured", title="A machine where it fails", tier="cluster", controls=(),
     chart=lambda: _against(_ALPS, (1e-5, 1.0), (-100, 100),
                            "The time of an all-reduce against its buffer for two nodes of Alps: the prediction as a line, in a "
                            "band that most measured times of other sites lie in, what was measured as diamonds, which rise far "
                            "above both in the middle. Below, the error."),
     leaves_out="The library's protocols.", sources=["boeschf-alps"])
def failing_against_measured():
    """A bump that no law of wires makes."""
    table = against.table("message", {_ALPS: beside_unseen("gh200x8-alps-ar")})
    fall = int(np.argmin(np.diff(table[against.MEASURED])[table["message"][:-1] < accuracy.LARGE]))
    before, after = table[against.MEASURED][fall:fall + 2]
    return table, (f"Two nodes of Alps: {units.format(table['message'][fall])} take {before / after:.2g} times as long as "
                   f"{units.format(table['message'][fall + 1])}.")
