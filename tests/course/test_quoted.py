"""What the first lessons quote of the model changes with it, and what their prose quotes is what the model says."""

from __future__ import annotations

import re

import pytest
from shipped import NOTEBOOKS, read

from fabricbook.lessons import find, lesson
from fabricbook.lessons.against_world.tables import off_by
from fabriclib import accuracy, units
from fabriclib.links import AlphaBeta, link
from fabriclib.prediction import predict


class Slower:
    """An H100's links with another start and another rate."""

    latency, alpha_beta = 700e-9, AlphaBeta(700e-9, 1 / 500e9)

    def bandwidth(self):
        return 500e9

    def time(self, nbytes):
        return self.alpha_beta.time(nbytes)


@pytest.mark.parametrize(("key", "before", "after"), [
    ("start_here.all-reduce", ["450 GB/s", "8.4 µs"], ["500 GB/s", "9.8 µs"]),
    ("moving_bytes.small", ["146 ns", "600 ns", "80 %"], ["131 ns", "700 ns", "84 %"]),
    ("moving_bytes.half-rate", ["600 ns", "450 GB/s"], ["700 ns", "500 GB/s"]),
])
def test_an_explanation_follows_the_model(key, before, after):
    now = find("predictions", key).explain
    assert [text in now for text in before] == [True] * len(before)
    one = lesson(key.split(".")[0])
    declared = next(p for p in one.questions.PREDICTIONS if p.key == key)
    then = declared.filled({**one.names, "h100": Slower()}).explain
    assert [text in then for text in after] == [True] * len(after)
    assert not any(text in then for text in before)


def test_the_prose_of_moving_bytes_quotes_the_start_and_the_rate_of_the_model():
    cells = read(NOTEBOOKS / lesson("moving_bytes").file)["cells"]
    prose = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    h100 = link("nvlink4").bundle(link("nvlink4").per_device)
    start = units.format(h100.latency, "s")
    assert set(re.findall(r"The (\d+ .s) used here|The (\d+ .s) are a constant", prose)) == {(start, ""), ("", start)}
    assert f"= {units.format(h100.bandwidth(), 'B/s')} in one direction" in prose


@pytest.mark.parametrize("regime", accuracy.REGIMES)
def test_lesson_14_quotes_the_accuracy_that_the_library_computes(regime):
    summary = accuracy.summary(accuracy.held_out())["single-node"][accuracy.REGIMES.index(regime)]
    assert off_by(regime) == pytest.approx(summary, rel=1e-9)
    question = find("predictions", "against_world.error").question
    assert (f"{100 * summary:.0f} %" in question) == (regime != "all sizes")


def test_lesson_14_asks_what_the_table_below_prints():
    first = find("predictions", "against_world.small")
    assert first.format(first.answer()) == "13.7 µs"
    model = units.format(float(predict("dgx-h100", "all_reduce", 8.0).seconds), "s")
    assert f"with the rest of starting the kernels that is {model}." in first.explain
