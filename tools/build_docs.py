"""`make docs`: the maintainers' pages, in site/docs/; they need no server and no network.

    python tools/build_docs.py [--site FOLDER]    in that folder instead, beside the book, if it is there
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from book.made import make
from docs.pages import write

ROOT = Path(__file__).resolve().parents[1]
CONF = Path(__file__).with_name("docs")


def build(site: Path) -> None:
    """Make the maintainers' pages in the folder docs of *site*; of lessons they link to those that *site* has.

    Raises:
        SystemExit: as `make` does.
    """
    shutil.rmtree(site / "docs", ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "pages"
        write(pages, site)
        make(CONF, pages, site / "docs")


def main(arguments: list[str]) -> None:
    """Make the pages as the *arguments* say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    given = parser.parse_args(arguments)
    build(given.site)
    print(f"The maintainers' pages: {given.site / 'docs' / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
