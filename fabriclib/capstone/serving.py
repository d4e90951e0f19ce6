"""Serving as a job of the capstone: the time of a token over a grid of GPUs and splits, all users answered at once."""

from __future__ import annotations

import numpy as np

from ..availability.uptime import Uptime
from ..machines import System
from ..prediction.constants import fitted
from ..workloads.request import priced
from ..workloads.serving import memory, rules, serving, some
from .brief import Brief
from .plan import Plan
from .ran import Job, Ran

DTYPE = "fp16"  # of weights and of the cache: that all machines have


def run(brief: Brief, machine: System, gpus, tp, pp, *, pod: int, oversubscription: float) -> Ran:
    """Return a token's seconds of each split, replicas sharing out the users; they do not talk, whatever joins them."""
    asked = _asked(brief, machine, *np.meshgrid(gpus, tp, pp, indexing="ij"))
    met = np.ones(asked.tp.shape, dtype=bool)
    for rule, _ in rules(asked):
        met &= rule
    seconds, room = np.full(met.shape, np.inf), np.zeros(met.shape)
    if met.any():
        found = some(asked, met)
        held = memory(found)
        seconds[met] = np.asarray(priced(found, held, fitted()).per_token)
        room[met] = found.accelerator.memory / sum(held.values())
    return Ran(*(one.reshape(asked.shape) for one in (seconds, room)))


def _asked(brief: Brief, machine, gpus, tp, pp):
    """Return the requests of all users, as many to each replica."""
    replicas = np.maximum(np.asarray(gpus) // (np.asarray(tp) * np.asarray(pp)), 1)
    batch = replicas * np.ceil(brief.users / replicas).astype(int)
    numbers = {"gpus": gpus, "tp": tp, "pp": pp, "ep": 1, "batch": batch, "prompt": brief.seq, "output": int(brief.output)}
    return serving(brief.model, machine, numbers, DTYPE, DTYPE, "auto")


def share(fares: Uptime, machine: System, spare: int) -> float:
    """Return the share of the servers that answer while others are repaired and *spare* ones stand in for them."""
    return 1 - max(float(fares.out) - spare, 0.0) * machine.server_gpus / float(fares.gpus)


def needed(brief: Brief, seconds: np.ndarray, share_: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (seconds of a token, seconds that it may take): replicas that are left take the users of those that are not."""
    return seconds / share_, brief.per_token


def refused(brief: Brief, plan: Plan) -> str:
    """Return why a model cannot be split as planned; empty if it can."""
    asked = _asked(brief, plan.system, plan.gpus, plan.tp, plan.pp)
    case = {axis: int(values[0]) for axis, values in asked.axes.items()}
    return next((says(case, asked) for met, says in rules(asked) if not met.all()), "")


SERVING = Job(run, share, needed, refused)
