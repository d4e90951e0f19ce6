"""What lesson "Training a trillion" stands on: one model, the ways to split it over 3,072 GPUs, and what a step of each takes."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.links import link
from fabriclib.machines import system
from fabriclib.prediction.constants import fitted
from fabriclib.workloads import TrainingStep, accelerator, splits, transformer
from fabriclib.workloads.job import Choices, job
from fabriclib.workloads.memory import GRADIENT, OPTIMISER, WEIGHT, memory
from fabriclib.workloads.published import steps
from fabriclib.workloads.step import priced
from fabriclib.workloads.timeline import bubble

GPUS, BATCH, SEQ = 3072, 3072, 2048  # of the paper's job: GPUs, sequences of a step, tokens of a sequence
TENSOR, STAGES = 8, 64  # and its split
JOB = {"gpus": GPUS, "global_batch": BATCH, "seq": SEQ}
COPIES = GPUS // (TENSOR * STAGES)
MICRO_BATCHES = BATCH // COPIES

trillion = transformer("megatron-1t")
a100, h100 = accelerator("a100-80gb-sxm"), accelerator("h100-sxm")
nvlink = link("nvlink3").bundle(link("nvlink3").per_device)
port = link("ib-hdr")
STATE = WEIGHT + GRADIENT + OPTIMISER  # bytes of a parameter
states = STATE * trillion.params
TOKENS = BATCH * SEQ  # of a step
work = trillion.flops(TOKENS, SEQ)

published = next(row for row in catalog.rows("training_steps") if row["model"] == "megatron-1t")
measured = published["seconds"]
fewest = min(row["gpus"] for row in catalog.rows("training_steps") if row["table"] == published["table"])


class Machine(NamedTuple):
    """A machine with the habits of its time: numbers of the products, what copies share, whether attention is one kernel."""

    system: str
    dtype: str
    sharding: str
    flash: bool


MACHINES = {"A100, NVLink 3": Machine("dgx-a100", "bf16", "none", False),
            "H100, NVLink 4": Machine("dgx-h100", "fp8", "zero1", True),
            "GB200 rack, NVLink 5": Machine("gb200-nvl72", "fp8", "zero1", True)}
OLD, NEW, RACK = MACHINES
MODELS = {transformer(id).name: id for id in ("megatron-1t", "llama-3-405b")}
ONE_T, _ = MODELS
# tensor, stages, pieces of a stage
SPLITS = {"1 × 1": (1, 1, 1), "8 × 1": (8, 1, 1), "8 × 8": (8, 8, 1), "8 × 16": (8, 16, 1), "8 × 32": (8, 32, 1),
          "8 × 64": (8, 64, 1), "8 × 64, 2 pieces": (8, 64, 2), "8 × 16, 8 pieces": (8, 16, 8), "4 × 64": (4, 64, 1)}
PAPER = "8 × 64"
NEAR, NARROW, COPIES_NEAR, STAGES_NEAR = "tensor groups", "tensor groups, spine 1:8", "copies", "stages"
_USUAL = ("tp", "cp", "dp", "pp")
PLACES = {NEAR: (_USUAL, 1.0), NARROW: (_USUAL, 8.0), COPIES_NEAR: (("dp", "tp", "cp", "pp"), 1.0),
          STAGES_NEAR: (("pp", "tp", "cp", "dp"), 1.0)}


@functools.cache
def step(model: str = ONE_T, machine: str = OLD, split: str = PAPER, near: str = NEAR) -> TrainingStep:
    """Return one step of the job, priced as if it fitted where it does not: `fits` says whether it does."""
    where, (order, narrower) = MACHINES[machine], PLACES[near]
    tensor, stages, pieces = SPLITS[split]
    numbers = JOB | {"micro_batch": 1, "tp": tensor, "pp": stages, "virtual": pieces, "cp": 1, "ep": 1}
    choices = Choices(where.sharding, "full", where.dtype, where.flash, order, narrower)
    found = job(MODELS[model], where.system, numbers, choices)
    return priced(found, memory(found), fitted())


def copies(split: str) -> int:
    """Return how many copies of the model all GPUs hold, split like that."""
    tensor, stages, _ = SPLITS[split]
    return GPUS // (tensor * stages)


def room(machine: str) -> float:
    """Return the bytes that a GPU of a machine holds."""
    return accelerator(system(MACHINES[machine].system).accelerator).memory


def computing(found: TrainingStep) -> float:
    """Return the seconds of a step in which a GPU computes."""
    return sum(float(found.parts[part]) for part in ("matrices", "attention", "elementwise"))


def wires(found: TrainingStep) -> float:
    """Return the seconds of a step in which a GPU waits for a wire."""
    return sum(float(found.parts[part]) for part in ("tp", "cp", "ep", "pp", "dp"))


paper = step()
misplaced = float(step(near=STAGES_NEAR).seconds / paper.seconds)


# ---- all splits

class Plan(NamedTuple):
    """What the map of all splits is drawn of: a model on a machine."""

    model: str
    machine: str


PLANS = {"1T on A100": Plan("megatron-1t", OLD), "1T on H100": Plan("megatron-1t", NEW), "1T on GB200": Plan("megatron-1t", RACK),
         "DeepSeek-V3 on H100": Plan("deepseek-v3", NEW)}
ON_A100, ON_H100, ON_GB200, EXPERTS = PLANS
MOST, SLOWER = 60, 1.3  # so many dots are drawn, and what is not slower than so many times the fastest
SHARING = {"nothing": "none", "optimiser (ZeRO-1)": "zero1", "and gradients (ZeRO-2)": "zero2", "and weights (ZeRO-3)": "fsdp"}
NOTHING, ZERO1, ZERO2, ZERO3 = SHARING
KEEPING = {"keep all": "none", "recompute all": "full"}
KEEP, RECOMPUTE = KEEPING


@functools.cache
def ranked(plan: str, sharing: str, keeping: str):
    """Return `splits` of a plan, the fastest first."""
    model, machine = PLANS[plan]
    where = MACHINES[machine]
    return splits(model, where.system, **JOB, sharding=SHARING[sharing], recompute=KEEPING[keeping], dtype=where.dtype,
                  flash=where.flash)


# ---- counts that the text and the exercises need

def gpus_for_states(params: float = trillion.params, each: int = STATE) -> int:
    """Return the fewest A100 whose memory holds *each* bytes of that many parameters: weights, gradients, optimiser states."""
    return int(np.ceil(each * params / a100.memory))


def states_of(params: float, parts: int, copies: int) -> float:
    """Return the bytes of states on a GPU: a model cut into *parts*, its optimiser states shared out among *copies*."""
    return ((WEIGHT + GRADIENT) + OPTIMISER / copies) * params / parts


def waiting(stages: int, micro_batches: int, pieces: int = 1) -> float:
    """Return the share of a step that a GPU waits for the pipeline."""
    return float(bubble(stages, micro_batches, pieces)[1])


def most_gpus(tensor: int, stages: int, pieces: int, batch: int, share: float) -> int:
    """Return the GPUs of as many whole copies as a batch feeds, if at most *share* of a step is to be bubble."""
    return tensor * stages * int(batch / ((stages - 1) / pieces * (1 - share) / share))


CHANGES = {"tensor groups over servers": lambda: step(near=STAGES_NEAR),
           "a spine narrowed to an eighth": lambda: step(near=NARROW),
           "tensor groups of 4": lambda: step(split="4 × 64"), "half as many stages": lambda: step(split="8 × 32")}
_CHANGED = "tensor groups of 4"
_ROWS = {"computing": ("matrices", "attention", "elementwise"), "waiting for the tensor group": ("tp",),
         "for other stages": ("pp",), "in the bubble": ("bubble",), "for other copies": ("dp",)}


def _seconds_of(found: TrainingStep) -> dict[str, str]:
    return {row: f"{sum(float(found.parts[part]) for part in parts):.3g} s" for row, parts in _ROWS.items()}


def two_runs():
    """Return a DataFrame of text: what the paper's step is made of, and that of a run of which one thing is different."""
    import pandas as pd

    return pd.DataFrame({"the paper's run": _seconds_of(paper), "the other run": _seconds_of(CHANGES[_CHANGED]())})


