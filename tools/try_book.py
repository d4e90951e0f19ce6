"""`make book-check`: drive each lab of the book in site/ over both ends of each of its controls, answer each of its stops,
and say how long a reader waits.

    python tools/try_book.py [LAB ...]            only these labs
    python tools/try_book.py --site FOLDER        of the book that is there
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

from book.tried import CHROMIUM, tried

import fabricbook

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Drive the labs, and print what differs from Python and what was measured."""
    from playwright.sync_api import sync_playwright

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("labs", nargs="*", default=[], help="names; all labs if none is given")
    asked.add_argument("--site", type=Path, default=ROOT / "site")
    asked.add_argument("--browser", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    given = asked.parse_args()
    names, found, opening, medians = given.labs or fabricbook.labs(), [], {}, {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.browser, args=CHROMIUM)
        for name in names:
            differing, opening[name], took = tried(browser, given.site / "_static", name)
            print(*differing, sep="\n", end="\n" if differing else "", flush=True)
            found += differing
            if took:
                medians[name] = statistics.median(took)
        browser.close()
    print(f"{len(names)} labs at both ends of each control, their stops answered: {len(found) or 'none'} differs from Python's")
    for said, figures in (("opening a page to its lab drawn", opening), ("a slider's key to the redraw", medians)):
        if figures:
            worst = max(figures, key=figures.__getitem__)
            print(f"{said}: median {statistics.median(figures.values()):.0f} ms, most {figures[worst]:.0f} ms ({worst})")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
