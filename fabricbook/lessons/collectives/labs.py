"""A schedule step by step, who talks to whom, and what a step costs."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from fabriclib import units
from fabriclib.collectives import Schedule, schedule
from fabriclib.collectives.moves import ADD
from fabriclib.measurements import error, percent
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from ...stage.words import joined
from . import stops
from .tables import fitted_step, staircase

RANKS = range(4, 9)
MOST_STEPS = 2 * (max(RANKS) - 1)  # a ring's; no other takes more
_ROWS = list(range(max(RANKS)))
_ALGORITHMS = ["all_reduce, ring", "all_reduce, recursive_doubling", "all_reduce, rabenseifner", "all_reduce, two_shot",
               "all_reduce, double_tree", "reduce_scatter, ring", "all_gather, ring", "all_gather, recursive_doubling",
               "all_gather, bruck", "all_gather, neighbour_exchange", "broadcast, binomial", "broadcast, scatter_allgather",
               "reduce, binomial"]
_PAPERS = ["patarasuk-yuan", "thakur-2005", "mpich-coll", "ompi-coll", "bruck-1997", "sanders-2009", "nccl-sym-kernels"]
_START = {
    "all_gather": "every rank r holds chunk r and nothing else",
    "broadcast": "rank 0 holds the buffer, the others nothing",
}
_END = {
    "all_reduce": "every rank holds the sum of all {p} buffers",
    "reduce_scatter": "every rank r holds chunk r of the sum; the rest is left over",
    "all_gather": "every rank holds all {p} chunks",
    "broadcast": "every rank holds the buffer of rank 0",
    "reduce": "rank 0 holds the sum of all {p} buffers; the rest is left over",
}


@functools.cache
def _schedule(algorithm: str, ranks: int) -> Schedule:
    collective, name = algorithm.split(", ")
    return schedule(collective, name, ranks=ranks)


def contributions(plan: Schedule) -> np.ndarray:
    """Return how many ranks' data each cell holds, by (step, rank, chunk): the schedule run on arrays of ones."""
    each = 1 if plan.collective == "all_gather" else plan.slots
    ones = [np.ones(each, dtype=int) for _ in range(plan.ranks)]
    return np.stack([state[: plan.ranks, :, 0].copy() for state in plan.states(ones)])


def arrivals(plan: Schedule, step: int) -> dict[tuple[int, int], list[int]]:
    """Return {(rank, chunk): the ranks it comes from} for what arrives in *step*, counted from 1."""
    row, chunk = plan.moves.chunks(plan.slots)
    found: dict[tuple[int, int], list[int]] = {}
    for r, c in zip(row.tolist(), chunk.tolist(), strict=True):
        if plan.step[r] == step - 1:
            found.setdefault((int(plan.moves.dst[r]), c), []).append(int(plan.moves.src[r]))
    return found


def _stepper_chart():
    import altair as alt

    height, of_row = 46 * len(_ROWS), functools.partial(parts.of_row, len(_ROWS))
    axis = alt.Axis(labels=False, ticks=False, grid=False, titlePadding=26)
    x = charts.x("from", (0, 1), title="chunk of the buffer").axis(axis)
    y = charts.names("rank", _ROWS)
    shades = alt.Scale(domain=[0, 1], range=[charts.PAPER, charts.CHIP], interpolate="rgb")
    filled = alt.Color("complete:Q", legend=None, scale=shades)
    cells = charts.live().mark_rect(stroke=charts.FAINT, strokeWidth=1).encode(x=x, x2="to:Q", y=y, color=filled)
    arrived = "datum['arrived from'] != ''"
    border = charts.live().mark_rect(filled=False, stroke=charts.BLACK, opacity=1).encode(
        x=x, x2="to:Q", y=y, strokeWidth=alt.condition(arrived, alt.value(4.5), alt.value(0)))
    middle = charts.x("middle", (0, 1), title="chunk of the buffer").axis(axis)
    ink = alt.condition("datum.complete > 0.8", alt.value(charts.PAPER), alt.value(charts.INK))
    number = charts.live().mark_text(fontSize=of_row(0.38, 17), fontWeight="bold", dy=of_row(-0.16, 6)).encode(
        x=middle, y=y, text="contributions:N", color=ink)
    tick = charts.live().mark_text(fontSize=of_row(0.33, 15), dx=15, dy=of_row(-0.16, 7)).encode(
        x=middle, y=y, text="tick:N", color=ink)
    sender = charts.live().mark_text(fontSize=of_row(0.28, 13), dy=of_row(0.28, 12)).encode(
        x=middle, y=y, text="arrived from:N", color=ink)
    names = charts.live().mark_text(fontSize=14, color=charts.INK).encode(
        x=middle, y=alt.value(alt.ExprRef("height + 15")), text="column:N")
    return charts.stack(cells, border, number, tick, sender, names, height=height, description=(
        "A matrix with a row for each rank and a column for each chunk. The number in a cell, and its shade, is how many ranks' "
        "data it holds; a tick says that it is complete. A thick border marks a cell that something arrived in now."))