def what_changed() -> str:
    """Return which of CHANGES gives the parts of the other run."""
    other = two_runs()["the other run"].to_dict()
    [change] = [change for change, found in CHANGES.items() if _seconds_of(found()) == other]
    return change


def mfu(params: float, tokens: float, seconds: float, gpus: int, peak: float) -> float:
    """Return the share of the peak that 6 operations a parameter and token use."""
    return 6 * params * tokens / (seconds * gpus * peak)


used = mfu(trillion.params, TOKENS, measured, GPUS, a100.bf16)
hardware = 4 / 3 * work / (measured * GPUS * a100.bf16)  # of the peak, what is recomputed counted too
best_now = ranked(ON_H100, ZERO1, KEEP).iloc[0]
best_rack = ranked(ON_GB200, ZERO1, KEEP).iloc[0]


def talks():
    """Return a DataFrame of text: what a GPU sends in a step of the paper's job, by the group that it sends to."""
    import pandas as pd

    layers = trillion.layers / STAGES
    message = 2 * SEQ * trillion.hidden  # activations of a micro-batch, two bytes a number
    sums = 6 * layers * MICRO_BATCHES  # two in a layer forward, two more when it is recomputed, two backward
    rows = [("tensor group", TENSOR, "tp", sums * message * 2 * (TENSOR - 1) / TENSOR),
            ("copies", COPIES, "dp", GRADIENT * trillion.params / (TENSOR * STAGES) * 2 * (COPIES - 1) / COPIES),
            ("stages", STAGES, "pp", 2 * MICRO_BATCHES * message / TENSOR)]
    return pd.DataFrame([{"to its": group, "GPUs": many, "sends": units.format(nbytes), "where": paper.groups()[axis],
                          "wait that shows": units.format(float(paper.parts[axis]), "s")} for group, many, axis, nbytes in rows])


