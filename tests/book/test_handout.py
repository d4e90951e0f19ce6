"""The sheet of paper of a lesson: its questions with room to write, one picture, what to remember; and one sheet it is."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import build_handout
import pytest
from book import handout

import notebooks
from fabricbook.lessons import lesson, lessons

LONGEST = ["start_here", "networks", "against_world"]


@pytest.mark.parametrize("name", [one.name for one in lessons()])
def test_a_sheet_asks_what_its_lesson_asks_and_says_what_to_remember(name):
    one = lesson(name)
    lab, text = handout.asking(one), handout.sheet(one)
    assert text.count('<span class="box">my guess</span>') == len(one.predictions)
    assert text.count('<span class="line">') == len(lab.stops) >= 3
    above, below = text.split("fold here")
    assert below.count("<svg") == 1
    assert not re.search(r"<svg|What to remember", above)
    source = "\n".join(cell.source for cell in notebooks.source(one).cells)
    points = re.findall(r"^- .{20}", source.split("## What to remember")[1].split("\n## ")[0], re.MULTILINE)
    assert points
    assert all(point in below or "[" in point for point in points)
    assert not re.search(r"\]\(|{{", text)


@pytest.mark.browser
def test_each_is_one_sheet_of_a4(tmp_path):
    made = subprocess.run([sys.executable, build_handout.__file__, "--into", str(tmp_path / "sheets"), *LONGEST],
                          capture_output=True, encoding="utf-8")
    assert made.returncode == 0, made.stderr
    sheets = {path.stem: path.read_bytes() for path in (tmp_path / "sheets").iterdir()}
    assert [name[3:] for name in sorted(sheets)] == LONGEST
    for name, pdf in sheets.items():
        assert len(re.findall(rb"/Type ?/Page\b", pdf)) == 1, name
        wide, high = map(float, re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
        assert (wide, high) == pytest.approx((595, 842), abs=1)


@pytest.mark.browser
def test_a_sheet_that_would_not_be_one_is_named(tmp_path):
    (tmp_path / "00_long.html").write_text("<p>word</p>" * 200, encoding="utf-8")
    with ThreadPoolExecutor() as apart:  # Playwright drives no second Chromium from the thread that drives the tests' own
        printing = apart.submit(handout.printed, tmp_path, tmp_path / "sheets")
        with pytest.raises(SystemExit, match="00_long does not fit on one sheet in letters of 7 points"):
            printing.result()
