"""Topology: what is wired to what. Servers and the fabrics between them are graphs of devices, switches and links."""

from __future__ import annotations

from .classes import path_class, path_classes
from .fabrics import Design, designs, fabric, fabric_counts, parts_list
from .graph import Cables, Graph
from .rings import disjoint_rings, rail_rings
from .servers import server, servers
from .trees import Part, tree

__all__ = ["Cables", "Design", "Graph", "Part", "designs", "disjoint_rings", "fabric", "fabric_counts", "parts_list",
           "path_class", "path_classes", "rail_rings", "server", "servers", "tree"]
