"""`fabricbook trainer`: what a trainer asks of the command line."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fabriclib.shown import counted

from ..course.gate import UNLOCKED
from ..desk import jupyter, learner_copies
from ..lessons import ORDER, find
from . import fresh, ready, records, sheet, stuck, tour, wall
from .plans import PLANS, plan


def _ready(asked: Namespace) -> None:
    if not ready.check(asked.folder.expanduser().resolve()):
        sys.exit(1)


def _open(asked: Namespace) -> None:
    chosen = plan(asked.plan)
    work = (asked.folder or Path("~") / f"fabricbook-{chosen.name}").expanduser().resolve()
    for sentence in learner_copies.refresh(tour.files(chosen), work):
        print(sentence)
    if asked.unlocked:
        os.environ[UNLOCKED] = "1"
    jupyter.run(work, browser=not asked.no_browser, port=asked.port, lesson=tour.FIRST)


def _wall(asked: Namespace) -> None:
    prediction = find("predictions", asked.key)
    _learners(asked.places)  # says now what is not there
    wall.serve(prediction, lambda: records.learners(asked.places), port=asked.port, browser=not asked.no_browser)


def _stuck(asked: Namespace) -> None:
    order = [part.lesson for part in plan(asked.plan).parts] if asked.plan else ORDER
    print(stuck.report(_learners(asked.places), time.time(), order))


def _learners(places: list[Path]) -> list[records.Learner]:
    found = records.learners(places)
    if shut := records.closed(places):
        print(f"{counted(shut, 'folder')} cannot be looked into: call this with sudo if they are learners' homes.", flush=True)
    return found


def _reset(asked: Namespace) -> None:
    for sentence in fresh.reset(asked.folder.expanduser().resolve(), asked.plan):
        print(sentence)


def _solutions(asked: Namespace) -> None:
    print(f"The solutions are in {sheet.write(asked.folder.expanduser().resolve())}, and as text beside it.")


def fill(parser: ArgumentParser, home: Path) -> None:
    """Give *parser* the trainer's commands; *home* is where learners' copies are by default."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    names = ", ".join(one.name for one in PLANS)

    one = commands.add_parser("ready", help="ready for tomorrow? what this machine lacks; exit code 1 if anything")
    one.add_argument("folder", nargs="?", type=Path, default=home, help=f"where the lessons are laid out (default: {home})")
    one.set_defaults(run=_ready)

    one = commands.add_parser("open", help="lay out and open just the parts of a plan")
    one.add_argument("plan", help=names)
    one.add_argument("folder", nargs="?", type=Path, help="default: ~/fabricbook-PLAN")
    one.add_argument("--unlocked", action="store_true", help="show at once what waits for a prediction; the lesson says so")
    one.add_argument("--no-browser", action="store_true", help="print the address only")
    one.add_argument("--port", type=int, help="of 127.0.0.1 (default: 8888, or the next that is free)")
    one.set_defaults(run=_open)

    one = commands.add_parser("wall", help="draw the room's guesses at a prediction as they come in, without names")
    one.add_argument("key", help="of the prediction, such as congestion.slowest")
    one.add_argument("places", nargs="+", type=Path, help="progress files, or folders of them: a stick, or /home on a hub")
    one.add_argument("--no-browser", action="store_true", help="print the address only")
    one.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (default: any that is free)")
    one.set_defaults(run=_wall)

    one = commands.add_parser("stuck", help="who is where, and tries what without success: for the trainer's eyes")
    one.add_argument("places", nargs="+", type=Path, help="progress files, or folders of them: a stick, or /home on a hub")
    one.add_argument("--plan", default="", help=f"whose order of lessons says how far somebody is: {names}")
    one.set_defaults(run=_stuck)

    one = commands.add_parser("reset", help="for the next group: move answers and copies aside, lay out fresh ones")
    one.add_argument("folder", type=Path, help="where the lessons were laid out")
    one.add_argument("plan", nargs="?", default="", help=f"lay out only a plan: {names}")
    one.set_defaults(run=_reset)

    one = commands.add_parser("solutions", help="write the sheet with every answer, as a page and as text")
    one.add_argument("folder", type=Path, help="where to; nowhere that learners read")
    one.set_defaults(run=_solutions)