@lab("stepper", title="A collective, step by step", tier="chip",
     controls=[Control("algorithm", _ALGORITHMS, default="all_reduce, ring", as_="menu"),
               Control("ranks", RANKS, default=8, unit="ranks"),
               Control("step", range(MOST_STEPS + 1), default=3, as_="steps",
                       until=lambda algorithm, ranks: _schedule(algorithm, ranks).moves.steps)],
     chart=_stepper_chart,
     leaves_out="Time: here all messages of a step start and end together. In a real library each rank goes on as soon as its "
                "own data is there, and large chunks are cut up further so that they flow.",
     hides=("from", "to", "middle", "column", "tick"),
     sources=_PAPERS, glides=["complete"], stops=stops.STEPPER)
def stepper(algorithm, ranks, step):
    """Which chunk is where after each step, and how many ranks' data it holds."""
    plan = _schedule(algorithm, ranks)
    held = contributions(plan)[step]
    return matrix(held, _full(plan), arrivals(plan, step)), f"{_told(plan, step, held)} {_in_all(plan)}"


def matrix(held: np.ndarray, full: int, new: dict[tuple[int, int], list[int]]) -> dict:
    """Return the stepper's table.

    Args:
        held: how many ranks' data each cell holds, by (rank, chunk).
        full: how many a complete one holds.
        new: the ranks that sent what has just arrived, by (rank, chunk).
    """
    ranks, slots = held.shape
    cells = [(r, c) for r in range(ranks) for c in range(slots)]
    return {
        "rank": [r for r, _ in cells], "chunk": [c for _, c in cells],
        "contributions": [int(held[cell]) for cell in cells],
        "arrived from": [_senders(new[cell]) if cell in new else "" for cell in cells],
        "complete": [float(held[cell] / full) for cell in cells],
        "tick": ["✓" if held[cell] == full else "" for cell in cells],
        "from": [c / slots for _, c in cells], "to": [(c + 1) / slots for _, c in cells],
        "middle": [(c + 0.5) / slots for _, c in cells], "column": [str(c) if r == 0 else "" for r, c in cells],
    }


def _full(plan: Schedule) -> int:
    """The contributions that a complete cell holds: those of all ranks, or one where nothing is added."""
    return plan.ranks if np.any(plan.moves.op == ADD) else 1


def _senders(ranks: list[int]) -> str:
    return f"← {ranks[0]}" if len(ranks) == 1 else f"← {len(ranks)} ranks"


def _told(plan: Schedule, step: int, held: np.ndarray) -> str:
    """What happens in *step*, told by the message of the lowest rank that sends."""
    last, end = plan.moves.steps, _END[plan.collective].format(p=plan.ranks)
    if step == 0:
        start = _START.get(plan.collective, f"every rank holds its own buffer, 1 of {plan.ranks} contributions")
        return f"Before the first of {last} steps: {start}."
    now = plan.moves.where(plan.step == step - 1)
    first = int(np.argmin(now.src))
    src, dst, size = int(now.src[first]), int(now.dst[first]), int(now.size[first])
    chunks = (int(now.chunk[first]) + np.arange(size)) % plan.slots
    others = len(now) - 1
    beside = f"; {counted(others, 'more message')} {'travels' if others == 1 else 'travel'} at the same time" if others else ""
    told = (f"Step {step} of {last}: rank {src} sends {_named(chunks, plan.slots)} to rank {dst}, "
            f"which then {_has(plan, held[dst], chunks)}{beside}.")
    return f"{told} Finished: {end}." if step == last else told


def _named(chunks: np.ndarray, slots: int) -> str:
    if len(chunks) == slots:
        return "the whole buffer"
    listed = [str(c) for c in chunks]
    return f"chunk {listed[0]}" if len(listed) == 1 else f"chunks {', '.join(listed[:-1])} and {listed[-1]}"


def _has(plan: Schedule, row: np.ndarray, chunks: np.ndarray) -> str:
    if _full(plan) > 1:
        return f"holds {row[chunks[0]]} of {plan.ranks} contributions to it"
    return f"holds {np.count_nonzero(row)} of {plan.slots} chunks" if plan.slots > 1 else "holds it too"