def models():
    """Return a DataFrame of text: models of the course, their parameters, and what their states fill."""
    import pandas as pd

    rows = []
    for id in ("gpt-3", "llama-3-70b", "llama-3-405b", "deepseek-v3", "megatron-1t"):
        one = transformer(id)
        rows.append({"model": one.name, "parameters": f"{one.params / 1e9:,.0f} billion",
                     "a token uses": f"{one.active_params / 1e9:,.0f} billion", "layers": one.layers,
                     "states": units.format(STATE * one.params), "GPUs of 80 GB": gpus_for_states(one.params)})
    return pd.DataFrame(rows)


# ---- published steps

SIZES = "megatron-sc21-a100"


@functools.cache
def against_paper() -> dict[str, np.ndarray]:
    """Return columns of the paper's ten sizes: name, seconds as measured, as predicted."""
    here = steps().table == SIZES
    names = [row["model"] for row in catalog.rows("training_steps") if row["table"] == SIZES]
    return {"model": np.array([transformer(id).name.removeprefix("Megatron ") for id in names]),
            "measured": steps().seconds[here], "predicted": steps().predicted()[here]}


def off() -> np.ndarray:
    """Return by how much the predicted steps of the paper are off, as shares."""
    found = against_paper()
    return found["predicted"] / found["measured"] - 1


def held_out() -> float:
    """Return the mean error of the paper's steps, predicted with constants that never saw them."""
    return next(row["left_out"] for row in catalog.rows("held_out_steps") if row["table"] == SIZES)


def errors():
    """Return a DataFrame of text: of each table of published steps, the mean errors."""
    import pandas as pd

    about = {row["id"]: row for row in catalog.rows("training_tables")}
    rows = []
    for row in sorted(catalog.rows("held_out_steps"), key=lambda row: row["left_out"]):
        one = about[row["table"]]
        rows.append({"source": catalog.source(one["source"]).publisher.partition(", arXiv")[0], "GPUs of": one["generation"],
                     "models": "mixtures of experts" if one["experts"] else "dense",
                     "steps": int((steps().table == row["table"]).sum()),
                     "no constant fitted": units.portion(row["unfitted"]),
                     "fitted without this source": units.portion(row["left_out"]), "fitted on all": units.portion(row["fitted"])})
    return pd.DataFrame(rows)
