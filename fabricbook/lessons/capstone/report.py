"""The report on a plan: a brief, the plan, how it fares, what would help, and what all that rests on; as Markdown and as HTML.

Whatever a learner types is data. In the templates every value is escaped as it is filled in: in Markdown each sign that could
mean something, in HTML by Jinja; and what HTML a Markdown text may hold is shown as text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

import jinja2
import mistune
from markupsafe import Markup

from fabriclib.capstone import Score, score
from fabriclib.capstone.score import LIMITS, said
from fabriclib.checks import short
from fabriclib.machines import system

from ...course.progress import replace
from .figures import figures, outside

WORDS = {"system": "machine", "gpus": "GPUs", "tp": "GPUs that share each matrix", "pp": "stages of the pipeline",
         "fabric": "network", "oversubscription": "ports of a leaf down for each port up", "optics": "optics",
         "spare": "servers that stand by"}
MOST = 5000  # characters of what a learner types
_SIGNS = re.compile(r"([\\`*_\[\]<>()#!|~&${}]|^[-+=])")  # what means something in Markdown
_NUMBERED = re.compile(r"^(\d+)(\.)(?!\d)")  # and what would begin a list


def plain(value) -> str:
    """Return *value* as Markdown that means nothing but its letters, in one line.

    >>> print(plain("<b>*not* bold</b>"))
    \\<b\\>\\*not\\* bold\\</b\\>
    """
    return _NUMBERED.sub(r"\1\\\2", _SIGNS.sub(r"\\\1", " ".join(str(value).split())))


_MARKDOWN = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=plain)
_HTML = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)

_TOP = _MARKDOWN.from_string("""\
# {{ score.brief.name }}

{% if name %}
Planned by {{ name }}.

{% endif %}
{{ score.brief.story }}

**{{ "It passes." if score.passes else "It does not pass." }}** {{ score.why() }}

## The plan

| decision | chosen |
|---|---|
{% for what, value in plan %}
| {{ what }} | {{ value }} |
{% endfor %}

## The limits

| limit | allowed over needed | |
|---|---|---|
{% for limit, margin, sentence in limits %}
| {{ limit }}{% if limit == score.binding and not score.impossible %} (binds){% endif %} | {{ margin }} | {{ sentence }} |
{% endfor %}
""")
_REST = _MARKDOWN.from_string("""\
## What would help most

{% for what, value, margin in changes %}
- {{ what }}: {{ value }}. The smallest margin becomes {{ margin }}.
{% else %}
No single change raises the smallest margin.
{% endfor %}

{% if defence %}
## Why it should be built so

{% for line in defence %}
> {{ line }}
>
{% endfor %}

{% endif %}
## What it stands on

| figure | value | source |
|---|---|---|
{% for figure in figures %}
| {{ figure.what }} | {{ figure.value }} | [{{ figure.source.title }}]({{ figure.source.url }}), {{ figure.source.publisher }} |
{% endfor %}

## What the model leaves out