def _in_all(plan: Schedule) -> str:
    return f"In all: {plan.moves.steps} steps, and a rank sends {_sent(plan)}."


def _shares(plan: Schedule) -> np.ndarray:
    """What each message carries, as a share of the buffer."""
    return plan.moves.size * plan.moves.repeat * plan.share


def _sent(plan: Schedule) -> str:
    sent = np.bincount(plan.moves.src, _shares(plan), minlength=plan.ranks)
    return f"{_range(sent, lambda share: f'{share:.4g}')} times the buffer"


def _range(values: np.ndarray, text) -> str:
    return joined(text(values.min()), text(values.max()))


_ALL = "every chunk"
_CHUNKS = [f"chunk {c}" for c in range(max(RANKS))]
_DOES = {"adds to what is there": (charts.CHIP, charts.SOLID), "copies": (charts.OTHER, charts.DASHED)}


def _talk_chart():
    import altair as alt

    # As wide as the schedule: beside the longest one, a short one would be too narrow to follow.
    blank = alt.Axis(labels=False, ticks=False, grid=False, titlePadding=26)
    x, middle = (charts.x(field, (0, 1), title="time, in steps").axis(blank) for field in ("from", "middle"))
    y = charts.names("sender", _ROWS).axis(alt.Axis(title="rank", grid=True))
    shares = "datum.value == 1 ? 'whole buffer' : datum.value == 0.5 ? 'half' : 'an eighth'"
    legend = alt.Legend(title=None, orient="bottom", values=[0.125, 0.5, 1], labelExpr=shares, symbolType="stroke",
                        symbolSize=500)
    width = alt.StrokeWidth("share of buffer:Q", legend=legend, scale=alt.Scale(domain=[0, 1], range=[1.5, 5]))
    seen = alt.condition("datum.followed == 'yes'", alt.value(0.95), alt.value(0.12))
    ends = {"x": x, "x2": "to:Q", "y": y, "y2": "receiver:N"}
    lines = charts.live().mark_rule(strokeCap="round").encode(
        strokeWidth=width, opacity=seen, **ends, **charts.series("does", _DOES))
    wide = charts.live().mark_rule(strokeWidth=14, stroke="transparent").encode(**ends)  # a thin line is hard to click
    begins = charts.live().transform_filter("datum.step != ''")
    columns = begins.mark_rule(color=charts.GRID).encode(x=x)
    numbers = begins.mark_text(fontSize=alt.ExprRef(f"{charts.NARROW} ? 11 : 14"), color=charts.INK).encode(
        x=middle, y=alt.value(alt.ExprRef("height + 14")), text="step:N")
    return charts.stack(columns, lines, wide, numbers, height=360, description=(
        "A line for every message, from its sender when it leaves to its receiver one step later; ranks one below the other, "
        "time to the right. The wider a line, the more of the buffer it carries. Solid lines are added up, dashed ones copied."))


@lab("who-talks", title="Who talks to whom", tier="chip",
     controls=[Control("algorithm", _ALGORITHMS, default="all_reduce, recursive_doubling", as_="menu"),
               Control("ranks", RANKS, default=8, unit="ranks"),
               Control("follow", [_ALL, *_CHUNKS], default=_ALL, picks="carries",
                       until=lambda algorithm, ranks: _CHUNKS[_schedule(algorithm, ranks).slots - 1])],
     chart=_talk_chart,
     leaves_out="The wiring: a line is as long between neighbours as between far ranks, and crossing lines may need the same "
                "cable. Every step is drawn equally wide, however much it carries.",
     hides=("followed", "from", "to", "middle", "step"),
     sources=_PAPERS, stops=stops.WHO_TALKS)
def who_talks(algorithm, ranks, follow):
    """All messages of a schedule at one glance: rings, butterflies, trees."""
    plan = _schedule(algorithm, ranks)
    moves = plan.moves
    row, chunk = moves.chunks(plan.slots)
    carriers = np.unique(row if follow == _ALL else row[chunk == _CHUNKS.index(follow)])
    share = _shares(plan)
    table = {
        "leaves": moves.step, "arrives": moves.step + 1,
        "sender": moves.src, "receiver": moves.dst,
        "share of buffer": share, "does": [list(_DOES)[0 if op == ADD else 1] for op in moves.op],
        "followed": np.where(np.isin(np.arange(len(moves)), carriers), "yes", "no"),
        "carries": [_CHUNKS[first] for first in moves.chunk % plan.slots],
        "from": moves.step / moves.steps, "to": (moves.step + 1) / moves.steps, "middle": (moves.step + 0.5) / moves.steps,
        "step": np.where(np.append(True, np.diff(moves.step) > 0), (moves.step + 1).astype(str), ""),
    }
    part = _range(share, lambda s: str(Fraction(s).limit_denominator(64)))
    size = "the whole buffer" if part == "1" else f"{part} of the buffer"
    traced = "" if follow == _ALL else f" {follow.capitalize()} is in {len(carriers)} of the messages."
    return table, (f"{algorithm} on {ranks} ranks: {moves.steps} steps, {len(moves)} messages of {size} each; a rank sends "
                   f"{_sent(plan)}.{traced}")


