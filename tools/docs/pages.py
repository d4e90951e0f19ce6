"""The maintainers' pages as Sphinx reads them: what the tree holds as Markdown, and a page of reference for each room."""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import re
import shutil
from collections import defaultdict
from pathlib import Path

import fabriclib

ROOT = Path(__file__).resolve().parents[2]
TITLE = "The house of the course"
FOLLOWED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "docs/**/*.md", "docs/*.png",
            "classroom/*.py")
_LESSON = re.compile(r"\[([^\]]+)\]\((?:\.\./)*notebooks/(\w+)\.ipynb\)")
_DRAWN = re.compile(r"^```mermaid\n.*?^```\n", re.MULTILINE | re.DOTALL)
_PACKAGE = re.compile(r"subgraph (\w+)\n(.*?)\n    end", re.DOTALL)


def write(folder: Path, book: Path) -> None:
    """Write the pages into *folder*; what is made of them lies in a folder of the *book*, and links to the lessons it has."""
    for path in sorted({path for pattern in FOLLOWED for path in ROOT.glob(pattern)}):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            copy.write_text(page(path.read_text(encoding="utf-8"), book, len(copy.relative_to(folder).parts)), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)
    for name, text in reference().items():
        (folder / "reference").mkdir(exist_ok=True)
        (folder / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(_OPENING, encoding="utf-8")


def page(text: str, book: Path, deep: int) -> str:
    """Return the *text* of a page of the tree as Sphinx reads it: a lesson is a page of the *book*, so many folders up, if it has
    that; a drawing of rooms is their names in order."""

    def lesson(found: re.Match) -> str:
        there = (book / f"{found[2]}.html").exists()
        return f'<a href="{"../" * deep}{found[2]}.html">{html.escape(found[1])}</a>' if there else found[1]

    return _DRAWN.sub(lambda drawing: _rooms(drawing[0]), _LESSON.sub(lesson, text))


def _rooms(drawing: str) -> str:
    rooms = ["\n    -> ".join([f"{package}:", *re.findall(r'"(.+?)"', inside)]) for package, inside in _PACKAGE.findall(drawing)]
    return "\n".join(["```text", *rooms, "```", ""])


def public() -> dict[str, list[str]]:
    """Return {room: the names that `fabriclib` offers of it}, as `__init__.pyi` lists them."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in ast.parse((ROOT / "fabriclib" / "__init__.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found[node.module] += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                found[one.name] += []
    return dict(sorted(found.items()))


def reference() -> dict[str, str]:
    """Return the pages of the reference by their names: one a room, one of what lessons call, and the list of them."""
    rooms = public()
    pages = {room: _room(room, names) for room, names in rooms.items()} | {"fabricbook": _COURSE}
    names = "\n".join(f"   fabriclib.{name}" for name in sorted({name for names in rooms.values() for name in names}))
    return pages | {"index": _INDEX.format(names=names, pages="\n".join(pages))}


def _room(room: str, names: list[str]) -> str:
    module = importlib.import_module(f"fabriclib.{room}")
    directives = [_described(f"fabriclib.{name}", getattr(fabriclib, name)) for name in names]
    if inspect.ismodule(getattr(fabriclib, room, None)):
        others = [name for name in members(module) if name not in names]
        directives += [_described(f"fabriclib.{room}.{name}", getattr(module, name)) for name in others]
    head = f".. automodule:: fabriclib.{room}\n   :no-members:\n   :no-index:\n"
    return "\n".join([f"# {room}", "", "```{eval-rst}", head, *directives, "```", ""])


def members(module) -> list[str]:
    """Return the public names of a *module*: those of its `__all__`, else the functions and classes that it defines."""
    own = [name for name, value in vars(module).items()
           if not name.startswith("_") and callable(value) and getattr(value, "__module__", "") == module.__name__]
    return getattr(module, "__all__", own)


def _described(path: str, thing) -> str:
    if inspect.ismodule(thing):
        return f".. automodule:: {path}\n"
    if not callable(thing):
        module, _, name = path.rpartition(".")
        return f".. py:data:: {name}\n   :module: {module}\n   :value: {thing!r}\n"
    return f".. auto{'class' if inspect.isclass(thing) else 'function'}:: {path}\n"


_COURSE = """# fabricbook

```{eval-rst}
.. automodule:: fabricbook
```
"""

_INDEX = """# Reference

What `import fabriclib as fl` offers; each page is a room and what else is public in it. What the cells of a lesson call is on
the page [fabricbook](fabricbook.md).

```{{eval-rst}}
.. autosummary::

{names}
```

```{{toctree}}
:hidden:

{pages}
```
"""

_OPENING = """# The house of the course

For whoever keeps the course, or uses its model alone. A new maintainer's first hour: [README](README.md), then
[how the house is built](docs/architecture.md), then a [recipe](CONTRIBUTING.md).

```{toctree}
:caption: How to
:hidden:

README
CONTRIBUTING
docs/architecture
CHANGELOG
SECURITY
CODE_OF_CONDUCT
```

```{toctree}
:caption: The model
:hidden:

reference/index
docs/own
docs/data
docs/sources
docs/accuracy
docs/limits
```

```{toctree}
:caption: The course
:hidden:

docs/features
docs/results
docs/ways
docs/browser
docs/classroom
docs/trainer/README
docs/trainer/plans
docs/trainer/lessons
```
"""
