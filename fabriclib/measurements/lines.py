"""The lines of a log, numbered and cleaned: one at a time, so that a log of any size is read in the same memory.

A log is somebody's text. Terminal escapes and control characters go, a line too long to be a row of a table is emptied,
and bytes that are no text at all end the reading with a sentence.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from ..checks import short
from . import objects

LONGEST = 4096  # characters of a line; rows have some 120
BLOCK = 32_768  # characters that are looked at together
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"%PDF": "PDF",
           b"\x28\xb5\x2f\xfd": "Zstandard"}


def numbered(source) -> Iterator[tuple[int, str]]:
    """Return (number, line) of each line of *source*, cleaned; the first line is 1.

    Args:
        source: a path, or the text itself (a text has a line break; anything without one is a path), or its bytes.

    Raises:
        ValueError: no such file, one that is no regular file (a device or a pipe may never end), one that cannot be read, or
            no text: the sentence names the line.

    >>> list(numbered("a\\x1b[31mb\\r\\nc"))
    [(1, 'ab'), (2, 'c')]
    """
    with _opened(source) as file:
        try:
            yield from _lines(file)
        except OSError as problem:
            raise ValueError(f"line 1: path_or_text {short(source)} cannot be read ({_why(problem)}).") from None


def _lines(file: io.BufferedReader) -> Iterator[tuple[int, str]]:
    start = file.peek(4)
    head = start.decode("utf-8", errors="replace")
    if objects.starts(start[:200]) and objects.line_of(head.split("\n")[0].strip()) is None and not objects.heads(head):
        yield from enumerate(objects.lines(file.read(objects.MOST + 1)), start=1)
        return
    for magic, name in _PACKED.items():
        if start.startswith(magic):
            raise ValueError(f"line 1: this is a {name} file and no log; unpack it first.")
    encoding = "utf-16" if start.startswith(_UTF_16) else "utf-8"
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=None)
    try:
        yield from enumerate(_cleaned(text), start=1)
    finally:
        text.detach()  # whoever opened the file closes it


def _opened(source) -> io.BufferedReader:
    if isinstance(source, bytes | bytearray | memoryview):
        try:
            return io.BufferedReader(io.BytesIO(source.tobytes() if isinstance(source, memoryview) else source))
        except ValueError as problem:
            raise ValueError(f"line 1: path_or_text {short(source)} cannot be read ({problem}).") from None
    if isinstance(source, str) and ("\n" in source or "\r" in source or objects.starts(source[:200].encode(errors="replace"))):
        return io.BufferedReader(_Encoded(source))
    if isinstance(source, str) and not source.strip():
        raise ValueError("line 1: the log is empty.")
    if not isinstance(source, str | Path):
        raise ValueError(f"path_or_text must be a path, a text or bytes; got {short(source)}.")
    try:
        file = open(source, "rb", opener=_without_waiting)  # noqa: SIM115 - whoever reads it closes it
    except (OSError, ValueError) as problem:
        raise ValueError(f"line 1: path_or_text {short(source)} is no log, and no file of that name can be opened "
                         f"({_why(problem)}).") from None
    about = os.fstat(file.fileno())
    if stat.S_ISREG(about.st_mode) and about.st_size:
        return file
    file.close()
    if stat.S_ISREG(about.st_mode):  # the system shows its own inside as files of no length, and they may never end
        return io.BufferedReader(io.BytesIO())
    raise ValueError(f"line 1: path_or_text {short(source)} is no regular file but a device, a pipe or a folder; save the log as "
                     "a file first.")


def _without_waiting(path, flags: int) -> int:
    """Open as usual, but do not wait for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _why(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or "it cannot be a path"


class _Encoded(io.RawIOBase):
    """The bytes of a text, encoded as they are read: a long text is not copied."""

    def __init__(self, text: str):
        self._text, self._at = text, 0

    def readable(self) -> bool:
        return True

    def readinto(self, room) -> int:
        most = max(len(room) // 4, 1)  # a character takes up to four bytes
        data = self._text[self._at:self._at + most].encode("utf-8", errors="replace")
        self._at += most
        room[:len(data)] = data
        return len(data)


def _cleaned(text: io.TextIOBase) -> Iterator[str]:
    """Yield the lines, block by block: most of a long log is clean, and one look at a block tells."""
    number, rest = 0, ""
    while block := text.read(BLOCK):
        block = rest + block
        *lines, rest = block.split("\n")
        clean = "{" not in block and block.isascii() and block.replace("\n", " ").isprintable()
        if clean and max(map(len, lines), default=0) < LONGEST:
            yield from lines
        else:
            for at, line in enumerate(lines, start=number + 1):
                yield from _tidied(at, line)
        number += len(lines)
        rest = rest.rstrip("\0") if number else rest  # zeros are what a crash leaves at the end of a file
        rest = "\0" if "\0" in rest else rest[:LONGEST]
    if rest:
        yield from _tidied(number + 1, rest)


def _tidied(number: int, line: str) -> list[str]:
    """Return a line without what is no text; nothing of one that is too long, and the lines that a collector wrapped into one."""
    if "\0" in line or line.count("\ufffd") > 8 + len(line) // 4:
        raise ValueError(f"line {number}: this is no text: a log of a benchmark is expected.")
    if len(line) >= LONGEST:
        return [""]
    line = _CONTROLS.sub("", _ESCAPES.sub("", line))
    wrapped = objects.line_of(line) if line.startswith("{") else None
    if wrapped is None:
        return [line]
    return [_CONTROLS.sub("", _ESCAPES.sub("", one)) for one in wrapped.splitlines()] or [""]
