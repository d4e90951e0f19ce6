"""`make alike TIMES=10`: run every notebook so many times, each in a fresh kernel, and compare the files byte by byte.

`make alike NAME=cxl` runs one lesson's. Another machine has other fonts, which the pictures of labs show: beside the notebook
that the course ships, what nbval compares must be the same, and that is the texts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import glossary

import notebooks
from fabricbook.lessons import lesson, lessons


def made(name: str) -> str:
    """Return the notebook of the lesson *name* as the text of its file, run once more."""
    one = lesson(name)
    notebook = glossary.linked(notebooks.source(one), one)
    notebooks.execute(notebook, notebooks.NOTEBOOKS)
    return notebooks.normalised(notebook)


def said(notebook: str) -> list:
    """Return what the cells of a notebook say, without their pictures."""
    outputs = [output for cell in json.loads(notebook)["cells"] for output in cell.get("outputs", ())]
    for output in outputs:
        output.get("data", {}).pop("image/png", None)
    return outputs


def compared(name: str, runs: list[str]) -> tuple[bool, str]:
    """Return whether all *runs* are alike and say what the shipped notebook says, and a line that tells it."""
    path = notebooks.NOTEBOOKS / lesson(name).file
    first, shipped = runs[0], path.read_text(encoding="utf-8")
    unlike = sum(one != first for one in runs)
    beside = "the same bytes" if first == shipped else "the same texts" if said(first) == said(shipped) else "other texts"
    return not unlike and beside != "other texts", f"{path.name}: {len(runs)} runs, {unlike} unlike the first; shipped: {beside}"


def main() -> int:
    """Run and compare; return 1 if a notebook does not come out as it did."""
    asked = argparse.ArgumentParser(description=main.__doc__)
    asked.add_argument("lessons", nargs="*", help="names; all lessons if none is given")
    asked.add_argument("--times", type=int, default=10)
    given, differ = asked.parse_args(), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in given.lessons or [one.name for one in lessons()]:
            alike, line = compared(name, list(pool.map(made, [name] * given.times)))
            differ += not alike
            print(line, flush=True)
    print(f"{differ} notebooks differ")
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main())
