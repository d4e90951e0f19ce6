"""Collectives: one entry per (collective, algorithm), with the counts that price it and the schedule that proves it."""

from __future__ import annotations

from .cost import collective_time
from .counts import Counts, Level
from .registry import Algorithm, algorithms, schedule
from .schedule import Schedule

__all__ = ["Algorithm", "Counts", "Level", "Schedule", "algorithms", "collective_time", "schedule"]
