"""Training as a job of the capstone: steps over a grid of GPUs and splits, and the share of the time that is trained."""

from __future__ import annotations

import numpy as np

from ..availability.uptime import Uptime, erlang_b
from ..machines import System
from ..prediction.constants import fitted
from ..shown import counted
from ..workloads import transformer
from ..workloads.job import Choices, job, proposed, rules, with_dp
from ..workloads.memory import memory, total
from ..workloads.step import step_parts
from ..workloads.traffic import talk
from .brief import Brief
from .plan import Plan
from .ran import Job, Ran

PIECES = (1, 2, 4, 8)  # of a stage, which take turns
SHARES = (8, 16, 32, 64)  # GPUs that share out the experts


def run(brief: Brief, machine: System, gpus, tp, pp, *, pod: int, oversubscription: float) -> Ran:
    """Return the steps of each split; turns in the pipeline, sharing of experts and recomputation: the fastest that fit."""
    experts = [one for one in SHARES if one <= transformer(brief.model).experts] or [1]
    names = ("gpus", "tp", "pp", "virtual", "ep")
    grids = dict(zip(names, np.meshgrid(gpus, tp, pp, PIECES, experts, indexing="ij"), strict=True))
    choices = Choices("zero1", "none", oversubscription=oversubscription, pod=pod)
    kept = _steps(brief, machine, grids, choices, np.array(True))
    again = _steps(brief, machine, grids, choices._replace(recompute="full"), kept.room < 1)  # what fits is faster without
    shape = (len(gpus), len(tp), len(pp), -1)
    seconds, room = (np.concatenate([one.reshape(shape) for one in each], axis=-1) for each in zip(kept, again, strict=True))
    fits = room >= 1
    best = np.where(fits.any(axis=-1), np.where(fits, seconds, np.inf).argmin(axis=-1), room.argmax(axis=-1))[..., None]
    return Ran(*(np.take_along_axis(one, best, -1)[..., 0] for one in (seconds, room)))


def _steps(brief: Brief, machine: System, grids: dict, choices: Choices, wanted: np.ndarray) -> Ran:
    """Return the steps of the splits that are *wanted* and possible; of others as if they were not possible."""
    fixed = {"global_batch": int(brief.global_batch), "seq": brief.seq, "micro_batch": 1, "cp": 1}
    asked = proposed(brief.model, machine, grids | fixed, choices)
    met = np.ones(asked.shape, dtype=bool).reshape(-1) & wanted
    for rule in rules(asked):
        met &= rule.met
    seconds, room = np.full(met.shape, np.inf), np.zeros(met.shape)
    if met.any():
        found = with_dp(asked, met)
        seconds[met] = total(step_parts(found, talk(found), fitted()))
        room[met] = found.accelerator.memory / total(memory(found))
    return Ran(seconds, room)


def share(fares: Uptime, machine: System, spare: int) -> float:
    """Return the share of the time that the job gets on while parts fail and *spare* servers stand by."""
    return float((1 - erlang_b(fares.out, spare + 1)) * fares.share)


def needed(brief: Brief, seconds: np.ndarray, share_: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (seconds that the job takes, seconds that it may take)."""
    steps = brief.tokens / (brief.global_batch * brief.seq)
    return steps * seconds / share_, brief.deadline


def refused(brief: Brief, plan: Plan) -> str:
    """Return why a model cannot be split as planned; empty if it can."""
    copies, left = divmod(plan.gpus, plan.tp * plan.pp)
    texts = int(brief.global_batch)
    if copies and not left and texts % copies:
        return f"a step of the brief has {counted(texts, 'text')}, which {copies:,} copies of the model cannot share evenly."
    fixed = {"global_batch": int(brief.global_batch), "seq": brief.seq, "micro_batch": 1, "virtual": 1, "cp": 1, "ep": 1}
    try:
        job(brief.model, plan.system, fixed | {"gpus": plan.gpus, "tp": plan.tp, "pp": plan.pp}, Choices("zero1"))
    except ValueError as problem:
        return str(problem)
    return ""


TRAINING = Job(run, share, needed, refused)
