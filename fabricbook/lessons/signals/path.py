"""A channel laid out along its way: where each part lies, where a retimer can sit, what is lost up to each place."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from fabriclib import signals, units

ROOM = ("board", "cable")  # parts that take room along the way; all others are points on it
Point = tuple[float, float]  # inches from the sender's package, dB since the last fresh signal


class Laid(NamedTuple):
    """A segment and where it begins and ends, in inches from the sender's package."""

    segment: signals.Segment
    start: float
    end: float


def laid(segments: tuple[signals.Segment, ...]) -> list[Laid]:
    """Return the segments in order, with where each lies."""
    found, at = [], 0.0
    for one in segments:
        end = at + (one.amount / units.inch if one.part.kind in ROOM else 0.0)
        found.append(Laid(one, at, end))
        at = end
    return found


def spots(segments: tuple[signals.Segment, ...]) -> list[int]:
    """Return the whole inches at which there is a board for a retimer to sit on."""
    boards = [one for one in laid(segments) if one.segment.part.kind == "board"]
    return [inch for inch in range(int(boards[-1].end) + 1) if any(one.start <= inch <= one.end for one in boards)]


def walk(segments: tuple[signals.Segment, ...], frequency: float, spot: float) -> tuple[list[Point], list[Point]]:
    """Return the two stretches of a channel with a retimer at *spot*, one of `spots`: what is lost up to each place.

    The retimer's own package belongs to both, as in `signals.place`.
    """
    package = signals.part("device-package").loss(frequency)
    before: list[Point] = [(0.0, 0.0)]
    after: list[Point] = []
    for (_, start, end), db in zip(laid(segments), signals.losses(segments, frequency).tolist(), strict=True):
        if not after and start < end and start <= spot <= end:
            first = db * (spot - start) / (end - start)
            before += [(spot, before[-1][1] + first), (spot, before[-1][1] + first + package)]
            after = [(spot, 0.0), (spot, package), (end, package + db - first)]
        else:
            way = after or before
            way.append((end, way[-1][1] + db))
    return before, after


def beyond(way: list[Point], usable: float) -> list[Point]:
    """Return the part of a stretch that has lost more than *usable* dB, from where it passes that."""
    found: list[Point] = []
    for (x, db), (x2, db2) in pairwise(way):
        if db2 > usable:
            found = found or [(x + (x2 - x) * max(usable - db, 0) / (db2 - db), max(db, usable))]
            found.append((x2, db2))
    return found
