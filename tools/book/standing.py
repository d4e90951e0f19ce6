"""What stands on more than one page: the claims to vote on, what was found of them, and how far the reader is."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable

from fabricbook.course.prose import fill
from fabricbook.course.verdicts import RULINGS
from fabricbook.course.votes import by_claim
from fabricbook.lessons import Lesson, declared, lesson, lessons
from fabriclib import catalog


def page(name: str) -> str:
    """Return the address of the page of the lesson *name*."""
    return lesson(name).file.replace(".ipynb", ".html")


def claims() -> str:
    """Return the claims, each with a yes and a no to note, and the lessons that settle it."""
    return f'<ul class="fl-claims">{"".join(map(_claim, catalog.rows("claims")))}</ul>'


def _claim(row: dict) -> str:
    where = ", ".join(f'<a href="{page(one)}">{lesson(one).number}</a>' for one in row["lesson"])
    buttons = "".join(f'<button type="button" aria-pressed="false" data-vote="{vote}" aria-label="{said} claim {row["id"]}">'
                      f"{vote}</button>" for vote, said in (("yes", "I believe"), ("no", "I do not believe")))
    return f'<li data-claim="{row["id"]}"><span>{buttons}</span> <span>{html.escape(row["claim"])} ({where})</span></li>'


def votes() -> str:
    """Return the claims with what the reader noted of each, and what the lessons find."""
    found = by_claim(list(declared("verdicts").values()))
    rows = "".join(f'<tr><td>{html.escape(parts[0].text)}</td><td data-noted="{claim}"></td><td>'
                   + "<br>".join(f"{RULINGS[one.ruling]} {html.escape(one.found)}" for one in parts) + "</td></tr>"
                   for claim, parts in found.items())
    heads = "<tr><th>claim</th><th>you noted</th><th>the lessons find</th></tr>"
    return f'<div class="fl-output"><table class="fl-votes"><thead>{heads}</thead><tbody>{rows}</tbody></table></div>'


def progress(shown: Iterable[Lesson] = ()) -> str:
    """Return the map of the lessons *shown*, or of all: what each takes and tells, and how much of it is answered, which the page
    counts."""
    rows = "".join(_part(part, inside) for part, inside in itertools.groupby(shown or lessons(), lambda one: one.head.part))
    heads = "<tr><th></th><th>lesson</th><th>minutes</th><th>you find out</th><th>answered</th></tr>"
    return (f'<div class="fl-progress fl-output"><p role="status"></p><table><thead>{heads}</thead><tbody>{rows}</tbody></table>'
            "</div>")


def answers() -> str:
    """Return the line that leads to the page on which a reader's answers go into a file, or come out of one."""
    return '<p><a href="answers.html">Your answers</a> are listed, exported and imported on a page of their own.</p>'


def _part(part: str, inside: Iterable[Lesson]) -> str:
    return f'<tr><td></td><th colspan="4">{html.escape(part)}</th></tr>' + "".join(map(_line, inside))


def _line(one: Lesson) -> str:
    asked = " ".join(f"{section}:{key}" for section in ("predictions", "stops") for key in one.asked[section])
    title, finds = html.escape(one.head.title), html.escape(fill(one.head.finds, one.names))
    return (f'<tr data-asked="{asked}"><td>{one.number}</td><td><a href="{page(one.name)}">{title}</a></td>'
            f"<td>{one.head.minutes}</td><td>{finds}</td><td class=\"fl-done\"></td></tr>")
