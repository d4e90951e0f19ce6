"""Kill savers of a learner's record in the middle of their saves, and see after each that no answer is lost.

    python tools/faults.py --kills 1000

A killed one loses at most the answer that it has not yet said to be saved. The exit code is not 0 if another is lost.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fabricbook.course.progress import Progress

KEYS = 40  # of questions answered again and again: a record of a whole course is as long


def save_for_ever(path: Path, first: int, told: int) -> None:
    """Answer one question after the other, by numbers from *first* on; write each to the pipe *told* once it is saved."""
    progress = Progress(path)
    for number in itertools.count(first):
        progress.record("predictions", f"trial.q{number % KEYS}", {"typed": number, "why": "x" * (number % 500)})
        if not progress.notice:
            os.write(told, b"%d\n" % number)


def killed(path: Path, first: int, later: float) -> list[int]:
    """Return which answers a process said it had saved; it was killed after the first of them, *later* times what that took."""
    (read, told), began = os.pipe(), time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        save_for_ever(path, first, told)
    os.close(told)
    with open(read, "rb") as pipe:
        said = pipe.readline()
        time.sleep(later * (time.monotonic() - began))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        said += pipe.read()
    return [int(line) for line in said.split(b"\n") if line]


def main() -> None:
    """Kill as often as the arguments say, and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, saved, lost, saves = random.Random(asked.seed), {}, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.json"
        for _ in range(asked.kills):
            said = killed(path, max(saved.values(), default=0) + 1, rng.uniform(0, 2))
            saved |= {f"trial.q{number % KEYS}": number for number in said}
            saves += len(said)
            kept = Progress(path).recorded("predictions")  # a record that cannot be read ends this with an error
            lost += sum(kept.get(key, {}).get("typed", 0) < number for key, number in saved.items())
        halves = len(list(Path(folder).glob(".*.tmp")))
        aside = len(list(Path(folder).glob("*damaged*")))
    print(f"{asked.kills} kills among {saves} saves, {halves} with half of one written: "
          f"{lost} answers lost, {aside} records damaged.")
    sys.exit(bool(lost or aside))


if __name__ == "__main__":
    main()
