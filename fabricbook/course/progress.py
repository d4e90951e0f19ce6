"""The learner's own record of answers: one small JSON file, written so that nothing already saved can be lost."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

if sys.platform == "emscripten":

    def _lock(file) -> None:
        """Do nothing: in a browser there are no locks, and the save itself is one step."""
else:
    try:
        from fcntl import LOCK_EX, flock
    except ImportError:  # Windows
        from msvcrt import LK_LOCK, locking

        def _lock(file) -> None:
            locking(file.fileno(), LK_LOCK, 1)
    else:

        def _lock(file) -> None:
            flock(file, LOCK_EX)

# What stands for each key: the answer that counts; that it was passed; all answers there were; what was believed of a claim;
# how a lab's stop went. A file of an earlier course has the first ones only, and reads as one without the others.
_SECTIONS = ("predictions", "exercises", "attempts", "claims", "stops")
_VERSION = 1  # of this form, which a file need not name; one that names another is left alone
_NEWER = "was written by a newer version of the course, which is to be installed first"


# What the lessons are called whose questions had these numbers in their keys.
_NAMED_LATER = {
    "00": "start_here", "01": "moving_bytes", "02": "nvlink", "03": "infinity_fabric", "04": "cxl", "05": "pcie",
    "06": "signals", "07": "one_server", "08": "networks", "09": "fabrics", "10": "congestion", "11": "collectives",
    "12": "cost", "13": "hierarchy", "14": "against_world", "15": "bring_your_own",
}


def replace(path: Path, text: str) -> None:
    """Write *text* to the file at *path* in one step: whoever reads it finds the old text or the new one, whole.

    Only its owner may read it. Where it is a link, the file that it leads to is replaced.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", opener=_for_its_owner) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _patiently(os.replace, temporary, path)
    except OSError:  # the disk may be full: half a file must not take its last room
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _patiently(act: Callable, *arguments):
    """Return what *act* does, tried again for half a second: on Windows a file cannot be replaced in the instant in which
    another process reads it, nor be read while it is replaced."""
    for pause in (0.01, 0.03, 0.1, 0.3):
        try:
            return act(*arguments)
        except PermissionError:
            time.sleep(pause)
    return act(*arguments)


class _Damaged(OSError):
    """The file holds something else than a progress document."""


class _Newer(OSError):
    """The file holds a progress document of another form."""


