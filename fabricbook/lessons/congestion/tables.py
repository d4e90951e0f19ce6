"""What lesson "Congestion" shows and quotes: throughput of flows on dice, a queue in time, and both beside publications."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import busbw
from fabriclib.congestion import dcqcn, ecmp, incast, loss, pause
from fabriclib.links import link
from fabriclib.measurements import error, published
from fabriclib.topology.fabrics.named import asked

PATHS = 8  # and senders, where nothing else is said
RATE = link("eth400").line
SENDERS, MESSAGE, NEWS = 8, 1 * units.MB, 10 * units.us  # many to one: what each sends, and when it hears of the queue
WAITS = incast.lossless_buffer(SENDERS, MESSAGE, RATE, NEWS)  # bytes that must fit in the last switch
DAYS = 365  # of a year, for the birthdays
WANTED = 0.95  # of what an even spread gives
LLAMA = int(dcqcn.value("llama3-flows-per-pair"))
POD = asked("meta-24k")[1]["pod_gpus"]
META_GAIN = catalog.figure("meta-qp-scaling").si
OCCUPANCY = dcqcn.value("buffer-occupancy")
PACKET = 4096  # bytes: the largest RDMA MTU
WIRE = {"rate": link("eth400").bandwidth(), "rtt": 10 * units.us, "packet": PACKET}  # on which a packet is lost
CABLE, LONGEST, _USUAL = 100, 9216, 1500  # metres and bytes: where a source does not state them
SPRAY, RAILS = "spray packets", "fixed paths (rails)"
HASHED = {"hash, 1 flow each": 1, "hash, 4 flows each": 4, "hash, 16 flows each": 16}
TWO = "two choices, 1 flow each"
DICE = next(iter(HASHED))
NOBODY, PFC, DCQCN, PFC_DCQCN = "nobody slows down", "PFC alone", "DCQCN alone", "DCQCN and PFC"
_MANY = 400  # draws behind an average that no formula gives
CHOSEN_UP_TO, CHOSEN_TRIALS = 32, 300  # flows a transfer: beyond, two choices are nearly even; and draws of them
PORT = dcqcn.value("dcqcn-port")  # the port for which the parameters were published
BUFFER = dcqcn.value("trident2-buffer")
FEEDBACK = [4e-6, 10e-6, 20e-6, 50e-6]
THRESHOLDS = [25e3, 100e3, 250e3, 500e3, 2e6]
NEAR, SECONDS = 100 * units.us, 10 * units.ms  # what is looked at: the beginning, and all
# The first cuts fall within 0.4 ms; from then on everything is slow. Microseconds: whole, so that none is met twice.
TIMES = units.us * np.concatenate([np.arange(400), np.arange(400, 10_000, 10)])


class Figures(NamedTuple):
    """Three shares of what even spreading gives: busy paths, mean rate of a transfer, rate of a step that waits for the last."""

    busy: float
    mean: float
    slowest: float


def blocks(senders: int, paths: int, way: str, draw: int) -> np.ndarray:
    """Return a row (sender, path) for every flow, as draw number *draw* places them; spraying places a flow on every path."""
    split = HASHED.get(way, 1)
    if way == SPRAY:
        return np.stack(np.divmod(np.arange(senders * paths), paths), axis=1)
    if way == RAILS:
        return np.stack([np.arange(senders), np.arange(senders) % paths], axis=1)
    path = ecmp.draw(senders * split, paths, choices=2 if way == TWO else 1, seed=draw)
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
    if way in (SPRAY, RAILS):
        return figures(blocks(senders, paths, way, 0), senders, paths)
    split, even = HASHED.get(way, 1), max(1.0, senders / paths)
    if way == TWO:
        seen = ecmp.simulate(senders, paths, _MANY, choices=2)
        # With one flow each all senders together get what the busy paths carry.
        busy = float(seen.busy.mean()) / paths
        return Figures(busy, busy * paths / senders * even, even / float(np.maximum(1.0, seen.max_load).mean()))
    mean = float(ecmp.mean_throughput(senders, paths)) if split == 1 else _mean_drawn(senders, paths, split) * even
    return Figures(float(ecmp.busy_share(senders * split, paths)), mean, ecmp.slowest(senders, paths, split))


def _mean_drawn(senders: int, paths: int, split: int) -> float:
    """The mean rate of a transfer of so many flows, as a share of a port, over 400 draws."""
    path = np.random.default_rng(0).integers(paths, size=(_MANY, senders * split)) + paths * np.arange(_MANY)[:, None]
    path = path.astype(np.intp, copy=False)  # for a browser's Python, whose indices are narrower
    got = 1 / np.bincount(path.ravel(), minlength=_MANY * paths)[path]
    return float(np.minimum(1.0, got.reshape(_MANY, senders, split).sum(axis=2)).mean())


@functools.cache
def reached(paths: int, split: int, choices: int = 1) -> float:
    """Return the throughput of a step of as many senders as paths, each sending *split* flows; 1 is even spreading."""
    return ecmp.slowest(paths, paths, split) if choices == 1 else split / _fullest(paths, choices)[split - 1]


@functools.cache
def _fullest(paths: int, choices: int) -> np.ndarray:
    """The mean number of flows on the fullest path with 1, 2 and so on flows a sender, each having looked at several paths."""
    return ecmp.fullest(CHOSEN_UP_TO, paths, trials=CHOSEN_TRIALS, choices=choices).mean(axis=0)


@functools.cache
def needed(paths: int) -> int:
    """Return the flows a transfer that hashing needs for 95 %, with as many senders as paths."""
    return ecmp.split_for(WANTED, paths, paths)


@functools.lru_cache(maxsize=256)
def trace(senders: int, feedback: float, threshold: float = np.inf) -> dcqcn.Trace:
    """Return 10 ms of an incast under DCQCN with the paper's parameters, all senders starting at 40 Gb/s."""
    if threshold < np.inf and (alone := trace(senders, feedback)).queue.max() <= threshold:
        return alone
    return dcqcn.run(PORT, [PORT] * senders, TIMES, feedback=feedback, threshold=threshold)


