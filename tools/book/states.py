"""All that a lab can show, computed once: what the kernel would answer at each place where its controls can stand.

A place is a position for each control. The places of a lab are one grid, the last control running fastest, and what is known of
them are arrays over that grid. `states(name)` is computed in seconds to minutes, and remembered by its content: nothing of it
is computed again until the lab's lesson, the model, its data or the stage change.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from fabricbook.course.stops import Find
from fabricbook.lessons import as_lab, find
from fabricbook.stage import Lab
from fabricbook.stage.widget import state_after

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "book" / "states"
# Labs too large for a page: which of a control's values it has there, the default and what a stop sets up among them.
THINNED = {"every-algorithm": {"latency": slice(1, None, 2), "bandwidth": slice(0, None, 2)},
           "hash-draw": {"draw": slice(0, None, 3)}}
_ROOMS = ("fabriclib", "data", "fabricbook/stage", "fabricbook/course")


@dataclass
class Coded:
    """Texts, each kept once, and which of them stands at each place of the grid; -1 for none."""

    texts: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._places = {text: place for place, text in enumerate(self.texts)}

    def add(self, text: str | None) -> None:
        """Note what stands at the next place."""
        if text is not None and text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        self.at.append(-1 if text is None else self._places[text])


@dataclass
class States:
    """A lab over its grid, of which `sizes` says how many positions each control has.

    `columns` are JSON lists by the column's name, `ends` JSON objects, `found` what is said to each stop that is a Find, as JSON
    [outcome, sentence, given]. At a place that the other controls do not allow, only its ends are known.
    """

    sizes: list[int]
    columns: dict[str, Coded] = field(default_factory=dict)
    sentences: Coded = field(default_factory=Coded)
    errors: Coded = field(default_factory=Coded)
    ends: Coded = field(default_factory=Coded)
    found: dict[str, Coded] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Mapping) -> States:
        """Return what `asdict` made of one."""
        coded = {name: Coded(**stored[name]) for name in ("sentences", "errors", "ends")}
        many = {name: {key: Coded(**one) for key, one in stored[name].items()} for name in ("columns", "found")}
        return cls(stored["sizes"], **coded, **many)


def on_page(name: str) -> Lab:
    """Return the lab *name* as a page has it: as it is, but for what THINNED says."""
    declared, thin = find("labs", name).declaration, THINNED.get(name, {})
    controls = [replace(one, values=one.values[thin[one.name]]) if one.name in thin else one for one in declared.controls]
    return as_lab(replace(declared, controls=tuple(controls)))


def thinning(name: str) -> str:
    """Return the sentence that says what the lab *name* lacks on a page, or ""."""
    whole, there = find("labs", name).declaration.controls, on_page(name).controls
    lacks = [f"{one.label} has {len(there[one.name].values)} of its {len(one.values)} values" for one in whole
             if one.name in THINNED.get(name, {})]
    return f"On this page {', '.join(lacks)}; with a kernel, all of them." if lacks else ""


def places(lab: Lab) -> Iterator[dict[str, int]]:
    """Yield every place of the lab's grid."""
    for at in itertools.product(*(range(len(control.values)) for control in lab.controls.values())):
        yield dict(zip(lab.controls, at, strict=True))


def walked(lab: Lab) -> States:
    """Return what *lab* shows at each place, as its widget would say it."""
    lab.answer = _remembered(lab.answer)  # a stop asks for what the lab has just shown
    nothing = {"id": None, "values": {}, "ends": None, "columns": {}, "sentence": "", "error": ""}
    found = States([len(control.values) for control in lab.controls.values()])
    sought = {stop.key for stop in lab.declared.stops if isinstance(stop, Find)}
    found.found = {key: Coded() for key in sought}
    for number, place in enumerate(places(lab)):
        state = state_after(lab, nothing, lambda place=place: place)
        found.ends.add(None if state["ends"] is None else json.dumps(state["ends"]))
        there = state["values"] == place
        found.errors.add(state["error"] if there else None)
        good = there and not state["error"]
        found.sentences.add(state["sentence"] if good else None)
        for name in state["columns"]:
            found.columns.setdefault(name, Coded(at=[-1] * number))
        for name, column in found.columns.items():
            column.add(json.dumps(state["columns"][name]) if good and name in state["columns"] else None)
        for key in sought:
            said = lab.stops[key].judge(place) if there else None
            found.found[key].add(said and json.dumps([said.outcome, said.sentence, said.given]))
    return found


def _remembered(answer: Callable) -> Callable:
    last = functools.lru_cache(maxsize=512)(lambda places: answer(dict(places)))
    return lambda positions: last(tuple(positions.items()))


def states(name: str, cache: Path = CACHE) -> States:
    """Return the states of the lab *name*: those kept in *cache*, where nothing that they come from has changed."""
    made = remembered(cache, name, content(name), lambda: zlib.compress(json.dumps(asdict(walked(on_page(name)))).encode(), 1))
    return States.read(json.loads(zlib.decompress(made)))


def remembered(cache: Path, name: str, content: str, make: Callable[[], bytes]) -> bytes:
    """Return what *make* returns, called once for the same *content*; *cache* keeps the last of each *name*."""
    kept = cache / f"{name}.{content}"
    if not kept.exists():
        made = make()
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{name}.*"):
            old.unlink()
        half = cache / f"{name}.half"  # of one that is killed meanwhile
        half.write_bytes(made)
        os.replace(half, kept)
    return kept.read_bytes()


def content(name: str, *files: Path) -> str:
    """Return a digest of these *files* and of all that a lab's states come from: the model, its data, the stage, its lesson, this
    file."""
    home = Path(inspect.getfile(find("labs", name))).parent
    return _digest(home, *(ROOT / room for room in _ROOMS), Path(__file__), *files)


@functools.cache
def _digest(*roots: Path) -> str:
    digest = hashlib.sha256()
    for root in roots:
        for path in [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file()):
            if path.suffix in (".py", ".csv", ".md", ".txt"):
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
