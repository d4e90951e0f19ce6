"""`make bench`: what a learner waits for, measured in one run.

(a) From a slider's key press to the finished redraw, in a real JupyterLab in headless Chromium: a lab of ours,
    and beside it, in the same notebook and turn by turn, `altair.JupyterChart` re-embedding the same chart.
(b) `import fabriclib` against `import numpy`, whole processes.
(c) `Link.time` on a million sizes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from fabricbook.desk import jupyter

WARM_UPS, PRESSES, IMPORTS, TIMINGS = 10, 50, 15, 30
PAUSE_S = 0.15  # JupyterChart writes to the kernel after each redraw; that must not delay the next press
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SETTINGS = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}

CELL = """
import time, altair, anywidget, ipywidgets, fabricbook as book

lab = book.lab("alpha-beta")
control = next(c for c in lab.controls.values() if c.as_ == "slider")
slider = ipywidgets.IntSlider(control.position(control.default), 0, len(control.values) - 1)

from fabricbook.stage.wire import plain_columns, rows
def drawn(at):
    columns, sentence = lab.answer(lab.positions(**{control.name: control.values[at]}))
    return base.properties(datasets={"table": rows(plain_columns(columns))})
base = lab.declared.chart().properties(width=WIDTH)
altair.JupyterChart.enable_offline()
chart = altair.JupyterChart(drawn(slider.value), embed_options={"renderer": "canvas"})
chart.add_class("bench-theirs")
slider.observe(lambda change: setattr(chart, "chart", drawn(change["new"])), "value")

class Ping(anywidget.AnyWidget):
    _esm = '''export default { render({ model }) {
      globalThis.ping = () => new Promise((resolve) => {
        const start = performance.now();
        const heard = () => { model.off("msg:custom", heard); resolve(performance.now() - start); };
        model.on("msg:custom", heard);
        model.send({});
      });
    } }'''
ping = Ping()
ping.on_msg(lambda *_: ping.send({}))

def cost(function, times=50):
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times * 1e3
print(cost(lambda: plain_columns(lab.answer(lab.positions())[0])), cost(lambda: drawn(slider.value).to_dict(), 10))
display(ipywidgets.VBox([lab.widget, slider, chart, ping]))
"""

WATCH = """
() => {
  const bench = (globalThis.bench = {});
  bench.expect = () => { bench.done = new Promise((resolve) => { bench.finish = resolve; }); };
  bench.expect();
  addEventListener("keydown", () => { bench.pressed = performance.now(); }, true);
  const finish = () => bench.finish(performance.now() - bench.pressed);

  // Ours: finished when the run of the Vega view that the new data set off has ended.
  const view = document.querySelector(".fl-chart").flView;
  const run = view.runAsync.bind(view);
  view.runAsync = async () => { await run(); finish(); return view; };

  // Theirs: vega-embed awaits the new view's first run, then adds its menu, a <details>: the first sign of an end.
  const added = (records) => records.some((r) => [...r.addedNodes].some((n) => n.nodeName === "DETAILS"));
  const observer = new MutationObserver((records) => { if (added(records)) finish(); });
  observer.observe(document.querySelector(".bench-theirs"), { childList: true, subtree: true });

  bench.redraw = async () => {
    const rows = JSON.parse(JSON.stringify(view.data("table")));
    const start = performance.now();
    await view.data("table", rows).runAsync();
    return performance.now() - start;
  };
}
"""


def say(text: str) -> None:
    print(text, flush=True)


def summary(name: str, figures: list[float], unit: str = "ms") -> str:
    ordered = sorted(figures)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return f"  {name:<44} median {statistics.median(ordered):7.1f} {unit}   p95 {p95:7.1f} {unit}"


@contextmanager
def jupyterlab(folder: Path):
    """A JupyterLab of our own, on 127.0.0.1 with a token, gone at the end; yields the notebook's address."""
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(settings), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    here = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(folder / place) for name, place in here.items()} | {"JUPYTER_TOKEN": token}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--port={port}",
               "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder / 'notebooks'}",
               f"--ServerApp.config_file={jupyter.SERVER}"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, folder / "log")
        yield f"http://127.0.0.1:{port}/lab/tree/bench.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def write_notebook(path: Path, width: int) -> None:
    import nbformat

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cell = nbformat.v4.new_code_cell(CELL.replace("WIDTH", str(width)))
    path.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), path)


