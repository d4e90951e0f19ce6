"""The pipelined chain: the best number of chunks, and the options a chain takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fabriclib import collective_time, schedule
from fabriclib.collectives.registry import algorithm

CHAIN = algorithm("broadcast", "chain")
N, ALPHA, BETA = 64e6, 1e-6, 1 / 50e9


def test_best_chunks_of_the_worked_example():
    assert CHAIN.best_chunks(8, N, ALPHA, BETA) == pytest.approx(87.6, abs=0.05)
    at = {k: CHAIN.counts(8, chunks=k).time(N, ALPHA, BETA) for k in range(1, 300)}
    assert min(at, key=at.get) == 88
    assert at[88] * 1e6 == pytest.approx(1461.27, abs=0.005)
    ideal = (math.sqrt(6 * ALPHA) + math.sqrt(N * BETA)) ** 2
    assert at[88] == pytest.approx(ideal, rel=1e-5)


@pytest.mark.parametrize("p", [3, 8, 64, 1000])
@pytest.mark.parametrize("collective", ["broadcast", "reduce"])
def test_auto_takes_the_best_whole_number(collective, p):
    auto = collective_time(collective, "chain", nbytes=N, ranks=p, alpha=ALPHA, beta=BETA)
    every = collective_time(collective, "chain", nbytes=N, ranks=p, alpha=ALPHA, beta=BETA, chunks=np.arange(1, 5000))
    assert auto == pytest.approx(every.min(), rel=1e-12)


def test_two_ranks_need_one_chunk():
    assert CHAIN.best_chunks(2, N, ALPHA, BETA) == 0
    assert collective_time("broadcast", "chain", nbytes=N, ranks=2, alpha=ALPHA, beta=BETA) == ALPHA + N * BETA


@pytest.mark.parametrize(("options", "message"), [
    ({"root": 8}, "root must be a whole number from 0 to 7; got 8"),
    ({"root": -1}, "root must be a whole number from 0 to 7; got -1"),
    ({"chunks": 0}, "chunks must be a whole number from 1"),
    ({"dims": (2, 4)}, "dims is not an option of broadcast by chain"),
])
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        schedule("broadcast", "chain", 8, **options)
