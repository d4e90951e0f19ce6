"""What lesson "Moving bytes" shows."""

from fabricbook.lessons.moving_bytes.tables import copies_measured


def test_measured_copies_stay_below_the_line_rate():
    assert all(80 < int(share.removesuffix(" %")) < 100 for share in copies_measured().share)
