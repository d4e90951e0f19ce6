"""The room's guesses on the wall: first guesses, no names, no answer before it is opened, and nothing for strangers."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request

import axe
import pytest
from learners_records import guessed
from patience import PATIENCE

from fabricbook.course.declare import Prediction
from fabricbook.course.guesses import first
from fabricbook.lessons import find
from fabricbook.trainer import guesses, records, wall
from fabricbook.trainer.line import BASE, EDGE, WIDTH, Axis, picture, piled

ASKED = Prediction("trial.rate", "How fast?", "rate", lambda: 4.5e11, "So it is.", per_direction=True)
SHARE = find("predictions", "congestion.slowest")


def learners(room):
    return records.learners([room.folder])


def test_the_first_guess_counts_and_not_what_was_typed_after_the_answer_was_seen(room):
    room("a.json", **guessed("60 %", "38.5 %"))
    room("b.json", **guessed("20 %"))
    room("c.json", predictions={"congestion.slowest": {"shown": True}})
    room("d.json", predictions={"congestion.slowest": {"typed": "38 %"}},
         attempts={"congestion.slowest": {"entries": [{"shown": True}, {"typed": "38 %"}]}})
    room("e.json", predictions={"congestion.slowest": {"typed": "nonsense"}, "cxl.half": {"typed": "3 GB/s"}})
    room("f.json", predictions={"congestion.slowest": {"typed": "50 %"}})  # of an earlier course
    found = guesses.gather(SHARE, learners(room))
    assert found.values == [20, 50, 60]
    assert found.shown == 2
    assert guesses.counted(found) == "3 guesses, the largest 3.0 times the smallest; 2 looked at the answer instead."


def test_nothing_of_the_answer_and_no_name_is_sent_before_it_is_opened(room):
    room("maria.json", **guessed("60 %"))
    room("jan/progress.json", **guessed("12 %"))
    closed, opened = (wall.now(SHARE, learners(room), opened=opened) for opened in (False, True))
    assert "38" not in json.dumps(closed)
    assert closed["told"] == []
    assert not re.search("maria|jan", json.dumps([closed, opened]))
    assert opened["told"][0].startswith("The answer is 38.5 %.")
    assert opened["told"][1].startswith("Right 0, close 0, of 2.")
    assert "38.5 %" in opened["picture"]


def test_guesses_of_all_sizes_are_said_in_few_words():
    given = [first(ASKED, [{"typed": typed}]) for typed in ("1 B/s", "1e30 B/s")]
    assert guesses.counted(guesses.Guesses(given, 0)) == "2 guesses, the largest more than a million times the smallest."


def test_slips_are_counted():
    given = [first(ASKED, [{"typed": typed}]) for typed in ("450 GB/s", "900 GB/s", "900 GB/s", "500 GB/s")]
    assert guesses.told(ASKED, guesses.Guesses(given, 0)) == [
        "The answer is 450 GB/s. So it is.", "Right 1, close 1, of 4. The middle guess is 1.6 times the answer.",
        "2 ×: that counts both directions; one is asked for"]


def test_an_empty_wall_says_so():
    empty = wall.now(ASKED, [], opened=False)
    assert empty["counted"] == "No guess yet."
    assert "<circle" not in empty["picture"]
    assert "450 GB/s" in wall.now(ASKED, [], opened=True)["picture"]


def test_an_axis_is_in_proportion_until_guesses_span_powers_of_ten():
    near, far = Axis([100.0, 200.0, 300.0]), Axis([1e3, 1e6, 1e9])
    assert not near.log
    assert near.place(200.0) == pytest.approx((EDGE + WIDTH - EDGE) / 2)
    assert far.log
    assert far.place(1e6) == pytest.approx(WIDTH / 2)


def test_a_guess_that_is_far_off_stands_at_the_edge_and_hides_nobody():
    axis = Axis([10.0, 11.0, 12.0, 1e30])
    assert axis.place(1e30) == WIDTH - EDGE
    assert axis.place(12.0) - axis.place(10.0) > WIDTH / 3


@pytest.mark.parametrize("values", [[1e-9, 1e-3], [38.5], [0.01, 99.0], [5e9, 4e10], [9e7, 4e10], [1e-6, 9e11], [3.0, 3.0]])
def test_an_axis_has_a_few_round_values(values):
    asked = Prediction("trial.time", "How long?", "time", lambda: 1.0, "")
    axis = Axis(values)
    ticks = axis.ticks(asked)
    assert 1 <= len(ticks) <= 9
    assert all(axis.low <= tick <= axis.high for tick in ticks)


def test_dots_pile_up_and_never_cover_one_another():
    dots = piled([100, 100, 105, 300, 100], 10)
    assert len(set(dots)) == 5
    for at, (x, y) in enumerate(dots):
        assert all(abs(x - other) >= 20 or abs(y - high) >= 20 for other, high in dots[at + 1:])


def test_a_room_of_a_hundred_alike_stays_in_the_picture():
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', picture(ASKED, [4.5e11] * 60, opened=False))]
    assert len(heights) == 60
    assert all(0 < y < BASE for y in heights)


@pytest.fixture
def served(room):
    """The wall of a room, served, and its address."""
    with wall.server(SHARE, lambda: learners(room), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address
        server.shutdown()


def get(address):
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return answer.headers, answer.read().decode()


def test_it_follows_the_guesses_as_they_come_in(room, served):
    room("a.json", **guessed("60 %"))
    now = served.replace("/?", "/now?") + "&open=0"
    assert json.loads(get(now)[1])["counted"] == "1 guess."
    room("b.json", **guessed("10 %"))
    assert json.loads(get(now)[1])["counted"].startswith("2 guesses")


def test_a_stick_that_is_pulled_out_is_told_on_the_page_and_comes_back(room, served):
    room("a.json", **guessed("60 %"))
    now, away = served.replace("/?", "/now?"), room.folder.with_name("away")
    room.folder.rename(away)
    assert json.loads(get(now)[1])["counted"].endswith("is not there; name progress files, or a folder that holds them.")
    away.rename(room.folder)
    assert json.loads(get(now)[1])["counted"] == "1 guess."


def test_the_page_loads_nothing_from_elsewhere_and_holds_no_answer(served):
    headers, page = get(served)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "8 senders, 8 paths" in page
    assert "http" not in page
    assert "38.5" not in page


@pytest.mark.parametrize("change", [("token=", "token=x"), ("?token", "?other"), ("/?", "/now?open=1&x")])
def test_a_stranger_gets_nothing(served, change):
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        get(served.replace(*change))
    refused.value.close()


def test_it_listens_on_this_machine_only(served):
    assert served.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_told_in_a_sentence(served):
    port = int(re.search(r":(\d+)/", served)[1])
    with pytest.raises(ValueError, match=rf"port {port} of 127.0.0.1 cannot be had .*name another by --port"):
        wall.server(SHARE, list, port)


@pytest.mark.browser
def test_the_trainer_opens_the_answer_by_a_key_and_the_picture_follows(room, served, browser):
    room("a.json", **guessed("60 %"))
    page = browser.new_page()
    wrong = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(served)
    page.wait_for_selector("circle")
    assert page.locator("#told li").count() == 0
    page.keyboard.press("o")
    page.wait_for_selector("#told li")
    assert "The answer is 38.5 %" in page.inner_text("#told")
    assert page.get_attribute("#open", "aria-pressed") == "true"
    room("b.json", **guessed("12 %"))
    page.locator("circle").nth(1).wait_for()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert axe.findings(page, "body") == []
    page.keyboard.press("o")
    page.locator("#told li").first.wait_for(state="detached")
    assert wrong == []
    page.close()
