"""Workloads: a model, split over a machine and placed on its wires: what a step of its training takes, or a request."""

from __future__ import annotations

from .accelerators import Accelerator, accelerator, accelerators
from .engines import Engine, engine, engines
from .experts import Exchange, exchange_bound, expert_exchange, token_bound
from .kv import KvTransfer, kv_transfer
from .request import Request, request
from .splits import splits
from .step import TrainingStep, training_step
from .transformer import Transformer, transformer, transformers

__all__ = ["Accelerator", "Engine", "Exchange", "KvTransfer", "Request", "TrainingStep", "Transformer", "accelerator",
           "accelerators", "engine", "engines", "exchange_bound", "expert_exchange", "kv_transfer", "request", "splits",
           "token_bound", "training_step", "transformer", "transformers"]
