"""One receiver, many senders, and the queue between them in time."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.congestion import dcqcn, incast, pause
from fabriclib.links import link
from fabriclib.measurements import error, percent

from ...stage import Control, charts, lab

_SENDERS = [2, 4, 8, 16, 32]
_FEEDBACK = [4e-6, 10e-6, 20e-6, 50e-6]
_THRESHOLDS = [25e3, 100e3, 250e3, 500e3, 2e6]
_RATE = dcqcn.value("dcqcn-port")  # the port for which the parameters were published
_SECONDS = 0.01
_CABLE, _LONGEST, _USUAL = 100, 9216, 1500  # metres and bytes: where a source does not state them
_BUFFER = dcqcn.value("trident2-buffer")
_NEAR, _FAR = (100, 2), (1000 * _SECONDS, 14)  # of the two panels: microseconds and MB, milliseconds and MB
# The first cuts fall within 0.4 ms; from then on everything is slow. Microseconds: whole, so that none is met twice.
_TIMES = units.us * np.concatenate([np.arange(400), np.arange(400, 10_000, 10)])
_DRAWN = np.concatenate([np.arange(0, 100, 2), np.arange(100, 400, 10), np.arange(400, len(_TIMES), 10)])
_NOTHING, _PAUSE, _ECN, _BOTH = "nobody slows down", "PFC alone", "DCQCN alone", "DCQCN and PFC"
_STYLES = {_NOTHING: (charts.LIMIT, charts.DOTTED), _PAUSE: (charts.OTHER, charts.DASHED),
           _ECN: (charts.OTHER_2, charts.DASH_DOT), _BOTH: (charts.CLUSTER, charts.SOLID)}


@functools.lru_cache(maxsize=256)
def trace(senders: int, feedback: float, threshold: float = np.inf) -> dcqcn.Trace:
    """Return 10 ms of an incast under DCQCN with the paper's parameters, all senders starting at 40 Gb/s."""
    if threshold < np.inf and (alone := trace(senders, feedback)).queue.max() <= threshold:
        return alone
    return dcqcn.run(_RATE, [_RATE] * senders, _TIMES, feedback=feedback, threshold=threshold)


def _panel(x: str, y: str, ends, title: str, place: list[str], side: str):
    """The two axes of a panel: a part of the chart's width, and a scale of bytes of its own."""
    import altair as alt

    across = alt.Scale(domain=[0, ends[0]], range=[alt.ExprRef(end) for end in place], nice=False)
    along = alt.Axis(orient="bottom", tickCount=5, titleFontSize=alt.ExprRef("width < 400 ? 10 : 15"))
    return (charts.x(x, (0, ends[0]), title=title).scale(across).axis(along),
            charts.y(y, (0, ends[1]), title="waiting (MB)").axis(alt.Axis(orient=side, grid=False, tickCount=7)))


def _queue_chart():
    import altair as alt

    x, y = _panel("near (µs)", "near (MB)", _NEAR, "time (µs)", ["0", "width * 0.44"], "left")
    near = charts.line(x, y, colour=charts.CLUSTER, **charts.series("case", _STYLES))
    x, y = _panel("far (ms)", "far (MB)", _FAR, "time (ms)", ["width * 0.52", "width"], "right")
    far = charts.line(x, y, colour=charts.CLUSTER, **charts.series("case", _STYLES))
    full = charts.fixed([{"far (ms)": 0, "to": _FAR[0], "far (MB)": _BUFFER / units.MB, "label": "a whole switch's memory"}])
    bound = full.mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(x=x, x2="to:Q", y=y)
    named = full.mark_text(align="left", dx=4, dy=-9, fontWeight="bold", color=charts.LIMIT, fontSize=13).encode(
        x=x, y=y, text="label:N")
    return charts.stack(near, alt.layer(bound, named, far), height=340, description=(
        "The bytes that wait before the receiver's port against time. On the left the first 100 microseconds up to 2 MB, on the "
        "right 10 milliseconds up to 14 MB, with the memory of a switch, 12 MB, as a dashed line. Dotted: nobody slows down, and "
        "the queue passes that memory. Dashed: with pauses alone it stays at the threshold. Dash-dotted: with DCQCN alone it "
        "grows until the senders have cut their rates a few times, then falls. Solid: with both it is capped first, falls later."
    )).resolve_scale(x="independent", y="independent")


