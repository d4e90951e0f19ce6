"""No result is raw Python: a reader sees a sentence, a table or a picture."""

from __future__ import annotations

import re

import pytest
from shipped import LESSONS, code_cells

RAW = re.compile(r"[\[({<'\"]|[A-Za-z_]\w*\(|[-+]?(\d[\d.,]*(e[-+]?\d+)?|inf|nan)\Z|True\Z|False\Z|None\Z")


def raw(cell: dict) -> bool:
    """Whether a cell's result has no form but its text, and the text is Python's."""
    results = [o["data"] for o in cell["outputs"] if o["output_type"] == "execute_result"]
    return any(set(data) == {"text/plain"} and RAW.match("".join(data["text/plain"])) for data in results)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_result_is_raw_python(path):
    assert not [cell["source"] for cell in code_cells(path) if raw(cell)], "book.show says it in a sentence or a table"


@pytest.mark.parametrize(("text", "found"), [
    ("[14, 28, 55]", True), ("{'ring': '450 GB/s'}", True), ("(11, 21)", True), ("<1 flow over HGX H100>", True), ("282", True),
    ("Counts(messages=14, sent=1.75)", True), ("0.988", True), ("-1.2e+06", True), ("inf", True), ("'211 MB/s'", True),
    ("True", True), ("282 lines", False), ("Lab alpha-beta: 64 KiB takes 746 ns", False), ("✗ n_half is empty.", False),
    ("ring  54.7 ms", False), ("Prediction moving_bytes.small: A GPU (H100) sends", False),
])
def test_the_rule_for_raw_python(text, found):
    assert raw({"outputs": [{"output_type": "execute_result", "data": {"text/plain": [text]}}]}) == found


def test_what_has_another_form_is_not_raw():
    assert not raw({"outputs": [{"output_type": "execute_result", "data": {"text/plain": ["[1]"], "text/html": ["<p>1</p>"]}}]})
