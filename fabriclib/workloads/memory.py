"""Memory: what one GPU holds while it trains, by the counts of the ZeRO and activation-recomputation papers.

With Adam in mixed precision a parameter takes 16 bytes: 2 of weight, 2 of gradient, 12 of optimiser state (a copy of the weight,
momentum, variance). Sharding shares out the last, the last two or all three among the ranks that hold the same weights.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import units
from ..checks import Numbers, known, number, plain, together, whole
from .job import SHARDINGS, Job, rules, with_dp

WEIGHT, GRADIENT, OPTIMISER = 2, 2, 12  # bytes of a parameter
HALF = 2  # bytes of a number of an activation


def model_states(params, ranks, sharding: str):
    """Return (weights, gradients, optimiser states): the bytes of each on one GPU, with *ranks* that hold the same *params*.

    Numbers or arrays, which broadcast (Rajbhandari et al. 2020).

    >>> [sum(model_states(7.5e9, 64, stage)) / 1e9 for stage in ("none", "zero1", "zero2", "fsdp")]
    [120.0, 31.40625, 16.640625, 1.875]
    """
    known("sharding", sharding, SHARDINGS)
    params, ranks = together(params=number("params", params, zero=True), ranks=whole("ranks", ranks))
    shared = SHARDINGS.index(sharding)
    return tuple(plain(np.asarray(each * params / (ranks if shared >= stage else 1)))
                 for each, stage in ((WEIGHT, 3), (GRADIENT, 2), (OPTIMISER, 1)))


def params_per_gpu(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Return (dense parameters, parameters of experts) of one GPU, the ends shared out over the stages as the layers are."""
    model = job.model
    experts = model.moe_layers * model.experts * model.expert_params
    return (model.params - experts) / (job.tp * job.pp), experts / (job.ep * job.pp)


def activation_bytes(job: Job) -> np.ndarray:
    """Return the bytes of activations that a layer keeps of one micro-batch on one GPU, for the way back.

    Counted as Korthikanti et al. (2022) do, 34 s b h + 5 a b s^2 for GPT, for other widths as well; all of it shared out by
    tp, as sequence parallelism does. One kernel for all of attention keeps no matrix of scores; nor does recomputing it.
    """
    model = job.model
    tokens = job.micro_batch * job.seq / job.cp
    if job.recompute == "full":
        return HALF * model.hidden * tokens / job.tp
    query, kept = model.heads * model.head_width, 2 * model.kv_heads * model.head_width
    if model.attention == "mla":
        kept = 2 * query
    # Inputs of two norms, of attention and of what follows; queries, keys, values and what comes of them.
    numbers: Numbers = 4 * model.hidden + 2 * query + kept
    numbers = numbers + model.ffn_parts * model.mean_ffn + model.moe_share * model.topk * model.hidden
    masks = 0 if model.gated else 2 * model.hidden
    scores = 0 if job.flash or job.recompute == "selective" else 5 * model.heads * model.span(job.seq)
    return tokens * (HALF * numbers + masks + scores) / job.tp


def memory(job: Job) -> dict[str, np.ndarray]:
    """Return {what: bytes on the fullest GPU}, the first pipeline stage: it waits longest for the way back."""
    dense, experts = params_per_gpu(job)
    same = (job.dp * job.cp, job.tp * job.cp * job.dp // job.ep)
    states = [model_states(params, ranks, job.sharding) for params, ranks in zip((dense, experts), same, strict=True)]
    weights, gradients, optimiser = (np.asarray(a + b) for a, b in zip(*states, strict=True))
    # Of stage p's micro-batches p are on their way at once, and some more where stages take turns.
    underway = np.minimum(job.pp, job.micro_batches) * (1 + np.where(job.virtual > 1, (job.pp - 1) / (job.pp * job.virtual), 0.0))
    layers = job.model.layers / job.pp
    activations = layers * underway * activation_bytes(job)
    # The output's scores over the vocabulary, in 16 and in 32 bits, where the first stage is the last.
    scores = np.where(job.pp == 1, 6 * job.micro_batch * job.seq / job.cp * job.model.vocab / job.tp, 0.0)
    if job.sharding == "fsdp":  # two layers are whole at a time
        weights = weights + 2 * WEIGHT * (dense + experts) / layers
    return {"weights": weights, "gradients": gradients, "optimiser": optimiser, "activations": activations + scores}


def total(parts: dict[str, np.ndarray]) -> np.ndarray:
    """Return the sum of all parts, case by case."""
    return functools.reduce(np.add, parts.values())


def check_fits(job: Job, held: dict[str, np.ndarray]) -> None:
    """Raise a ValueError if a case, which holds *held*, does not fit, not even with all activations recomputed."""
    room = job.accelerator.memory
    if np.all(total(held) <= room):
        return
    least = total(memory(job._replace(recompute="full")))
    if not np.all(least <= room):
        at = int(np.argmax(least > room))
        one = with_dp(job, np.array([at]))
        split = f"tp {one.tp[0]}, pp {one.pp[0]} and sharding {job.sharding!r}"
        raise ValueError(f"gpus must hold {job.model.name}: with {split} a GPU of {job.system.name} needs at "
                         f"least {units.format(float(least[at]))} of its {units.format(room)}, "
                         f"{units.format(float(least[at]) - room)} too many. {_remedy(one)}")


def _remedy(job: Job) -> str:
    """Return the least change of one case that lets it fit, in words."""
    for sharding in SHARDINGS[SHARDINGS.index(job.sharding) + 1:]:
        if _fits(job._replace(sharding=sharding)):
            return f"With sharding {sharding!r} it fits."
    for axis in ("pp", "tp"):
        for value in range(int(job.axes[axis][0]) + 1, int(job.gpus[0]) + 1 if axis == "pp" else job.system.gpus + 1):
            if axis == "pp" and value > job.model.layers:
                break
            changed = job._replace(axes=job.axes | {axis: np.array([value])})
            if all(np.all(rule.met) for rule in rules(changed)) and _fits(with_dp(changed)):
                return f"With {axis} {value} it fits."
    return "No sharding alone, nor a larger pp or tp alone, lets it fit: change several (see splits), or take more GPUs."


def _fits(job: Job) -> bool:
    return bool(np.all(total(memory(job._replace(recompute="full"))) <= job.accelerator.memory))
