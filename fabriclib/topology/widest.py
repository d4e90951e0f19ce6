"""Widest paths: the one way between two nodes whose thinnest link is thickest, and of such ways the one with fewest links."""

from __future__ import annotations

import numpy as np

from .graph import Graph


def widest_path(graph: Graph, a: int, b: int) -> np.ndarray:
    """Return the edge numbers of the widest path from node *a* to node *b*; among equals the first of the shortest.

    Raises:
        ValueError: twice the same node, or no path.
    """
    least = widths(graph)[a, b]
    wide = np.flatnonzero(graph.capacity >= max(least, np.finfo(float).tiny))
    names = graph.over(wide).paths(graph.nodes[a], graph.nodes[b])[0]
    nodes = [graph.node(name) for name in names]
    legs = zip(nodes, nodes[1:], strict=False)
    return np.array([wide[(graph.src[wide] == one) & (graph.dst[wide] == other)][0] for one, other in legs])


def widths(graph: Graph) -> np.ndarray:
    """Return the bytes per second of the widest path between all nodes, as a square array; 0 where there is no path.

    Floyd and Warshall, with least and most for sum and least.
    """
    width = np.zeros((len(graph.nodes), len(graph.nodes)))
    np.maximum.at(width, (graph.src, graph.dst), graph.capacity)
    for middle in range(len(graph.nodes)):
        np.maximum(width, np.minimum(width[:, middle, None], width[middle]), out=width)
    return width
