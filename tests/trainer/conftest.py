"""A class of learners, as their progress files say."""

import json
import os
from pathlib import Path

import pytest
from learners_records import NOW


@pytest.fixture
def room(tmp_path):
    """Return a function that hands in a learner's record below a folder, and the folder."""
    folder = tmp_path / "room"
    folder.mkdir()

    def hand_in(place: str | Path, minutes_ago: float = 0, **sections) -> None:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sections), encoding="utf-8")
        os.utime(path, (NOW - 60 * minutes_ago,) * 2)

    hand_in.folder = folder
    return hand_in
