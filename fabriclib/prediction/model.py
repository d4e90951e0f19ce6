"""predict: how long a collective takes on a machine, by the algorithm a real library would use, and why.

    time = ( launch^4 + (latency + wire + ramp)^4 )^(1/4)

*launch* is what starting the kernels takes the host: nothing is faster, and the launcher alone decides. *latency* is the GPUs'
own: a base, steps and hops. *wire* is the bytes at the slowest place over its rate. *ramp*: a pipeline of depth d that cuts its
data into k pieces needs (d + k)(alpha + wire / k); the best k adds 2 sqrt(d alpha wire) to latency and wire. Pieces grow with the
message until they fill the library's buffers; from there on the time to fill the pipeline is constant. Short messages take
protocols that hardly need filling. So the ramp grows with a power of the wire time, somewhat above a half, and ends.

Between more than two nodes hops get longer and rates smaller, by a small power of their number: a network is shared.

What the model leaves out: other traffic, errors of placement, the choice between protocols (the ramp is their envelope), NUMA.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, count, known, plain, short
from ..collectives.busbw import algbw, busbw
from ..machines import Launcher, System
from ..shown import sentence
from .cases import case
from .constants import Constants, fitted
from .interval import around
from .price import Price, prices
from .reach import reach

EQUAL = 1.02  # times as long, and nobody can tell the difference


@dataclass(frozen=True, repr=False)
class Prediction:
    """How long a collective takes: numbers for one case, arrays for many.

    Fields:
        seconds: the time.
        algorithm: which one is taken. algbw, busbw: bytes per second as nccl-tests prints them.
        launch, latency, wire, ramp: the seconds that each part takes. The last three overlap with launching, so that the time
            is less than all four together.
        collective, nbytes, ranks, machine: what it is the time of.
        interval: (low, high), seconds between which 95 of 100 measured times lie, at sites that the model has never seen.
    """

    seconds: Numbers
    launch: Numbers
    collective: str
    nbytes: Numbers
    ranks: int | np.ndarray
    machine: System
    _gpus: int
    _prices: tuple[Price, ...]
    _chosen: np.ndarray  # whose time it is
    _called: np.ndarray  # whose name it goes by

    @property
    def algorithm(self):
        return plain(np.array([price.name for price in self._prices])[self._called])

    @property
    def algbw(self):
        return algbw(self.nbytes, self.seconds)

    @property
    def busbw(self):
        return busbw(self.collective, self.nbytes, self.seconds, self.ranks)

    @property
    def latency(self):
        return self._part(0)

    @property
    def wire(self):
        return self._part(1)

    @property
    def ramp(self):
        return self._part(2)

    @property
    def interval(self):
        low, high = around(self.machine, self.nbytes, np.asarray(self.ranks) / self._gpus, self.seconds)
        return plain(low), plain(high)

    def _part(self, which: int):
        shape = np.shape(self.seconds)
        each = [np.broadcast_to(price.parts(self.nbytes)[which], shape) for price in self._prices]
        return plain(np.choose(self._chosen, each))

    def frame(self):
        """Return a DataFrame with a row for each case, in the order in which they lie flattened.

        Of a row, ask for `row["nbytes"]`: `row.nbytes` is pandas' own, the memory that the row takes.

        >>> predict("dgx-h100", "all_reduce", [2**20, 2**30], nodes=4).frame()["algorithm"].tolist()
        ['tree', 'ring']
        """
        import pandas as pd

        columns = ("collective", "nbytes", "ranks", "algorithm", "seconds", "algbw", "busbw")
        return pd.DataFrame({name: np.broadcast_to(getattr(self, name), np.shape(self.seconds)).ravel() for name in columns})

    def why(self, at: int = -1) -> str:
        """Return the reason for the time in one sentence; of many cases, for number *at* as they lie flattened, else the last.

        Raises:
            ValueError: there is no case *at*.
        """
        cases = np.size(self.seconds)
        at = count("at", at, low=-cases, high=cases - 1)

        def one(values):
            return np.broadcast_to(values, np.shape(self.seconds)).flat[at]

        price = self._prices[one(self._chosen)]
        place = str(one(price.place))
        parts = {"starting the kernels": self.launch, "waiting for one message after another": one(self.latency),
                 f"the bytes at {place}": one(self.wire), "filling the pipeline": one(self.ramp)}
        most = max(parts, key=lambda part: parts[part])
        size = f" of {units.format(one(self.nbytes))}" if one(self.nbytes) else ""
        how = f"by {one(self.algorithm)} " if one(self.ranks) > 1 else ""
        return (f"{self.collective}{size} on {one(self.ranks)} GPUs takes {units.format(one(self.seconds), 's')} {how}because "
                f"{most} take{'' if most.startswith('the') else 's'} {units.format(parts[most], 's')}, more than anything else.")

    def __repr__(self) -> str:
        where = f"GPUs of {self.machine.name}"
        if np.ndim(self.seconds):
            return f"<{self.collective} on {where}: {np.size(self.seconds)} predictions>"
        if not self.nbytes:
            return f"<{self.collective} on {self.ranks} {where} by {self.algorithm}: {units.format(float(self.seconds), 's')}>"
        return (f"<{self.collective} of {units.format(float(self.nbytes))} on {self.ranks} {where} by {self.algorithm}: "
                f"{units.format(float(self.seconds), 's')}, busbw {units.format(self.busbw, 'B/s')}>")

    _repr_html_ = sentence


def predict(system, collective, nbytes=None, nodes=1, gpus_per_node=None, algorithm="auto", launcher="mpi") -> Prediction:
    """Return how long a collective takes, by the algorithm a real library would use.

    Args:
        system: an id from `systems()`, such as "dgx-h100", or a System.
        collective: all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, reduce, scatter, gather, send_recv, barrier.
        nbytes: the total buffer in bytes, as nccl-tests counts it; a barrier has none.
        nodes: how many nodes: servers, or racks of an NVL72. Where gpus_per_node is no more than one compute tray of such a
            rack has, nodes are trays, which fill one rack after the other: some of one rack, or whole racks.
        gpus_per_node: GPUs of each node in use; all of them without.
        algorithm: "auto" for what the library would take, or a name as `Prediction.algorithm` gives it.
        launcher: who starts the kernels: an id from launchers.csv, such as "single-process", or a Launcher.

    nbytes and nodes may be arrays; they broadcast. The constants are those of data/fitted.csv.

    Returns:
        Prediction: seconds, algorithm, algbw and busbw; why() gives the reason.

    Raises:
        ValueError: unknown names, values out of range, several nodes without a network, an algorithm that the library lacks.

    >>> predict("dgx-h100", "all_reduce", 2**30).algorithm
    'nvls'
    """
    return predicted(fitted(), *case(system, collective, nbytes, nodes, gpus_per_node, launcher), algorithm)


def predicted(constants: Constants, machine: System, collective: str, nbytes, nodes, gpus, starter: Launcher,
              algorithm: str = "auto") -> Prediction:
    """Return the prediction for a checked case with these *constants*."""
    if machine.port is None and np.any(np.asarray(nodes) > 1):
        raise ValueError(f"nodes must be 1 for {machine.name}, which has no network; got {short(nodes)}.")
    r = reach(machine, gpus, starter, constants)
    ways = prices(r, collective, nodes)
    auto = isinstance(algorithm, str) and algorithm == "auto"
    ways = [way._replace(possible=way.possible & way.taken) for way in ways] if auto else _named(algorithm, ways, collective)
    found = _fastest(ways, nbytes)
    if isinstance(nodes, np.ndarray):  # one node costs the same however often it is asked for
        found = tuple(np.broadcast_to(one, np.broadcast_shapes(np.shape(nbytes), nodes.shape)) for one in found)
    device, chosen, called = found
    launch = r.floor + r.floor_of_pairs if collective == "all_to_all" else r.floor
    seconds = np.sqrt(np.sqrt(launch**4 + np.square(np.square(device))))
    return Prediction(plain(seconds), launch, collective, nbytes, gpus * nodes, machine, gpus, tuple(ways), chosen, called)


def _named(algorithm: str, ways: list[Price], collective: str) -> list[Price]:
    """Return the prices of the routes called *algorithm*, one for a node, one for several, or both."""
    known("algorithm", algorithm, ["auto", *dict.fromkeys(way.name for way in ways)])
    found = [way for way in ways if way.name == algorithm]
    if not np.all(np.any([way.possible for way in found], axis=0)):
        raise ValueError(f"algorithm {algorithm!r} of {collective} does not serve one node and several nodes alike; "
                         "predict the two apart.")
    return found


def _fastest(ways: list[Price], nbytes) -> tuple[np.ndarray, ...]:
    """Return the seconds of the fastest possible route, which route that is, and by whose name it goes."""
    times = [np.where(way.possible, way.time(nbytes), np.inf) for way in ways]
    fastest, chosen = times[0], np.zeros(np.shape(times[0]), dtype=np.int8)
    for index, time in enumerate(times[1:], start=1):
        fastest, chosen = np.minimum(time, fastest), np.where(time < fastest, np.int8(index), chosen)
    called = chosen
    for index in range(len(ways) - 2, -1, -1):  # routes as good as equal go by the name of the plainest, which stands first
        called = np.where(times[index] <= EQUAL * fastest, np.int8(index), called)
    return fastest, chosen, called
