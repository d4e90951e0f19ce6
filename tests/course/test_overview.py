"""What is done, where to go on, and what was believed of a claim."""

from __future__ import annotations

import math

import pytest

from fabricbook import claims, my_progress, verdict, votes
from fabricbook.course.overview import ALL_DONE, done, here
from fabricbook.course.progress import Progress
from fabricbook.course.verdicts import Verdict
from fabricbook.course.votes import Votes, told
from fabricbook.lessons import declared
from fabricbook.lessons import lessons as every_lesson


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return Progress(tmp_path / "progress.json")


def lessons():
    return [done(one.heading, one.file, one.head.minutes, one.asked) for one in every_lesson()]


DONE = {"stops": {"outcome": "right"}, "predictions": {"shown": True}, "exercises": {"passed": True}}


def fill(record, name=""):
    """Do all of a lesson, or of all lessons."""
    for one in every_lesson():
        for section, keys in one.asked.items() if name in one.name else ():
            for key in keys:
                record.record(section, key, DONE[section])


def test_a_new_learner_begins_at_the_beginning():
    found = lessons()
    assert [lesson.heading[:2] for lesson in found] == [f"{n:02d}" for n in range(len(found))]
    assert not any(lesson.all or lesson.done for lesson in found)
    assert [lesson.left for lesson in found] == [one.head.minutes for one in every_lesson()]
    assert here(found) is found[0]


def test_a_done_lesson_gets_its_mark_and_the_next_is_named_and_opens(record):
    fill(record, "start_here")
    record.record("predictions", "moving_bytes.small", {"typed": "1 us"})
    first, second, *_ = found = lessons()
    assert (first.all, first.left) == (True, 0)
    assert [second.parts["predictions"], second.parts["exercises"], second.all] == [(1, 3), (0, 4), False]
    assert second.left == math.ceil(second.minutes * (1 - 1 / second.asked)) < second.minutes
    shown = my_progress().children[0].value
    assert shown.count(">✓<") == 1
    link = 'Continue at lesson <button class="fl-link" data-commandlinker-command="docmanager:open" data-commandlinker-args="'
    assert shown.split(link)[1].startswith("{&quot;path&quot;: &quot;01_moving_bytes.ipynb&quot;}")
    assert '<span role="img" aria-label="1 of 3 predictions">●○○</span>' in shown
    assert '<span role="img" aria-label="0 of 4 exercises">□□□□</span>' in shown
    stops = first.parts["stops"][1]
    assert f'<span role="img" aria-label="{stops} of {stops} stops">◆◆' in shown
    assert f'aria-label="{first.done + 1} of {sum(lesson.asked for lesson in found)} questions done"' in shown
    record.record("predictions", "start_here.one-chip", None)
    assert not lessons()[0].all


def test_who_left_something_out_goes_on_where_they_were_and_comes_back_to_it_at_the_end(record):
    record.record("predictions", "pcie.uplink", {"shown": True})
    assert here(lessons()).file == "05_pcie.ipynb"
    fill(record, "pcie")
    assert here(lessons()).file == "06_signals.ipynb"
    for one in every_lesson()[6:]:
        fill(record, one.name)
    assert here(lessons()).file == "00_start_here.ipynb"


def test_a_wrong_answer_to_a_stop_is_still_to_do(record):
    record.record("stops", "a", {"outcome": "wrong"})
    record.record("stops", "b", {"outcome": "right"})
    assert done("x", "x.ipynb", 1, {"stops": ["a", "b", "c"]}).parts == {"stops": (1, 3)}


def test_a_lesson_that_asks_nothing_is_done_and_takes_no_time():
    nothing = done("x", "x.ipynb", 9, {"stops": []})
    assert (nothing.all, nothing.left) == (True, 0)


def test_after_the_last_lesson_nothing_is_left(record):
    fill(record)
    assert here(lessons()) is None
    shown = my_progress().children[0].value
    assert ALL_DONE in shown
    assert "about 0 h 00 min left" in shown


def test_a_saved_lesson_does_not_hold_what_was_done(record):
    before = repr(my_progress())
    fill(record, "start_here")
    assert my_progress()._repr_mimebundle_()["text/plain"] == before


def test_a_note_on_a_claim_is_kept_and_stands_beside_the_verdict(record):
    from fabricbook.course.claims import _noted

    assert "You had noted" not in verdict("a").to_html()
    row = claims()[0]
    buttons, text = _noted(row).children
    assert row["claim"].split("'")[0] in text.value
    assert buttons.value is None
    buttons.value = "no"
    assert record.get("claims", "a") == {"believed": "no"}
    assert "You had noted: no." in verdict("a").to_html()
    assert _noted(row).children[0].value == "no"


def test_the_last_page_sets_the_notes_beside_what_was_found(record):
    before = votes()._repr_mimebundle_()
    assert "You noted nothing" in votes().children[0].value
    record.record("claims", "b", {"believed": "yes"})  # holds
    record.record("claims", "d", {"believed": "yes"})  # misleads
    record.record("claims", "h", {"believed": "no"})  # misleads
    shown = votes().children[0].value
    assert "Of your 3 notes 2 stand." in shown
    assert shown.count("<td>yes</td>") == 2
    assert shown.count("<tr><td>") == len({one.claim for one in declared("verdicts").values()})
    after = votes()._repr_mimebundle_()
    assert [after[kind] for kind in ("text/plain", "text/html")] == [before[kind] for kind in ("text/plain", "text/html")]


def test_a_claim_of_several_parts_has_a_verdict_on_each_and_one_row_at_the_end(record):
    parts = [Verdict("a", "holds", lambda: "So.", part="memory"), Verdict("a", "misleads", lambda: "Not so.", part="power")]
    assert [one.key for one in parts] == ["a.memory", "a.power"]
    assert repr(parts[1]).splitlines()[1] == "Power: misleads. Not so."
    assert repr(Votes([*parts, verdict("k")])).splitlines()[0].endswith(": memory: holds, power: misleads")
    record.record("claims", "a", {"believed": "yes"})  # which stands only where every part holds
    assert "0 stand." in told(parts)
    assert "1 stands." in told(parts[:1])


@pytest.mark.parametrize("entry", [{"believed": "<b>"}, {"believed": 3}, {}])
def test_a_note_that_cannot_be_read_is_none(record, entry):
    record.record("claims", "a", entry)
    assert "You had noted" not in verdict("a").to_html()


def test_the_list_of_claims_can_be_read_without_a_kernel():
    bundle = claims()._repr_mimebundle_()
    assert "<table>" in bundle["text/html"]
    assert len(bundle["text/plain"].splitlines()) == len(claims())
    assert "application/vnd.jupyter.widget-view+json" in bundle
