"""Charts that were drawn beforehand.

A lab's chart is the same in every kernel. Where many share a machine, `keep` draws each once, and no kernel loads Altair, which
would be a quarter of its memory. A chart is found by its place in the source, and only by the very source that drew it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import shutil
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

import fabriclib
from fabriclib.catalog import data_folder

STAGE = Path(__file__).parent
KEPT = STAGE / "static" / "charts"


def drawn(chart: Callable) -> dict:
    """Return what *chart* returns, as a specification: the kept one, or one that Altair makes, in a quarter of a second."""
    if KEPT.is_dir() and (kept := KEPT / version() / _name(chart)).is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    return chart().to_dict()


def keep(charts: Iterable[Callable]) -> None:
    """Draw all *charts* for the kernels to come, unless these are there already, and forget those of another version."""
    if (KEPT / version()).is_dir():
        return
    shutil.rmtree(KEPT, ignore_errors=True)
    half_written = KEPT / "part"
    half_written.mkdir(parents=True)
    for chart in charts:
        if name := _name(chart):
            (half_written / name).write_text(json.dumps(chart().to_dict()), encoding="utf-8")
    half_written.rename(KEPT / version())


@functools.cache
def version() -> str:
    """Return a name for all that a chart comes from: the code of the course and the model, the data, Altair's version."""
    digest = hashlib.sha256(metadata.version("altair").encode())
    for root in (STAGE.parent, Path(fabriclib.__file__).parent, data_folder()):
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".csv"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _name(chart: Callable) -> str:
    """Where *chart* stands in the source; "" for one that depends on more than that, as on a default of its arguments."""
    if not inspect.isfunction(chart) or chart.__closure__ or chart.__defaults__ or chart.__kwdefaults__:
        return ""
    return f"{chart.__module__}.{chart.__code__.co_firstlineno}.json"
