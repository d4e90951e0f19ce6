"""The KV cache: how large keys and values are, and how long they travel when prefill and decode run on different machines."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, count, known, plain, together, whole
from ..machines import System
from ..prediction import predict
from ..prediction.cases import machine_of
from ..prediction.constants import fitted
from ..prediction.reach import reach
from .job import model_of
from .serving import BYTES
from .wires import QUEUED

OVER = ("nvlink", "network", "tcp")
HOST = "tcp"  # the subject of what TCP on the host reaches
AS_TCP = "tcpx"  # the transport whose latency TCP on the host is taken to have


@dataclass(frozen=True, repr=False)
class KvTransfer:
    """Keys and values on their way: numbers for one case, arrays for many.

    Fields:
        seconds: the time. nbytes: of all layers. starts, wires: the seconds that messages wait, layer by layer, and that bytes
            take. over: the way. lanes: ports, or GPUs, that send side by side.
    """

    seconds: Numbers
    nbytes: Numbers
    starts: Numbers
    wires: Numbers
    over: str
    lanes: int

    @property
    def rate(self):
        """Bytes per second, starts and all."""
        return self.nbytes / self.seconds

    def why(self, at: int = -1) -> str:
        """Return what the time is in one sentence; of many cases, for number *at* as they lie flattened, else the last.

        Raises:
            ValueError: there is no case *at*.
        """
        cases = np.size(self.seconds)
        at = count("at", at, low=-cases, high=cases - 1)
        seconds, nbytes, starts = (float(np.broadcast_to(one, np.shape(self.seconds)).flat[at])
                                   for one in (self.seconds, self.nbytes, self.starts))
        return (f"{units.format(nbytes)} of keys and values take {units.format(seconds, 's')} over {self.over}, "
                f"{units.format(nbytes / seconds, 'B/s')}; {units.portion(starts / seconds)} of it is latency of messages.")

    def __repr__(self) -> str:
        return f"<{self.why()}>" if not np.ndim(self.seconds) else f"<{np.size(self.seconds)} transfers over {self.over}>"


def kv_transfer(model, system, *, prompt, batch=1, over="network", tp=1, cache="fp16") -> KvTransfer:
    """Return how long the keys and values of prompts take from one machine to another of its kind.

    Args:
        model: an id from `transformers()`, or a Transformer. system: an id from `systems()`, or a System: both ends.
        prompt: tokens of each of *batch* prompts. cache: numbers of keys and values, "fp16" or "fp8".
        over: "network" (RDMA: all ports of a node side by side), "tcp" (the same ports, driven by TCP on the host) or
            "nvlink" (both ends are inside one node: half of its GPUs send to the other half).
        tp: GPUs of a tensor group: where there are fewer heads of keys than that, each GPU has a copy, and all copies are sent.

    Every layer is a message for each port or GPU: it waits for the latency that `predict` gives such a message, and its bytes
    travel at the rate that many flows at a time get. Numbers may be arrays; they broadcast. Nothing here is fitted.

    Raises:
        ValueError: unknown names, values out of range, a system without a network or without a second GPU.

    >>> kv_transfer("llama-3-70b", "dgx-h100", prompt=8192).nbytes / 2**30
    2.5
    """
    model, machine = model_of(model), machine_of(system)
    width = BYTES[known("cache", cache, BYTES)] / BYTES["fp16"]
    end, nodes, gpus, lanes = _ends(machine, known("over", over, OVER))
    prompt, batch, tp = together(prompt=whole("prompt", prompt, high=10_000_000), batch=whole("batch", batch, high=1_000_000),
                                 tp=whole("tp", tp, high=100_000))
    heads = 1 if model.attention == "mla" else model.kv_heads
    nbytes = np.asarray(model.kv_bytes(prompt) * batch * width * np.maximum(tp / heads, 1.0))
    r = reach(end, gpus, QUEUED, fitted())
    rate = lanes * (r.pair if over == "nvlink" else r.pairs)
    if over == "tcp":
        rate = min(rate, fitted()[HOST, "host rate"])
    latency = np.asarray(predict(end, "send_recv", nbytes / model.layers / lanes, nodes, gpus, launcher=QUEUED).latency)
    starts, wires = model.layers * latency, nbytes / rate
    return KvTransfer(plain(starts + wires), plain(nbytes), plain(starts), plain(wires), over, lanes)


def _ends(machine: System, over: str) -> tuple[System, int, int, int]:
    """Return (the machine with the port that is used, nodes and GPUs of one message, messages side by side)."""
    if over == "nvlink":
        if machine.gpus < 2:
            raise ValueError(f"system must have two GPUs or more in a node for over='nvlink'; got {machine.name}.")
        return machine, 1, 2, machine.gpus // 2
    if machine.port is None:
        raise ValueError(f"system must have a network for over={over!r}; {machine.name} has none.")
    used = machine.port if over == "network" else dataclasses.replace(machine.port, id=AS_TCP, transport=AS_TCP)
    return dataclasses.replace(machine, port=used), 2, 1, machine.ports
