"""What a learner is told about a predicted number."""

from __future__ import annotations

import pytest

from fabriclib.course.declare import Prediction
from fabriclib.course.feedback import judge, shown
from fabriclib.course.registry import declared


def ask(kind="rate", answer=4.5e11, **more):
    return Prediction("01.ask", "How much?", kind, lambda: answer, "Because.", **more)


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
    ("450 GiB/s", "slip", "takes GiB for GB"),
    ("450 MB/s", "slip", "step of 1000 too small"),
    ("450 TB/s", "slip", "step of 1000 too large"),
    ("478 GB/s", "slip", "that is the raw rate"),
    ("7 GB/s", "off", "Your 7 GB/s is 1/64 of the answer, 450 GB/s."),
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


@pytest.mark.parametrize("key", declared()[0])
def test_a_declared_prediction_is_complete(key):
    prediction = declared()[0][key]
    answer = prediction.answer()
    assert answer > 0
    assert prediction.explain.strip()
    assert prediction.question.strip().endswith(("?", "."))
    own = prediction.format(answer)
    assert judge(prediction, own).verdict == "right"
    for clause, value in prediction.slips.items():
        wrong = value() if callable(value) else value
        feedback = judge(prediction, prediction.format(wrong))
        assert (feedback.verdict, clause in feedback.sentence) == ("slip", True), feedback.sentence


def test_a_malformed_declaration_is_refused():
    with pytest.raises(ValueError, match="key must be a lesson number and a name"):
        Prediction("ask", "?", "rate", lambda: 1, "")
    with pytest.raises(ValueError, match="kind 'speed' is not known"):
        Prediction("01.ask", "?", "speed", lambda: 1, "")
