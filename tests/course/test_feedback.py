"""What a learner is told about a predicted number."""

from __future__ import annotations

import pytest

from fabricbook.course.declare import Prediction
from fabricbook.course.feedback import judge, shown
from fabricbook.lessons import declared


def ask(kind="rate", answer=4.5e11, **more):
    return Prediction("moving_bytes.ask", "How much?", kind, lambda: answer, "Because.", **more)


@pytest.mark.parametrize(("typed", "verdict", "said"), [
    ("450 GB/s", "right", "agrees with the answer, 450 GB/s"),
    ("0.47 TB/s", "right", "0.47 TB/s agrees"),
    ("3600 Gb/s", "right", "agrees"),
    ("500 GB/s", "close", "Close: your 500 GB/s is 1.1 times the answer, 450 GB/s."),
    ("350 GB/s", "close", "78 % of the answer"),
    ("290 GB/s", "off", "64 % of the answer"),
    ("900 GB/s", "slip", "Your 900 GB/s is 2.0 times the answer, 450 GB/s: that counts both directions"),
    ("225 GB/s", "slip", "halves a figure"),
    ("3600 GB/s", "slip", "counts bits where bytes"),
    ("450 Gb/s", "slip", "takes bits for bytes"),
    ("450 GiB/s", "close", "Close: your 450 GiB/s is 1.1 times the answer, 450 GB/s: that takes GiB for GB"),
    ("450 MB/s", "slip", "step of 1000 too small"),
    ("450 TB/s", "slip", "step of 1000 too large"),
    ("478 GB/s", "close", "Close: your 478 GB/s is 1.1 times the answer, 450 GB/s: that is the raw rate."),
    ("420 GB/s", "close", "Close: your 420 GB/s is 93 % of the answer, 450 GB/s."),
    ("7 GB/s", "off", "Your 7 GB/s is 64 times smaller than the answer, 450 GB/s."),
])
def test_ratio_and_slip(typed, verdict, said):
    feedback = judge(ask(per_direction=True, slips={"that is the raw rate": lambda: 478.125e9}), typed)
    assert feedback.verdict == verdict
    assert said in feedback.sentence


def test_directions_are_a_slip_only_where_the_prediction_says_so():
    assert judge(ask(), "900 GB/s").verdict == "off"


def test_twice_the_rate_is_half_the_time():
    prediction = ask("time", 0.1, per_direction=True)
    assert "both directions" in judge(prediction, "50 ms").sentence
    assert "halves a rate" in judge(prediction, "200 ms").sentence
    assert "bits" not in judge(prediction, "800 ms").sentence


def test_a_prediction_s_own_slip_comes_before_a_general_one():
    assert "eight GPUs" in judge(ask(slips={"that is all eight GPUs together": 8 * 4.5e11}), "3.6 TB/s").sentence


@pytest.mark.parametrize(("kind", "typed", "said"), [
    ("rate", "", "not a number with a unit"),
    ("rate", "fast", "not a number with a unit"),
    ("rate", "450", "has no unit"),
    ("rate", "450 GB", "a unit of size; a rate is asked for"),
    ("rate", "450 gb/s", "did you mean"),
    ("rate", "4,5 GB/s", "comma"),
    ("rate", "-450 GB/s", "The answer is more than zero; '-450 GB/s' is not."),
    ("rate", "0 GB/s", "more than zero"),
    ("rate", "nan GB/s", "not a number"),
    ("rate", "1e999 GB/s", "too large"),
    ("rate", "9" * 300, "short string"),
    ("time", "3 GB/s", "a time is asked for"),
    ("ratio", "3 GB", "a ratio is asked for"),
])
def test_what_is_no_answer_gets_one_sentence(kind, typed, said):
    with pytest.raises(ValueError, match="^[^\n]*$") as refused:
        judge(ask(kind), typed)
    assert said in str(refused.value)


@pytest.mark.parametrize(("answer", "typed", "verdict", "said"), [
    (67.56, "68", "right", "Right: your 68 agrees with the answer, 67.56 %, within 2 points."),
    (67.56, "95 %", "off", "Your 95 % is 1.4 times the answer, 67.56 %."),
    (67.56, "72", "close", "Close: your 72 is 4 points above the answer, 67.56 %."),
    (67.56, "66.4 per cent", "right", "agrees"),
    (38.5, "0.4", "slip", "that is the share as a fraction; in % it is a hundred times as much"),
    (38.5, "0.4 %", "off", "96 times smaller than the answer, 38.5 %."),
    (3.0, "4", "close", "1 point above"), (3.0, "9", "off", "3.0 times"),
    (47.06, "47.06%", "right", ""),
])
def test_a_share_is_judged_by_its_points(answer, typed, verdict, said):
    feedback = judge(ask("ratio", answer, unit="%"), typed)
    assert feedback.verdict == verdict
    assert said in feedback.sentence


@pytest.mark.parametrize(("answer", "typed", "verdict", "said"), [
    (6, "6 steps", "right", "Right: your 6 steps agrees with the answer, 6 steps."),
    (6, "5", "close", "Close: your 5 is one less than the answer, 6 steps."),
    (6, "7", "close", "one more than"), (6, "4", "off", "67 % of"), (6, "5.6", "close", ""),
    (14, "16", "off", "1.1 times the answer"), (14, "15", "close", "one more than"),
    (96, "100", "close", "1.0 times the answer"), (96, "96", "right", ""), (96, "64", "off", ""),
    (741, "740", "right", ""), (741, "600", "close", "81 % of"), (741, "400", "off", ""), (1, "2", "close", "one more"), (1,
    "1.3", "close", ""),
])
def test_a_count_is_judged_by_its_steps(answer, typed, verdict, said):
    feedback = judge(ask("ratio", answer, unit="steps"), typed)
    assert (feedback.verdict, said in feedback.sentence) == (verdict, True), feedback.sentence


