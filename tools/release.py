"""Build a release and try it as a stranger would: `python tools/release.py`. It tags and uploads nothing.

Checks that the version stands in the changelog and the citation, builds wheel and sdist into dist/, installs each into an
environment of its own outside the checkout, lays out the lessons there and asks the model for a prediction.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TRIALS = (["-m", "fabriclib", "predict", "dgx-h100", "all_reduce", "64M"], ["-m", "fabricbook", "copy", "lessons"])


def version() -> str:
    """Return the version that pyproject.toml gives."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def unready() -> list[str]:
    """Return what is to be done before this version can be released, a sentence each."""
    now, todo = version(), []
    if not re.search(rf"^## {re.escape(now)} \(\d{{4}}-\d\d-\d\d\)$", _text("CHANGELOG.md"), flags=re.MULTILINE):
        todo.append(f"CHANGELOG.md has no heading '## {now} (YYYY-MM-DD)'.")
    if f"\nversion: {now}\n" not in _text("CITATION.cff"):
        todo.append(f"CITATION.cff does not say 'version: {now}'.")
    if f"v{now}" in _run("git", "tag", cwd=ROOT).split():
        todo.append(f"The tag v{now} is taken: raise the version in pyproject.toml.")
    if _run("git", "status", "--porcelain", cwd=ROOT):
        todo.append("The checkout has changes that are not committed.")
    return todo


def main() -> None:
    """Do all of it, or say what is missing."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if todo := unready():
        sys.exit("\n".join(todo))
    for kind in ("wheel", "sdist"):
        _run(sys.executable, "-m", "hatchling", "build", "-t", kind, cwd=ROOT)
    for pattern in ("whl", "tar.gz"):
        built = next((ROOT / "dist").glob(f"fabriclib-{version()}*.{pattern}"))
        _try(built)
        print(f"{built.name}: installed in a clean environment, lessons laid out, a prediction made.", flush=True)
    print(f"Now: git tag -a v{version()} -m 'Version {version()}', push the tag, and upload both files of dist/.")


def _try(built: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fabriclib-release-") as folder:
        venv.create(Path(folder, "env"), with_pip=True)
        python = next(Path(folder, "env").glob("*/python*[!w].exe" if os.name == "nt" else "bin/python"))
        _run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", f"{built}[book]", cwd=folder)
        for trial in TRIALS:
            _run(python, *trial, cwd=folder)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _run(*command, cwd) -> str:
    """Return what a command prints; leave with what it said where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
