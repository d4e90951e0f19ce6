"""The labs of the book, alive without a kernel: `write(folder)` puts into a folder what the pages load.

    player.js, player.css    the stage's own front, and what stands where a kernel would (player/)
    vega.js                  Vega, loaded by the first lab of a page
    labs/NAME.js             all that one lab can show, and what is said to every answer to its stops

All are classic scripts: a page from a file may load no other, and no data either. A page holds, for each lab, a
`<div class="fl-lab" data-lab="NAME">` with its picture in it, which stays where no script runs and in print.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import bundle_vega

import fabricbook
from fabricbook.course.posed import Posed
from fabricbook.course.stops import Choice, Number
from fabricbook.stage import Lab
from fabricbook.stage.widget import LabWidget, setup_of

from .packing import coded, document, packed
from .posed import question
from .states import CACHE, States, content, on_page, remembered, states, thinning

FILES = Path(__file__).with_name("player")
_MAKERS = [Path(__file__).with_name(f"{name}.py") for name in ("packing", "player", "posed")]  # of a lab's script
MOST, MOST_IN_ALL = 500_000, 8_000_000  # bytes of a lab's script, and of all of them
_STYLE = """
.fl-lab.fl-alive > :not(.fabriclib-lab, .fl-thinned) { display: none; }
@media print {
  .fl-lab.fl-alive > :not(.fabriclib-lab, .fl-thinned) { display: revert; }
  .fl-lab.fl-alive > :is(.fabriclib-lab, .fl-thinned) { display: none; }
}
"""


def write(folder: Path, names: Iterable[str] = (), cache: Path = CACHE) -> dict[str, int]:
    """Write the labs *names*, or all, and what plays them; return the bytes of each lab's script, the largest first.

    Raises:
        ValueError: a lab is larger than a page should load, or all of them together are.
    """
    names = sorted(names or fabricbook.labs(), key=_places, reverse=True)  # the pool begins with what takes longest
    (folder / "labs").mkdir(parents=True, exist_ok=True)
    (folder / "player.js").write_text(script(), encoding="utf-8")
    (folder / "player.css").write_text(LabWidget._css + _STYLE, encoding="utf-8")
    (folder / "vega.js").write_text(vega(bundle_vega.build().read_text(encoding="utf-8")), encoding="utf-8")
    sizes = {}
    with ProcessPoolExecutor() as pool:
        for name, made in zip(names, pool.map(_made, names, itertools.repeat(cache)), strict=True):
            (folder / "labs" / f"{name}.js").write_bytes(made)
            sizes[name] = len(made)
            print(f"{name}: {_places(name):,} places, {len(made):,} bytes", flush=True)
    large = [f"{name} ({size:,})" for name, size in sizes.items() if size > MOST]
    if large or sum(sizes.values()) > MOST_IN_ALL:
        raise ValueError(f"labs must be at most {MOST:,} bytes each and {MOST_IN_ALL:,} in all; got {sum(sizes.values()):,} "
                         f"in all, and too large: {', '.join(large) or 'none'}.")
    return dict(sorted(sizes.items(), key=lambda one: -one[1]))


def _places(name: str) -> int:
    return math.prod(len(control.values) for control in on_page(name).controls.values())


def _made(name: str, cache: Path) -> bytes:
    return remembered(cache / "scripts", name, content(name, *_MAKERS), lambda: lab_script(name, states(name, cache)).encode())


def script() -> str:
    """Return player.js: the front as it is, a module, turned into a function, and the files of player/ after it."""
    front, found = re.subn(r"^export default \{", "const front = {", LabWidget._esm, flags=re.MULTILINE)
    if found != 1 or re.search(r"^(import|export)\b", front, flags=re.MULTILINE):
        raise ValueError(f"the front must export one default object and import nothing; got {found} default exports.")
    own = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FILES.glob("*.js")))
    return f'(() => {{\n"use strict";\nconst front = (() => {{\n{front}\nreturn front;\n}})();\n{own}\n}})();\n'


def vega(module: str) -> str:
    """Return the *module* of bundle_vega.py as a classic script, which needs no `eval`: Vega reads its expressions itself."""
    name = "globalThis.flVegaEmbed"
    classic, found = re.subn(r"export\s*\{\s*([\w$]+) as vegaEmbed\s*\};\s*\Z",
                             rf"{name} = (box, spec, options) => \1(box, spec, {{ ...options, ast: true }});", module)
    if found != 1:
        raise ValueError("vega.js must end with the export of vegaEmbed, and nothing else; it does not.")
    return f"(() => {{\n{classic}\n}})();\n"


def lab_script(name: str, known: States) -> str:
    """Return the script of the lab *name*, of which *known* are the states."""
    lab = on_page(name)
    told = {"setup": setup_of(lab), "thinning": thinning(name), "states": document(known, exact=_named(lab)),
            "stops": [_stop(lab, posed, known) for posed in lab.stops.values()]}
    return f'flLab({json.dumps(name)}, "{packed(told)}");\n'


def _named(lab: Lab) -> set[str]:
    """Return the columns in which a mark's value is compared with a control's, or an option's."""
    fields = {stop.field for stop in lab.declared.stops if isinstance(stop, Choice)}
    return fields | {column for control in lab.controls.values() for column in (control.picks, control.carries)}


def _stop(lab: Lab, posed: Posed, known: States) -> dict:
    """Return what the page must know of a stop: what is said to each answer, and how to judge one that is typed."""
    declared, (sentence, moves) = posed.declared, posed.shown()
    told = {"key": declared.key, "kept": posed.kept_as, "kind": posed.setup["kind"], "saw": posed.saw, "shown": sentence,
            "moves": lab.positions(**moves) if moves else None}
    if isinstance(declared, Number):
        return told | {"question": question(declared.asked(lab, posed.fill), stop=True)}
    if isinstance(declared, Choice):
        said = {option: _said(posed, option) for option in posed.setup["options"]}
        return told | {"said": said, "none": _said(posed, "")}
    return told | {"found": coded(known.found[declared.key])}


def _said(posed: Posed, given: str) -> list[str]:
    judged = posed.judge(given)
    return [judged.outcome, judged.sentence, judged.given]
