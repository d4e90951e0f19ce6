"""token_energy: the joules of one token that is answered, and where they go.

    joules a token = watts x seconds of the requests / tokens that all of them get

The watts are those of as many servers as the GPUs fill, or of their part of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import Numbers, plain, short
from ..topology.fabrics.parts import OPTICS
from ..workloads.request import Request
from .cluster import cluster_power, told
from .reconciled import TRAINING
from .servers import GPUS, NVLINK, REST

READING, COMPUTING, LAUNCHING, WAITING, NETWORK = "reading memory", "computing", "launching", "waiting for wires", "network"
SPENT = {READING: ("weights", "cache"), COMPUTING: ("compute",), LAUNCHING: ("host",),
         WAITING: ("starts", "bytes", "experts", "passing")}


@dataclass(frozen=True, repr=False)
class TokenEnergy:
    """The joules of one token that is answered, its part of the prompt included: numbers for one case, arrays for many.

    Fields:
        parts: {part: joules}, which add up to joules: GPUs and servers while weights and cache are read, while they compute,
            launch kernels and wait for wires, and what NVLink switches and the network draw meanwhile.
    """

    parts: dict[str, Numbers]

    @property
    def joules(self):
        """Joules of a token."""
        return sum(self.parts.values())

    def __repr__(self) -> str:
        return f"<{told(self.parts, 'J', 'a token')}>"


def token_energy(request: Request, *, load=TRAINING, fabric="rail-optimised", below: str = OPTICS, above: str = OPTICS,
                 **options) -> TokenEnergy:
    """Return the joules of one token that is answered.

    Args:
        request: from `request`.
        load, fabric, below, above, options: as `cluster_power` takes them; load is what was measured of H100 in training, and is
            taken for answers too.

    Raises:
        ValueError: *request* is none, or what `cluster_power` refuses.

    >>> from fabriclib.workloads import request
    >>> token_energy(request("llama-3-70b", "dgx-h100", gpus=8, tp=8, batch=1, prompt=1000, output=100)).joules > 20
    True
    """
    if not isinstance(request, Request):
        raise ValueError(f"request must be what fl.request returns; got {short(request)}.")
    job = request.job
    server = job.system.server_gpus
    whole = -(-job.gpus // server) * server
    sizes, at = np.unique(whole, return_inverse=True)
    power = cluster_power(job.system, gpus=sizes, fabric=fabric, below=below, above=above, load=load, **options)
    part_of = job.gpus / whole / (job.batch * job.output)

    def watts(value) -> np.ndarray:
        return np.broadcast_to(np.asarray(value), sizes.shape)[at] * part_of

    seconds = {part: np.reshape(value, -1) for part, value in request.parts.items()}
    working = watts(power.parts[GPUS]) + watts(power.parts[REST])
    parts = {name: working * np.sum([seconds[part] for part in some], axis=0) for name, some in SPENT.items()}
    all_of_it = np.reshape(request.seconds, -1)
    parts |= {NVLINK: watts(power.parts[NVLINK]) * all_of_it, NETWORK: watts(power.network) * all_of_it}
    return TokenEnergy({name: plain(np.reshape(value, job.shape)) for name, value in parts.items()})
