"""What a page without a kernel needs to judge a typed number as the course does.

`judge.js` holds the same rules as `units.parse`, `Prediction.parse` and `feedback.judge`; their units, words and limits come
from here, so that they stand in one place. `kept.js` keeps the answers, as `course.progress` does. What a question must not tell
travels obscured: not to be read by accident, and no secret from whoever takes the trouble.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from fabricbook.course import checking, declare, feedback
from fabricbook.course.declare import Exercise, Prediction
from fabriclib import checks, units

JUDGE, KEPT = (Path(__file__).with_name(f"{name}.js") for name in ("judge", "kept"))
_VEIL = 91


def question(asked: Prediction, *, stop: bool = False) -> dict:
    """Return what the page must know of *asked*. A *stop* tells a wrong answer's direction and slip, and not the right one."""
    answer = float(asked.answer())
    plain, binary = (list(feedback.known_slips(asked, answer, with_binary)) for with_binary in (False, True))
    return {
        "kind": asked.kind, "unit": asked.unit, "question": asked.question, "sample": asked.sample, "stop": stop,
        "scale": feedback.scale(asked, answer), "answer": answer, "shown": asked.format(answer), "explain": asked.explain,
        "slips": [[float(factor), clause, (factor, clause) not in plain] for factor, clause in binary],
    }


def decision(asked: Exercise) -> dict[str, list]:
    """Return what is said to each option of the decision *asked*: whether it is right, the sentence, and what follows."""
    judged = {option: checking.grade(asked, option) for option in asked.options}
    return {option: [result.passed, result.sentence, result.follows] for option, result in judged.items()}


def obscured(data) -> str:
    """Return *data* as a text in which nothing can be read; `flOpened` in the page returns it.

    >>> obscured({"answer": 450})
    'IEAIHgQJ4P6xoJWdn8s='
    """
    clear = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(bytes(byte ^ (_VEIL + 7 * at & 255) for at, byte in enumerate(clear))).decode()


def script() -> str:
    """Return judge.js and kept.js, the words of the course before them: a classic script, since a page from a file may load no
    other."""
    own = "\n".join(path.read_text(encoding="utf-8") for path in (JUDGE, KEPT))
    return f"globalThis.flWords = {json.dumps(_words(), ensure_ascii=False)};\n{own}"


def _words() -> dict:
    limits = {"right": feedback.RIGHT, "close": feedback.CLOSE, "rightPoints": feedback.RIGHT_POINTS,
              "closePoints": feedback.CLOSE_POINTS, "rightShare": feedback.RIGHT_SHARE, "closeShare": feedback.CLOSE_SHARE,
              "same": feedback.SAME}
    return {"kinds": units.KINDS, "words": units.WORDS, "examples": units.EXAMPLES, "usual": units.USUAL,
            "longest": units.LONGEST_TEXT, "least": checks.LEAST, "quantities": declare.QUANTITIES, "limits": limits,
            "within": feedback.WITHIN, "fraction": feedback.FRACTION, "veil": _VEIL}
