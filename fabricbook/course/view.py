"""The look of what the course shows: one style sheet that follows JupyterLab's theme, light or dark.

It travels inside the widgets, of which every lesson has several, and so is in no saved output.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ..stage.charts import GREEN, SKY, VERMILION
from ..stage.words import COME_BACK

if TYPE_CHECKING:
    from ipywidgets import HTML, DOMWidget

_INK = "var(--jp-content-font-color1, currentColor)"
STYLE = f"""<style>
.fl-course {{ max-width: 720px; box-sizing: border-box; margin: 6px 0; padding: 8px 14px; overflow: hidden; color: {_INK};
  border: 1px solid var(--jp-border-color1, #999); border-radius: 6px; }}
.fl-course .widget-html-content {{ line-height: 1.45; font-size: var(--jp-content-font-size1, 15px); color: {_INK};
  white-space: normal; overflow-wrap: anywhere; }}
.fl-course .fl-row {{ flex-flow: row wrap; align-items: center; overflow: visible; }}
.fl-course input {{ font-size: var(--jp-content-font-size1, 15px); }}
.fl-course .fl-question {{ font-weight: 600; font-size: 1.1em; margin-bottom: 4px; }}
.fl-course .fl-link {{ background: none; text-decoration: underline; color: var(--jp-content-link-color, {_INK}); }}
.fl-course .fl-sentence {{ margin: 4px 0; padding-left: 10px; border-left: 5px solid {SKY}; }}
.fl-course .fl-sentence.fl-right {{ border-left-color: {GREEN}; }}
.fl-course .fl-sentence:is(.fl-slip, .fl-off, .fl-wrong) {{ border-left-color: {VERMILION}; }}
.fl-course .fl-sentence div + div {{ margin-top: 4px; }}
.jp-OutputArea-output :is(button, input, select, textarea, a, summary):focus-visible {{
  outline: 3px solid var(--jp-brand-color1, Highlight) !important; outline-offset: 2px; }}
.fl-notice, .fl-locked-text {{ font-style: italic; }}
.fl-course details pre {{ white-space: pre-wrap; }}
.fl-course.jupyter-widgets-disconnected::before, .fl-course .jupyter-widgets-disconnected::before {{ display: none; }}
.fl-course.jupyter-widgets-disconnected::after {{ content: "{COME_BACK}"; font-style: italic; }}
</style>"""

_MARKS = {"right": "✓", "close": "≈", "slip": "✗", "off": "✗", "wrong": "✗", "shown": "→", "problem": "!"}


def html_box(text: str = "") -> HTML:
    """Return an HTML widget wide enough for its row; *text* is markup, so what a learner typed must be escaped."""
    from ipywidgets import HTML

    return HTML(text, layout={"width": "auto", "margin": "0"})


def reveal(widget: DOMWidget, seen: bool) -> None:
    """Show *widget*, or hide it."""
    widget.layout.display = "" if seen else "none"  # not None, which a browser's Python cannot send: what was hidden stayed so


def marked(text: str) -> str:
    """Return *text* as markup: escaped, and what stands between backticks as code.

    >>> marked("a <b> of `c > d`")
    'a &lt;b&gt; of <code>c &gt; d</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def sentence(verdict: str, text: str, *, more: str = "", css: str = "") -> str:
    """Return markup for one spoken sentence: a mark and a colour for the verdict, the *text*, then *more*, both escaped."""
    body = f"<b aria-hidden='true'>{_MARKS[verdict]}</b> {marked(text)}"
    after = f"<div>{marked(more)}</div>" if more else ""
    return f'<div role="status" aria-live="polite" class="fl-sentence fl-{verdict} {css}"><div>{body}</div>{after}</div>'


def css_key(key: str) -> str:
    """Return *key* as a CSS class, so that a test or a reader of the page can find the box of a prediction."""
    return "fl-key-" + key.replace(".", "-")
