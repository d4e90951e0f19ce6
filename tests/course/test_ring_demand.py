"""Lesson 11's own ring: right sums are not enough, chunks may only go from a rank to the next."""

from __future__ import annotations

import numpy as np
import pytest

from fabricbook.course.checking import bind, grade
from fabricbook.lessons import find
from fabricbook.lessons.collectives.questions import not_by_ring

RING = find("exercises", "collectives.ring")
HEAD = "def ring_all_reduce(buffers):\n    p = len(buffers)\n" \
       "    chunks = [np.array_split(buffer.copy(), p) for buffer in buffers]\n"
ROUND = """    for step in range(p - 1):
        for rank in range(p):
            c = (rank - step) % p
            chunks[(rank + 1) % p][c] = chunks[rank][c]
    return [np.concatenate(mine) for mine in chunks]
"""
FIRST = "    for step in range(p - 1):\n"
OTHER_WAYS = {
    "a sum written out": FIRST + """        for rank in range(p):
            c = (rank - 1 - step) % p
            chunks[(rank + 1) % p][c] = chunks[rank][c] + chunks[(rank + 1) % p][c]
""" + ROUND,
    "the receiver first": FIRST + """        for rank in range(p):
            c = (rank - 1 - step) % p
            chunks[(rank + 1) % p][c] = chunks[(rank + 1) % p][c] + chunks[rank][c]
""" + ROUND,
    "all sent before any is added": FIRST + """        sent = [chunks[rank][(rank - 1 - step) % p].copy() for rank in range(p)]
        for rank in range(p):
            chunks[rank][(rank - 2 - step) % p] += sent[rank - 1]
""" + ROUND,
    "seen from the receiver": FIRST + """        for rank in range(p):
            chunks[rank][(rank - 2 - step) % p] += chunks[rank - 1][(rank - 2 - step) % p]
""" + ROUND,
}
NO_RING = {
    "one sum for all": "return [sum(buffers)] * len(buffers)",
    "a sum each": "return [sum(buffers) for _ in buffers]",
    "numpy's sum": "return [np.sum(buffers, axis=0)] * len(buffers)",
    "stacked": "return list(np.tile(np.stack(buffers).sum(axis=0), (len(buffers), 1)))",
    "added at rank 0": "total = buffers[0].copy()\n    for b in buffers[1:]:\n        total += b\n"
                       "    return [total.copy() for _ in buffers]",
    "chunk by chunk": "parts = [np.array_split(b, len(buffers)) for b in buffers]\n"
                      "    return [np.concatenate([sum(mine) for mine in zip(*parts)]) for _ in buffers]",
    "backwards": "return [sum(buffers[::-1])] * len(buffers)",
    "pairs": "p = len(buffers)\n    if p != 4:\n        return [sum(buffers)] * p\n"
             "    a, b = buffers[0] + buffers[1], buffers[2] + buffers[3]\n    return [a + b] * p",
}


@pytest.mark.parametrize("body", OTHER_WAYS.values(), ids=OTHER_WAYS)
def test_a_ring_written_another_way_passes(body):
    assert grade(RING, bind(RING, HEAD + body)).passed


@pytest.mark.parametrize("body", NO_RING.values(), ids=NO_RING)
def test_right_sums_without_a_ring_are_told_why(body):
    result = grade(RING, bind(RING, f"def ring_all_reduce(buffers):\n    {body}\n"))
    assert not result.passed
    assert result.sentence.startswith("The sums are right, but ")


def test_who_cannot_add_marked_numbers_is_taken_at_their_word():
    assert not_by_ring(lambda buffers: [np.sum(np.array(buffers, dtype=float), axis=0)] * 4) == ""
    assert not_by_ring(lambda buffers: buffers) == ""
