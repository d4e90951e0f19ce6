"""What a step of each lab takes in the kernel: processor time, each lab in a process of its own. `make bench` calls it.

A lab is opened at its defaults, as a notebook shows it, and its controls are walked one at a time from there, in a random order,
so that nothing is ready that a learner who begins there would have to wait for. Opening is told apart: it is no step.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import subprocess
import sys
import time

MEDIAN_MS, WORST_MS = 30, 60  # asked for
ROUNDS = 3  # orders of the steps; of each figure the least disturbed counts
SHOWN = 8


def steps(name: str, order: int) -> list[float]:
    """Return the milliseconds of opening a lab, and of each step in a random order; this must be a fresh process."""
    import fabricbook as book

    lab = book.lab(name)
    states = [lab.positions() | {control.name: at} for control in lab.controls.values() for at in range(len(control.values))]
    random.Random(order).shuffle(states)
    took = []
    for state in [lab.positions(), *states]:
        start = time.process_time()
        with contextlib.suppress(ValueError):  # what a lab refuses is an answer too
            lab.answer(lab.within(state))
        took.append((time.process_time() - start) * 1e3)
    return took


def measured(name: str) -> tuple[float, float, float]:
    """Return the median and the worst step of a lab, and what opening it takes, in milliseconds."""
    rounds = []
    for order in range(ROUNDS):
        found = subprocess.run([sys.executable, __file__, name, str(order)], check=True, capture_output=True, text=True).stdout
        rounds.append([float(word) for word in found.split()])
    walks = [took[1:] or [0.0] for took in rounds]
    return min(map(statistics.median, walks)), min(map(max, walks)), min(took[0] for took in rounds)


def main() -> None:
    """Print the labs whose worst steps are the longest."""
    import fabricbook as book

    print(f"labs: a step in the kernel, in ms of the processor (asked: median at most {MEDIAN_MS}, worst at most {WORST_MS})")
    found = {name: measured(name) for name in book.labs()}
    for name, (median, worst, opening) in sorted(found.items(), key=lambda one: -one[1][1])[:SHOWN]:
        print(f"  {name:32} median {median:6.1f}   worst {worst:6.1f}   opening {opening:6.1f}")
    slow = [name for name, (median, worst, _) in found.items() if median > MEDIAN_MS or worst > WORST_MS]
    print(f"  over what is asked: {', '.join(slow) or 'none'}, of {len(found)} labs")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(*steps(sys.argv[1], int(sys.argv[2])))
    else:
        main()
