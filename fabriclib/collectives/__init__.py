"""Collectives: one entry per (collective, algorithm), with the counts that price it and the schedule that proves it."""

from __future__ import annotations

from .bounds import efficiency, lower_bound, network_bound
from .busbw import algbw, busbw
from .choose import Best, best, crossover
from .cost import collective_time
from .counts import Counts, Level
from .entry import Algorithm
from .registry import algorithms, schedule
from .schedule import Schedule

__all__ = ["Algorithm", "Best", "Counts", "Level", "Schedule", "algbw", "algorithms", "best", "busbw", "collective_time",
           "crossover", "efficiency", "lower_bound", "network_bound", "schedule"]
