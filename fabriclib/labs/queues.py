"""Lab of lesson 10: one receiver, many senders, and the queue between them in time."""

from __future__ import annotations

import functools

import numpy as np

from .. import catalog, units
from ..congestion import dcqcn, incast, pause
from ..links import link
from ..measurements import error, percent
from .toolkit import Control, charts, lab

_SENDERS = [2, 4, 8, 16, 32]
_FEEDBACK = [4e-6, 10e-6, 20e-6, 50e-6]
_THRESHOLDS = [25e3, 100e3, 250e3, 500e3, 2e6]
_RATE = dcqcn.value("dcqcn-port")  # the port for which the parameters were published
_SECONDS = 0.01
_CABLE, _LONGEST, _USUAL = 100, 9216, 1500  # metres and bytes: where a source does not state them
_X, _Y = (1e-6, _SECONDS), (1e3, 1e8)
_NOTHING, _PAUSE, _ECN, _BOTH = "nobody slows down", "PFC alone", "DCQCN alone", "DCQCN and PFC"
_STYLES = {_NOTHING: (charts.LIMIT, charts.DOTTED), _PAUSE: (charts.OTHER, charts.DASHED),
           _ECN: (charts.OTHER_2, charts.DASH_DOT), _BOTH: (charts.CLUSTER, charts.SOLID)}


@functools.lru_cache(maxsize=256)
def trace(senders: int, feedback: float, threshold: float) -> dcqcn.Trace:
    """Return 10 ms of an incast under DCQCN with the paper's parameters, all senders starting at 40 Gb/s."""
    return dcqcn.run(_RATE, [_RATE] * senders, _SECONDS, feedback=feedback, threshold=threshold)


def _queue_chart():
    x = charts.x("time", _X, title="time since all began to send (logarithmic)", unit="s", log=10)
    y = charts.y("queue", _Y, title="waiting before the receiver (logarithmic)", log=10).axis(
        values=[10.0**k for k in range(3, 9)],
        labelExpr="replace(format(datum.value, '.3~s'), regexp('([a-zA-Z])$'), ' $1') + 'B'")
    buffer = dcqcn.value("trident2-buffer")
    return charts.stack(
        charts.limit([{"queue": buffer, "label": f"all the memory of a switch, {units.format(buffer)}"}], y=y),
        charts.line(x, y, colour=charts.CLUSTER, **charts.series("case", _STYLES)), height=380, description=(
            "The bytes that wait before the receiver's port against time, both logarithmic. Dotted: nobody slows down, and the "
            "queue passes the memory of a switch. Dashed: with pauses alone it stays at the threshold. Dash-dotted: with DCQCN "
            "alone it rises far, then falls. Solid: with both it is capped first and falls later."))


@lab("incast-queue", title="Many to one", tier="cluster",
     controls=[Control("senders", _SENDERS, default=8),
               Control("feedback", _FEEDBACK, default=4e-6, label="news takes", unit="s"),
               Control("threshold", _THRESHOLDS, default=500e3, label="pause above", unit="B")],
     chart=_queue_chart,
      leaves_out="Packets: rates and queue are smooth averages. The headroom above the threshold, pauses that take time to "
                "arrive, and other flows. The settings are those of 2015, for 40 Gb/s; later network cards have others, which "
                "their makers hardly publish.",
     sources=["zhu-2015", "zhu-2016"])
def incast_queue(senders, feedback, threshold):
    """A pause acts within microseconds and on everybody; congestion control acts within milliseconds, on the guilty."""
    alone, both = trace(senders, feedback, np.inf), trace(senders, feedback, threshold)
    # As many points in every tenfold stretch of time.
    at = np.unique(np.geomspace(1, len(alone.time) - 1, 240).round().astype(int))
    time = alone.time[at]
    grown = incast.queue_growth(senders, _RATE) * time
    lines = {_NOTHING: np.where(grown <= _Y[1], grown, np.nan), _PAUSE: np.minimum(grown, threshold), _ECN: alone.queue[at],
             _BOTH: both.queue[at]}
    table = {"time": np.tile(time, len(lines)), "case": np.repeat(list(lines), time.size),
             "queue": np.concatenate([np.maximum(line, _Y[0]) for line in lines.values()])}  # an empty queue lies at the bottom
    full, peak = threshold / incast.queue_growth(senders, _RATE), alone.queue.max()
    stopped = both.paused.sum() * dcqcn.STEP
    paused = "nobody is paused" if not stopped else (
        f"pauses hold the senders back for {units.format(stopped, 's', 2)} of the first {units.format(_SECONDS, 's')}, and "
        f"{units.portion(used(both))} of the port is used")
    bystander = units.format(8 * pause.victim_rate(_RATE, senders, 1, paused=True), "b/s")
    return table, (f"{senders} senders at 40 Gb/s: {units.format(threshold)} wait after {units.format(full, 's', 2)}. With PFC "
                   f"alone the queue stays there, and a bystander behind the paused port gets {bystander}. DCQCN alone lets it "
                   f"rise to {units.format(peak, digits=2)}. With both, {paused}.")


def used(seen: dcqcn.Trace) -> float:
    """Return the share of the receiver's port that was used: all of it while anything waited."""
    return float(np.where(seen.queue > 0, 1.0, np.minimum(seen.rates.sum(axis=0) / _RATE, 1.0)).mean())


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
