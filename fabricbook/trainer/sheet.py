"""The solutions sheet: every prediction, stop and exercise with its answer and its known wrong ones. It is built where it is
wanted, and committed nowhere."""

from __future__ import annotations

import html
from pathlib import Path

import mistune

from ..cells import lab
from ..course.declare import Exercise, Prediction
from ..course.posed import Posed
from ..lessons import Lesson, lessons
from . import guide

STYLE = """body { font: 15px/1.45 Arial, "Liberation Sans", Helvetica, sans-serif; max-width: 60em; margin: 2em auto; }
pre { background: #8882; padding: .5em; overflow-x: auto; } table { border-collapse: collapse; }
td, th { border: 1px solid #8888; padding: .2em .6em; text-align: left; vertical-align: top; }
h2 { break-before: page; } pre, tr { break-inside: avoid; } :root { color-scheme: light dark; }"""


def write(folder: Path) -> Path:
    """Write solutions.md and solutions.html into *folder*; return the path of the latter.

    Raises:
        ValueError: the folder cannot be written to.
    """
    text = "\n\n".join(["# Solutions", "For the trainer. Put it nowhere where learners read.", *map(of_lesson, lessons())]) + "\n"
    page = (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Solutions</title>\n<style>{STYLE}</style>'
            f"</head>\n<body>{mistune.create_markdown(plugins=['table'])(text)}</body></html>\n")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "solutions.md").write_text(text, encoding="utf-8")
        (folder / "solutions.html").write_text(page, encoding="utf-8")
    except OSError as problem:
        raise ValueError(f"folder {str(folder)!r} cannot be written to ({problem.strerror or problem}); name another.") from None
    return folder / "solutions.html"


def of_lesson(one: Lesson) -> str:
    """Return the notes on a lesson, and the answer to all that it asks, as Markdown."""
    parts = [guide.section(one), "### Predictions", *map(_prediction, one.predictions.values())]
    for name, function in one.labs.items():
        if function.declaration.stops:
            parts += [f"### Lab `{name}`: {function.declaration.title}", *map(_stop, lab(name).stops.values())]
    return "\n\n".join([*parts, "### Exercises", *map(_exercise, one.exercises.values())])


def _prediction(asked: Prediction) -> str:
    wrong = [f"{asked.format(value() if callable(value) else value)}: {clause}" for clause, value in asked.slips.items()]
    return _asked(asked.question, f"{asked.format(asked.answer())}. {asked.explain}", wrong)


def _stop(stop: Posed) -> str:
    setup, (sentence, _) = stop.setup, stop.shown()
    hints = {stop.fill(option): stop.fill(hint) for option, hint in getattr(stop.declared, "hints", {}).items()}
    wrong = [f"{option}: {hint}" for option, hint in hints.items()]
    return _asked(f"{setup['do']} {setup['ask']}", f"{sentence} {stop.saw}", wrong)


def _exercise(asked: Exercise) -> str:
    wrong = [f"`{' '.join(source.split())}`: {hint}" for source, hint in asked.wrong]
    return f"{_asked(asked.prompt, '', wrong)}\n\n```python\n{asked.solution.strip()}\n```"


def _asked(question: str, answer: str, wrong: list[str]) -> str:
    lines = [f"**{_plain(question)}**", _plain(answer), "\n".join(f"- ✗ {_plain(text)}" for text in wrong)]
    return "\n\n".join(filter(None, lines))


def _plain(text: str) -> str:
    """Return *text* so that Markdown takes no sign in it for its own; code stays code."""
    return html.escape(text, quote=False).replace("*", r"\*").replace("_", r"\_") if "`" not in text else text
