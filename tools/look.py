"""Look at labs without JupyterLab: mount them as a notebook of a given width would show them, in a real Chromium.

    python tools/look.py --width 1366 --theme dark ring-channels eye     pictures of two labs, in artifacts/
    python tools/look.py --ends                                          of every lab, at the ends of every control

The front end and Vega are the real ones; the answers of the model are computed beforehand, one for each place of the controls.
"""

from __future__ import annotations

import argparse
import os
from contextlib import contextmanager
from pathlib import Path

from fabricbook.stage import Lab
from fabricbook.stage.widget import VEGA, LabWidget

ROOT = Path(__file__).resolve().parents[1]
ARTIFACTS = ROOT / "artifacts" / "labs"
# A window's (width, height) in pixels: what JupyterLab leaves a lab in it, its side bars closed; 683 is 1366 at 200 %.
WINDOWS = {1920: (1740, 959), 1366: (1186, 647), 1024: (844, 647), 683: (567, 263), 480: (364, 679)}
STAGE = """
async ({ code, css, vega }) => {
  const module = (text) => import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  const scroller = document.body.appendChild(document.createElement("div"));
  scroller.id = "scroller";
  const front = (await module(code)).default;
  globalThis.fabriclibVega = { module: module(vega), queue: [], asking: true, answered: true };
  let leave = () => {};
  let model;
  const settled = async () => {
    while (!globalThis.lab.querySelector(".fl-chart").flView) await frame();
    await frame();
    await globalThis.lab.querySelector(".fl-chart").flView.runAsync();
  };
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  globalThis.show = async (told) => {
    leave();
    const heard = {};
    model = { get: (name) => told[name], send() {}, off() {}, on: (name, call) => { heard[name] = call; },
              move(state) { told.state = state; heard["change:state"](); } };
    scroller.replaceChildren();
    leave = front.render({ model, el: scroller });
    globalThis.lab = scroller.firstChild;
    await settled();
  };
  globalThis.move = async (state) => { model.move(state); await settled(); };
  globalThis.fit = async (width, height) => {
    Object.assign(scroller.style, { width: `${width}px`, height: `${height}px`, overflow: "hidden auto" });
    await frame();
    if (globalThis.lab) await settled();
  };
  globalThis.theme = async (name) => {
    document.body.dataset.jpThemeLight = String(name === "light");
    document.body.style.cssText = name === "light" ? "background: white" : "background: #111; --jp-layout-color1: #212121;"
      + "--jp-layout-color2: #424242; --jp-border-color1: #616161; --jp-ui-font-color1: #fff; --jp-ui-font-color2: #ffffffb3";
    await frame();
    if (globalThis.lab) await settled();
  };
}
"""


def ends(lab: Lab) -> list[dict]:
    """Return what the lab shows as it opens, and with each control at its two ends: states as the widget sends them."""
    opened = {name: control.default for name, control in lab.controls.items()}
    moved = [opened | {name: control.values[end]} for name, control in lab.controls.items() for end in (0, -1)]
    found = []
    for values in [opened, *(values for values in moved if values != opened)]:
        lab.set(**values)
        found.append(lab.widget.state)
    return found


@contextmanager
def gallery(browser):
    """A page on which `show(setup, state)`, `move(state)`, `fit(width, height)` and `theme(name)` can be called."""
    page = browser.new_page(viewport={"width": 1920, "height": 1100})
    try:
        page.set_content("<!doctype html><html lang=en><title>Labs</title>")  # as JupyterLab's page is, without quirks
        page.evaluate(STAGE, {"code": LabWidget._esm, "css": LabWidget._css, "vega": VEGA.read_text(encoding="utf-8")})
        yield page
    finally:
        page.close()


def pictures(page, lab: Lab, name: str, every_end: bool) -> None:
    """Write what a lab looks like to *name*.png, or to several, numbered."""
    found = ends(lab) if every_end else [lab.widget.state]
    page.evaluate("told => show(told)", {"setup": lab.widget.setup, "state": found[0], "stops": lab.widget.stops})
    for number, state in enumerate(found):
        page.evaluate("state => move(state)", state)
        suffix = f"-{number}" if every_end else ""
        with unclipped(page):
            page.locator(".fabriclib-lab").screenshot(path=ARTIFACTS / f"{name}{suffix}.png")


@contextmanager
def unclipped(page):
    """The whole lab shows, not only as much of it as its window has room for."""
    page.evaluate("document.querySelector('#scroller').style.overflow = 'visible'")
    yield
    page.evaluate("document.querySelector('#scroller').style.overflow = 'hidden auto'")


def main() -> None:
    """Write pictures of labs to artifacts/labs."""
    from playwright.sync_api import sync_playwright

    import fabricbook

    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("labs", nargs="*", default=[], help="names; all labs if none is given")
    asked.add_argument("--width", type=int, default=1366, choices=WINDOWS, help="of the window, in pixels")
    asked.add_argument("--theme", default="light", choices=["light", "dark"])
    asked.add_argument("--ends", action="store_true", help="each control at both its ends, too")
    asked.add_argument("--browser", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    given = asked.parse_args()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=["--no-sandbox", "--disable-gpu"])
        with gallery(browser) as page:
            page.evaluate("([name, width, height]) => { theme(name); fit(width, height); }",
                          [given.theme, *WINDOWS[given.width]])
            for name in given.labs or fabricbook.labs():
                pictures(page, fabricbook.lab(name), f"{name}-{given.width}-{given.theme}", given.ends)
        browser.close()
    print(f"in {ARTIFACTS}")


if __name__ == "__main__":
    main()
