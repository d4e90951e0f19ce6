"""Uptime: how often a job over many GPUs is interrupted, and which share of the time it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import Numbers, count, number, plain, short, single, together, typed, whole
from ..machines import System, system
from ..shown import sentence
from ..topology import Design
from ..workloads import Transformer, transformer
from ..workloads.memory import model_states
from . import failures
from .checkpoint import best_interval, spent

MOST_SPARE = 10_000
NETWORK = ("cable", "leaf")


class Shares(NamedTuple):
    """Shares of the time, which add up to one; `waiting`: for a repair, since no spare server was left."""

    training: Numbers
    saving: Numbers
    redone: Numbers
    restarting: Numbers
    waiting: Numbers


@typed
@dataclass(frozen=True, eq=False)
class Uptime:
    """How a job fares; numbers or arrays. `uptime` makes it.

    Args:
        gpus: of the job.
        by_part: {part: interruptions per second that parts of this sort cause}.
        degraded: cables and leaves that are out of use at a time, in the mean, and only slow the job down: those of NICs that
            reach two leaves or more.
        out: servers that are out of use at a time, in the mean.
        save, restart, interval: seconds of a save, of a restart, and of work between saves.
        shares: of the time.
    """

    _example = "uptime('dgx-h100', gpus=16384)"

    gpus: Numbers
    by_part: dict
    degraded: Numbers
    out: Numbers
    save: Numbers
    restart: Numbers
    interval: Numbers
    shares: Shares

    @property
    def between(self) -> Numbers:
        """Mean seconds between interruptions while the job runs."""
        return plain(1 / np.asarray(sum(self.by_part.values())))

    @property
    def share(self) -> Numbers:
        """Share of the time that is spent on training which is kept: the effective training time."""
        return self.shares.training

    def why(self) -> str:
        """Return in words where the time goes, for one job."""
        one = {part: single(part, rate) for part, rate in self.by_part.items()}
        most = max(one, key=one.__getitem__)
        lost = {"saving": "saves", "redone": "work done again", "restarting": "restarts", "waiting": "waiting for repairs"}
        parts = ", ".join(f"{words} {100 * getattr(self.shares, name):.2g} %" for name, words in lost.items())
        return (f"An interruption every {units.format(float(self.between), 's')}, "
                f"{100 * one[most] / sum(one.values()):.0f} % of them by {most}; "
                f"a save every {units.format(float(self.interval), 's')}. Of the time: {parts}; "
                f"{100 * self.share:.3g} % trains.")

    def __repr__(self) -> str:
        if np.ndim(self.share):
            least, most = 100 * np.min(self.share), 100 * np.max(self.share)
            return f"<{np.size(self.share)} jobs: {least:.3g} to {most:.3g} % of the time trains>"
        return (f"<{self.gpus:,.0f} GPUs: an interruption every {units.format(float(self.between), 's')}, "
                f"{100 * self.share:.1f} % of the time trains>")

    _repr_html_ = sentence


@typed
def uptime(machine: str | System, *, gpus, design: Design | None = None, spare: int | None = None,
           model: str | Transformer = "llama-3-405b", save=None, restart=None, interval=None, repair=None) -> Uptime:
    """Return how often a job is interrupted, and which share of the time it trains.

    Parts fail as in Llama 3's 54 days (`rates`). What a source states is taken where nothing is given: restarts of ten minutes
    (the most that MegaScale needs to find a fault and test), storage of 2 TB/s (Llama 3's), repairs within a day.

    Args:
        machine: a System, or the id of one.
        gpus: of the job, a whole number or an array.
        design: the network, counted by `fabric_counts` for as many GPUs. With planes a lost cable or leaf slows the job down and
            does not stop it. Without a design each NIC has one cable, and 16 GPUs share a leaf.
        spare: servers that stand by; None: there is always one.
        model: whose weights and optimiser state a save writes, 12 bytes a parameter.
        save: seconds for which a save stops the job, instead of those.
        restart: seconds from a failure until work goes on, a server standing by.
        interval: seconds of work between saves; the best without.
        repair: seconds until a server that failed can be used again.

    Raises:
        ValueError: an argument that is not what it should be; a design for another number of GPUs.

    >>> uptime("dgx-h100", gpus=16384)
    <16,384 GPUs: an interruption every 3.09 h, 92.8 % of the time trains>
    """
    machine = system(machine) if isinstance(machine, str) else machine
    gpus = whole("gpus", gpus)
    repair = catalog.figure("repair-on-site").si if repair is None else number("repair", repair)
    by_part, degraded = _interruptions(machine, gpus, design, repair)
    between = 1 / np.asarray(sum(by_part.values()))
    save = save_seconds(model) if save is None else number("save", save)
    restart = catalog.figure("megascale-diagnosis").si if restart is None else number("restart", restart, zero=True)
    interval = best_interval(save, between) if interval is None else number("interval", interval)
    together(gpus=gpus, save=save, restart=restart, interval=interval, repair=repair)
    out = _replaced(by_part) * repair
    waiting = np.zeros(np.shape(out)) if spare is None else erlang_b(out, count("spare", spare, low=0, high=MOST_SPARE) + 1)
    running = spent(interval, save=save, between=between, restart=restart)
    useful, saving, redone, restarting = (plain((1 - waiting) * one) for one in running)
    shares = Shares(useful, saving, redone, restarting, plain(waiting + 0.0 * useful))
    return Uptime(gpus, by_part, plain(degraded), plain(out), save, restart, interval, shares)


def save_seconds(model: str | Transformer = "llama-3-405b", storage=None):
    """Return the seconds in which *storage* (bytes per second; Llama 3's 2 TB/s without) takes a model's optimiser state.

    That state holds a copy of the weights: 12 bytes a parameter are all that a restart needs.

    Raises:
        ValueError: an unknown model, or a *storage* that is not positive.

    >>> round(save_seconds("llama-3-405b"), 2)
    2.44
    """
    model = transformer(model) if isinstance(model, str) else model
    if not isinstance(model, Transformer):
        raise ValueError(f"model must be a Transformer or the id of one, such as 'llama-3-405b'; got {short(model)}.")
    storage = catalog.figure("llama3-storage").si if storage is None else number("storage", storage)
    return plain(model_states(model.params, 1, "none")[2] / storage)


def erlang_b(offered, places: int):
    """Return the share of the time in which all *places* are taken, *offered* being the mean number wanted (Erlang 1917).

    Here: servers fail while the job runs, and it runs until one more is out than stand by. How long each repair takes does not
    matter, only the mean.

    Raises:
        ValueError: *offered* is negative, or *places* not whole and positive.

    >>> round(erlang_b(6.0, 1), 4), round(erlang_b(6.0, 12), 4)
    (0.8571, 0.0114)
    """
    offered = np.asarray(number("offered", offered, zero=True))
    share: np.ndarray = np.ones(offered.shape)
    for place in range(1, count("places", places, high=MOST_SPARE + 1) + 1):
        share = offered * share / (place + offered * share)
    return plain(share)


def _parts(machine: System, gpus, design: Design | None) -> tuple[failures.Counts, int]:
    """Return the parts of the job, and how many leaves each NIC reaches."""
    parts = failures.counts(gpus, gpus_of_host=machine.server_gpus, nics_of_gpu=machine.ports / machine.gpus)
    if design is None:
        return parts, 1
    if np.any(np.asarray(gpus) != design.gpus):
        raise ValueError(f"design must be for {short(gpus)} GPUs; got one for {design.gpus}: count it by fabric_counts.")
    return parts._replace(cable=float(design.cables[0].count), leaf=float(design.leaves)), design.planes


def _interruptions(machine: System, gpus, design: Design | None, repair) -> tuple[dict, Numbers]:
    """Return {part: interruptions per second}, and the cables and leaves that are out of use and only slow the job down."""
    parts, planes = _parts(machine, gpus, design)
    by_part = {part: plain(rate * getattr(parts, part)) for part, rate in failures.rates().items()}
    if planes == 1:
        return by_part, 0.0
    return by_part | {part: 0.0 * by_part[part] for part in NETWORK}, sum(by_part[part] for part in NETWORK) * repair


def _replaced(by_part: dict):
    """Return the failures per second after which a server has to be repaired."""
    seen, some = failures.causes(), failures.causes(replaced=True)
    seen, some = ({part: of.get(part, of["network"]) for part in by_part} for of in (seen, some))
    return sum(rate * some[part] / seen[part] for part, rate in by_part.items())
