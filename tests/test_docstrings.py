"""Every public name says, where it is described, how it is called, in which units, what it refuses, and what it rests on."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from docs.pages import members
from shipped import ROOT

import fabriclib
from fabriclib import catalog

# The columns of a DataFrame name theirs themselves.
UNIT = re.compile(r"\b(bytes?|(?:GB|B)/s|seconds?|ns|watts?|joules?|dollars?|metres?|inches|dB|Hz|volts|bits?|per cent|shares?|"
                  r"ratio|times|how many|numbers?|count(?:s|ed)?|ranks?|GPUs?|lanes?|packets?|tokens?|flows?|switches|operations|"
                  r"parameters|probability|relative|logarithms|SI|DataFrame)\b", re.IGNORECASE)
NUMBERS = re.compile(r"\b(float|int|Numbers|ndarray)\b")
# What stands on nothing but definitions: how bytes are written, what a path or a cut in a graph is, how a log is taken apart.
DEFINED = {"units", "measurements", "topology", "peers"}


def _walk(path: str, thing, found: dict) -> None:
    if inspect.ismodule(thing):
        for name in members(thing):
            _walk(f"{path}.{name}", getattr(thing, name), found)
    elif callable(thing):
        found.setdefault(inspect.unwrap(thing), path)


def _public() -> dict[str, object]:
    """The public functions and classes by their shortest names."""
    found: dict = {}
    for name in sorted(fabriclib.__all__, key=lambda name: inspect.ismodule(getattr(fabriclib, name))):
        _walk(name, getattr(fabriclib, name), found)
    return {path: thing for thing, path in found.items()}


def methods(cls: type) -> Iterator[tuple[str, object]]:
    """The public methods and properties of a class; functions that are a field's value are none."""
    for name, value in vars(cls).items():
        function = getattr(value, "__func__", None) or getattr(value, "fget", None) or getattr(value, "func", value)
        if not name.startswith("_") and inspect.isfunction(function) and function.__name__ == name:
            yield name, function


PUBLIC = _public()
CALLED = {path: thing for path, thing in PUBLIC.items() if not inspect.isclass(thing)}
CALLED |= {f"{path}.{name}": function for path, thing in PUBLIC.items() if inspect.isclass(thing)
           for name, function in methods(thing)}
CLASSES = {path: thing for path, thing in PUBLIC.items() if inspect.isclass(thing)}
MAKERS = defaultdict(list)
for _called in CALLED.values():
    for _word in re.findall(r"\w+", str(inspect.signature(_called).return_annotation)):
        MAKERS[_word].append(_called)


def arguments(function) -> list[inspect.Parameter]:
    return [one for one in inspect.signature(function).parameters.values() if one.name not in ("self", "cls")]


def written(thing) -> str:
    return inspect.getdoc(thing) or ""


@pytest.mark.parametrize("path", PUBLIC)
def test_an_example_shows_how_it_is_called(path):
    """A class has its own, a method's, or that of what makes it; pytest runs them."""
    thing, examples = PUBLIC[path], [PUBLIC[path]]
    if inspect.isclass(thing):
        examples += [*(function for _, function in methods(thing)), *MAKERS[thing.__name__]]
    assert any(">>>" in written(one) for one in examples)


@pytest.mark.parametrize("path", [path for path, function in CALLED.items() if arguments(function)])
def test_what_can_be_given_wrongly_is_refused_in_words(path):
    said = re.compile(r"^Raises:\n    ValueError: \S|\b[Rr]aises? an? ValueError\b|errors are", re.MULTILINE)
    assert said.search(written(CALLED[path]))


@pytest.mark.parametrize("path", PUBLIC)
def test_a_number_has_its_unit(path):
    thing = PUBLIC[path]
    hints = ([one.annotation for one in arguments(thing)] + [inspect.signature(thing).return_annotation]
             if path in CALLED else list(inspect.get_annotations(thing).values()))
    bare = [one for one in hints if one is inspect.Parameter.empty or NUMBERS.search(str(one))]
    assert not bare or UNIT.search(written(thing))


def test_a_room_that_computes_names_its_sources():
    """It reads rows, each of which has a source, or cites one; an id that it cites is known."""
    known = {row["id"] for row in catalog.rows("sources")}
    cited = re.compile(r"\bet al\.|\bSources?:|\b(?:19|20)\d\d\b|catalog\.(?:rows?|figures?|texts)\(|"
                       + "|".join(f'"{re.escape(one)}"' for one in known))
    rooms = {thing.__module__.split(".")[1] for thing in PUBLIC.values()} - DEFINED
    files = {room: [*(ROOT / "fabriclib").glob(f"{room}.py"), *(ROOT / "fabriclib" / room).rglob("*.py")] for room in rooms}
    assert all(files.values())
    assert [room for room in sorted(rooms)
            if not any(cited.search(path.read_text(encoding="utf-8")) for path in files[room])] == []


def test_names_are_found():
    assert {"link", "Graph", "units.parse", "congestion.ecmp.slowest", "signals.eye"} <= set(PUBLIC)
    assert {"Link.bundle", "Schedule.time_on"} <= set(CALLED)
    assert len(PUBLIC) > 250
