"""Throw mutated logs at the reader, guided by what they make it run: anything but a ValueError is a find, a warning too.

    python tools/fuzz.py --runs 100000 --seconds 60

Needs `atheris`. A find is written into the folder as crash-, timeout- or oom-, and the exit code is not 0. Inputs start from the
logs of every tool in tests/written_tools.py; those that reach new code are kept in the folder, so that a next run goes on there.
Most executions stop short of the DataFrame, which is slow and the same for all; one in a thousand and all that were kept do not.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES, MOST_SECONDS, MOST_MB = 512, 10, 500  # of an input, of one execution, of the process
FRAMED = 1000  # of so many executions one goes on to the DataFrame
MATRIX = (b"irectional", b"PU(", b"SRC\\")


def seeds(folder: Path) -> None:
    """Write the logs to begin with into *folder*."""
    sys.path.append(str(ROOT / "tests"))
    from written_tools import MATRICES, PREFIXES, TOOLS, prefixed

    logs = [text for text, *_ in TOOLS.values()] + list(MATRICES.values())
    logs += [prefixed(logs[at % len(logs)], prefix) for at, prefix in enumerate(PREFIXES.values())]
    for at, log in enumerate(logs):
        (folder / f"seed-{at:03d}").write_bytes(log.encode()[:MOST_BYTES])


def main() -> None:
    """Fuzz as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=ROOT / "artifacts" / "fuzz")
    asked = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    sys.path.insert(0, str(ROOT))
    import fabriclib.collectives  # noqa: F401 - what is imported before is not traced, and quicker

    with atheris.instrument_imports(include=["fabriclib.measurements"]):
        from fabriclib.measurements import read_measurements, read_pairs
        from fabriclib.measurements.pairs import pairs_in
        from fabriclib.measurements.read import gathered

    warnings.simplefilter("error")
    done = itertools.count()

    def execute(data: bytes, framed: bool = False) -> None:
        framed = framed or next(done) % FRAMED == 0
        with contextlib.suppress(ValueError):
            if any(mark in data for mark in MATRIX):
                (read_pairs if framed else pairs_in)(data)
            else:
                (read_measurements if framed else gathered)(data)

    asked.folder.mkdir(parents=True, exist_ok=True)
    seeds(asked.folder)
    for kept in sorted(asked.folder.iterdir()):
        execute(kept.read_bytes(), framed=True)
    atheris.Setup([sys.argv[0], str(asked.folder), f"-runs={asked.runs}", f"-max_total_time={asked.seconds}",
                   f"-max_len={MOST_BYTES}", f"-timeout={MOST_SECONDS}", f"-rss_limit_mb={MOST_MB}",
                   f"-artifact_prefix={asked.folder}/", "-print_final_stats=1"], execute)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
