"""Nothing in the tree speaks of where things were before the course left the model."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLD = ("fabriclib.labs", "fabriclib/labs", "fabriclib.course", "fabriclib/course", "fl.lab(", "labs/toolkit", "lesson_0")
TEXT = (".py", ".pyi", ".md", ".toml", ".yml", ".csv", ".js", ".css", ".json", ".ipynb", "")  # "": Makefile, .gitignore


def test_no_file_says_an_old_name():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    files = [ROOT / name for name in listed if Path(name).suffix in TEXT and name != "tests/test_old_names.py"]
    said = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files if path.exists()}
    assert len(said) > 200
    assert not [(name, old) for name, text in said.items() for old in OLD if old in text]
