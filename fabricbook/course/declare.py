"""The two things a lesson module declares: predictions and code exercises."""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fabriclib import units
from fabriclib.checks import LEAST, MOST, known, number, single, typed

from .prose import fill

_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*+\.[a-z0-9]+(-[a-z0-9]+)*+\Z")
_PER_CENT = re.compile(r"per ?cent\Z", re.IGNORECASE)
_ABOUT = re.compile(r"\A(?:about|around|roughly|approx\.?|approximately|circa|ca\.?|nearly|some|~|≈)\s*+(?=[\d.])", re.IGNORECASE)
# Nouns of a ratio that are quantities and no counts, with the other units they may be typed in.
QUANTITIES = {"%": {}, "times": {}, "dB": {}, "mV": {"V": 1e3, "mV": 1.0, "µV": 1e-3, "uV": 1e-3}}
_SAMPLES = {"size": "3 MiB", "rate": "12 GB/s", "time": "7.5 ms", "energy": "2 pJ", "power": "40 W", "ratio": "1.5"}
_BASE_UNIT = {"size": "B", "rate": "B/s", "time": "s", "energy": "J", "power": "W"}


@typed
@dataclass(frozen=True)
class Prediction:
    """A number the learner commits to before the lesson shows it. Its texts may name numbers of the lesson in double braces.

    Args:
        key: the lesson's and its own name, such as "moving_bytes.small".
        question: what is asked, with the direction and scope that make it one number.
        kind: what `units.parse` accepts as an answer: "size", "rate", "time", "energy", "power" or "ratio".
        answer: a function of nothing that computes the answer with the model, in SI base units; more than zero.
        explain: shown after the answer: why it is so.
        slips: this prediction's own known slips: what the learner did, as a clause that follows a colon
            ("that is the raw signalling rate"), and the wrong answer it leads to (SI, or a function returning it).
        per_direction: the answer counts one direction of something that is also quoted both ways, so that a factor
            of two either way is named as that slip.
        unit: for a rate, "b/s" to show it in bits; for a ratio, "%" of a share, "times", "mV" or "dB", or else the noun
            counted ("steps"); it may also be typed. A share is judged by the points it is off, a count by the steps.
        example: what an answer looks like, where the usual example of the kind would mislead by its size.

    Raises:
        ValueError: a malformed key or an unknown kind.
    """

    key: str
    question: str
    kind: str
    answer: Callable[[], float]
    explain: str
    slips: Mapping[str, float | Callable[[], float]] = field(default_factory=dict)
    per_direction: bool = False
    unit: str = ""
    example: str = ""

    def __post_init__(self):
        _check_key(self.key)
        known("kind", self.kind, units.KINDS)

    @property
    def scale(self) -> str:
        """How far off an answer is: by a "ratio", by the points of a "share" in %, or by the steps of a "count"."""
        if self.kind != "ratio" or not self.unit:
            return "ratio"
        return "share" if self.unit == "%" else "ratio" if self.unit in QUANTITIES else "count"

    @property
    def sample(self) -> str:
        """What an answer looks like."""
        return self.example or f"{_SAMPLES[self.kind]} {self.unit if self.kind == 'ratio' else ''}".strip()

    def filled(self, names: Mapping) -> Prediction:
        """Return the prediction with the numbers that its texts name filled in from *names*; see `prose.fill`.

        >>> Prediction("moving_bytes.links", "{{ n }} links: how many?", "ratio", lambda: 3, "").filled({"n": 3}).question
        '3 links: how many?'
        """
        slips = {fill(clause, names): value for clause, value in self.slips.items()}
        texts = {text: fill(getattr(self, text), names) for text in ("question", "explain", "example")}
        return replace(self, slips=slips, **texts)

    def parse(self, text: str) -> float:
        """Return what the learner typed in SI base units; a ValueError says in one sentence what is wrong with it.

        >>> Prediction("moving_bytes.share", "?", "ratio", lambda: 10, "", unit="%").parse("about 10 per cent")
        10.0
        >>> Prediction("moving_bytes.swing", "?", "ratio", lambda: 10, "", unit="mV").parse("0.0127 V")
        12.7
        """
        if isinstance(text, str) and len(text) <= units.LONGEST_TEXT:
            text = _ABOUT.sub("", text.strip())
            value = self._counted(text) if self.kind == "ratio" else units.parse(text, self.kind)
        else:
            value = units.parse(text, self.kind)  # which says what is wrong with it
        if value < LEAST:
            raise ValueError(f"The answer is more than zero; {text.strip()!r} is not.")
        return value

    def _counted(self, text: str) -> float:
        noun, text = self.unit, _PER_CENT.sub("%", text)
        number, factor = _without_noun(text, noun), 1.0
        for other in QUANTITIES.get(noun, {}):
            if text.endswith(other) and not text.removesuffix(other)[-1:].isalpha():
                number, factor = text.removesuffix(other).rstrip(), QUANTITIES[noun][other]
        try:
            if noun and noun != "times" and number.endswith(("%", "x", "times")):
                raise ValueError(f"a number of {noun} is asked for.")
            return factor * units.parse(number, "ratio")
        except ValueError as problem:
            if not noun:
                raise
            raise ValueError(f"{units.short(text)} is not a number of {noun}. Write one such as '12 {noun}'.") from problem

    def format(self, value: float) -> str:
        """Return *value*, in SI base units, as it is shown to the learner.

        >>> Prediction("moving_bytes.rate", "?", "rate", lambda: 4.5e11, "").format(4.5e11)
        '450 GB/s'
        >>> Prediction("moving_bytes.steps", "?", "ratio", lambda: 14, "", unit="steps").format(14)
        '14 steps'
        """
        value = single("value", number("value", value, low=-MOST))
        if self.kind == "ratio":
            return f"{short(value)} {self.unit}".strip()
        if self.unit == "b/s":
            return units.format(8 * value, "b/s")
        return units.format(value, _BASE_UNIT[self.kind])


