"""What a lab asks: two to five stops, each a thing to do, one question, and an answer that the lab's own function gives.

    stops=(Choice("far", "Take the largest message.", "Which wire is last?", NAMES, lambda see: ..., "Ethernet waits longest."),)

Every function of a stop takes `see`, a See: what the lab shows once the stop is set up. Every text may name numbers of the
lesson in double braces, and `see` too: {{ si(see(gpus=2)['seconds'][0], 's') }}.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fabriclib import units
from fabriclib.checks import known, short, typed

from ..stage import Lab
from .declare import Prediction
from .feedback import judge

Fill = Callable[[str], str]


class See:
    """What a lab shows where its controls stand: `see()` is that table, `see(gpus=2)` the one with a control moved.

    `see.at` are the values at which the controls stand, `see.values` all that each of them offers.

    Args:
        lab: the lab.
        controls: values of its controls; what is missing takes its default.

    Raises:
        ValueError: as `Lab.positions` does; and when called, what the model itself refuses.
    """

    def __init__(self, lab: Lab, controls: Mapping[str, Any]):
        self._lab = lab
        self.values = {name: control.values for name, control in lab.controls.items()}
        self.at = {name: self.values[name][at] for name, at in lab.within(lab.positions(**controls)).items()}

    def __call__(self, **controls) -> dict[str, list]:
        return self._lab.answer(self._lab.within(self._lab.positions(**(self.at | controls))))[0]


@dataclass(frozen=True)
class Judged:
    """What is said to an answer. An *outcome* of "" says that the text was none, which counts as no try."""

    outcome: str
    sentence: str
    given: str = ""


@typed
@dataclass(frozen=True)
class Choice:
    """A question with a few answers to choose from.

    Args:
        key: its own name within the lab.
        do: what to do, one sentence. One press on "set it up" moves the controls to *at*, the others to their defaults.
        ask: the question.
        options: the answers to choose from, in the order shown.
        answer: which option is right, from what the lab shows.
        saw: shown once it is answered: what was to be seen, in one line.
        at: values of controls, by name.
        hints: by wrong option, why it is wrong, without the right one.
        field: a column of the lab's table: a click on a mark of the picture picks the option that stands there.

    Raises:
        ValueError: a hint for what is no option.
    """

    key: str
    do: str
    ask: str
    options: Sequence[str]
    answer: Callable[[See], str]
    saw: str
    at: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    hints: Mapping[str, str] = dataclasses.field(default_factory=dict)
    field: str = ""

    def __post_init__(self):
        for option in self.hints:
            known("option", option, self.options)

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says but for the options, which may be computed names."""
        return (self.do, self.ask, self.saw, *self.hints.values())

    def form(self, lab: Lab, fill: Fill) -> dict:
        """Return what the browser draws, besides *do* and *ask*."""
        return {"kind": "choice", "options": [fill(option) for option in self.options], "field": self.field}

    def judge(self, lab: Lab, fill: Fill, given) -> Judged:
        """Return what is said to the option *given*."""
        if not isinstance(given, str) or given not in map(fill, self.options):
            return Judged("", "Pick one of the answers first.")
        if given == fill(self.answer(See(lab, self.at))):
            return Judged("right", "Right.", given)
        hints = {fill(option): hint for option, hint in self.hints.items()}
        return Judged("wrong", fill(hints.get(given, "Not so. Set it up, and look at the picture once more.")), given)

    def shown(self, lab: Lab, fill: Fill) -> tuple[str, dict]:
        """Return the answer as a sentence, and the controls that it moves: none."""
        return f"The answer: {fill(self.answer(See(lab, self.at)))}.", {}


