"""The lessons, in their order. A lesson is a folder of that name: its text, its questions, its labs and its tables.

    lesson.md       the source of its notebook; its head says title, part, minutes, needs and what one finds out
    questions.py    PREDICTIONS, EXERCISES and VERDICTS
    labs.py         one function a lab, each declared with `@lab`
    stops.py        what each of its labs asks, a tuple a lab
    tables.py       the labelled frames and the numbers that its text and its cells show
    trainer.yaml    what a trainer should know of it: fabricbook.trainer.notes

ORDER is the one list of them: a lesson's number, its file's name and the links to its neighbours follow from its place.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from fabriclib.checks import known

from ..course import story
from ..course.declare import Exercise, Prediction
from ..course.posed import posed, stop_key
from ..course.prose import fill
from ..course.verdicts import Verdict
from ..stage import Lab
from ..stage.lab import Declaration

ORDER = (
    "start_here",
    "moving_bytes",
    "nvlink",
    "infinity_fabric",
    "cxl",
    "pcie",
    "signals",
    "one_server",
    "networks",
    "fabrics",
    "congestion",
    "collectives",
    "cost",
    "hierarchy",
    "supernodes",
    "training_a_trillion",
    "inference",
    "energy_and_cost",
    "when_things_fail",
    "against_world",
    "bring_your_own",
    "capstone",
)


@dataclass(frozen=True)
class Head:
    """What the head of a lesson's text says of it.

    Args:
        title: its name, without its number.
        part: the part of the course it belongs to.
        minutes: how long it takes.
        finds: what one finds out, as a clause.
        needs: the lessons one should have done.
        hands: the number that it hands to the next lesson, as a sentence; empty in the last.
    """

    title: str
    part: str
    minutes: int
    finds: str
    needs: tuple[str, ...] = ()
    hands: str = ""


@dataclass(frozen=True)
class Lesson:
    """One lesson, by the name of its folder. What it declares is loaded when first asked for."""

    name: str

    @property
    def folder(self) -> Path:
        """Where everything of the lesson is."""
        return Path(__file__).parent / self.name

    @property
    def number(self) -> str:
        """Its place in the course, in two digits."""
        return f"{ORDER.index(self.name):02d}"

    @property
    def file(self) -> str:
        """The name of its notebook."""
        return f"{self.number}_{self.name}.ipynb"

    @property
    def heading(self) -> str:
        """Number and title.

        >>> Lesson("start_here").heading
        '00 · Start here'
        """
        return f"{self.number} · {self.head.title}"

    @functools.cached_property
    def text(self) -> str:
        """Its source: lesson.md as it stands."""
        return (self.folder / "lesson.md").read_text(encoding="utf-8")

    @functools.cached_property
    def head(self) -> Head:
        """What the head of its source says."""
        stated = yaml.safe_load(self.text.split("---\n")[1])
        fields = {name: stated[name] for name in ("title", "part", "minutes", "finds")}
        needs = tuple(known("lesson", name, ORDER) for name in stated.get("needs", ()))
        return Head(**fields, needs=needs, hands=stated.get("hands", ""))

    @property
    def link(self) -> str:
        """A Markdown link to its notebook, from another one."""
        return f"[{self.number} {self.head.title}]({self.file})"

    @property
    def neighbours(self) -> str:
        """The line at its end, which leads to the lessons before and after it."""
        return self._around[:1].upper() + self._around[1:]

    @property
    def _around(self) -> str:
        at = ORDER.index(self.name)
        before = [f"before: {lesson(name).link}" for name in ORDER[max(at - 1, 0) : at]]
        after = [f"next: {lesson(name).link}" for name in ORDER[at + 1 : at + 2]]
        return " · ".join(before + after)

    @property
    def hands(self) -> str:
        """The sentence that it hands to the next lesson, its number filled in."""
        return fill(self.head.hands, self.names)

    @property
    def line(self) -> str:
        """What stands below its question: minutes, what one should know, its neighbours, and what the one before hands on."""
        told = " · ".join([f"{self.head.minutes} minutes", f"you need {self._needs()}", self._around])
        brought = "".join(lesson(name).hands for name in ORDER[: ORDER.index(self.name)][-1:])
        return f"{told}\n\n**You bring along:** {brought}" if brought else told

    def _needs(self) -> str:
        numbers = [lesson(name).number for name in self.head.needs]
        if not numbers:
            return "a little Python, and no networking at all"
        return "lesson " + numbers[0] if len(numbers) == 1 else f"lessons {', '.join(numbers[:-1])} and {numbers[-1]}"

    @functools.cached_property
    def names(self) -> dict:
        """What its texts may name in double braces: `lesson`, itself; `number(name)` of another; `story`; all of tables.py."""
        known_here = {"lesson": self, "number": lambda name: lesson(name).number, "story": story}
        if not (self.folder / "tables.py").exists():
            return known_here
        tables = importlib.import_module(f"{__name__}.{self.name}.tables")
        return {**vars(tables), **known_here}

    @property
    def questions(self):
        """The module of what the lesson asks."""
        return importlib.import_module(f"{__name__}.{self.name}.questions")

    @functools.cached_property
    def predictions(self) -> dict[str, Prediction]:
        """Its predictions by key, in order, the numbers in their texts filled in."""
        return {one.key: one.filled(self.names) for one in self._own(self.questions.PREDICTIONS)}

    @functools.cached_property
    def exercises(self) -> dict[str, Exercise]:
        """Its exercises by key, in order, the numbers in their texts filled in."""
        return {one.key: one.filled(self.names) for one in self._own(self.questions.EXERCISES)}

    @property
    def asked(self) -> dict[str, list[str]]:
        """The keys of all it asks, by the section of the record that keeps the answers."""
        stops = [stop_key(self.name, lab, stop.key) for lab, function in self.labs.items() for stop in function.declaration.stops]
        return {"stops": stops, "predictions": [one.key for one in self.questions.PREDICTIONS],
                "exercises": [one.key for one in self.questions.EXERCISES]}

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What it finds on claims, by the keys of the verdicts; nothing where it settles none."""
        return {one.key: one for one in getattr(self.questions, "VERDICTS", ())}

    @property
    def labs(self) -> dict[str, Callable]:
        """The functions that declare its labs, by the labs' names; none where it has no labs.py."""
        if not (self.folder / "labs.py").exists():
            return {}
        module = importlib.import_module(f"{__name__}.{self.name}.labs")
        own = [f for f in vars(module).values() if getattr(f, "__module__", "") == module.__name__]
        return {f.declaration.name: f for f in own if hasattr(f, "declaration")}

    def _own(self, declared):
        for one in declared:
            if one.key.split(".")[0] != self.name:
                raise ValueError(f"key {one.key!r} is declared in lesson {self.name}; it must start with '{self.name}.'.")
            yield one


