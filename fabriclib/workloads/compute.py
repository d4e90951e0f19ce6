"""Compute: how long one GPU works on one micro-batch, from its matrices, its attention and the bytes that pass its memory."""

from __future__ import annotations

import numpy as np

from ..prediction.constants import Constants, look_up
from .job import Job

HALF = 2


class Rates:
    """What an accelerator reaches of its datasheet: rates, times the fitted constants of its generation."""

    def __init__(self, job: Job, constants: Constants):
        one = job.accelerator
        self.generation = one.generation
        self.constants = constants
        self.matrix = one.best(job.dtype) * self.of("matrix share", job.dtype)
        self.half = one.best("bf16") * self.of("matrix share", "bf16")
        self.attention = one.peak("bf16") * self.of("attention share", job.dtype)
        self.memory = one.memory_rate * self.of("memory share")
        self.start, self.tail = self.of("tile start"), self.of("tail")

    def of(self, quantity: str, dtype: str = "") -> float:
        """Return the constant of this generation and dtype, else of the generation, else of any."""
        return look_up(self.constants, quantity, f"{self.generation} {dtype}", self.generation)


def multiplied(m, k, n, rates: Rates, rate: float):
    """Return the seconds of a product of an m x k and a k x n matrix.

    2 m k n operations, if it were not that a tile needs some steps along k before it is at full speed, and that the last wave of
    tiles leaves processors idle.
    """
    return (2.0 / rate) * (k + rates.start) * (m * n + rates.tail)


def _both_ways(m, k, n, rates, rate, again):
    """Return the seconds of a product forward and backward, forward twice where it is recomputed."""
    forward = multiplied(m, k, n, rates, rate)
    return forward * (1 + again) + multiplied(m, n, k, rates, rate) + multiplied(k, m, n, rates, rate)


def layer_parts(job: Job, rates: Rates) -> dict[str, np.ndarray]:
    """Return {part: seconds} of one mean layer and one micro-batch on one GPU, forward and backward."""
    model = job.model
    again = float(job.recompute == "full")
    tokens = job.micro_batch * job.seq / job.cp
    mixed = model.moe_share
    matrices = sum(_sharded(job, tokens, pair, rates, again, column) for pair, column in _attention(model))
    if mixed < 1:
        matrices = matrices + (1 - mixed) * sum(
            _sharded(job, tokens, pair, rates, again, column)
            for pair, column in zip(model.ffn_matrices(model.ffn), (True, False), strict=True))
    if mixed:
        matrices = matrices + mixed * _experts(job, tokens, rates, again)
    return {"matrices": matrices, "attention": _attention_seconds(job, tokens, rates, again),
            "elementwise": _memory_bytes(job, tokens, again) / rates.memory}


def _attention(model):
    """Return the matrices of attention, each with whether tp cuts where it leads to (or else where it comes from)."""
    pairs = model.attention_matrices
    return [(pair, at < len(pairs) - 1) for at, pair in enumerate(pairs)]


def _sharded(job: Job, tokens, pair, rates, again, column: bool):
    k, n = pair
    return _both_ways(tokens, k, n / job.tp, rates, rates.matrix, again) if column else _both_ways(
        tokens, k / job.tp, n, rates, rates.matrix, again)


def _experts(job: Job, tokens, rates, again):
    """Return the seconds of the experts of a layer: each GPU's own experts, one after the other, on the tokens sent to them."""
    model = job.model
    mine = model.experts / job.ep
    each = tokens / job.tp * job.ep * model.topk / model.experts
    routed = sum(_both_ways(each, k, n, rates, rates.matrix, again) for k, n in model.ffn_matrices(model.expert_ffn))
    shared = sum(_both_ways(tokens / job.tp, k, n, rates, rates.matrix, again)
                 for k, n in model.ffn_matrices(model.shared_ffn)) if model.shared_ffn else 0.0
    return mine * routed + shared


def _attention_seconds(job: Job, tokens, rates, again):
    model = job.model
    span, heads = model.span(job.seq), model.heads / job.tp
    if job.flash:  # the causal half; on the way back the kernel does the scores once more
        return tokens * span * heads * (model.key_width + model.head_width) * (3.5 + again) / rates.attention
    again = max(again, float(job.recompute == "selective"))
    rows = tokens * heads
    products = (_both_ways(rows, model.key_width, span, rates, rates.half, again)
                + _both_ways(rows, span, model.head_width, rates, rates.half, again))
    # The scores are written, masked, normalised, thinned and read, each a pass or two in 16 bits.
    return products + rows * span * HALF * (8 + 4 * again) / rates.memory


def _memory_bytes(job: Job, tokens, again):
    """Return the bytes that a layer's small operations move: norms, sums, activations, casts, and the sorting of tokens."""
    model = job.model
    numbers = 10 * model.hidden + model.ffn_parts * model.mean_ffn + 3 * model.heads * model.head_width
    sorted_ = 4 * model.topk * model.hidden * model.moe_share
    passes = 2.5 + again
    total = HALF * (numbers + sorted_) * passes
    if job.dtype != "bf16":  # each input of a product is read, and written once for each way it is needed
        total = total + 2 * (2 * model.hidden + model.heads * model.head_width + model.mean_ffn) * passes
    return tokens / job.tp * total


def head_seconds(job: Job, rates: Rates):
    """Return the seconds of the output and the loss for one micro-batch: a product in 16 bits, and passes over its scores."""
    tokens = job.micro_batch * job.seq / job.cp
    product = _both_ways(tokens, job.model.hidden, job.model.vocab / job.tp, rates, rates.half, 0.0)
    return product + 16 * tokens * job.model.vocab / job.tp / rates.memory


def optimiser_seconds(job: Job, params, rates: Rates):
    """Return the seconds of the optimiser on *params* of a GPU: states read and written, gradients and weights."""
    return 30 * params / rates.memory
