"""Logs in JSON, as nccl-tests (-J) and rccl-tests write them: the lines that the same tests print as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST = 64_000_000  # bytes that are read at once
MOST_DEEP = 6  # levels down to the rows
_BEGINS = re.compile(r'(?:\xef\xbb\xbf)?\s{0,80}(?:\{\s{0,80}"|\[\s{0,80}\{)')
_HALVES = ("out_of_place", "in_place")


def starts(head: bytes) -> bool:
    """Return whether a log that begins with *head* is in JSON: whole, or an object a line."""
    return _BEGINS.match(head.decode("latin-1")) is not None


def lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text log that says what *data* says.

    Raises:
        ValueError: it is too long or no JSON.
    """
    if len(data) > MOST:
        raise ValueError(f"line 1: a log in JSON may have {MOST} bytes; this has more.")
    found = _loaded(data.decode("utf-8", errors="replace"))
    rows = [row for row in _rows(found, 0) if "size" in row]
    yield from _nccl(found, rows) if any("out_of_place" in row for row in rows) else _flat(rows)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"line 1: the log begins as JSON and is none: {str(problem)[:80]}.") from None


def _rows(found: Any, deep: int) -> Iterator[dict]:
    """Yield the innermost objects with a size, in their order."""
    if deep > MOST_DEEP:
        return
    if isinstance(found, dict) and "size" in found:
        yield found
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from _rows(one, deep + 1)


def _nccl(found: Any, rows: list[dict]) -> Iterator[str]:
    config = found.get("config", {}) if isinstance(found, dict) else {}
    gpus = config.get("ngpus") if isinstance(config, dict) else None
    if isinstance(gpus, int):
        sizes = [row["size"] for row in rows if isinstance(row["size"], int)] or [0]
        yield f"# nThread 1 nGpus {gpus} minBytes {min(sizes)} maxBytes {max(sizes)} step: 2(factor)"
    name = None
    for row in rows:
        if row.get("experiment_name") != name:
            name = row.get("experiment_name")
            yield f"# Collective test starting: {_snake(name)}_perf"
        halves = [row[half] for half in _HALVES if isinstance(row.get(half), dict)]
        cells = [row["size"], row.get("count", "0"), row.get("type", "float"), row.get("redop", "none"), row.get("root", "-1")]
        for half in halves:
            cells += [half.get(key, "0") for key in ("time", "alg_bw", "bus_bw", "nwrong")]
        yield " ".join(str(cell).strip()[:40] or "-" for cell in cells)


def _snake(name: object) -> str:
    """Return "AllReduce" as the program's name begins: all_reduce; those of one word have no bar."""
    text = str(name)[:40]
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in text).strip("_")
    return {"all_to_all": "alltoall", "allto_all": "alltoall", "send_recv": "sendrecv"}.get(words, words)


def _flat(rows: list[dict]) -> Iterator[str]:
    """Yield the rows as a plain table with the objects' own names for columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names:
        yield "\t".join(name.replace("\t", " ")[:60] for name in names)
    for row in rows:
        yield "\t".join(str(row.get(name, "")).replace("\t", " ").replace("\n", " ")[:60] for name in names)
