"""Collectives between the processes of one computer, recorded before, or measured now on the learner's own."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from fabriclib import catalog, measure, units
from fabriclib.collectives import collective_time
from fabriclib.links import AlphaBeta
from fabriclib.measurements import percent

from ...stage import Control, Lab, charts, lab

_MESSAGE, _OWN = "one message", "MPI's own (marks only)"
NAMES = {"direct": _MESSAGE, "ring": "ring", "recursive_doubling": "recursive doubling", measure.OWN: _OWN}
_STYLES = {"ring": (charts.SERVER, charts.SOLID), "recursive doubling": (charts.CHIP, charts.DASHED),
           _MESSAGE: ("#777777", charts.DOTTED), _OWN: (charts.OTHER, charts.DASH_DOT)}
_SHAPES = ["circle", "square", "cross", "triangle-up"]
_ALL = "all"
SMALL = 64 * units.KiB
BUSY = 5  # times the start of the recorded run, whose four processes shared two idle cores


def recorded(ranks: int) -> list[dict]:
    """Return the rows of a run recorded on a computer of two cores, as `measure.Measurement.rows` holds them."""
    return [{column: (cells | {"nodes": 1})[column] for column in measure.COLUMNS}
            for cells in catalog.rows("own_runs") if cells["ranks"] == ranks]


def overlay(rows: list[dict], shown: str = _ALL) -> tuple[dict, str]:
    """Return (table, sentence): times measured, beside what the message times alone predict.

    Args:
        rows: as `measure.Measurement.rows` holds them, messages first.
        shown: one of the names in the chart's legend, or "all".

    Raises:
        ValueError: fewer than two sizes of the plain message, which alpha and beta are fitted to.
    """
    messages = [row for row in rows if row["algorithm"] == measure.MESSAGE[1]]
    if len(messages) < 2:
        raise ValueError("rows must hold at least two sizes of the plain message; the first ones are still to come.")
    line = _line(messages)
    model = [_model(row, line) for row in rows]
    wanted = [i for i, row in enumerate(rows) if shown in (_ALL, NAMES[row["algorithm"]])]
    table = {"what": [NAMES[rows[i]["algorithm"]] for i in wanted], "message": [rows[i]["nbytes"] for i in wanted],
             "measured (s)": [rows[i]["seconds"] for i in wanted], "model (s)": [model[i] for i in wanted],
             "error": ["" if np.isnan(model[i]) else percent(model[i] / rows[i]["seconds"] - 1) for i in wanted]}
    return table, f"{line!r}".strip("<>").replace("AlphaBeta: ", "One message takes ") + f". {_busy(line)}{_told(rows, model)}"


def _line(messages: list[dict]) -> AlphaBeta:
    return AlphaBeta.fit([row["nbytes"] for row in messages], [row["seconds"] for row in messages])


def _busy(line: AlphaBeta) -> str:
    """A warning where a message takes so long to start that the processes must have waited for a core; else an empty text."""
    usual = _line([row for row in recorded(4) if row["algorithm"] == measure.MESSAGE[1]]).alpha
    if line.alpha < BUSY * usual:
        return ""
    return (f"That start is {line.alpha / usual:.0f} times the {units.format(usual, 's')} of the recorded run: the processes "
            "wait for a core, because the computer is busy or has too few. Measure again when it idles, or with fewer of them. ")


def _model(row: dict, line: AlphaBeta) -> float:
    """The seconds that alpha and beta of one message give for a row; none where nobody says which algorithm ran."""
    if row["algorithm"] == measure.OWN:
        return np.nan
    return float(collective_time(row["collective"], row["algorithm"], nbytes=row["nbytes"], ranks=row["ranks"],
                                 alpha=line.alpha, beta=line.beta))


def _told(rows, model) -> str:
    """How far the model is off, for small and for large buffers: it never saw these times."""
    errors = {}
    for row, predicted in zip(rows, model, strict=True):
        if row["collective"] != measure.MESSAGE[0] and not np.isnan(predicted):
            size = "up to" if row["nbytes"] <= SMALL else "above"
            errors.setdefault((NAMES[row["algorithm"]], size), []).append(abs(predicted / row["seconds"] - 1))
    if not errors:
        return "The collectives are still to come."
    said = [f"{name} {size} {units.format(SMALL)}: {round(100 * np.mean(off))} %" for (name, size), off in errors.items()]
    return f"From that alone the model misses, on average, {'; '.join(said)}."


def _chart():
    x = charts.x("message", (measure.SMALLEST, measure.LARGEST), title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, (1e-6, 1e-1), title="time (logarithmic)", unit="s", log=10)

    lines = charts.live().mark_line(strokeWidth=3).encode(x=x, y=y("model (s)"), **charts.series("what", _STYLES))
    marks = [charts.live().transform_filter(f"datum.what === {json.dumps(what)}").mark_point(
        shape=shape, color=colour, size=110, filled=True, opacity=1, stroke="black", strokeWidth=1).encode(
        x=x, y=y("measured (s)")) for (what, (colour, _)), shape in zip(_STYLES.items(), _SHAPES, strict=True)]
    return charts.stack(lines, *marks, height=380, description=(
        "Time against buffer size, both logarithmic. Marks are measured between processes of one computer; lines are what the "
        "time of one message predicts for a ring and for recursive doubling. MPI's own choice has marks only."))


@lab("your-machine", title="Collectives on one computer", tier="server",
     controls=[Control("processes", [2, 4], default=4, as_="menu"),
               Control("shown", [_ALL, *_STYLES], default=_ALL, as_="menu")],
     chart=_chart,
     leaves_out="Adding, which costs time of its own; caches, which hold small buffers and not large ones; and that four "
                "processes had two cores. Ring and recursive doubling are played by Python, message by message, so their start "
                "is Python's; MPI's own runs in C.",
     sources=["thakur-2005"])
def your_machine(processes, shown):
    """The same law on the smallest cluster there is: the processes of one computer."""
    return overlay(recorded(processes), shown)


# ---- the learner's own computer ----

def measure_here():
    """Return the box that measures the computer it runs on; without the extra `measure` it says how to get it."""
    from ...stage.measuring import MeasureBox

    rows = recorded(4)

    def mine(shown):
        return overlay(rows, shown)

    shown = tuple(control for control in your_machine.declaration.controls if control.name == "shown")
    mine.declaration = replace(your_machine.declaration, title="Collectives on this computer", controls=shown, function=mine)
    return MeasureBox(Lab(mine), rows)