@functools.cache
def lesson(name: str) -> Lesson:
    """Return the lesson whose folder is *name*.

    Raises:
        ValueError: no such lesson; the message suggests the nearest.
    """
    return Lesson(known("lesson", name, ORDER))


def lessons() -> list[Lesson]:
    """Return all lessons in order."""
    return [lesson(name) for name in ORDER]


def as_lab(declared: Declaration) -> Lab:
    """Return the lab that a lesson has *declared*, new, the numbers in its texts filled in and its stops posed."""
    home = lesson(declared.function.__module__.split(".")[-2])
    return Lab(declared, lambda text: fill(text, home.names), lambda lab: posed(lab, home.name, home.names))


@functools.cache
def declared(kind: str) -> dict:
    """Return all that the lessons declare of one *kind*, "predictions", "exercises", "verdicts" or "labs", in lesson order.

    Raises:
        ValueError: something is declared twice.
    """
    found: dict = {}
    for one in lessons():
        for key, item in getattr(one, kind).items():
            if key in found:
                raise ValueError(f"{key!r} is declared twice among the {kind}, the second time in lesson {one.name}.")
            found[key] = item
    return found


def find(kind: str, key: str):
    """Return what is declared as *key* among the "predictions", "exercises", "verdicts" or "labs".

    Raises:
        ValueError: nothing is; the message suggests the nearest.
    """
    for one in _homes(key):
        if key in (own := getattr(one, kind)):
            return own[key]
    everything = declared(kind)
    return everything[known(kind.removesuffix("s"), key, everything)]


def _homes(key) -> list[Lesson]:
    """Return the lessons that may declare *key*, so that no other is loaded: its first part, or those whose text names it."""
    if not isinstance(key, str):
        return []
    home = key.split(".")[0]
    return [lesson(home)] if home in ORDER else [one for one in lessons() if f'"{key}"' in one.text]
