"""`make lite`: build site/lite/, the whole course in a browser alone: JupyterLite, a Python for the browser, the lessons.

The site needs no server but one that hands out files, and fetches nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

from fabricbook.desk import learner_copies

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site" / "lite"
VENV = ROOT / ".venv-lite"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = Path(__file__).resolve().parent / "lite"
SETTINGS = ROOT / "fabricbook/desk/settings"
KEPT = ROOT / "build" / "lite"  # downloads, and what the site is made from
EXTENSION = VENV / "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
STARTS = re.compile(r"\b(\w+)\.start\(\),await \1\.restored\b")
TWO_SECONDS = re.compile(r"AbortSignal\.timeout\(2000\)")
RUNS_A_CELL = re.compile(
    r'switch\((\w+)\.model\.type\)\{case"markdown":[^}]*\}\);break;case"code":if\((\w+)\)\{(?=if\(\2\.isTerminating\))')
TAKES_KEYS = re.compile(r'("focus"===?e\.do\?)(this\.\w+\.focus\(\))')
COURSE, TITLE = "fabriclib", "The wiring of AI clusters"
# What Pyodide brings and is needed; what these need comes along.
NEEDED = ("numpy", "pandas", "packaging", "ipython", "jedi", "ssl", "sqlite3", "micropip")
# By what names a package is imported, where its own is another.
IMPORTED = {"fabriclib": ["fabriclib", "fabricbook"], "attrs": ["attr", "attrs"], "pyyaml": ["yaml"],
            "typing-extensions": ["typing_extensions"], "pyrsistent": ["pyrsistent", "_pyrsistent_version"]}


def make_builder() -> None:
    """Make .venv-lite, once, with JupyterLite in it; .venv stays as slim as a learner's."""
    wanted = (PINS / "builder.txt").read_text(encoding="utf-8")
    stamp = VENV / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    venv.create(VENV, clear=True, with_pip=True)
    pip("install", "-r", PINS / "builder.txt")
    stamp.write_text(wanted, encoding="utf-8")


def pip(*arguments) -> None:
    run(PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def run(*command, cwd: Path = ROOT) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=cwd)


def fetched(name: str, *options: str) -> list[Path]:
    """Return the wheels that the pins *name* list, downloaded once for each list."""
    pins = PINS / f"{name}.txt"
    folder = KEPT / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        unfinished = folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        pip("download", "--no-deps", "--only-binary", ":all:", *options, "-r", pins, "-d", unfinished)
        unfinished.rename(folder)
    return sorted(folder.glob("*.whl"))


