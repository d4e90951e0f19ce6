"""Whatever a learner types into a box, hands in or sends: a sentence, and never an error."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial

from hostile import drawn, shown
from payloads import PAYLOADS
from remembered import remembered

import fabricbook as book
from fabricbook.course.checking import grade
from fabricbook.course.keeping import Keeping
from fabricbook.lessons import declared, find
from fabricbook.lessons.bring_your_own.boxes import bring_your_own
from fabricbook.lessons.bring_your_own.examples import EXAMPLES, example
from fabricbook.stage.widget import state_after

Say = Callable[[object], str]  # what is said to what is given
# What no lesson may say: that something of it does not work.
BROKEN = ("cannot be judged", "cannot be computed", "model failed", "Traceback")
_SIGNS = "0123456789.,-+eE%/µ GMKTibBs\n\t\x00∞²½\u202e'\"<&{}[]:#"


def boxes() -> dict[str, Callable[[], Say]]:
    """Return by name what makes each box: of predictions, exercises and stops, each lab's messages, a log, an imported record."""
    labs = {name: function.declaration for name, function in declared("labs").items()}
    found = {f"prediction {key}": partial(_prediction, key) for key in declared("predictions")}
    found |= {f"exercise {key}": partial(_exercise, key) for key in declared("exercises")}
    found |= {f"message {name}": partial(_message, name) for name in labs}
    found |= {f"stop {name}.{stop.key}": partial(_stop, name, stop.key) for name, one in labs.items() for stop in one.stops}
    return found | {"log": _log, "log, nodes": _nodes, "import": _import}


def given(rng: random.Random):
    """Return what somebody may hand in: a hostile value, a text that means harm, or an answer with a slip of the pen."""
    kind = rng.random()
    if kind < 0.4:
        return drawn(rng)
    if kind < 0.5:
        return rng.choice(PAYLOADS)
    text = list(rng.choice(("450 GB/s", "7.5 ms", "12", "3 MiB", "40 %", "1e9", "about 2 times", "It falls", "return 2 * n")))
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(text) + 1)
        text[at:at + rng.randint(0, 2)] = rng.choices(_SIGNS, k=rng.randint(0, 2))
    return "".join(text)


def fault(say: Say, value) -> str | None:
    """Return what is wrong with what is said to *value*, or None."""
    try:
        said = say(value)
    except Exception as problem:
        return f"{shown(value)}: {type(problem).__name__}: {str(problem)[:150]}"
    if not said.strip() or any(broken in said for broken in BROKEN):
        return f"{shown(value)}: {said[:200]!r}"
    return None


def _text(value) -> str:
    return value if isinstance(value, str) else shown(value)


def _prediction(key: str) -> Say:
    box = book.predict_first(key)

    def say(value) -> str:
        box._text.value = _text(value)
        box._submit()
        return box._feedback.value

    return say


def _exercise(key: str) -> Say:
    exercise = find("exercises", key)
    return lambda value: f"{grade(exercise, value).sentence} {grade(exercise, lambda *_: value).sentence}"


def _message(name: str) -> Say:
    lab = book.lab(name)
    lab.answer = remembered(lab.answer)
    before = state_after(lab, {"values": lab.positions()}, lab.positions)

    def say(value) -> str:
        states = [state_after(lab, before, lambda sent=sent: lab.checked(sent))
                  for sent in (value, *({**lab.positions(), control: value} for control in lab.controls))]
        return " ".join(state["error"] or state["sentence"] for state in states)

    return say


def _stop(name: str, key: str) -> Say:
    lab = book.lab(name)
    lab.answer = remembered(lab.answer)
    return lambda value: lab.stops[key].judge(value).sentence


def _log() -> Say:
    box = bring_your_own()
    rows = example(next(iter(EXAMPLES))).splitlines()

    def say(value) -> str:
        at = len(_text(value)) % len(rows)
        box._text.value = "\n".join([*rows[:at], _text(value), *rows[at:]])
        box.read()
        return box._said.value

    return say


def _nodes() -> Say:
    box = bring_your_own()

    def say(value) -> str:
        box._nodes.value = box._ranks.value = _text(value)
        box.read()
        return box._said.value

    return say


def _import() -> Say:
    box = Keeping()

    def say(value) -> str:
        entry = value if isinstance(value, (str, int, float, bool, list, type(None))) else shown(value)
        record = {"predictions": {"start_here.one-chip": entry}, _text(value)[:40]: entry}
        box._take_over(_text(value)[:40], (_text(value) if len(_text(value)) % 2 else json.dumps(record)).encode)
        return box._said.value

    return say
