"""A step of training as a timeline, all splits as dots, and the model against published steps."""

from __future__ import annotations

import numpy as np

from fabriclib import units

from ...stage import Control, against, charts, lab, parts
from .stops import ALL_SPLITS, ONE_STEP
from .tables import (
    GPUS,
    KEEP,
    KEEPING,
    MACHINES,
    MODELS,
    MOST,
    NEAR,
    OLD,
    ON_H100,
    ONE_T,
    PAPER,
    PLACES,
    PLANS,
    SHARING,
    SLOWER,
    SPLITS,
    ZERO1,
    against_paper,
    computing,
    copies,
    held_out,
    off,
    ranked,
    room,
    step,
)

# ---- one step

COMPUTING, INSIDE, NETWORK, BUBBLE = KINDS = ["computing", "waits for links inside", "waits for the network", "bubble"]
_COLOURS = {COMPUTING: charts.GREY, INSIDE: charts.CHIP, NETWORK: charts.CLUSTER, BUBBLE: charts.YELLOW}
_PLACES = {"inside a server or rack": INSIDE, "on the rails": NETWORK, "across the spine": NETWORK}
_MOST_PERCENT = 260
_STAGE, _MEMORY = 8.2, 9.6  # where the middle of the first stage's row and of the memory's are
_THICK, _THIN = 0.4, 0.12  # half of a row's height: of what is done, and of waiting


def _step_chart():
    import altair as alt

    x = charts.x("from", (0, _MOST_PERCENT), ticks=[0, 50, 100, 150, 200, 250], title=(
        "% of computing time (top: % of memory)"))
    y = charts.y("bottom", (0.6, 10.2), title="a row for each of up to eight stages", ticks=[_STAGE - 7, _STAGE, _MEMORY])
    y["axis"]["labelExpr"] = f"datum.value > {_STAGE} ? 'memory' : datum.value < {_STAGE} ? 'last stage' : 'first stage'"
    y["axis"]["grid"] = False
    place = {"x": x, "x2": "to:Q", "y": y, "y2": "top:Q"}
    colour = alt.Color("kind:N", legend=charts.legend(KINDS, symbolSize=170, symbolType="square"),
                       scale=alt.Scale(domain=KINDS, range=[_COLOURS[kind] for kind in KINDS]))
    seen = alt.Opacity("seen:Q", legend=None, scale=None)
    bars = parts.of("bar").mark_rect().encode(color=colour, opacity=seen, **place)
    held = parts.of("held").mark_rect(color=charts.EDGE).encode(**place)
    over = parts.of("over").mark_rect(color=charts.LIMIT).encode(**place)
    full = charts.fixed([{"from": 100}]).mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2).encode(x=x)
    said = parts.of("text").encode(x=x, y=y, text="text:N")
    text = charts.legible(said, **_beside_full(charts.inside(x, "text")))
    return charts.stack(bars, held, over, full, *text, height=350, description=(
        "One step of training from left to right, a row for each of up to eight stages, the first at the top: computing, "
        "waiting for links inside a server or rack, waiting for the network, and, thin, the bubble. On top a bar shows how much "
        "of a GPU's memory is needed; a dashed line stands at all of it."))


def _beside_full(place: dict) -> dict:
    """Move what is said of a short bar to behind the dashed line, where it would lie across it."""
    import altair as alt

    here, full = "scale('x', datum.from)", "scale('x', 100)"
    across = f"{here} < {full} && {here} + 10 + 0.56 * {place['fontSize'].expr} * length(datum.text) > {full}"
    return place | {"dx": alt.ExprRef(f"{across} ? {full} - {here} + 6 : {place['dx'].expr}")}