_LONGEST = 60 * units.us


def _staircase_chart():
    import altair as alt

    x = charts.x("steps", (0, MOST_STEPS + 2), title="steps of the ring", ticks=range(0, MOST_STEPS + 3, 2))
    y = charts.y("model", (0, _LONGEST), title="time of one all-reduce", unit="s", ticks=[k * 10 * units.us for k in range(7)])
    rows = [{"steps": int(s), "model": float(t), "label": f"{p} GPUs"} for p, s, t in zip(*staircase(), strict=True)]
    points = charts.fixed(rows)
    last = f"{charts.NARROW} && datum.steps == {MOST_STEPS}"  # has no room at its right, and its neighbour's diamond at its left
    names = charts.legible(points.encode(x=x, y=y, text="label:N"), align="left", dy=alt.ExprRef(f"{last} ? -16 : 19"),
                           dx=alt.ExprRef(f"{last} ? -20 : 4"))
    return charts.stack(charts.line(x, y, colour=charts.CHIP), charts.diamonds(points, x, y), names, description=(
        "Time of one small all-reduce against the steps of the ring. Diamonds: measured on 2 to 8 GPUs, on a straight line "
        "that does not start at zero. A blue line: what the two sliders say."))


@lab("staircase", title="What a step costs", tier="chip",
     controls=[Control("base", [k / 2 * units.us for k in range(17)], default=0.0, label="before the first step", unit="s"),
               Control("per_step", [k / 5 * units.us for k in range(2, 19)], default=3 * units.us, label="each step", unit="s")],
     chart=_staircase_chart,
     leaves_out="Bytes: the messages are 8 to 128 bytes, so their size costs nothing. One channel only; which of NCCL's "
                "protocols carried them is not stated.",
     sources=["nccl-tests-123", "patarasuk-yuan"], stops=stops.STAIRCASE)
def step_cost(base, per_step):
    """A measured all-reduce costs a fixed start and then the same for every step."""
    gpus, steps, seconds = staircase()
    errors = error(base + per_step * steps, seconds)
    worst = int(np.argmax(np.abs(errors)))
    line = np.arange(MOST_STEPS + 1)
    return {"steps": line, "model": base + per_step * line}, (
        f"{units.format(base, 's')} and {units.format(per_step, 's')} a step: {units.format(base + per_step * steps[-1], 's')} "
        f"for {gpus[-1]} GPUs, measured {units.format(seconds[-1], 's')}. The worst of the {len(gpus)} points is that of "
        f"{gpus[worst]} GPUs, with an error of {percent(errors[worst])}.")


_FITTED = {"fixed start and equal steps": (charts.CHIP, charts.SOLID)}


def _fitted_chart():
    def time(field):
        return charts.y(field, (0, 40 * units.us), title="time of one all-reduce", unit="s",
                        ticks=[k * 10 * units.us for k in range(5)])

    x = charts.x("steps", (0, MOST_STEPS + 2), title="steps of the ring", ticks=range(0, MOST_STEPS + 3, 2))
    return against.chart(x, time, _FITTED, errors=(-10, 10), description=(
        "The straight line with the least squared error through the seven measured times, and below it the error of each."))


@lab("staircase-fitted", title="Two constants, seven measured times", tier="chip", controls=(), chart=_fitted_chart,
     leaves_out="Why the two constants are what they are: they are fitted to these seven points.",
     sources=["nccl-tests-123", "patarasuk-yuan"])
def staircase_fitted():
    """Counting steps and fitting two constants describes all seven times."""
    gpus, steps, seconds = staircase()
    base, per_step = fitted_step()
    model = base + per_step * steps
    worst = max(error(model, seconds), key=abs)
    return against.table("steps", dict.fromkeys(_FITTED, (steps, model, seconds))), (
        f"{units.format(base, 's')} before the first step and {units.format(per_step, 's')} for each: for {gpus[0]} to "
        f"{gpus[-1]} GPUs the error is at most {units.portion(abs(worst))}.")
