"""How long a collective takes on a machine, by the algorithm a real library would use."""

from __future__ import annotations

from .model import Prediction, predict

__all__ = ["Prediction", "predict"]
