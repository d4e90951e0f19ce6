"""The protocol between a lab in the browser and its Python side, spoken here without a browser."""

import json
import threading

import pytest
from patience import PATIENCE

import fabricbook as book
from fabricbook.stage import Lab, charts, widget
from fabricbook.stage.widget import LabWidget


@pytest.fixture
def sent(monkeypatch):
    """Every message that leaves Python, in order."""
    messages = []
    monkeypatch.setattr(LabWidget, "_send", lambda self, msg, buffers=None: messages.append((msg, buffers)))
    return messages


def ask(lab: Lab, id, **positions):
    """What the browser sends when a control moves."""
    lab.widget._handle_custom_msg({"id": id, "values": positions}, [])
    return lab.widget.state


def test_the_first_state_is_the_default_one(trial):
    state = trial.widget.state
    assert state["values"] == {"latency": 1, "kind": 0}
    assert state["sentence"] == "The start takes 1e-06 s (plain)."
    assert state["error"] == ""


def test_what_json_cannot_hold_is_null(trial):
    state = ask(trial, "v-1", latency=0, kind=0)
    assert state["columns"]["time"][:3] == [None, None, 1e-9]
    json.dumps(state, allow_nan=False)


def test_one_question_is_one_message_back_and_nothing_else(trial, sent):
    trial.widget  # noqa: B018 - made on first use; what it sends then is not the matter here
    sent.clear()
    ask(trial, "v-1", latency=2, kind=0)
    assert len(sent) == 1
    assert sent[0][0]["method"] == "update"
    assert list(sent[0][0]["state"]) == ["state"]
    assert sent[0][0]["state"]["state"]["id"] == "v-1"


def test_every_question_is_answered_even_when_nothing_changes(trial, sent):
    trial.widget  # noqa: B018
    sent.clear()
    for number in range(3):
        ask(trial, f"v-{number}", latency=2, kind=0)
    assert [message["state"]["state"]["id"] for message, _ in sent] == ["v-0", "v-1", "v-2"]


def test_the_newest_wins(trial):
    for number, position in enumerate([0, 2, 1, 2, 0]):
        state = ask(trial, f"v-{number}", latency=position, kind=0)
    assert state["id"] == "v-4"
    assert state["sentence"] == "The start takes 1e-09 s (plain)."


def test_a_slow_answer_never_overtakes_a_newer_one(trial, monkeypatch):
    started, go_on, answer = threading.Event(), threading.Event(), trial.answer

    def slow_when_asked(positions):
        if positions["latency"] == 0:
            started.set()
            assert go_on.wait(PATIENCE)
        return answer(positions)

    trial.widget  # noqa: B018
    monkeypatch.setattr(trial, "answer", slow_when_asked)
    older = threading.Thread(target=ask, args=(trial, "v-1"), kwargs={"latency": 0, "kind": 0})
    newer = threading.Thread(target=trial.set, kwargs={"latency": 1e-3})
    older.start()
    assert started.wait(PATIENCE)
    newer.start()
    newer.join(0.1)
    go_on.set()
    older.join(PATIENCE)
    newer.join(PATIENCE)
    assert trial.widget.state["sentence"] == "The start takes 0.001 s (plain)."
    assert trial.widget.state["values"]["latency"] == 2


@pytest.mark.parametrize(("kind", "sentence"), [
    (1, "kind refused has no link; pick another."),
    (2, "This lab's model failed (ZeroDivisionError: division by zero). The chart shows the last values that worked."),
])
def test_an_error_is_a_sentence_and_the_last_drawing_stays(trial, kind, sentence):
    before = ask(trial, "v-1", latency=2, kind=0)
    state = ask(trial, "v-2", latency=2, kind=kind)
    assert state["error"] == sentence
    assert state["columns"] == before["columns"]
    assert state["values"] == {"latency": 2, "kind": kind}
    assert ask(trial, "v-3", latency=2, kind=0)["error"] == ""


@pytest.mark.parametrize("values", [
    None, 7, [], "latency", {}, {"latency": 1}, {"latency": 1, "kind": 0, "more": 1}, {"latency": 3, "kind": 0},
    {"latency": -1, "kind": 0}, {"latency": 1.0, "kind": 0}, {"latency": True, "kind": 0}, {"latency": "1", "kind": 0},
])
def test_a_hostile_message_gets_a_sentence(trial, values):
    trial.widget._handle_custom_msg({"id": "v-9", "values": values}, [])
    assert trial.widget.state["id"] == "v-9"
    assert "must" in trial.widget.state["error"]
    assert trial.widget.state["values"] == {"latency": 1, "kind": 0}


