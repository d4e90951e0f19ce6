"""Passes: what one pass of tokens through the model takes on a GPU, part by part.

Prefill takes all tokens of the prompts at once, and computing is most of it. Decode takes one token of each request: for it the
weights and all keys and values are read, and what lies between the kernels and the starts of all-reduces weigh as much.

    layer = (weights^4 + products^4)^(1/4) + keys and values + small operations + host + 2 (start + bytes of an all-reduce)
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ..machines import System
from ..prediction.constants import Constants, fitted, look_up
from ..prediction.price import Price, prices
from ..prediction.reach import reach
from . import wires
from .compute import HALF
from .engines import constant
from .experts import SCALES, exchange
from .memory import total
from .placement import Group, Network, groups
from .serving import BYTES, PEAKS, Serving, cached

PARTS = ("weights", "cache", "compute", "host", "starts", "bytes", "experts", "passing")
SHARP = 4.0  # how sharply the slower of two things that overlap rules
TILE, TAIL = 200, 885_000  # of a product, as in training: steps along its inner side, numbers of its last wave of tiles
UNLOADED = Network(32, 1.0)
NOTHING = 8.0  # bytes of an all-reduce that is all start


class Passes(NamedTuple):
    """The prefill and a decode pass of every case, one after the other: the cases of `job` are twice those that were asked for.

    Fields:
        tokens: of a replica's pass. context: tokens that each of them, or for a prompt the last, looks at. prompt: whether it is
            the prefill.
    """

    job: Serving
    tokens: np.ndarray
    context: np.ndarray
    prompt: np.ndarray


def passes(s: Serving) -> Passes:
    """Return both passes of a job; decode halfway through the answer, which is its mean."""
    both = _again(s, 2)
    prompt = np.arange(both.tp.size) < s.tp.size
    context = both.prompt + np.where(prompt, 0.0, both.output / 2)
    return Passes(both, both.mine * np.where(prompt, both.prompt, 1), context, prompt)


def _again(s: Serving, times: int) -> Serving:
    """Return a job whose cases are those of *s* so many times, one after the other."""
    return s._replace(axes={axis: np.tile(values, times) for axis, values in s.axes.items()})


class Rates(NamedTuple):
    """What a job reaches: rates, shares and times, with the fitted constants of accelerator and engine."""

    matrix: float
    half: float
    attention: float
    weights: float
    cache: float
    small: float
    exposed: float
    layer: float
    once: float
    each: float
    start: float


def rates(s: Serving, constants: Constants) -> Rates:
    """Return what the job reaches with these *constants*."""
    one, software = s.accelerator, s.engine
    of = functools.partial(constant, software, constants)
    products, read = (look_up(constants, share, one.generation) for share in ("product share", "weights share"))
    again = 1.0 if software.shares_keys else (s.model.heads / s.model.kv_heads) ** of("key repeats")
    return Rates(
        matrix=one.best(PEAKS[s.dtype]) * products, half=one.best("bf16") * products,
        attention=one.peak("bf16") * of("prompt share"), weights=one.memory_rate * read,
        cache=one.memory_rate * of("cache share") / again,
        small=one.memory_rate * look_up(constants, "small share"), exposed=of("exchange shown"),
        layer=of("host layer") * (1 + s.model.moe_share * of("expert kernels")), once=of("host pass"),
        each=of("host request"), start=of("reduce start"))


class Placed(NamedTuple):
    """Where the ranks of a job lie: a tensor group, and two neighbouring stages."""

    tp: Group
    pair: Group


def placed(s: Serving) -> Placed:
    """Return where the groups of a job lie: tensor groups nearest, then the stages, replicas last."""
    one = np.ones_like(s.tp)
    found = groups(s.system, {"tp": s.tp, "pp": s.pp, "dp": s.dp, "cp": one, "ep": one}, ("tp", "pp", "dp", "cp"), UNLOADED)
    pair = found["pp"]
    far = pair.nodes > 1
    return Placed(found["tp"], pair._replace(size=np.minimum(pair.size, 2), nodes=np.where(far, 2, 1),
                                             gpus=np.where(far, 1, np.minimum(pair.gpus, 2))))


def parts_of(p: Passes, constants: Constants) -> dict[str, np.ndarray]:
    """Return {part: seconds} of every pass, its requests cut into micro-batches as the engine does, or as is fastest."""
    s = p.job
    rate, one = rates(s, constants), np.ones_like(s.pp)
    if s.pp.max() == 1 or s.engine.pieces:
        return _pass(p, rate, placed(s), one if s.pp.max() == 1 else _pieces(p))
    # One micro-batch in all, one for each stage, or two.
    ways = [one, *(np.where(s.pp > 1, np.minimum(s.pp * times, s.mine), 1) for times in (1, 2))]
    job = _again(s, len(ways))
    tried = Passes(job, *(np.tile(values, len(ways)) for values in (p.tokens, p.context, p.prompt)))
    found = _pass(tried, rate, placed(job), np.concatenate(ways))
    found = {part: np.broadcast_to(seconds, job.tp.shape).reshape(len(ways), -1) for part, seconds in found.items()}
    fastest = np.argmin(total(found), axis=0)
    return {part: np.choose(fastest, seconds) for part, seconds in found.items()}


def _pieces(p: Passes) -> np.ndarray:
    """Return the micro-batches of an engine that takes as many as stages, if they divide the batch, and halves long ones."""
    s = p.job
    many = np.where(s.mine % s.pp == 0, s.pp, 1)
    halved = 2.0 ** np.ceil(np.log2(np.maximum(p.tokens / s.engine.pieces, 1.0)))
    return np.where(s.pp > 1, np.maximum(many, np.minimum(halved, s.mine)), 1)


def _pass(p: Passes, rate: Rates, where: Placed, many: np.ndarray) -> dict[str, np.ndarray]:
    """Return {part: seconds} of every pass in *many* micro-batches."""
    s = p.job
    tokens = p.tokens / many
    layer = _layer(p, rate, where, tokens)
    # A prompt passes once, and the first and the last stage wait. Tokens come round: a stage has work if there are enough.
    times = np.where(p.prompt, many + s.pp - 1, np.maximum(many, s.pp))
    found = {part: times / s.pp * s.model.layers * seconds for part, seconds in layer.items()}
    passing = rate.start + wires.seconds(s.system, "send_recv", tokens * s.model.hidden * HALF, where.pair)
    found["passing"] = np.where(s.pp > 1, times * passing, 0.0)
    read, work = (s.model.embedding / s.tp * HALF / rate.weights, 2 * s.mine / many * s.model.embedding / s.tp / rate.half)
    found["weights"] = found["weights"] + many * read
    found["compute"] = found["compute"] + many * (_slower(read, work) - read)
    found["host"] = found["host"] + rate.once + rate.each * s.mine
    return found


def _layer(p: Passes, rate: Rates, where: Placed, tokens) -> dict[str, np.ndarray]:
    """Return {part: seconds} of a mean layer for a micro-batch of *tokens*."""
    s, model = p.job, p.job.model
    mixed = model.moe_share
    read, work = _products(p, rate, tokens, model.attention_matrices)
    dense, product = _products(p, rate, tokens, model.ffn_matrices(model.ffn)) if mixed < 1 else (0.0, 0.0)
    read, work = read + (1 - mixed) * dense, work + (1 - mixed) * product
    exchanged = np.zeros(s.tp.shape)
    if mixed:
        (routed, product), exchanged = _experts(p, rate, tokens)
        read, work = read + mixed * routed, work + mixed * product
    if s.engine.rereads:
        read = read * np.where(p.prompt, 1, tokens)
    flops = tokens * model.span(s.prompt) * model.heads / s.tp * (model.key_width + model.head_width)  # the causal half
    compute = _slower(read, work) - read + _small(s, tokens) / rate.small + np.where(p.prompt, flops / rate.attention, 0.0)
    start, sent = _summed(s, tokens * model.hidden * HALF, where.tp, rate)
    sums = np.where(s.ep > 1, 2 - mixed, 2.0)  # where experts are apart their exchange takes the place of a sum
    found = {"weights": read, "cache": np.where(p.prompt, 0.0, tokens * cached(s, p.context) / model.layers / rate.cache),
             "compute": compute, "host": rate.layer, "starts": sums * start, "bytes": sums * sent,
             "experts": rate.exposed * mixed * exchanged, "passing": 0.0}
    if s.engine.launches == "python":  # it runs ahead of the device, or the device waits for it
        device = total(found) - rate.layer
        found["host"] = _slower(device, rate.layer) - device
    return found


def _slower(a, b):
    """Return the time of two things that overlap."""
    return (a**SHARP + b**SHARP) ** (1 / SHARP)


def _products(p: Passes, rate: Rates, tokens, matrices, cut=None):
    """Return the seconds of (reading, multiplying by) *matrices*, each cut over *cut* ranks, tp without."""
    cut = p.job.tp if cut is None else cut
    tail = np.where(p.prompt, TAIL, 0)  # kernels for few rows share out the inner side as well
    read = sum(k * n for k, n in matrices) * BYTES[p.job.dtype] / cut / rate.weights
    work = sum(2.0 * (k + TILE) * (tokens * n / cut + tail) for k, n in matrices) / rate.matrix
    return read, work


def _experts(p: Passes, rate: Rates, tokens):
    """Return ((seconds of reading, of multiplying by) the experts of a layer, seconds of dispatch and combine)."""
    s, model = p.job, p.job.model
    apart = s.ep > 1
    met = tokens * np.where(apart, s.ep / s.tp, 1.0)  # tokens that meet this GPU's experts, or those of all
    mine = np.where(apart, s.own_experts, model.experts)
    cut = np.where(apart, 1, s.tp)
    share = met * model.topk / model.experts * np.where(apart, model.experts / (s.own_experts * s.ep), 1.0)
    reading, _ = _products(p, rate, share, model.ffn_matrices(model.expert_ffn), cut)
    working = sum(2.0 * (k + TILE) * share * n / cut for k, n in model.ffn_matrices(model.expert_ffn)) / rate.matrix
    read, work = mine * (1 - (1 - model.topk / model.experts) ** met) * reading, mine * working
    if model.shared_ffn:
        more = _products(p, rate, tokens, model.ffn_matrices(model.shared_ffn), cut)
        read, work = read + more[0], work + more[1]
    exchanged = np.zeros(s.tp.shape)
    if apart.any():
        out = (1 + SCALES if s.dtype == "fp8" else 2.0, 2.0)
        for some, mode in ((p.prompt, "normal"), (~p.prompt, "low_latency")):
            exchanged[some] = exchange(s.system, model, (tokens / s.tp)[some], s.ep[some], mode, out, 0, fitted()).seconds
    return (read, work), np.where(apart, exchanged, 0.0)


def _small(s: Serving, tokens):
    """Return the bytes that a layer's small operations move: norms, sums, activations."""
    model = s.model
    inner = model.ffn_parts * model.mean_ffn + 3 * model.heads * model.head_width
    return HALF * tokens * (10 * model.hidden + inner / s.tp)


def _summed(s: Serving, nbytes, group: Group, rate: Rates) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of an all-reduce of *nbytes* in tensor groups: (what it takes with no bytes, what they add)."""
    found = wires.seconds(s.system, "all_reduce", nbytes, group)
    if group.size.max() == 1:
        return found, found
    empty = wires.seconds(s.system, "all_reduce", np.full(group.size.shape, NOTHING), group)
    if s.engine.reduces == "one-shot":
        inside = (group.size > 1) & (group.nodes == 1)
        for gpus in np.unique(group.gpus[inside]).tolist():
            some, price = inside & (group.gpus == gpus), _own_kernel(s.system, gpus)
            found[some], empty[some] = price.time(nbytes[some]), price.start
    return np.where(group.size > 1, rate.start + empty, 0.0), np.maximum(found - empty, 0.0)


@functools.lru_cache(maxsize=1000)
def _own_kernel(system: System, gpus: int) -> Price:
    """Return the price of an all-reduce inside a node by a kernel that writes to all peers at once, and once more."""
    r = reach(system, gpus, wires.QUEUED, fitted())._replace(direct=True)
    return next(one for one in prices(r, "all_reduce", 1) if one.name == "two_shot")
