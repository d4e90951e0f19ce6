"""`make notebooks`: run every lesson in a fresh kernel and write it normalised, so that twice gives the same bytes."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3",
    },
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_VOLATILE = {"execution", "trusted", "collapsed", "scrolled", "ExecuteTime"}


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


def refresh(path: Path) -> bool:
    """Execute and rewrite the lesson at *path*; return whether its bytes changed."""
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, path.parent)
    text = normalised(notebook)
    changed = path.read_text(encoding="utf-8") != text
    if changed:
        path.write_text(text, encoding="utf-8")
    return changed


def main() -> None:
    """Refresh all lessons; stop at the first that fails, leaving its file as it was."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        start = time.perf_counter()
        try:
            changed = refresh(path)
        except CellExecutionError as problem:
            sys.exit(f"{path.name} was not rewritten: {problem}")
        print(f"{path.name}: {'rewritten' if changed else 'unchanged'}, {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
