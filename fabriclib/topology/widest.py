"""Widest paths: the ways between two nodes whose thinnest link is thickest."""

from __future__ import annotations

import numpy as np

from .graph import Graph


def widths(graph: Graph) -> np.ndarray:
    """Return the bytes per second of the widest path between all nodes, as a square array; 0 where there is no path.

    Floyd and Warshall, with least and most for sum and least.
    """
    width = np.zeros((len(graph.nodes), len(graph.nodes)))
    np.maximum.at(width, (graph.src, graph.dst), graph.capacity)
    for middle in range(len(graph.nodes)):
        np.maximum(width, np.minimum(width[:, middle, None], width[middle]), out=width)
    return width
