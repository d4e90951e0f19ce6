"""Guesses as dots on a line: a picture in SVG, with the axis of powers of ten where they span more than one or two."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from ..course.declare import Prediction
from ..stage.charts import GREEN, SKY

WIDTH, HEIGHT, EDGE, TOP = 1200, 315, 60, 40
BASE = HEIGHT - 45  # where the axis lies
DOT = 11.0  # half the width of a dot, where the highest pile fits
SPAN = 12.0  # largest over smallest from which on the axis is logarithmic
FAR = 1e4  # times the middle one; a guess beyond that stands at the edge of the picture
_LONG = (60.0, 600.0, 3600.0, 36000.0, 86400.0, 864000.0, *(365.25 * 86400 * 10.0**power for power in range(13)))


def picture(prediction: Prediction, values: Sequence[float], *, opened: bool) -> str:
    """Return the dots of *values*, sorted and in SI base units; with the answer as an upright line if it is *opened*."""
    answer = prediction.answer() if opened else None
    axis = Axis([*values, *([answer] if answer else [])])
    marks = [f'<line x1="{EDGE}" y1="{BASE}" x2="{WIDTH - EDGE}" y2="{BASE}" stroke="currentColor"/>']
    for value in axis.ticks(prediction):
        x = axis.place(value)
        marks.append(f'<line x1="{x:.1f}" y1="{BASE}" x2="{x:.1f}" y2="{BASE + 8}" stroke="currentColor"/>'
                     f'<text x="{x:.1f}" y="{BASE + 32}" text-anchor="middle">{html.escape(prediction.format(value))}</text>')
    if answer:
        x = axis.place(answer)
        marks.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{BASE}" stroke="{GREEN}" stroke-width="5"/>'
                     f'<text class="answer" x="{x:.1f}" y="{TOP - 14}" text-anchor="middle">'
                     f'{html.escape(prediction.format(answer))}</text>')
    places = [axis.place(value) for value in values]
    half = DOT
    while any(y < TOP for _, y in piled(places, half)):
        half *= 0.8
    marks += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{0.9 * half:.1f}" fill="{SKY}" stroke="currentColor"/>'
              for x, y in piled(places, half)]
    label = f"{len(values)} guesses on a line" + (", and the answer" if opened else "")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(marks)}</svg>'


class Axis:
    """Where values stand from left to right: in proportion, or by their logarithm where they span more than `SPAN` times."""

    def __init__(self, values: Sequence[float]):
        known = sorted(values) or [1.0, 2.0]
        middle = known[len(known) // 2]
        near = [value for value in known if middle / FAR <= value <= middle * FAR]
        least, most = near[0], near[-1]
        self.log = most / least > SPAN
        if self.log:
            self.low, self.high = least / 1.5, most * 1.5
        else:
            room = 0.15 * ((most - least) or most)
            self.low, self.high = max(0.0, least - room), most + room

    def place(self, value: float) -> float:
        """Return how far from the left *value* stands; what is far off stands at the edge."""
        low, high, at = (map(math.log, (self.low, self.high, value))) if self.log else (self.low, self.high, value)
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return EDGE + share * (WIDTH - 2 * EDGE)

    def ticks(self, prediction: Prediction) -> list[float]:
        """Return three to nine round values within the axis."""
        candidates = self._decades(prediction) if self.log else self._steps()
        within = [value for value in candidates if self.low <= value <= self.high]
        return within[:: math.ceil(len(within) / 9)]

    def _decades(self, prediction: Prediction) -> list[float]:
        """Powers of ten of the unit in which an answer is shown, with halves and fifths where there are few."""
        bits = 8.0 if prediction.unit == "b/s" else 1.0
        few = self.high / self.low < 300
        decades = [step * 10.0**power / bits for power in range(-15, 25) for step in ((1, 2, 5) if few else (1,))]
        if prediction.kind == "time":  # nobody reads a power of ten of seconds as years
            return [value for value in decades if value < _LONG[0]] + list(_LONG)
        return decades

    def _steps(self) -> list[float]:
        rough = (self.high - self.low) / 6
        step = next(size for size in (one * 10.0 ** math.floor(math.log10(rough)) for one in (1, 2, 5, 10)) if size >= rough)
        first = math.ceil(self.low / step)
        return [step * (first + at) for at in range(12) if first + at > 0]


def piled(places: Sequence[float], half: float) -> list[tuple[float, float]]:
    """Return the middles of dots of *half* that width at *places*, the leftmost first: one that would cover others is piled up.

    >>> piled([100, 105, 300], 10)
    [(100, 260), (105, 240), (300, 260)]
    """
    dots: list[tuple[float, float]] = []
    for x in sorted(places):
        taken = {y for other, y in dots if x - other < 2 * half}
        level = next(at for at in range(len(dots) + 1) if BASE - half * (2 * at + 1) not in taken)
        dots.append((x, BASE - half * (2 * level + 1)))
    return dots