@lab("one-step", title="A step of training, split and placed", tier="all",
     controls=[Control("model", list(MODELS), default=ONE_T, as_="menu"),
               Control("machine", list(MACHINES), default=OLD, label="GPUs", as_="menu"),
               Control("split", list(SPLITS), default=PAPER, label="tensor × stages", as_="steps"),
               Control("near", list(PLACES), default=NEAR, label="sit together", as_="menu")],
     chart=_step_chart,
     leaves_out="Reading the text, writing checkpoints, and machines that fail. All recompute their activations; A100s use "
                "16-bit numbers and share nothing, the newer ones 8-bit products, a kernel that keeps no scores, and ZeRO-1. Of "
                "many stages eight are drawn, of many micro-batches eight groups. Groups of 32 servers share their leaves.",
     hides=("bottom", "top", "text"),
     sources=["megatron-sc21", "korthikanti"], stops=ONE_STEP)
def one_step(model, machine, split, near):
    """A step is computing, waiting for wires, and waiting for the pipeline; where the ranks lie decides which wires."""
    found = step(model, machine, split, near)
    seconds, work, held = float(found.seconds), computing(found), float(found.memory)
    rows = []
    for bar in found.timeline().itertuples():
        kind = BUBBLE if bar.part == "bubble" else _PLACES.get(bar.where, COMPUTING)
        middle, half = _row(bar.stage, SPLITS[split][1]), _THIN if kind == BUBBLE else _THICK
        rows.append({"part": "bar", "stage": bar.stage, "kind": kind, "from": _percent(bar.start, work),
                     "to": _percent(bar.end, work), "bottom": middle - half, "top": middle + half,
                     "seen": 1.0 if found.fits else 0.35})
    needed, fits = _percent(held, room(machine)), min(_percent(held, room(machine)), 100)
    strip = {"bottom": _MEMORY - _THICK, "top": _MEMORY + _THICK}
    rows += [{"part": "held", "from": 0, "to": fits} | strip, {"part": "over", "from": fits, "to": needed} | strip]
    rows += [{"part": "text", "from": needed, "bottom": _MEMORY, "text": _of(held, room(machine))},
             {"part": "text", "from": _percent(seconds, work), "bottom": _STAGE, "text": f"{seconds:.4g} s"}]
    table = parts.columns(rows, {"part": "", "stage": np.nan, "kind": "", "from": np.nan, "to": np.nan, "bottom": np.nan,
                                 "top": np.nan, "seen": 1.0, "text": ""})
    return table, _told(found, model, machine, split, near)


def _percent(value: float, whole: float) -> float:
    return min(100 * value / whole, _MOST_PERCENT)


def _row(stage: int, stages: int) -> float:
    """The middle of a stage's row."""
    return _STAGE - (round(7 * (stage - 1) / (stages - 1)) if stages > 8 else stage - 1)


def _of(held: float, memory: float) -> str:
    return f"{units.format(held)} of {units.format(memory)}"


def _told(found, model: str, machine: str, split: str, near: str) -> str:
    tensor, stages, _ = SPLITS[split]
    many = f"{copies(split):,} copies on {tensor * stages} GPUs each" if tensor * stages > 1 else "a copy on each GPU"
    what, held = f"{model} on {machine}, {split}, {many}", _of(float(found.memory), room(machine))
    if not found.fits:
        over = units.format(float(found.memory) - room(machine))
        return f"{what}: it does not fit. A GPU needs {held}, {over} too many. The step is drawn as if there were room."
    share = computing(found) / float(found.seconds)
    return (f"{what}: {found.seconds:.4g} s a step, and {units.portion(share)} of it a GPU computes; {held}; "
            f"MFU {units.portion(found.mfu)}.")


# ---- all splits

_APART = 20  # per cent of the fastest step
WAITS = {"bubble": ("bubble",), "tensor": ("tp",), "copies": ("dp",), "experts": ("ep",),
         "others": ("cp", "pp", "host", "optimiser")}
_SIGNS = {"bubble": (charts.YELLOW, "circle"), "tensor": (charts.CHIP, "square"), "copies": (charts.CLUSTER, "triangle-up"),
          "experts": (charts.OTHER, "cross"), "others": (charts.OTHER_2, "triangle-down")}
_ROWS = [COMPUTING, *WAITS]


def _spent(split) -> dict[str, float]:
    """Return {computing or what is waited for: seconds} of a row of `splits`."""
    groups = {COMPUTING: ("matrices", "attention", "elementwise")} | WAITS
    return {name: float(sum(split.get(f"{part}_seconds", 0.0) for part in group)) for name, group in groups.items()}


