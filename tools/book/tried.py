"""The labs of a book, driven in a real Chromium from a file and held against Python.

Each control of a lab is moved to both its ends: the sentence must be Python's exactly, and what is drawn to the digits that the
page has of it. Each stop is answered. And it is measured how long a reader waits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from fabricbook.stage import Lab
from fabricbook.stage.charts import LIVE
from fabricbook.stage.widget import state_after
from fabricbook.stage.wire import rows

from .answered import misjudged, move
from .packing import DIGITS
from .states import on_page

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data:"
WARM_UPS, PRESSES = 5, 40
_NOTHING = {"id": None, "values": {}, "ends": {}, "columns": {}, "sentence": "", "error": ""}
_SHOWN = f"""
async (name) => {{
  const lab = document.querySelector(`[data-lab="${{name}}"] .fabriclib-lab`);
  const view = lab.querySelector(".fl-chart").flView;
  await view.runAsync();
  const own = ([column]) => column !== "Symbol(vega_id)";
  return {{ sentence: lab.querySelector(".fl-sentence").textContent,
           rows: view.data("{LIVE}").map((row) => Object.fromEntries(Object.entries(row).filter(own))) }};
}}
"""
_DRAWN = """
async (name) => {
  const at = name ? `[data-lab="${name}"] .fl-chart` : ".fl-chart";
  while (!document.querySelector(at)?.flView) await new Promise((go) => setTimeout(go, 5));
  return performance.now();
}
"""
_REDRAWN = "async (turn) => { while (took.length <= turn) await new Promise((go) => setTimeout(go, 5)); }"
_WATCH = """
(name) => {
  const view = document.querySelector(`[data-lab="${name}"] .fl-chart`).flView;
  const run = view.runAsync.bind(view);
  globalThis.took = [];
  let pressed;
  addEventListener("keydown", () => { pressed = performance.now(); }, true);
  view.runAsync = async () => { await run(); took.push(performance.now() - pressed); return view; };
}
"""


def page_of(names: list[str]) -> str:
    """Return a page that holds these labs and nothing else, to be written beside player.js."""
    labs = "".join(f'<div class="fl-lab" data-lab="{name}">{name}</div>' for name in names)
    scripts = "".join(f'<script defer src="{name}.js"></script>' for name in ("judge", "player"))
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<title>labs</title><link rel="stylesheet" href="player.css"><body>{labs}{scripts}</body></html>')


def moved(page, lab: Lab, name: str) -> Iterator[tuple[dict[str, int], dict]]:
    """Move each control of *lab* to its ends and back; yield where the controls stand, and what the lab says and draws there."""
    box = page.locator(f'[data-lab="{name}"]')
    box.scroll_into_view_if_needed()
    page.evaluate(_DRAWN, name)
    place = lab.within(lab.positions())
    yield place, page.evaluate(_SHOWN, name)
    for control in lab.controls.values():
        began = place
        for end in (0, len(control.values) - 1, began[control.name]):
            place = _asked(lab, place | {control.name: end})
            move(box, control, end)
            yield place, page.evaluate(_SHOWN, name)
        place = began
        box.locator(".fl-reset").click()


def differences(page, lab: Lab, name: str) -> list[str]:
    """Return in words where the lab in the *page* differs from Python's, at the ends of each of its controls."""
    found = []
    for place, shown in moved(page, lab, name):
        state = state_after(lab, _NOTHING, lambda place=place: place)
        said = re.sub("\N{NO-BREAK SPACE}", " ", shown["sentence"])
        if said != (state["error"] or state["sentence"]):
            found.append(f"{name} at {place}: says {said!r}, Python {state['error'] or state['sentence']!r}")
        if not state["error"] and not _alike(shown["rows"], rows(state["columns"])):
            found.append(f"{name} at {place}: draws other numbers")
    return found


def _asked(lab: Lab, place: dict[str, int]) -> dict[str, int]:
    try:
        return lab.within(place)
    except ValueError:  # the controls stay where they were put, and the lab says what is wrong
        return place


def _alike(drawn, meant) -> bool:
    if isinstance(meant, float) and isinstance(drawn, int | float):
        return math.isclose(drawn, meant, rel_tol=0.51 * 10 ** (1 - DIGITS))
    if isinstance(meant, dict):
        return drawn.keys() == meant.keys() and all(_alike(drawn[name], value) for name, value in meant.items())
    if isinstance(meant, list):
        return len(drawn) == len(meant) and all(map(_alike, drawn, meant))
    return drawn == meant


def first_moving(browser, address: str) -> float:
    """Return the milliseconds from opening a page to the first lab on it being drawn."""
    page = browser.new_page()
    page.goto(address, wait_until="commit")
    took = page.evaluate(_DRAWN, None)
    page.close()
    return took


def redraws(page, name: str) -> list[float]:
    """Return the milliseconds from each of many presses of a slider's key to the end of the redraw; none without a slider."""
    slider = page.locator(f'[data-lab="{name}"] input[type="range"]').first
    if slider.count() == 0:
        return []
    slider.press("Home")
    page.evaluate(_WATCH, name)
    for turn in range(WARM_UPS + PRESSES):
        slider.press("ArrowLeft" if turn % 2 else "ArrowRight")
        page.evaluate(_REDRAWN, turn)
    return page.evaluate("took")[WARM_UPS:]


def tried(browser, folder: Path, name: str) -> tuple[list[str], float, list[float]]:
    """Return what differs from Python in a lab, the milliseconds of opening a page with it, and those of its redraws."""
    own, lab = folder / f"only-{name}.html", on_page(name)
    own.write_text(page_of([name]), encoding="utf-8")
    opening = first_moving(browser, own.resolve().as_uri())
    page = browser.new_page(viewport={"width": 1366, "height": 768}, offline=True, reduced_motion="reduce")
    found: list[str] = []
    page.on("pageerror", lambda problem: found.append(f"{name}: {problem}"))
    page.goto(own.resolve().as_uri())
    found += differences(page, lab, name)
    found += misjudged(page, lab, name)
    took = redraws(page, name)
    page.close()
    own.unlink()
    return found, opening, took
