"""Every link that stands in a page or a lesson leads somewhere: its file exists, and the heading it names; one that leads out is
well formed. Nothing is fetched."""

from __future__ import annotations

import re
import string
import subprocess
from urllib.parse import unquote, urlsplit

import pytest
from shipped import LESSONS, ROOT, read

LINK = re.compile(r'\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)')
CODE = re.compile(r"^(`{3,}).*?^\1$|``.+?``|`[^`\n]+`|^ {4}[^\n]*$", re.MULTILINE | re.DOTALL)
LISTED = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, check=True,
                        capture_output=True, text=True).stdout.splitlines()
# The text of a lesson is filled before it is a page: its notebook is that page.
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in LISTED if not name.startswith("fabricbook/lessons/")}
TEXTS |= {f"notebooks/{path.name}": "\n\n".join("".join(cell["source"]) for cell in read(path)["cells"]
                                               if cell["cell_type"] == "markdown") for path in LESSONS}


def prose(text: str) -> str:
    return CODE.sub("", text)


def anchors(text: str) -> set[str]:
    """What code hosts and JupyterLab call the headings of a page, in small letters."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE)
    signs = str.maketrans("", "", string.punctuation.replace("-", "").replace("_", ""))
    return {form.lower().replace(" ", "-") for heading in headings for form in (heading, heading.translate(signs))}


def lost(name: str, link: str) -> bool:
    """Whether the *link* of the page *name* leads nowhere."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return not (parts.scheme in ("https", "http") and re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}", parts.hostname or ""))
    path = (ROOT / name).parent / unquote(parts.path) if parts.path else ROOT / name
    if not path.exists():
        return True
    there = TEXTS.get(path.resolve().relative_to(ROOT).as_posix())
    return bool(parts.fragment) and (there is None or unquote(parts.fragment).lower() not in anchors(there))


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    assert [link for link in LINK.findall(prose(TEXTS[name])) if lost(name, link)] == []


@pytest.mark.parametrize(("link", "found"), [
    ("architecture.md", True), ("../README.md#the-lessons", True), ("#everywhere", True), ("../notebooks/04_cxl.ipynb", True),
    ("nowhere.md", False), ("../README.md#nowhere", False), ("#nowhere", False), ("../data/links.csv#nvlink4", False),
    ("https://example.com/a#b", True), ("https://example", False), ("ftp://example.com", False), ("mailto:someone", False),
])
def test_what_counts_as_lost(link, found):
    assert lost("docs/limits.md", link) is not found


def test_code_and_what_a_reader_is_to_write_is_no_link():
    assert LINK.findall(prose("```text\n[a](b)\n```\n`[a](b)` [c](<d> \"e\")\n\n    [a](b)\n")) == ["d"]