def _listed(plan: str, sharing: str, keeping: str):
    found = ranked(plan, sharing, keeping).head(MOST)
    return found[found["seconds"] <= SLOWER * found["seconds"].iloc[0]]


def _last(plan: str, sharing: str, keeping: str) -> int:
    return len(_listed(plan, sharing, keeping))


def _splits_chart():
    import altair as alt

    def axis(channel, field, domain, ends, **options):
        found = getattr(charts, channel)(field, domain, **options)
        found["scale"]["range"] = [alt.ExprRef(end) if isinstance(end, str) else end for end in ends]
        found["axis"]["titleFontSize"] = alt.ExprRef(f"{charts.NARROW} ? 11 : 15")
        found["axis"]["titleAnchor"] = "end"
        return found

    x = axis("x", "memory (%)", (0, 105), (0, "width * 0.5"), title="memory used (%)", ticks=[0, 25, 50, 75, 100])
    y = charts.y("times", (0.985, SLOWER), title="time of a step, times the fastest")
    colours, shapes = zip(*_SIGNS.values(), strict=True)
    key = charts.legend(list(_SIGNS), symbolSize=130, values=list(_SIGNS), title="waits longest for")
    kind = {"field": "waits for", "type": "nominal", "legend": key}
    coloured = alt.Scale(domain=_ROWS, range=[charts.GREY, *colours])
    dots = parts.of("split").mark_point(filled=True, opacity=1, size=130, stroke=charts.INK, strokeWidth=1).encode(
        x=x, y=y, color=alt.Color(**kind, scale=coloured),
        shape=alt.Shape(**kind, scale=alt.Scale(domain=_ROWS, range=["circle", *shapes])))
    ring = parts.of("chosen").mark_point(size=420, opacity=1, strokeWidth=3, color=charts.INK).encode(x=x, y=y)
    more = axis("x", "more (%)", (-_APART - 1, _APART + 1), ("width * 0.73", "width"), ticks=[-20, -10, 0, 10, 20],
                title="more than fastest (%)")
    more["axis"]["orient"], more["axis"]["grid"] = "bottom", False
    rows = charts.names("row", _ROWS)
    rows["axis"] = None
    zero = charts.fixed([{"more (%)": 0}]).mark_rule(color=charts.GREY, strokeWidth=1.5).encode(x=more)
    bars = parts.of("part").mark_bar(height={"band": 0.5}).encode(
        x=more, y=rows, color=alt.Color("row:N", scale=coloured, legend=key))
    names = parts.of("part").mark_text(x=alt.ExprRef("width * 0.715"), align="right", color=charts.INK,
                                       fontSize=alt.ExprRef(f"{charts.NARROW} ? 11 : 14")).encode(y=rows, text="row:N")
    return charts.stack(alt.layer(dots, ring), alt.layer(zero, bars, names), height=340, description=(
        "Left, a dot for each split that fits: the memory of a GPU that it uses against the time of a step, as a multiple of the "
        "fastest. Colour and shape say what it waits for longest; a ring marks the chosen one. Right, bars: by how much more or "
        "less than the fastest the chosen one computes and waits.")).resolve_scale(x="independent", y="independent")


@lab("all-splits", title="Every split that fits", tier="all",
     controls=[Control("plan", list(PLANS), default=ON_H100, label="job", as_="menu"),
               Control("sharing", list(SHARING), default=ZERO1, label="copies share", as_="menu"),
               Control("keeping", list(KEEPING), default=KEEP, label="activations", as_="menu"),
               Control("place", range(1, MOST + 1), default=2, as_="steps", until=_last, picks="place")],
     chart=_splits_chart,
     leaves_out="Splits that do not fit, those behind the {{ MOST }}th, and those of more than {{ digits(SLOWER) }} times the "
                "fastest. Micro-batches are of one text, tensor groups lie next to each other, and no spine is narrowed. Of a "
                "mixture of experts the prediction is off by more than of other models: see below.",
     sources=["megatron-sc21", "korthikanti", "deepseek-v3"], stops=ALL_SPLITS)
