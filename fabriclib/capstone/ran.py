"""What every kind of job gives: how it runs over a grid of plans, and what of the time parts leave that fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Ran(NamedTuple):
    """A job over a grid (gpus, tp, pp).

    Fields:
        seconds: of a training step, or of a token; as if it fitted, where it does not. Infinite where the split is not possible.
        room: the memory of a GPU over what it has to hold; zero where the split is not possible.
    """

    seconds: np.ndarray
    room: np.ndarray


class Job(NamedTuple):
    """A kind of job.

    Fields:
        run: from a brief, a machine, (gpus, tp, pp), the servers of a pod and the oversubscription to what it makes of them.
        share: from how a job fares that never waits for a server, a machine and spares to the share left while parts fail.
        needed: from a brief, seconds and shares to (seconds that are needed, seconds that there are).
        refused: from a brief and a plan to why it cannot be split so; empty if it can.
    """

    run: Callable[..., Ran]
    share: Callable[..., float]
    needed: Callable[..., tuple[np.ndarray, float]]
    refused: Callable[..., str]
