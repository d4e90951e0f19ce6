"""What strict nbval cannot see: that a lesson was executed, has its sections, and holds no fact of its own."""

from __future__ import annotations

import ast
import re

import pytest
from shipped import LESSONS, ROOT, calls, code_cells, named, read

from fabricbook.lessons import lesson

SECTIONS = ["What you will be able to do", "Predict", "Try it", "Why", "Your turn", "Model against measurement",
            "What to remember", "Sources"]
COUNTS = {*range(11), *(2**k for k in range(4, 11))}
UNIT = r"([kKMGTP]i?)?(B|b)(ps|/s)|[munp]?s\b|[mkM]?W\b|[np]J\b"
FIGURE = re.compile(rf"\d\s*({UNIT})")
FLOAT = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\.\d)")

every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def stray_numbers(source: str) -> list:
    """Return the literals of a code cell that belong in data/ or in fabriclib.

    A cell may count (whole numbers to ten) and choose a size or a number of ranks (powers of two to 1024, with a
    unit's name for a size). Anything else, and any text with a rate, a time, an energy or a power, is a fact.
    """
    values = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    numbers = [v for v in values if type(v) in (int, float, complex) and not (type(v) is int and v in COUNTS)]
    return numbers + [v for v in values if isinstance(v, str) and FIGURE.search(v)]


def long_floats(text: str) -> list[str]:
    """Return the floats in *text* with more than four significant digits."""
    return [f for f in FLOAT.findall(text) if len(f.replace(".", "").lstrip("0")) > 4]


def texts(output: dict) -> str:
    """Return all that an output says, without the tags and style sheets of its HTML."""
    said = {k: "".join(v) for k, v in output.get("data", {}).items() if k.startswith("text/")}
    if "text/html" in said:
        said["text/html"] = re.sub(r"<style.*?</style>|<[^>]*>", " ", said["text/html"], flags=re.DOTALL)
    return "\n".join([*said.values(), "".join(output.get("text", ""))])


@every_lesson
def test_was_executed_from_top_to_bottom_without_a_complaint(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]


@every_lesson
def test_no_table_shows_where_its_rows_stand_in_the_data(path):
    """A table cut out of the catalogue is numbered anew: else a row added anywhere above changes what a lesson prints."""
    shown = ["".join(o.get("data", {}).get("text/html", "")) for cell in code_cells(path) for o in cell["outputs"]]
    first = [int(number) for html in shown for number in re.findall(r"<tbody>\s*<tr>\s*<th>(\d+)</th>", html)]
    assert not [number for number in first if number > 1]


@every_lesson
def test_opens_without_a_question_and_carries_no_widget_state(path):
    notebook = read(path)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]
    assert "application/vnd.jupyter.widget-view+json" not in path.read_text(encoding="utf-8")
    assert path.stat().st_size < 500_000


@every_lesson
def test_has_a_title_its_minutes_and_the_sections_in_order(path):
    prose = [cell["source"] for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]
    headings = [line.removeprefix("## ") for text in prose for line in text.splitlines() if line.startswith("## ")]
    assert prose[0].startswith(f"# {path.stem[:2]} · ")
    assert re.search(r"\b\d+ minutes\b", prose[0])
    assert [h for h in headings if h in SECTIONS] == SECTIONS


@every_lesson
def test_links_to_the_lessons_before_and_after_it(path):
    cells = read(path)["cells"]
    ends = cells[0]["source"] + cells[-1]["source"]
    at = LESSONS.index(path)
    neighbours = {other.name for other in LESSONS[max(at - 1, 0) : at + 2]} - {path.name}
    linked = set(re.findall(r"\]\((\d\d_\w+\.ipynb)\)", ends))
    assert neighbours <= linked
    assert linked <= {other.name for other in LESSONS}


@every_lesson
def test_code_cells_hold_no_facts_and_nothing_nbval_cannot_compare(path):
    for cell in code_cells(path):
        source = cell["source"]
        assert stray_numbers(source) == []
        assert "://" not in source
        assert not re.search(r"\b(interact\w*|Output)\b", source)
        assert not re.search(r";\s*$", source, flags=re.MULTILINE)
        assert not {"nbval-skip", "nbval-ignore-output"} & set(cell["metadata"].get("tags", ()))
        assert "NBVAL" not in source


@every_lesson
def test_displayed_floats_have_at_most_four_significant_digits(path):
    for cell in code_cells(path):
        for output in cell["outputs"]:
            assert long_floats(texts(output)) == [], cell["source"]


@every_lesson
def test_uses_every_question_declared_for_it_and_no_other(path):
    one = lesson(path.stem[3:])
    assert named(path, "predict_first") == list(one.predictions)
    assert named(path, "check") == list(one.exercises)
    assert named(path, "solution") == named(path, "check")


@every_lesson
def test_ships_its_exercises_unsolved(path):
    for cell in code_cells(path):
        if calls(cell["source"], "check"):
            assert [o["data"]["text/plain"][0][0] for o in cell["outputs"]] == ["✗"], cell["source"]


@every_lesson
def test_locks_nothing_behind_a_prediction_not_asked_yet(path):
    asked = set()
    for cell in code_cells(path):
        asked.update(calls(cell["source"], "predict_first"))
        assert set(calls(cell["source"], "after")) <= asked


@pytest.mark.parametrize(("source", "stray"), [
    ("fl.link('nvlink4').bundle(18)", [18]),
    ("rate = 4.5e11", [4.5e11]),
    ("units.parse('450 GB/s')", ["450 GB/s"]),
    ("'900 GBps', '2.5 us', '5 pJ'", ["900 GBps", "2.5 us", "5 pJ"]),
    ("run.tail(3); ranks = 8; nbytes = 64 * units.KiB; fl.link('nvlink4', lanes=-1)", []),
    ("units.parse('64 KiB'), 'nvlink4', 'top 5 GPUs'", []),
])
def test_the_rule_for_stray_numbers(source, stray):
    assert stray_numbers(source) == stray


def test_the_rule_for_long_floats():
    assert long_floats("450.0 GB/s 0.05444 s 12.345 and 450.000000, 1.062e+11") == ["12.345", "450.000000"]


def test_make_test_compares_every_output_strictly():
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    compared = [line for line in recipe.splitlines() if "--nbval" in line]
    assert compared
    assert all(re.search(r" --nbval ", line) and line.endswith(" notebooks)") and "lax" not in line for line in compared)
