"""Declaring a lab, and the lab a learner holds: evaluated in Python or shown as a widget, from one function."""

from __future__ import annotations

import base64
import functools
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fabriclib import catalog
from fabriclib.checks import known, short

from .charts import TIER
from .control import Control
from .kept import drawn

MAX_CONTROLS = 4


@dataclass(frozen=True)
class Declaration:
    """What `@lab` was told, and the function it stands on."""

    name: str
    title: str
    tier: str
    controls: tuple[Control, ...]
    chart: Callable
    leaves_out: str
    sources: tuple[str, ...]
    glides: tuple[str, ...]
    function: Callable
    stops: tuple = ()
    hides: tuple[str, ...] = ()


def lab(name: str, *, title: str, tier: str, controls, chart: Callable, leaves_out: str, sources, glides=(), stops=(),
        hides=()):
    """Declare the function below as the lab *name*; the function itself stays as it is.

    Args:
        name: what `fabricbook.lab(name)` asks for.
        title, leaves_out: what the learner reads above the controls and in a fold below the chart; the latter may name
            numbers of the lesson in double braces.
        tier: "chip", "server" or "cluster": where in the wiring we are; "all" where the lab compares them.
        controls: at most four Control, one for each argument of the function; none makes a picture that stands still.
        chart: called once, without arguments; returns an Altair chart whose live data is named charts.LIVE.
        sources: ids of rows of sources.csv.
        glides: columns of numbers that move smoothly, row by row, when a step or a click leads to a table of as many rows.
        stops: what is asked of the learner, in order; the stage hands them on as they are to who poses them.
        hides: columns that only the picture needs although it has them along an axis or writes them; no row of the folded table.

    The function is pure. It takes the controls' values and returns a table (column name -> values) and one
    sentence; a ValueError it raises is shown to the learner as a sentence.

    Raises:
        ValueError: an unknown tier, too many controls, or controls that are not the function's arguments.
    """
    known("tier", tier, TIER)
    controls = tuple(controls)
    if len(controls) > MAX_CONTROLS:
        raise ValueError(f"controls of lab {name!r} must be at most {MAX_CONTROLS}; got {len(controls)}.")

    def declare(function: Callable) -> Callable:
        asked, given = list(inspect.signature(function).parameters), [control.name for control in controls]
        if sorted(asked) != sorted(given):
            raise ValueError(f"controls of lab {name!r} must be the function's arguments {asked}; got {given}.")
        function.declaration = Declaration(
            name, title, tier, controls, chart, leaves_out, tuple(sources), tuple(glides), function, tuple(stops), tuple(hides)
        )
        return function

    return declare


class Stop(Protocol):
    """One stop as the widget shows it: a question that takes an answer.

    `setup` is what the browser draws and never changes: {key, do, ask, at, kind, ...}, where `at` is a position for each control
    and `kind` is "choice" with {options, field}, "number" with {example} or "find" with {control}.
    `state` is {key, outcome, given, sentence, saw}, the outcome one of "", "wrong", "right" and "shown"; nothing of the answer is
    in it before it is right or shown.
    """

    @property
    def setup(self) -> dict: ...

    @property
    def state(self) -> dict: ...

    def answer(self, given) -> None:
        """Judge what came from the browser, whatever it is."""

    def show(self) -> dict:
        """Tell the answer, and return the values of the controls that it moves."""


def _none(_lab: Lab) -> dict[str, Stop]:
    return {}


_drawn = functools.cache(drawn)


