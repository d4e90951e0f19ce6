"""`make handout`: a sheet of paper for each lesson, as PDF, in dist/handout/; needs Chromium.

    python tools/build_handout.py [LESSON ...]    only these lessons
    python tools/build_handout.py --into FOLDER   there instead
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from book.handout import printed, write
from book.made import empty, make

ROOT = Path(__file__).resolve().parents[1]
CONF = Path(__file__).with_name("book") / "sheet"


def main(arguments: list[str]) -> None:
    """Print the sheets as the *arguments* say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--into", type=Path, default=ROOT / "dist" / "handout")
    given = parser.parse_args(arguments)
    empty(given.into)
    with tempfile.TemporaryDirectory() as work:
        texts, pages = Path(work) / "texts", Path(work) / "pages"
        write(texts, given.lessons)
        make(CONF, texts, pages)
        printed(pages, given.into)
    print(f"The handouts: {given.into}")


if __name__ == "__main__":
    main(sys.argv[1:])
