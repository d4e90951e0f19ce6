"""A lab: its table and its sentence without a browser, its picture, and what a declaration may not say."""

import io
import os
import subprocess
import sys

import pytest
from PIL import Image

import fabricbook as book
from fabricbook.stage import Control, Lab, charts, lab


def declare(**changes):
    told = {"title": "t", "tier": "chip", "controls": [Control("n", [1, 2], default=1)], "chart": charts.stack,
            "leaves_out": "", "sources": []}
    return lab("wrong", **(told | changes))


def test_evaluate_fills_in_defaults(trial):
    table, sentence = trial.evaluate()
    assert sentence == "The start takes 1e-06 s (plain)."
    assert list(table.columns) == ["size", "time", "kind"]
    assert table["time"].iloc[-1] == 1e-6
    assert trial.evaluate(latency=1e-3)[1] == "The start takes 0.001 s (plain)."


def test_evaluate_refuses_what_no_control_offers(trial):
    with pytest.raises(ValueError, match=r"latency must be one of 1e-09, 1e-06, 0\.001; got 2"):
        trial.evaluate(latency=2)
    with pytest.raises(ValueError, match="Did you mean 'latency'"):
        trial.evaluate(latncy=1e-6)


def test_the_model_s_own_refusal_reaches_the_caller(trial):
    with pytest.raises(ValueError, match="kind refused has no link"):
        trial.evaluate(kind="refused")


def test_the_declared_function_stays_an_ordinary_function(trial):
    assert trial.declared.function(1e-9, "plain")[1] == "The start takes 1e-09 s (plain)."


def test_repr_is_the_default_sentence_whatever_was_set(trial):
    assert repr(trial) == "Lab trial: The start takes 1e-06 s (plain)."
    trial.set(latency=1e-3)
    assert repr(trial) == "Lab trial: The start takes 1e-06 s (plain)."


def test_the_display_is_the_widget_and_the_text(trial, monkeypatch):
    monkeypatch.delenv("FABRICLIB_STATIC", raising=False)
    bundle = trial._repr_mimebundle_()
    assert bundle["text/plain"] == repr(trial)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == trial.widget.model_id
    assert "image/png" not in bundle
    monkeypatch.setenv("FABRICLIB_STATIC", "1")
    assert trial._repr_mimebundle_()["image/png"].startswith("iVBOR")


def test_the_picture_is_the_same_on_every_run(trial):
    first = trial.png()
    assert first.startswith(b"\x89PNG")
    assert first == Lab(trial.declared).png()


def test_the_few_colours_of_a_picture_are_those_of_its_marks(trial):
    """The line, the bound and the mark are a handful of pixels each: none may be drawn in the colour of another."""
    drawn = Image.open(io.BytesIO(trial.png()))
    assert drawn.mode == "P"
    shown = {colour for _, colour in drawn.convert("RGB").getcolors()}
    named = (charts.CHIP, charts.LIMIT, charts.MEASURED, "#ffffff")
    assert {tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in named} <= shown


def test_the_numbers_that_it_names_are_filled_in_for_the_learner_alone():
    declared = declare(leaves_out="All of {{ it }}.")(lambda n: ({"n": [n]}, "1"))
    assert Lab(declared.declaration, lambda text: text.replace("{{ it }}", "450 GB/s")).declared.leaves_out == "All of 450 GB/s."
    assert Lab(declared.declaration).declared.leaves_out == "All of {{ it }}."


def test_more_than_four_controls_are_refused():
    five = [Control(f"c{i}", [1, 2], default=1) for i in range(5)]
    with pytest.raises(ValueError, match="at most 4; got 5"):
        declare(controls=five)


def test_controls_must_be_the_function_s_arguments():
    with pytest.raises(ValueError, match=r"must be the function's arguments \['m'\]; got \['n'\]"):
        declare()(lambda m: None)


def test_an_unknown_tier_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'server'"):
        declare(tier="servr")


@pytest.mark.parametrize("table", [{}, {"a": []}, {"a": [1], "b": [1, 2]}])
def test_a_table_that_is_none_is_a_mistake_of_the_lab(table):
    with pytest.raises(TypeError, match="equally long"):
        Lab(declare()(lambda n: (table, "1")).declaration).evaluate()


def test_labs_are_found_and_misspelt_names_corrected():
    assert len(set(book.labs())) == len(book.labs())
    assert book.lab(book.labs()[0]) is not book.lab(book.labs()[0])
    with pytest.raises(ValueError, match="Did you mean 'nvlink-ladder'"):
        book.lab("nvlink-lader")


def test_evaluating_loads_nothing_that_draws():
    code = (
        "import sys, fabricbook as book\n"
        "for name in book.labs():\n"
        "    repr(book.lab(name)); book.lab(name).evaluate()\n"
        "print({'altair', 'anywidget', 'ipywidgets', 'PIL', 'vl_convert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
