"""Jobs: what somebody asks of `training_step`, checked, with names looked up and arrays broadcast against one another."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..checks import count, either, known, number, short, single, together, whole
from ..machines import System
from ..prediction.cases import machine_of
from .accelerators import DTYPES, Accelerator, of_system
from .placement import ORDER, Network, checked_order
from .transformer import Transformer, transformer

SHARDINGS = ("none", "zero1", "zero2", "fsdp")
STAGES_OF_ZERO = {"zero1": "zero1 zero-1", "zero2": "zero2 zero-2", "fsdp": "zero3 zero-3"}
RECOMPUTES = ("none", "selective", "full")
ENDS = (0, 2, 3)  # embedding and output may count as a layer each, and a module that predicts a token further too
AXES = ("gpus", "global_batch", "seq", "micro_batch", "tp", "pp", "virtual", "cp", "ep")
MAX_SPLIT = 100_000
MOST_OF = {"gpus": 1_000_000, "global_batch": 10_000_000, "seq": 100_000_000, "micro_batch": 1_000_000}


class Job(NamedTuple):
    """A training job: one model on one machine, and arrays over cases, all of one length.

    Fields:
        axes: {name: integers} of AXES and of "dp", the data parallelism that follows. shape: of the cases as they were given.
    """

    model: Transformer
    system: System
    accelerator: Accelerator
    axes: dict[str, np.ndarray]
    shape: tuple[int, ...]
    sharding: str
    recompute: str
    dtype: str
    flash: bool
    order: tuple[str, ...]
    network: Network

    def __getattr__(self, axis: str) -> np.ndarray:
        try:
            return self.axes[axis]
        except KeyError:
            raise AttributeError(axis) from None

    @property
    def tokens(self) -> np.ndarray:
        """Tokens of a step."""
        return self.axes["global_batch"] * self.axes["seq"].astype(float)

    @property
    def micro_batches(self) -> np.ndarray:
        """Micro-batches that a data-parallel rank takes one after another."""
        return self.axes["global_batch"] // (self.axes["dp"] * self.axes["micro_batch"])


def model_of(model) -> Transformer:
    """Return the model that *model* is or is the id of.

    Raises:
        ValueError: it is neither.
    """
    return either("model", model, Transformer, transformer, "llama-3-70b")


class Choices(NamedTuple):
    """What a job chooses besides numbers, checked by `proposed`."""

    sharding: str = "none"
    recompute: str = "none"
    dtype: str = "bf16"
    flash: bool = True
    order: tuple[str, ...] = ORDER
    oversubscription: float = 1.0
    pod: int = 32


def job(model, system, numbers: dict, choices: Choices) -> Job:
    """Return the job that `training_step`'s arguments make; *numbers* are those of AXES.

    Raises:
        ValueError: unknown names, values out of range, cases that cannot be split so.
    """
    found = proposed(model, system, numbers, choices)
    return with_dp(meeting(found, rules(found)))


def proposed(model, system, numbers: dict, choices: Choices) -> Job:
    """Return the job that the arguments make, whether or not it can be split so; "dp" is not yet among its axes."""
    model, machine, accelerator = model_of(model), machine_of(system), of_system(machine_of(system))
    known("sharding", choices.sharding, SHARDINGS, STAGES_OF_ZERO)
    known("recompute", choices.recompute, RECOMPUTES)
    if not isinstance(choices.flash, bool):
        raise ValueError(f"flash must be True or False; got {short(choices.flash)}.")
    accelerator.peak(known("dtype", choices.dtype, DTYPES))
    axes, shape = cases(numbers, MOST_OF)
    narrower = number("oversubscription", choices.oversubscription, low=1, zero=True, high=1000)
    network = Network(count("pod", choices.pod), single("oversubscription", narrower))
    return Job(model, machine, accelerator, axes, shape, choices.sharding, choices.recompute, choices.dtype, choices.flash,
               checked_order(choices.order), network)


def cases(numbers: dict, most_of: dict[str, int]) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Return ({axis: integers of all cases}, the shape of the cases as they were given).

    Raises:
        ValueError: what is not whole, or out of range; shapes that do not fit.
    """
    given = {axis: whole(axis, value, high=most_of.get(axis, MAX_SPLIT)) for axis, value in numbers.items()}
    together(**given)
    shape = np.broadcast_shapes(*(np.shape(value) for value in given.values()))
    return {axis: np.broadcast_to(np.asarray(value, dtype=np.int64), shape).reshape(-1) for axis, value in given.items()}, shape


def with_dp(found: Job, some=slice(None)) -> Job:
    """Return *some* of the cases of a job that meets the rules, with the data parallelism that follows."""
    axes = {axis: values[some] for axis, values in found.axes.items()}
    axes["dp"] = axes["gpus"] // (axes["tp"] * axes["pp"] * axes["cp"])
    return found._replace(axes=axes, shape=found.shape if isinstance(some, slice) else axes["dp"].shape)


def ends(found: Job) -> np.ndarray:
    """Return how many places of a layer the ends of the model take in each case, so that all pieces are equally long."""
    pieces = found.axes["pp"] * found.axes["virtual"]
    return np.select([(found.model.layers + one) % pieces == 0 for one in ENDS], ENDS)


class Rule(NamedTuple):
    """What a split has to meet: where it does, and what a message says of the first case that does not.

    `says` gets that case, {axis: number}, and the job.
    """

    met: np.ndarray
    says: Callable[[dict[str, int], Any], str]


_Split = TypeVar("_Split")


