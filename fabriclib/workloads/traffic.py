"""Traffic: what each axis of a split sends in a step: messages, and their times, asked of `predict`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import experts
from .job import Job
from .memory import GRADIENT, WEIGHT, params_per_gpu
from .placement import Group, groups
from .wires import seconds

HALF = 2
LAYER, PASSING, GRADIENTS, WEIGHTS = ("tp", "cp", "ep"), "pp", "gradients", "weights"
# Of the bytes as nccl-tests counts them, what each of p ranks sends: the bounds, which rings meet.
SENT = {"all_gather": lambda p: (p - 1) / p, "reduce_scatter": lambda p: (p - 1) / p, "all_reduce": lambda p: 2 * (p - 1) / p,
        "all_to_all": lambda p: (p - 1) / p, "send_recv": lambda p: np.minimum(p - 1, 1)}


class Message(NamedTuple):
    """A collective that every GPU takes part in, as arrays over cases: bytes as nccl-tests counts them, and how many times.

    `axis` says whose it is and how often it comes: those of LAYER in each layer and micro-batch, of PASSING in each micro-batch,
    of GRADIENTS and WEIGHTS in each step, or with fsdp in each micro-batch.
    """

    axis: str
    collective: str
    nbytes: np.ndarray
    times: np.ndarray | float
    group: Group


def messages(job: Job) -> list[Message]:
    """Return what a job sends, where it is placed."""
    placed = groups(job.system, job.axes, job.order, job.network)
    return [*_of_layer(job, placed), _between_stages(job, placed), *_of_step(job, placed)]


def _of_layer(job: Job, placed: dict[str, Group]):
    """Yield what a mean layer sends for one micro-batch, forward and backward."""
    model = job.model
    again = float(job.recompute == "full")
    tokens = job.micro_batch * job.seq / job.cp
    mixed = model.moe_share
    # Before attention and before the feed-forward part all gather, after each they reduce; and the same on the way back.
    times = (2 - mixed) * (2 + again)
    buffer = tokens * model.hidden * HALF
    for collective in ("all_gather", "reduce_scatter"):
        yield Message("tp", collective, buffer, times, placed["tp"])
    keys = 2 * model.kv_heads * model.head_width * HALF * job.micro_batch * job.seq / job.tp
    yield Message("cp", "all_gather", keys, 2 + again, placed["cp"])
    yield Message("cp", "reduce_scatter", keys, 1.0, placed["cp"])
    if mixed:
        sent = tokens / job.tp * model.topk * model.hidden * HALF * distinct(placed["ep"].nodes, model.topk)
        yield Message("ep", "all_to_all", sent, mixed * (4 + 2 * again), placed["ep"])


def distinct(nodes, topk: int):
    """Return how many copies of a token leave for *nodes*, of *topk*: a node gets one, whichever of its experts want it.

    In one node each has its own.
    """
    return np.where(np.asarray(nodes) > 1, experts.distinct(nodes, topk) / topk, 1.0)


def _between_stages(job: Job, placed: dict[str, Group]) -> Message:
    """Return what is passed on, activations and gradients back, for one micro-batch, once for each piece of a stage."""
    nbytes = job.micro_batch * job.seq / job.cp * job.model.hidden * HALF / job.tp
    pair = placed["pp"]._replace(size=np.minimum(placed["pp"].size, 2))
    # Two neighbours: inside a node where all stages of it are, else over the network.
    pair = pair._replace(nodes=np.where(pair.nodes > 1, 2, 1), gpus=np.where(pair.nodes > 1, 1, np.minimum(pair.gpus, 2)))
    return Message(PASSING, "send_recv", nbytes, 2 * job.virtual, pair)


def _of_step(job: Job, placed: dict[str, Group]):
    """Yield gradients and weights: of a step, or for fsdp of a micro-batch, layer by layer."""
    layers = np.maximum(job.model.layers / job.pp, 1.0)
    for params, name in zip(params_per_gpu(job), ("dp+cp", "edp"), strict=True):
        group = placed[name]
        if job.sharding == "none":
            yield Message(GRADIENTS, "all_reduce", GRADIENT * params, 1.0, group)
            continue
        pieces = layers if job.sharding == "fsdp" else 1.0
        yield Message(GRADIENTS, "reduce_scatter", GRADIENT * params / pieces, pieces, group)
        yield Message(WEIGHTS, "all_gather", WEIGHT * params / pieces, (2 if job.sharding == "fsdp" else 1) * pieces, group)


class Talk(NamedTuple):
    """The seconds of all traffic of a job, hidden or not: of a layer and micro-batch {axis: seconds}, of a micro-batch from stage
    to stage, and of gradients and of weights."""

    layer: dict[str, np.ndarray]
    passing: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray


def talk(job: Job) -> Talk:
    """Return what every axis of a job takes to send, where it is placed."""
    found = {axis: np.zeros(job.tp.shape) for axis in (*LAYER, PASSING, GRADIENTS, WEIGHTS)}
    for one in messages(job):
        found[one.axis] = found[one.axis] + one.times * seconds(job.system, one.collective, one.nbytes, one.group)
    return Talk({axis: found[axis] for axis in LAYER}, found[PASSING], found[GRADIENTS], found[WEIGHTS])


def sent(job: Job) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return {axis: (inside, outside)}: the bytes that one GPU sends in a step, within its server or rack, and over the network.

    A ring leaves a node once in as many passes as the node has GPUs; of an all-to-all what is for others' nodes does. Library and
    switches may send less: NVLink switches that add up halve what a GPU sends to them.

    Shapes: over cases. What a stage's first and last send less, and padding, is not looked at.
    """
    found = {axis: (np.zeros(job.tp.shape), np.zeros(job.tp.shape)) for axis in (*LAYER, PASSING, GRADIENTS, WEIGHTS)}
    for one in messages(job):
        often = 1.0 if one.axis in (GRADIENTS, WEIGHTS) and job.sharding != "fsdp" else job.micro_batches
        often = often * (job.model.layers / job.pp if one.axis in LAYER else 1.0) * one.times
        size, gpus, nodes = one.group.size, one.group.gpus, one.group.nodes
        out = np.where(nodes > 1, (size - gpus) / np.maximum(size - 1, 1) if one.collective == "all_to_all" else 1 / gpus, 0.0)
        nbytes = often * one.nbytes * SENT[one.collective](size)
        inside, outside = found[one.axis]
        found[one.axis] = inside + nbytes * (1 - out), outside + nbytes * out
    return found
