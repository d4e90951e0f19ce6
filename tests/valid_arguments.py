"""What no example in a docstring shows: valid arguments of public functions, and what they are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from written_tools import MATRICES

import fabriclib as fl

VALID: dict[str, Callable[[], dict]] = {
    "collectives.counts.Counts.time": lambda: {"self": fl.Counts(14, 1.75, 0.875), "nbytes": 1e6, "alpha": 1e-6, "beta": 1e-11,
                                               "gamma": 0.0},
    "collectives.entry.Algorithm": lambda: fields(fl.algorithms("all_reduce")[0]),
    "collectives.schedule.Schedule.run": lambda: {"self": ring(), "arrays": [np.arange(8.0)] * 4},
    "collectives.schedule.Schedule.states": lambda: {"self": ring(), "arrays": [np.arange(8.0)] * 4},
    "collectives.schedule.Schedule.time": lambda: {"self": ring(), "nbytes": 1e6, "alpha": 1e-6, "beta": 1e-11, "gamma": 0.0,
                                                   "levels": None},
    "congestion.dcqcn.run": lambda: {"rate": 5e9, "start": [5e9, 5e9], "seconds": 1e-4, "feedback": 4e-6, "threshold": 1e6,
                                     "parameters": None},
    "measurements.pairs.read_pairs": lambda: {"path_or_text": MATRICES["TransferBench"]},
    "cells.after": lambda: {"key": "moving_bytes.small", "thing": "text"},
    "cells.check": lambda: {"key": "moving_bytes.size-for", "given": len},
    "cells.play": lambda: {"key": "collectives.ring", "given": len},
    "cells.predict_first": lambda: {"key": "moving_bytes.small"},
    "cells.report": lambda: {"brief": "dense-70b", "plan": fl.capstone.Plan("dgx-h100", gpus=1024), "name": "", "defence": ""},
    "cells.solution": lambda: {"key": "moving_bytes.size-for"},
    "cells.verdict": lambda: {"claim": "a"},
    "course.verdicts.Verdict": lambda: {"claim": "a", "ruling": "holds", "because": lambda: "so"},
    "cells.lab": lambda: {"name": "alpha-beta"},
    "prediction.model.Prediction.why": lambda: {"self": fl.predict("dgx-h100", "all_reduce", 1e6), "at": -1},
    "availability.uptime.Uptime.why": lambda: {"self": fl.uptime("dgx-h100", gpus=64)},
    "workloads.accelerators.Accelerator": lambda: fields(fl.accelerator("h100-sxm")),
    "workloads.accelerators.Accelerator.best": lambda: {"self": fl.accelerator("h100-sxm"), "dtype": "fp8"},
    "workloads.kv.KvTransfer.why": lambda: {"self": fl.kv_transfer("llama-3-8b", "dgx-h100", prompt=1024), "at": 0},
    "workloads.request.Request.why": lambda: {"self": fl.request("llama-3-8b", "dgx-h100", gpus=1), "at": 0},
    "workloads.step.TrainingStep.groups": lambda: {"self": step(), "at": 0},
    "workloads.step.TrainingStep.timeline": lambda: {"self": step(), "at": 0},
    "workloads.step.TrainingStep.why": lambda: {"self": step(), "at": 0},
    "workloads.transformer.Transformer": lambda: fields(fl.transformer("qwen3-30b-a3b")),
    "workloads.transformer.Transformer.ffn_matrices": lambda: {"self": fl.transformer("llama-3-8b"), "width": 14336},
    "workloads.transformer.Transformer.span": lambda: {"self": fl.transformer("llama-3-8b"), "seq": 8192},
}


def fields(record) -> dict:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def share():
    mesh = fl.server("mi300x")
    return fl.flows.share(mesh, fl.flows.all_to_all(8))


def step():
    return fl.training_step("llama-3-8b", "dgx-h100", gpus=64, global_batch=64, seq=8192, sharding="fsdp")


def ring():
    return fl.schedule("all_reduce", "ring", 4)
