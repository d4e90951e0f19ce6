"""A lab's stops without a browser: what is judged, what is told and when, and what is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fabricbook.course.posed import posed
from fabricbook.course.progress import current
from fabricbook.course.stops import Choice, See
from fabricbook.stage import Lab


def send(lab, **message):
    """What the browser sends at a stop."""
    lab.widget._handle_custom_msg({"id": "v-1", **message}, [])
    return {state["key"]: state for state in lab.widget.stops["states"]}


def test_what_it_looks_at_is_the_lab_s_own_function(asking):
    see = See(asking(), {"slope": 2.0})
    assert see()["time"] == [2, 4, 6, 8]
    assert see(slope=10.0)["time"][-1] == 40
    assert see.at == {"slope": 2.0, "kind": "plain"}
    assert see.values["slope"] == (1.0, 2.0, 5.0, 10.0)
    with pytest.raises(ValueError, match="slope must be one of"):
        see(slope=3.0)


@pytest.mark.parametrize(("key", "given", "outcome", "said"), [
    ("grows", "It grows", "right", "Right."),
    ("grows", "It falls", "wrong", "Look at its end"),
    ("grows", "It <img src=x onerror=globalThis.hit=1>", "wrong", "Not so."),
    ("grows", "it grows", "", "Pick one of the answers first."),
    ("largest", "8 s", "right", "Right: your 8 s agrees"),
    ("largest", " 8000  ms ", "right", "Right: your 8000 ms agrees"),
    ("largest", "2 s", "wrong", "Your 2 s is too small: that is the 2 itself."),
    ("largest", "80 s", "wrong", "Your 80 s is too large."),
    ("largest", "9 s", "wrong", "Your 9 s is a little too large."),
    ("largest", "8", "", "unit"),
    ("ten", {"slope": 2, "kind": 1}, "right", "Right: 5."),
    ("ten", {"slope": 3, "kind": 1}, "right", "Right: 10."),
    ("ten", {"slope": 1, "kind": 1}, "wrong", "Steeper."),
    ("ten", {"slope": 2, "kind": 0}, "", "Set it up first: kind is to be other."),
    ("ten", {"slope": 9, "kind": 1}, "", "position of slope"),
    ("ten", {"slope": True, "kind": 1}, "", "position of slope"),
    ("ten", {"slope": 2}, "", "values must name"),
])
def test_an_answer_is_judged_at_once_and_a_wrong_one_does_not_tell_the_right_one(asking, key, given, outcome, said):
    state = send(asking(), stop=key, given=given)[key]
    assert (state["outcome"], said in state["sentence"]) == (outcome, True), state
    assert bool(state["saw"]) == (outcome == "right")
    if outcome == "wrong":
        assert "8 s" not in state["sentence"].replace("80 s", "").replace("your 8 s", "")


def test_where_the_model_refuses_nothing_is_found(asking):
    lab = asking()
    free = replace(lab.stops["ten"].declared, at={})
    assert free.judge(lab, str, {"slope": 3, "kind": 2}).outcome == "wrong"


def test_nothing_of_an_answer_reaches_the_browser_before_it_is_right_or_shown(asking):
    lab = asking()
    sent = json.dumps([lab.widget.setup["stops"], lab.widget.stops, send(lab, stop="largest", given="9 s")])
    assert "Four times" not in sent
    assert "8 s" not in sent
    assert "It takes a slope of five" not in sent


def test_shown_is_told_moves_the_control_and_counts_as_shown(asking):
    lab = asking()
    states = send(lab, stop="ten", show=True)
    assert states["ten"]["outcome"] == "shown"
    assert states["ten"]["sentence"] == "Here: 5."
    assert states["ten"]["saw"] == "It takes a slope of five."
    assert lab.widget.state["values"] == {"slope": 2, "kind": 1}
    assert send(lab, stop="largest", show=True)["largest"]["sentence"] == "The answer: 8 s."


def test_what_is_done_stays_done_and_tries_are_counted(asking):
    lab = asking()
    for given in ("It falls", "banana", "It falls", "It grows", "It falls"):
        states = send(lab, stop="grows", given=given)
    assert states["grows"]["outcome"] == "right"
    assert states["grows"]["sentence"].startswith("Look at its end")
    assert current().get("stops", "trial.asking.grows") == {"outcome": "right", "given": "It grows", "tries": 3}


def test_a_lab_shown_again_has_its_stops_as_they_were(asking):
    send(asking(), stop="grows", given="It grows")
    send(asking(), stop="largest", given="2 s")
    grows, largest, ten = asking().widget.stops["states"]
    assert (grows["outcome"], grows["given"], grows["saw"][:10]) == ("right", "It grows", "It grows b")
    assert (largest["outcome"], largest["given"], largest["saw"]) == ("wrong", "2 s", "")
    assert ten == {"key": "ten", "outcome": "", "given": "", "sentence": "", "saw": ""}


@pytest.mark.parametrize("kept", [{}, {"outcome": "banana"}, {"outcome": ["right"]}, {"outcome": "wrong", "given": 3}])
def test_a_record_that_cannot_be_read_is_none(asking, kept):
    lab = asking()
    current().record("stops", "trial.asking.grows", kept)
    state = lab.widget.stops["states"][0]
    assert state["outcome"] in ("", "wrong")
    assert state["given"] == ""
    assert send(lab, stop="grows", given="It grows")["grows"]["outcome"] == "right"


def test_a_record_that_cannot_be_written_is_told(asking, tmp_path):
    lab = asking()
    current().path.write_text("{}")
    current().path.chmod(0o444)
    assert "kept only until this notebook's kernel stops" in send(lab, stop="grows", given="It grows")["grows"]["sentence"]


@pytest.mark.parametrize("stop", ["nothing", 7, None, ["grows"], "x" * 10_000])
def test_a_stop_that_is_not_there_is_a_sentence(asking, stop):
    lab = asking()
    before = lab.widget.stops
    # Called straight: ipywidgets would hide an exception.
    lab.widget._on_message(lab.widget, {"id": "v-1", "given": "", "stop": stop}, [])
    assert lab.widget.state["error"].startswith("stop ")
    assert len(lab.widget.state["error"]) < 300
    assert lab.widget.stops == before


@pytest.mark.parametrize("show", [1, "true", None])
def test_only_a_plain_true_asks_to_be_shown(asking, show):
    assert send(asking(), stop="grows", show=show)["grows"]["outcome"] == ""


def test_a_mistake_in_a_stop_is_a_sentence(asking):
    lab = asking()
    lab.stops["grows"].declared = replace(lab.stops["grows"].declared, answer=lambda see: see(kind="broken"))
    assert "cannot be judged (ZeroDivisionError" in send(lab, stop="grows", given="It grows")["grows"]["sentence"]
    assert "cannot be computed (ZeroDivisionError" in send(lab, stop="grows", show=True)["grows"]["sentence"]
    assert current().get("stops", "trial.asking.grows") is None


def test_a_hint_is_for_an_option_and_a_key_is_used_once(asking):
    with pytest.raises(ValueError, match="Did you mean 'It falls'"):
        Choice("k", "Do.", "Ask?", ["It grows", "It falls"], lambda see: "It grows", "Saw.", hints={"It fals": "Look."})
    declared = asking().declared
    with pytest.raises(ValueError, match="must each have a key of its own"):
        Lab(replace(declared, stops=declared.stops[:1] * 2), pose=lambda lab: posed(lab, "trial", {}))
