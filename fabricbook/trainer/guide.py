"""The trainer's guide, written from the plans, the lessons' notes and the slips they know: Markdown, without any answer."""

from __future__ import annotations

from ..lessons import Lesson, lessons
from .notes import notes
from .plans import PLANS, Plan

BUILT = "Written by `make guide` from {}: change it there."


def plans(link: str) -> str:
    """Return the page of the plans; *link* leads from it to the folder of the notebooks."""
    pages = [f"# Three plans\n\n{BUILT.format('`fabricbook/trainer/plans.py`')}\n\n"
             "Each is opened with just its parts by `python -m fabricbook trainer open NAME`. Minutes are for a room of thirty "
             "with a projector, breaks not counted."]
    return "\n\n".join([*pages, *(_plan(one, link) for one in PLANS)]) + "\n"


def _plan(one: Plan, link: str) -> str:
    breaks = f" Breaks: {one.breaks}." * bool(one.breaks)
    told = f"For {one.whom}. {one.minutes} minutes.{breaks}"
    return f"## {one.title}: `{one.name}`\n\n{told}\n\n{one.table.replace('](', f']({link}/')}"


def course(link: str) -> str:
    """Return the page of all lessons; *link* leads from it to the folder of the notebooks."""
    head = (f"# Lesson by lesson\n\n{BUILT.format('each lesson’s `trainer.yaml` and its questions')} What stands here gives no "
            "answer away: `python -m fabricbook trainer solutions FOLDER` builds the sheet with all of them.")
    return "\n\n".join([head, *(f"{section(one, link)}\n\n{_slips(one)}" for one in lessons())]) + "\n"


def section(one: Lesson, link: str = "") -> str:
    """Return what a trainer should know of one lesson; *link* leads to the folder of the notebooks, if there are any."""
    said = notes(one)
    file = f" · [notebook]({link}/{one.file})" if link else ""
    plan = "\n".join(f"| {took} | {what} |" for took, what in said.minutes)
    parts = [
        f"## {one.heading}", f"**Aim.** {said.aim}{file}",
        f"| minutes | of {sum(took for took, _ in said.minutes)} |\n|---:|---|\n{plan}",
        "**Show**\n\n" + _listed(said.show), "**Skip**\n\n" + _listed(said.skip),
        f"**Discuss.** {said.discuss}\n\nListen for:\n\n" + "\n".join(f"- {text}" for text in said.listen),
    ]
    return "\n\n".join(parts)


def _listed(named: dict[str, str]) -> str:
    return "\n".join(f"- {_marked(name)}: {text}" for name, text in named.items())


def _marked(name: str) -> str:
    """A heading, which begins with a capital, or a key."""
    return f"*{name}*" if name[0].isupper() else f"`{name}`"


def _slips(one: Lesson) -> str:
    """The wrong answers that the lesson knows of its predictions; what they come to would tell what is right."""
    lines = ["**Usual wrong answers** to the predictions; those to stops and exercises are in the sheet.\n"]
    for asked in one.predictions.values():
        lines += [f"- `{asked.key}`", *(f"  - {clause}" for clause in asked.slips)] if asked.slips else []
    return "\n".join(lines)
