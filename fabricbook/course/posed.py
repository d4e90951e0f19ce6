"""The stops of a lab as a learner meets them: asked, answered, and kept in the record."""

from __future__ import annotations

from collections.abc import Mapping

from ..stage import Lab
from .progress import current
from .prose import fill
from .stops import Choice, Find, Judged, Number, See

DONE = ("right", "shown")


def stop_key(lesson: str, lab: str, stop: str) -> str:
    """Return the key under which a stop's outcome is kept.

    >>> stop_key("start_here", "wire-map", "start")
    'start_here.wire-map.start'
    """
    return f"{lesson}.{lab}.{stop}"


def posed(lab: Lab, lesson: str, names: Mapping) -> dict[str, Posed]:
    """Return the stops that *lab* declares, by key, their texts filled in from the *names* of its *lesson*.

    Raises:
        ValueError: two have one key.
    """
    stops = {stop.key: Posed(stop, lab, stop_key(lesson, lab.declared.name, stop.key), names) for stop in lab.declared.stops}
    if len(stops) < len(lab.declared.stops):
        raise ValueError(f"stops of lab {lab.declared.name!r} must each have a key of its own; got {list(stops)}.")
    return stops


class Posed:
    """One stop of one lab. No answer is computed before the learner gives one or asks for it.

    Args:
        declared: what it asks.
        lab: the lab it asks of.
        key: under which its outcome is kept.
        names: what its texts may name.
    """

    def __init__(self, declared: Choice | Number | Find, lab: Lab, key: str, names: Mapping):
        self.declared, self._lab, self._names = declared, lab, names
        self.kept_as = key
        self._progress = current()
        self._said = ""

    @property
    def setup(self) -> dict:
        """What the browser draws of it, which never changes."""
        declared = self.declared
        texts = {"key": declared.key, "do": self.fill(declared.do), "ask": self.fill(declared.ask)}
        return texts | {"at": self._lab.positions(**declared.at)} | declared.form(self._lab, self.fill)

    @property
    def state(self) -> dict:
        """What the learner has of it now; what was to be seen is "" until it is done."""
        entry = self._entry
        saw = self.saw if entry["outcome"] in DONE else ""
        kept = {name: entry[name] for name in ("outcome", "given")}
        return {"key": self.declared.key, **kept, "sentence": self._said, "saw": saw}

    @property
    def saw(self) -> str:
        """What was to be seen."""
        return self.fill(self.declared.saw)

    def judge(self, given) -> Judged:
        """Return what is said to the answer *given*, a text or the positions of the controls; nothing is kept."""
        try:
            return self.declared.judge(self._lab, self.fill, given)
        except Exception as problem:  # a mistake in a lab must not become a traceback in a lesson
            return Judged("", f"This question cannot be judged ({type(problem).__name__}: {str(problem)[:200]}).")

    def shown(self) -> tuple[str, dict]:
        """Return the answer as a sentence, and the values of the controls that it moves; nothing is kept."""
        return self.declared.shown(self._lab, self.fill)

    def answer(self, given) -> None:
        """Judge *given* and keep the outcome. What is done once stays done, whatever is tried after it."""
        found = self.judge(given)
        entry = self._entry
        if found.outcome and entry["outcome"] not in DONE:
            self._keep(found.outcome, found.given, entry["tries"] + 1)
        self._say(found.sentence)

    def show(self) -> dict:
        """Tell the answer, and return the values of the controls that it moves."""
        try:
            sentence, moves = self.shown()
        except Exception as problem:
            sentence, moves = f"The answer cannot be computed ({type(problem).__name__}: {str(problem)[:200]}).", {}
        else:
            entry = self._entry
            if entry["outcome"] not in DONE:
                self._keep("shown", entry["given"], entry["tries"])
        self._say(sentence)
        return moves

    @property
    def _entry(self) -> dict:
        """What is kept of it; what a damaged file holds instead reads as nothing."""
        kept = self._progress.get("stops", self.kept_as) or {}
        outcome, given, tries = kept.get("outcome"), kept.get("given"), kept.get("tries")
        return {"outcome": outcome if outcome in ("wrong", *DONE) else "", "given": given if isinstance(given, str) else "",
                "tries": tries if type(tries) is int else 0}

    def _keep(self, outcome: str, given: str, tries: int) -> None:
        self._progress.record("stops", self.kept_as, {"outcome": outcome, "given": given, "tries": tries})

    def _say(self, sentence: str) -> None:
        self._said = f"{sentence} {self._progress.notice}".strip()

    def fill(self, text: str) -> str:
        """Return *text* with the numbers that it names filled in."""
        return fill(text, {**self._names, "see": See(self._lab, self.declared.at)})
