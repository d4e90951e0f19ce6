"""Logs in JSON: results as nccl-tests (-J) and rccl-tests write them, and lines of text as a collector of logs wraps them.

Either becomes the lines that the same test prints as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST = 64_000_000  # bytes that are read at once
MOST_DEEP = 6  # levels down to the rows
_BEGINS = re.compile(r'(?:\xef\xbb\xbf)?\s{0,80}(?:\{\s{0,80}"|\[\s{0,80}\{)')
_MARK = re.compile(r"[^\s\ufeff]")
_USUAL = {"count": "0", "type": "float", "redop": "none", "root": "-1"}
_HALVES = ("out_of_place", "in_place")
# Where collectors of logs put a line, and others a whole log.
_TEXTS = ("log", "message", "msg", "textPayload", "MESSAGE", "line", "stdout", "output", "body")
_HOSTS = ("hostname", "host", "node")


def starts(head: bytes) -> bool:
    """Return whether a log that begins with *head* is in JSON: whole, or an object a line."""
    return _BEGINS.match(head.decode("latin-1")) is not None


def heads(text: str) -> bool:
    """Return whether *text* begins with objects and goes on as text: with the settings of a run, above its log.

    >>> heads('{"gpus": 8}\\n# all_reduce_perf'), heads('{"gpus": 8}\\n{"size": 8}')
    (True, False)
    """
    at, decoder = _next(text, 0), json.JSONDecoder()
    while text[at:at + 1] in ("{", "["):
        try:
            at = _next(text, decoder.raw_decode(text, at)[1])
        except (ValueError, RecursionError):
            return False
    return at < len(text)


def _next(text: str, at: int) -> int:
    """Return where something stands again from *at* on; the text is not copied, for it may have an object a line."""
    return mark.start() if (mark := _MARK.search(text, at)) else len(text)


def lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text log that says what *data* says.

    Raises:
        ValueError: it is too long, no JSON, or has neither results nor lines of text.
    """
    if len(data) > MOST:
        raise ValueError(f"line 1: a log in JSON may have {MOST} bytes; this has more.")
    text = data.decode("utf-8", errors="replace")
    try:
        found = _loaded(text)
    except ValueError:
        if not heads(text):
            raise
        yield from text.splitlines()
        return
    rows = list(_with("size", found, 0)) or list(_with("nbytes", found, 0))
    if any("out_of_place" in row for row in rows):
        yield from _nccl(found, rows)
    elif rows:
        yield from _flat(rows)
    else:
        texts = [text_of(one) for one in (found if isinstance(found, list) else [found])]
        if not any(texts):
            raise ValueError("line 1: the log is JSON and has no results, objects with a size, and no lines of text.")
        for one in filter(None, texts):
            yield from one.splitlines()


def text_of(found: Any) -> str | None:
    """Return the text that a collector of logs wrapped into an object; None where there is none.

    >>> text_of({"stream": "stdout", "log": "# all_reduce_perf\\n"})
    '# all_reduce_perf\\n'
    """
    if not isinstance(found, dict):
        return None
    return next((found[name] for name in _TEXTS if isinstance(found.get(name), str)), None)


def line_of(line: str) -> str | None:
    """Return the text in the object that is all of *line*; None where it is none, or has no text."""
    if not line.startswith("{"):
        return None
    try:
        return text_of(json.loads(line))
    except (ValueError, RecursionError):
        return None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"line 1: the log begins as JSON and is none: {str(problem)[:80]}.") from None


def _with(key: str, found: Any, deep: int) -> Iterator[dict]:
    """Yield the outermost objects that have *key*, in their order."""
    if deep > MOST_DEEP:
        return
    if isinstance(found, dict) and key in found:
        yield found
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from _with(key, one, deep + 1)


def _nccl(found: Any, rows: list[dict]) -> Iterator[str]:
    config = found.get("config", {}) if isinstance(found, dict) else {}
    gpus = config.get("ngpus") if isinstance(config, dict) else None
    name, listed = None, list(_listed(found))
    for row in rows:
        if row.get("experiment_name") != name:
            name = row.get("experiment_name")
            yield f"# Collective test starting: {_snake(name)}_perf"
            if isinstance(gpus, int):
                yield f"# nThread 1 nGpus {gpus} minBytes 0 maxBytes 0 step: 2(factor)"
            yield from listed
        halves = [row[half] for half in _HALVES if isinstance(row.get(half), dict)]
        cells = [row.get("size"), *(row.get(name, usual) for name, usual in _USUAL.items())]
        for half in halves:
            cells += [half.get(key, "0") for key in ("time", "alg_bw", "bus_bw", "nwrong")]
        yield " ".join(str(cell).strip()[:40] or "-" for cell in cells)


def _listed(found: Any) -> Iterator[str]:
    """Yield the lines that list the ranks, each with its host and GPU."""
    for one in _with("rank", found, 0):
        host = next((one[name] for name in _HOSTS if isinstance(one.get(name), str)), "").replace(" ", "_")[:80]
        if host and isinstance(one["rank"], int):
            yield f"#  Rank {one['rank']} Group 0 Pid 0 on {host} device 0 [0] {str(one.get('device_name', ''))[:40]}"


def _snake(name: object) -> str:
    """Return "AllReduce" as the program's name begins: all_reduce; those of one word have no bar."""
    text = str(name)[:40]
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in text).strip("_")
    return {"all_to_all": "alltoall", "allto_all": "alltoall", "send_recv": "sendrecv"}.get(words, words)


def _flat(rows: list[dict]) -> Iterator[str]:
    """Yield the rows as a plain table with the objects' own names for columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names:
        # rccl-tests calls the collective "name".
        heads = ["collective" if name == "name" and "collective" not in names else name for name in names]
        yield "\t".join(name.replace("\t", " ")[:60] for name in heads)
    for row in rows:
        yield "\t".join(str(row.get(name, "")).replace("\t", " ").replace("\n", " ")[:60] for name in names)