@typed
@dataclass(frozen=True)
class Exercise:
    """A function, a value or a decision that the learner writes in a notebook cell and hands to `check`.

    Args:
        key: the lesson's and its own name, such as "moving_bytes.size-for".
        prompt: the task in one sentence.
        function: the name the learner's cell binds: a function, or a plain variable when there are no *cases*.
        answer: the library's own function of the same arguments, or of none when there are no *cases*.
        cases: argument tuples on which the learner's function and *answer* must agree.
        solution: source text that binds *function*, as a learner would write it.
        options: the texts to choose from where the task is a decision; *answer* returns one of them, *wrong* has the others.
        nudge: the first rung of the ladder to the solution: a sentence that says where to look, without code.
        half: the second rung: source text with the idea in it and ... in place of the rest.
        wrong: (source, hint) per known wrong answer. The source binds *function*, or is just the expression
            it returns, written with the argument names of *solution*.
        tolerance: the largest relative difference that counts as agreement.
        demand: a function of the learner's function that is right on all cases, where how it gets there matters too: it
            returns what is wrong with it in a sentence, or "".
        lacks: a function of the learner's function that is wrong in no known way: it says in a sentence what its result lacks,
            or "".
        follows: a function of the learner's right function, or value, that calls it and returns in one sentence, with its
            number, what follows of it.
        plays: a function of the learner's right function that returns the lab which plays it, or says why that cannot be.

    Raises:
        ValueError: a malformed key, a function name that is no Python name, or a decision with cases.
    """

    key: str
    prompt: str
    function: str
    answer: Callable
    solution: str
    cases: Sequence[tuple] = ()
    wrong: Sequence[tuple[str, str]] = ()
    options: Sequence[str] = ()
    nudge: str = ""
    half: str = ""
    tolerance: float = 1e-3
    demand: Callable[[Callable], str] | None = None
    lacks: Callable[[Callable], str] | None = None
    follows: Callable[..., str] | None = None
    plays: Callable | None = None

    def __post_init__(self):
        _check_key(self.key)
        if not self.function.isidentifier():
            raise ValueError(f"function must be a Python name; got {self.function!r}.")
        if self.options and self.cases:
            raise ValueError(f"options are for a decision, which has no cases; {self.key!r} has {len(self.cases)}.")

    def filled(self, names: Mapping) -> Exercise:
        """Return the exercise with the numbers that its texts name filled in from *names*; see `prose.fill`.

        >>> Exercise("moving_bytes.n", "Set n to {{ n }}.", "n", lambda: 3, "n = 3").filled({"n": 3}).prompt
        'Set n to 3.'
        """
        wrong = [(source, fill(hint, names)) for source, hint in self.wrong]
        return replace(self, prompt=fill(self.prompt, names), nudge=fill(self.nudge, names), wrong=wrong)


def _without_noun(text: str, noun: str) -> str:
    """Return *text* without the noun at its end, in the singular or the plural."""
    one = noun.removesuffix("s").lower()
    ending = next((end for end in (f"{one}s", one) if one and text.lower().endswith(end)), "")
    return text[:len(text) - len(ending)].rstrip()


def short(value: float) -> str:
    """Return a plain number with at most four significant digits, and no exponent where none is needed.

    >>> short(14.0), short(1234567.0), short(0.125)
    ('14', '1.235e+06', '0.125')
    """
    if not isinstance(value, numbers.Real) or isinstance(value, int) and abs(value) > MOST:
        raise ValueError(f"value must be a number that a float can hold; got {units.short(value)}.")
    return f"{float(value):.4g}"


def _check_key(key: str) -> None:
    if not _KEY.match(key):
        raise ValueError(f"key must be the names of a lesson and of a question, such as 'moving_bytes.small'; got {key!r}.")
