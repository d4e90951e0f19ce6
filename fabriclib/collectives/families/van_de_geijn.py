"""Scatter-allgather broadcast, after van de Geijn: cut the vector up, give each rank a piece, let them complete each other."""

from __future__ import annotations

import numpy as np

from ..counts import Counts, ceil_lg
from ..entry import Algorithm
from .binomial import scatter_moves
from .recursive import doubling_moves, pairs_only
from .ring import all_gather_moves

ENTRIES = [
    Algorithm("broadcast", "scatter_allgather", lambda p, root=0: Counts(ceil_lg(p) + p - 1, 2 * (p - 1) / p, 0.0),
              lambda p, root=0: scatter_moves(p, root).then(all_gather_moves(p)), "mpich-coll", options=("root",),
              note="Binomial scatter, then a ring. Open MPI's comment on it has two factors of 2 wrong."),
    Algorithm("broadcast", "scatter_allgather_doubling", lambda p, root=0: Counts(2 * ceil_lg(p), 2 * (p - 1) / p, 0.0),
              lambda p, root=0: scatter_moves(p, root).then(doubling_moves(np.arange(p))), "mpich-coll",
              options=("root",), refuses=pairs_only, note="Binomial scatter, then recursive doubling."),
]