def steps() -> np.ndarray:
    """Return the seconds for which each entry of a trace stands."""
    return np.diff(TIMES, append=SECONDS)


def used(seen: dcqcn.Trace) -> float:
    """Return the share of the receiver's port that was used: all of it while anything waited."""
    share = np.where(seen.queue > 0, 1.0, np.minimum(seen.rates.sum(axis=0) / PORT, 1.0))
    return float(steps() @ share / SECONDS)


def full_after(senders: int, threshold: float) -> float:
    """Return the seconds after which *threshold* bytes wait, if nobody slows down."""
    return threshold / incast.queue_growth(senders, PORT)


def heard(senders: int) -> float:
    """Return the seconds after which the first sender of an incast slows down, without pauses and with the quickest news."""
    alone = trace(senders, FEEDBACK[0])
    return float(alone.time[np.flatnonzero(alone.rates[0] < PORT)[0]])


def birthday() -> int:
    """Return the fewest people of whom two have the same birthday more often than not."""
    return next(people for people in range(2, DAYS) if ecmp.collision_free(people, DAYS) < 1 / 2)


def three_figures():
    """Return a DataFrame of text: what is called utilisation, three ways, for three numbers of flows and paths."""
    import pandas as pd

    of = {"busy links": ecmp.busy_share, "mean throughput": ecmp.mean_throughput, "slowest flow": ecmp.slowest}
    rows = {f"{flows} flows, {paths} paths": {what: f"{share(flows, paths):.1%}" for what, share in of.items()}
            for flows, paths in ((8, 8), (8, 32), (32, 8))}
    return pd.DataFrame(rows).T


def drawn_load() -> tuple[float, float]:
    """Return (mean, its error) of the flows on the fullest path of PATHS, over 1,024 throws of as many flows."""
    return ecmp.estimate(ecmp.simulate(PATHS, PATHS, trials=1024).max_load)


def one_lost_packet():
    """Return a DataFrame of text: what a lost packet makes a sender send again, and the loss that costs a tenth of the rate."""
    import pandas as pd

    return pd.DataFrame({
        "sent again for one lost packet": {way: units.format(loss.sent_again(**WIRE, recovery=way)) for way in loss.RECOVERIES},
        "loss that costs a tenth of the rate": {
            way: f"1 in {1 / loss.tolerated(9 / 10, **WIRE, recovery=way):,.0f}" for way in loss.RECOVERIES}})


def oversubscribed(down: int):
    """Return a DataFrame of text: how many times as long all takes if a share leaves where *down* times as much goes down."""
    import pandas as pd

    shares = [1 / 8, 1 / 4, 1 / 2]
    times = 1 / incast.oversubscribed_share(down, shares)
    return pd.DataFrame({"share of the traffic that leaves": [f"{share:.1%}" for share in shares],
                         "times as long": [f"{time:.2f}" for time in times]})


