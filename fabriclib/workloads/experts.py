"""Experts: what sending tokens to their experts and back takes, and how many bytes really leave.

A library that knows where experts lie sends a token to each node only once, by its own rail, and spreads it there (normal), or
writes each copy straight to its GPU (low latency). What it is said to reach counts logical bytes: copies that stay at home too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import units
from ..checks import Numbers, known, number, plain, single, together, whole
from ..machines import System, launcher
from ..prediction.cases import machine_of
from ..prediction.constants import Constants, fitted
from ..prediction.reach import Reach, reach
from .job import model_of
from .transformer import Transformer

MODES = ("normal", "low_latency")
SCALES = 4 / 128  # bytes of a scale for each byte of an 8-bit number: one of 32 bits for 128
WIDTHS = {"fp8": 1 + SCALES, "fp16": 2.0}
DEEPSEEK = {"dispatch": 1.0, "combine": 2.0}  # bytes of a number, as its paper counts them


class Exchange(NamedTuple):
    """What one layer's dispatch and combine take on each GPU: numbers for one case, arrays for many.

    Fields:
        dispatch, combine: seconds. logical: bytes of all copies that are told apart, (dispatch, combine): one for each expert, or
            in normal mode between nodes one for each node. network, links: of them those that pass the NICs of a GPU, and its
            links inside the node. copies: copies of a token that are told apart.
    """

    dispatch: Numbers
    combine: Numbers
    logical: tuple[Numbers, Numbers]
    network: tuple[Numbers, Numbers]
    links: tuple[Numbers, Numbers]
    copies: Numbers

    @property
    def seconds(self):
        """Seconds of both."""
        return self.dispatch + self.combine

    @property
    def rates(self) -> tuple:
        """Logical bytes over seconds of dispatch and of combine: what libraries print."""
        return self.logical[0] / self.dispatch, self.logical[1] / self.combine

    def __repr__(self) -> str:
        if np.ndim(self.dispatch):
            return f"<exchange: {np.size(self.dispatch)} cases>"
        return (f"<dispatch {units.format(float(self.dispatch), 's')}, combine {units.format(float(self.combine), 's')}: "
                f"{units.format(float(self.logical[0]))} of copies out, {units.format(float(self.network[0]))} by the network>")


def distinct(places, copies):
    """Return on how many of *places* at least one of *copies* falls, if all places are as likely.

    >>> round(float(distinct(8, 8)), 2)
    5.25
    """
    places, copies = together(places=number("places", places), copies=number("copies", copies))
    return plain(np.asarray(places * (1 - (1 - 1 / np.maximum(places, 1.0)) ** copies)))


def expert_exchange(model, system, *, tokens, ep, mode="normal", dispatch="fp8", combine="fp16", nodes_a_token=0) -> Exchange:
    """Return what sending tokens to the experts of one layer, and what comes of them back, takes.

    Args:
        model: an id of a mixture of experts from `transformers()`, or a Transformer. system: an id from `systems()`, or a System.
        tokens: of each GPU. ep: GPUs that share out the experts, nodes filled one after the other.
        mode: "normal" (a copy for each node, which spreads it) or "low_latency" (a copy for each expert, straight to its GPU).
        dispatch, combine: numbers of what goes out, and of what comes back: "fp8" or "fp16".
        nodes_a_token: at most so many nodes have experts of one token; 0: no such limit.

    Numbers may be arrays; they broadcast. Nothing here is fitted: rates and latencies are those of `predict`.

    Raises:
        ValueError: unknown names, a model without experts, values out of range, several nodes without a network.

    >>> low = expert_exchange("deepseek-v3", "dgx-h100", tokens=128, ep=64, mode="low_latency")
    >>> 100e-6 < low.dispatch < low.combine < 500e-6
    True
    """
    model, machine = model_of(model), machine_of(system)
    if not model.experts:
        raise ValueError(f"model must be a mixture of experts, such as 'deepseek-v3'; got {model.name}.")
    known("mode", mode, MODES)
    widths = [WIDTHS[known(name, kind, WIDTHS)] for name, kind in (("dispatch", dispatch), ("combine", combine))]
    limit = single("nodes_a_token", whole("nodes_a_token", nodes_a_token, low=0, high=100_000))
    tokens, ep = together(tokens=number("tokens", tokens), ep=whole("ep", ep, high=100_000))
    if machine.port is None and np.any(np.asarray(ep) > machine.gpus):
        raise ValueError(f"ep must be at most {machine.gpus} for {machine.name}, which has no network; got {np.max(ep)}.")
    return exchange(machine, model, tokens, np.asarray(ep), mode, widths, limit, fitted())


def exchange(machine: System, model: Transformer, tokens, ep, mode: str, widths, limit: int, constants: Constants) -> Exchange:
    """Return the exchange of a checked case; *widths*: bytes of a number out and back."""
    gpus = np.minimum(ep, machine.gpus)
    nodes = np.maximum(ep / machine.gpus, 1.0)
    r = reach(machine, machine.gpus, launcher("mpi"), constants)
    away = 1 - 1 / nodes
    at = np.minimum(nodes, limit) if limit else nodes
    between = nodes > 1
    if mode == "low_latency":
        copies = by_network = by_links = np.full(ep.shape, float(model.topk))
    else:
        by_network = distinct(at, model.topk)
        by_links = distinct(at * gpus, model.topk)
        copies = np.where(between, by_network, by_links)
    # In low latency what is for the own node goes by its links; in normal mode all copies are spread by them.
    at_home = 1 / nodes if mode == "low_latency" else 1.0
    found = []
    for width in widths:
        token = tokens * model.hidden * width
        network, links = token * by_network * away, token * by_links * (1 - 1 / gpus) * at_home
        found.append((_seconds(r, gpus, network, links, between), token * copies, network, links))
    seconds, logical, network, links = (tuple(plain(np.asarray(one)) for one in both) for both in zip(*found, strict=True))
    return Exchange(seconds[0], seconds[1], logical, network, links, plain(np.asarray(copies)))


def _seconds(r: Reach, gpus, network, links, between):
    """Return the seconds of one way: the kernel, a hop, and the bytes at the slower of both places, sent from pair to pair."""
    nic = r.pairs / r.gpus
    hop = np.where(between, r.bulk, 0.0) + np.where(gpus > 1, r.step, 0.0)
    wires = np.maximum(network / nic if nic else 0.0, links / r.pair)
    return np.asarray(np.where(gpus > 1, r.floor + r.base + hop + wires, 0.0))


def exchange_bound(tokens, copies, hidden, rate):
    """Return the least seconds of a dispatch in 8 bits and a combine in 16: every copy by the network, nothing else.

    As DeepSeek counts in "Insights into DeepSeek-V3" (2025): 32 tokens, 8 routed experts and a shared one, 7000 numbers, 50 GB/s.

    Raises:
        ValueError: a number that is not positive.

    >>> round(exchange_bound(32, 9, 7000, 50e9) * 1e6, 2)
    120.96
    """
    given = {"tokens": tokens, "copies": copies, "hidden": hidden, "rate": rate}
    tokens, copies, hidden, rate = together(**{name: number(name, value) for name, value in given.items()})
    return plain(np.asarray(sum(DEEPSEEK.values()) * tokens * copies * hidden / rate))


def token_bound(exchange_seconds, layers):
    """Return the least seconds of a token whose every layer waits for two such exchanges: one batch while the other computes.

    Raises:
        ValueError: seconds that are not positive, or layers that are not whole and positive.

    >>> round(token_bound(120.96e-6, 61) * 1e3, 2), int(1 / token_bound(120.96e-6, 61))
    (14.76, 67)
    """
    seconds, layers = together(exchange_seconds=number("exchange_seconds", exchange_seconds), layers=whole("layers", layers))
    return plain(np.asarray(2 * seconds * layers))
