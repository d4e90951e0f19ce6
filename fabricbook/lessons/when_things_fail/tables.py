"""What lesson "When things fail" stands on: 54 days of a run, what saves and restarts cost, a fabric with a part lost."""

from __future__ import annotations

import functools
from statistics import NormalDist

import numpy as np

from fabriclib import catalog, units
from fabriclib.availability import (
    Left,
    best_interval,
    causes,
    erlang_b,
    expected_slowest,
    left,
    network_elsewhere,
    planes,
    rail,
    rates,
    save_seconds,
    spent,
    throw,
    uptime,
)
from fabriclib.availability.uptime import Uptime
from fabriclib.topology import Graph, fabric, fabric_counts
from fabriclib.workloads import transformer


def figure(name: str) -> float:
    """Return the figure of that id in SI units."""
    return catalog.figure(name).si


# ---- the run

MACHINE, GPUS, LEAF = "dgx-h100", int(figure("llama3-run-gpus")), 16  # GPUs of the run; of them share a leaf
RUN, SEEN = figure("llama3-run"), figure("llama3-unexpected")
PARTS = {"GPU": ("gpu",), "software": ("software",), "host": ("host",), "network": ("cable", "leaf"), "NIC": ("nic",)}
GPU, SOFTWARE, HOST, NETWORK, NIC = PARTS
SIZES = [128, 1024, 4096, GPUS, 4 * GPUS]
THROWS, SEED = 40, 2030
MANY = round(SEEN + np.sqrt(SEEN), -1)  # more than two runs of three have


@functools.cache
def job(gpus: int = GPUS, spare: int | None = None) -> Uptime:
    """Return how a job of the model of the run fares on so many GPUs."""
    return uptime(MACHINE, gpus=gpus, spare=spare)


def expected(gpus: int = GPUS) -> float:
    """Return the interruptions that a run of 54 days has in the mean."""
    return RUN / job(gpus).between


@functools.cache
def thrown(gpus: int, throws: int) -> dict[str, np.ndarray]:
    """Return {cause: seconds of its interruptions} of one run of 54 days."""
    events = throw(job(gpus).by_part, RUN, seed=SEED + throws)
    return {cause: events.at[np.isin(events.part, list(own))] for cause, own in PARTS.items()}


def quiet(gpus: int, throws: int) -> tuple[float, float]:
    """Return begin and end of the longest stretch without an interruption, in seconds."""
    at = np.sort(np.concatenate([[0.0, RUN], *thrown(gpus, throws).values()]))
    longest = int(np.diff(at).argmax())
    return float(at[longest]), float(at[longest + 1])


def of_run() -> dict[str, int]:
    """Return {cause: interruptions of Llama 3's run}."""
    return dict(zip(PARTS, (causes()[part] for part in ("gpu", "software", "host", "network", "nic")), strict=True))


# ---- saves

model = transformer("llama-3-405b")
STORAGE, RESTART, SAVE = figure("llama3-storage"), figure("megascale-diagnosis"), save_seconds(model)
BETWEEN = job().between
BEST = best_interval(SAVE, BETWEEN)
SAVES = [1.0, round(SAVE, 1), 10.0, 60.0, 300.0]
MOST_LOST = 50  # per cent: the top of the chart
RESTARTS = [60.0, 300.0, RESTART, 1800.0]
MINUTES = [float(f"{one:.2g}") for one in np.geomspace(0.25, 480, 34)]
LOSSES = {"saves": "saving", "work done again": "redone", "restarts": "restarting"}


def lost(gpus: int, save: float, restart: float, minutes=tuple(MINUTES)) -> dict[str, np.ndarray]:
    """Return {what: per cent of the time} by the minutes of work between two saves."""
    shares = spent(60 * np.asarray(minutes), save=save, between=job(gpus).between, restart=restart)
    return {what: 100 * np.asarray(getattr(shares, field)) for what, field in LOSSES.items()}


def all_lost(gpus: int, save: float, restart: float) -> np.ndarray:
    """Return the per cent of the time that is lost, by the minutes between two saves."""
    return sum(lost(gpus, save, restart).values())


# ---- a fabric with a part lost

SERVERS, SIZE, SPINES = 4, 8, 4
WIRINGS = {"one leaf a NIC": "rail-optimised", "two planes": "dual-plane", "rails on their own": "rail-only"}
ONE, TWO, ALONE = WIRINGS
PATTERNS = {"rings on the rails": "rails", "all to all": "all to all"}
RINGS, EVERYONE = PATTERNS
NOTHING, CABLE, A_LEAF, UPLINK, SPINE, PLANE, RAIL = LOST = [
    "nothing", "cable of GPU 0", "leaf 0", "leaf 0 to spine 0", "spine 0", "a whole network", "rail 0"]


@functools.cache
def graph(wiring: str) -> Graph:
    """Return the fabric of 4 servers; where there are spines, each leaf has one cable to each of four."""
    return fabric(WIRINGS[wiring], gpus=SERVERS * SIZE, radix=2 * SIZE, **({} if wiring == ALONE else {"spines": SPINES}))


@functools.cache
def gone(wiring: str, part: str) -> tuple:
    """Return the parts of the graph that are lost; where there is no spine, none is."""
    whole = graph(wiring)
    found = {NOTHING: (), CABLE: (("gpu0", "leaf0"),), A_LEAF: ("leaf0",), UPLINK: (("leaf0", "spine0"),), SPINE: ("spine0",),
             PLANE: planes(whole)[0], RAIL: rail(whole, 0)}[part]
    return () if part in (UPLINK, SPINE) and "spine0" not in whole.nodes else found


