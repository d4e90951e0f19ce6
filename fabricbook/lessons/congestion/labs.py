"""Flows drawn over paths, and how many flows it takes before dice are as good as a plan."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import busbw
from fabriclib.congestion import dcqcn, ecmp
from fabriclib.links import link
from fabriclib.measurements import error, percent, published

from ...stage import Control, charts, lab, parts

_COUNTS = [4, 8, 16, 32]
_DRAWS = 20
_MANY = 400  # draws behind an average that no formula gives
_SPRAY, _RAILS = "spray packets", "fixed paths (rails)"
_HASHED = {"hash, 1 flow each": 1, "hash, 4 flows each": 4, "hash, 16 flows each": 16}
_TWO = "two choices, 1 flow each"
_WAYS = [*_HASHED, _TWO, _SPRAY, _RAILS]
_TOP = 6.0  # of the chart: so many times the even load


class Figures(NamedTuple):
    """Three shares of what even spreading gives: busy paths, mean rate of a transfer, rate of a step that waits for the last."""

    busy: float
    mean: float
    slowest: float


def blocks(senders: int, paths: int, way: str, draw: int) -> np.ndarray:
    """Return a row (sender, path) for every flow, as draw number *draw* places them; spraying places a flow on every path."""
    split = _HASHED.get(way, 1)
    if way == _SPRAY:
        return np.stack(np.divmod(np.arange(senders * paths), paths), axis=1)
    if way == _RAILS:
        return np.stack([np.arange(senders), np.arange(senders) % paths], axis=1)
    path = ecmp.draw(senders * split, paths, choices=2 if way == _TWO else 1, seed=draw)
    return np.stack([np.arange(senders * split) // split, path], axis=1)


def figures(placed: np.ndarray, senders: int, paths: int) -> Figures:
    """Return the three figures of one draw."""
    split, even = len(placed) / senders, max(1.0, senders / paths)
    load = np.bincount(placed[:, 1], minlength=paths) / split
    # A flow gets its share of its path; no transfer gets more than its sender's port.
    rate = np.minimum(1.0, np.bincount(placed[:, 0], 1 / split / load[placed[:, 1]]))
    return Figures(float((load > 0).mean()), float(rate.mean() * even), even / max(1.0, float(load.max())))


@functools.cache
def averages(senders: int, paths: int, way: str) -> Figures:
    """Return the three figures over all draws: exact where a formula gives them, else over 400 draws."""
    if way in (_SPRAY, _RAILS):
        return figures(blocks(senders, paths, way, 0), senders, paths)
    split, even = _HASHED.get(way, 1), max(1.0, senders / paths)
    if way == _TWO:
        seen = ecmp.simulate(senders, paths, _MANY, choices=2)
        # With one flow each all senders together get what the busy paths carry.
        busy = float(seen.busy.mean()) / paths
        return Figures(busy, busy * paths / senders * even, even / float(np.maximum(1.0, seen.max_load).mean()))
    mean = float(ecmp.mean_throughput(senders, paths)) if split == 1 else _mean_drawn(senders, paths, split) * even
    return Figures(float(ecmp.busy_share(senders * split, paths)), mean, ecmp.slowest(senders, paths, split))


def _mean_drawn(senders: int, paths: int, split: int) -> float:
    """The mean rate of a transfer of so many flows, as a share of a port, over 400 draws."""
    path = np.random.default_rng(0).integers(paths, size=(_MANY, senders * split)) + paths * np.arange(_MANY)[:, None]
    got = 1 / np.bincount(path.ravel(), minlength=_MANY * paths)[path]
    return float(np.minimum(1.0, got.reshape(_MANY, senders, split).sum(axis=2)).mean())


def _draw_chart():
    import altair as alt

    x = charts.x("left", (0, 1), title="path").axis(None)
    y = charts.y("bottom", (0, _TOP), title="load of a path (1 = evenly spread)").axis(format="d", values=list(range(7)))

    flow = parts.of("flow").mark_rect(stroke="#222222", strokeWidth=1).encode(
        x=x, x2="right:Q", y=y, y2="top:Q", color=alt.Color("state:N", legend=None, scale=alt.Scale(
            domain=["alone", "shared"], range=[charts.CLUSTER, charts.OTHER])))
    idle = parts.of("idle").mark_text(fontSize=14, color="#666666", dy=-8, text="idle", angle=0).encode(x=x, y=y)
    number = parts.of("number").mark_text(fontSize=13, fontWeight="bold", color="white").encode(x=x, y=y, text="label:N")
    told = parts.of("figure").mark_text(fontSize=parts.scaled(17, 11, 600), fontWeight="bold").encode(
        x=x, y=y, text="label:N")
    even = charts.limit([{"bottom": 1.0, "label": "evenly spread"}], y=y)
    return charts.stack(flow, number, even, idle, told, height=360, description=(
        "One column a path. Blocks in it are the flows that the draw put there, green where a flow has its path to itself, "
        "pink where flows share. A dashed line marks the load that even spreading would give every path. Above: three "
        "figures, the share of busy paths, the mean throughput, and the throughput of a step that waits for its slowest flow."))


@lab("hash-draw", title="Dice for flows", tier="cluster",
     controls=[Control("senders", _COUNTS, default=8), Control("paths", _COUNTS, default=8),
               Control("way", _WAYS, default=_WAYS[0], as_="menu"), Control("draw", range(1, _DRAWS + 1), default=6)],
     chart=_draw_chart,
     leaves_out="A second stage of dice on the way down. Flows that begin and end at different times, and transports that slow "
                "down by more than their share. Spraying here is perfect: round robin, with nothing to put back in order.",
     sources=["raab-steger", "llama3", "azar-1994"])
def hash_draw(senders, paths, way, draw):
    """Dice leave a third of the paths idle and let the slowest flow wait for the fullest one."""
    placed = blocks(senders, paths, way, draw)
    now, ever = figures(placed, senders, paths), averages(senders, paths, way)
    rows = _columns_of_blocks(placed, senders, paths)
    rows += [("figure", at, at, 5.6, 5.6, "", f"{what} {share}") for at, (what, share) in zip((0.17, 0.5, 0.83), _named(now),
                                                                                           strict=True)]
    table = dict(zip(("part", "left", "right", "bottom", "top", "state", "label"), zip(*rows, strict=True), strict=True))
    return table, (f"{senders} senders on {paths} paths, {way}, draw {draw}: {_said(now)}. "
                   f"{'Every draw is the same' if now == ever else f'Over all draws: {_said(ever)}'}.")


def _columns_of_blocks(placed: np.ndarray, senders: int, paths: int) -> list[tuple]:
    """Return the rows of the picture: each flow a block on those below it, its sender's number if it is whole; idle paths."""
    split, even = len(placed) / senders, max(1.0, senders / paths)
    total, load, rows, numbers = np.bincount(placed[:, 1], minlength=paths) / split / even, np.zeros(paths), [], []
    for sender, path in placed.tolist():
        low, high = load[path], load[path] + 1 / split / even
        left, right = (path + 0.06) / paths, (path + 0.94) / paths
        state = "shared" if total[path] > 1 + 1e-9 else "alone"
        rows.append(("flow", left, right, low, min(high, _TOP), state, ""))
        if split == 1 and paths <= 16:
            numbers.append(("number", (left + right) / 2, right, (low + high) / 2, high, state, f"{sender + 1}"))
        load[path] = high
    return rows + numbers + [("idle", (path + 0.5) / paths, 0.0, 0.0, 0.0, "", "") for path in np.flatnonzero(load == 0).tolist()]


