"""The wires at a glance, one chip against a model, the first all-reduce."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.measurements import percent
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, pieces
from ...stage.words import grouped
from . import ring, stops
from .tables import CHIPS, GPUS, GRADIENT, PARAMETERS, WIRES, a100, h100, reached, ring_seconds, runs, training_seconds

_NAMES = list(WIRES)
_SIZES = [2.0**k for k in range(6, 36)]


def _tier_times(seconds: tuple[float, float], description: str):
    """One dot a wire, in its tier's colour, on a logarithmic time axis (which has no zero for a bar to start at)."""
    import altair as alt

    x = charts.x("seconds", seconds, title="time (logarithmic)", unit="s", log=10)
    y = charts.names("wire", _NAMES, title="")
    tiers = [charts.CHIP, charts.SERVER, charts.CLUSTER]
    colour = alt.Color("wire:N", legend=None, scale=alt.Scale(domain=_NAMES, range=tiers))
    dots = charts.live().mark_circle(size=420, opacity=1, stroke=charts.EDGE, strokeWidth=1).encode(x=x, y=y, color=colour)
    factors = charts.legible(charts.live().encode(x=x, y=y, text="factor:N"), **charts.beside(x, 16, "factor"), dy=18)
    return charts.stack(dots, charts.values(x, y, "time", dx=16), factors, description=description, height=190)


def _table(seconds: list[float]) -> dict:
    """What both labs of three wires show: the rate of each, its time, and the time as a multiple of NVLink's."""
    return {"wire": _NAMES, "one way (GB/s)": [round(w.bandwidth() / units.GB, 1) for w in WIRES.values()],
            "seconds": seconds, "time": [units.format(s, "s") for s in seconds],
            "factor": ["", *(f"{s / seconds[0]:.1f} × NVLink" for s in seconds[1:])]}


@lab("wire-map", title="Three ways out of a GPU", tier="all",
     controls=[Control("nbytes", _SIZES, default=2.0**20, label="message", unit="B")],
     chart=lambda: _tier_times((1e-7, 10.0), "The time one message takes over NVLink, PCIe and Ethernet, as three dots."),
     leaves_out="Switches, other traffic, and most software: the starts ({{ si(h100.latency, 's') }}, "
                "{{ si(slot.latency, 's') }} and {{ si(port.latency, 's') }}) are what NVIDIA's own library assumes for "
                "its quickest way of sending. PCIe and Ethernet rates are after packet headers; NVLink's headers are not known, "
                "so NVLink is drawn a little too fast.",
     hides=("time",),
     sources=["stas-network", "hpc-notes-pcie", "pcie-model", "nvidia-linkx", "pingdo-roce", "nccl-tuning"],
     stops=stops.WIRE_MAP)
def wire_map(nbytes):
    """A small message waits for its start, a large one for its bytes."""
    seconds = [float(wire.time(nbytes)) for wire in WIRES.values()]
    fast, slow = units.format(seconds[0], "s"), units.format(seconds[-1], "s")
    return _table(seconds), (f"{units.format(nbytes)} to a neighbour: {fast} over NVLink, {slow} over Ethernet, "
                             f"{seconds[-1] / seconds[0]:.1f} times as long.")


_MODELS = {"GPT-3 (2020)": "gpt3", "Llama 3 405B (2024)": "llama3"}
_CHIPS = {"A100 (2020)": "a100", "H100 (2022)": "h100"}
_DAYS = (0.01, 1e7)


def _training_chart():
    x = charts.x("chips", (1, CHIPS[-1]), title="chips (logarithmic)", log=2, ticks=CHIPS[::2])
    y = charts.y("days", _DAYS, title="days (logarithmic)", log=10)
    limit = charts.limit([{"days": 365.25, "label": "one year"}, {"days": 30, "label": "one month"}],
                         y=charts.y("days", _DAYS, title="days (logarithmic)", log=10))
    return charts.stack(limit, charts.line(x, y, colour=charts.CLUSTER),
                        charts.here(x, charts.y("here (days)", _DAYS, title="days (logarithmic)", log=10),
                                    colour=charts.CLUSTER),
                        description="Days of training against the number of chips, with lines at one month and one year.")


@lab("one-chip", title="How many chips a model needs", tier="cluster",
     controls=[Control("model", list(_MODELS), default="Llama 3 405B (2024)", as_="menu"),
               Control("chip", list(_CHIPS), default="H100 (2022)", as_="menu"),
               Control("chips", CHIPS, default=2.0**14, unit="chips")],
     chart=_training_chart,
     leaves_out="It assumes that every number of chips reaches the {{ portion(reached) }} of peak that Meta reports at 16,384: "
                "that the wiring lets the chips work together without waiting. The rest of the course is about that assumption.",
     sources=["llama3", "megatron-table"],
     stops=stops.ONE_CHIP)
def one_chip(model, chip, chips):
    """Nobody can wait for one chip; thousands bring it down to weeks."""
    days = training_seconds(_MODELS[model], _CHIPS[chip]) / 86400
    here = np.where(chips == CHIPS, days, np.nan)
    now = float(days[chips == CHIPS][0])
    table = {"chips": CHIPS, "days": days, "here (days)": here}
    alone = "" if chips == 1 else f" One chip would need {grouped(units.format(days[0] * 86400, 's'))}."
    return table, (f"{model} on {counted(int(chips), 'chip')} of the kind {chip}, at {units.portion(reached)} of "
                   f"{'their' if alone else 'its'} peak: {grouped(units.format(now * 86400, 's'))}.{alone}")


