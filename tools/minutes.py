"""What a lesson's minutes go into: `python tools/minutes.py` prints it of every lesson, `python tools/minutes.py cxl` of one.

A minute is 200 words of prose, or one stop of a lab; a prediction is two, an exercise that is written five, and one that is a
decision among options three. What is folded for the curious is not counted.
"""

from __future__ import annotations

import ast
import re
import sys
from typing import NamedTuple

import notebooks
from fabricbook.lessons import Lesson, declared, lesson, lessons

WORDS_A_MINUTE, STOP, PREDICTION, WRITTEN, DECISION = 200, 1, 2, 5, 3
_UNREAD = re.compile(r"<details>.*?</details>|<!--.*?-->|</?[a-z][^>\n]*>|```.*?```|\]\([^)]*\)", re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)


class Minutes(NamedTuple):
    """What there is in a lesson, and the minutes that its head prints."""

    words: int
    stops: int
    predictions: int
    written: int
    decisions: int
    printed: int

    @property
    def needed(self) -> float:
        """The minutes it takes to read and to do it all."""
        questions = PREDICTION * self.predictions + WRITTEN * self.written + DECISION * self.decisions
        return self.words / WORDS_A_MINUTE + STOP * self.stops + questions


def words(text: str) -> int:
    """Return how many words of Markdown are read: a formula is one, and nothing in a fold is.

    >>> words("**Eight** GPUs, $n + p$ [bytes](a b). <details><summary>For the curious</summary> More. </details>")
    4
    """
    return sum(any(map(str.isalnum, word)) for word in _FORMULA.sub(" x ", _UNREAD.sub(" ", text)).split())


def minutes(one: Lesson) -> Minutes:
    """Return what a lesson asks of its learner, from its text as it stands."""
    return of_cells(one, notebooks.source(one).cells, one.head.minutes)


def of_cells(one: Lesson, cells: list, printed: int) -> Minutes:
    """Return what *cells* of a lesson ask of a learner who has so many minutes."""
    found: dict[str, list[str]] = {name: [] for name in ("lab", "predict_first", "check")}
    read = 0
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            read += words(source)
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in found:
                found[node.func.attr].append(ast.literal_eval(node.args[0]))
    stops = sum(len(getattr(declared("labs")[name].declaration, "stops", ())) for name in found["lab"])
    decisions = sum(bool(one.exercises[key].options) for key in found["check"])
    return Minutes(read, stops, len(found["predict_first"]), len(found["check"]) - decisions, decisions, printed)


def report(chosen: list[Lesson]) -> str:
    """Return a table of lessons, a line each."""
    lines = [f"{'lesson':<18}{'words':>7}{'stops':>7}{'predictions':>13}{'written':>9}{'decisions':>11}"
             f"{'needed':>9}{'printed':>9}"]
    for one in chosen:
        at = minutes(one)
        over = "" if at.needed <= at.printed else f"   {at.needed - at.printed:.0f} too many"
        lines.append(f"{one.name:<18}{at.words:>7}{at.stops:>7}{at.predictions:>13}{at.written:>9}{at.decisions:>11}"
                     f"{at.needed:>9.1f}{at.printed:>9}{over}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report([lesson(name) for name in sys.argv[1:]] or lessons()))
