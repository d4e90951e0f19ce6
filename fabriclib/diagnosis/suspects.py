"""Whether a measured curve is worse than a healthy machine's ever is, and which broken machine it resembles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..accuracy import LARGE, SMALL
from ..collectives.busbw import busbw
from ..measurements.hints import HINTS
from ..prediction.constants import fitted
from ..shown import digits
from .broken import Case, Variant, nvls_expected, variants

# Beyond what any table of a properly configured machine shows: 1.5 times the predicted time at its best point (two nodes whose
# adapters the CPU feeds), a rate that falls by 4 % from its peak and, where NVLS is used, 0.88 of the time of a ring.
TOO_SLOW, FALLEN, LIKE_A_RING = 1.7, 0.8, 0.93
# Less than any table takes, of a machine properly configured (0.76 times the predicted time) or not (0.68).
TOO_FAST = 0.65
RATED = 0.3  # of a time: what the bytes take, from which on it says something about the wires
SWITCHED = 0.5  # of the rate at the size before
MANY = 4  # nodes, from which on a falling rate counts
NEAR = 0.75  # in logarithms: a curve further away, by a factor of two, is no resemblance
_LESS_LIKELY = {"rank-order": 0.05, "pcie-not-nvlink": 0.05, "congestion": 0.3}
CROWDING = ("crowding", "pairs crowding")  # what others on the network cost
_FITS_A_FALL, _FITS_IT_AND_IS_SLOW, _SAID = 0.6, 0.3, 10.0


@dataclass(frozen=True)
class Candidate:
    """A cause that may explain a curve: its id and name, the evidence in the curve, and where to look.

    `distance` is how far the curve is from that of the machine with the cause, in logarithms, less what else speaks for it.

    >>> import fabriclib as fl
    >>> fl.compare(fl.measurements.as_read("gh200x8-alps-nohook-ar"), "alps-gh200").causes[0].name
    'TCP instead of RDMA'
    """

    cause: str
    name: str
    evidence: str
    check: str
    distance: float


class Seen(NamedTuple):
    """A run and its measured seconds beside those of a healthy machine.

    `windowed`: many messages were on their way at once, so that times are those of the bytes alone. `device`: False for
    buffers in host memory. `hints`: what the library's own output gave away.
    """

    run: Case
    measured: np.ndarray
    healthy: np.ndarray
    windowed: bool
    device: bool
    hints: tuple[str, ...]

    @property
    def best(self) -> int:
        """Where the run moves most bytes a second: what is wrong with the rate shows even there."""
        return int(np.argmax(self.run.nbytes / self.measured))

    @property
    def rated(self) -> bool:
        """Whether sizes were measured that show a rate: where of a healthy machine's time the bytes take a good part."""
        return self.windowed or bool(self.run.seconds(wire=True)[self.best] >= RATED * self.healthy[self.best])

    @property
    def slow(self) -> float:
        """How many times as long as predicted the run takes at its best point."""
        return float(self.measured[self.best] / self.healthy[self.best])

    @property
    def fast(self) -> float:
        """The same beside a network that nobody else uses, than which none is faster."""
        healthy = self.run.seconds({key: 0.0 if key[1] in CROWDING else value for key, value in fitted().items()})[self.best]
        return float(self.measured[self.best] / min(healthy, self.healthy[self.best]))

    @property
    def fallen(self) -> float:
        """What of the best rate is left at the slowest of the larger sizes; 1 with few nodes."""
        rate = (self.run.nbytes / self.measured)[self.best:]
        return float(rate.min() / rate[0]) if self.run.nodes >= MANY else 1.0


def alarm(seen: Seen) -> str:
    """Return in what the run is worse than a healthy one ever is; an empty text where it is not."""
    run = seen.run
    if not seen.rated:
        return ""  # what smaller messages take hangs on much besides wires
    if seen.slow >= TOO_SLOW:
        return f"At its best point the run takes {digits(seen.slow)} times as long as predicted"
    if seen.fallen <= FALLEN:
        return f"The rate falls by {units.portion(1 - seen.fallen)} from its peak at {units.format(run.nbytes[seen.best])}"
    large = run.nbytes >= LARGE
    if nvls_expected(run) and large.any():
        ring = variants("nvls-off", run)[0].seconds
        if np.median((seen.measured / ring)[large][-3:]) > LIKE_A_RING:
            return "The largest messages take as long as in a ring, and this switch can add"
    return ""


