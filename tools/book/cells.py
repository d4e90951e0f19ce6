"""A cell of a lesson as it reads where no kernel runs: what asks, asks in the page; what needs Python says where that is."""

from __future__ import annotations

import ast
import base64
import html
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from fabricbook.course.declare import Exercise
from fabricbook.course.feedback import locked
from fabricbook.course.view import marked
from fabricbook.lessons import find

from .posed import decision, obscured, question
from .standing import answers, claims, progress, votes

_LAB = re.compile(r"(?:(?P<box>[^:]+)\. )?Lab (?P<name>[a-z0-9-]+): (?P<sentence>.*)\Z", re.DOTALL)
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_LOOKS = re.compile(r' (?:border="1"|style="text-align: right;"|role="status"|aria-live="polite")')


@dataclass(frozen=True)
class Where:
    """Where what a page shows is put, and where a page sends those who want Python.

    Args:
        pictures: the folder of the labs' pictures.
        live: the address that opens a lesson with Python; "{file}" in it stands for the lesson's notebook.
    """

    pictures: Path
    live: str

    def opened(self, file: str, why: str) -> str:
        """Return the line that says *why* Python is needed, and the way to it."""
        return f'<p class="fl-live">{why} <a href="{html.escape(self.live.format(file=file))}">Open this lesson live</a></p>'


def markdown(cell, file: str, where: Where) -> str:
    """Return the code *cell* of the notebook *file* as MyST Markdown; "" where a page needs nothing of it."""
    tree = ast.parse(cell.source)
    called = _called(tree)
    if called in ("book.predict_first", "book.solution", "book.claims", "book.votes", "book.my_progress", "book.my_answers"):
        return _raw(_asked(called, tree))
    if called == "book.check":
        return _exercise(cell.source, tree, file, where)
    if called == "book.my_guesses":
        return _raw(where.opened(file, "Your guesses are drawn beside the truth there."))
    if called in ("book.play", "book.report"):
        return _raw(where.opened(file, "What you have written goes on here, in Python."))
    shown = "".join(_output(output, file, where) for output in cell.outputs)
    if called == "book.after":
        shown = _gate(_key(tree), shown)
    return _code(cell.source, tree) + _raw(shown)


def _called(tree: ast.Module) -> str:
    last = tree.body[-1]
    return ast.unparse(last.value.func) if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else ""


def _key(tree: ast.Module) -> str:
    return tree.body[-1].value.args[0].value


def _raw(markup: str) -> str:
    return f"````{{raw}} html\n{markup}\n````\n\n" if markup else ""


def _fence(source: str) -> str:
    return f"```python\n{source.strip()}\n```\n\n"


def _code(source: str, tree: ast.Module) -> str:
    """Return the code where it says something: what fetches a part of the lesson, or waits for an answer, is not for readers."""
    own = [one for one in tree.body if not isinstance(one, (ast.Import, ast.ImportFrom))]
    speaks = len(own) > 1 or any(isinstance(node, ast.Name) and node.id == "fl" for one in own for node in ast.walk(one))
    if not own or not speaks:
        return ""
    if _called(tree).startswith("book."):
        shown = own[-1].value
        while isinstance(shown, ast.Call) and ast.unparse(shown.func).startswith("book."):
            shown = shown.args[-1]
        source = "\n".join([*source.splitlines()[:own[-1].lineno - 1], ast.get_source_segment(source, shown)])
    return _fence(source)


def _asked(called: str, tree: ast.Module) -> str:
    if called == "book.predict_first":
        return form(_key(tree))
    standing = {"book.claims": claims, "book.votes": votes, "book.my_progress": progress, "book.my_answers": answers}
    return standing.get(called, str)()