{% for line in outside %}
- {{ line }}
{% endfor %}
""")
_PICTURE = _HTML.from_string("""\
<svg viewBox="0 0 720 {{ 44 * bars|length + 40 }}" role="img" aria-label="The four margins as bars; the line is enough.">
{% for bar in bars %}<text x="0" y="{{ 44 * loop.index0 + 28 }}">{{ bar.limit }}</text>
<rect x="90" y="{{ 44 * loop.index0 + 8 }}" width="{{ bar.width }}" height="30" class="{{ bar.state }}"/>
<text x="98" y="{{ 44 * loop.index0 + 28 }}">{{ bar.margin }}</text>
{% endfor %}<line x1="{{ enough }}" x2="{{ enough }}" y1="0" y2="{{ 44 * bars|length + 6 }}"/>
<text x="{{ enough }}" y="{{ 44 * bars|length + 26 }}" text-anchor="middle">1: enough</text></svg>
""")
_PAGE = _HTML.from_string("""\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title><style>
body { font: 16px/1.5 Arial, Helvetica, sans-serif; color: #222; max-width: 46em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; } th, td { border: 1px solid #bbb; padding: 3px 8px; text-align: left; }
svg { width: 100%; height: auto; } svg text { font: 15px Arial, Helvetica, sans-serif; }
svg line { stroke: #222; stroke-width: 3; }
.enough { fill: #bbbbbb; } .short { fill: #f3b99a; } .binds { fill: #D55E00; } svg rect { stroke: #333; }
blockquote { border-left: 4px solid #56B4E9; margin-left: 0; padding-left: 1em; }
@media print { body { margin: 0; } }
</style></head><body>
{{ top }}{{ picture }}{{ rest }}</body></html>
""")


@dataclass(frozen=True)
class Report:
    """A report on the score of a plan.

    Args:
        score: of the plan.
        name: who planned it. defence: why it should be built so. Both are the learner's own words, and may be "".

    Raises:
        ValueError: words that are no text, or too long.
    """

    score: Score
    name: str = ""
    defence: str = ""

    def __post_init__(self):
        for what in ("name", "defence"):
            typed = getattr(self, what)
            if not isinstance(typed, str) or len(typed) > MOST:
                raise ValueError(f"{what} must be a text of at most {MOST} characters; got {short(typed)}.")

    def parts(self) -> tuple[str, str]:
        """Return the Markdown before the picture and after it."""
        found = self.score
        limits = [(limit, f"{found.margins[limit]:.2f}", "not possible" if found.impossible else said(found, limit))
                  for limit in LIMITS]
        plan = [(WORDS[field], _shown(field, value)) for field, (value,) in found.plan.axes().items()]
        top = _TOP.render(score=found, name=self.name.strip(), plan=plan, limits=limits)
        lines = [line for line in self.defence.splitlines() if line.strip()]
        changes = [(WORDS[one.field], _shown(one.field, one.value), f"{one.score:.2f}") for one in found.changes(3)]
        rest = _REST.render(changes=changes, defence=lines, figures=figures(found), outside=outside())
        return top, rest

    def markdown(self) -> str:
        """Return the report as Markdown."""
        return "\n".join(self.parts())

    def page(self) -> str:
        """Return the report as one page of HTML that asks for nothing from elsewhere."""
        rendered = mistune.create_markdown(escape=True, plugins=["table"])
        top, rest = (Markup(rendered(part)) for part in self.parts())
        return _PAGE.render(title=self.score.brief.name, top=top, picture=Markup(self.picture()), rest=rest)

    def picture(self) -> str:
        """Return the margins as bars, as SVG; a bar as long as the picture is twice what is needed, or more."""
        found, full = self.score, 620.0
        bars = [{"limit": limit, "margin": f"{margin:.2f}", "width": f"{full * min(margin / 2, 1):.0f}",
                 "state": "binds" if limit == found.binding and not found.impossible else "enough" if margin >= 1 else "short"}
                for limit, margin in found.margins.items()]
        return _PICTURE.render(bars=bars, enough=f"{90 + full / 2:.0f}")


def _shown(field: str, value) -> str:
    """Return what a plan decides as one reads it."""
    return system(value).name if field == "system" else value if isinstance(value, str) else f"{value:,g}"


class Told:
    """What was written where, as a sentence and with links."""

    def __init__(self, sentence: str, files: list[str]):
        self._sentence, self._files = sentence, files

    def __repr__(self) -> str:
        return f"{self._sentence} {' and '.join(self._files)}"

    def _repr_html_(self) -> str:
        links = " and ".join(f'<a href="{html.escape(file)}" target="_blank">{html.escape(file)}</a>' for file in self._files)
        return f"<p>{html.escape(self._sentence)} {links}</p>"


def report(brief, plan, *, name: str = "", defence: str = "", folder: str | Path = ".") -> Told:
    """Write the report on a plan into a folder, in place of an earlier one of that brief; see `fabricbook.report`."""
    if plan is ...:
        return Told("The report is written as soon as there is a plan: my_plan = fl.capstone.Plan('dgx-h100', gpus=1024)", [])
    try:
        found = Report(score(brief, plan), name, defence)
        stem = f"report-{re.sub('[^a-z0-9]+', '-', found.score.brief.id.lower())}"  # a brief of one's own has any id
        files = {f"{stem}.html": found.page(), f"{stem}.md": found.markdown()}
        for file, text in files.items():
            replace(Path(folder) / file, text)
    except (ValueError, OSError) as problem:
        return Told(f"No report was written: {problem}", [])
    verdict = "It passes." if found.score.passes else "It does not pass yet."
    return Told(f"{verdict} {found.score.why()} Written:", list(files))
