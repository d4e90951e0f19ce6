"""The prediction box and what waits behind it, driven as a browser drives them."""

from __future__ import annotations

import pandas as pd
import pytest
from ipywidgets import IntSlider

import fabricbook as book
from fabricbook.course.declare import Prediction
from fabricbook.course.gate import UNLOCKED, Gate
from fabricbook.course.prediction import PredictionBox
from fabricbook.course.progress import Progress

ASK = Prediction("moving_bytes.ask", "How fast <one way>?", "rate", lambda: 4.5e11, "Because & so.", per_direction=True)


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(path))
    return Progress(path)


class Learner:
    """A learner in front of one prediction box."""

    def __init__(self):
        self.box = PredictionBox(ASK)
        self.question, self.form, self.feedback, again = self.box.children
        self.text, self.check, self.show, self.undo = self.form.children
        self.change, self.clear = again.children
        self.again = again

    def enter(self, typed):
        """Press Enter: the browser reports the key first, then the text, and that only if it changed."""
        self.text._handle_custom_msg({"event": "submit"}, [])
        self.text.value = typed

    def answered(self):
        return "fl-answer" in self.feedback.value


def test_nothing_is_shown_before_an_answer():
    learner = Learner()
    assert not learner.answered()
    assert "450" not in str([w.value for w in (learner.question, learner.feedback)])
    assert "&lt;one way&gt;" in learner.question.value
    assert learner.again.layout.display == "none"


def test_a_box_is_emptied_before_it_is_seen_again():
    """A learner on a slow connection types as soon as the box is there: what is typed must not be wiped."""
    learner, told = Learner(), []
    learner.enter("900 GB/s")
    learner.text.observe(lambda change: told.append("text"), "value")
    learner.form.layout.observe(lambda change: told.append("form"), "display")
    learner.clear.click()
    assert told == ["text", "form"]


def test_enter_checks_and_records(progress):
    learner = Learner()
    learner.enter("900 GB/s")
    assert "2.0 times the answer, 450 GB/s: that counts both directions" in learner.feedback.value
    assert "Because &amp; so." in learner.feedback.value
    assert 'role="status" aria-live="polite"' in learner.feedback.value
    assert learner.form.layout.display == "none"
    assert progress.get("predictions", "moving_bytes.ask") == {"typed": "900 GB/s"}


def test_leaving_the_box_is_no_answer():
    learner = Learner()
    learner.text.value = "45"
    assert not learner.feedback.value
    learner.enter("450 GB/s")
    assert learner.answered()


def test_the_button_checks_what_was_left_in_the_box():
    learner = Learner()
    learner.text.value = "450 GB/s"
    learner.check.click()
    assert "Right" in learner.feedback.value


def test_enter_on_a_text_left_earlier():
    learner = Learner()
    learner.text.value = "450 GB/s"
    learner.text._handle_custom_msg({"event": "submit"}, [])
    assert learner.answered()


def test_what_cannot_be_read_gets_a_sentence_and_another_try(progress):
    learner = Learner()
    learner.enter("<b>450</b>")
    assert "is not a number with a unit" in learner.feedback.value
    assert "<b>450" not in learner.feedback.value
    assert learner.form.layout.display == ""
    assert not learner.answered()
    assert progress.get("predictions", "moving_bytes.ask") is None
    learner.enter("450 GB/s")
    assert learner.answered()


def test_show_me_gives_the_answer_without_a_verdict(progress):
    learner = Learner()
    learner.show.click()
    assert "The answer is 450 GB/s." in learner.feedback.value
    assert progress.get("predictions", "moving_bytes.ask") == {"shown": True}


def test_who_comes_back_sees_the_earlier_answer_and_may_clear_it(progress):
    Learner().enter("900 GB/s")
    learner = Learner()
    assert "Your 900 GB/s" in learner.feedback.value
    learner.clear.click()
    assert learner.feedback.value == ""
    assert learner.form.layout.display == ""
    assert progress.get("predictions", "moving_bytes.ask") is None


def test_a_second_enter_spoils_nothing(progress, monkeypatch):
    focused = []
    monkeypatch.setattr("ipywidgets.DOMWidget.focus", lambda widget: focused.append(widget))
    learner = Learner()
    learner.enter("900 GB/s")
    assert focused[-1] is learner.change
    focused[-1].click()  # what a second Enter does
    assert progress.get("predictions", "moving_bytes.ask") == {"typed": "900 GB/s"}
    assert learner.answered()
    assert learner.text.value == "900 GB/s"
    assert learner.form.layout.display == ""
    learner.enter("300 GB/s")
    assert progress.get("predictions", "moving_bytes.ask") == {"typed": "300 GB/s"}
    assert "Earlier: 900 GB/s" in learner.feedback.value
    assert learner.form.layout.display == "none"


def test_another_answer_leaves_what_is_open_as_it_is():
    learner, gate, told = Learner(), Gate(ASK, "a thing"), []
    learner.enter("900 GB/s")
    gate.observe(lambda change: told.append("gate"), "children")
    learner.change.click()
    learner.enter("450 GB/s")
    assert learner.answered()
    assert told == []


def test_the_keyboard_moves_on_before_anything_opens(monkeypatch):
    """What opens may take seconds, and the learner types into the next box by then."""
    told = []
    monkeypatch.setattr("ipywidgets.DOMWidget.focus", lambda widget: told.append("focus"))
    learner, gate = Learner(), Gate(ASK, "a thing")
    gate.observe(lambda change: told.append("gate"), "children")
    learner.enter("900 GB/s")
    learner.clear.click()
    assert told == ["focus", "gate"] * 2


