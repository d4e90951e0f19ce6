"""Serving jobs: what somebody asks of `request`, checked, with names looked up and arrays broadcast against one another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import units
from ..checks import known
from ..machines import System
from ..prediction.cases import machine_of
from .accelerators import Accelerator, of_system
from .engines import Engine, engine_of
from .job import Rule, alone, cases, divisors, heads, model_of, multiples, nearest
from .transformer import Transformer

BYTES = {"fp16": 2, "fp8": 1}  # of a weight, or of a number in the cache
PEAKS = {"fp16": "bf16", "fp8": "fp8"}
AXES = ("gpus", "tp", "pp", "ep", "batch", "prompt", "output")
MOST_OF = {"gpus": 100_000, "batch": 10_000_000, "prompt": 100_000_000, "output": 100_000_000}


class Serving(NamedTuple):
    """Requests served together: one model on one machine, and arrays over cases, all of one length.

    Fields:
        axes: {name: integers} of AXES. shape: of the cases as they were given. dtype, cache: of weights, and of keys and values.
    """

    model: Transformer
    system: System
    accelerator: Accelerator
    engine: Engine
    axes: dict[str, np.ndarray]
    shape: tuple[int, ...]
    dtype: str
    cache: str

    def __getattr__(self, axis: str) -> np.ndarray:
        try:
            return self.axes[axis]
        except KeyError:
            raise AttributeError(axis) from None

    @property
    def dp(self) -> np.ndarray:
        """Replicas of what is not an expert, each with requests of its own."""
        return self.axes["gpus"] // (self.axes["tp"] * self.axes["pp"])

    @property
    def mine(self) -> np.ndarray:
        """Requests of a replica."""
        return self.axes["batch"] // self.dp

    @property
    def own_experts(self) -> np.ndarray:
        """Experts of a layer that one GPU has: some are copies where ep does not divide them, and part of one counts as that."""
        ep = self.axes["ep"]
        return np.where(ep > 1, np.ceil(self.model.experts / ep), self.model.experts / self.axes["tp"])


def serving(model, system, numbers: dict, dtype: str, cache: str, engine) -> Serving:
    """Return the job that `request`'s arguments make, whether or not it can be split so; *numbers* are those of AXES.

    Raises:
        ValueError: unknown names, values out of range.
    """
    model, machine = model_of(model), machine_of(system)
    accelerator, software = of_system(machine), engine_of(engine)
    accelerator.peak(PEAKS[known("dtype", dtype, BYTES)])
    known("cache", cache, BYTES)
    return Serving(model, machine, accelerator, software, *cases(numbers, MOST_OF), dtype, cache)


def some(found: Serving, of) -> Serving:
    """Return some cases *of* a job, a mask or a slice."""
    axes = {axis: values[of] for axis, values in found.axes.items()}
    return found._replace(axes=axes, shape=axes["tp"].shape)


def rules(s: Serving):
    """Yield what every split has to meet, in the order in which it is said."""
    ranks = s.tp * s.pp
    yield Rule(s.gpus % ranks == 0, _gpus)
    yield Rule((s.gpus <= s.system.gpus) if not s.system.port else ranks > 0, alone)
    yield Rule(s.model.heads % s.tp == 0, heads)
    yield Rule(s.pp <= s.model.layers, _layers)
    yield Rule(s.batch % np.maximum(s.gpus // ranks, 1) == 0, _batch)
    yield Rule(s.ep <= max(2 * s.model.experts, 1), _experts)
    yield Rule((s.gpus // s.pp) % s.ep == 0, _plane)


def _gpus(c, s) -> str:
    ranks = c["tp"] * c["pp"]
    return f"gpus must be a multiple of tp x pp = {ranks}; got {c['gpus']}, nearest {multiples(c['gpus'], ranks)}."


def _layers(c, s) -> str:
    return f"pp must be at most the {s.model.layers} layers of {s.model.name}; got {c['pp']}."


def _batch(c, s) -> str:
    dp = c["gpus"] // (c["tp"] * c["pp"])
    return (f"batch must be a multiple of the {dp} replicas, gpus / (tp x pp), which share it out; got {c['batch']}, "
            f"nearest {multiples(c['batch'], dp)}.")


def _experts(c, s) -> str:
    if not s.model.experts:
        return f"ep must be 1 for {s.model.name}, which has no experts; got {c['ep']}."
    return f"ep must be at most twice the {s.model.experts} experts of {s.model.name}; got {c['ep']}."


def _plane(c, s) -> str:
    ranks = c["gpus"] // c["pp"]
    return (f"ep must divide the {ranks} GPUs of a pipeline stage; got {c['ep']}, nearest "
            f"{nearest(c['ep'], divisors(ranks)) or 1}.")


def memory(s: Serving) -> dict[str, np.ndarray]:
    """Return {what: bytes on one GPU}: weights, and keys and values of all its requests at their longest."""
    model = s.model
    one_each = model.moe_layers * model.expert_params
    dense = (model.params - one_each * model.experts) / s.tp
    weights = BYTES[s.dtype] * (dense + one_each * s.own_experts) / s.pp
    return {"weights": weights, "cache": s.mine * cached(s, s.prompt + s.output) / s.pp}


def cached(s: Serving, tokens) -> np.ndarray:
    """Return the bytes of keys and values of one request of so many *tokens* that one GPU of a tensor group has, all layers.

    Heads are shared out; where there are fewer than GPUs each has one. MLA's are shared by all heads: every GPU has them.
    """
    many = s.model.kv_heads if s.model.attention != "mla" else 1
    return s.model.kv_bytes(tokens) * BYTES[s.cache] / 2 / np.minimum(s.tp, many)


def check_fits(s: Serving, held: dict[str, np.ndarray]) -> None:
    """Raise a ValueError if a case, which holds *held*, does not fit."""
    room, total = s.accelerator.memory, held["weights"] + held["cache"]
    if np.all(total <= room):
        return
    at = int(np.argmax(total > room))
    weights, cache = (float(np.broadcast_to(held[part], total.shape)[at]) for part in ("weights", "cache"))
    what = "more GPUs a model (tp or pp)" if weights > room else "a smaller batch, shorter texts, or more GPUs a model"
    raise ValueError(f"gpus must hold {s.model.name}: a GPU of {s.system.name} has {units.format(room)}, and needs "
                     f"{units.format(weights)} for weights and {units.format(cache)} for keys and values, at a batch of "
                     f"{int(s.mine[at])}. Take {what}.")
