"""What lesson "Moving bytes" shows."""

import fabricbook as book
from fabricbook.lessons.moving_bytes.tables import copies_measured


def test_measured_copies_stay_below_the_line_rate():
    assert all(80 < int(share.removesuffix(" %")) < 100 for share in copies_measured().share)


def test_a_start_that_is_hardly_anything_is_not_told_as_nothing_nor_one_that_is_nearly_all_as_all():
    lab = book.lab("alpha-beta")
    assert "less than 1 % of it the start: 450 GB/s, or more than 99 % of the bandwidth" in lab.evaluate(nbytes=2.0**34)[1]
    assert "more than 99 % of it the start" in lab.evaluate(nbytes=8.0)[1]
