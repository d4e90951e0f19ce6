"""The learner's own copies of the lessons and of the page of their words: kept in a folder, never overwritten once changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

RECORD = ".copied.json"


def shipped() -> Path:
    """Return the folder of the lessons as they are shipped: in a wheel beside the course, in a checkout notebooks/."""
    inside = Path(__file__).parents[1] / "notebooks"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "notebooks"


def refresh(lessons: Mapping[str, bytes], work: Path) -> list[str]:
    """Bring the folder *work* up to date with *lessons*, by their names; return what the learner should be told.

    A lesson that is not there yet is copied. A copy the learner never changed follows the lesson. A changed
    copy stays as it is, and a newer lesson arrives beside it under a name of its own, once.

    Raises:
        ValueError: the folder cannot be written to.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        return _refresh(lessons, work)
    except OSError as problem:
        why = problem.strerror or problem
        raise ValueError(f"folder {str(work)!r} cannot hold the lessons ({why}); name one that you can write to.") from None


def _refresh(lessons: Mapping[str, bytes], work: Path) -> list[str]:
    record = _read_record(work)
    try:
        return [told for name, fresh in lessons.items() if (told := _bring(work / name, fresh, record.setdefault(name, {})))]
    finally:  # where one is in use, too: what has arrived is not to arrive again
        _write(work / RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def _bring(copy: Path, fresh: bytes, entry: dict[str, str]) -> str:
    """Bring one *copy* up to date, and note in its *entry* of the record what it was made from; return what is to be told."""
    now = _digest(fresh)
    if not copy.exists() or _digest(copy.read_bytes()) in (entry.get("copy"), now):
        if not copy.exists() or copy.read_bytes() != fresh:
            _write(copy, fresh)
        entry.clear()
        entry |= {"copy": now, "made_from": now}
    elif now not in (entry.get("made_from"), entry.get("beside")):
        beside = _free_name(copy)
        _write(beside, fresh)
        entry["beside"] = now
        return f"{copy.name} has a newer version. Yours stays as it is; the new one is {beside.name}."
    return ""


def handed_out(shipped: Path) -> dict[str, bytes]:
    """Return by its name what a learner gets of *shipped*: each lesson without its outputs, and pages as they are."""
    lessons = {path.name: cleared(path.read_bytes()) for path in sorted(shipped.glob("*.ipynb"))}
    return lessons | {path.name: path.read_bytes() for path in sorted(shipped.glob("*.md"))}


def cleared(notebook: str | bytes) -> bytes:
    """Return the notebook without outputs and execution counts."""
    document = json.loads(notebook)
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _read_record(work: Path) -> dict:
    """What was copied earlier. Without a readable record every copy counts as changed, which loses nothing."""
    try:
        record = json.loads((work / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    well_formed = isinstance(record, dict) and all(isinstance(entry, dict) for entry in record.values())
    return record if well_formed else {}


def _free_name(copy: Path) -> Path:
    beside, number = copy.with_suffix(f".new{copy.suffix}"), 2
    while beside.exists():
        beside, number = copy.with_suffix(f".new{number}{copy.suffix}"), number + 1
    return beside


def _write(path: Path, content: bytes) -> None:
    """Write in one step, so that an interrupted start leaves no half lesson."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
