"""front/ in a real Chromium, against a kernel and a Vega of our own making: what is said, when, and what shows."""


import pytest
from lab_page import opened

from fabricbook.stage import charts
from fabricbook.stage.words import COME_BACK

pytestmark = pytest.mark.browser


@pytest.fixture
def stage(tab, trial):
    with opened(tab, trial) as page:
        yield page


def test_while_one_question_is_open_only_the_newest_waits(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        [0, 2, 1, 2, 0, 2].forEach(lab.slide);
        const first = lab.questions().map((q) => q.values.latency);
        lab.reply();
        const then = lab.questions().map((q) => q.values.latency);
        lab.reply();
        lab.slide(1);
        return [first, then, lab.questions().map((q) => q.values.latency)];
    }""") == [[0], [0, 2], [0, 2, 1]]


def test_a_late_answer_does_not_move_the_control_back(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        lab.slide(0);
        lab.slide(2);
        lab.reply({ values: { latency: 0, kind: 0 } });
        return lab.find("input").valueAsNumber;
    }""") == 2


def test_set_from_python_moves_the_controls(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        lab.answer({ id: null, values: { latency: 2, kind: 3 }, sentence: "moved" });
        return [lab.find("input").valueAsNumber, lab.find(".fl-value").textContent, lab.find("select").selectedIndex,
                lab.find("[role=status]").textContent, lab.questions().length];
    }""") == [2, "1 ms", 3, "moved", 0]


def test_an_error_is_said_and_dims_the_drawing_until_it_is_over(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        const seen = () => [lab.find("[role=status]").textContent, getComputedStyle(lab.find(".fl-card")).opacity];
        lab.find(".fl-card").style.transition = "none";
        lab.slide(2);
        lab.reply({ error: "No such link." });
        const failed = seen();
        lab.slide(1);
        lab.reply({ sentence: "Fine again." });
        return [failed, seen()];
    }""") == [["No such link.", "0.35"], ["Fine again.", "1"]]


def test_a_lab_that_lost_its_kernel_stays_and_says_how_it_comes_back(stage):
    before, after, label = stage.evaluate("""() => {
        const lab = open();
        const said = () => getComputedStyle(lab.find(".fabriclib-lab"), "::after").content;
        const before = said();
        lab.tell("comm_live_update");
        return [before, said(), lab.find(".fl-label").textContent];
    }""")
    assert before == "none"
    assert COME_BACK in after
    assert label


def test_the_chart_is_embedded_once_and_then_fed(stage):
    stage.evaluate("() => { globalThis.lab = open(); lab.sendVega(); }")
    stage.wait_for_function("lab.find('.fl-chart').flView")
    assert stage.evaluate("embedded[0].datasets.table.length") == 11
    stage.evaluate("() => { lab.slide(2); lab.reply({ columns: { size: [1, 2], time: [3, null] } }); }")
    stage.wait_for_function("drawn.length > 0")
    assert stage.evaluate("[embedded.length, drawn.at(-1)]") == [1, [{"size": 1, "time": 3}, {"size": 2, "time": None}]]


def test_one_lab_of_a_page_fetches_vega_for_all(stage):
    stage.evaluate("() => { globalThis.labs = [open(), open(), open()]; }")
    assert stage.evaluate("labs.map((lab) => lab.asksForVega())") == [1, 0, 0]
    stage.evaluate("labs[0].sendVega()")
    stage.wait_for_function("labs.every((lab) => lab.find('.fl-chart').flView)")
    stage.evaluate("() => { labs[0].leave(); labs.push(open()); }")
    stage.wait_for_function("labs[3].find('.fl-chart').flView")
    assert stage.evaluate("labs.map((lab) => lab.asksForVega())") == [1, 0, 0, 0]


def test_a_lab_that_leaves_hands_its_question_for_vega_on(stage):
    assert stage.evaluate("""() => {
        const labs = [open(), open(), open()];
        labs[1].leave();
        labs[0].leave();
        return labs.map((lab) => lab.asksForVega());
    }""") == [1, 0, 1]