def bystander(paused: bool) -> float:
    """Return the bytes a second that a flow to an idle receiver gets of an uplink that it shares with one of a crowd."""
    return float(pause.victim_rate(WIRE["rate"], SENDERS, 1, paused=paused))


# ---- model against measurement ----

# What was compared, by who says it: the figures' ids, and how many flows each the model is asked for. The sources say how many
# there were nowhere but in the Llama 3 paper, so PATHS stand for all of them.
_PUBLISHED = {"NVIDIA": ("spectrum-x-ecmp", "spectrum-x-spread", 1), "Baidu": ("baidu-ecmp", "baidu-spread", 1),
              "Asterfusion": ("asterfusion-ecmp", "asterfusion-spread", 1),
              "Asterfusion, QPs": ("asterfusion-qp-hash", "asterfusion-spread", 16), "Tolly": (None, "tolly-gain-16g", 1)}


@functools.cache
def hashing_published() -> dict[str, tuple[float, float, float]]:
    """Return what hashing reached of a spread load, by who published it: the model's slowest flow, its mean flow, the measured.

    The slowest is waited for in every step, the mean never waits.
    """
    found = {}
    for name, (hashed, spread, split) in _PUBLISHED.items():
        measured = (catalog.figure(hashed).si if hashed else 1.0) / catalog.figure(spread).si
        way = next(way for way, flows in HASHED.items() if flows == split)
        found[name] = ecmp.slowest(PATHS, PATHS, split), averages(PATHS, PATHS, way).mean, measured
    return found


def explained() -> list[int]:
    """Return the flows a transfer must have had, for each published figure, if the slowest flow alone explained it; sorted."""
    return sorted(ecmp.split_for(min(share, WANTED), PATHS, PATHS) for _, _, share in hashing_published().values())


def gain() -> float:
    """Return how many times as fast the model's step is with as many flows each as Llama 3 had."""
    return ecmp.slowest(PATHS, PATHS, LLAMA) / ecmp.slowest(PATHS, PATHS, 1)


ALPS = {8: "gh200x32-alps-ar", 16: "gh200x64-alps-ar", 512: "gh200x2048-alps-ar"}
_FOUR_PORTS = 4 * link("slingshot11").bandwidth()  # of a node: the narrowest place that a ring passes, so its busbw


def _large(nodes: int):
    """The runs over Slingshot on so many nodes with buffers of 1 GiB or more, with their busbw and by how much it is missed."""
    run, about = published(ALPS[nodes]), catalog.row("measurement_tables", ALPS[nodes])
    run = run[run["nbytes"] >= units.GiB]
    rate = busbw("all_reduce", run["nbytes"].to_numpy(), run["seconds"].to_numpy(), about["ranks"])
    return run.assign(rate=rate, error=error(_FOUR_PORTS, rate))


def adaptive_published() -> dict[str, dict[int, tuple[float, float]]]:
    """Return by buffer and number of nodes four ports a node at line rate, and the busbw over Slingshot, in bytes a second."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for nodes in ALPS:
        for row in _large(nodes).itertuples():
            found.setdefault(units.format(row.nbytes), {})[nodes] = _FOUR_PORTS, float(row.rate)
    return found


# Of each published headroom: its bytes, the rate of the port, the MTU, and how long a port takes to obey. The 100G source states
# the cable, the 40G one the MTU; what they leave open is ours.
_HEADROOMS = [(catalog.figure("spectrum-headroom").si, link("eth100").line, LONGEST, "pfc-quanta-100g"),
              (dcqcn.value("trident2-headroom"), PORT, _USUAL, "pfc-quanta-40g")]


def headrooms(occupancy: float) -> list[float]:
    """Return the model's worst case for each published headroom, a byte sent taking so many bytes of buffer."""
    return [pause.headroom(rate, CABLE, mtu, pause.response_time(int(dcqcn.value(quanta)), rate),
                           delay_per_metre=1 / dcqcn.value("fibre-speed"), occupancy=occupancy)
            for _, rate, mtu, quanta in _HEADROOMS]


def headrooms_published() -> dict[str, list[tuple[float, float]]]:
    """Return the worst case and the published headroom, in bytes, of either port: counted as bytes sent, and in cells."""
    return {counted: list(zip(headrooms(occupancy), (row[0] for row in _HEADROOMS), strict=True))
            for counted, occupancy in (("bytes as sent", 1.0), ("in cells", OCCUPANCY))}


def headroom_ports() -> list[str]:
    """Return the names of the two ports whose headroom is published."""
    return [f"a port of {units.format(8 * rate, 'b/s')}" for _, rate, _, _ in _HEADROOMS]
