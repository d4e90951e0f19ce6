"""A lab's answers, each computed once: tests that look at the same state of a lab share it."""

from __future__ import annotations

from collections.abc import Callable


def remembered(answer: Callable) -> Callable:
    """Return what answers like a lab's *answer*, and computes nothing twice."""
    known: dict = {}

    def once(positions):
        place = tuple(sorted(positions.items()))
        if place not in known:
            known[place] = answer(positions)
        return known[place]

    return once
