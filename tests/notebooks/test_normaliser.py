"""`make notebooks`: what a reader needs stays, what changes from run to run goes, and twice gives the same bytes."""

from __future__ import annotations

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import notebooks


def refresh(path):
    return notebooks.refresh(nbformat.read(path, as_version=4), path)


def write(path, *sources):
    cells = [new_markdown_cell("# 99 · Trial"), *(new_code_cell(source) for source in sources)]
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": {"state": {}}}), path)
    return path


def test_twice_gives_identical_bytes(tmp_path):
    path = write(tmp_path / "trial.ipynb", "import os\nfrom ipywidgets import IntSlider\nprint('a')\nprint('b')",
                 "IntSlider(3)", "os.environ['FABRICLIB_STATIC'] + os.getcwd()")
    assert refresh(path)
    first = path.read_bytes()
    assert not refresh(path)
    assert path.read_bytes() == first

    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["cell-01", "cell-02", "cell-03", "cell-04"]
    assert notebook.metadata == notebooks.METADATA
    printed, slider, environment = (cell.outputs[0] for cell in notebook.cells[1:])
    assert printed.text == "a\nb\n"
    assert list(slider.data) == ["text/plain"]
    assert environment.data["text/plain"] == repr(f"1{tmp_path}")
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert first.endswith(b"}\n")


def test_a_picture_stays(tmp_path):
    path = write(tmp_path / "trial.ipynb", "from IPython.display import Image\nImage(b'\\x89PNG\\r\\n\\x1a\\n')")
    refresh(path)
    assert "image/png" in nbformat.read(path, as_version=4).cells[1].outputs[0].data


def test_a_lesson_that_fails_is_left_as_it_was(tmp_path):
    path = write(tmp_path / "trial.ipynb", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        refresh(path)
    assert path.read_bytes() == before