def _named(shares: Figures) -> list[tuple[str, str]]:
    return [(what, f"{100 * share:.3g} %") for what, share in zip(("busy", "mean", "slowest"), shares, strict=True)]


def _said(shares: Figures) -> str:
    busy, mean, slowest = (share for _, share in _named(shares))
    return f"{busy} of the paths are busy, the mean throughput is {mean}, the slowest sets the pace at {slowest}"


# ---- lab 2: more dice ----

_PATHS = [4, 8, 16, 32]
_SPLITS = [2**k for k in range(11)]
_SIZES = 2.0 ** np.arange(16, 31)
_PACKET = 4096  # bytes: the largest RDMA MTU
WANTED = 0.95
_LINES = {"hash": (charts.CLUSTER, charts.SOLID), "two choices": (charts.OTHER, charts.DASHED),
          "spray": (charts.OTHER_2, charts.DASH_DOT)}
_CHOSEN_UP_TO = 64  # flows a transfer: beyond, two choices are at 98 % and more


@functools.cache
def reached(paths: int, split: int, choices: int = 1) -> float:
    """Return the throughput of a step of as many senders as paths, each sending *split* flows; 1 is even spreading."""
    return ecmp.slowest(paths, paths, split) if choices == 1 else split / _fullest(paths, choices)[split - 1]