class Lab:
    """A lab as a learner holds it. Two of them share nothing that changes.

    Args:
        declared: what `@lab` noted of a function, as its `declaration`.
        filled: returns a text of the declaration with the numbers that it names filled in.
        pose: returns the stops of this lab, by key.
    """

    def __init__(self, declared: Declaration, filled: Callable[[str], str] = str,
                 pose: Callable[[Lab], Mapping[str, Stop]] = _none) -> None:
        self.declared: Declaration = replace(declared, leaves_out=filled(declared.leaves_out))
        self.controls = {control.name: control for control in self.declared.controls}
        self.stops = dict(pose(self))

    def evaluate(self, **controls):
        """Return (table, sentence): a pandas DataFrame and the line shown above the chart, without a browser.

        Args:
            controls: values of the lab's controls; what is missing takes its default.

        Raises:
            ValueError: an unknown control, a value it does not offer, or what the model itself refuses.
        """
        import pandas as pd

        columns, sentence = self.answer(self.within(self.positions(**controls)))
        return pd.DataFrame(columns), sentence

    def positions(self, **controls) -> dict[str, int]:
        """Return where each control stands when it has the given value, or its default.

        Raises:
            ValueError: an unknown control, or a value it does not offer.
        """
        for name in controls:
            known(f"control of lab {self.declared.name!r}", name, self.controls)
        return {
            name: control.position(controls.get(name, control.default)) for name, control in self.controls.items()
        }

    def ends(self, positions: Mapping[str, int]) -> dict[str, int]:
        """Return the last position of each control: that of its last value, or an earlier one where the others say so."""
        last = {name: len(control.values) - 1 for name, control in self.controls.items()}
        for name, control in self.controls.items():
            if control.until is not None:
                others = {other: self.controls[other].values[at] for other, at in positions.items() if other != name}
                last[name] = control.position(control.until(**others))
        return last

    def within(self, positions: Mapping[str, int]) -> dict[str, int]:
        """Return *positions*, each brought back to the last one that there is."""
        ends = self.ends(positions)
        return {name: min(at, ends[name]) for name, at in positions.items()}

    def checked(self, positions) -> dict[str, int]:
        """Return *positions* as they came from a browser: a message is input like any other.

        Raises:
            ValueError: they are no positions of this lab's controls.
        """
        if not isinstance(positions, dict) or set(positions) != set(self.controls):
            raise ValueError(f"values must name the controls {', '.join(self.controls)}; got {short(positions)}.")
        for name, at in positions.items():
            last = len(self.controls[name].values) - 1
            if type(at) is not int or not 0 <= at <= last:
                raise ValueError(f"position of {name} must be a whole number from 0 to {last}; got {short(at)}.")
        return positions

    def answer(self, positions: Mapping[str, int]) -> tuple[dict[str, list], str]:
        """Return the function's columns, as equally long lists, and its sentence, at the given positions."""
        values = {name: control.values[positions[name]] for name, control in self.controls.items()}
        table, sentence = self.declared.function(**values)
        columns = {str(name): np.asarray(column).tolist() for name, column in table.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if not lengths or len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise TypeError(f"the table's columns must be equally long and not empty; got lengths {lengths}")
        return columns, sentence

    @property
    def spec(self) -> dict:
        """The chart as a Vega-Lite specification, without its live data; all labs of one declaration read the same."""
        return _drawn(self.declared.chart)

    @functools.cached_property
    def widget(self):
        """The living widget. It is made when first asked for, because ipywidgets takes seconds to import."""
        from .widget import LabWidget

        return LabWidget(self)

    def set(self, **controls) -> None:
        """Move controls of the displayed lab from Python; a value it does not offer shows as a sentence in the lab."""
        self.widget.place(controls)

    def sources(self) -> list[catalog.Source]:
        """The sources this lab stands on."""
        return [catalog.source(id) for id in self.declared.sources]

    def png(self) -> bytes:
        """Return a picture of the default state, title and sentence included, for readers without a kernel."""
        from .picture import png

        columns, sentence = self.answer(self.within(self.positions()))
        return png(self.spec, columns, self.declared.title, sentence)

    def __repr__(self) -> str:
        return f"Lab {self.declared.name}: {self.answer(self.within(self.positions()))[1]}"

    def _repr_mimebundle_(self, **kwargs) -> dict:
        bundle = {"text/plain": repr(self)}
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle | self.picture()

    def picture(self) -> dict:
        """Return the default state's picture as a notebook stores it, where notebooks are written to be read on a code host."""
        if os.environ.get("FABRICLIB_STATIC") != "1":
            return {}
        return {"image/png": base64.b64encode(self.png()).decode("ascii")}
