"""The course without a network. It needs Python, and nothing else.

python start.py          the first time: install into .venv here; then open the lessons in JupyterLab
python start.py book     serve the book; with --address of this machine, to a room
python start.py --help   what else there is
"""

import json
import platform
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "parts"))

import install  # noqa: E402 - first, because it tells in one sentence when this Python is too old


def fits() -> None:
    """Leave with a sentence if this kit was made for another Python or another kind of machine."""
    made = json.loads((HERE / "made_for.json").read_text(encoding="utf-8"))
    mine = {"python": "{}.{}".format(*sys.version_info), "system": platform.system(), "machine": platform.machine()}
    if made != mine:
        wanted, found = ("Python {python} on {system} {machine}".format(**one) for one in (made, mine))
        sys.exit(f"This kit is for {wanted}; this is {found}. `python start.py book` works all the same.")


def serve_book(arguments: list[str]) -> None:
    """Serve the book, with nothing installed."""
    import argparse

    import pages

    parser = argparse.ArgumentParser(prog="start.py book", description="Serve the book, to read only.")
    pages.add_arguments(parser)
    asked = parser.parse_args(arguments)
    try:
        pages.serve(HERE / "book", asked.address, asked.port)
    except ValueError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    if sys.argv[1:2] == ["book"]:
        serve_book(sys.argv[2:])
    else:
        fits()
        install.go_on(install.ensure_from(HERE / "wheels"), "-m", "fabricbook", *sys.argv[1:])
