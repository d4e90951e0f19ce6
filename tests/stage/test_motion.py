"""What moves, in a real Chromium: steps that play, pictures that glide, marks that are clicked and dragged."""

import pytest
from lab_page import opened

from fabricbook.stage import Control, Lab, charts, lab
from fabricbook.stage.widget import VEGA

pytestmark = pytest.mark.browser
NAMES, SIZES = ["red", "green", "blue"], [1, 2, 4, 8, 16]


def _chart():
    x, y = charts.x("at", (1, 16), log=2), charts.names("who", NAMES)
    return charts.stack(charts.live().mark_point(size=900, filled=True, shape="square").encode(x=x, y=y), description="A walk.")


@lab("walk", title="Walk", tier="chip",
     controls=[Control("step", range(5), default=0, as_="steps", until=lambda size, mine, throw: size if size < 4 else 4),
               Control("size", SIZES, default=4, drags="x"),
               Control("mine", NAMES, default="red", as_="menu", picks="who"),
               Control("throw", range(3), default=0, as_="steps", verb="throw")],
     chart=_chart, leaves_out="All.", sources=["stas-network"], glides=["at"])
def _walk(step, size, mine, throw):
    at = [2.0**step, 1.0, 16.0]
    return {"who": NAMES, "at": at, "said": [f"{mine} {step}"] * 3}, f"Step {step} of {mine}, size {size}, throw {throw}."


@pytest.fixture
def walk():
    return Lab(_walk.declaration)


@pytest.fixture
def page(timeless, walk):
    with opened(timeless, walk) as page:
        page.evaluate("""() => {
            globalThis.lab = open();
            globalThis.press = (label) => lab.find(`[aria-label="${label}"]`).click();
            globalThis.asked = () => lab.questions().map((question) => question.values.step);
        }""")
        yield page


def test_next_and_previous_ask_for_the_neighbour_and_stop_at_the_ends(page):
    assert page.evaluate("""() => {
        press("previous step");
        for (let i = 0; i < 6; i++) { press("next step"); if (lab.questions().length) lab.reply(); }
        const up = asked();
        press("previous step");
        return [up, asked().at(-1), lab.find("[aria-label='next step']").getAttribute("aria-disabled")];
    }""") == [[1, 2, 3, 4], 3, "false"]


def test_play_takes_a_beat_for_each_step_and_stops_at_the_end(page):
    page.evaluate("press('play step')")
    assert page.evaluate("asked()") == [1]
    for step in (2, 3, 4):
        page.evaluate("lab.reply()")
        page.clock.run_for(800)
        assert page.evaluate("asked().at(-1)") == step - 1
        page.clock.run_for(200)
        assert page.evaluate("asked().at(-1)") == step
    page.evaluate("lab.reply()")
    page.clock.run_for(5000)
    assert page.evaluate("[asked(), lab.find('.fl-play').textContent]") == [[1, 2, 3, 4], "play"]
    page.evaluate("press('play step')")  # at the end: from the first again
    assert page.evaluate("asked().at(-1)") == 0


def test_play_waits_for_the_answer(page):
    page.evaluate("press('play step')")
    page.clock.run_for(5000)
    assert page.evaluate("asked()") == [1]
    page.evaluate("lab.reply()")
    page.clock.run_for(1000)
    assert page.evaluate("asked()") == [1, 2]


@pytest.mark.parametrize("stop", ["press('pause step')", "lab.slide(3)", "lab.find('.fl-reset').click()", "press('throw')",
                                  "lab.leave()"])
def test_pause_or_another_move_ends_the_play(page, stop):
    page.evaluate("() => { press('play step'); lab.reply(); }")
    page.evaluate(f"() => {{ {stop}; if (lab.sent.length) lab.reply(); }}")
    before = page.evaluate("lab.questions().length")
    page.clock.run_for(3000)
    assert page.evaluate("lab.questions().length") == before
    assert page.evaluate("lab.find('.fl-play').textContent") == "play"


def test_a_step_control_works_from_the_keyboard_and_says_its_buttons(page):
    page.get_by_role("button", name="next step").focus()
    page.keyboard.press("Enter")
    page.evaluate("lab.reply()")
    page.keyboard.press("Space")
    page.evaluate("lab.reply()")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("asked()") == [1, 2, 1]
    assert page.get_by_role("button", name="play step").count() == 1


