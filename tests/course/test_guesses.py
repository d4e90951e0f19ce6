"""The learner's guesses beside the truth."""

from __future__ import annotations

import re

import pytest

from fabricbook import my_guesses
from fabricbook.course.declare import Prediction
from fabricbook.course.guesses import guesses, told
from fabricbook.course.my_guesses import Guesses
from fabricbook.course.progress import Progress

ASKED = [Prediction(f"moving_bytes.q{n}", "?", "rate", lambda: 1e9, "") for n in range(6)]


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return Progress(tmp_path / "progress.json")


def answer(record, typed):
    for one, text in zip(ASKED, typed, strict=False):
        record.record("predictions", one.key, {"typed": text})


def test_who_has_predicted_nothing_is_told_so_and_sees_no_picture():
    assert "predicted nothing yet" in told([])
    assert "<svg" not in my_guesses().children[0].value


def test_the_first_answer_counts_and_not_what_was_shown_or_cannot_be_read(record):
    answer(record, ["2 GB/s", "1 GB/s", "fast"])
    record.record("attempts", ASKED[0].key, {"entries": [{"typed": "8 GB/s"}, {"typed": "2 GB/s"}]})
    record.record("attempts", ASKED[3].key, {"entries": [{"shown": True}, {"typed": "1 GB/s"}]})
    record.record("attempts", ASKED[4].key, {"entries": [["nonsense"]]})
    record.record("attempts", ASKED[5].key, {"entries": []})
    assert [(one.typed, one.feedback.ratio, one.near) for one in guesses(ASKED)] == [("8 GB/s", 8, False), ("1 GB/s", 1, True)]


@pytest.mark.parametrize(("typed", "said"), [
    (["1 GB/s"], "Of your 1 first guess 1 was right or close; the one in the middle was off by a factor of 1."),
    (["123 GB/s", "0.002 GB/s"], "0 were right or close; the one in the middle was off by a factor of 312."),
    (["8 GB/s", "0.1 GB/s", "4 GB/s", "2 GB/s", "0.5 GB/s", "1 GB/s"],
     "the later half it is a factor of 2, in the earlier 8: your guesses are nearer now."),
    (["2 GB/s", "0.5 GB/s", "1 GB/s", "8 GB/s", "0.1 GB/s", "4 GB/s"], "your guesses are further off now."),
    (["2 GB/s"] * 6, "your guesses are about as near now."),
])
def test_it_is_told_how_near_they_are_and_whether_they_come_nearer(record, typed, said):
    answer(record, typed)
    assert said in told(guesses(ASKED))


def test_each_guess_is_a_mark_by_its_shape_and_in_no_saved_lesson(record):
    record.record("predictions", ASKED[0].key, {"typed": "1 GB/s"})
    before = repr(Guesses(ASKED))
    answer(record, ["1 GB/s", "1e9 GB/s", "1 GB/s"])
    box = Guesses(ASKED)
    shown = box.children[0].value
    assert (shown.count("<circle"), shown.count("<polygon")) == (2, 1)
    assert all(0 < float(y) < 190 for y in re.findall(r'cy="([\d.]+)"', shown))
    assert 'role="img" aria-label="Of your 3 first guesses 2 were right' in shown
    assert "moving_bytes.q1: 1e9 GB/s, 1,000,000,000 times the answer, 1 GB/s" in shown
    assert box._repr_mimebundle_()["text/plain"] == before


def test_what_was_typed_is_never_markup(record):
    """A text that reads as a number can hold no tag, but the record is a file that anybody may write."""
    record.record("predictions", ASKED[0].key, {"typed": "<img src=x> 1 GB/s"})
    assert "<img" not in Guesses(ASKED).children[0].value
