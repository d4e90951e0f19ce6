"""fabriclib: link models and collective cost formulas for the wiring of AI clusters.

Everything is in SI base units (bytes, seconds, bytes per second), per direction, and broadcasts NumPy arrays.
`import fabriclib` loads NumPy and the standard library only; labs and lessons load on first use.
"""

from __future__ import annotations

import importlib

from . import catalog, cxl, flows, framing, memory, units
from .collectives import (
    Algorithm,
    Best,
    Counts,
    Level,
    Schedule,
    algbw,
    algorithms,
    best,
    busbw,
    collective_time,
    crossover,
    efficiency,
    lower_bound,
    schedule,
)
from .figures import published
from .flows import Share, share
from .links import AlphaBeta, Link, link, links
from .memory import memory_mix
from .switches import Switch, switch, switches
from .topology import Graph, server, servers

_LATER = {"lab": "labs", "labs": "labs"}

__all__ = ["Algorithm", "AlphaBeta", "Best", "Counts", "Graph", "Level", "Link", "Schedule", "Share", "Switch",
           "algbw", "algorithms", "best", "busbw", "catalog", "collective_time", "crossover", "cxl", "efficiency",
           "flows", "framing", "link", "links", "lower_bound", "memory", "memory_mix", "published", "schedule",
           "server", "servers", "share", "switch", "switches", "units", *_LATER]


def __getattr__(name: str):
    """Load labs on first use, so that the model alone stays quick to import."""
    if name in _LATER:
        return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module 'fabriclib' has no attribute {name!r}")
