"""Topology: what is wired to what. Servers today; each is a graph of devices, switches and links."""

from __future__ import annotations

from .classes import path_class, path_classes
from .cuts import max_flow
from .graph import Cables, Graph
from .rings import disjoint_rings
from .servers import server, servers
from .trees import Part, tree

__all__ = ["Cables", "Graph", "Part", "disjoint_rings", "max_flow", "path_class", "path_classes", "server", "servers", "tree"]
