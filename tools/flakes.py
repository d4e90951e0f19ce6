"""`make flakes TIMES=30`: the whole suite again and again, each time in another order, while busy loops take every core.

    python tools/flakes.py --times 5 tests/browser tests/book     some tests only
    python tools/flakes.py --times 1 --seed 4711                  one order again

It prints for each round its seed, how many tests ran and which failed; the output of a round with a failure is kept in
artifacts/flakes. To pytest this file is a plugin too: the one that shuffles.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "artifacts" / "flakes"
WORKERS = min((os.cpu_count() or 1) + 1, 5)
NOTEBOOKS = ["--dist", "loadfile", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300",
             "--nbval-kernel-startup-timeout=300", "notebooks"]


def pytest_addoption(parser) -> None:
    """Let the order be named."""
    parser.addoption("--seed", type=int, required=True)


@pytest.hookimpl(tryfirst=True)  # pytest then brings together again what shares a dear fixture
def pytest_collection_modifyitems(config, items) -> None:
    """Shuffle the files, and the tests of each; the cells of a notebook stay in their order."""
    dice, files = random.Random(config.getoption("seed")), {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    for path, tests in files.items():
        if path.suffix == ".py":
            dice.shuffle(tests)
    order = list(files.values())
    dice.shuffle(order)
    items[:] = [item for tests in order for item in tests]


@contextmanager
def busy():
    """Every core counts for nothing meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def tried(arguments: list[str], seed: int) -> tuple[int, list[str], str]:
    """Run pytest with *arguments* in the order *seed*; return how many tests ran, which of them failed, and all that was said."""
    command = [sys.executable, "-m", "pytest", "-p", "flakes", f"--seed={seed}", "-n", str(WORKERS), "-q", "-rfE", *arguments]
    # What the tests start is to be of this tree too, whichever is installed.
    found = os.pathsep.join(map(str, (ROOT / "tools", ROOT)))
    run = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": found, "OMP_NUM_THREADS": "1"},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", run.stdout, re.MULTILINE)
    if run.returncode > 1 and not failed:
        failed = [f"pytest itself, with status {run.returncode}"]
    return sum(map(int, re.findall(r"(\d+) (?:passed|failed|error)", run.stdout))), failed, run.stdout


def main() -> int:
    """Run the rounds; return 1 if any test failed in any."""
    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("tests", nargs="*", help="files or folders; the whole suite if none is given")
    asked.add_argument("--times", type=int, default=30)
    asked.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the first round; each has the next")
    given = asked.parse_args()
    parts, flaky, all_tests = [given.tests] if given.tests else [["--dist", "worksteal"], NOTEBOOKS], Counter(), 0
    for at in range(given.times):
        seed, began, ran = given.seed + at, time.monotonic(), 0
        with busy():
            for part in parts:
                many, failed, said = tried(part, seed)
                ran, flaky = ran + many, flaky + Counter(failed)
                if failed:
                    LOGS.mkdir(parents=True, exist_ok=True)
                    (LOGS / f"{seed}.log").write_text(said, encoding="utf-8")
                    print(*failed, sep="\n", flush=True)
        all_tests += ran
        print(f"round {at + 1} of {given.times}, seed {seed}: {ran} tests in {time.monotonic() - began:.0f} s, "
              f"load {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores; failures so far: {flaky.total()}", flush=True)
    for test, times in flaky.most_common():
        print(f"{times} times: {test}")
    print(f"{given.times} rounds, {all_tests} tests, {flaky.total()} failures")
    return int(bool(flaky))


if __name__ == "__main__":
    sys.exit(main())
