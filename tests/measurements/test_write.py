"""Published tables, written as a log and read again; the examples are what their names say."""

import pytest

from fabricbook.lessons.bring_your_own.examples import EXAMPLES, as_log, example
from fabriclib import catalog
from fabriclib.diagnosis import compare
from fabriclib.measurements import as_read, read_measurements
from fabriclib.measurements.agree import SHARED_OUT


@pytest.mark.parametrize("table", [t["id"] for t in catalog.rows("measurement_tables") if t["ranks"] <= 64])
def test_a_published_table_comes_back_out_of_its_log(table):
    frame = as_read(table)
    if frame.collective[0] in SHARED_OUT:  # a size that the ranks cannot share evenly is none of nccl-tests
        frame = frame[frame.nbytes % (4 * frame.ranks) == 0].reset_index(drop=True)
    again = read_measurements(as_log(frame, prefix="[1,0]<stdout>:"))
    assert again.nbytes.tolist() == frame.nbytes.tolist()
    assert set(again.collective) == set(frame.collective)
    assert (again.ranks.tolist(), again.nodes.tolist()) == (frame.ranks.tolist(), frame.nodes.tolist())
    assert again.seconds.tolist() == pytest.approx(frame.seconds.tolist(), rel=2e-2)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_read_and_compared(name):
    frame = read_measurements(example(name))
    found = compare(frame, EXAMPLES[name].system)
    label = catalog.row("measurement_tables", EXAMPLES[name].table)["cause"]
    assert found.alarm == bool(label)
    assert not label or label in [one.cause for one in found.causes[:2]]
    assert bool(found.problems) == ("cut off" in name or "elsewhere" in name)


def test_an_unknown_example_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean '512 x 4 GPUs'"):
        example("512 x 8 GPUs")
