"""How tests read the shipped lessons: their cells, the keys they name, and their exercises filled in."""

from __future__ import annotations

import ast
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def read(path: Path) -> dict:
    """Return a notebook as JSON, with the source and the texts of every cell joined."""
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def code_cells(path: Path) -> list[dict]:
    """Return the code cells of a notebook."""
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def calls(source: str, name: str) -> list[str]:
    """Return the first argument of every call of *name*, as a function or as a method of a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) == name:
            found.append(ast.literal_eval(node.args[0]))
    return found


def named(path: Path, name: str) -> list[str]:
    """Return, in order, the keys that a lesson's cells hand to *name* ("check", "predict_first", ...)."""
    return [key for cell in code_cells(path) for key in calls(cell["source"], name)]


def filled(source: str, name: str, definition: str) -> str:
    """Return a cell's source with the top-level definition of *name* replaced by *definition*."""
    for node in ast.parse(source).body:
        targets = [getattr(target, "id", None) for target in getattr(node, "targets", ())]
        if getattr(node, "name", None) == name or name in targets:
            lines = source.splitlines()
            lines[node.lineno - 1 : node.end_lineno] = definition.strip().splitlines()
            return "\n".join(lines)
    raise ValueError(f"the cell defines no {name!r} at its top level: {source[:80]!r}")
