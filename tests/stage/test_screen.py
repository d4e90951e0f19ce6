"""Every lab, as it opens and at both ends of every control, on screens of four widths, light and dark: all of it can be read,
no text of a picture below ten pixels.
What axe-core finds wrong with one is nothing.

The front end and Vega are the real ones; only JupyterLab is not there, and the kernel's answers are computed beforehand.
"""

from pathlib import Path

import axe
import look
import pytest

import fabricbook

pytestmark = pytest.mark.browser
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
MOST = {1366: 620, 1024: 900, 683: 10_000, 480: 10_000}  # pixels of height that a lab may take in a window of that width
LEAST = 10  # pixels of a text in a picture
ALL_STATES = """async ({ told, states, windows, most, least }) => {
  const found = {};
  const note = (where) => complaints(lab, most[where.split(",")[0]], least).forEach((one) => (found[one] ??= []).push(where));
  await theme("light");
  await fit(...windows[1366]);
  await show(told);
  for (const width of Object.keys(most)) {
    await fit(...windows[width]);
    // Between a wide window and a narrow one a drawing is as broad as in the wide one, beside the stops: its ends say no more.
    for (const [i, state] of (width === "1024" ? states.slice(0, 1) : states).entries()) {
      await move(state);
      note(`${width}, state ${i}`);
    }
  }
  await fit(...windows[1366]);
  await theme("dark");
  note("1366, dark");
  lab.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const { background } = getComputedStyle(lab.querySelector(".fl-card"));
  return { found, background };
}"""


@pytest.fixture(scope="module")
def page(browser):
    with look.gallery(browser) as page:
        page.add_script_tag(content=MEASURE)
        yield page


@pytest.mark.parametrize("name", fabricbook.labs())
def test_a_lab_can_be_read_on_every_screen(page, name):
    lab = fabricbook.lab(name)
    told = {"setup": lab.widget.setup, "state": lab.widget.state, "stops": lab.widget.stops}
    seen = page.evaluate(ALL_STATES, {"told": told, "states": look.ends(lab), "windows": look.WINDOWS, "most": MOST,
                                      "least": LEAST})
    assert seen["found"] == {}
    assert "rgb(30, 30, 30)" in seen["background"]
    assert axe.findings(page, ".fabriclib-lab") == []
