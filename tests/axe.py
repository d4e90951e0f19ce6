"""What axe-core finds wrong with our own content in a page of a real Chromium."""

from __future__ import annotations

from importlib.resources import files

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
# What surrounds our content is not ours, and pandas leaves the corner of a table empty.
NOT_OURS = ("region", "page-has-heading-one", "empty-table-header")
OPTIONS = {"resultTypes": ["violations"], "preload": False, "rules": {name: {"enabled": False} for name in NOT_OURS}}
RUN = """async ([include, options]) => {
  const ends = ({ effect }) => effect.getComputedTiming().endTime < Infinity;  // halfway, a colour is none that a reader sees
  await Promise.all(document.getAnimations().filter(ends).map(({ finished }) => finished.catch(() => {})));
  const found = await axe.run({ include }, options);
  return found.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, html, any }) => `${impact} ${id}: ${target.join(" ")}: ${html.slice(0, 160)} ${any[0]?.message ?? ""}`));
}"""


def findings(page, *include: str) -> list[str]:
    """Return a line for each thing that axe-core has against what the selectors *include* choose: impact, rule, place."""
    if not page.evaluate("Boolean(globalThis.axe)"):
        page.evaluate(AXE)
    here = [selector for selector in include if page.locator(selector).count()]
    return page.evaluate(RUN, [here, OPTIONS]) if here else []