def test_a_control_with_a_verb_has_one_button_that_starts_again_at_its_end(page):
    assert page.evaluate("""() => {
        for (let i = 0; i < 4; i++) { press("throw"); lab.reply(); }
        return [lab.find(".fl-verb").textContent, lab.questions().map((question) => question.values.throw)];
    }""") == ["Throw", [1, 2, 0, 1]]


def test_a_control_ends_where_the_others_say(page):
    assert page.evaluate("""() => {
        lab.slide(4);
        lab.reply({ ends: { step: 2 }, values: { step: 2, size: 1, mine: 0, throw: 0 } });
        const input = lab.find("input");
        return [input.valueAsNumber, input.max, lab.find(".fl-value").textContent, input.disabled,
                lab.find("[aria-label='next step']").getAttribute("aria-disabled")];
    }""") == [2, "2", "2", False, "true"]
    assert page.evaluate("() => { lab.answer({ id: null, ends: { step: 0 } }); return lab.find('input').disabled; }")


def test_the_kernel_brings_a_control_back_to_its_end(walk):
    assert walk.evaluate(step=4, size=2)[1] == walk.evaluate(step=2, size=2)[1] == "Step 2 of red, size 2, throw 0."
    walk.set(size=1, step=3)
    assert (walk.widget.state["values"]["step"], walk.widget.state["ends"]["step"]) == (1, 1)


GLIDE = """(how) => {
    const from = { who: ["a", "b"], at: [0, 8], said: ["x", "x"] }, to = { who: ["b", "a"], at: [4, null], said: ["y", "y"] };
    lab.answer({ id: null, columns: from });
    drawn.length = 0;
    if (how === "step") press("next step");
    if (how === "menu") lab.find("select").dispatchEvent(new Event("input", { bubbles: true }));
    if (how === "python") lab.answer({ id: null, columns: to });
    else lab.reply({ columns: to });
}"""


@pytest.fixture
def embedded(page):
    page.evaluate("lab.sendVega()")
    page.wait_for_function("lab.find('.fl-chart').flView")
    return page


@pytest.fixture
def gliding(embedded):
    def play(how, **options):
        embedded.emulate_media(**options)
        embedded.evaluate(GLIDE, how)
        embedded.clock.run_for(600)
        return embedded.evaluate("drawn")

    return play


LAST = [{"who": "b", "at": 4, "said": "y"}, {"who": "a", "at": None, "said": "y"}]


