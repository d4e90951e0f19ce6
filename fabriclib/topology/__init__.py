"""Topology: what is wired to what. Servers today; each is a graph of devices, switches and links."""

from __future__ import annotations

from .cuts import max_flow
from .graph import Cables, Graph
from .rings import disjoint_rings
from .servers import server, servers

__all__ = ["Cables", "Graph", "disjoint_rings", "max_flow", "server", "servers"]
