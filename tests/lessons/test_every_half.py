"""The second rung of the ladder to a solution: it is Python, and what it calls is there for whoever pastes it."""

import ast
import builtins

import jupytext
import pytest

from fabricbook.lessons import declared, lesson

HALVES = {key: one.half for key, one in declared("exercises").items() if one.half}


def bound(source):
    """The names that *source* gives something to."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((name.asname or name.name).partition(".")[0] for name in node.names)


@pytest.mark.parametrize("key", HALVES)
def test_what_it_calls_is_in_the_lesson(key):
    cells = jupytext.reads(lesson(key.partition(".")[0]).text, fmt="md:myst").cells
    there = {name for cell in cells if cell.cell_type == "code" for name in bound(cell.source)}
    called = {node.func.id for node in ast.walk(ast.parse(HALVES[key]))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called <= there | set(bound(HALVES[key])) | set(dir(builtins))
