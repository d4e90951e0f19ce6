"""The picture in docs/architecture.md is the order of rooms of pyproject.toml; every file says what it is, and is short."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_rooms_of_the_picture_are_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    ordered = [one for one in contracts if one["type"] == "layers"]
    layers = {one["containers"][0]: [layer.split(" | ") for layer in one["layers"]] for one in ordered}
    drawn = dict(re.findall(r"subgraph (\w+)\n(.*?)\n    end", PAGE, flags=re.DOTALL))
    assert {package: [room.split(" · ") for room in re.findall(r'"(.+?)"', text)] for package, text in drawn.items()} == layers


LINES, OF_A_FUNCTION = 400, 40  # the latter without what its docstring says
BUILT = ROOT / "fabricbook" / "stage" / "static"
FILES = {path: path.read_text(encoding="utf-8") for room in ("fabriclib", "fabricbook", "classroom", "tools", "tests")
         for kind in ("py", "js", "css") for path in sorted((ROOT / room).rglob(f"*.{kind}")) if path.parent != BUILT}
MODULES = {path: ast.parse(text) for path, text in FILES.items() if path.suffix == ".py"}


def test_every_file_says_first_what_it_is():
    silent = [path for path, module in MODULES.items() if module.body and ast.get_docstring(module) is None]
    silent += [path for path, text in FILES.items() if path not in MODULES and not text.startswith(("/*", "//"))]
    assert silent == []


def test_files_and_functions_are_short():
    assert [path for path, text in FILES.items() if text.count("\n") > LINES] == []
    functions = [(path, one) for path, module in MODULES.items() if ROOT / "tests" not in path.parents
                 for one in ast.walk(module) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [(path, one.name) for path, one in functions if _lines(one) > OF_A_FUNCTION] == []


def _lines(function) -> int:
    told = function.body[0] if ast.get_docstring(function) else None
    return function.end_lineno - function.lineno + 1 - (told.end_lineno - told.lineno + 1 if told else 0)
