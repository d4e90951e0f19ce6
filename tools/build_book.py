"""`make book`: the course as pages that need no kernel, no server and no network, in site/.

    python tools/build_book.py [LESSON ...]       only these lessons
    python tools/build_book.py --pictures         with its labs as pictures: all their states take long the first time
    python tools/build_book.py --pdf              on paper too, as course.pdf beside the pages; needs Chromium
    python tools/build_book.py --docs             with the maintainers' pages beside it, in its folder docs, and in its menu
    python tools/build_book.py --site FOLDER      there instead
    python tools/build_book.py --live ADDRESS     where "open live" leads; {file} in it stands for a lesson's notebook
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import build_docs
from book.made import empty, furnish, make
from book.pages import write
from book.paper import write as print_pdf

ROOT = Path(__file__).resolve().parents[1]
CONF = Path(__file__).with_name("book")


def build(site: Path, live: str, names: Sequence[str], *, moving: bool, paper: bool, docs: bool) -> None:
    """Make the book of the lessons *names*, or of all, in *site*, its labs *moving* or as pictures; on *paper* and with the
    maintainers' *docs* too.

    Raises:
        SystemExit: as `make` and `empty` do; there is nothing to print with.
    """
    empty(site, "lite")  # which is made apart, and lasts
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "pages"
        write(pages, live, names)
        furnish(pages / "_static", names, moving=moving)
        make(CONF, pages, site, *(["-A", "docs=docs/index.html"] if docs else []))
        if paper:
            make(CONF, pages, Path(work) / "one", "-b", "singlehtml")
            print_pdf(Path(work) / "one" / "index.html", site / "course.pdf")
    if docs:
        build_docs.build(site)


def main(arguments: list[str]) -> None:
    """Make the book as the *arguments* say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--live", default="live.html")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--pdf", action="store_true")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    given = parser.parse_args(arguments)
    build(given.site, given.live, given.lessons, moving=not given.pictures, paper=given.pdf, docs=given.docs)
    print(f"The book: {given.site / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