def open_and_run(page, address: str) -> None:
    """Open the notebook, run its cell, and wait until both charts stand."""
    page.goto(address)
    # Run before the kernel is there and JupyterLab asks which one to take.
    page.locator("#jp-main-statusbar", has_text="| Idle").wait_for(timeout=90_000)
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    page.locator(".fl-chart canvas").wait_for(timeout=90_000)
    page.locator(".bench-theirs canvas").wait_for(timeout=90_000)
    page.wait_for_function("document.querySelector('.fl-chart').flView")
    page.evaluate(WATCH)


def press(page, slider, key: str) -> float:
    """Milliseconds from the key to the end of the redraw it causes."""
    page.evaluate("bench.expect()")
    slider.focus()
    page.keyboard.press(key)
    took = page.evaluate("Promise.race([bench.done, new Promise((r) => setTimeout(r, 10000))])")
    if took is None:
        raise SystemExit("A key press was followed by no redraw within 10 s.")
    time.sleep(PAUSE_S)
    return took


def measure(page) -> dict[str, list[float]]:
    """Turn by turn: a press in our lab, a press beside JupyterChart, a bare round trip, a redraw of the same data."""
    ours = page.locator(".fabriclib-lab input[type=range]").first
    theirs = page.locator(".jupyter-widgets.widget-slider [role=slider]").first
    took = {"ours": [], "theirs": [], "ping": [], "redraw": []}
    for turn in range(WARM_UPS + PRESSES):
        key = "ArrowRight" if turn // 5 % 2 == 0 else "ArrowLeft"
        figures = {"ours": press(page, ours, key), "theirs": press(page, theirs, key),
                   "ping": page.evaluate("ping()"), "redraw": page.evaluate("bench.redraw()")}
        if turn >= WARM_UPS:
            for name, figure in figures.items():
                took[name].append(figure)
        if turn % 10 == 9:
            say(f"  {turn + 1} of {WARM_UPS + PRESSES} presses")
    return took


def bench_redraw() -> None:
    from playwright.sync_api import sync_playwright

    say("(a) slider key to finished redraw: starting JupyterLab and Chromium")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("No Chromium on this machine. On Debian or Ubuntu: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="fabriclib-bench-") as name, sync_playwright() as playwright:
        folder = Path(name)
        write_notebook(folder / "notebooks" / "bench.ipynb", width=800)
        with jupyterlab(folder) as address:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
            page = browser.new_page(viewport={"width": 1400, "height": 1600})
            open_and_run(page, address)
            took = measure(page)
            evaluate, rebuild = map(float, page.locator(".jp-OutputArea-output pre").first.inner_text().split())
            areas = page.evaluate("[...document.querySelectorAll('canvas')].map((c) => c.width + ' x ' + c.height)")
            browser.close()
    ratio = statistics.median(took["ours"]) / statistics.median(took["theirs"])
    say(summary("lab of ours, living view", took["ours"]))
    say(summary("altair.JupyterChart, re-embedded", took["theirs"]))
    say(f"  ratio of the medians {ratio:.2f} (at most 0.50 wanted), {PRESSES} presses each, canvases {' and '.join(areas)}")
    say("  of our time:")
    say(summary("a bare message to the kernel and back", took["ping"]))
    say(f"  {'evaluating the lab in Python':<44} mean   {evaluate:7.2f} ms")
    say(summary("drawing the same data again", took["redraw"]))
    say("  of JupyterChart's, besides the same round trip:")
    say(f"  {'putting the chart together in Python':<44} mean   {rebuild:7.2f} ms")


def bench_import() -> None:
    say(f"(b) import, whole process, {IMPORTS} of each in turn")
    took = {"numpy": [], "fabriclib": []}
    for turn in range(IMPORTS + 1):
        for module, figures in took.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            if turn > 0:  # the first may compile byte code
                figures.append((time.perf_counter() - start) * 1e3)
    for module, figures in took.items():
        say(summary(f"import {module}", figures))
    ratio = statistics.median(took["fabriclib"]) / statistics.median(took["numpy"])
    say(f"  ratio of the medians {ratio:.2f} (at most 1.50 wanted)")


def bench_link() -> None:
    import numpy as np

    import fabriclib as fl

    sizes = np.geomspace(8, 1e12, 1_000_000)
    link = fl.link("nvlink4")
    took = []
    for _ in range(TIMINGS):
        start = time.perf_counter()
        link.time(sizes)
        took.append((time.perf_counter() - start) * 1e3)
    say(f"(c) Link.time on {sizes.size:,} sizes, {TIMINGS} times")
    say(summary("fl.link('nvlink4').time(sizes)", took))
    rate = sizes.size / statistics.median(took) / 1e3
    say(f"  {rate:.0f} million sizes a second (at least 50 wanted)")


if __name__ == "__main__":
    bench_redraw()
    bench_import()
    bench_link()
