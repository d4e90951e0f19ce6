"""What a learner sees of each box: its words, its marks, where they stand; and what is said to answers that are nearly right."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from ipywidgets import HTML, Button, FileUpload, Text, ToggleButtons, Widget

import fabricbook as book
from fabricbook.course import view
from fabricbook.course.bare import bare_numbers
from fabricbook.course.checking import Solution, grade
from fabricbook.course.claims import Claims, _noted
from fabricbook.course.declare import Exercise, Prediction, short
from fabricbook.course.feedback import judge, locked, times
from fabricbook.course.gate import Gate
from fabricbook.course.guesses import guesses, told
from fabricbook.course.my_guesses import Guesses
from fabricbook.course.outcomes import Outcome, agree, outcomes
from fabricbook.course.overview import MARKS, Done, Overview
from fabricbook.course.prediction import PredictionBox
from fabricbook.course.progress import Progress, current
from fabricbook.course.stops import Choice, Find, Number
from fabricbook.course.votes import Votes
from fabricbook.lessons import find

ASKED = [Prediction(f"moving_bytes.q{n}", "How fast?", "rate", lambda: 1e9, "") for n in range(5)]
DOUBLE = Exercise("moving_bytes.double", "Write <double>.", "double", lambda n: 2 * n, "def double(n):\n    return 2 * n",
                  cases=[(1,)], wrong=[("n * n", "That squares.")], nudge="Add it to itself.")


@pytest.fixture(autouse=True)
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return Progress(tmp_path / "progress.json")


def all_in(widget: Widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_in(child)


# ------------------------------------------------------------------ boxes

BOXES = {
    "prediction": (lambda: PredictionBox(ASKED[0]), ["Your answer", "Check", "Show me", "Bring my answer back",
                                                     "Change my answer", "Clear my answer"], {"fl-course", "fl-predict"}),
    "answers": (book.my_answers, ["Import", "Start over", "Bring my answers back"], {"fl-course"}),
    "guesses": (lambda: Guesses(ASKED), [], {"fl-course", "fl-guesses"}),
    "solution": (lambda: Solution(DOUBLE), [], {"fl-course", "fl-solution"}),
}


@pytest.mark.parametrize(("make", "words", "classes"), BOXES.values(), ids=BOXES)
def test_a_box_has_these_controls_and_the_marks_that_its_style_goes_by(make, words, classes):
    box = make()
    controls = [one for one in all_in(box) if isinstance(one, Button | FileUpload | Text | ToggleButtons)]
    assert [one.description for one in controls] == words
    assert classes <= set(box._dom_classes)
    assert all(one.layout.width == "auto" for one in controls if isinstance(one, Button))


@pytest.mark.parametrize(("thing", "said"), [
    (lambda: Guesses(ASKED), "Your guesses beside the truth: run this cell."),
    (book.my_answers, "Your answers as a file: run this cell."), (book.my_progress, "Your progress: run this cell."),
    (lambda: Solution(DOUBLE), "Solution of moving_bytes.double, folded: run this cell and open it.")])
def test_a_saved_lesson_says_what_comes_there_and_nothing_of_who_answered(thing, said):
    assert repr(thing()) == thing()._repr_mimebundle_()["text/plain"] == said


def test_only_files_that_export_wrote_are_offered():
    (upload,) = [one for one in all_in(book.my_answers()) if isinstance(one, FileUpload)]
    assert (upload.accept, upload.tooltip) == (".json", "a file that Export wrote")


def test_what_is_exported_is_a_link_that_says_so():
    assert re.findall(">([^<]+)</a>", book.my_answers()._export.value) == ["Export as they are now"]


def test_who_starts_over_without_an_answer_is_told_so(record):
    box = book.my_answers()
    box._over.click()
    assert "There were no answers yet. Run a lesson again to begin anew." in box._said.value


def test_what_cannot_be_brought_back_is_named(record):
    record.record("predictions", ASKED[0].key, {"typed": "1 GB/s"})
    box = book.my_answers()
    box._over.click()
    kept = re.search(r"kept as ([^ ]+\.json)", box._said.value)[1]
    record.path.with_name(kept).write_text("no answers")
    box._back.click()
    assert kept in box._said.value


CLAIMS = Claims([{"id": "a", "claim": "Wires <win>.", "lesson": "01, 02"}, {"id": "b", "claim": "So do we.", "lesson": "03"},
                 {"id": "c", "claim": "Nobody knows.", "lesson": ""}])


def test_a_claim_says_which_lessons_settle_it_and_takes_a_yes_or_a_no(record):
    assert repr(CLAIMS) == "a  Wires <win>. (lessons 01, 02)\nb  So do we. (lesson 03)\nc  Nobody knows. (still open)"
    cells = re.findall("<td[^>]*>(.*?)</td>", CLAIMS._repr_html_())
    assert cells == ["a", "Wires &lt;win&gt;.", "01, 02", "b", "So do we.", "03", "c", "Nobody knows.", "still open"]
    assert re.findall("<th(?: [^>]*)?>(.*?)</th>", CLAIMS._repr_html_()) == ["", "claim", "lesson"]
    assert CLAIMS._repr_mimebundle_()["text/plain"] == repr(CLAIMS)
    for row in CLAIMS:
        choice = _noted(row).children[0]
        assert choice.tooltips == (f"I believe claim {row['id']}", f"I do not believe claim {row['id']}")
        assert choice.layout.width == "max-content"


def test_what_is_left_is_told_in_hours_and_minutes_above_a_table_with_heads():
    """Of twice 60 minutes a quarter of one is done: 105 minutes are left."""
    lessons = [Done("00", "a.ipynb", 60, dict.fromkeys(MARKS, (done, 4))) for done in (1, 0)]
    html = Overview(lessons).children[0].value
    assert "0 of 2 lessons done, about 1 h 45 min left." in html
    assert re.findall("<th>(.*?)</th>", html) == ["lesson", *MARKS, "minutes left", "done"]


def test_votes_are_a_table_with_heads():
    verdict = find("verdicts", "k")
    html = Votes([verdict]).children[0].value
    assert re.findall("<th>(.*?)</th>", html) == ["claim", "you noted", "the lessons find"]


def test_a_gate_shows_a_thing_as_it_shows_itself(record):
    table, widget = pd.DataFrame({"a": [7]}), HTML("live")
    record.record("predictions", ASKED[0].key, {"typed": "1 GB/s"})
    assert Gate(ASKED[0], widget).children == (widget,)
    assert "fl-after" in Gate(ASKED[0], widget)._dom_classes
    lab = book.lab("wire-map")
    assert Gate(ASKED[0], lab).children == (lab.widget,)
    with pytest.raises(ValueError, match="thing must have a form in HTML, .*; got .*wire-map"):
        book.fold("a lab", lab)
    assert "<td>7</td>" in Gate(ASKED[0], table).children[0].value
    assert "<td>7</td>" in Gate(ASKED[0], table)._repr_mimebundle_()["text/html"]

    class Twofold:
        def _repr_mimebundle_(self):
            return {"text/plain": "x", "image/png": "picture"}, {"image/png": {"width": 3}}

    assert Gate(ASKED[0], Twofold())._repr_mimebundle_()["image/png"] == "picture"


def test_a_long_question_of_a_lock_is_cut_between_words():
    assert locked(ASKED[0]) == "Locked: this opens when you have answered the question “How fast?”"
    words = "word " * 40
    said = locked(Prediction("moving_bytes.long", words, "rate", lambda: 1e9, ""))
    assert re.search("“(.*)”", said)[1] == "word " * 21 + "word …"


def test_an_empty_box_is_empty_and_a_sentence_alone_has_nothing_below_it():
    assert view.html_box().value == ""
    assert "<div></div>" not in view.sentence("right", "So it is.")
    alone, more = view.sentence("right", "So it is."), view.sentence("right", "So it is.", more="More.")
    assert alone.count("<div>") + 1 == more.count("<div>")


def test_what_was_only_shown_leaves_the_box_empty_and_its_other_ways_look_like_links(record):
    box = PredictionBox(ASKED[0])
    text, _, *links = [one for one in all_in(box) if isinstance(one, Button | Text)]
    assert all("fl-link" in one._dom_classes for one in links)
    assert not text.continuous_update  # a learner who types has not answered yet
    links[0].click()
    assert (record.get("predictions", ASKED[0].key), text.value) == ({"shown": True}, "")


def test_rows_of_labels_follow_one_another():
    assert book.show({"a": "1 µs", "b": "2 µs"})._repr_html_().count("</td></tr><tr><th") == 1


# ------------------------------------------------------------------ the picture of the guesses

def marks(svg: str) -> list[tuple[float, float]]:
    """Return (x, y) of the middle of each mark, from left to right."""
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    corners = [[tuple(map(float, one.split(","))) for one in points.split()]
               for points in re.findall(r'<polygon points="([^"]*)"', svg)]
    return sorted([(float(x), float(y)) for x, y in circles] + [tuple(np.mean(one, axis=0)) for one in corners])


def test_guesses_stand_from_left_to_right_and_as_high_as_they_are_too_large(record):
    """In logarithms: ten times too large is half way up to a hundred times, which is the edge, and so is whatever is more."""
    for one, typed in zip(ASKED, ("1 GB/s", "10 GB/s", "100 GB/s", "0.1 GB/s", "1e6 GB/s"), strict=True):
        record.record("predictions", one.key, {"typed": typed})
    svg = Guesses(ASKED).children[0].value
    (x, y) = zip(*marks(svg), strict=True)
    assert np.diff(x) == pytest.approx([np.diff(x)[0]] * 4, abs=0.2)
    truth = y[0]
    assert [truth - one for one in y] == pytest.approx([0, 41.5, 83, -41.5, 83], abs=0.1)
    lines = {text: float(at) for at, text in re.findall(r'<line [^>]*y1="([\d.]+)"[^>]*/><text [^>]*>([^<]*)</text>', svg)}
    assert lines == {"100 times": y[2], "10 times": y[1], "the truth": truth, "a tenth": y[3], "1/100": 2 * truth - y[2]}
    assert float(re.search(r'x2="(\d+)"', svg)[1]) - 8 == pytest.approx(x[-1], abs=0.1)
    rows = re.findall("<tr><td>(.)</td><td>(.*?)</td></tr>", svg)
    assert [mark for mark, _ in rows] == ["✓", "✗", "✗", "✗", "✗"]
    assert rows[3][1] == "moving_bytes.q3: 0.1 GB/s, 10 times smaller than the answer, 1 GB/s"


def test_a_guess_is_told_in_the_digits_that_it_has(record):
    record.record("predictions", ASKED[0].key, {"typed": "1.5 GB/s"})
    (one,) = guesses(ASKED)
    assert one.value == 1.5e9
    assert told([one]).endswith("the one in the middle was off by a factor of 1.5.")


# ------------------------------------------------------------------ answers that are nearly right

@pytest.mark.parametrize(("typed", "verdict"), [("150 steps", "right"), ("151 steps", "right"), ("153 steps", "close"),
                                                ("170 steps", "off")])
def test_a_count_is_right_within_a_hundredth(typed, verdict):
    asked = Prediction("moving_bytes.steps", "?", "ratio", lambda: 150, "", unit="steps")
    assert judge(asked, typed).verdict == verdict


@pytest.mark.parametrize("bad", ["12", None, 10**400])
def test_a_number_that_no_float_holds_is_refused(bad):
    with pytest.raises(ValueError, match="value must be a number that a float can hold; got "):
        short(bad)


def test_what_is_as_large_is_so_once():
    assert times(1) == "1.0 times"


def test_an_answer_that_is_close_by_a_known_slip_says_which():
    asked = Prediction("moving_bytes.a", "?", "rate", lambda: 1e9, "", slips={"that is the raw rate": 1.1e9})
    assert (judge(asked, "1.1 GB/s").verdict, judge(asked, "1.1 GB/s").slip) == ("close", "that is the raw rate")


@pytest.mark.parametrize("bad", [17, "1" * 5000])
def test_what_is_no_text_or_far_too_long_is_shown_as_far_as_it_fits(bad):
    with pytest.raises(ValueError, match="got '?1"):
        ASKED[0].parse(bad)


def test_a_known_wrong_answer_gets_its_hint_below_the_task():
    html = grade(DOUBLE, lambda n: n * n)._repr_html_()
    assert html.index("Write &lt;double&gt;.") < html.index("That squares.")


def deep(n, left=60):
    if left:
        return deep(n, left - 1)
    return n / 0


def endless(n):
    return endless(n)


@pytest.mark.parametrize(("given", "error"), [
    (endless, "it calls itself without end."), (lambda n: {}["a."], "KeyError: 'a.'."),
    (lambda n: (_ for _ in ()).throw(ValueError("No.")), "ValueError: No.")])
def test_an_error_is_one_sentence_with_one_full_stop(given, error):
    assert [one.error for one in outcomes(given, DOUBLE)] == [error]


def test_an_error_deep_in_a_call_is_placed_where_it_happened():
    (one,) = outcomes(deep, DOUBLE)
    assert one.place.endswith("(return n / 0)")


def test_a_value_without_cases_may_be_computed_and_is_called_by_its_name():
    value = Exercise("moving_bytes.n", "Set n.", "n", lambda: 3, "n = 3")
    assert [one.call for one in outcomes(lambda: 3, value)] == ["n()"]


class Odd:
    def __array__(self, *_, **__):
        raise RuntimeError


@pytest.mark.parametrize(("got", "expected", "same"), [
    (Outcome(value=1.0), Outcome(value=1.0005), True), (Outcome(value=1.0), Outcome(value=1.01), False),
    (Outcome(value=0.0), Outcome(value=1e-9), False), (Outcome(value=2e-9), Outcome(value=1e-9), False),
    (Outcome(error="a"), Outcome(error="a"), True), (Outcome(error="a"), Outcome(value=1.0), False),
    (Outcome(value=None), Outcome(error="a"), False), (Outcome(value=Odd()), Outcome(value=1.0), False),
    (Outcome(value="1"), Outcome(value=1), False), (Outcome(value=[1, 2]), Outcome(value=[1.0, 2.0]), True),
    (Outcome(value=[1]), Outcome(value=[1, 1]), False)])
def test_answers_agree_by_their_ratio_however_small_they_are(got, expected, same):
    assert agree(got, expected, 1e-3) is same


# ------------------------------------------------------------------ stops

def test_a_stop_s_declaration_names_what_is_wrong_with_it(asking):
    with pytest.raises(ValueError, match="option 'It rises' is not known"):
        Choice("a", "", "", ["It grows", "It falls"], lambda see: "It grows", "", hints={"It rises": "No."})
    with pytest.raises(ValueError, match="kind 'colour' is not known"):
        Number("a", "", "", "colour", lambda see: 1.0, "")
    nowhere = Find("a", "", "", "slope", lambda see: False, "")
    with pytest.raises(ValueError, match=r"no value of control slope is accepted by stop a; got \[1.0, 2.0, 5.0, 10.0\]"):
        nowhere.shown(asking(), str)


def test_the_browser_is_told_what_kind_of_stop_to_draw(asking):
    drawn = {one["key"]: one for one in asking().widget.setup["stops"]}
    assert {key: one["kind"] for key, one in drawn.items()} == {"grows": "choice", "largest": "number", "ten": "find"}
    assert drawn["ten"]["control"] == "slope"


def send(lab, **message):
    lab.widget._handle_custom_msg({"id": "v-1", **message}, [])


@pytest.mark.parametrize(("stop", "given", "kept"), [
    ("grows", "It grows", "It grows"), ("grows", "It falls", "It falls"), ("largest", "8 s", "8 s"), ("largest", "9 s", "9 s"),
    ("ten", {"slope": 2, "kind": 1}, "5"), ("ten", {"slope": 1, "kind": 1}, "2")])
def test_what_was_answered_is_kept_even_where_the_answer_is_shown_afterwards(asking, stop, given, kept):
    lab = asking()
    send(lab, stop=stop, given=given)
    assert current().get("stops", f"trial.asking.{stop}")["given"] == kept
    send(lab, stop=stop, show=True)
    assert current().get("stops", f"trial.asking.{stop}")["given"] == kept


def test_a_right_choice_is_told_in_a_word_and_an_empty_number_gets_an_example(asking):
    lab = asking()
    stops = {key: one.declared for key, one in lab.stops.items()}
    assert stops["grows"].judge(lab, str, "It grows").sentence == "Right."
    empty = stops["largest"].judge(lab, str, "  ")
    assert (empty.outcome, empty.sentence) == ("", "Type your answer first, such as 7.5 ms.")


# ------------------------------------------------------------------ bare numbers

@pytest.mark.parametrize(("text", "bare"), [
    ("4 times as much", []), ("5 times as much", ["5 times"]), ("64 KiB", []), ("64 KB", ["64 KB"]), ("65 KiB", ["65 KiB"]),
    ("all 100 %", []), ("0 % of it", []), ("99 %", ["99 %"]), ("bits 0101 go", []), ("16 of 17 ports", ["17"]),
    ("in 2024 some 2100", ["2100"]), ("1,024 of 1,025", ["1,025"]), ("NVLink 4 has 18 of them", ["18"]), ("2.5", ["2.5"])])
def test_numbers_that_a_text_may_state_by_itself(text, bare):
    assert bare_numbers(text) == bare
