"""Availability: how often parts fail, how often a job should save, and what is left of its time and of its network."""

from __future__ import annotations

from .checkpoint import Spent, best_interval, daly, spent, young
from .failures import causes, counts, network_elsewhere, rates
from .uptime import Uptime, erlang_b, save_seconds, uptime

__all__ = ["Spent", "Uptime", "best_interval", "causes", "counts", "daly", "erlang_b", "network_elsewhere", "rates",
           "save_seconds", "spent", "uptime", "young"]
