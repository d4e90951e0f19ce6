"""The labs of a built book, driven in a real Chromium from a file: `python -m book.tried FOLDER`, where FOLDER holds player.js.

Each control of each lab is moved to both its ends, and what stands there is held against Python: the sentence exactly, what is
drawn to the digits that the page has of it. Then it is measured how long a reader waits.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import fabricbook
from fabricbook.stage import Lab
from fabricbook.stage.charts import LIVE
from fabricbook.stage.widget import state_after
from fabricbook.stage.wire import rows

from .packing import DIGITS

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
            _move(box, control, end)
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


def _move(box, control, to: int) -> None:
    if control.as_ == "menu":
        box.locator(f'select[name="{control.name}"]').select_option(index=to)
        return
    box.locator(f'input[name="{control.name}"]').evaluate(
        "(input, to) => { input.value = to; input.dispatchEvent(new Event('input', { bubbles: true })); }", to)


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


def redraws(page, lab: Lab, name: str) -> list[float]:
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
    own, lab = folder / f"only-{name}.html", fabricbook.lab(name)
    own.write_text(page_of([name]), encoding="utf-8")
    opening = first_moving(browser, own.resolve().as_uri())
    page = browser.new_page(viewport={"width": 1366, "height": 768}, offline=True, reduced_motion="reduce")
    found: list[str] = []
    page.on("pageerror", lambda problem: found.append(f"{name}: {problem}"))
    page.goto(own.resolve().as_uri())
    found += differences(page, lab, name)
    took = redraws(page, lab, name)
    page.close()
    own.unlink()
    return found, opening, took


def main() -> None:
    """Drive the labs of a built book, and print what differs and how long it takes."""
    from playwright.sync_api import sync_playwright

    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("folder", type=Path, help="where player.js is")
    asked.add_argument("labs", nargs="*", help="names; all labs if none is given")
    asked.add_argument("--browser", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    given = asked.parse_args()
    names, found, opening, medians = given.labs or fabricbook.labs(), [], {}, {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=CHROMIUM)
        for name in names:
            differing, opening[name], took = tried(browser, given.folder, name)
            found += differing
            if took:
                medians[name] = statistics.median(took)
        browser.close()
    print("\n".join(found) or f"{len(names)} labs are as Python's at both ends of each of their controls")
    for said, figures in (("opening a page to its lab drawn", opening), ("a slider's key to the redraw", medians)):
        worst = max(figures, key=figures.get)
        print(f"{said}: median {statistics.median(figures.values()):.0f} ms, worst {figures[worst]:.0f} ms ({worst})")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