def drop(seen: Seen) -> str:
    """Return where the rate falls at once by more than a half, in a sentence; an empty text where it does not.

    A network that is too slow is so at every size: what falls between two sizes was switched there.
    """
    rate = seen.run.nbytes / seen.measured
    if rate.size < 2 or (left := rate[1:] / rate[:-1]).min() > SWITCHED:
        return ""
    at = int(left.argmin())
    sizes = [units.format(n) for n in seen.run.nbytes[at:at + 2]]
    return (f" Its rate falls to {units.portion(left.min())} from {sizes[0]} to {sizes[1]}: something is switched there. Compare "
            "what NCCL_DEBUG=INFO says on both sides, and set NCCL_ALGO and NCCL_PROTO to what serves the smaller.")


def candidates(seen: Seen) -> tuple[Candidate, ...]:
    """Return the causes that the curve resembles, the nearest first; what the log itself says stands before all others."""
    said = {HINTS[hint][0]: hint for hint in seen.hints if hint in HINTS}
    found = [_candidate(cells, seen, said) for cells in catalog.rows("causes") if _possible(cells["id"], seen)]
    return tuple(sorted((one for one in found if one), key=lambda one: one.distance))


def _possible(cause: str, seen: Seen) -> bool:
    """Whether a curve of this kind can have *cause*: a switch that does not add costs little, all else costs much."""
    if cause in ("pcie-not-nvlink", "no-gpudirect") and not seen.device:
        return False  # between buffers in host memory no GPU's path is asked for
    slow = seen.slow >= TOO_SLOW
    return not slow if cause == "nvls-off" else slow or seen.fallen <= FALLEN


def _candidate(cells: catalog.Row, seen: Seen, said: dict[str, str]) -> Candidate | None:
    cause = cells["id"]
    curves = variants(cause, seen.run, wire=seen.windowed)
    if not curves:
        return None
    nearest = min(curves, key=lambda one: _distance(seen, one.seconds))
    distance = _distance(seen, nearest.seconds) + _LESS_LIKELY.get(cause, 0.0)
    if cause == "congestion" and seen.fallen <= FALLEN:
        distance -= _FITS_A_FALL if seen.slow < TOO_SLOW else _FITS_IT_AND_IS_SLOW
    if cause not in said:
        return Candidate(cause, cells["name"], _evidence(seen, nearest), cells["check"], distance) if distance < NEAR else None
    evidence = f"The log itself says so: {said[cause]}. {_evidence(seen, nearest)}"
    return Candidate(cause, cells["name"], evidence, cells["check"], distance - _SAID)


def _distance(seen: Seen, curve: np.ndarray) -> float:
    """How far a curve is from the measured one, in logarithms: root mean square of the regimes' medians and the best point."""
    off = np.log(seen.measured / curve)
    if seen.windowed:
        return abs(float(off[seen.best]))
    small, large = seen.run.nbytes <= SMALL, seen.run.nbytes >= LARGE
    medians = [np.median(off[rows]) for rows in (small, ~small & ~large, large) if rows.any()]
    return float(np.sqrt(np.mean(np.square([*medians, off[seen.best]]))))


def _evidence(seen: Seen, one: Variant) -> str:
    """Two points of the curve, the best and the smallest, as the log, the cause and the healthy machine have them."""
    run, curves, at = seen.run, (seen.measured, one.seconds, seen.healthy), seen.best
    own, broken, healthy = (units.format(busbw(run.collective, run.nbytes[at], curve[at], run.nodes * run.gpus), "B/s")
                            for curve in curves)
    text = (f"At {units.format(run.nbytes[at])} the run reaches a busbw of {own}; a machine {one.label} would reach {broken}, a "
            f"healthy one {healthy}")
    if run.nbytes[0] <= SMALL and not seen.windowed:
        own, broken, healthy = (units.format(curve[0], "s") for curve in curves)
        text += f"; {units.format(run.nbytes[0])} take {own}, against {broken} and {healthy}"
    return f"{text}."