@lab("incast-queue", title="Many to one", tier="cluster",
     controls=[Control("senders", _SENDERS, default=8),
               Control("feedback", _FEEDBACK, default=4e-6, label="news takes", unit="s"),
               Control("threshold", _THRESHOLDS, default=500e3, label="pause above", unit="B")],
     chart=_queue_chart,
     leaves_out="Packets: rates and queue are smooth averages, but for the first cut of every sender, which comes at once. The "
                "headroom above the threshold, pauses that take time to arrive, and other flows. The settings are those of 2015, "
                "for 40 Gb/s; later network cards have others, which their makers hardly publish.",
     sources=["zhu-2015", "zhu-2016"])
def incast_queue(senders, feedback, threshold):
    """A pause acts within microseconds and on everybody; congestion control acts within milliseconds, on the guilty."""
    alone, both = trace(senders, feedback), trace(senders, feedback, threshold)
    time, grown = _TIMES[_DRAWN], incast.queue_growth(senders, _RATE) * _TIMES[_DRAWN]
    lines = {_NOTHING: grown, _PAUSE: np.minimum(grown, threshold), _ECN: alone.queue[_DRAWN], _BOTH: both.queue[_DRAWN]}
    table = {"case": np.repeat(list(lines), time.size)}
    both_axes = np.tile(time, len(lines)), np.concatenate(list(lines.values())) / units.MB
    for name, unit, in_unit, (last, top) in (("near", "µs", units.us, _NEAR), ("far", "ms", units.ms, _FAR)):
        x, y = both_axes[0] / in_unit, both_axes[1]
        shown = (x <= last * (1 + 1e-9)) & (y <= top)
        table |= {f"{name} ({unit})": np.where(shown, x, np.nan), f"{name} (MB)": np.where(shown, y, np.nan)}
    full, peak = threshold / incast.queue_growth(senders, _RATE), alone.queue.max()
    bystander = units.format(8 * pause.victim_rate(_RATE, senders, 1, paused=True), "b/s")
    return table, (f"{senders} senders at 40 Gb/s: {units.format(threshold)} wait after {units.format(full, 's', 2)}. With PFC "
                   f"alone the queue stays there, and a bystander behind the paused port gets {bystander}. DCQCN alone lets it "
                   f"rise to {units.format(peak, digits=2)}, {units.portion(peak / _BUFFER)} of a switch's memory. "
                   f"With both, {_paused(both)}.")


def _paused(seen: dcqcn.Trace) -> str:
    stopped = float(_steps() @ seen.paused)
    return "nobody is paused" if not stopped else (
        f"pauses hold the senders back for {units.format(stopped, 's', 2)} of the first {units.format(_SECONDS, 's')}, and "
        f"{units.portion(used(seen))} of the port is used")


def _steps() -> np.ndarray:
    """The seconds for which each entry of a trace stands."""
    return np.diff(_TIMES, append=_SECONDS)


def used(seen: dcqcn.Trace) -> float:
    """Return the share of the receiver's port that was used: all of it while anything waited."""
    share = np.where(seen.queue > 0, 1.0, np.minimum(seen.rates.sum(axis=0) / _RATE, 1.0))
    return float(_steps() @ share / _SECONDS)


# ---- model against measurement ----

def headroom_beside_published():
    """Return the headroom of a port as text: the model's worst case, counted as sent and in cells, and what was published.

    The 100G source states the cable, the 40G one the MTU; what they leave open is 100 m and 9216 bytes here.
    """
    import pandas as pd

    occupancy, rows = dcqcn.value("buffer-occupancy"), []
    published = {"spectrum-headroom": catalog.figure("spectrum-headroom").si,
                 "trident2-headroom": dcqcn.value("trident2-headroom")}
    for id, port, mtu, quanta in (("spectrum-headroom", link("eth100"), _LONGEST, "pfc-quanta-100g"),
                                  ("trident2-headroom", _RATE, _USUAL, "pfc-quanta-40g")):
        rate = port if port == _RATE else port.line
        response = pause.response_time(int(dcqcn.value(quanta)), rate)
        one, cells = (pause.headroom(rate, _CABLE, mtu, response, delay_per_metre=1 / dcqcn.value("fibre-speed"), occupancy=each)
                      for each in (1.0, occupancy))
        rows.append({"port": units.format(8 * rate, "b/s"), "MTU": mtu, "bytes as sent": units.format(one),
                     "in cells": units.format(cells), "published": units.format(published[id]),
                     "error": percent(error(cells, published[id]))})
    return pd.DataFrame(rows)