@functools.cache
def _fullest(paths: int, choices: int) -> np.ndarray:
    """The mean number of flows on the fullest path with 1, 2 and so on flows a sender, each having looked at several paths."""
    return ecmp.fullest(_CHOSEN_UP_TO, paths, trials=300, choices=choices).mean(axis=0)


@functools.cache
def needed(paths: int) -> int:
    """Return the flows a transfer that hashing needs for 95 %, with as many senders as paths."""
    return ecmp.split_for(WANTED, paths, paths)


def _entropy_chart():
    x = charts.x("flows", (1, 1024), title="flows that each transfer is cut into (logarithmic)", log=2)

    def y(field="share"):
        return charts.y(field, (0, 105), title="throughput of a step (%)", ticks=range(0, 101, 10))

    llama = int(dcqcn.value("llama3-flows-per-pair"))
    named = charts.fixed([{"flows": 1, "share": 90, "label": "95 %"}, {"flows": llama, "share": 6, "label": f"Llama 3: {llama}"}])
    return charts.stack(
        charts.limit([{"share": 100 * WANTED, "label": ""}], y=y()), charts.limit([{"flows": llama, "label": ""}], x=x),
        named.mark_text(align="left", dx=6, fontSize=14, fontWeight="bold", color=charts.LIMIT).encode(
            x=x, y=y(), text="label:N"),
        charts.line(x, y(), colour=charts.CLUSTER, **charts.series("way", _LINES)),
        charts.here(x, y("here"), colour=charts.CLUSTER), height=360, description=(
            "The throughput of a step against the number of flows that each transfer is cut into: hashing rises slowly, two "
            "choices quickly, spraying is level at one hundred per cent. A dashed level line marks 95 per cent, an upright one "
            "the 16 flows that Llama 3 was trained with. A dot marks the chosen number of flows."))


@lab("hash-entropy", title="More dice", tier="cluster",
     controls=[Control("paths", _PATHS, default=8, label="senders and paths"),
               Control("split", _SPLITS, default=16, label="flows each", unit="flows"),
               Control("nbytes", _SIZES, default=2.0**20, label="a transfer", unit="B")],
     chart=_entropy_chart,
     leaves_out="What a flow costs: a connection in the network card's memory, a header in every packet, an answer for every "
                "message. Two choices are drawn (300 times), and stop at 64 flows. Only one stage of switches throws dice.",
     sources=["llama3", "raab-steger", "azar-1994"])
def hash_entropy(paths, split, nbytes):
    """Hashing approaches an even spread only with the square root of the number of flows."""
    shares = {"hash": [reached(paths, q) for q in _SPLITS],
              "two choices": [reached(paths, q, 2) if q <= _CHOSEN_UP_TO else np.nan for q in _SPLITS],
              "spray": [1.0] * len(_SPLITS)}
    now, want = reached(paths, split), needed(paths)
    here = [100 * now if q == split else np.nan for q in _SPLITS] + [np.nan] * 2 * len(_SPLITS)
    table = {"flows": _SPLITS * 3, "way": np.repeat(list(shares), len(_SPLITS)),
             "share": 100 * np.concatenate(list(shares.values())), "here": here}
    each = nbytes / want
    many = f"about {float(f'{each / _PACKET:.2g}'):g} packets" if each >= _PACKET else "less than one packet"
    packets = f"{many} of {_PACKET} bytes"
    return table, (f"{paths} senders on {paths} paths, {split} flow{'s' * (split > 1)} each: {100 * now:.3g} %. For 95 % it "
                   f"takes {want} flows each, so {want} to a path; a transfer of {units.format(nbytes)} then leaves "
                   f"{units.format(each)} to a flow, {packets}.")


