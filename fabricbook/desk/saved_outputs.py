"""What a saved lesson shows where no kernel runs, as on the second evening or in an export: its pictures and the answers.

A widget lives in a kernel. Once that is gone, JupyterLab can only say that its model was not found, so its view is taken
out, and what was saved beside it comes to light: a picture, a table, a text; and of a prediction, what the learner answered.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_NAMED = re.compile(r"\b(predict_first|after)\(\s*[\"']([\w.-]+)[\"']")
_LEFT = "Welcome back. This is the lesson as you left it: its pictures do not move now, and its boxes take no answer."
_BACK = "Run All Cells, in the menu Run, brings it back to life: your answers are kept."
_BUTTON = '<button data-commandlinker-command="notebook:run-all-cells">Run All Cells</button>'


def welcome(notebook):
    """Say at the first code cell of *notebook*, in place, how a lesson whose kernel is gone comes back; return the notebook."""
    from nbformat.v4 import new_output

    said = {"text/plain": f"{_LEFT} {_BACK}", "text/html": f"<p><b>{_LEFT}</b> {_BACK}</p><p>{_BUTTON}</p>"}
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    first["outputs"].insert(0, new_output("display_data", said))
    return notebook


def alive(notebook) -> bool:
    """Return whether *notebook* shows a widget, which lives in a kernel."""
    return any(map(_alive, notebook["cells"]))


def _alive(cell) -> bool:
    return cell["cell_type"] == "code" and any(WIDGET_VIEW in output.get("data", {}) for output in cell["outputs"])


def readable(notebook, shipped: dict[str, str], answers: dict[str, dict]):
    """Take the widgets' views out of *notebook*, in place, and return it.

    Args:
        notebook: a notebook of format 4, its texts joined.
        shipped: picture as base64 text, by the source of the cell that shows it, from the lesson as it was shipped.
        answers: the learner's predictions by key, as the progress file holds them.
    """
    for cell in filter(_alive, notebook["cells"]):
        for output in cell["outputs"]:
            _still(output.get("data", {}), cell["source"], shipped, answers)
    return notebook


def _still(data, source: str, shipped, answers) -> None:
    if data.pop(WIDGET_VIEW, None) is None:
        return
    named = _NAMED.search(source)
    asked, key = named.groups() if named else ("", "")
    answer = answers.get(key)
    if asked == "predict_first":
        said = judged(key, answer) if answer else "Not answered yet."
        _replace(data, str(data.get("text/plain", "")).removeprefix(f"Prediction {key}: "), said)
    elif asked == "after" and not answer:
        _replace(data, "", locked(key))
    elif source in shipped:
        data.setdefault("image/png", shipped[source])


def _replace(data, question: str, said: str) -> None:
    """Let *data* hold a question, in bold, and what is said to it, and nothing else."""
    data.clear()
    data["text/plain"] = "\n".join(filter(None, (question, said)))
    bold = f"<p><b>{html.escape(question)}</b></p>" if question else ""
    data["text/html"] = f"{bold}<p>{html.escape(said)}</p>"


def judged(key: str, entry: dict) -> str:
    """Return what the course says to an answer. It takes the course to be imported, a few seconds the first time."""
    from fabricbook.course import feedback
    from fabricbook.lessons import find

    try:
        prediction = find("predictions", key)
        said = feedback.judge(prediction, entry["typed"]) if "typed" in entry else feedback.shown(prediction)
        return f"{said.sentence} {prediction.explain}"
    except ValueError:  # a question or an answer of another edition of the course
        return f"Your answer: {entry['typed']}." if isinstance(entry.get("typed"), str) else "You were shown the answer."


def locked(key: str) -> str:
    """Return what the course says at a lock that the prediction *key* opens."""
    from fabricbook.course import feedback
    from fabricbook.lessons import find

    try:
        return feedback.locked(find("predictions", key))
    except ValueError:
        return "Locked: this opens when its question is answered."


def pictures(lesson: Path) -> dict[str, str]:
    """Return the pictures of a shipped lesson by the source of their cell; none if there is no such lesson."""
    try:
        cells = json.loads(lesson.read_bytes())["cells"]
    except (OSError, ValueError, KeyError):
        return {}
    found = {}
    for cell in cells:
        for output in cell.get("outputs", ()):
            if picture := output.get("data", {}).get("image/png"):
                found["".join(cell["source"])] = "".join(picture)
    return found


def shipped_as(copy: str) -> str:
    """Return the name of the lesson that a learner's copy was made of.

    >>> shipped_as("01_moving_bytes.new2.ipynb")
    '01_moving_bytes.ipynb'
    """
    return re.sub(r"(\.new\d*)?(-Copy\d+)?\.ipynb\Z", ".ipynb", copy)


def answered(progress: Path) -> dict[str, dict]:
    """Return the predictions in a progress file by key; none if it cannot be read."""
    from fabricbook.course.progress import Progress

    try:
        return Progress(progress).recorded("predictions")
    except OSError:
        return {}
