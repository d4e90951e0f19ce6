"""The learner's own ring in the stepper: what it shows is what the library's ring does, step by step, however it was written."""

import sys

import numpy as np
import pytest

import fabricbook as book
from fabricbook.course.checking import bind, grade
from fabricbook.lessons import find
from fabricbook.lessons.collectives import labs, own

RING = find("exercises", "collectives.ring")
IN_PLACE = """def ring_all_reduce(buffers):
    p = len(buffers)
    mine = [buffer.copy() for buffer in buffers]
    cuts = [round(i * len(buffers[0]) / p) for i in range(p + 1)]
    def part(rank, c):
        return mine[rank][cuts[c % p]:cuts[c % p + 1]]
    for step in range(p - 1):
        sent = [part(rank, rank - 1 - step).copy() for rank in range(p)]
        for rank in range(p):
            part((rank + 1) % p, rank - 1 - step)[:] += sent[rank]
    for step in range(p - 1):
        for rank in range(p):
            part((rank + 1) % p, rank - step)[:] = part(rank, rank - step)
    return mine
"""
HIDDEN = "ring_all_reduce = fl.schedule('all_reduce', 'ring', ranks=8).run"


@pytest.mark.parametrize("source", [RING.solution, IN_PLACE])
def test_a_right_ring_is_played_as_the_library_s(source):
    mine = book.play("collectives.ring", bind(RING, source))
    library = book.lab("stepper")
    assert mine.controls["step"].values == tuple(range(15))
    for step in range(15):
        shown, expected = (one.evaluate(step=step)[0] for one in (mine, library))
        assert (shown["contributions"] == expected["contributions"]).all(), step
        assert (shown["arrived from"] == expected["arrived from"]).all(), step
    assert mine.evaluate(step=14)[1].endswith("64 of 64 chunks are complete.")
    assert mine.widget.state["error"] == ""


def test_what_cannot_be_watched_is_said():
    assert "cannot be watched" in own.play(bind(RING, HIDDEN))


def test_a_ring_that_is_not_right_waits():
    told = "ring_all_reduce is played here once it is right: then run this cell again."
    assert repr(book.play("collectives.ring", lambda buffers: None)) == told


def test_watching_leaves_a_debugger_where_it_was():
    before = sys.gettrace()
    own.watched(bind(RING, RING.solution), 4)
    own.watched(lambda buffers: 1 / 0, 4)
    assert sys.gettrace() is before


def test_the_full_state_is_the_sum_of_all():
    held = own.watched(bind(RING, RING.solution), 4)
    assert [np.sum([[len(ranks) for ranks in row] for row in one]) for one in held] == [16, 20, 28, 40, 52, 60, 64]
    assert len(held) == 1 + labs._schedule("all_reduce, ring", 4).moves.steps


def test_a_chunk_that_arrives_alone_is_said_so():
    held = np.ones((own.RANKS, own.RANKS), dtype=int)
    assert ": 1 chunk arrives; chunk 2 of rank 1 now holds" in own._told(1, 14, held, [(1, 2)])


SHORT = RING.solution.replace("range(p - 1)", "range(p - 2)")


@pytest.mark.parametrize(("source", "told"), [
    (SHORT, "Of 4 ranks, rank 0 lacks in chunk 0 the numbers of ranks 1, 2 and 3; 16 of all 16 chunks lack something."),
    (RING.solution.replace("(rank - step) % p", "(rank + step) % p"),
     "Of 4 ranks, rank 0 lacks in chunk 0 the numbers of rank 0; 12 of all 16 chunks lack something."),
    ("[sum(buffers) * 2 for _ in buffers]", "is expected."),
    ("[sum(buffers)] * 3", "is expected."),
    ("sum(buffers) * 2", "is expected."),
    ("3", "is expected."),
])
def test_a_ring_that_is_wrong_in_a_way_of_its_own_is_told_which_rank_lacks_what(source, told):
    assert grade(RING, bind(RING, source)).sentence.endswith(told)


def test_who_leaves_while_it_is_watched_is_not_followed():
    first = "    p = len(buffers)\n"
    source = SHORT.replace(first, f"{first}    if buffers[0].dtype == object: raise SystemExit\n")
    assert grade(RING, bind(RING, source)).sentence.endswith("is expected.")
