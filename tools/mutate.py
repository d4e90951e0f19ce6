"""Change the code of a room in one place at a time, and list the changes that none of its tests notices.

    python tools/mutate.py links              all changes
    python tools/mutate.py links --digits 16  of each function's changes the first, the sixth, the eleventh, ...
    python tools/mutate.py course --without tests/course/test_faults.py   leaves slow tests out: what is noticed is then a least

Needs `mutmut`. It works on a copy of the tree; what survived is written to artifacts/, as differences to read one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from check import ROOT, chosen, sources, tests

BESIDE = ("conftest.py", "data", "tools", "notebooks", "docs", "classroom", "README.md", "CONTRIBUTING.md", "constraints.txt")
SHOW = "import sys; from mutmut.__main__ import show; [show.callback(name) for name in sys.argv[1:]]"


def lay_out(folder: Path, room: str, without: list[str]) -> list[str]:
    """Copy the tree into *folder*, with what mutmut is to be told: which files to change, and which tests are theirs.

    Returns:
        list: pytest's arguments, by which the room is tested; the tests of *without* are left out.
    """
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    built = [str(path.relative_to(ROOT)) for path in (ROOT / "fabricbook" / "stage" / "static").glob("*.js")]
    for name in filter(None, [*tracked, *built]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    model = [path for path in sources(room) if path.parent.name == "fabriclib"]  # rather than a lesson of the same name
    held = [*model, *(path for path in tests(room) if path.parent.name != "lessons")] if model else chosen(room)[0]
    changed, places = ([path.relative_to(ROOT).as_posix() for path in paths] for paths in (model or sources(room), held))
    how = ["-p", "no:nbval", "-p", "no:anyio", "-p", "no:cacheprovider", "-m", "not browser", *(f"--ignore={i}" for i in without)]
    how += ["-k", "not __mutmut_"]  # every changed copy of a function has its example again, some thousands of a room
    told = {
        "source_paths": ["fabriclib", "fabricbook"],
        "only_mutate": [name if name.endswith(".py") else f"{name}/*.py" for name in changed],
        "also_copy": ["fabriclib", "fabricbook", *BESIDE],
        "pytest_add_cli_args_test_selection": places,
        "pytest_add_cli_args": how,
        "track_dependencies": False,
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items()))
    return [*how, *places]


def noticed_afresh(folder: Path, name: str, arguments: list[str]) -> bool:
    """Return whether the tests notice the change *name* where it was there before anything was imported.

    mutmut changes a program that has run its tests once: what it made at import, or keeps in a cache, is the unchanged code's.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--rootdir=.", *arguments]
    return subprocess.run(command, cwd=folder / "mutants", env=os.environ | {"PYTHONPATH": "", "MUTANT_UNDER_TEST": name},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def main() -> None:
    """Mutate as the arguments say; print how many changes were noticed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("room")
    parser.add_argument("--digits", default="0123456789", help="changes whose number ends in one of these")
    parser.add_argument("--children", default=str(os.cpu_count() or 1), help="how many changes are tried at the same time")
    parser.add_argument("--without", nargs="*", default=[], metavar="FILE", help="tests to leave out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        arguments = lay_out(folder, asked.room, asked.without)

        def python(*arguments: str, **how) -> subprocess.CompletedProcess:
            return subprocess.run([sys.executable, *arguments], cwd=folder, check=True, text=True, **how,
                                  env=os.environ | {"PYTHONPATH": ""})

        python("-m", "mutmut", "run", "--max-children", asked.children, f"*[{asked.digits}]")
        results = python("-m", "mutmut", "results", "--all", "true", capture_output=True).stdout
        lines = [line.split() for line in results.splitlines()]
        ended = {line[0].rstrip(":"): " ".join(line[1:]) for line in lines if len(line) > 1 and line[1:] != ["not", "checked"]}
        left = [name for name, how in ended.items() if how not in ("killed", "timeout", "segfault")]
        left = [name for name in left if ended[name] == "no tests" or not noticed_afresh(folder, name, arguments)]
        artifact = ROOT / "artifacts" / f"mutants-{asked.room}.txt"
        artifact.parent.mkdir(exist_ok=True)
        artifact.write_text(python("-c", SHOW, *left, capture_output=True).stdout, encoding="utf-8")
    slow = list(ended.values()).count("timeout")
    print(f"\n{asked.room}: {len(ended) - len(left)} of {len(ended)} changes noticed, {slow} of them by a test that did not end; "
          f"the others: {artifact.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