def test_a_lab_that_lost_its_kernel_hands_its_question_for_vega_on(stage):
    """JupyterLab is one page: a kernel that dies before it answers must not leave the labs of other notebooks without charts."""
    assert stage.evaluate("""() => {
        const labs = [open(), open()];
        labs[0].tell("comm_live_update");
        labs[1].sendVega();
        return labs.map((lab) => lab.asksForVega());
    }""") == [1, 1]
    stage.wait_for_function("document.querySelectorAll('.fl-chart')[1].flView")


def test_without_vega_a_sentence_says_so_and_the_table_works(stage):
    stage.evaluate("() => { globalThis.lab = open(); lab.missVega(); }")
    stage.wait_for_selector(".fl-missing")
    assert stage.inner_text(".fl-missing") == "Vega was not built."
    stage.wait_for_selector("td")
    stage.evaluate("() => { lab.slide(2); lab.reply({ columns: { size: [7.123456] } }); }")
    assert stage.locator("td").all_inner_texts() == ["7.123 B"]


def test_the_table_is_built_only_while_open(stage):
    stage.evaluate("() => { globalThis.lab = open(); }")
    assert stage.locator("td").count() == 0
    stage.locator("summary", has_text="table").click()
    stage.wait_for_selector("td")
    assert stage.locator("tbody tr").count() == 11
    assert stage.locator("tbody tr").first.inner_text().split("\t") == ["1 B", "\u2013", "plain"]


def test_the_table_tells_a_reader_numbers_with_their_units_each_row_once(stage):
    stage.evaluate("""() => {
        globalThis.lab = open();
        lab.answer({ id: null, columns: { size: [2048, 2048, 3 * 1024 ** 3, 64, null], time: [1.5e-6, 1.5e-6, 0, null, null],
                                          kind: ["one", "one", "two", "", "only a caption"], empty: ["", "", "", "", ""] } });
    }""")
    stage.locator("summary", has_text="table").click()
    stage.wait_for_selector("td")
    assert stage.locator("tr").all_inner_texts() == ["size\ttime\tkind", "2 KiB\t1.5 \u00b5s\tone", "3 GiB\t0 s\ttwo"]


def test_hostile_text_shows_as_text(stage):
    stage.evaluate("""() => {
        globalThis.lab = open();
        const text = "<img src=x onerror=globalThis.hit=1>";
        lab.answer({ id: null, sentence: text, columns: { [text]: [text] } });
    }""")
    stage.locator("summary", has_text="table").click()
    stage.wait_for_selector("td")
    assert stage.locator(".fabriclib-lab img, .fabriclib-lab b:not(.fl-where b)").count() == 0
    assert stage.inner_text("[role=status]") == stage.inner_text("td") == "<img src=x onerror=globalThis.hit=1>"
    assert stage.inner_text(".fl-title") == "Trial <b>lab</b>"
    assert stage.evaluate("globalThis.hit") is None