@functools.cache
def what_is_left(wiring: str, part: str, pattern: str = RINGS) -> Left:
    """Return what the loss of a part leaves of a collective."""
    return left(graph(wiring), gone(wiring, part), pattern=PATTERNS[pattern])


def planes_of() -> tuple[Uptime, Uptime]:
    """Return how the run's job fares with one leaf a NIC, and with two planes."""
    one, two = (fabric_counts(kind, gpus=GPUS, radix=128) for kind in ("rail-optimised", "dual-plane"))
    return uptime(MACHINE, gpus=GPUS, design=one), uptime(MACHINE, gpus=GPUS, design=two)


# ---- the slowest

RANKS = [2**k for k in range(1, 18)]
SPREADS, SLOWER = [0.5, 1.0, 2.0, 4.0], [0, 5, 10, 20]
DICE = 6  # throws drawn for each number of ranks


def waits(ranks, spread: float) -> np.ndarray:
    """Return by how many per cent a step takes longer than the mean, by chance alone."""
    return 100 * (np.asarray(expected_slowest(ranks, spread=spread / 100)) - 1)


@functools.cache
def slowest_thrown() -> tuple[list[int], list[float]]:
    """Return the ranks of some throws, and the largest of so many standard normal numbers: one number by the inverse of F^p."""
    draw, normal = np.random.default_rng(54), NormalDist()
    ranks = [many for many in RANKS[::2] for _ in range(DICE)]
    return ranks, [normal.inv_cdf(draw.uniform() ** (1 / many)) for many in ranks]


waiting_from = next(ranks for ranks in RANKS if waits(ranks, SPREADS[2]) > SLOWER[1])


# ---- counts that the text and the exercises need

YEAR = units.parse("1 year")


def years_of(part: str) -> float:
    """Return the years between two interruptions that one such part causes."""
    return 1 / rates()[part] / YEAR


def hours_between(many: dict, years: dict) -> float:
    """Return the mean hours between failures of any of all parts: *many* of each, *years* between failures of one."""
    return YEAR / 3600 / sum(many[part] / years[part] for part in many)


def storage_rate(nbytes: float, between: float, share: float) -> float:
    """Return the bytes/s of a storage with which saves and work done again cost *share* of the time, at Young's interval.

    Both losses are equal there, and together (2 save / between) ** 0.5.
    """
    return 2 * nbytes / (share**2 * between)


# ---- four designs and a lost leaf, four remedies

def _racks() -> Left:
    return left(fabric("leaf-spine", gpus=SERVERS * SIZE, radix=2 * SIZE, spines=SPINES), ("leaf0",), pattern=PATTERNS[RINGS])


DESIGNS = {"a leaf for each rack": _racks} | {name: functools.partial(what_is_left, name, A_LEAF) for name in WIRINGS}


def survivor() -> str:
    """Return the one of DESIGNS on which the rings have a way left."""
    [one] = [name for name, found in DESIGNS.items() if found().slowest > 0]
    return one


REMEDIES = {"storage twice as fast": lambda: uptime(MACHINE, gpus=GPUS, save=SAVE / 2).share,
            "a second plane": lambda: planes_of()[1].share,
            "twice the spare servers": lambda: uptime(MACHINE, gpus=GPUS, spare=2 * fewest_spares(GPUS)).share,
            "faults found in half the time": lambda: uptime(MACHINE, gpus=GPUS, restart=RESTART / 2).share}


def fewest_spares(gpus: int) -> int:
    """Return the fewest servers that must stand by so that at most 1 % of the time goes into waiting for repairs."""
    return next(spare for spare in range(10_000) if job(gpus, spare).shares.waiting <= 0.01)


def spares_of(repair: float) -> int:
    """Return the same for the run's job, if a repair takes so many seconds."""
    out = uptime(MACHINE, gpus=GPUS, repair=repair).out
    return next(spare for spare in range(10_000) if erlang_b(out, spare + 1) <= 0.01)


def elsewhere() -> dict[str, tuple[float, float]]:
    """Return {what: (interruptions that rates of others promise for the 54 days, those that there were)}."""
    of = {"cable": GPUS, "leaf": GPUS / LEAF}
    network = sum(rate * of[part] for part, rate in network_elsewhere().items()) * RUN
    nodes = GPUS / SIZE * RUN / units.parse("1 day") / 1000  # in thousands of node days, as the rates are
    return {"network, by Alibaba": (network, of_run()[NETWORK]),
            "all, by Meta's RSC-1": (figure("rsc1-node-failures") * nodes, SEEN),
            "all, by Meta's RSC-2": (figure("rsc2-node-failures") * nodes, SEEN)}


def small_job_promised() -> float:
    """Return the hours between failures that RSC-1's rate promises a job on 1,024 GPUs."""
    return 24 / (1024 / SIZE * figure("rsc1-node-failures") / 1000)


def table_of_causes():
    """Return a DataFrame: the causes of the run's interruptions, as counted."""
    import pandas as pd

    rows = catalog.rows("failures")
    return pd.DataFrame([{"cause": row["name"], "counted to": row["part"], "interruptions": row["count"],
                          "share": units.portion(row["count"] / SEEN), "to be repaired": "yes" if row["replaced"] else ""}
                         for row in rows])
