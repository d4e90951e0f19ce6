"""Workloads: a model, split over the GPUs of a machine and placed on its wires, and what a step of its training takes."""

from __future__ import annotations

from .accelerators import Accelerator, accelerator, accelerators
from .splits import splits
from .step import TrainingStep, training_step
from .transformer import Transformer, transformer, transformers

__all__ = ["Accelerator", "TrainingStep", "Transformer", "accelerator", "accelerators", "splits", "training_step", "transformer",
           "transformers"]
