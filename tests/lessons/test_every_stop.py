"""Every stop of every lab: answered right, answered by each known slip, and by nonsense."""

from __future__ import annotations

import pytest
from remembered import remembered

import fabricbook as book
from fabricbook.course.progress import current
from fabricbook.course.stops import Choice, Find, Number, See
from fabricbook.lessons import declared
from fabricbook.stage import Lab

DECLARED = {name: function.declaration for name, function in declared("labs").items()}
STOPS = {(name, stop.key): stop for name, one in DECLARED.items() for stop in one.stops}
NONSENSE = ["", "  ", "banana", "-1", "1e400", "9" * 10_000, "<img src=x>", None, 1e400, float("nan"), 7, True, [], ["1"], {},
            {"nothing": 1}]


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))


def every(*kinds):
    """Run a test on the stops of these *kinds*."""
    keys = [key for key, stop in STOPS.items() if isinstance(stop, kinds)]
    return pytest.mark.parametrize("place", keys, ids=".".join, indirect=True)


@pytest.fixture(scope="module")
def place(request):
    """A lab, one of its stops, and what the lab answers: the tests of one stop run in a row."""
    name, key = request.param
    return name, key, remembered(book.lab(name).answer)


@pytest.fixture
def posed(place):
    name, key, answer = place
    lab = book.lab(name)
    lab.answer = answer
    return lab.stops[key]


def parts(posed):
    """A stop's declaration, its lab, how its texts are filled in, and what it looks at."""
    return posed.declared, posed._lab, posed.fill, See(posed._lab, posed.declared.at)


def right(posed):
    """The answer as a learner gives it."""
    stop, lab, fill, see = parts(posed)
    if isinstance(stop, Choice):
        return fill(stop.answer(see))
    if isinstance(stop, Number):
        return stop.asked(lab, fill).format(stop.answer(see))
    return lab.positions(**stop.shown(lab, fill)[1])


@pytest.mark.parametrize("name", DECLARED)
def test_a_lab_with_controls_asks_two_to_five_things_and_one_without_asks_nothing(name):
    asked = len(DECLARED[name].stops)
    wanted = range(2, 6) if DECLARED[name].controls else [0]
    assert asked in wanted


@pytest.mark.parametrize("name", sorted({lab for lab, _ in STOPS}))
def test_no_answer_is_computed_before_it_is_asked_for(name, monkeypatch):
    calls, answer = [], Lab.answer
    monkeypatch.setattr(Lab, "answer", lambda lab, positions: calls.append(positions) or answer(lab, positions))
    assert all(state["saw"] == "" for state in book.lab(name).widget.stops["states"])
    assert len(calls) == 1, "the first display evaluates the default state and nothing else"


@every(Choice, Number, Find)
def test_the_texts_are_filled_in_and_short_enough_for_the_panel(posed):
    setup, saw = posed.setup, posed.fill(posed.declared.saw)
    assert setup["do"].endswith((".", "?"))
    assert setup["ask"].endswith((".", "?"))
    assert len(setup["do"] + setup["ask"]) <= 260
    assert 0 < len(saw) <= 320
    assert not [text for text in (setup["do"], setup["ask"], saw, *setup.get("options", ())) if "{{" in text]
    assert all(len(option) <= 60 for option in setup.get("options", ()))


@every(Choice, Number, Find)
def test_the_right_answer_is_right_and_what_was_to_be_seen_is_told(posed):
    posed.answer(right(posed))
    assert posed.state["outcome"] == "right", posed.state
    assert posed.state["saw"]


@every(Choice, Number, Find)
def test_the_answer_that_is_shown_is_the_right_one(posed):
    moves, lab = posed.show(), posed._lab
    assert posed.state["outcome"] == "shown", posed.state
    if isinstance(posed.declared, Find):
        assert posed.judge(lab.positions(**moves)).outcome == "right"
    else:
        assert moves == {}
        assert right(posed) in posed.state["sentence"]


@every(Choice)
def test_a_wrong_option_is_wrong_and_gets_its_hint(posed):
    stop, _, fill, see = parts(posed)
    options, answer = [fill(option) for option in stop.options], fill(stop.answer(see))
    assert answer in options
    assert len(set(options)) == len(options) > 1
    assert answer not in map(fill, stop.hints), "a hint for what is right is never said"
    for option in set(options) - {answer}:
        found = posed.judge(option)
        assert found.outcome == "wrong"
        assert found.sentence == fill(stop.hints.get(option, found.sentence))
        assert answer not in found.sentence


@every(Number)
def test_a_slip_is_wrong_and_gets_its_own_hint(posed):
    stop, lab, fill, see = parts(posed)
    for clause, value in stop.slips.items():
        typed = stop.asked(lab, fill).format(value(see) if callable(value) else value)
        found = posed.judge(typed)
        assert found.outcome == "wrong", (typed, found)
        assert fill(clause) in found.sentence
        assert right(posed) not in found.sentence


@every(Find)
def test_a_control_is_to_be_moved_and_does_not_stand_right_already(posed):
    stop, lab, _, _ = parts(posed)
    for start in (lab.positions(), posed.setup["at"]):
        assert posed.judge(lab.within(start)).outcome != "right", start


@every(Choice, Number, Find)
def test_nonsense_gets_a_sentence_and_is_no_try(posed):
    for given in NONSENSE:
        found = posed.judge(given)
        assert found.outcome == "", (given, found)
        assert 10 < len(found.sentence) < 400, (given, found)


@every(Choice, Number, Find)
def test_the_outcome_is_kept_and_is_there_when_the_lab_is_shown_again(posed):
    posed.answer(right(posed))
    kept = current().get("stops", posed.kept_as)
    assert (kept["outcome"], kept["tries"]) == ("right", 1)
    again = book.lab(posed._lab.declared.name).stops[posed.declared.key].state
    assert again == posed.state | {"sentence": ""}
