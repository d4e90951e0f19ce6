"""step_energy: the joules of one training step, what of them is communication, and which of those are the waiting of GPUs.

    joules = watts of the cluster x seconds of the step

Wires and their ends draw the same all the time. GPUs and servers are taken to draw the same all the time as well, at the share of
their most that was measured over whole steps: so what a step waits for a wire costs the joules of all that waits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, plain, short
from ..topology.fabrics.parts import OPTICS
from ..workloads.step import TrainingStep
from ..workloads.traffic import sent
from .cluster import cluster_power, told
from .reconciled import TRAINING
from .servers import GPUS, NVLINK, REST
from .ways import ways

COMPUTE = ("matrices", "attention", "elementwise", "optimiser")
WIRES = ("tp", "cp", "ep", "pp", "dp")
COMPUTING, WAITING, OTHER, NETWORK = "computing", "waiting for wires", "waiting for others", "network"
INSIDE, OUTSIDE = "NVLink through a switch", "optics over one switch"


@dataclass(frozen=True, repr=False)
class StepEnergy:
    """The joules of a training step, of all GPUs and their network: numbers for one case, arrays for many.

    Fields:
        parts: {part: joules}, which add up to joules: GPUs and servers while they compute, while they wait for wires and for
            one another (the pipeline, the host), and what NVLink switches and the network draw meanwhile.
        nbytes: {"NVLink", "network"}: bytes that all GPUs send in a step.
        moving: the same in joules, if a byte took what it does on a full wire: what the wires' share would be if none ever idled.
        tokens: of a step.
    """

    parts: dict[str, Numbers]
    nbytes: dict[str, Numbers]
    moving: dict[str, Numbers]
    tokens: Numbers

    @property
    def joules(self):
        """Joules of a step."""
        return sum(self.parts.values())

    @property
    def per_token(self):
        """Joules for each token that is trained on."""
        return self.joules / self.tokens

    def __repr__(self) -> str:
        a_token = units.format(float(np.ravel(self.per_token)[-1]), "J")
        return f"<{told(self.parts, 'J', f'a step, {a_token} a token')}>"


def step_energy(step: TrainingStep, *, load=TRAINING, fabric="rail-optimised", below: str = OPTICS, above: str = OPTICS,
                **options) -> StepEnergy:
    """Return the joules of a training step.

    Args:
        step: from `training_step`.
        load, fabric, below, above, options: as `cluster_power` takes them; load is what was measured of H100 in training.

    Raises:
        ValueError: *step* is none, or what `cluster_power` refuses.

    >>> from fabriclib.workloads import training_step
    >>> step = training_step("llama-3-70b", "dgx-h100", gpus=64, global_batch=128, seq=8192, tp=4, pp=4, sharding="zero1")
    >>> step_energy(step).per_token < 2
    True
    """
    if not isinstance(step, TrainingStep):
        raise ValueError(f"step must be what training_step returns; got {short(step)}.")
    job = step.job
    sizes, at = np.unique(job.gpus, return_inverse=True)
    power = cluster_power(job.system, gpus=sizes, fabric=fabric, below=below, above=above, load=load, **options)
    seconds = {part: np.reshape(value, -1) for part, value in step.parts.items()}
    working = (np.asarray(power.parts[GPUS]) + np.asarray(power.parts[REST]))[at]
    whole, computing, waiting = (np.sum([seconds[part] for part in some], axis=0) for some in (seconds, COMPUTE, WIRES))
    parts = {COMPUTING: working * computing, WAITING: working * waiting, OTHER: working * (whole - computing - waiting)}
    parts[NVLINK] = np.asarray(power.parts[NVLINK])[at] * whole
    parts[NETWORK] = np.asarray(power.network)[at] * whole
    inside, outside = (job.gpus * sum(pair[k] for pair in sent(job).values()) for k in (0, 1))

    def shaped(values: dict[str, np.ndarray]) -> dict[str, Numbers]:
        return {name: plain(value.reshape(job.shape)) for name, value in values.items()}

    return StepEnergy(shaped(parts), shaped({"NVLink": inside, "network": outside}),
                      shaped({"NVLink": inside * ways()[INSIDE].joules, "network": outside * ways()[OUTSIDE].joules}),
                      plain(job.tokens.reshape(job.shape)))
