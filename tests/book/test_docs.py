"""The maintainers' pages, made beside the book of two lessons: whole, linked with it both ways, and without a network."""

from __future__ import annotations

import html
import inspect
import re
from pathlib import Path

import axe
import pytest
from docs.pages import members, page, public

import fabricbook
import fabriclib


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site / "docs").with_suffix("").as_posix(): path.read_text(encoding="utf-8")
            for path in (site / "docs").rglob("*.html")}


def described() -> dict[str, list[str]]:
    """{page of the reference: the anchors that it is to have}."""
    found = {room: [f"fabriclib.{name}" for name in names] for room, names in public().items()}
    for room, anchors in found.items():
        if inspect.ismodule(module := getattr(fabriclib, room, None)):
            anchors += [f"fabriclib.{room}.{name}" for name in members(module) if f"fabriclib.{name}" not in anchors]
    return found | {"fabricbook": [f"fabricbook.{name}" for name in fabricbook.__all__]}


@pytest.mark.parametrize(("room", "anchors"), described().items(), ids=described())
def test_the_reference_describes_every_public_name(pages, room, anchors):
    assert anchors
    assert [anchor for anchor in anchors if f'id="{anchor}"' not in pages[f"reference/{room}"]
            and f'id="module-{anchor}"' not in pages[f"reference/{room}"]] == []


def test_every_public_name_has_a_room():
    assert {name for room, names in public().items() for name in names or [room]} <= {*fabriclib.__all__}
    assert {*fabriclib.__all__} <= {name for room, names in public().items() for name in [room, *names]}


def test_a_name_in_a_docstring_leads_to_where_it_is_described(pages):
    assert re.search(r'<a class="reference internal" href="#fabriclib.cluster_power"', pages["reference/energy"])


def test_the_sentence_of_a_property_is_whole(pages):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", pages["reference/links"]))
    assert "reaches half the asymptotic rate: alpha / beta" in text


def test_what_maintainers_have_written_is_there(pages):
    written = {"README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "docs/architecture", "docs/data", "docs/limits", "docs/results",
               "docs/accuracy", "docs/features", "docs/sources"}
    assert written <= set(pages)
    assert 'href="docs/limits.html"' in pages["index"]


def test_the_book_leads_to_them_and_they_lead_into_the_book(site, pages):
    assert 'href="docs/index.html"' in (site / "00_start_here.html").read_text(encoding="utf-8")
    assert '<a href="../00_start_here.html">Start here</a>' in pages["README"]
    outside = {(name, link) for name, text in pages.items() for link in re.findall(r'href="((?:\.\./)+\d\d_\w+\.html)"', text)}
    assert outside
    assert not [link for name, link in outside if not (site / "docs" / Path(name).parent / link).resolve().exists()]


def test_a_lesson_that_the_book_has_not_is_its_title(tmp_path):
    assert page("see [07 One server](../notebooks/07_one_server.ipynb).", tmp_path, 2) == "see 07 One server."


def test_the_rooms_of_the_architecture_are_named_in_their_order(pages):
    text = html.unescape(re.sub(r"<[^>]+>", "", pages["docs/architecture"]))
    assert "mermaid" not in text
    assert "-> course\n    -> stage" in text


def test_they_ask_no_network_and_a_link_that_leads_out_has_no_hold_on_them(pages):
    for name, text in pages.items():
        assert text.index("Content-Security-Policy") < text.index("<script"), name
        assert not re.findall(r"<script(?![^>]* src=)[^>]*>|<[^>]+ on[a-z]+=", text), name
        assert not re.findall(r'<(?:script|img|link|iframe|source)[^>]*(?:src|href)="(?:https?:)?//', text), name
        assert not re.findall(r'<a (?![^>]*noopener)[^>]*href="https?:', text), name


@pytest.mark.browser
def test_tables_that_scroll_in_a_narrow_window_are_reached_by_keys(opened):
    page = opened("docs/docs/results")
    page.set_viewport_size({"width": 480, "height": 900})
    page.locator(".table-wrapper[tabindex='0']").first.wait_for()
    assert page.locator(".table-wrapper:not([tabindex])").count()
    assert axe.findings(page, "article") == []
