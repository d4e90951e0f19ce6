"""What is done, where to go on, and what was believed of a claim."""

from __future__ import annotations

import pytest

from fabricbook import claims, my_progress, verdict
from fabricbook.course.overview import ALL_DONE, advice, done
from fabricbook.course.progress import Progress
from fabricbook.lessons import declared
from fabricbook.lessons import lessons as every_lesson


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return Progress(tmp_path / "progress.json")


def lessons():
    return [done(one.heading, one.predictions, one.exercises) for one in every_lesson()]


def fill(record, lesson):
    for section, entry in (("predictions", {"shown": True}), ("exercises", {"passed": True})):
        for key in declared(section):
            if key.startswith(lesson):
                record.record(section, key, entry)


def test_a_new_learner_begins_at_the_beginning():
    found = lessons()
    assert [lesson.heading[:2] for lesson in found] == [f"{n:02d}" for n in range(len(found))]
    assert not any(lesson.all or lesson.answered or lesson.passed for lesson in found)
    assert advice(found).startswith("Continue at lesson 00 · Start here")


def test_a_done_lesson_gets_its_mark_and_the_next_is_named(record):
    fill(record, "start_here")
    record.record("predictions", "moving_bytes.small", {"typed": "1 us"})
    first, second, *_ = lessons()
    assert first.all
    assert (second.answered, second.predictions, second.passed, second.all) == (1, 3, 0, False)
    shown = my_progress().children[0].value
    assert shown.count("✓") == 1
    assert "Continue at lesson 01 · " in shown
    record.record("predictions", "start_here.one-chip", None)
    assert not lessons()[0].all


def test_after_the_last_lesson_it_says_what_to_do_next(record):
    fill(record, "")
    assert advice(lessons()) == ALL_DONE
    assert "What next?" in my_progress().children[0].value


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


@pytest.mark.parametrize("entry", [{"believed": "<b>"}, {"believed": 3}, {}])
def test_a_note_that_cannot_be_read_is_none(record, entry):
    record.record("claims", "a", entry)
    assert "You had noted" not in verdict("a").to_html()


def test_the_list_of_claims_can_be_read_without_a_kernel():
    bundle = claims()._repr_mimebundle_()
    assert "<table>" in bundle["text/html"]
    assert len(bundle["text/plain"].splitlines()) == len(claims())
    assert "application/vnd.jupyter.widget-view+json" in bundle
