"""A typed number is judged in the page exactly as the course judges it: the same sentences, on a table of inputs."""

from __future__ import annotations

import json

import pytest
from book.posed import obscured, question, script

from fabricbook.course.declare import Prediction
from fabricbook.course.feedback import judge, shown
from fabricbook.course.stops import Number
from fabricbook.lessons import declared
from fabriclib import units

PREDICTIONS = declared("predictions")
BASE = {"size": "B", "rate": "B/s", "time": "s", "energy": "J", "power": "W"}
NONSENSE = [
    "banana", "-1", "+3", "0", "1e400", "1e-310 s", "-1e400 GB", "9" * 300, "<img src=x>", "1/0 s", "3 * 4 GB/s",
    "1,5 ms", "12 34", "12 gb/s", "12 Gbs", "12 GBsp", "7 secondes", "8 mss", "it's 3", "a\"b'c",
    "5\N{NO-BREAK SPACE}ms", "\x1c4 GB\x85", "５ ms", "1e5٣", "3 \N{BELL}", "🙂" * 70, "about 50 %", "ca. 0.5",
    "~7 GB per second", "2 GB / sec", "approx. 3 us", "4 PER CENT", "3x", "3 times", "12 steps", "0.0127 V", "1 kWh",
    "1 KiB/s", "3 wk", "2 Hours", "5 μs", "1e-31 J", "1.", ".5 ms", "3 toString", "2 constructor", "1 per s",
    "1 superb/s", "0.5", "50", "50%", "1e22 B/s", "6e25", "1e30 x",
]


def typed(asked: Prediction, value: float) -> list[str]:
    """Return *value* as a learner may write it: as we show it, exactly, and with a word before it."""
    exact = f"{value!r} {BASE.get(asked.kind, asked.unit)}".strip()
    return [asked.format(value), exact, f"about  {exact}"]


def inputs(asked: Prediction) -> list[str]:
    """Return the right answer, every slip, what is near and far, and nonsense."""
    answer = asked.answer()
    slips = [value() if callable(value) else value for value in asked.slips.values()]
    near = [answer * factor for factor in (0.2, 0.5, 0.6, 0.94, 1.06, 1.5, 1.55, 2, 8, 1e3, 1e-6, units.GiB / 1e9)]
    counted = [answer + step for step in (-3, -1, -0.5, 1, 2.5, 15) if answer + step > 0]
    return [text for value in (answer, *slips, *near, *counted) for text in typed(asked, value)] + NONSENSE


def told(asked: Prediction, text: str) -> list:
    try:
        found = judge(asked, text)
    except ValueError as problem:
        return ["problem", str(problem)]
    return [found.verdict, found.sentence]


@pytest.fixture
def page(tab):
    tab.add_script_tag(content=script())
    return tab


def in_page(page, questions: dict, table: dict[str, list[str]]) -> dict[str, list]:
    return page.evaluate("""([questions, table]) => Object.fromEntries(Object.entries(table).map(([key, texts]) =>
        [key, texts.map((text) => flJudge(questions[key], text)).map(({ verdict, sentence }) => [verdict, sentence])]))""",
                         [questions, table])


@pytest.mark.browser
def test_every_prediction_is_judged_as_in_python(page):
    table = {key: inputs(asked) for key, asked in PREDICTIONS.items()}
    questions = {key: obscured(question(asked)) for key, asked in PREDICTIONS.items()}
    here = {key: [told(PREDICTIONS[key], text) for text in texts] for key, texts in table.items()}
    there = in_page(page, questions, table)
    differing = [(key, text, p, j) for key, texts in table.items()
                 for text, p, j in zip(texts, here[key], there[key], strict=True) if p != j]
    assert differing == []
    assert {verdict for said in here.values() for verdict, _ in said} == {"right", "close", "slip", "off", "problem"}


@pytest.mark.browser
def test_an_answer_is_shown_on_demand_as_in_python(page):
    said = page.evaluate("(questions) => questions.map((one) => flShown(one).sentence)",
                         [obscured(question(asked)) for asked in PREDICTIONS.values()])
    assert said == [shown(asked).sentence for asked in PREDICTIONS.values()]


@pytest.mark.browser
def test_a_stop_is_told_the_direction_and_the_slip_but_not_the_answer(page):
    stop = Number("most", "Do it.", "What is it?", "rate", lambda see: 4.5e11, "Seen.", slips={"that is half": 2.25e11})
    asked = Prediction("stop.most", stop.ask, stop.kind, lambda: 4.5e11, "", stop.slips)
    texts = ["450 GB/s", "225 GB/s", "470  GB/s", "500 GB/s", "3 GB/s", "1 TB/s", "3600 GB/s", "fast", "", " "]
    there = in_page(page, {"most": obscured(question(asked, stop=True))}, {"most": texts})["most"]
    here = [_stop_judged(stop, text) for text in texts]
    assert [sentence for _, sentence in there] == here


def _stop_judged(stop: Number, text: str) -> str:
    class Still:
        """A lab that stands still."""

        controls: dict = {}
        positions = within = staticmethod(lambda *_, **__: {})

    return stop.judge(Still, lambda one: one, text).sentence


def test_nothing_of_a_question_is_read_in_what_travels():
    for asked in PREDICTIONS.values():
        travels = obscured(question(asked))
        assert not {"answer", asked.format(asked.answer())} & set(travels.split('"'))
        assert json.dumps(asked.explain)[1:20] not in travels
