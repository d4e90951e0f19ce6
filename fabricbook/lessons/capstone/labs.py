"""A plan's four margins, first by its machines and split, then by its network; and all plans of a brief as dots."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fabriclib import units
from fabriclib.capstone import OPTIONS, Plan, Score, brief
from fabriclib.capstone.score import LIMITS
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from . import stops
from .tables import (
    BRIEFS,
    DENSE,
    EDGE,
    H100,
    MACHINES,
    NAMES,
    NETWORKS,
    OF_TRILLION,
    SPLIT,
    SPLITS,
    least,
    networked,
    planned,
    rests_on,
    scored,
    usual,
    wired,
    words,
)

# ---- the margins of a plan

_LEAST, _MOST = 1 / 8, 8.0
ENOUGH, SHORT, BINDS = "enough", "too little", "binds"
_STATES = [ENOUGH, SHORT, BINDS]
_FILLS = [charts.PALE, charts.VERMILION_TINT, charts.VERMILION_TINT]  # on which what is written can be read
_EDGES = [charts.EDGE, charts.EDGE, charts.LIMIT]
_BLANK = {"part": "", "row": "", "from": np.nan, "to": np.nan, "state": "", "seen": 1.0, "text": ""}


class Change(NamedTuple):
    """The best value of one control, with all others left: its row in the picture, the control, the value, its score."""

    row: str
    control: str
    value: object
    said: str
    score: float


def _margins_chart(rows: list[str]):
    import altair as alt

    x, end = (charts.x(field, (_LEAST, _MOST), log=2, ticks=[0.125, 0.25, 0.5, 1, 2, 4, 8],
                       title="margin: allowed over needed (logarithmic)") for field in ("from", "to"))
    y = charts.names("row", [*LIMITS, *rows], title=" ")
    place = {"x": x, "x2": "to:Q", "y": y}
    key = charts.legend(_STATES, symbolSize=170, symbolType="square", symbolStrokeWidth=2)
    bars = parts.of("bar").mark_bar(height={"band": 0.66}).encode(
        fill=alt.Fill("state:N", legend=key, scale=alt.Scale(domain=_STATES, range=_FILLS)),
        stroke=alt.Stroke("state:N", legend=key, scale=alt.Scale(domain=_STATES, range=_EDGES)),
        strokeWidth=alt.condition(f"datum.state == '{BINDS}'", alt.value(4), alt.value(1)),
        opacity=alt.Opacity("seen:Q", legend=None, scale=None), **place)
    ways = parts.of("change").mark_rule(color=charts.OTHER, strokeWidth=3, strokeDash=charts.DOTTED).encode(**place)
    ends = parts.of("change").mark_point(shape="triangle-right", filled=True, opacity=1, size=220, color=charts.OTHER,
                                         stroke=charts.EDGE).encode(x=end, y=y)
    enough = charts.fixed([{"from": 1.0}]).mark_rule(color=charts.INK, strokeWidth=2.5).encode(x=x)
    texts = parts.of("bar", "none").mark_text(align="left", dx=8, color=charts.INK, fontSize=alt.ExprRef(
        f"{charts.NARROW} ? 12 : 14")).encode(x=alt.value(0), y=y, text="text:N")
    helps = charts.legible(parts.of("change").encode(x=end, y=y, text="text:N"), **charts.beside(end, 14, "text"))
    return charts.stack(enough, bars, ways, ends, texts, *helps, height=360, description=(
        "A bar for each limit of the brief: what is allowed over what the plan needs, with a line at 1. The limit that binds has "
        "a broad coloured edge. Below, for each control but the brief, an arrow from the smallest margin of this plan to the "
        "smallest margin after the change of that control which helps most."))


def _margins(found: Score, changes: Iterable[Change], controls: dict) -> dict[str, list]:
    """Return the live table of a score, and of the changes that would help, by their rows."""
    rows = []
    for limit in LIMITS:
        margin = _known(found, limit) if found.impossible else found.margins[limit]
        state = BINDS if limit == found.binding and not found.impossible else ENOUGH if margin >= 1 else SHORT
        rows.append({"part": "bar", "row": limit, "from": _LEAST, "to": _inside(margin), "state": state,
                     "seen": 0.4 if found.impossible else 1.0,
                     "text": _of(found, limit, margin) if margin else "not possible so"})
    here = _inside(found.value)
    for change in changes:
        if change.score > found.value * 1.001:
            rows.append({"part": "change", "row": change.row, "from": here, "to": _inside(change.score),
                         "text": f"{change.said}: {change.score:.2f}", change.control: change.value})
        else:
            rows.append({"part": "none", "row": change.row, "text": "none is better"})
    return parts.columns(rows, _BLANK | controls)


def _of(found: Score, limit: str, margin: float) -> str:
    """What the plan needs of what is allowed, as short as a bar is on a narrow page."""
    needed = found.needs[limit]
    if limit == "GPUs":
        return f"{needed:,.0f} of {needed * margin:,.0f}"
    unit = {"time": "s", "memory": "B", "power": "W"}[limit]
    return " of ".join(units.format(amount, unit) for amount in (needed, needed * margin))


def _known(found: Score, limit: str) -> float:
    """Return the margin of a plan that cannot be built so, where the limit can be counted all the same; else 0."""
    allowed = {"power": found.brief.watts, "GPUs": found.brief.gpus}.get(limit, 0.0)
    return allowed / found.needs[limit] if found.needs[limit] else 0.0


def _inside(margin: float) -> float:
    return float(np.clip(margin, _LEAST, _MOST))


def _verdict(found: Score) -> str:
    """What a score says of a plan; which limit it is, is what the picture shows."""
    if found.impossible:
        return f"0 of {len(LIMITS)} limits are kept. {found.why()}"
    kept = sum(margin >= 1 for margin in found.margins.values())
    return (f"{'It passes' if found.passes else 'It fails'}: {kept} of {len(LIMITS)} limits are kept, and the smallest margin is "
            f"{found.value:.2f}.")


def _best(row: str, control: str, worth: dict, now, text=str) -> Change:
    """Return the change of a control from *now* that is worth most, of {value: the smallest margin with it}."""
    others = {value: margin for value, margin in worth.items() if value != now}
    value = max(others, key=others.__getitem__)
    return Change(row, control, value, text(value), float(others[value]))


MACHINE_ROWS = ["another machine", "other GPUs", "another split"]


@lab("your-cluster", title="Machines and a split", tier="all",
     controls=[Control("job", list(BRIEFS), default=DENSE, label="brief", as_="menu"),
               Control("machine", list(MACHINES), default=H100, as_="menu", picks="machine"),
               Control("gpus", OPTIONS["gpus"], default=2048, label="GPUs", as_="steps", picks="gpus"),
               Control("split", list(SPLITS), default=SPLIT, label="tensor × stages", as_="steps", picks="split")],
     chart=lambda: _margins_chart(MACHINE_ROWS),
     leaves_out="Everything of the network and the spares: rails that are not narrowed, modules, and {{ USUAL['spare'] }} spare "
                "servers. Cooling, and what is lost before the rack. Micro-batches, turns in the pipeline, sharing of experts "
                "and recomputation are the fastest that fit.",
     hides=("from", "machine", "gpus", "split"),
     sources=["megatron-sc21", "llama3", "nvidia-mms4x00"], stops=stops.YOUR_CLUSTER)
def your_cluster(job, machine, gpus, split):
    """Four limits, and the one that binds: more of what does not bind helps nothing."""
    id, plan = BRIEFS[job], planned(machine, gpus, split)  # noqa: A001
    systems, counts, splits = brief(id).systems, OPTIONS["gpus"], list(SPLITS)
    worth = np.zeros((len(MACHINES), len(counts), len(splits)))
    worth[[list(NAMES).index(one) for one in systems]] = least(usual(id)).reshape(len(systems), len(counts), len(splits))
    m, g, s = list(MACHINES).index(machine), counts.index(gpus), splits.index(split)
    changes = [_best(MACHINE_ROWS[0], "machine", dict(zip(MACHINES, worth[:, g, s], strict=True)), machine),
               _best(MACHINE_ROWS[1], "gpus", dict(zip(counts, worth[m, :, s], strict=True)), gpus, "{:,} GPUs".format),
               _best(MACHINE_ROWS[2], "split", dict(zip(splits, worth[m, g], strict=True)), split)]
    found = scored(id, plan)
    return _margins(found, changes, {"machine": "", "gpus": np.nan, "split": ""}), f"{words(plan)}. {_verdict(found)}"


NETWORK_ROWS = ["another network", "other optics", "other spares"]


@lab("its-network", title="Network, optics, spares", tier="cluster",
     controls=[Control("plan", list(EDGE), default=OF_TRILLION, as_="menu"),
               Control("network", list(NETWORKS), default="rails", as_="menu", picks="network"),
               Control("optics", OPTIONS["optics"], default="modules", as_="menu", picks="optics"),
               Control("spare", OPTIONS["spare"], default=2, unit="servers", as_="steps", picks="spare")],
     chart=lambda: _margins_chart(NETWORK_ROWS),
     leaves_out="Machines, GPUs and splits, which stay as they are in each plan. A spare server draws what a busy one draws; a "
                "leaf that fails stops the job, unless each NIC reaches another.",
     hides=("from", "network", "optics", "spare"),
     sources=["llama3", "nvidia-mms4x00", "nvidia-qm97xx"], stops=stops.ITS_NETWORK)
def its_network(plan, network, optics, spare):
    """A plan on the edge: here spare servers and the network decide, and the optics hardly do."""
    id, chosen = EDGE[plan][0], networked(plan, network, optics, spare)  # noqa: A001
    worth = np.moveaxis(least(wired(plan))[0, 0, 0, 0], 1, 0).reshape(len(NETWORKS), len(OPTIONS["optics"]), -1)
    n, o, s = list(NETWORKS).index(network), OPTIONS["optics"].index(optics), OPTIONS["spare"].index(spare)
    changes = [_best(NETWORK_ROWS[0], "network", dict(zip(NETWORKS, worth[:, o, s], strict=True)), network),
               _best(NETWORK_ROWS[1], "optics", dict(zip(OPTIONS["optics"], worth[n, :, s], strict=True)), optics),
               _best(NETWORK_ROWS[2], "spare", dict(zip(OPTIONS["spare"], worth[n, o], strict=True)), spare, "{} servers".format)]
    found = scored(id, chosen)
    return _margins(found, changes, {"network": "", "optics": "", "spare": np.nan}), (
        f"{words(chosen)}; {network}, {optics}, {counted(spare, 'spare server')}. {_verdict(found)}")


# ---- all plans of a brief

_LOW, _HIGH = 12.5, 800.0  # per cent of what is allowed, of time and of power
NOTHING = "nothing"
_SIGNS = dict(zip(MACHINES, [(charts.OTHER_2, "circle"), (charts.BLUE, "square"), (charts.ORANGE, "triangle-up"),
                             (charts.GREEN, "cross")], strict=True))


def _plans_chart():
    import altair as alt

    ticks = [12.5, 25, 50, 100, 200, 400, 800]
    x = charts.x("days (%)", (_LOW, _HIGH), log=2, ticks=ticks, title="time, % of what is allowed (logarithmic)")
    y = charts.y("watts (%)", (_LOW, _HIGH), log=2, ticks=ticks, title="power, % of what is allowed")
    colours, shapes = zip(*_SIGNS.values(), strict=True)
    key = charts.legend(list(_SIGNS), symbolSize=130)
    kind = {"field": "machine", "type": "nominal", "legend": key}
    box = charts.fixed([{"days (%)": _LOW, "to": 100.0, "watts (%)": _LOW, "top": 100.0}]).mark_rect(
        color=charts.YELLOW_TINT, opacity=0.8).encode(x=x, x2="to:Q", y=y, y2="top:Q")
    dots = parts.of("plan").mark_point(filled=True, stroke=charts.INK, strokeWidth=1).encode(
        x=x, y=y, size=alt.Size("size:Q", legend=None, scale=None), opacity=alt.Opacity("seen:Q", legend=None, scale=None),
        color=alt.Color(**kind, scale=alt.Scale(domain=list(_SIGNS), range=list(colours))),
        shape=alt.Shape(**kind, scale=alt.Scale(domain=list(_SIGNS), range=list(shapes))))
    rings = parts.of("ring").mark_point(size=300, strokeWidth=2, opacity=1, color=charts.LIMIT).encode(x=x, y=y)
    chosen = parts.of("chosen").mark_point(size=520, strokeWidth=3, opacity=1, color=charts.INK).encode(x=x, y=y)
    said_ = charts.legible(charts.fixed([{"days (%)": _LOW, "watts (%)": 100.0, "text": "passes"}]).encode(
        x=x, y=y, text="text:N"), align="left", dx=6, dy=12)
    return charts.stack(box, dots, rings, chosen, *said_, height=360, description=(
        "A dot for each plan whose memory suffices: its time against its power, both in per cent of what the brief allows. The "
        "plans that pass are large, in the shaded corner below 100 % of both. A ring marks those that pass another brief."))


@lab("all-plans", title="All plans of a brief", tier="all",
     controls=[Control("job", list(BRIEFS), default=DENSE, label="brief", as_="menu"),
               Control("also", [NOTHING, *BRIEFS], default=NOTHING, label="ring what passes", as_="menu"),
               Control("place", range(1, 31), default=1, label="place", as_="steps", picks="place",
                       until=lambda job, also: min(30, max(1, len(_passing(job)))))],
     chart=_plans_chart,
     leaves_out="Other networks, optics and spares than the usual: with them each dot would be a small cloud. Plans whose model "
                "does not fit into memory, and those that need more than eight times what is allowed.",
     sources=["megatron-sc21", "llama3", "nvidia-mms4x00"], stops=stops.ALL_PLANS)
def all_plans(job, also, place):
    """Very different plans pass a brief, and no plan passes all briefs."""
    rows, ranked = [], _passing(job)
    others = {key for key, *_ in _passing(also)} if also != NOTHING else set()
    places = {key: number for number, (key, *_) in enumerate(ranked[:30], 1)}
    passing = {key for key, *_ in ranked}
    for key, days, watts, _ in _plans(job):
        if max(days, watts) > _HIGH or min(days, watts) < _LOW:
            continue
        spot = {"days (%)": days, "watts (%)": watts}
        good = key in passing
        rows.append({"part": "plan", "machine": NAMES[key[0]], "size": 110.0 if good else 45.0, "seen": 1.0 if good else 0.45,
                     "place": places.get(key, np.nan)} | spot)
        if key in others:
            rows.append({"part": "ring"} | spot)
        if places.get(key) == place:
            rows.append({"part": "chosen"} | spot)
    table = parts.columns(rows, {"part": "", "machine": "", "days (%)": np.nan, "watts (%)": np.nan, "size": 0.0, "seen": 1.0,
                                 "place": np.nan})
    return table, _told(job, also, ranked, others & passing, place)


@functools.cache
def _plans(job: str) -> list[tuple]:
    """Return ((machine, GPUs, tensor, stages), time and power in % of what is allowed, whether it passes) of what fits."""
    id = BRIEFS[job]  # noqa: A001
    grid, axes = usual(id), (brief(id).systems, OPTIONS["gpus"], OPTIONS["tp"], OPTIONS["pp"])
    columns = [grid.margins[limit].reshape(-1) for limit in LIMITS]
    found = zip(itertools.product(*axes), *columns, strict=True)
    return [(key, 100 / time, 100 / power, min(time, memory, power, gpus)) for key, time, memory, power, gpus in found
            if memory >= 1 and time > 0]


@functools.cache
def _passing(job: str) -> list[tuple]:
    """Return those of `_plans` that pass, the best first."""
    return sorted((plan for plan in _plans(job) if plan[3] >= 1), key=lambda plan: -plan[3])


def _told(job: str, also: str, ranked: list, both: set, place: int) -> str:
    if not ranked:
        return "0 plans pass on the usual network."
    (name, gpus, tp, pp), days, watts, _ = ranked[place - 1]
    told = (f"{len(ranked)} of {len(_plans(job))} plans pass. Place {place}: {words(Plan(name, gpus, tp, pp))}, "
            f"{days:.0f} % of the time and {watts:.0f} % of the power.")
    if also in (NOTHING, job):
        return told
    return f"{told} {len(both) or 'None'} of them {'keep' if len(both) > 1 else 'keeps'} the other brief too."


# ---- against measurements

PREDICTED = "fl.capstone"


def _rests_chart():
    def share(field):
        return charts.y(field, (0, 160), title="% of published")

    x = charts.names("part", list(rests_on()), channel="X", title=" ")
    return against.chart(
        x, share, {PREDICTED: (charts.OTHER, charts.SOLID)}, errors=(-50, 50), fact=against.PUBLISHED, description=(
            "Five parts of a score against what was published, which is 100 %: above the model as bars and what was published as "
            "diamonds, below the error. A step and the time kept are met, the watts of a large machine at work are "
            "overestimated."))


@lab("what-a-score-rests-on", title="A score against what was published", tier="all", controls=(), chart=_rests_chart,
     leaves_out="What binds in a brief is often not what was measured here: no source prints days, watts, memory and spare "
                "servers of one cluster. The watts of {{ selene }} servers were measured under Linpack, "
                "a benchmark of arithmetic; the score takes nameplates.",
     sources=["megatron-sc21", "llama3", "llama3-card", "nvidia-basepod"])
def what_a_score_rests_on():
    """The parts of a score are met within some tens of per cent, and its watts err on the safe side."""
    found = rests_on()
    off = {name: model / published - 1 for name, (model, published) in found.items()}
    worst = max(off, key=lambda name: abs(off[name]))
    return against.named("part", PREDICTED, found, against.PUBLISHED), (
        f"Off by {100 * np.mean(np.abs(list(off.values()))):.0f} % on average, most where nameplates stand for what is drawn: "
        f"{worst}, by {100 * off[worst]:.0f} %.")
