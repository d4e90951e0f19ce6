"""What a trainer should know of a lesson: its trainer.yaml, beside its text.

    aim:      what a learner can say or do after it, one sentence
    minutes:  the lesson in a room, a list of one pair each, minutes: what happens
    show:     three cells for the projector, a mapping from a lab, a question's key or a heading to how to show it
    skip:     two that may be left out, and why
    discuss:  a question for the room
    listen:   what to listen for, a list
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import yaml

from ..course.prose import fill
from ..lessons import Lesson

NAME = "trainer.yaml"


@dataclass(frozen=True)
class Notes:
    """The notes of one lesson, the numbers in them filled in."""

    aim: str
    minutes: tuple[tuple[int, str], ...]
    show: dict[str, str]
    skip: dict[str, str]
    discuss: str
    listen: tuple[str, ...]


@functools.cache
def notes(one: Lesson) -> Notes:
    """Return the notes of a lesson.

    Raises:
        ValueError: it has none, or a part of them is missing.
    """
    try:
        stated = yaml.safe_load(raw(one))
        return Notes(aim=_filled(one, stated["aim"]), discuss=_filled(one, stated["discuss"]),
                     minutes=tuple((int(took), _filled(one, what)) for pair in stated["minutes"] for took, what in pair.items()),
                     show=_told(one, stated["show"]), skip=_told(one, stated["skip"]),
                     listen=tuple(_filled(one, said) for said in stated["listen"]))
    except (OSError, KeyError, TypeError, AttributeError, yaml.YAMLError) as problem:
        raise ValueError(f"{one.folder / NAME} must hold aim, minutes, show, skip, discuss and listen ({problem}).") from None


def raw(one: Lesson) -> str:
    """Return the notes as they were written."""
    return (one.folder / NAME).read_text(encoding="utf-8")


def _told(one: Lesson, stated: dict[str, str]) -> dict[str, str]:
    return {_filled(one, name): _filled(one, said) for name, said in stated.items()}


def _filled(one: Lesson, text: str) -> str:
    return fill(" ".join(text.split()), one.names)
