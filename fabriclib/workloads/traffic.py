"""Traffic: what each axis of a split sends in a step, asked of `predict`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .job import Job
from .memory import GRADIENT, WEIGHT, params_per_gpu
from .placement import Group, groups
from .wires import seconds

HALF = 2


def per_layer(job: Job, placed: dict[str, Group]) -> dict[str, np.ndarray]:
    """Return {axis: seconds} that a mean layer talks for one micro-batch, forward and backward: "tp", "cp" and "ep"."""
    model = job.model
    again = float(job.recompute == "full")
    tokens = job.micro_batch * job.seq / job.cp
    mixed = model.moe_layers / model.layers
    found = {}
    # Before attention and before the feed-forward part all gather, after each they reduce; and the same on the way back.
    times = (2 - mixed) * (2 + again)
    buffer = tokens * model.hidden * HALF
    found["tp"] = times * (seconds(job.system, "all_gather", buffer, placed["tp"])
                           + seconds(job.system, "reduce_scatter", buffer, placed["tp"]))
    keys = 2 * model.kv_heads * model.head_width * HALF * job.micro_batch * job.seq / job.tp
    found["cp"] = ((2 + again) * seconds(job.system, "all_gather", keys, placed["cp"])
                   + seconds(job.system, "reduce_scatter", keys, placed["cp"]))
    found["ep"] = np.zeros(tokens.shape)
    if mixed:
        sent = tokens / job.tp * model.topk * model.hidden * HALF * distinct(placed["ep"].nodes, model.topk)
        found["ep"] = mixed * (4 + 2 * again) * seconds(job.system, "all_to_all", sent, placed["ep"])
    return found


def distinct(nodes, topk: int):
    """Return how many copies of a token leave for *nodes*, of *topk*: a node gets one, whichever of its experts want it.

    *topk* experts lie on nodes (1 - (1 - 1 / nodes)^topk) different nodes, if all are as likely. In one node each has its own.
    """
    nodes = np.asarray(nodes, dtype=float)
    many = nodes * (1 - (1 - 1 / np.maximum(nodes, 1.0)) ** topk) / topk
    return np.where(nodes > 1, many, 1.0)


def per_micro_batch(job: Job, placed: dict[str, Group]) -> np.ndarray:
    """Return the seconds of passing activations on and gradients back for one micro-batch, once for each piece of a stage."""
    nbytes = job.micro_batch * job.seq / job.cp * job.model.hidden * HALF / job.tp
    pair = placed["pp"]._replace(size=np.minimum(placed["pp"].size, 2))
    # Two neighbours: inside a node where all stages of it are, else over the network.
    pair = pair._replace(nodes=np.where(pair.nodes > 1, 2, 1), gpus=np.where(pair.nodes > 1, 1, np.minimum(pair.gpus, 2)))
    return 2 * job.virtual * seconds(job.system, "send_recv", nbytes, pair)


def per_step(job: Job, placed: dict[str, Group]) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of (gradients, weights): in a step, or for fsdp in a micro-batch, layer by layer."""
    layers = np.maximum(job.model.layers / job.pp, 1.0)
    gradients, weights = np.zeros(job.tp.shape), np.zeros(job.tp.shape)
    for params, name in zip(params_per_gpu(job), ("dp+cp", "edp"), strict=True):
        group = placed[name]
        if job.sharding == "none":
            gradients = gradients + seconds(job.system, "all_reduce", GRADIENT * params, group)
            continue
        pieces = layers if job.sharding == "fsdp" else 1.0
        gradients = gradients + pieces * seconds(job.system, "reduce_scatter", GRADIENT * params / pieces, group)
        times = 2 if job.sharding == "fsdp" else 1
        weights = weights + times * pieces * seconds(job.system, "all_gather", WEIGHT * params / pieces, group)
    return gradients, weights


class Talk(NamedTuple):
    """The seconds of all traffic of a job, hidden or not: of a layer and micro-batch {axis: seconds}, of a micro-batch from stage
    to stage, and of gradients and of weights."""

    layer: dict[str, np.ndarray]
    passing: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray


def talk(job: Job) -> Talk:
    """Return what every axis of a job sends, where it is placed."""
    placed = groups(job.system, job.axes, job.order, job.network)
    return Talk(per_layer(job, placed), per_micro_batch(job, placed), *per_step(job, placed))