class Progress:
    """Answers by section ("predictions", "exercises", "attempts", "claims" or "stops") and key, kept in the file at *path*.

    The file is read afresh for every question and before every save, so that two notebooks see and keep each
    other's answers. What cannot be saved is kept in memory, and `notice` says so in one sentence.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self.notice = ""
        self._unsaved: dict[tuple[str, str], dict | None] = {}
        self._watchers: dict[tuple[str, str], list[Callable[[], None]]] = {}

    def get(self, section: str, key: str) -> dict | None:
        """Return the entry recorded for *key*, or None."""
        if (section, key) in self._unsaved:
            return self._unsaved[section, key]
        try:
            return self.recorded(section).get(key)
        except OSError as problem:
            self.notice = f"Your earlier answers cannot be read ({problem})."
            return None

    def recorded(self, section: str) -> dict[str, dict]:
        """Return all entries of the file's *section*, by key.

        Raises:
            OSError: the file cannot be read, or holds something else.
        """
        return {key: entry for key, entry in self._read()[section].items() if isinstance(entry, dict)}

    def record(self, section: str, key: str, entry: dict | None) -> None:
        """Record *entry* for *key*, or forget the key when *entry* is None, and tell those who watch it."""
        self._unsaved[section, key] = entry
        self._save()

    def take_over(self, text: str | bytes) -> int:
        """Add what *text*, an exported record, answers and this one does not, and return how many answers that are.

        Raises:
            ValueError: *text* is no exported record; the message is for the learner.
        """
        try:
            given = _document(text)
        except _Damaged:
            raise ValueError("this file is none that the course exported.") from None
        except _Newer:
            raise ValueError(f"this file {_NEWER}.") from None
        known = {section: self.recorded(section) for section in _SECTIONS}
        new = [(section, key, entry) for section in _SECTIONS for key, entry in given[section].items()
               if isinstance(entry, dict) and key not in known[section]]
        self._unsaved |= {(section, key): entry for section, key, entry in new}
        self._save()
        return len(new)

    def start_over(self) -> Path | None:
        """Begin a new record, and return where the old one is kept; None if there was none.

        Raises:
            OSError: the file cannot be moved, or what belongs into it not be saved: then nothing is lost.
        """
        if not self._unsaved and not self.path.exists():
            return None
        with self._locked():
            if self._unsaved:
                self._write(self._merged())
            kept = self._move_aside("before")
        self._unsaved.clear()
        self._tell(self._watchers)
        return kept

    def exported(self) -> bytes:
        """Return the record as a file to take along, with what could not be saved; a file that holds something else as it is.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            return _text(self._with_unsaved(self._read())).encode()
        except (_Damaged, _Newer):
            return self.path.read_bytes()

    def watch(self, section: str, key: str, changed: Callable[[], None]) -> None:
        """Call *changed* whenever the entry of *key* is recorded or forgotten in this kernel."""
        self._watchers.setdefault((section, key), []).append(changed)

    def _save(self) -> None:
        """Write what is not saved yet, and tell those who watch it."""
        changed = list(self._unsaved)
        self.notice = ""
        try:
            with self._locked():
                self._write(self._merged())
        except OSError as problem:
            self.notice = f"Your answers are kept only until this notebook's kernel stops ({problem})."
        else:
            self._unsaved.clear()
        self._tell(changed)

    def _tell(self, changed: Iterable[tuple[str, str]]) -> None:
        for section, key in changed:
            for notify in self._watchers.get((section, key), ()):
                notify()

    def _merged(self) -> dict:
        """Return what the file should hold; a damaged file is first moved aside. Only called with the lock held."""
        try:
            document = self._read()
        except _Damaged:
            self._keep_aside()
            document = self._read()
        return {name: content for name, content in self._with_unsaved(document).items() if content or name not in _SECTIONS}

    def _with_unsaved(self, document: dict) -> dict:
        """Return *document* with what is not saved yet."""
        for (section, key), entry in self._unsaved.items():
            if entry is None:
                document[section].pop(key, None)
            else:
                document[section][key] = entry
        return document

    def _read(self) -> dict:
        """Return the file's document, with every section present."""
        try:
            return _document(_patiently(self.path.read_bytes))
        except FileNotFoundError:
            return _document("{}")
        except _Damaged:
            raise _Damaged(f"{self.path} is damaged") from None
        except _Newer:
            raise _Newer(f"{self.path} {_NEWER}") from None

    def _keep_aside(self) -> None:
        if not self._writable():
            raise OSError(f"{self.path} is damaged and read-only")
        aside = self._move_aside("damaged")
        self.notice = f"Your progress file was damaged; it is kept as {aside}, and a new one begins."

    def _move_aside(self, why: str) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.stem}.{why}-{number}{self.path.suffix}")).exists():
            number += 1
        os.replace(self.path, aside)
        return aside

    def _writable(self) -> bool:
        """Whether the learner left the file writable. The mode is asked because a rename would ignore it."""
        return not self.path.exists() or bool(self.path.stat().st_mode & 0o222 and os.access(self.path, os.W_OK))

    def _write(self, document: dict) -> None:
        if not self._writable():
            raise OSError(f"{self.path} is read-only")
        replace(self.path, _text(document))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time read, change and replace the file; the system drops the lock of a killed one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_name(f".{self.path.name}.lock"), "a", encoding="utf-8") as lock:
            with contextlib.suppress(OSError):  # some network drives have no locks; the save itself stays atomic
                _lock(lock)
            yield


def _text(document: dict) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _document(text: str | bytes) -> dict:
    """Return the document that *text* is, with every section present, or raise _Damaged or _Newer."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _Damaged from None
    if isinstance(document, dict) and document.get("version", _VERSION) != _VERSION:
        raise _Newer
    if not isinstance(document, dict) or not all(isinstance(document.get(s, {}), dict) for s in _SECTIONS):
        raise _Damaged
    return document | {section: _renamed(document.get(section, {})) for section in _SECTIONS}


def _renamed(entries: dict) -> dict:
    """Return *entries* under the keys of today: those of an earlier course began with the number that its lesson had then."""
    old = {key: f"{_NAMED_LATER[key[:2]]}{key[2:]}" for key in entries if key[2:3] == "." and key[:2] in _NAMED_LATER}
    return {old.get(key, key): entry for key, entry in entries.items() if old.get(key, key) == key or old[key] not in entries}


def answers(attempts: dict | None, now: dict | None) -> list[dict]:
    """Return all answers to a prediction, the oldest first: those of its *attempts*, and the one that counts *now*.

    A record of an earlier course has only that one.
    """
    tries = (attempts or {}).get("entries")
    found = [entry for entry in tries if isinstance(entry, dict)] if isinstance(tries, list) else []
    return found + [now] if now and now not in found[-1:] else found


_open: dict[Path, Progress] = {}


def current() -> Progress:
    """Return the progress kept at FABRICLIB_PROGRESS, or else in the learner's home, at ~/.fabriclib/progress.json."""
    path = Path(os.environ.get("FABRICLIB_PROGRESS") or Path.home() / ".fabriclib" / "progress.json")
    return _open.setdefault(path, Progress(path))
