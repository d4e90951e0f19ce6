"""Who is stuck: where each learner is, what was tried without success, and which question holds up the room."""

from learners_records import NOW

from fabricbook.trainer import records, stuck


def test_a_room_by_learner_and_by_question(room):
    wrong = {"outcome": "wrong", "given": "7", "tries": 3}
    room("ana.json", minutes_ago=12, predictions={"congestion.slowest": {"typed": "3 %"}},
         stops={"congestion.hash-draw.fullest": wrong, "pcie.pcie-tree.none": {"outcome": "right", "tries": 1}})
    room("bo.json", minutes_ago=1, exercises={"pcie.x": {"passed": True}},
         stops={"congestion.hash-draw.fullest": wrong | {"tries": 1}})
    room("cy.json", minutes_ago=0, stops={}, predictions={})
    lines = stuck.report(records.learners([room.folder]), NOW).splitlines()
    assert lines == [
        "3 learners: 1 in not begun, 2 in 10 · Congestion", "",
        "learner  lesson  done  tries  quiet   not right yet",
        "ana      10      2     3      12 min  congestion.hash-draw.fullest",
        "bo       10      1     1      1 min   congestion.hash-draw.fullest",
        "cy       -       0            0 min", "",
        "question                      learners  tries",
        "congestion.hash-draw.fullest  2         4"]


def test_in_a_plan_the_last_lesson_is_that_of_its_order(room):
    room("ana.json", predictions={"congestion.slowest": {"typed": "3 %"}, "pcie.uplink": {"typed": "3 GB/s"}})
    [ana] = records.learners([room.folder])
    assert stuck.where(ana, NOW).lesson == "congestion"
    assert stuck.where(ana, NOW, ["congestion", "pcie"]).lesson == "pcie"


def test_an_empty_room_says_so():
    assert stuck.report([], NOW) == "No record of answers is there yet."


def test_what_a_learner_wrote_commands_no_terminal(room):
    stops = {"cxl.\x1b]0;owned\x07": {"outcome": "wrong"}, "cxl.\ud800": {"outcome": "wrong"}}
    room("e\x1b[2Jve.json", stops=stops)
    told = stuck.report(records.learners([room.folder]), NOW)
    assert "e?[2Jve  04      0     2      0 min  cxl.?]0;owned?, cxl.?" in told.splitlines()
    assert told.replace("\n", "").isprintable()


def test_what_a_damaged_record_holds_stops_nothing(room):
    stops = {"cxl.a.b": {"outcome": "wrong", "tries": "many"}, "nowhere.a": {}, "": {}}
    room("eve.json", stops=stops, predictions={"cxl.half": 3})
    [at] = (stuck.where(one, NOW) for one in records.learners([room.folder]))
    assert (at.lesson, at.wrong) == ("cxl", {"cxl.a.b": 1})