@typed
@dataclass(frozen=True)
class Number:
    """A question whose answer is a number with its unit, read and judged as a Prediction's is; it is never told but on demand.

    Args:
        key, do, ask, saw, at: as in Choice.
        kind: "size", "rate", "time", "energy", "power" or "ratio".
        answer: the number in SI base units, more than zero, from what the lab shows.
        unit: as in Prediction: "%", "times", or the noun counted.
        slips: as in Prediction: by clause ("that counts both directions"), the wrong answer, or a function of `see` for it.
        example: what an answer looks like, where the usual example of the kind would mislead.

    Raises:
        ValueError: an unknown kind.
    """

    key: str
    do: str
    ask: str
    kind: str
    answer: Callable[[See], float]
    saw: str
    at: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    unit: str = ""
    slips: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    example: str = ""

    def __post_init__(self):
        known("kind", self.kind, units.KINDS)

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says."""
        return (self.do, self.ask, self.saw, self.example, *self.slips)

    def asked(self, lab: Lab, fill: Fill) -> Prediction:
        """Return the question as a Prediction, which reads and judges an answer. Nothing is computed yet."""
        see = See(lab, self.at)
        slips = {fill(clause): partial(value, see) if callable(value) else value for clause, value in self.slips.items()}
        return Prediction(f"stop.{self.key}", fill(self.ask), self.kind, lambda: self.answer(see), "", slips, unit=self.unit,
                          example=fill(self.example))

    def form(self, lab: Lab, fill: Fill) -> dict:
        """Return what the browser draws, besides *do* and *ask*."""
        return {"kind": "number", "example": self.asked(lab, fill).sample}

    def judge(self, lab: Lab, fill: Fill, given) -> Judged:
        """Return what is said to the text *given*."""
        asked = self.asked(lab, fill)
        if not isinstance(given, str) or not given.strip():
            return Judged("", f"Type your answer first, such as {asked.sample}.")
        try:
            found = judge(asked, given)
        except ValueError as problem:
            return Judged("", str(problem))
        if found.verdict == "right":
            return Judged("right", found.sentence, given)
        off = f"{'a little ' if found.verdict == 'close' else ''}too {'large' if found.ratio > 1 else 'small'}"
        return Judged("wrong", f"Your {' '.join(given.split())} is {off}{f': {found.slip}' if found.slip else ''}.", given)

    def shown(self, lab: Lab, fill: Fill) -> tuple[str, dict]:
        """Return the answer as a sentence, and the controls that it moves: none."""
        asked = self.asked(lab, fill)
        return f"The answer: {asked.format(asked.answer())}.", {}


@typed
@dataclass(frozen=True)
class Find:
    """A control to be moved until something is so; then the learner presses "here".

    The other controls that *at* names must stand there; those that it does not name are the learner's own, and count where they
    stand. Shown is the first value of *control* that is accepted, with all else set up.

    Args:
        key, do, ask, saw, at: as in Choice. If *at* names *control*, the learner starts there.
        control: the control that the learner moves.
        accepts: whether it is so where the controls stand: `see()` is what the lab shows there, `see.at` their values.
        hint: said where it is not so.
    """

    key: str
    do: str
    ask: str
    control: str
    accepts: Callable[[See], bool]
    saw: str
    hint: str = ""
    at: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says."""
        return (self.do, self.ask, self.saw, self.hint)

    def form(self, lab: Lab, fill: Fill) -> dict:
        """Return what the browser draws, besides *do* and *ask*."""
        return {"kind": "find", "control": known("control", self.control, lab.controls)}

    def judge(self, lab: Lab, fill: Fill, given) -> Judged:
        """Return what is said where the controls stand at the positions *given*."""
        try:
            places = lab.within(lab.checked(given))
        except ValueError as problem:
            return Judged("", str(problem))
        stands = {name: lab.controls[name].values[place] for name, place in places.items()}
        for name, wanted in self.at.items():
            control = lab.controls[name]
            if name != self.control and control.position(wanted) != places[name]:
                return Judged("", f"Set it up first: {control.label} is to be {control.text(wanted)}.")
        control = lab.controls[self.control]
        here = control.text(stands[self.control])
        if self._accepted(lab, stands):
            return Judged("right", f"Right: {here}.", here)
        return Judged("wrong", fill(self.hint) or "Not here. Move it on, and watch the sentence and the picture.", here)

    def shown(self, lab: Lab, fill: Fill) -> tuple[str, dict]:
        """Return the answer as a sentence, and the controls that it moves."""
        control = lab.controls[self.control]
        for value in control.values:
            if self._accepted(lab, {**self.at, self.control: value}):
                return f"Here: {control.text(value)}.", See(lab, {**self.at, self.control: value}).at
        raise ValueError(f"no value of control {self.control} is accepted by stop {self.key}; got {short(list(control.values))}.")

    def _accepted(self, lab: Lab, controls: Mapping) -> bool:
        try:
            return bool(self.accepts(See(lab, controls)))
        except ValueError:  # what the model itself refuses is not what was to be found
            return False
