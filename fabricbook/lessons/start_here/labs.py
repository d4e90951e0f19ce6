"""The wires at a glance, one chip against a model, the first all-reduce."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import collective_time
from fabriclib.links import Link, link

from ...stage import Control, charts, lab


def _wires() -> dict[str, Link]:
    """One GPU's way out at each tier, by the name the learner reads."""
    nvlink = link("nvlink4")
    return {"chip: 18 x NVLink 4": nvlink.bundle(nvlink.per_device), "server: PCIe 5 x16": link("pcie5", lanes=16),
            "cluster: 400G Ethernet": link("eth400")}


_NAMES = ["chip: 18 x NVLink 4", "server: PCIe 5 x16", "cluster: 400G Ethernet"]
_SIZES = [2.0**k for k in range(6, 36)]


def _tier_times(seconds: tuple[float, float], description: str):
    """One dot a wire, in its tier's colour, on a logarithmic time axis (which has no zero for a bar to start at)."""
    import altair as alt

    x = charts.x("seconds", seconds, title="time (logarithmic)", unit="s", log=10)
    y = charts.names("wire", _NAMES, title="")
    tiers = [charts.CHIP, charts.SERVER, charts.CLUSTER]
    colour = alt.Color("wire:N", legend=None, scale=alt.Scale(domain=_NAMES, range=tiers))
    dots = charts.live().mark_circle(size=420, opacity=1, stroke="#333333", strokeWidth=1).encode(x=x, y=y, color=colour)
    return charts.stack(dots, charts.values(x, y, "label", dx=16), description=description, height=190)


def _table(wires: dict[str, Link], seconds: list[float]) -> dict:
    """What both labs of three wires show: the rate of each, its time, and the time as a multiple of NVLink's."""
    times = [units.format(s, "s") for s in seconds]
    factors = ["", *(f", {s / seconds[0]:.1f} times NVLink" for s in seconds[1:])]
    return {"wire": list(wires), "one way (GB/s)": [round(w.bandwidth() / units.GB, 1) for w in wires.values()],
            "seconds": seconds, "label": [time + factor for time, factor in zip(times, factors, strict=True)]}


@lab("wire-map", title="Three ways out of a GPU", tier="all",
     controls=[Control("nbytes", _SIZES, default=2.0**20, label="message", unit="B")],
     chart=lambda: _tier_times((1e-7, 10.0), "The time one message takes over NVLink, PCIe and Ethernet, as three dots."),
     leaves_out="Switches, other traffic, and most software: the starts (0.6, 1 and 2.7 µs) are what NCCL's tuner assumes for "
                "its quickest protocol. PCIe and Ethernet rates are after packet headers; NVLink's headers are not known, so "
                "NVLink is drawn a little too fast.",
     sources=["stas-network", "hpc-notes-pcie", "pcie-model", "nvidia-linkx", "pingdo-roce", "nccl-tuning"])
def wire_map(nbytes):
    """A small message waits for its start, a large one for its bytes."""
    wires = _wires()
    seconds = [float(wire.time(nbytes)) for wire in wires.values()]
    fast, slow = units.format(seconds[0], "s"), units.format(seconds[-1], "s")
    return _table(wires, seconds), (f"{units.format(nbytes)} to a neighbour: {fast} over NVLink, {slow} over Ethernet, "
                   f"{seconds[-1] / seconds[0]:.1f} times as long.")


_MODELS = {"GPT-3 (2020)": "gpt3", "Llama 3 405B (2024)": "llama3"}
_CHIPS = {"A100 (2020)": "a100-peak", "H100 (2022)": "h100-peak"}
_COUNTS = [2.0**k for k in range(0, 18)]
_DAYS = (0.01, 1e7)


def training_flop(model: str) -> float:
    """Return the operations it takes to train *model*: 6 a parameter and token (Kaplan et al., 2020)."""
    return 6 * catalog.figure(f"{model}-parameters").value * catalog.figure(f"{model}-tokens").value


def _training_chart():
    x = charts.x("chips", (1, _COUNTS[-1]), title="chips (logarithmic)", log=2, ticks=_COUNTS[::2])
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
               Control("chips", _COUNTS, default=2.0**14, unit="chips")],
     chart=_training_chart,
     leaves_out="It assumes that every number of chips reaches the 41 % of peak that Meta reports at 16,384: that the wiring "
                "lets the chips work together without waiting. The rest of the course is about that assumption.",
     sources=["llama3", "megatron-table"])
def one_chip(model, chip, chips):
    """Nobody can wait for one chip; thousands bring it down to weeks."""
    used = catalog.figure("llama3-used").si
    counts = np.array(_COUNTS)
    days = training_flop(_MODELS[model]) / (catalog.figure(_CHIPS[chip]).value * used * counts) / 86400
    here = np.where(counts == chips, days, np.nan)
    now = float(days[counts == chips][0])
    table = {"chips": counts, "days": days, "here (days)": here}
    many = "1 chip" if chips == 1 else f"{chips:,.0f} chips"
    return table, (f"{model} on {many} of the kind {chip}, at 41 % of their peak: {units.format(now * 86400, 's')}. "
                   f"One chip would need {units.format(days[0] * 86400, 's')}.")


_BILLIONS = [1, 3, 7, 13, 34, 70, 175, 405]


@lab("first-all-reduce", title="One gradient, three ways to wire the GPUs", tier="all",
     controls=[Control("parameters", _BILLIONS, default=7, label="model", unit="billion parameters"),
               Control("gpus", range(2, 9), default=8, label="number", unit="GPUs")],
     chart=lambda: _tier_times((1e-3, 100.0), "The time of one all-reduce over NVLink, PCIe and Ethernet, as three dots."),
     leaves_out="Reduction inside the switch, what software reaches of the wire, and any overlap with computing. PCIe and "
                "Ethernet rates, one x16 slot and one port a GPU, are after packet headers; NVLink's headers are not known, so "
                "NVLink is drawn a little too fast.",
     sources=["patarasuk-yuan", "stas-network", "pcie-model", "nvidia-linkx", "nccl-tuning"])
def first_all_reduce(parameters, gpus):
    """The same sum takes eight to nine times as long over PCIe or Ethernet as over NVLink."""
    nbytes, wires = 2e9 * parameters, _wires()
    seconds = [collective_time("all_reduce", "ring", nbytes=nbytes, ranks=gpus, alpha=w.latency, beta=1 / w.bandwidth())
               for w in wires.values()]
    text = [units.format(s, "s") for s in seconds]
    return _table(wires, seconds), (f"{units.format(nbytes)} summed over {gpus} GPUs in a ring: {text[0]} over NVLink 4, "
                                    f"{text[1]} over PCIe 5, {text[2]} over 400G Ethernet.")
