"""The book on paper: all its pages as one, printed by a Chromium into a PDF with an outline and page numbers.

Labs are pictures, predictions empty boxes to write in, and what waits for an answer is open: paper keeps no secret.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FOOTER = ('<div style="width: 100%; font-size: 8px; text-align: center"><span class="pageNumber"></span> / '
           '<span class="totalPages"></span></div>')
# Links between pages lead within the one page, or nowhere: none names a file of this machine. Pictures are drawn although
# nobody scrolls to them.
_PREPARE = """async () => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  document.querySelectorAll("a[href]:not([href^='#'], [href^='http'])").forEach((link) => {
    const place = `document-${link.getAttribute("href").replace(/[.]html.*/, "")}`;
    if (document.getElementById(place)) link.setAttribute("href", `#${place}`);
    else link.removeAttribute("href");
  });
  const pictures = [...document.images];
  pictures.forEach((picture) => { picture.loading = "eager"; });
  await Promise.all(pictures.map((picture) => picture.decode()));
}"""


def write(page: Path, pdf: Path) -> None:
    """Print the one *page* that holds the book into *pdf*.

    Raises:
        SystemExit: there is no Chromium to print with.
    """
    with printer() as sheet:
        sheet.goto(page.as_uri())
        sheet.evaluate(_PREPARE)
        margins = dict.fromkeys(("top", "bottom", "left", "right"), "16mm")
        sheet.pdf(path=pdf, format="A4", margin=margins, print_background=True, outline=True, tagged=True,
                  display_header_footer=True, header_template="<div></div>", footer_template=_FOOTER)


@contextmanager
def printer():
    """A page of a Chromium that can print, light and without a network.

    Raises:
        SystemExit: there is no Chromium on this machine.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("A PDF needs Chromium, and there is none on this machine. On Debian or Ubuntu: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        sheet = opened.new_context(offline=True, color_scheme="light").new_page()
        sheet.set_default_timeout(300_000)
        yield sheet
        opened.close()