def test_reset_asks_for_the_defaults(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        lab.slide(2);
        lab.reply();
        lab.find(".fl-reset").click();
        return [lab.find("input").valueAsNumber, lab.questions().at(-1).values];
    }""") == [1, {"latency": 1, "kind": 0}]


def test_controls_answer_to_the_keyboard_and_to_a_screen_reader(stage):
    stage.evaluate("() => { globalThis.lab = open(); }")
    slider, menu = stage.get_by_label("latency"), stage.get_by_label("kind")
    assert slider.get_attribute("aria-valuetext") == "1 µs"
    slider.focus()
    stage.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "1 ms"
    menu.focus()
    stage.keyboard.press("ArrowDown")
    assert stage.evaluate("lab.find('select').selectedIndex") == 1
    # Every key stays in the lab but those that run the cell: JupyterLab asks for this mark.
    assert menu.get_attribute("data-lm-suppress-shortcuts") is not None
    stage.keyboard.press("Shift+Enter")
    assert menu.get_attribute("data-lm-suppress-shortcuts") is None


def test_a_narrow_window_holds_everything(stage):
    stage.set_viewport_size({"width": 320, "height": 800})
    stage.wait_for_function("innerWidth === 320")
    stage.evaluate("() => { open(); }")
    assert stage.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_silent_kernel_is_told(timeless, trial):
    with opened(timeless, trial) as stage:
        stage.evaluate("() => { globalThis.lab = open(); lab.slide(2); }")
        stage.clock.fast_forward(9000)
        assert stage.inner_text("[role=status]").startswith("The kernel has not answered yet.")


def test_a_kernel_that_takes_no_message_is_told_and_asked_again_next_time(stage):
    assert stage.evaluate("""() => {
        const lab = open();
        const { send } = lab;
        lab.send = () => { throw new Error("Cannot send"); };
        lab.slide(2);
        const told = lab.find("[role=status]").textContent;
        lab.send = send;
        lab.slide(0);
        return [told.split(".")[0], lab.questions().map((question) => question.values.latency)];
    }""") == ["The kernel has not answered yet", [0]]


def test_a_theme_that_changes_embeds_the_chart_anew_in_its_colours(stage):
    stage.evaluate("() => { globalThis.lab = open(); lab.sendVega(); }")
    stage.wait_for_function("lab.find('.fl-chart').flView")
    light = stage.evaluate("JSON.stringify(embedded[0])")
    stage.evaluate("document.body.dataset.jpThemeLight = 'false'")
    stage.wait_for_function("embedded.length === 2 && lab.find('.fl-chart').flView")
    dark = stage.evaluate("JSON.stringify(embedded[1])")
    for colour in (charts.CHIP, charts.PAPER, charts.INK, charts.LIMIT):
        assert f'"{colour}"' in light
        assert f'"{colour}"' not in dark
        assert f'"{charts.DARK[colour]}"' in dark
    assert stage.evaluate("getComputedStyle(lab.find('.fabriclib-lab')).colorScheme") == "dark"
    stage.evaluate("document.body.dataset.jpThemeLight = 'true'")
    stage.wait_for_function("embedded.length === 3")
    assert stage.evaluate("JSON.stringify(embedded[2])") == light


def test_one_key_shows_the_lab_alone_and_large(stage):
    stage.evaluate("() => { globalThis.lab = open(); lab.sendVega(); globalThis.gone = [];"
                   "lab.find('.fabriclib-lab').addEventListener('fl-go', (event) => gone.push(event.detail)); }")
    stage.wait_for_function("lab.find('.fl-chart').flView")
    stage.evaluate("lab.find('.fabriclib-lab').focus()")
    stage.keyboard.press("ArrowRight")
    assert stage.evaluate("gone") == []
    stage.keyboard.press("f")
    stage.wait_for_function("document.fullscreenElement === lab.find('.fabriclib-lab') && embedded.length > 1")
    assert stage.evaluate("Number(lab.find('.fabriclib-lab').style.zoom)") >= 1.5
    stage.keyboard.press("ArrowRight")
    stage.keyboard.press("ArrowLeft")
    assert stage.evaluate("gone") == [1, -1]
    stage.locator("input").first.focus()
    stage.keyboard.press("ArrowRight")
    assert stage.evaluate("gone") == [1, -1]
    stage.evaluate("embedded.length = 0")
    stage.keyboard.press("f")
    stage.wait_for_function("!document.fullscreenElement && embedded.length > 0")
    assert stage.evaluate("lab.find('.fabriclib-lab').style.zoom") == ""


def test_a_message_that_was_not_taken_is_not_told_once_another_is_answered(timeless, trial):
    with opened(timeless, trial) as stage:
        stage.evaluate("""() => {
            globalThis.lab = open();
            const { send } = lab;
            lab.send = () => { throw new Error("no live channel"); };
            lab.slide(0);
            lab.send = send;
            lab.slide(2);
            lab.reply({ sentence: "answered" });
        }""")
        stage.clock.fast_forward(9000)
        assert stage.inner_text("[role=status]") == "answered"