def test_a_count_s_own_slip_next_to_it_is_close_first():
    prediction = ask("ratio", 14, unit="steps", slips={"that is 2 p - 1; each half takes p - 1": 15})
    assert judge(prediction,
        "15").sentence == ("Close: your 15 is one more than the answer, 14 steps: that is 2 p - 1; each half "
                                                "takes p - 1.")


@pytest.mark.parametrize(("key", "typed"), [
    ("pcie.payload", "57 GB/s"), ("one_server.uplink", "2.6 GB/s"), ("one_server.staged", "15.75 GB/s"),
    ("pcie.uplink", "13.5 GB/s"), ("networks.headers", "47 Gb/s"), ("congestion.incast", "3.75 MB"),
])
def test_nobody_is_told_of_gib_who_did_not_write_it(key, typed):
    feedback = judge(declared("predictions")[key], typed)
    assert feedback.sentence.startswith("Close: ")
    assert ("rate of the lanes" in feedback.sentence) == key.startswith("one_server.")
    assert "GiB" not in feedback.sentence


def test_gib_is_named_where_the_question_has_it():
    asked = Prediction("moving_bytes.ask", "1 GiB at once. How much?", "size", lambda: 1e9, "Because.")
    assert "takes GiB for GB" in judge(asked, "1.074 GB").sentence


@pytest.mark.parametrize(("kind", "unit", "answer", "typed"), [
    ("ratio", "buffers", 1.75, "14/8"), ("size", "", 5e5, "1/2 MB"), ("rate", "", 15.75e9, "63/4 GB/s"), ("rate", "", 5e10,
    "about 50 GB/s"),
    ("rate", "", 5e10, "~50 GB/s"), ("rate", "", 5e10, "ca. 50 GB/s"), ("time", "", 15778800, "6 months"), ("time", "", 1814400,
    "3 weeks"),
    ("time", "", 2 * 31557600, "roughly 2 yrs"), ("ratio", "mV", 12.7, "0.0127 V"), ("ratio", "mV", 12.7, "12.7 mV"), ("ratio",
    "mV", 12.7, "12.7"),
    ("ratio", "steps", 50, "about 50 steps"), ("ratio", "%", 50, "1/2 %"), ("ratio", "times", 3, "3 times"), ("ratio", "times",
    3, "3x"),
    ("ratio", "times", 0.5, "50 %"), ("ratio", "%", 50, "≈ 50 percent"),
])
def test_what_people_naturally_write_is_read(kind, unit, answer, typed):
    expected = 0.5 if typed == "1/2 %" else answer
    assert ask(kind, answer, unit=unit).parse(typed) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("unit", "typed"), [("dB", "33 %"), ("mV", "20 %"), ("steps", "50 %"), ("steps", "3x")])
def test_a_share_is_no_count_and_no_decibel(unit, typed):
    with pytest.raises(ValueError, match=f"is not a number of {unit}. Write one such as '12 {unit}'."):
        judge(ask("ratio", 9.5, unit=unit), typed)


@pytest.mark.parametrize("typed", ["14 m", "many", "14 %%"])
def test_what_is_no_count_is_told_the_noun(typed):
    with pytest.raises(ValueError, match="is not a number of steps. Write one such as '12 steps'."):
        judge(ask("ratio", 14, unit="steps"), typed)


@pytest.mark.parametrize("typed", ["14", "14 steps", "14 step", "14steps"])
def test_a_counted_noun_may_be_typed(typed):
    assert judge(ask("ratio", 14, unit="steps"), typed).verdict == "right"


def test_per_cent():
    prediction = ask("ratio", 0.5)
    assert judge(prediction, "50 %").verdict == "right"
    assert "% sign" in judge(prediction, "50").sentence


def test_a_rate_may_be_shown_in_bits():
    assert shown(ask(answer=5e10, unit="b/s")).sentence == "The answer is 400 Gb/s."


@pytest.mark.parametrize("key", declared("predictions"))
def test_a_declared_prediction_is_complete(key):
    prediction = declared("predictions")[key]
    answer = prediction.answer()
    assert answer > 0
    assert prediction.explain.strip()
    assert prediction.question.strip().endswith(("?", "."))
    own = prediction.format(answer)
    assert judge(prediction, own).verdict == "right"
    for clause, value in prediction.slips.items():
        wrong = value() if callable(value) else value
        feedback = judge(prediction, prediction.format(wrong))
        assert feedback.verdict in ("slip", "close"), feedback.sentence
        assert clause in feedback.sentence


def test_the_numbers_of_its_texts_are_filled_in():
    asked = Prediction("moving_bytes.ask", "Of {{ n }}?", "rate", lambda: 1, "Because of {{ n + 1 }}.", {"not {{ n }}": 2.0})
    filled = asked.filled({"n": 6})
    assert (filled.question, filled.explain, filled.slips) == ("Of 6?", "Because of 7.", {"not 6": 2.0})


def test_a_malformed_declaration_is_refused():
    with pytest.raises(ValueError, match="key must be the names of a lesson and of a question"):
        Prediction("ask", "?", "rate", lambda: 1, "")
    with pytest.raises(ValueError, match="kind 'speed' is not known"):
        Prediction("moving_bytes.ask", "?", "speed", lambda: 1, "")