_BILLIONS = [1, 3, 7, 13, 34, 70, 175, 405]


@lab("first-all-reduce", title="One gradient, three ways to wire the GPUs", tier="all",
     controls=[Control("parameters", _BILLIONS, default=int(PARAMETERS / 1e9), label="model", unit="billion parameters"),
               Control("gpus", [*range(2, 9), 16, 32, 64, 128], default=GPUS, label="GPUs")],
     chart=lambda: _tier_times((1e-3, 100.0), "The time of one all-reduce over NVLink, PCIe and Ethernet, as three dots."),
     leaves_out="Switches that add up themselves, what software reaches of the wire, and any overlap with computing. PCIe and "
                "Ethernet rates, one x16 slot and one port a GPU, are after packet headers; NVLink's headers are not known, so "
                "NVLink is drawn a little too fast.",
     hides=("time",),
     sources=["patarasuk-yuan", "stas-network", "pcie-model", "nvidia-linkx", "nccl-tuning"],
     stops=stops.FIRST_ALL_REDUCE)
def first_all_reduce(parameters, gpus):
    """The same sum takes many times as long over PCIe or Ethernet as over NVLink."""
    nbytes = 2e9 * parameters
    seconds = [ring_seconds(wire, nbytes, gpus) for wire in WIRES.values()]
    text = [units.format(s, "s") for s in seconds]
    return _table(seconds), (f"{units.format(nbytes)} summed over {gpus} GPUs in a ring: {text[0]} over NVLink 4, "
                             f"{text[1]} over PCIe 5, {text[2]} over 400G Ethernet.")


_RINGS = {"ring of eight A100": (charts.CHIP, charts.SOLID), "ring of eight H100": (charts.OTHER, charts.DASHED)}


def _against_chart():
    x = charts.x("message", (2.0**27, 2.0**34), title="buffer (logarithmic)", unit="B", log=2)

    def time(field):
        return charts.y(field, (1e-4, 1.0), title="time (logarithmic)", unit="s", log=10)

    return against.chart(x, time, _RINGS, errors=(-60, 30),
                         description="Above, the time of an all-reduce against its buffer, for eight A100 and for eight H100: a "
                                     "ring that gets the whole rate as a line, what was measured as diamonds. Below, the "
                                     "error: the ring is too fast for the A100 and too slow for the H100.")


@lab("ring-against-measured", title="The ring against two measurements", tier="chip", controls=(), chart=_against_chart,
     leaves_out="What software takes of the wire, and every algorithm but the ring.",
     sources=["stas-network", "nvidia-dgxc"])
def ring_against_measured():
    """Too fast for one server, too slow for the other: that one was no ring."""
    lines = {name: (run.nbytes, ring_seconds(wire, run.nbytes), run.seconds)
             for name, wire, run in zip(_RINGS, (a100, h100), runs(), strict=True)}
    table = against.table("message", lines)
    largest = table[against.ERROR][table["message"] == table["message"].max()]
    return table, (f"With the largest buffer the ring's time is off by {percent(largest[0] / 100)} on eight A100, "
                   f"by {percent(largest[1] / 100)} on eight H100.")


@lab("ring-steps", title="The ring, step by step", tier="chip",
     controls=[Control("step", range(2 * GPUS - 1), default=0, as_="steps", until=lambda gpus: ring.plan(gpus).moves.steps),
               Control("gpus", range(2, GPUS + 1), default=GPUS, label="GPUs")],
     chart=lambda: pieces.chart(ring.ACROSS, ring.UP,
         "GPUs in a circle, each with its buffer as a row of pieces. The number in a piece, and its shade, is how many GPUs' "
         "numbers it is the sum of. Pieces with a thick border are under way: in each step every GPU passes one to the next."),
     leaves_out="The order in which a real library starts its messages. Here all of a step start and end together, and the time "
                "is that of a ring whose wire carries all of {{ h100.name }}, with nothing else on it.",
     hides=("label",),
     sources=["patarasuk-yuan", "stas-network", "nccl-tuning"],
     glides=pieces.GLIDES, stops=stops.RING_STEPS)
def ring_steps(step, gpus):
    """First the pieces are added up on their way round, then the finished ones go round once more."""
    last = ring.plan(gpus).moves.steps
    adding, over = step <= last // 2, step == last
    phase = "before the first step" if step == 0 else "all have the sum" if over else "adding up" if adding else "handing round"
    spent = step / last * ring_seconds(h100, gpus=gpus)
    piece, to = ring.moving(gpus, step)[0]
    size = units.format(GRADIENT / gpus, digits=3)
    done = f"{step} of {last} steps, {units.format(spent, 's')} over NVLink 4" if step else f"It takes {last} steps"
    does = "adds it to its own" if adding else "keeps it"
    told = (f"GPU {(to - 1) % gpus} passes piece {piece} to GPU {to}, which {does}: now a sum of "
            f"{ring.held(gpus)[step][to, piece]}; all others do the same with theirs, {size} each"
            if step else f"Each of {gpus} GPUs has cut its {units.format(GRADIENT)} into {gpus} pieces of {size}")
    return pieces.columns(ring.drawn(gpus, step, phase)), f"{told}. {done}."
