"""training_step: how long one step of a training job takes on a machine, what holds it up, and what it needs of memory.

    stage  = layers of a stage x (matrices + attention + memory + exposed tp, cp, ep) + exposed pp
    step   = micro-batches x stage + bubble + exposed dp + optimiser

A pipeline of p stages and m micro-batches waits (p - 1) / v stages for its first and last, v pieces a stage taking turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, count, plain
from ..prediction.constants import Constants, fitted
from . import compute, traffic
from .job import AXES, Choices, Job, ends, job
from .memory import check_fits, memory, params_per_gpu, total
from .placement import ORDER, groups, where
from .timeline import WORDS, bars, bubble


@dataclass(frozen=True, repr=False)
class TrainingStep:
    """One step of a training job: numbers for one case, arrays for many.

    Fields:
        seconds: the time of a step. tokens_per_second: of all GPUs together.
        mfu: model FLOPs utilisation, `Transformer.flops` of a step (forward and backward, nothing computed twice, attention over
            the whole sequence) over what all GPUs could do in that time at the peak of the dtype.
        memory: bytes on the fullest GPU. parts: {part: seconds}, which add up to seconds; of wires only what nothing hides.
        job: what was asked for, checked.
    """

    seconds: Numbers
    tokens_per_second: Numbers
    mfu: Numbers
    memory: Numbers
    parts: dict[str, Numbers]
    memory_parts: dict[str, Numbers]
    job: Job

    def why(self, at: int = -1) -> str:
        """Return what holds the step up in one sentence; of many cases, for number *at* as they lie flattened, else the last.

        Raises:
            ValueError: there is no case *at*.
        """
        at, one = self._one(at)
        parts = {part: one(values) for part, values in self.parts.items()}
        work = sum(parts[part] for part in ("matrices", "attention", "elementwise"))
        waits = {part: value for part, value in parts.items() if part not in ("matrices", "attention", "elementwise")}
        worst = max(waits, key=lambda part: waits[part])
        whole = one(self.seconds)
        place = self._place(worst, at)
        room = self.job.accelerator.memory
        over = one(self.memory) - room
        longest = waits[worst] / whole
        short_of = (f" It does not fit as it is: {units.format(one(self.memory))} of {units.format(room)} a GPU, "
                    f"{units.format(over)} too many. With recompute='full' it fits." if over > 0 else "")
        return (f"A step takes {units.format(whole, 's')}: {units.portion(work / whole)} of it the GPUs compute, and the longest "
                f"wait, {'under 1 %' if longest < 0.005 else units.portion(longest)}, is {WORDS[worst]}{place}.{short_of}")

    def _place(self, part: str, at: int) -> str:
        group = self.groups(at).get({"dp": "dp+cp"}.get(part, part))
        return f" ({group})" if group else ""

    @property
    def fits(self):
        """Whether it fits into the memory of a GPU, with the activations that the chosen recomputation keeps."""
        return plain(np.asarray(self.memory) <= self.job.accelerator.memory)

    def timeline(self, at: int = -1):
        """Return one step of one case as bars, a DataFrame: stage, part, start, end (seconds), words, where.

        Of many pipeline stages some are shown, and many micro-batches together. A bar is compute, the wait for a wire, or idle.

        Raises:
            ValueError: there is no case *at*.
        """
        at, one = self._one(at)
        axes = {axis: int(values[at]) for axis, values in self.job.axes.items()}
        parts = {part: one(values) for part, values in self.parts.items()}
        return bars(parts, axes["pp"], axes["virtual"], int(self.job.micro_batches[at]), self.groups(at))

    def groups(self, at: int = -1) -> dict[str, str]:
        """Return {axis: where its groups lie} of one case; an axis of one rank is left out.

        Raises:
            ValueError: there is no case *at*.
        """
        at, _ = self._one(at)
        axes = {axis: values[at:at + 1] for axis, values in self.job.axes.items()}
        found = groups(self.job.system, axes, self.job.order, self.job.network)
        return {axis: where(group) for axis, group in found.items() if group.size > 1}

    def _one(self, at: int):
        cases = np.size(self.seconds)
        at = count("at", at, low=-cases, high=cases - 1) % cases
        return at, lambda values: float(np.broadcast_to(values, np.shape(self.seconds)).flat[at])

    def __repr__(self) -> str:
        where_ = f"{self.job.model.name} on GPUs of {self.job.system.name}"
        if np.ndim(self.seconds):
            return f"<{where_}: {np.size(self.seconds)} steps>"
        return (f"<{where_}: {units.format(float(self.seconds), 's')} a step, {self.tokens_per_second:,.0f} tokens a second, "
                f"MFU {100 * self.mfu:.0f} %, {units.format(float(self.memory))} a GPU>")


def training_step(model, system, *, gpus, global_batch, seq, micro_batch=1, tp=1, pp=1, virtual=1, cp=1, ep=1, sharding="none",
                  recompute="none", dtype="bf16", flash=True, order=ORDER, oversubscription=1.0, pod=32) -> TrainingStep:
    """Return one step of training *model* on *system*, split, placed on the wires and priced.

    Args:
        model: an id from `transformers()`, such as "llama-3-70b", or a Transformer.
        system: an id from `systems()` whose accelerator is known, such as "dgx-h100", or a System.
        gpus: GPUs in all. Data parallel are gpus / (tp pp cp).
        global_batch: sequences of a step. seq: tokens of a sequence. micro_batch: sequences that a rank takes at once.
        tp: ranks that share each matrix, and by sequence parallelism all between. pp: pipeline stages, 1F1B; virtual: pieces of
            the model that a stage has, which take turns. cp: ranks that share a sequence. ep: ranks that share out the experts.
        sharding: "none", "zero1" (optimiser states are shared out among data-parallel ranks), "zero2" (gradients too) or "fsdp"
            (weights too).
        recompute: "none", "selective" (the scores of attention) or "full" (all of a layer).
        dtype: of the matrix products: "bf16", "fp8" or "fp4". flash: whether attention is one kernel that keeps no scores.
        order: the axes from near to far: the first gets neighbouring GPUs.
        oversubscription: how many times narrower the way to the spine is than the leaves below it. pod: nodes that share a set of
            leaves.

    Numbers may be arrays; they broadcast. The constants are those of data/fitted.csv.

    Returns:
        TrainingStep: seconds, tokens_per_second, mfu, memory and parts; why() and timeline() say where the time goes.

    Raises:
        ValueError: unknown names, a split that is not possible, a model that does not fit even if all is recomputed.

    >>> step = training_step("llama-3-70b", "dgx-h100", gpus=64, global_batch=128, seq=8192, tp=4, pp=8, sharding="zero1")
    >>> 5 < step.seconds < 50, step.groups()["tp"]
    (True, 'inside a server or rack')
    """
    given = dict(zip(AXES, (gpus, global_batch, seq, micro_batch, tp, pp, virtual, cp, ep), strict=True))
    found = job(model, system, given, Choices(sharding, recompute, dtype, flash, order, oversubscription, pod))
    held = memory(found)
    check_fits(found, held)
    return priced(found, held, fitted())


def priced(found: Job, held: dict[str, np.ndarray], constants: Constants) -> TrainingStep:
    """Return the step of a checked job, which holds *held* in memory, with these *constants*."""
    parts = step_parts(found, traffic.talk(found), constants)
    seconds = total(parts)
    flops = found.model.flops(found.tokens, found.seq)
    peak = found.gpus * found.accelerator.peak(found.dtype)

    def shaped(values):
        return plain(values.reshape(found.shape))

    return TrainingStep(shaped(seconds), shaped(found.tokens / seconds), shaped(flops / (seconds * peak)), shaped(total(held)),
                        {part: shaped(values) for part, values in parts.items()},
                        {part: shaped(values) for part, values in held.items()}, found)


def step_parts(found: Job, talk: traffic.Talk, constants: Constants) -> dict[str, np.ndarray]:
    """Return {part: seconds} of a step; of what an axis sends only the seconds that nothing hides."""
    rates = compute.Rates(found, constants)
    layer = compute.layer_parts(found, rates)
    work = sum(layer.values())
    # The keys of the next block travel while this one is attended to.
    exposed = {"tp": rates.of("tp exposed", found.dtype) * talk.layer["tp"], "ep": rates.of("ep exposed") * talk.layer["ep"],
               "cp": np.maximum(talk.layer["cp"] - layer["attention"], rates.of("cp exposed") * talk.layer["cp"])}
    if found.model.moe_layers:
        device = work + sum(exposed.values())
        exposed["host"] = np.sqrt(device**2 + rates.of("expert host")**2) - device
    passing = rates.of("pp exposed") * talk.passing
    spare = ends(found)
    layers = (found.model.layers + spare) / found.pp
    head = compute.head_seconds(found, rates)
    per_layer = work + sum(exposed.values())
    # The output is one more piece of the last stage, or in place of a layer where the stages were cut so.
    late = np.where(found.pp > 1, np.maximum(head - (spare > 0) * per_layer, 0.0), head)
    m = found.micro_batches
    parts = {part: m * layers * seconds for part, seconds in (layer | exposed).items()}
    parts["matrices"] = parts["matrices"] + m * late
    parts["pp"] = m * passing
    stage = layers * per_layer + passing + late / found.pp
    parts["bubble"] = bubble(found.pp, m, found.virtual)[0] * m * stage
    parts["dp"] = _data_parallel(found, rates, talk, layers * work, m)
    parts["optimiser"] = compute.optimiser_seconds(found, sum(held_params(found)), rates)
    return parts


def held_params(found: Job):
    """Return (dense, experts): the parameters whose optimiser states one GPU has."""
    dense, experts = params_per_gpu(found)
    if found.sharding == "none":
        return dense, experts
    return dense / (found.dp * found.cp), experts / (found.tp * found.cp * found.dp // found.ep)


def _data_parallel(found: Job, rates, talk, work, m):
    """Return the seconds of gradients and weights that nothing hides.

    A sharded model gathers and reduces in every micro-batch, layer by layer, beside the layers' work. Else gradients are reduced
    while the last micro-batch goes back, and the weights are gathered while the first one goes forward.
    """
    sent = talk.gradients + talk.weights
    overlap = rates.of("dp overlap")
    if found.sharding == "fsdp":
        sent = m * sent
        exposed = np.maximum(sent - overlap * m * work, 0.0)
    elif found.sharding == "none":
        exposed = sent
    else:
        exposed = np.maximum(talk.gradients - overlap * work * 2 / 3, 0.0) + np.maximum(talk.weights - overlap * work / 3, 0.0)
    return np.maximum(exposed, rates.of("fsdp exposed" if found.sharding == "fsdp" else "dp exposed") * sent)
