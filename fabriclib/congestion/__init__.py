"""Congestion: what happens where flows meet. Hash collisions, incast, pauses, rate control, and what a lost packet costs.

Small models, each a formula or a short simulation over NumPy arrays; none needs a graph. `flows` says what flows get of
a graph when every route is used evenly; these say what it costs when routes are not, and what happens in a queue.
"""

from . import dcqcn, ecmp, incast, loss, pause

__all__ = ["dcqcn", "ecmp", "incast", "loss", "pause"]
