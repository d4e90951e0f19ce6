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
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import build_docs
from book import player
from book.pages import write
from book.paper import write as print_pdf
from book.posed import script
from sphinx.cmd.build import build_main

from fabricbook.lessons import ORDER, lesson

ROOT = Path(__file__).resolve().parents[1]
CONF = Path(__file__).with_name("book")


def build(site: Path, live: str, names: Sequence[str], *, moving: bool, paper: bool, docs: bool) -> None:
    """Make the book of the lessons *names*, or of all, in *site*, its labs *moving* or as pictures; on *paper* and with the
    maintainers' *docs* too.

    Raises:
        SystemExit: Sphinx has warned of something, and said what; there is nothing to print with.
    """
    for old in [path for path in site.glob("*") if path.name != "lite"]:  # which is made apart, and lasts
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "pages"
        write(pages, live, names)
        (pages / "_static" / "judge.js").write_text(script(), encoding="utf-8")
        if moving:
            player.write(pages / "_static", [lab for name in names or ORDER for lab in lesson(name).labs])
        _sphinx("html", pages, site, *(["-A", "docs=docs/index.html"] if docs else []))
        if paper:
            _sphinx("singlehtml", pages, Path(work) / "one")
            print_pdf(Path(work) / "one" / "index.html", site / "course.pdf")
    if docs:
        build_docs.build(site)


def _sphinx(builder: str, pages: Path, into: Path, *more: str) -> None:
    trees = str(pages.with_name(f"trees-{builder}"))
    if failed := build_main(["-q", "-W", "--keep-going", "-b", builder, "-c", str(CONF), "-d", trees, *more, str(pages),
                             str(into)]):
        sys.exit(failed)


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