# ---- model against measurement ----

# What was compared: the figures' ids, and what the model is asked. The sources say how many flows there were nowhere but in
# the Llama 3 paper, so 8 paths stand for all of them.
_PUBLISHED = [("spectrum-x-ecmp", "spectrum-x-spread", 1), ("baidu-ecmp", "baidu-spread", 1),
              ("asterfusion-ecmp", "asterfusion-spread", 1), ("asterfusion-qp-hash", "asterfusion-spread", 16),
              (None, "tolly-gain-16g", 1)]
_MODEL_PATHS = 8


def hashing_beside_published():
    """Return a DataFrame of text: what hashing reached of a spread load, published, and two of the model's figures for 8 paths.

    "slowest" waits for the last flow of every step, "mean" never waits; the last column is the number of flows each transfer
    must have had if the model's slowest flow alone explained the measurement.
    """
    import pandas as pd

    rows = []
    for hashed, spread, split in _PUBLISHED:
        figure = catalog.figure(spread)
        share = (catalog.figure(hashed).si if hashed else 1.0) / figure.si
        slow = ecmp.slowest(_MODEL_PATHS, _MODEL_PATHS, split)
        way = next(name for name, flows in _HASHED.items() if flows == split)
        mean = averages(_MODEL_PATHS, _MODEL_PATHS, way).mean
        rows.append({"source": figure.source.id, "flows each": split, "measured": units.portion(share),
                     "model, slowest": units.portion(slow), "error": percent(error(slow, share)),
                     "model, mean": units.portion(mean), "error of mean": percent(error(mean, share)),
                     "flows that would explain it": ecmp.split_for(min(share, 0.95), _MODEL_PATHS, _MODEL_PATHS)})
    return pd.DataFrame(rows)


def entropy_beside_published():
    """Return the gain of more flows a transfer, as text: the model from 1 to Llama 3's 16, and what Meta measured at most."""
    import pandas as pd

    flows = int(dcqcn.value("llama3-flows-per-pair"))
    figure = catalog.figure("meta-qp-scaling")
    model = ecmp.slowest(_MODEL_PATHS, _MODEL_PATHS, flows) / ecmp.slowest(_MODEL_PATHS, _MODEL_PATHS, 1)
    return pd.DataFrame([{"from 1 flow to": flows, "model": f"{model:.2f} times", "measured, at most": f"{figure.si:.2f} times",
                          "error": percent(error(model, figure.si))}])


_ALPS = {8: "gh200x32-alps-ar", 16: "gh200x64-alps-ar", 512: "gh200x2048-alps-ar"}


def adaptive_beside_published():
    """Return a DataFrame of text: busbw over Slingshot, which routes by load, beside four ports a node at their line rate."""
    import pandas as pd

    # A ring's busbw is the rate of the narrowest place it passes: here the four ports of a node.
    ports, rows = 4 * link("slingshot11").bandwidth(), []
    for nodes, table in _ALPS.items():
        run = published(table)
        run = run[run["nbytes"] >= units.GiB]
        ranks = catalog.row("measurement_tables", table)["ranks"]
        rates = busbw("all_reduce", run["nbytes"].to_numpy(), run["seconds"].to_numpy(), ranks)
        rows += [{"nodes": nodes, "buffer": units.format(nbytes), "four ports": units.format(ports, "B/s"),
                  "measured busbw": units.format(float(rate), "B/s"), "error": percent(error(ports, rate))}
                 for nbytes, rate in zip(run["nbytes"], rates, strict=True)]
    return pd.DataFrame(rows)
