"""What a page unpacks is what Python packed: any table exactly, numbers to the digits that are drawn, every place of a lab."""

from __future__ import annotations

import json
import math

import pytest
from book import states
from book.packing import STEPS, coded, document, packed, rounded, runs_of
from book.player import FILES
from book.states import Coded, places, walked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fabricbook
from fabricbook.stage import Control, Lab, charts, lab
from fabricbook.stage.widget import state_after

FINITE = st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.none() | st.booleans() | st.integers(-9, 2**50) | FINITE | st.text(max_size=9)
CONTENTS = st.lists(st.lists(CELLS, min_size=1, max_size=6) | CELLS.map(lambda cell: [cell] * 9), min_size=1, max_size=8)
UNPACK = """async ([text, places]) => {
  const at = coded(await unpacked(text));
  return Array.from({ length: places }, (_, place) => at(place)).map((line) => line && listed(JSON.parse(line)));
}"""
WALK = """async ([text, names, asked]) => {
  const lab = grid(await unpacked(text), names);
  return asked.map((positions) => lab.state(positions, { id: null, values: {}, ends: {}, columns: {}, sentence: "", error: "" }));
}"""


@lab("uneven", title="Uneven", tier="chip", chart=charts.stack, leaves_out="", sources=[],
     controls=[Control("ranks", [2, 3, 4], default=2),
               Control("step", range(5), default=0, until=lambda ranks, way: _last(ranks, way)),
               Control("way", ["ring", "tree"], default="ring", as_="menu")])
def _uneven(ranks, step, way):
    """Has fewer steps with fewer ranks, none with 3 in a tree, and fails or refuses here and there."""
    if step == 3:
        raise ValueError("step 3 is refused.")
    if step == 4:
        raise ZeroDivisionError("division by zero")
    table = {"rank": list(range(ranks)), "part": [way] * ranks, "share": [step / 3, math.nan] + [math.inf] * (ranks - 2)}
    return table, f"Step {step} of “{way}” on {ranks}."


def _last(ranks, way):
    if (ranks, way) == (3, "tree"):
        raise ValueError("ranks must be a power of two in a tree; got 3.")
    return ranks


@pytest.fixture
def page(tab):
    tab.add_script_tag(content=(FILES / "states.js").read_text(encoding="utf-8"))
    return tab


def told(texts) -> Coded:
    found = Coded()
    for text in texts:
        found.add(text)
    return found


def same(one, other) -> bool:
    """Whether two JSON values are one in JavaScript, where 1.0 and 1 are, and 1 and True are not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool) | isinstance(other, bool):
        return float(one) == float(other)
    return one == other and type(one) is type(other)


@pytest.mark.browser
# The page keeps nothing from one example to the next.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(contents=CONTENTS, data=st.data())
def test_any_table_comes_back_as_it_was(page, contents, data):
    at = data.draw(st.lists(st.sampled_from([None, *contents]), max_size=12))
    column = told(content if content is None else json.dumps(content) for content in at)
    found = page.evaluate(UNPACK, [packed(coded(column, runs_of)), len(at)])
    assert same(found, at)


@pytest.mark.browser
def test_every_place_is_answered_as_the_widget_does(page):
    uneven = Lab(_uneven.declaration)
    asked = list(places(uneven))
    nothing = {"id": None, "values": {}, "ends": {}, "columns": {}, "sentence": "", "error": ""}
    here = [state_after(uneven, nothing, lambda place=place: place) for place in asked]
    there = page.evaluate(WALK, [packed(document(walked(uneven))), list(uneven.controls), asked])
    assert there == here
    assert {state["error"][:12] for state in here} == {"", "step 3 is re", "This lab's m", "ranks must b"}


@given(st.lists(st.floats(-1e12, 1e12) | st.floats(1e-9, 1e-3), min_size=2, max_size=99), st.floats(-1e6, 1e6))
def test_a_number_is_moved_less_than_can_be_seen(values, offset):
    values = [value + offset for value in values]
    column = rounded(told(json.dumps([value]) for value in values))
    found = [json.loads(column.texts[at])[0] for at in column.at]
    span = max(values) - min(values)
    for near, value in zip(found, values, strict=True):
        assert abs(near - value) <= max(min(span / STEPS, 5e-4 * abs(value)), 1e-15 * abs(value))


def test_what_a_column_rarely_shows_is_left_as_it_is():
    column = told(json.dumps([one / 7]) for one in range(32))
    assert rounded(column) is column


def test_states_are_computed_once_for_the_same_content(tmp_path, monkeypatch):
    first = states.states("two-servers", tmp_path)
    monkeypatch.setattr(states, "walked", lambda lab: pytest.fail("computed again"))
    assert states.states("two-servers", tmp_path) == first
    monkeypatch.setattr(states, "content", lambda name: "another")
    monkeypatch.setattr(states, "walked", lambda lab: first)
    states.states("two-servers", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["two-servers.another"]


@pytest.mark.parametrize("name", states.THINNED)
def test_a_thinned_lab_asks_the_same_and_says_what_it_lacks(name):
    whole, thin = fabricbook.lab(name), states.on_page(name)
    assert [stop.shown()[0] for stop in thin.stops.values()] == [stop.shown()[0] for stop in whole.stops.values()]
    assert all(f"{control.label} has {len(control.values)} of its" in states.thinning(name)
               for key, control in thin.controls.items() if control.values != whole.controls[key].values)
    assert states.thinning("two-servers") == ""


def test_a_text_of_two_lines_is_refused():
    with pytest.raises(ValueError, match="texts must be of one line"):
        coded(told(["one\ntwo"]))


def test_a_cache_that_was_killed_while_it_was_written_is_written_again(tmp_path, monkeypatch):
    def killed(path, content):
        with path.open("wb") as file:
            file.write(content[:3])
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(states.Path, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            states.remembered(tmp_path, "uneven", "1", lambda: b"whole")
    assert states.remembered(tmp_path, "uneven", "1", lambda: b"whole") == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["uneven.1"]
