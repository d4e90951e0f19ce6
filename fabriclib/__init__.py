"""fabriclib: link models and collective cost formulas for the wiring of AI clusters.

Everything is in SI base units (bytes, seconds, bytes per second), per direction, and broadcasts NumPy arrays.
`import fabriclib` loads NumPy and the standard library only; most names load their room on first use.
"""

from __future__ import annotations

import importlib

from . import catalog, units
from .links import AlphaBeta, Link, link, links
from .switches import Switch, switch, switches

_ROOMS = {
    "cabling": ("Cable", "cable", "cables"),
    "collectives": ("Algorithm", "Best", "Counts", "Level", "Schedule", "algbw", "algorithms", "best", "busbw",
                    "collective_time", "crossover", "efficiency", "lower_bound", "schedule"),
    "diagnosis": ("compare",),
    "figures": ("published",),
    "flows": ("Share", "share"),
    "host_adapters": ("Adapter", "adapter", "adapters"),
    "machines": ("Launcher", "Nic", "System", "launchers", "nic", "system", "systems"),
    "measurements": ("read_measurements",),
    "memory": ("memory_mix",),
    "nccl": ("nccl_choice",),
    "peers": ("p2p",),
    "prediction": ("Prediction", "predict"),
    "topology": ("Design", "Graph", "Part", "designs", "fabric", "fabric_counts", "parts_list", "path_class", "path_classes",
                 "server", "servers", "tree"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("congestion", "copies", "cxl", "diagnosis", "fec", "flows", "framing", "ladder", "lanes", "measurements", "memory",
            "nccl", "pcie", "signals")

__all__ = ["AlphaBeta", "Link", "Switch", "catalog", "link", "links", "switch", "switches", "units", *_MODULES, *_ROOM_OF]


def __getattr__(name: str):
    """Load a room when one of its names is first used, so that a script that needs two links starts quickly."""
    if name in _ROOM_OF:
        return getattr(importlib.import_module(f".{_ROOM_OF[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'fabriclib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
