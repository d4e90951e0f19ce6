"""`make slides`: a deck of slides for each lesson, its labs alive, that needs no kernel and no network, in dist/slides/.

    python tools/build_slides.py [LESSON ...]     only these lessons
    python tools/build_slides.py --pictures       with its labs as pictures: all their states take long the first time
    python tools/build_slides.py --into FOLDER    there instead
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from book.made import empty, furnish, make
from book.slides import write

ROOT = Path(__file__).resolve().parents[1]
CONF = Path(__file__).with_name("book") / "deck"


def build(into: Path, names: Sequence[str], *, moving: bool) -> None:
    """Make the decks of the lessons *names*, or of all, in the folder *into*, their labs *moving* or as pictures.

    Raises:
        SystemExit: as `make` and `empty` do.
    """
    empty(into)
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "pages"
        write(pages, names)
        furnish(pages / "_static", names, moving=moving)
        make(CONF, pages, into, "-b", "revealjs")


def main(arguments: list[str]) -> None:
    """Make the slides as the *arguments* say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--pictures", action="store_true")
    parser.add_argument("--into", type=Path, default=ROOT / "dist" / "slides")
    given = parser.parse_args(arguments)
    build(given.into, given.lessons, moving=not given.pictures)
    print(f"The slides: {given.into / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
