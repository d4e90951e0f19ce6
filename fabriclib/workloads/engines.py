"""Engines: the software that serves a model, as far as it costs time: what launches its kernels, and how it sums over GPUs."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .. import catalog
from ..checks import either, known, typed
from ..prediction.constants import Constants, look_up

LAUNCHES = ("graph", "native", "python")
REDUCES = ("library", "one-shot")
DEFAULT = "graph"  # what engine="auto" stands for


@typed
@dataclass(frozen=True)
class Engine:
    """ONE inference engine.

    Args:
        name: what to call it.
        launches: "graph" (a whole pass is replayed as one graph), "native" (compiled code launches each kernel) or "python".
        reduces: "library" (NCCL or RCCL sums over GPUs) or "one-shot" (a kernel of its own, inside a node).
        shares_keys: whether its kernel reads the keys and values of a group of heads once, and not again for each head.
        rereads: whether it reads the weights again for each request.
        pieces: tokens at most of a micro-batch of a pipeline; 0: it takes as many as are fastest.
        id: whose fitted constants it has; those of its kind where it has none.

    >>> engine("faster-transformer")
    <FasterTransformer 5.3: compiled code launches each kernel, the library's all-reduce>
    """

    _example = "engine('faster-transformer')"

    name: str
    launches: str = DEFAULT
    reduces: str = "one-shot"
    shares_keys: bool = True
    rereads: bool = False
    pieces: int = 0
    id: str = ""

    def __post_init__(self):
        known("launches", self.launches, LAUNCHES)
        known("reduces", self.reduces, REDUCES)

    def __repr__(self) -> str:
        how = {"graph": "a graph is replayed", "native": "compiled code launches each kernel",
               "python": "Python launches each kernel"}[self.launches]
        whose = "its own" if self.reduces == "one-shot" else "the library's"
        return f"<{self.name}: {how}, {whose} all-reduce>"


@typed
@functools.cache
def engine(name: str) -> Engine:
    """Return an engine from the catalogue; "auto" is a typical one of today: graphs, and an all-reduce of its own.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> engine("auto").name
    'a typical engine of today'
    """
    if name == "auto":
        return Engine("a typical engine of today")
    cells = catalog.row("engines", name)
    return Engine(cells["name"], cells["launches"], cells["reduces"], cells["shares_keys"], cells["rereads"],
                  cells["pieces"] or 0, cells["id"])


def engine_of(engine_) -> Engine:
    """Return the engine that *engine_* is or is the id of.

    Raises:
        ValueError: it is neither.
    """
    return either("engine", engine_, Engine, engine, "tensorrt-llm-2023")


def constant(one: Engine, constants: Constants, quantity: str) -> float:
    """Return a constant of an engine, else that of how it launches and reduces, else that of any."""
    return look_up(constants, quantity, one.id, one.launches, one.reduces)


def engines():
    """Return the catalogue as a DataFrame: one row an engine, with its fitted times in microseconds.

    >>> engines().set_index("id").loc["faster-transformer", "launches"]
    'native'
    """
    import pandas as pd

    from ..prediction.constants import fitted

    found = [engine(cells["id"]) for cells in catalog.rows("engines")]
    times = {"a layer, us": "host layer", "a pass, us": "host pass", "start of an all-reduce, us": "reduce start"}
    return pd.DataFrame({
        "id": [one.id for one in found], "name": [one.name for one in found], "launches": [one.launches for one in found],
        "reduces": [one.reduces for one in found],
    } | {head: [1e6 * constant(one, fitted(), quantity) for one in found] for head, quantity in times.items()})
