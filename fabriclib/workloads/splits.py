"""splits: every way of splitting a job that is possible and fits, priced and ranked."""

from __future__ import annotations

import numpy as np

from .. import units
from ..checks import count
from ..prediction.constants import fitted
from .job import ENDS, MOST_OF, Choices, Job, machine_of, model_of, proposed, rules, with_dp
from .memory import memory, total
from .placement import ORDER
from .step import step_parts
from .traffic import talk

MOST_TRIED = 400  # numbers of GPUs, to name one that can be split
MOST_CONTEXT = 64  # ranks that share a sequence: beyond that nobody has gone


def splits(model, system, *, gpus, global_batch, seq, micro_batch=1, sharding="zero1", recompute="none", dtype="bf16",
           flash=True, order=ORDER, oversubscription=1.0, pod=32):
    """Return every valid split that fits as a DataFrame, the fastest first.

    The arguments are those of `training_step`, one number each; dp, tp, pp, virtual, cp and ep are what is sought. Tried are 1,
    2, 3, 4, 5, 6, 8, 10, 12, 16, 20 and 24 pieces of a stage, and as cp powers of two up to 64 that leave a rank 1024 tokens.

    Returns:
        DataFrame: dp, tp, pp, virtual, cp, ep, seconds, tokens_per_second, mfu, memory (bytes on the fullest GPU), and of each
        part of `TrainingStep.parts` its seconds, as matrices_seconds, tp_seconds and so on.

    Raises:
        ValueError: unknown names, values out of range, or no split that fits.

    >>> best = splits("llama-3-8b", "dgx-h100", gpus=64, global_batch=256, seq=8192, recompute="full").iloc[0]
    >>> int(best["dp"] * best["tp"] * best["pp"] * best["cp"])
    64
    """
    model, machine = model_of(model), machine_of(system)
    given = {"gpus": gpus, "global_batch": global_batch, "seq": seq, "micro_batch": micro_batch}
    fixed = {axis: count(axis, value, high=MOST_OF[axis]) for axis, value in given.items()}
    choices = Choices(sharding, recompute, dtype, flash, order, oversubscription, pod)
    wanted, met = _possible(model, machine, fixed, choices)
    if not met.any():
        fewer = ({"gpus": one} for one in range(fixed["gpus"] - 1, max(fixed["gpus"] - MOST_TRIED, 0), -1))
        near = next((f", nearest {one['gpus']}" for one in fewer if _possible(model, machine, fixed | one, choices)[1].any()), "")
        raise ValueError(f"gpus must be such that they can be split for {model.name}, with global_batch {fixed['global_batch']} "
                         f"and seq {fixed['seq']}; got {fixed['gpus']}{near}.")
    return _ranked(_fitting(with_dp(wanted, met)))


def _possible(model, machine, fixed, choices) -> tuple[Job, np.ndarray]:
    """Return every combination of the axes that could be possible, and whether it is."""
    wanted = proposed(model, machine, fixed | _candidates(model, machine, fixed), choices)
    return wanted, np.logical_and.reduce([np.broadcast_to(rule.met, wanted.shape) for rule in rules(wanted)])


def _candidates(model, machine, fixed) -> dict[str, np.ndarray]:
    """Return every combination of the axes that could be possible, as {axis: array}."""
    gpus = fixed["gpus"]

    def some(most, *of):
        return [one for one in range(1, min(most, gpus) + 1) if gpus % one == 0 and any(whole % one == 0 for whole in of)]

    stages = some(model.layers + max(ENDS), *(model.layers + ends for ends in ENDS))
    pieces = [one for one in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24) if one <= model.layers]
    context = [one for one in some(min(MOST_CONTEXT, max(fixed["seq"] // 1024, 1)), fixed["seq"]) if one & (one - 1) == 0]
    experts = some(model.experts, model.experts) if model.experts else [1]
    grids = np.meshgrid(some(machine.gpus, model.heads), stages, pieces, context, experts, indexing="ij")
    return {axis: grid.reshape(-1) for axis, grid in zip(("tp", "pp", "virtual", "cp", "ep"), grids, strict=True)}


def _fitting(found: Job) -> Job:
    """Return the cases that fit."""
    held, room = total(memory(found)), found.accelerator.memory
    fits = held <= room
    if not fits.any():
        best = int(np.argmin(held))
        split = ", ".join(f"{axis} {found.axes[axis][best]}" for axis in ("dp", "tp", "pp", "virtual", "cp", "ep"))
        raise ValueError(f"gpus must hold {found.model.name}, and no split of {found.gpus[0]} does: the leanest ({split}) needs "
                         f"{units.format(float(held[best]))} of {units.format(room)} on a GPU, "
                         f"{units.format(float(held[best]) - room)} too many. {_remedy(found)}")
    axes = {axis: values[fits] for axis, values in found.axes.items()}
    return found._replace(axes=axes, shape=axes["gpus"].shape)


def _remedy(found: Job) -> str:
    """Return the least change that lets a split fit, in words."""
    full, sharded = found._replace(recompute="full"), found._replace(sharding="fsdp")
    both = full._replace(sharding="fsdp")
    for changed, what in ((full, ("recompute",)), (sharded, ("sharding",)), (both, ("recompute", "sharding"))):
        if np.any(total(memory(changed)) <= found.accelerator.memory):
            return f"With {' and '.join(f'{name} {getattr(changed, name)!r}' for name in what)} one fits."
    return "None fits with recompute 'full' and sharding 'fsdp' either: take more GPUs."


def _ranked(found: Job):
    import pandas as pd

    parts = step_parts(found, talk(found), fitted())
    seconds = total(parts)
    flops = found.model.flops(found.tokens, found.seq)
    columns = {axis: found.axes[axis] for axis in ("dp", "tp", "pp", "virtual", "cp", "ep")}
    columns |= {"seconds": seconds, "tokens_per_second": found.tokens / seconds,
                "mfu": flops / (seconds * found.gpus * found.accelerator.peak(found.dtype)), "memory": total(memory(found))}
    table = pd.DataFrame(columns | {f"{part}_seconds": np.broadcast_to(values, seconds.shape) for part, values in parts.items()})
    return table.sort_values("seconds", kind="stable", ignore_index=True)


