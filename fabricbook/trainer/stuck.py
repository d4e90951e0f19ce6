"""Who is stuck, and at what: from the learners' records, for the trainer's eyes only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fabriclib.shown import counted

from ..lessons import ORDER, lesson
from .records import SECTIONS, Learner


@dataclass(frozen=True)
class At:
    """Where a learner is.

    Args:
        name: of the learner's folder or file.
        lesson: the last lesson, in their order, that anything was answered in; "" before the first answer.
        done: how many predictions, stops and exercises are done.
        wrong: by key, the tries at what is not right yet.
        quiet: minutes since anything was answered.
    """

    name: str
    lesson: str
    done: int
    wrong: dict[str, int]
    quiet: int


def where(one: Learner, now: float, order: Sequence[str] = ORDER) -> At:
    """Return where a learner is, at the time *now* in seconds since 1970, of lessons in this *order*."""
    begun, done, wrong = [], 0, {}
    for section in SECTIONS:
        for key, entry in one.entries(section).items():
            if (home := key.split(".")[0]) in order:
                begun.append(order.index(home))
            if _open(entry):
                wrong[key] = _tries(entry)
            else:
                done += 1
    return At(one.name, order[max(begun)] if begun else "", done, wrong, max(0, int(now - one.saved) // 60))


def _open(entry: dict) -> bool:
    """Whether what was tried, a stop or an exercise, is not right yet."""
    return entry.get("outcome") == "wrong"


def _tries(entry: dict) -> int:
    tries = entry.get("tries")
    return tries if type(tries) is int else 1


def report(learners: Sequence[Learner], now: float, order: Sequence[str] = ORDER) -> str:
    """Return where the room is, of lessons in this *order*, then each learner, the most stuck first, then each question that
    holds up more than one."""
    if not learners:
        return "No record of answers is there yet."
    found = sorted((where(one, now, order) for one in learners), key=lambda at: (-sum(at.wrong.values()), -at.quiet, at.name))
    rooms = Counter(at.lesson for at in found)
    heads = [(lesson(name).heading if name else "not begun", rooms[name]) for name in ("", *order) if rooms[name]]
    lines = [f"{counted(len(found), 'learner')}: " + ", ".join(f"{count} in {head}" for head, count in heads), ""]
    rows = [("learner", "lesson", "done", "tries", "quiet", "not right yet")]
    rows += [(at.name, lesson(at.lesson).number if at.lesson else "-", str(at.done), str(sum(at.wrong.values()) or ""),
              f"{at.quiet} min", ", ".join(at.wrong)) for at in found]
    lines += _columns(rows)
    held = Counter(key for at in found for key in at.wrong)
    tried = Counter({key: sum(at.wrong.get(key, 0) for at in found) for key in held})
    if several := [key for key, count in held.most_common() if count > 1]:
        rows = [("question", "learners", "tries"), *((key, str(held[key]), str(tried[key])) for key in several)]
        lines += ["", *_columns(rows)]
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as lines, each column as wide as its widest cell; of what learners wrote nothing commands the terminal."""
    rows = [tuple("".join(sign if sign.isprintable() else "?" for sign in cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
