"""`make notebooks`: build every lesson's notebook from its text, run it in a fresh kernel and write it normalised.

`python tools/notebooks.py NAME ...` builds only the lessons named. Twice gives the same bytes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import glossary
import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from fabricbook.course.prose import fill
from fabricbook.desk.saved_outputs import WIDGET_VIEW
from fabricbook.lessons import Lesson, lesson, lessons

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
README = ROOT / "README.md"
MAP = ("<!-- the lessons -->\n", "<!-- end of the lessons -->\n")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3",
    },
}
_VOLATILE = {"execution", "trusted", "collapsed", "scrolled", "ExecuteTime"}


def source(one: Lesson):
    """Return the lesson as a notebook that was not run: its text, with the numbers filled in.

    Raises:
        ValueError: a number of the text that cannot be computed; the message holds it.
    """
    notebook = jupytext.reads(one.text, fmt="md:myst")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill(cell.source, one.names)
    return notebook


def execute(notebook, folder: Path) -> None:
    """Run *notebook* in a fresh kernel, in *folder*, as a learner without any recorded answer.

    Raises:
        CellExecutionError: a cell failed; its text names the cell and the error.
    """
    with tempfile.TemporaryDirectory() as fresh:
        answers = {"FABRICLIB_STATIC": "1", "FABRICLIB_PROGRESS": str(Path(fresh) / "progress.json")}
        client = NotebookClient(
            notebook, kernel_name="python3", timeout=300, record_timing=False, coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # without it, a kernel prints a warning
        )
        client.execute(env=os.environ | answers)


def normalised(notebook) -> str:
    """Return *notebook* as the text of its file: nothing in it depends on when, where or how often it was run."""
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for position, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{position:02d}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key not in _VOLATILE}
        for output in cell.get("outputs", ()):
            _normalise_output(output)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _normalise_output(output) -> None:
    """Keep what a reader without a kernel can see: a widget's view points at a model that lives in the kernel only."""
    output.pop("transient", None)
    if "metadata" in output:
        output.metadata = {}
    if "data" in output:
        output.data.pop(WIDGET_VIEW, None)


def refresh(notebook, path: Path) -> bool:
    """Execute *notebook* and write it at *path*; return whether its bytes changed."""
    execute(notebook, path.parent)
    text = normalised(notebook)
    changed = not path.exists() or path.read_text(encoding="utf-8") != text
    if changed:
        path.write_text(text, encoding="utf-8")
    return changed


def build(name: str) -> str:
    """Build the lesson *name*; return a line that says whether its notebook changed and how long it took.

    Raises:
        ValueError: its text cannot be filled in, or one of its cells fails.
    """
    start, one = time.perf_counter(), lesson(name)
    try:
        changed = refresh(glossary.linked(source(one), one), NOTEBOOKS / one.file)
    except CellExecutionError as problem:
        raise ValueError(f"{one.file} was not rewritten: {problem}") from None
    return f"{one.file}: {'rewritten' if changed else 'unchanged'}, {time.perf_counter() - start:.1f} s"


def lesson_map() -> str:
    """Return README's table of the lessons, from their heads."""
    lines, part = ["| | lesson | minutes | you find out |", "|---|---|---|---|"], ""
    for one in lessons():
        head = one.head
        if head.part != part:
            part = head.part
            lines.append(f"| | **{part}** | | |")
        lines.append(f"| {one.number} | [{head.title}](notebooks/{one.file}) | {head.minutes} | {fill(head.finds, one.names)} |")
    return "\n".join(lines) + "\n"


def with_map(readme: str) -> str:
    """Return *readme* with the table of the lessons as it should be."""
    before, rest = readme.split(MAP[0])
    return before + MAP[0] + lesson_map() + MAP[1] + rest.split(MAP[1])[1]


def main(names: list[str]) -> None:
    """Build the lessons *names*, or all of them, two at a time; stop at the first that fails, leaving its file as it was."""
    files = {one.file for one in lessons()}
    for gone in set(NOTEBOOKS.glob("*.ipynb")) if not names else ():
        if gone.name not in files:
            gone.unlink()
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tasks = [pool.submit(build, one) for one in names or [one.name for one in lessons()]]
        for task in as_completed(tasks):
            try:
                print(task.result(), flush=True)
            except ValueError as problem:
                pool.shutdown(cancel_futures=True)
                sys.exit(str(problem))
    README.write_text(with_map(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