def test_a_step_glides_and_its_last_frame_is_the_new_state(gliding):
    frames = gliding("step")
    places = [rows[0]["at"] for rows in frames]
    assert len(frames) > 3
    assert places == sorted(places)
    assert 0 < places[len(places) // 2] < 4
    assert frames[-1] == LAST
    assert all(rows[0]["who"] == "b" and rows[1]["at"] is None for rows in frames)  # what does not glide is new at once


@pytest.mark.parametrize(("how", "options"), [("menu", {}), ("python", {}), ("step", {"reduced_motion": "reduce"})])
def test_what_is_no_step_and_whoever_wants_less_motion_gets_the_new_state_at_once(gliding, how, options):
    frames = gliding(how, **options)
    assert frames[-1] == LAST
    assert all(rows[0]["at"] in (0, 4) for rows in frames)


def test_a_newer_state_ends_a_glide(embedded):
    columns = "{ who: ['a', 'b', 'c'], at: [%d, 1, 1], said: ['', '', ''] }"
    embedded.evaluate(f"() => {{ press('next step'); lab.reply({{ columns: {columns % 4000} }}); }}")
    embedded.clock.run_for(60)
    assert 0 < embedded.evaluate("drawn.at(-1)[0].at") < 4000
    embedded.evaluate(f"() => {{ drawn.length = 0; lab.answer({{ id: null, columns: {columns % 7} }}); }}")
    embedded.clock.run_for(400)
    assert embedded.evaluate("drawn.map((rows) => rows[0].at)") == [7]


# ---- clicks and drags, with the real Vega ----


@pytest.fixture
def drawn(drawn_of, walk):
    yield from drawn_of(walk)


@pytest.fixture
def drawn_of(tab):
    return lambda lab: _drawn(tab, lab)


def _drawn(tab, lab):
    with opened(tab, lab, VEGA.read_text(encoding="utf-8")) as page:
        page.evaluate("""() => {
            globalThis.lab = open();
            globalThis.marks = [];
            lab.el.addEventListener("fl-mark", (event) => marks.push(event.detail.row));
            lab.sendVega();
        }""")
        page.wait_for_function("lab.find('.fl-chart').flView")
        page.evaluate("""() => {
            const box = lab.find(".fl-chart"), view = box.flView;
            globalThis.spot = (at, who) => {
                const corner = box.querySelector("canvas").getBoundingClientRect(), [left, top] = view.origin();
                const [x, y] = [view.scale("x"), view.scale("y")];
                return [corner.x + left + x(at), corner.y + top + y(who) + y.bandwidth() / 2];
            };
        }""")
        yield page


def test_a_click_on_a_mark_says_so_and_picks_the_control_s_value(drawn):
    x, y = drawn.evaluate("spot(16, 'blue')")
    drawn.mouse.move(x, y)
    assert drawn.evaluate("getComputedStyle(lab.find('canvas')).cursor") == "pointer"
    drawn.mouse.click(x, y)
    assert drawn.evaluate("[lab.find('select').value, marks]") == ["blue", [{"who": "blue", "at": 16, "said": "red 0"}]]


def test_a_drag_sets_the_listed_value_nearest_to_the_pointer(drawn):
    heard = []
    for at, who in ((2.6, "red"), (7, "green"), (15, "green")):
        x, y = drawn.evaluate(f"spot({at}, '{who}')")
        drawn.mouse.move(x, y)
        drawn.mouse.down()
        heard.append(drawn.evaluate("lab.find('[name=size]').valueAsNumber"))
    drawn.mouse.move(0, 0)
    heard.append(drawn.evaluate("lab.find('[name=size]').valueAsNumber"))
    drawn.mouse.up()
    drawn.mouse.move(*drawn.evaluate("spot(8, 'red')"))
    assert [*heard, drawn.evaluate("lab.find('[name=size]').valueAsNumber")] == [1, 3, 4, 0, 0]
    assert drawn.evaluate("lab.questions().length") == 1  # the others waited, and only the newest is kept


def test_a_drag_leaves_scrolling_across_it_to_the_finger(drawn):
    assert drawn.evaluate("lab.find('.fl-chart').style.touchAction") == "pan-y"


@lab("cards", title="Cards", tier="server",
     controls=[Control("card", NAMES, default="red", as_="menu", picks="place", carries="held"),
               Control("other", NAMES, default="red", as_="menu", picks="who")],
     chart=_chart, leaves_out="All.", sources=["stas-network"])
def _cards(card, other):
    return {"who": NAMES, "at": [1.0, 4.0, 16.0], "place": NAMES, "held": ["", "me", ""]}, f"Card 1 is {card}."


@pytest.fixture
def cards(drawn_of):
    yield from drawn_of(Lab(_cards.declaration))


def test_a_mark_is_carried_to_the_one_that_says_where_it_is_then(cards):
    (x, y), (to_x, to_y) = cards.evaluate("[spot(4, 'green'), spot(16, 'blue')]")
    cards.mouse.move(x, y)
    assert cards.evaluate("getComputedStyle(lab.find('canvas')).cursor") == "grab"
    cards.mouse.down()
    cards.mouse.move((x + to_x) / 2, (y + to_y) / 2)
    held = cards.evaluate("(() => { const box = lab.find('.fl-held').getBoundingClientRect(); return [box.x, box.width]; })()")
    assert abs(held[0] + held[1] / 2 - (x + to_x) / 2) < 1
    assert cards.inner_text(".fl-held") == "me"
    cards.mouse.move(to_x, to_y)
    cards.mouse.up()
    assert cards.evaluate("[lab.find('[name=card]').value, lab.find('[name=other]').value, marks.length]") == ["blue", "red", 0]
    assert cards.locator(".fl-held").count() == 0


def test_a_mark_let_go_beside_all_others_or_where_it_was_stays(cards):
    x, y = cards.evaluate("spot(4, 'green')")
    cards.mouse.move(x, y)
    cards.mouse.down()
    cards.mouse.move(x, y + 60)
    cards.mouse.move(0, 0)
    cards.mouse.up()
    assert cards.evaluate("[lab.find('[name=card]').value, document.querySelectorAll('.fl-held').length]") == ["red", 0]
    cards.mouse.click(x, y)  # a click remains one
    assert cards.evaluate("[lab.find('[name=card]').value, lab.find('[name=other]').value]") == ["green", "green"]