def form(key: str) -> str:
    """Return the form that asks the prediction *key*; what it must not tell travels obscured."""
    asked = find("predictions", key)
    return (f'<form class="fl-course fl-predict" data-key="{key}" data-sealed="{obscured(question(asked))}">'
            f'<p class="fl-question">{html.escape(asked.question)}</p>'
            '<div class="fl-row fl-ask"><label>Your answer <input type="text" autocomplete="off" spellcheck="false" '
            f'placeholder="such as {html.escape(asked.sample)}"></label><button type="submit">Check</button>'
            '<button type="button" class="fl-link" data-do="show">Show me</button>'
            '<button type="button" class="fl-link" data-do="back" hidden>Bring my answer back</button></div>'
            '<div class="fl-told" role="status" aria-live="polite"></div>'
            '<div class="fl-row fl-again" hidden><button type="button" class="fl-link" data-do="change">Change my answer</button>'
            '<button type="button" class="fl-link" data-do="clear">Clear my answer</button></div></form>')


def _gate(key: str, shown: str) -> str:
    waits = html.escape(locked(find("predictions", key)).removeprefix("Locked: this opens when you have answered the question "))
    return (f'<details class="fl-gate" data-key="{key}"><summary>Predict first. This opens when you have answered {waits}. '
            f'<span class="fl-link">Open it anyway</span></summary>{shown}</details>')


def _exercise(source: str, tree: ast.Module, file: str, where: Where) -> str:
    """Return what is to be written, without the call that checks it, which needs Python, or what is to be decided."""
    asked = find("exercises", _key(tree))
    if asked.options:
        return _raw(_decision(asked, where.opened(file, "What it rests on is computed in Python.")))
    stub = "\n".join(source.splitlines()[:tree.body[-1].lineno - 1])
    asks = (f'<div class="fl-course fl-exercise"><div class="fl-question">{marked(asked.prompt)}</div>{_nudge(asked)}'
            f'{where.opened(file, "Your code is run and checked in Python.")}</div>')
    return _raw(asks) + (_fence(stub) if stub.strip() else "")


def _decision(asked: Exercise, live: str) -> str:
    options = "".join(f'<li><button type="button">{html.escape(option)}</button></li>' for option in asked.options)
    return (f'<div class="fl-course fl-decision" data-key="{asked.key}" data-sealed="{obscured(decision(asked))}">'
            f'<div class="fl-question">{marked(asked.prompt)}</div><ul>{options}</ul>'
            f'<div class="fl-told" role="status" aria-live="polite"></div>{_nudge(asked)}{live}</div>')


def _nudge(asked: Exercise) -> str:
    return f'<details class="fl-nudge" data-sealed="{obscured(asked.nudge)}"><summary>A nudge</summary><p></p></details>'


def _output(output, file: str, where: Where) -> str:
    if output.output_type == "stream":
        return f"<pre>{html.escape(output.text)}</pre>"
    data = output.data
    if "image/png" in data:
        return _picture(data["text/plain"], data["image/png"], file, where)
    if "text/html" in data:
        return f'<div class="fl-output">{_LOOKS.sub("", _STYLE.sub("", data["text/html"]))}</div>'
    return f"<pre>{html.escape(data['text/plain'])}</pre>"


def _picture(text: str, encoded: str, file: str, where: Where) -> str:
    """Return a lab as its picture, which the player makes alive; a box that runs code on the reader's machine stays one."""
    drawn = _LAB.match(" ".join(text.split()))
    name, sentence = drawn["name"], html.escape(drawn["sentence"])
    image = base64.b64decode(encoded)
    where.pictures.mkdir(parents=True, exist_ok=True)
    (where.pictures / f"{name}.png").write_bytes(image)
    width, height = struct.unpack(">II", image[16:24])
    seen = (f'<img src="_static/pictures/{name}.png" alt="{sentence}" width="{width}" height="{height}" loading="lazy">'
            f'<p class="fl-said">{sentence}</p>')
    if drawn["box"]:
        return f'<div class="fl-kernel">{seen}{where.opened(file, html.escape(drawn["box"]) + ": this needs Python.")}</div>'
    return f'<div class="fl-lab" data-lab="{name}">{seen}</div>'
