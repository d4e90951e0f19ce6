"""The ring of lesson 00: each piece visits every GPU, grows by one at each, and goes round once more."""

import pytest

import fabricbook as book

RING = book.lab("ring-steps")


@pytest.mark.parametrize("gpus", RING.controls["gpus"].values)
def test_a_piece_goes_round_the_ring_grows_by_one_a_step_and_then_is_handed_on(gpus):
    last = 2 * (gpus - 1)
    assert RING.ends(RING.positions(gpus=gpus))["step"] == last
    before = None
    for step in range(last + 1):
        table, _ = RING.evaluate(step=step, gpus=gpus)
        pieces = table[table["part"] == "under way"].set_index("piece")
        assert sorted(pieces["GPU"]) == list(range(gpus))
        assert set(pieces["holds"]) == {min(step + 1, gpus)}
        assert before is None or ((before["GPU"] + 1) % gpus).equals(pieces["GPU"])
        before = pieces
    assert set(table[table["part"] == "cell"]["holds"]) == {gpus}


def test_the_time_of_the_last_step_is_that_of_the_lab_of_three_wires():
    assert "54.5 ms" in RING.evaluate(step=14)[1]
    assert "54.5 ms over NVLink" in book.lab("first-all-reduce").evaluate()[1]


def test_one_chip_has_one_peak():
    lab = book.lab("one-chip")
    assert "of its peak" in lab.evaluate(chips=1.0)[1]
    assert "of their peak" in lab.evaluate(chips=2.0)[1]


def test_one_chip_is_told_its_time_once():
    lab = book.lab("one-chip")
    assert "would need" not in lab.evaluate(chips=1.0)[1]
    assert "One chip would need" in lab.evaluate(chips=2.0)[1]
