"""Random runs, written as any tool prints them, behind any prefix, in any unit and order of columns, are read back."""

from random import Random

import pytest
from any_log import WRITERS, Run
from hypothesis import given, settings
from hypothesis import strategies as st
from written_tools import PREFIXES, prefixed

from fabriclib.measurements import read_measurements

NO_PREFIX = ("objects",)


@st.composite
def runs(draw, collectives):
    ranks = draw(st.integers(2, 32))
    collective = draw(st.sampled_from(collectives))
    ranks = 2 if collective == "send_recv" else ranks
    powers = sorted(draw(st.sets(st.integers(5, 26), min_size=1, max_size=6)))
    sizes = [4 * ranks * 2**power for power in powers]
    # A test that takes no time at all, or all day, is none; its rates must have digits.
    us = [round(draw(st.floats(2, 50)) + n / draw(st.floats(500, 400_000)), 2) for n in sizes]
    return Run(collective, ranks, sizes, us)


@pytest.mark.parametrize("tool", WRITERS)
def test_a_random_run_is_read_back(tool):
    collectives, write = WRITERS[tool]

    @settings(max_examples=12)
    @given(runs(collectives), st.sampled_from(["", *PREFIXES.values()]), st.integers(0, 2**20))
    def read_back(run, prefix, seed):
        text = write(run, Random(seed)) + "\n"
        frame = read_measurements(prefixed(text, "" if tool in NO_PREFIX else prefix))
        assert frame.attrs["problems"] == []
        assert frame["collective"].tolist() == [run.collective] * len(run.sizes)
        assert frame["ranks"].tolist() == [run.ranks] * len(run.sizes)
        assert frame["nbytes"].tolist() == pytest.approx(run.sizes, rel=1e-9)
        assert (frame["seconds"] * 1e6).tolist() == pytest.approx(run.us, rel=2e-3)

    read_back()