def meeting(found: _Split, rules: Iterable[Rule]) -> _Split:
    """Return a job all of whose cases meet the *rules*.

    Raises:
        ValueError: one does not.
    """
    for met, says in rules:
        if not np.all(met):
            first = int(np.argmin(met))
            raise ValueError(says({axis: int(values[first]) for axis, values in found.axes.items()}, found))  # type: ignore[attr-defined]
    return found


def rules(found: Job):
    """Yield what every split has to meet, in the order in which it is said."""
    model, machine, axes = found.model, found.system, found.axes
    ranks = axes["tp"] * axes["pp"] * axes["cp"]
    yield Rule(ranks <= axes["gpus"], _ranks)
    yield Rule(axes["gpus"] % ranks == 0, _gpus)
    yield Rule((axes["gpus"] <= machine.gpus) if not machine.port else ranks > 0, alone)
    yield Rule(axes["tp"] <= machine.gpus, _domain)
    yield Rule(model.heads % axes["tp"] == 0, heads)
    pieces = axes["pp"] * axes["virtual"]
    yield Rule(functools.reduce(np.logical_or, [(model.layers + ends) % pieces == 0 for ends in ENDS]), _layers)
    yield Rule((axes["virtual"] == 1) | (axes["pp"] > 1), _virtual)
    yield Rule(axes["seq"] % axes["cp"] == 0, _sequence)
    dp = np.maximum(axes["gpus"] // ranks, 1)
    yield Rule((axes["ep"] == 1) if not model.experts else model.experts % axes["ep"] == 0, _experts)
    yield Rule((axes["tp"] * axes["cp"] * dp) % axes["ep"] == 0, _plane)
    yield Rule(axes["global_batch"] % (dp * axes["micro_batch"]) == 0, _batch)


def nearest(value: int, allowed) -> str:
    """Return the numbers of *allowed* on both sides of *value*, in words."""
    allowed = sorted(set(allowed))
    below = [one for one in allowed if one < value][-1:]
    above = [one for one in allowed if one > value][:1]
    return " or ".join(map(str, below + above))


def multiples(value: int, unit: int) -> str:
    """Return the multiples of *unit* on both sides of *value*, in words."""
    low = value // unit * unit
    return f"{low} or {low + unit}" if low else str(unit)


def divisors(number_: int) -> list[int]:
    small = [one for one in range(1, int(number_**0.5) + 1) if number_ % one == 0]
    return [*{*small, *(number_ // one for one in small)}]


def _ranks(c, j) -> str:
    ranks = c["tp"] * c["pp"] * c["cp"]
    return f"gpus must be at least tp x pp x cp = {ranks}; got {c['gpus']}, {ranks - c['gpus']} too few."


def _gpus(c, j) -> str:
    ranks = c["tp"] * c["pp"] * c["cp"]
    return f"gpus must be a multiple of tp x pp x cp = {ranks}; got {c['gpus']}, nearest {multiples(c['gpus'], ranks)}."


def alone(c, j) -> str:
    return f"gpus must be at most {j.system.gpus} for {j.system.name}, which has no network; got {c['gpus']}."


def _domain(c, j) -> str:
    best = max(one for one in divisors(j.model.heads) if one <= j.system.gpus)
    return (f"tp must lie inside one domain, {j.system.gpus} GPUs of {j.system.name}; got {c['tp']}. The largest that divides "
            f"the {j.model.heads} heads and fits is {best}.")


def heads(c, j) -> str:
    return (f"tp must divide the {j.model.heads} heads of {j.model.name}; got {c['tp']}, nearest "
            f"{nearest(c['tp'], divisors(j.model.heads))}.")


def _layers(c, j) -> str:
    layers, pieces = j.model.layers, c["pp"] * c["virtual"]
    allowed = [one for more in ENDS for one in divisors(layers + more)]
    for kept in (c["pp"], c["virtual"]):  # rather change the other one
        if some := [one for one in allowed if one % kept == 0]:
            allowed = some
            break
    return (f"pp x virtual must divide the {layers} layers of {j.model.name}, or {layers + 2} or {layers + 3} where what comes "
            f"before and after them counts as layers; got {c['pp']} x {c['virtual']} = {pieces}, nearest "
            f"{nearest(pieces, allowed)}.")


def _virtual(c, j) -> str:
    return f"virtual must be 1 where pp is 1: a single stage has nobody to take turns with; got {c['virtual']}."


def _sequence(c, j) -> str:
    return f"cp must divide seq = {c['seq']}; got {c['cp']}, nearest {nearest(c['cp'], divisors(c['seq']))}."


def _experts(c, j) -> str:
    if not j.model.experts:
        return f"ep must be 1 for {j.model.name}, which has no experts; got {c['ep']}."
    return (f"ep must divide the {j.model.experts} experts of {j.model.name}; got {c['ep']}, nearest "
            f"{nearest(c['ep'], divisors(j.model.experts))}.")


def _plane(c, j) -> str:
    ranks = c["gpus"] // c["pp"]
    allowed = [one for one in divisors(j.model.experts or 1) if ranks % one == 0]
    return (f"ep must divide the {ranks} ranks of a pipeline stage, tp x cp x dp; got {c['ep']}, nearest "
            f"{nearest(c['ep'], allowed) or 1}.")


def _batch(c, j) -> str:
    dp = c["gpus"] // (c["tp"] * c["pp"] * c["cp"])
    unit = dp * c["micro_batch"]
    return (f"global_batch must be a multiple of dp x micro_batch = {dp} x {c['micro_batch']} = {unit}; got {c['global_batch']}, "
            f"nearest {multiples(c['global_batch'], unit)}.")