@pytest.mark.parametrize("message", [None, [], "x", {}, {"id": 7}, {"id": {}}, {"want": "everything"}])
def test_a_message_that_asks_nothing_is_passed_over(trial, sent, message):
    trial.widget  # noqa: B018
    sent.clear()
    trial.widget._on_message(trial.widget, message, [])  # called straight: ipywidgets would hide an exception
    assert sent == []


def test_set_moves_some_controls_and_leaves_the_others(trial):
    ask(trial, "v-1", latency=2, kind=3)
    trial.set(latency=1e-9)
    assert trial.widget.state["values"] == {"latency": 0, "kind": 3}
    assert trial.widget.state["id"] is None


@pytest.mark.parametrize("wrong", [{"latency": 5}, {"latncy": 1e-6}, {"kind": "refused"}])
def test_set_says_what_is_wrong_in_the_lab(trial, wrong):
    trial.set(**wrong)
    assert trial.widget.state["error"] != ""
    assert trial.widget.state["sentence"] == "The start takes 1e-06 s (plain)."


def test_hostile_text_stays_data(trial):
    state = ask(trial, "v-1", latency=1, kind=3)
    assert state["columns"]["kind"][0] == "<img src=x onerror=alert(1)>"
    assert trial.widget.setup["title"] == "Trial <b>lab</b>"
    for ever in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert ever not in trial.widget._esm


def test_the_setup_holds_what_the_front_end_draws(trial):
    setup = trial.widget.setup
    assert setup["controls"][0] == {
        "name": "latency", "label": "latency", "kind": "slider", "texts": ["1 ns", "1 µs", "1 ms"], "default": 1,
        "verb": "", "picks": "", "drags": "", "carries": "", "values": [],
    }
    assert setup["sources"][0].startswith("Network chapter of ml-engineering, Stas Bekman, GitHub: https://")
    json.dumps(setup, allow_nan=False)


def test_the_front_end_takes_names_and_colours_from_the_charts(trial):
    """Changed in charts.py, they change everywhere: neither the code nor the style sheet of a lab repeats one."""
    assert trial.widget.setup["names"] == {"live": charts.LIVE, "page": charts.PAGE}
    assert trial.widget.setup["tiers"] == ["chip", "server", "cluster"]
    written = (trial.widget._esm + trial.widget._css).lower()
    colours = (*charts.TIER.values(), charts.LIMIT, charts.OTHER, charts.OTHER_2)
    assert not [colour for colour in colours if colour.lower() in written]
    assert f'"{charts.PAGE}"' not in written


def test_vega_is_sent_once_asked_for_and_not_before(trial, sent):
    trial.widget  # noqa: B018
    assert all("vega" not in message.get("content", {}) for message, _ in sent)
    sent.clear()
    trial.widget._handle_custom_msg({"want": "vega"}, [])
    [(message, [bundle])] = sent
    assert message["content"] == {"vega": "built"}
    assert b"vegaEmbed" in bundle


def test_a_bundle_that_was_never_built_is_explained(trial, sent, monkeypatch, tmp_path):
    monkeypatch.setattr(widget, "VEGA", tmp_path / "vega.js")
    trial.widget  # noqa: B018
    sent.clear()
    trial.widget._handle_custom_msg({"want": "vega"}, [])
    [(message, buffers)] = sent
    assert message["content"]["vega"] == "missing"
    assert "tools/bundle_vega.py" in message["content"]["sentence"]
    assert not buffers


def test_nothing_a_lab_sends_names_an_address_to_load_from(trial):
    for code in (trial.widget._esm, trial.widget._css, trial.widget.setup["spec"].replace(trial.spec["$schema"], "")):
        assert "http" not in code


def test_what_a_lab_is_drawn_from_holds_no_null_but_as_text(trial, monkeypatch):
    """A browser's Python hands None over as undefined, and a chart without an axis gets one."""
    assert json.loads(trial.widget.setup["spec"]) == trial.spec
    monkeypatch.setattr(Lab, "spec", {})  # takes a quarter of a second each

    def holds(thing):
        if isinstance(thing, dict):
            return any(map(holds, thing.values()))
        return any(map(holds, thing)) if isinstance(thing, list | tuple) else thing is None

    assert [name for name in book.labs() if holds(widget.setup_of(book.lab(name)))] == []