def test_a_cleared_answer_can_be_brought_back_and_no_attempt_is_lost(progress):
    learner = Learner()
    assert learner.undo.layout.display == "none"
    for typed in ("100 GB/s", "<900> GB/s", "900 GB/s"):
        learner.change.click()
        learner.enter(typed)
    learner.clear.click()
    assert progress.get("predictions", "moving_bytes.ask") is None
    assert progress.get("attempts", "moving_bytes.ask") == {"entries": [{"typed": "100 GB/s"}, {"typed": "900 GB/s"}]}
    later = Learner()
    assert later.undo.layout.display == ""
    later.undo.click()
    assert "Your 900 GB/s" in later.feedback.value
    assert progress.get("predictions", "moving_bytes.ask") == {"typed": "900 GB/s"}


def test_an_answer_of_an_earlier_course_can_be_brought_back_too(progress):
    progress.path.write_text('{"predictions": {"moving_bytes.ask": {"typed": "900 GB/s"}}, "exercises": {}}')
    learner = Learner()
    learner.clear.click()
    learner.undo.click()
    assert "Your 900 GB/s" in learner.feedback.value


@pytest.mark.parametrize("kept", ["[]", "3", "null", '{"entries": 3}', '{"entries": [3, {"typed": 4}]}'])
def test_attempts_that_cannot_be_read_stop_nobody(progress, kept):
    progress.path.write_text(f'{{"attempts": {{"moving_bytes.ask": {kept}}}}}')
    Learner().enter("900 GB/s")
    assert "Your 900 GB/s" in Learner().feedback.value


def test_an_enter_ahead_of_its_text_asks_for_nothing():
    learner, said = Learner(), []
    learner.feedback.observe(lambda change: said.append(change["new"]), "value")
    learner.enter("450 GB/s")
    assert len(said) == 1
    assert "Right" in said[0]


def test_an_empty_box_asks_for_an_answer():
    learner = Learner()
    learner.check.click()
    assert "Type your answer first, such as 12 GB/s." in learner.feedback.value


def test_a_text_that_comes_after_its_button_is_judged():
    learner = Learner()
    learner.check.click()
    learner.text.value = "450 GB/s"
    assert "Right" in learner.feedback.value


def test_an_emptied_box_asks_for_one_too():
    learner = Learner()
    learner.enter("fast")
    learner.enter("")
    assert "fast" not in learner.feedback.value
    assert "Type your answer first, such as 12 GB/s." in learner.feedback.value


def test_a_lock_names_its_question():
    assert "the question “How fast &lt;one way&gt;?”" in Gate(ASK, "thing").children[0].value


def test_a_box_whose_kernel_is_gone_says_what_brings_it_back():
    assert "jupyter-widgets-disconnected" in Learner().question.value
    assert "your answers are kept" in Learner().question.value


@pytest.mark.parametrize("entry", [{"typed": "<b>?</b>"}, {"typed": 3}, {"typed": None}, {"later": 1}])
def test_a_record_that_reads_differently_today_still_shows_the_answer(progress, entry):
    progress.record("predictions", "moving_bytes.ask", entry)
    assert "The answer is 450 GB/s." in Learner().feedback.value


def test_an_unwritable_record_is_told_in_the_box(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    learner = Learner()
    learner.enter("450 GB/s")
    assert learner.answered()
    assert "kept only until this notebook&#x27;s kernel stops" in learner.feedback.value


@pytest.mark.parametrize("thing", ["a <text>", 4.25, pd.DataFrame({"a": [1]}), IntSlider(7)])
def test_a_gate_opens_live_and_its_text_never_depends_on_it(thing):
    gate = Gate(ASK, thing)
    locked = gate._repr_mimebundle_()
    assert "fl-locked" in gate._dom_classes
    assert "Locked" in gate.children[0].value
    Learner().enter("1 GB/s")
    assert "fl-locked" not in gate._dom_classes
    assert "Locked" not in str(gate.children)
    assert repr(gate) == (thing if isinstance(thing, str) else repr(book.show(thing)))
    assert gate._repr_mimebundle_() == locked
    Learner().clear.click()
    assert "fl-locked" in gate._dom_classes


def test_a_gate_shows_each_kind_of_thing():
    Learner().enter("1 GB/s")
    assert "a &lt;text&gt;" in Gate(ASK, "a <text>").children[0].value
    assert "4.25" in Gate(ASK, 4.25).children[0].value
    assert "<table" in Gate(ASK, pd.DataFrame({"a": [1]})).children[0].value
    slider = IntSlider(7)
    assert Gate(ASK, slider).children == (slider,)


def test_the_text_of_a_box_depends_on_nothing():
    before = repr(PredictionBox(ASK))
    Learner().enter("1 GB/s")
    box = PredictionBox(ASK)
    assert repr(box) == before == "Prediction moving_bytes.ask: How fast <one way>?"
    assert box._repr_mimebundle_()["text/plain"] == before


def test_an_unknown_key_suggests_the_nearest():
    for ask in (book.predict_first, lambda key: book.after(key, 1)):
        with pytest.raises(ValueError, match="prediction 'moving_bytes.smal' is not known. Did you mean 'moving_bytes.small'"):
            ask("moving_bytes.smal")


def test_a_trainers_switch_opens_every_gate_and_says_so(monkeypatch):
    monkeypatch.setenv(UNLOCKED, "1")
    gate = Gate(ASK, "the thing itself")
    said, thing = gate.children
    assert "Unlocked for everybody here" in said.value
    assert "the thing itself" in thing.value
    Learner().enter("450 GB/s")
    [thing] = gate.children
    assert "the thing itself" in thing.value
