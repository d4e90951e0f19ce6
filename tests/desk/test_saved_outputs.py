"""The second evening, and an export: a lesson without its kernel shows what was there, and never a dead widget."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from shipped import NOTEBOOKS
from traitlets.config.loader import JSONFileConfigLoader
from traitlets.utils.importstring import import_item

from fabricbook.desk import jupyter, saved_outputs

VIEW = saved_outputs.WIDGET_VIEW
NAME = "01_moving_bytes.ipynb"
LAB = 'book.lab("wire-map")'
GATED = 'book.after("moving_bytes.small", book.lab("wire-map"))'
PREDICTION = "Prediction moving_bytes.small: How <long>?"


def alive(source, text, **more):
    data = {"text/plain": text, VIEW: {"model_id": "gone", "version_major": 2, "version_minor": 0}} | more
    return new_code_cell(source, outputs=[new_output("execute_result", data, execution_count=1)], execution_count=1)


def lesson():
    return new_notebook(cells=[
        alive('book.predict_first("moving_bytes.small")', PREDICTION), alive(GATED, "Lab wire-map: the answer"), alive(LAB,
            "Lab wire-map: fast"),
        alive("book.claims()", "a  A claim", **{"text/html": "<p>A claim</p>"}),
        new_code_cell("1 + 1", outputs=[new_output("execute_result", {"text/plain": "2"}, execution_count=1)]),
    ])


def still(answers):
    pictures = {LAB: "UElD", GATED: "UElD"}
    cells = saved_outputs.readable(lesson(), pictures, answers)["cells"]
    assert VIEW not in nbformat.writes(new_notebook(cells=cells))
    return [[output["data"] for output in cell["outputs"]] for cell in cells]


def test_what_was_there_comes_to_light():
    prediction, gated, lab, claims, plain = still({"moving_bytes.small": {"typed": "900 <ns>"}})
    assert prediction[0]["text/plain"] == "How <long>?\nYour answer: 900 <ns>."  # what is no answer is shown as it was typed
    assert prediction[0]["text/html"] == "<p><b>How &lt;long&gt;?</b></p><p>Your answer: 900 &lt;ns&gt;.</p>"
    assert gated[0]["image/png"] == lab[0]["image/png"] == "UElD"
    assert claims[0]["text/html"] == "<p>A claim</p>"
    assert plain == [{"text/plain": "2"}]


def test_what_was_locked_stays_locked():
    prediction, gated, *_ = still({})
    assert prediction[0]["text/plain"] == "How <long>?\nNot answered yet."
    assert set(gated[0]) == {"text/plain", "text/html"}
    assert "the answer" not in gated[0]["text/plain"]
    assert "when you have answered the question “A GPU sends 64 KiB" in gated[0]["text/plain"]


def test_a_lesson_says_once_and_at_its_beginning_how_it_comes_back():
    cells = saved_outputs.welcome(lesson())["cells"]
    said = cells[0]["outputs"][0]["data"]
    assert all("your answers are kept" in text for text in said.values())
    assert 'data-commandlinker-command="notebook:run-all-cells"' in said["text/html"]
    assert nbformat.writes(new_notebook(cells=cells)).count("Welcome back") == 2  # in plain text and in HTML


def test_an_export_says_what_the_course_said():
    assert "that is the bytes alone" in saved_outputs.judged("moving_bytes.small", {"typed": "146 ns"})
    assert saved_outputs.judged("moving_bytes.small", {"shown": True}).startswith("The answer is 746 ns.")
    assert saved_outputs.judged("moving_bytes.gone", {"typed": "146 ns"}) == "Your answer: 146 ns."


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"predictions": 3}', b'{"predictions": {"moving_bytes.small": 3}}'])
def test_a_progress_file_that_cannot_be_read_is_no_answer(tmp_path, content):
    if content is not None:
        (tmp_path / "progress.json").write_bytes(content)
    assert saved_outputs.answered(tmp_path / "progress.json") == {}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The settings of the server as JupyterLab reads them, a folder with one lesson, and when its kernels began."""
    config = JSONFileConfigLoader(str(jupyter.SERVER)).load_config()
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    (tmp_path / "progress.json").write_text(json.dumps({"predictions": {"moving_bytes.small": {"typed": "900 ns"},
    "moving_bytes.half-rate": {"shown": True}}}))
    nbformat.write(lesson(), tmp_path / NAME)
    began = []  # when each kernel of the lesson did, as seconds before now

    async def sessions():
        return [{"path": NAME, "began": time.time() - seconds} for seconds in began]

    async def started(session):
        return session["began"]

    manager = import_item(config.ServerApp.contents_manager_class)(root_dir=str(tmp_path))
    manager._sessions, manager._started = sessions, started
    return SimpleNamespace(manager=manager, config=config, began=began)


def opened(server, name=NAME, **options) -> dict:
    """Return what the server hands out for a file. In a thread: Playwright keeps an event loop in that of the tests."""
    with ThreadPoolExecutor() as thread:
        return thread.submit(lambda: asyncio.run(server.manager.get(name, **options))).result()


@pytest.mark.parametrize("began", [[], [-3600]], ids=["no kernel", "a kernel restarted since it was saved"])
def test_a_lesson_whose_kernel_is_gone_is_handed_out_readable(server, began):
    server.began += began
    text = nbformat.writes(opened(server)["content"])
    assert VIEW not in text
    assert "Close: your 900 ns is 1.2 times the answer" in text
    assert "your answers are kept" in text
    assert opened(server, content=False)["content"] is None


def test_a_page_loaded_again_finds_its_living_kernel(server):
    server.began.append(3600)
    text = nbformat.writes(opened(server)["content"])
    assert VIEW in text
    assert "Welcome back" not in text


def test_a_notebook_that_shows_no_widget_is_handed_out_as_it_is(server):
    nbformat.write(new_notebook(cells=[]), server.manager.root_dir + "/own.ipynb")
    assert opened(server, "own.ipynb")["content"]["cells"] == []


def test_an_export_of_a_living_lesson_keeps_answers_and_pictures(server):
    from nbconvert import HTMLExporter

    pictures = saved_outputs.pictures(NOTEBOOKS / NAME)
    questions = ("moving_bytes.half-rate", "moving_bytes.copy")
    gated = [next(source for source in pictures if f'after("{key}"' in source) for key in questions]
    cells = [alive('book.predict_first("moving_bytes.small")', PREDICTION), *(alive(source, "Lab") for source in gated)]
    notebook = new_notebook(cells=cells)
    shipped = pictures[gated[0]]
    page, _ = HTMLExporter(config=server.config).from_notebook_node(notebook, {"metadata": {"name": NAME.removesuffix(".ipynb")}})
    assert "our 900 ns is" in page
    assert "Locked: " in page
    assert page.count(shipped[:200]) == 1  # the other lab's question is open
    assert "model_id" not in page
