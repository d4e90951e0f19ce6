"""Availability: how often parts fail, how often a job should save, and what is left of its time and of its network."""

from __future__ import annotations

from .checkpoint import Spent, best_interval, daly, spent, young
from .dice import Events, Runs, simulate, throw
from .failures import causes, counts, network_elsewhere, rates
from .lost import Left, left, lose, planes, rail
from .slowest import expected_slowest, flapping, slow_one
from .uptime import Uptime, erlang_b, save_seconds, uptime

__all__ = ["Events", "Left", "Runs", "Spent", "Uptime", "best_interval", "causes", "counts", "daly", "erlang_b",
           "expected_slowest", "flapping", "left", "lose", "network_elsewhere", "planes", "rail", "rates", "save_seconds",
           "simulate", "slow_one", "spent", "throw", "uptime", "young"]
