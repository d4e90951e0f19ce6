"""`fabricbook`, or `python -m fabricbook`: lay out the lessons in a folder and open them in JupyterLab."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .desk import jupyter, learner_copies, pages

HOME = Path("~") / "fabricbook-course"  # the same from wherever it is called: there are the answers


def _lay_out(folder: Path) -> Path:
    """Bring the copies in *folder* up to date, say what the learner should know, and return the whole path."""
    work = folder.expanduser().resolve()
    for sentence in learner_copies.refresh(learner_copies.handed_out(learner_copies.shipped()), work):
        print(sentence)
    return work


def _open(asked: argparse.Namespace) -> None:
    jupyter.run(_lay_out(asked.folder), browser=not asked.no_browser, port=asked.port)


def _copy(asked: argparse.Namespace) -> None:
    print(f"The lessons are in {_lay_out(asked.folder)}")


def _serve(asked: argparse.Namespace) -> None:
    pages.serve(asked.folder, asked.address, asked.port)


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fabricbook", description="The wiring of AI clusters, hands on. No command: open.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    opening = commands.add_parser("open", help="lay out your copies of the lessons, and open them where you left off")
    opening.add_argument("folder", nargs="?", type=Path, default=HOME,
                         help=f"where your copies and answers are (default: {HOME})")
    opening.add_argument("--no-browser", action="store_true", help="print the address only")
    opening.add_argument("--port", type=int, help="of 127.0.0.1; the next that is free if it is taken (default: 8888)")
    opening.set_defaults(run=_open)

    copying = commands.add_parser("copy", help="lay out your copies of the lessons, and open nothing")
    copying.add_argument("folder", type=Path, help="what you changed there stays as it is")
    copying.set_defaults(run=_copy)

    serving = commands.add_parser("serve", help="serve a folder of pages, such as the book, to read only")
    serving.add_argument("folder", type=Path, help="the pages, such as site")
    pages.add_arguments(serving)
    serving.set_defaults(run=_serve)

    training = commands.add_parser("trainer", help="for whoever teaches: prepare, open a plan, the guesses on the wall, ...")
    if arguments[:1] == ["trainer"]:  # it loads the course, which takes seconds
        from .trainer import command

        command.fill(training, HOME)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks; leave with a sentence if that cannot be done."""
    given = (sys.argv[1:] if arguments is None else arguments) or ["open"]
    asked = _parser(given).parse_args(given)
    sys.stdout.reconfigure(errors="backslashreplace")  # a learner's name may have letters that the system's encoding has not
    try:
        asked.run(asked)
    except ValueError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("Stopped.")


if __name__ == "__main__":
    main()
