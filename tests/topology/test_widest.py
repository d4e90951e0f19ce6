"""Widest paths, against every simple path of small random graphs."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.flows import route
from fabriclib.topology import Cables, Graph


def simple_paths(graph: Graph, path: tuple[int, ...], end: int):
    if path[-1] == end:
        yield path
        return
    for onward in {int(n) for n in graph.dst[graph.src == path[-1]]} - set(path):
        yield from simple_paths(graph, (*path, onward), end)


@pytest.mark.parametrize("seed", range(20))
def test_no_path_is_wider_and_none_as_wide_is_shorter(seed):
    draw = np.random.default_rng(seed)
    a, b = np.triu_indices(6, k=1)
    on = draw.random(len(a)) < 0.6
    on[np.isin(a * 6 + b, [1, 8, 15, 22, 29])] = True  # a line through all, so that there is a path
    graph = Graph.wired("random", {f"gpu{i}": "gpu" for i in range(6)},
                        [Cables(a[on], b[on], fl.link("xgmi-mi250x"), draw.integers(1, 5, on.sum()))], routes="widest")
    width = {(s, d): c for s, d, c in zip(graph.src.tolist(), graph.dst.tolist(), graph.capacity.tolist(), strict=True)}
    for start, end in ((0, 5), (4, 1)):
        ways = [(min(width[leg] for leg in zip(path, path[1:], strict=False)), -len(path))
                for path in simple_paths(graph, (start,), end)]
        taken = route(graph, [start], [end]).edge
        assert (graph.src[taken[0]], graph.dst[taken[-1]]) == (start, end)
        assert (graph.dst[taken[:-1]] == graph.src[taken[1:]]).all()
        assert (graph.capacity[taken].min(), -len(taken) - 1) == max(ways)


def test_no_way_at_all_is_said():
    apart = Graph.wired("apart", {f"gpu{i}": "gpu" for i in range(3)}, [Cables([0], [1], fl.link("xgmi-mi250x"))],
                        routes="widest")
    with pytest.raises(ValueError, match="no path from gpu0 to gpu2"):
        route(apart, [0], [2])
