"""A microsecond is spelt in one way wherever a learner reads it: µs. (What a learner types may be us, and logs print it.)"""

import inspect
import re

import pytest
from shipped import LESSONS, read

import fabricbook as book
import fabriclib as fl
from fabricbook.course import declare
from fabricbook.lessons import declared
from fabricbook.lessons.against_world.tables import constants_of

US = re.compile(r"(?<=[\d( ])us(?=[)\s.,;:]|$)")


def plain(text: str) -> str:
    """Return *text* without what quotes code or a log."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_in_the_text_of_a_lesson(path):
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            assert not re.findall(r".{0,40}\d\s*us\b.{0,20}", plain(cell["source"]))


def test_in_questions_explanations_and_hints():
    predictions, exercises = declared("predictions"), declared("exercises")
    for one in predictions.values():
        assert not US.search(one.question + one.explain + one.example), one.key
    for one in exercises.values():
        assert not US.search(plain(one.prompt) + " ".join(hint for _, hint in one.wrong)), one.key
    assert not US.search(" ".join(declare._SAMPLES.values()))
    for verdict in declared("verdicts").values():
        assert not US.search(verdict.because())


@pytest.mark.parametrize("name", book.labs())
def test_in_a_lab(name):
    function = declared("labs")[name]
    texts = [function.declaration.title, function.declaration.leaves_out, inspect.getdoc(function) or ""]
    assert not US.search(book.lab(name).evaluate()[1])
    assert not US.search("\n".join(texts))


def test_in_scores_and_constants():
    chosen = fl.nccl_choice("dgx-h100", "all_reduce", 2**21)
    assert repr(chosen).endswith("score 32.7 µs>")
    assert "score (µs)" in chosen.table()
    values = " ".join(constants_of("ib", "any")["value"])
    assert "µs" in values
    assert not US.search(values)
