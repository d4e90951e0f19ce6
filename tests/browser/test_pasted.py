"""Nothing that is pasted into any box of a learner runs in JupyterLab, or shows there as markup."""

from __future__ import annotations

import nbformat
import pasted
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
NAMES = [f"{at:02} {text[:24]!r}" for at, text in enumerate(pasted.PAYLOADS)]


@pytest.fixture(scope="module")
def boxes(context, server):
    """All boxes of a learner, in one notebook."""
    (server.work / "progress.json").unlink(missing_ok=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    notebook = new_notebook(cells=list(map(new_code_cell, pasted.CELLS)), metadata=kernel)
    nbformat.write(notebook, server.work / "boxes.ipynb")
    page = context.new_page()
    page.goto(server.lesson("boxes.ipynb"))
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")
    yield pasted.Boxes(page)
    page.close()
    server.stop_kernels()
    (server.work / "boxes.ipynb").unlink()
    (server.work / "progress.json").unlink(missing_ok=True)


@pytest.fixture
def boxes_answered(boxes, server):
    """The boxes for a record that answers them; afterwards they ask again, whatever was taken over."""
    yield boxes
    (server.work / "progress.json").unlink()
    boxes.renew()


@pytest.mark.parametrize("text", pasted.PAYLOADS, ids=NAMES)
def test_what_is_pasted_into_any_box_is_text(boxes, text):
    boxes.paste(text)
    assert not boxes.harmed()


def test_what_an_imported_record_holds_is_text(boxes_answered):
    boxes_answered.take_over("progress.json", pasted.hostile_record())
    boxes_answered.settle()
    boxes_answered.settle(cell=0)
    boxes_answered.settle()
    assert not boxes_answered.harmed()