def course_wheel() -> Path:
    """Build the wheel of the course as it stands."""
    folder = KEPT / "course"
    shutil.rmtree(folder, ignore_errors=True)
    pip("wheel", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


def lay_python(folder: Path, pyodide: Path, wheels: list[Path], shorn: list[Path]) -> None:
    """Lay Pyodide out in *folder*: its core, what of its packages is needed, and *wheels*, listed as packages like its own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(pyodide) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("/pyodide-lock.json"))[:-len("pyodide-lock.json")]
        lock = json.loads(archive.read(f"{inside}pyodide-lock.json"))
        lock["packages"] = closure(lock["packages"], NEEDED)
        core = ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
        for name in (*core, *(entry["file_name"] for entry in lock["packages"].values())):
            (folder / name).write_bytes(archive.read(inside + name))
    ours = [*(Path(shutil.copy(wheel, folder)) for wheel in wheels), *(shear(wheel, folder) for wheel in shorn)]
    entries = {entry["name"]: entry for entry in map(listed, ours)}
    entries[COURSE]["depends"] = sorted({"numpy", "packaging", "pandas", *entries} - {COURSE})
    lock["packages"] |= entries
    (folder / "pyodide-lock.json").write_text(json.dumps(lock, sort_keys=True), encoding="utf-8")


def closure(packages: dict[str, dict], names: tuple[str, ...]) -> dict[str, dict]:
    """Return those of *packages* that *names* need, themselves among them.

    >>> closure({"a": {"depends": ["b_b"]}, "b-b": {"depends": []}, "c": {"depends": []}}, ("a",)).keys()
    dict_keys(['a', 'b-b'])
    """
    found: dict[str, dict] = {}
    asked = list(names)
    while asked:
        name = normal(asked.pop())
        if name not in found:
            found[name] = packages[name]
            asked += packages[name]["depends"]
    return found


def normal(name: str) -> str:
    """Return the name of a package as Pyodide lists it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def shear(wheel: Path, folder: Path) -> Path:
    """Copy *wheel* to *folder* without its compiled part, and without the lessons, which lie in the site."""
    name, version, *_ = wheel.name.split("-")
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if not entry.filename.endswith((".so", ".pyd", ".c", ".ipynb")):
                new.writestr(entry, old.read(entry))
    return target


def listed(wheel: Path) -> dict:
    """Return the entry of *wheel* in Pyodide's list of packages."""
    name, version, *_ = wheel.name.split("-")
    return {
        "name": normal(name), "version": version, "file_name": wheel.name, "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "package_type": "package", "depends": [],
        "imports": IMPORTED.get(normal(name), [name.lower()]), "unvendored_tests": False,
    }


def build(site: Path) -> None:
    """Build the site from what lies in KEPT; a learner's copy of each lesson, and no other file, is in it."""
    folder = KEPT / "site"
    shutil.rmtree(folder, ignore_errors=True)
    [pyodide] = fetched("pyodide", "--require-hashes")
    pure = fetched("pure", "--python-version", "3.12", "--implementation", "py", "--abi", "none", "--platform", "any")
    kernel = [wheel for wheel in sorted(EXTENSION.glob("*.whl")) if not wheel.name.startswith("widgetsnbextension-3")]
    lay_python(folder / "static/pyodide", pyodide, [*pure, *kernel], [course_wheel(), *fetched("shorn")])
    (folder / "files").mkdir()
    for name, content in learner_copies.handed_out(learner_copies.shipped()).items():
        (folder / "files" / name).write_bytes(content)
    shutil.copy(PINS / "jupyter-lite.json", folder)
    shutil.copy(SETTINGS / "overrides.json", folder)
    shutil.rmtree(site, ignore_errors=True)
    run(PYTHON, "-m", "jupyterlite_core", "build", "--apps", "lab", "--no-sourcemaps", "--no-unused-shared-packages",
        "--output-dir", site, cwd=folder)
    dress(site)
    let_boxes_hear_first(site)
    let_labs_start_late(site)
    let_writers_finish(site)
    let_cells_wait(site)


def dress(site: Path) -> None:
    """Open the first lesson where the site alone is asked for, and say of a lab without its Python what brings it back."""
    page, style = site / "lab/index.html", SETTINGS / "custom/custom.css"
    head, rest = page.read_text(encoding="utf-8").split("</head>", 1)
    page.write_text(f"{head}<style>{style.read_text(encoding='utf-8')}</style></head>{rest}", encoding="utf-8")
    first = min(path.name for path in (site / "files").glob("*.ipynb"))
    (site / "index.html").write_text(
        f'<!doctype html>\n<meta charset="utf-8">\n<title>{TITLE}</title>\n'
        # JupyterLite reads this of the page at the root.
        '<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">{}</script>\n'
        f'<meta http-equiv="refresh" content="0; url=lab/index.html?path={first}">\n'
        f'<a href="lab/index.html?path={first}">{TITLE}</a>\n', encoding="utf-8")


def let_boxes_hear_first(site: Path) -> None:
    """Start JupyterLite as JupyterLab starts, listening to keys after a box of the lesson does.

    Before it, JupyterLite keeps Enter from all boxes of a cell: none reports its text then, and none begins a new line.
    """
    mend(site / "build", STARTS, r"\1.start({bubblingKeydown:!0}),await \1.restored")


def let_labs_start_late(site: Path) -> None:
    """Give a lab ten minutes to start. After two seconds, which pass while a slow machine draws, it would hear nothing more."""
    mend(site / "extensions/anywidget/static", TWO_SECONDS, "AbortSignal.timeout(600000)")


def let_writers_finish(site: Path) -> None:
    """Move the keyboard to where the course sends it only from nowhere, or within a box of the course.

    What a slow Python sends arrives when the learner types elsewhere by then: the rest of an answer, and its Enter, went astray.
    """
    elsewhere = ('(at=>at.matches("input,textarea,select,button,.cm-content")&&at.closest(".fl-course")!=='
                 'this.el.closest(".fl-course"))(document.activeElement)')
    mend(site / "extensions/@jupyter-widgets/jupyterlab-manager/static", TAKES_KEYS, rf"\1{elsewhere}||\2")


def let_cells_wait(site: Path) -> None:
    """Let a cell that is run before there is a Python wait for it, with its [*].

    JupyterLab empties such a cell and does nothing more; and where it has not begun to start a Python, each of these cells starts
    one, the page another, and they end one another.
    """
    wait = (r'\2.session?.kernel||(\1.model.executionState="running",await \2._initStarted.promise,await \2.initialize());'
            r'if(\1.isDisposed)return!1;')
    mend(site / "build", RUNS_A_CELL, rf"\g<0>{wait}")


def mend(scripts: Path, wrong: re.Pattern[str], right: str) -> None:
    """Write *right* for what is *wrong* in the *scripts* of a folder.

    Raises:
        ValueError: nothing is: these are other versions than those of builder.txt, and may need no mending.
    """
    found = [path for path in sorted(scripts.glob("*.js")) if wrong.search(path.read_text(encoding="utf-8"))]
    if not found:
        raise ValueError(f"scripts must hold what {wrong.pattern!r} finds, as in the versions of builder.txt; got {scripts}.")
    for path in found:
        path.write_text(wrong.sub(right, path.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> None:
    """Build the site and say how large it is."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    make_builder()
    build(SITE)
    files = [path for path in SITE.rglob("*") if path.is_file()]
    print(f"{SITE}: {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