def all_splits(plan, sharing, keeping, place):
    """The fastest split is the one whose waits and memory are in balance, and the runner-up loses by one of them."""
    found = _listed(plan, sharing, keeping)
    fastest, chosen = found.iloc[0], found.iloc[place - 1]
    rows = [{"part": "split", "place": number, "memory (%)": _memory(split, plan), "times": split["seconds"] / fastest["seconds"],
             "waits for": longest(split)} for number, (_, split) in enumerate(found.iterrows(), 1)]
    rows.append({"part": "chosen", "memory (%)": _memory(chosen, plan), "times": chosen["seconds"] / fastest["seconds"]})
    before = _spent(fastest)
    rows += [{"part": "part", "row": name, "more (%)": _more(seconds - before[name], fastest)}
             for name, seconds in _spent(chosen).items()]
    table = parts.columns(rows, {"part": "", "place": np.nan, "memory (%)": np.nan, "times": np.nan, "waits for": "", "row": "",
                                 "more (%)": np.nan})
    return table, _ranking(place, len(ranked(plan, sharing, keeping)), chosen, fastest, plan)


def longest(split) -> str:
    """Return what a row of `splits` waits for longest."""
    waits = _spent(split)
    return max(WAITS, key=waits.__getitem__)


def _more(seconds: float, fastest) -> float:
    """Return seconds in per cent of the fastest step, at most what the axis has room for."""
    return float(np.clip(100 * seconds / fastest["seconds"], -_APART, _APART))


def _memory(split, plan: str) -> float:
    return 100 * split["memory"] / room(PLANS[plan].machine)


def named(split) -> str:
    """Return a row of `splits` in words."""
    more = [f"{split['virtual']:.0f} pieces"] if split["virtual"] > 1 else []
    more += [f"{what} {split[axis]:.0f}" for axis, what in (("cp", "context"), ("ep", "experts over")) if split[axis] > 1]
    return f"{split['tp']:.0f} × {split['pp']:.0f}{''.join(f', {one}' for one in more)}, {split['dp']:,.0f} copies"


def _ranking(place: int, many: int, chosen, fastest, plan: str) -> str:
    held = _of(chosen["memory"], room(PLANS[plan].machine))
    first = f"Place {place} of {many:,}: {named(chosen)}: {chosen['seconds']:.4g} s a step, {held}"
    if place == 1:
        return f"{first}, MFU {units.portion(chosen['mfu'])}. The fastest that fits."
    late = chosen["seconds"] / fastest["seconds"] - 1
    return f"{first}; {100 * late:.1f} % behind the fastest, {named(fastest)}."


# ---- against measurements

PREDICTED = "fl.training_step"


def _paper_chart():
    x = charts.names("parameters", against_paper()["model"].tolist(), channel="X", title="parameters of the model")

    def time(field):
        return charts.y(field, (2, 200), title="time (logarithmic)", unit="s", log=10)

    return against.chart(x, time, {PREDICTED: (charts.OTHER, charts.SOLID)}, errors=(-30, 30), description=(
        f"Above, the time of a step of ten models on up to {GPUS:,} A100, measured as diamonds, predicted as bars. Below, "
        "the error: the small models are predicted up to a fifth too slow, from 39 billion parameters on it is a few per cent."))


@lab("steps-against-paper", title="A step of training against the paper's", tier="all", controls=(), chart=_paper_chart,
     leaves_out="The paper prints operations a second; the seconds follow by its own formula. It does not print the size of "
                "micro-batches nor the pieces of a stage: one is taken for both. The constants were fitted on these steps among "
                "others.",
     sources=["megatron-sc21"])
def steps_against_paper():
    """The large models are predicted well, the small ones too slow."""
    found, missed = against_paper(), off()
    table = against.table("parameters", {PREDICTED: (found["model"], found["predicted"], found["measured"])})
    return table, (f"Off by {100 * np.abs(missed).mean():.0f} % on average, by {100 * np.abs(missed[-5:]).max():.0f} % at most "
                   f"for the five largest; with constants that never saw this paper, by {100 * held_out():.0f} % on average.")
