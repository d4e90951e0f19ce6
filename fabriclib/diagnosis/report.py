"""What there is to say of a comparison: as sentences, as a page of plain text, and as figures for a program.

The box of a lesson and the command line say the same, because both ask here. *found* is a Comparison, whose `report` this is.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from .. import catalog, units
from ..collectives.busbw import busbw
from ..shown import counted

WIDTH = 100  # columns of a page
MOST_SAID, MOST_SUSPECTS = 8, 3  # of problems or assumptions, of causes
ALL_START = 10  # times the largest size: where n-half is beyond, no rate can be told
MOST_ROWS = 40  # sizes of a page; of a longer table so many are taken, evenly
_TIMES = ["nbytes", "measured", "predicted", "low", "high"]
_FULL = "TEST -b 8 -e 8G -f 2"
_TEST = " (TEST stands for the command that was run)"


def sentences(found) -> list[str]:
    """Return what is to be said of a comparison: verdict, suspects, what to try, what it rests on. Some have a second line."""
    run = found.run
    where = f"{run.nodes} x {counted(run.gpus, 'GPU')} of {run.machine.name}, {run.launcher.name}"
    first, last = (units.format(run.nbytes[at]) for at in (0, -1))
    sizes = f"{counted(run.nbytes.size, 'size')} from {first} to {last}" if run.nbytes.size > 1 else f"1 size of {first}"
    said = [f"Alarm. {found.verdict}" if found.alarm else found.verdict]
    said += [f"Suspect {place}, {one.name}. {one.evidence}\nWhere to look: {one.check}"
             for place, one in enumerate(found.causes[:MOST_SUSPECTS], start=1)]
    if command := to_try(found):
        said.append(f"Try next{_TEST if 'TEST' in command else ''}:\n{command}")
    said.append(f"Read: {run.collective}, {where}, {sizes}.")
    said.append(f"Compared with: {repr(run.machine).strip('<>')}.")
    said += [f"Assumed: {note}." for note in found.notes[:MOST_SAID]]
    said += [f"Trouble in the log: {problem}." for problem in found.problems[:MOST_SAID]]
    if found.fit:
        said.append(_fitted(found.fit, run.nbytes[-1]))
    off = ", ".join(f"{units.portion(row['mean absolute error'])} {row['regime']}" for _, row in found.regimes.iterrows())
    return [*said, f"The prediction is off by {off} (mean of the absolute errors)."]


def _fitted(fit, largest: float) -> str:
    if fit.n_half > ALL_START * largest:
        return f"The measured times are all start, {units.format(fit.alpha, 's')}: these sizes tell no rate."
    return f"The measured times, as start and rate: {repr(fit).strip('<>').removeprefix('AlphaBeta: ')}."


def to_try(found) -> str:
    """Return the one command to try next; an empty text where the verdict says what to do, or where nothing needs to be done."""
    if found.causes:
        return catalog.row("causes", found.causes[0].cause)["command"]
    return _FULL if "annot tell" in found.verdict else ""


def page(found) -> str:
    """Return a comparison as a page of plain text: the sentences, then measured and predicted, size by size."""
    first, *others = map(_wrapped, sentences(found))
    return "\n".join([first, "", *others, "", *_rows(found)]) + "\n"


def _wrapped(text: str) -> str:
    """The first line of *text* at the left, the others indented."""
    lines = [textwrap.fill(line, WIDTH, initial_indent="  " if at else "", subsequent_indent="  ", break_on_hyphens=False)
             for at, line in enumerate(text.splitlines())]
    return "\n".join(lines)


def _rows(found) -> list[str]:
    run, table = found.run, found.table
    chosen = np.unique(np.linspace(0, len(table) - 1, min(len(table), MOST_ROWS)).round().astype(int))
    lines = [f"{'size':>10} {'measured':>10} {'predicted':>10} {'95 of 100 healthy':>20} {'times as long':>14} {'busbw':>11}"]
    for nbytes, *seconds in table[_TIMES].to_numpy()[chosen].tolist():
        measured, predicted, low, high = (units.format(one, "s") for one in seconds)
        rate = units.format(busbw(run.collective, nbytes, seconds[0], run.nodes * run.gpus), "B/s")
        lines.append(f"{units.format(nbytes):>10} {measured:>10} {predicted:>10} {f'{low} - {high}':>20} "
                     f"{seconds[0] / seconds[1]:>14.2f} {rate:>11}")
    return lines if len(chosen) == len(table) else [*lines, f"({len(chosen)} of {len(table)} sizes)"]


def figures(found) -> dict[str, Any]:
    """Return a comparison as what JSON holds: numbers in SI units under names that stay."""
    run, fit = found.run, found.fit
    names = ["nbytes", *(f"{name}_s" for name in _TIMES[1:])]
    rows = [dict(zip(names, row, strict=True)) for row in found.table[_TIMES].to_numpy().tolist()]
    return {
        "alarm": found.alarm, "verdict": found.verdict,
        "causes": [{"id": one.cause, "name": one.name, "evidence": one.evidence, "check": one.check, "distance": one.distance}
                   for one in found.causes],
        "try_next": to_try(found), "collective": run.collective, "system": run.machine.id, "machine": run.machine.name,
        "nodes": run.nodes, "gpus_per_node": run.gpus, "ranks": run.nodes * run.gpus, "launcher": run.launcher.id,
        "fit": {"alpha_s": fit.alpha, "beta_s_per_byte": fit.beta} if fit else None,
        "regimes": [{"sizes": row["regime"], "rows": row["rows"], "mean_absolute_error": row["mean absolute error"],
                     "mean_error": row["mean error"]} for row in found.regimes.to_dict("records")],
        "notes": list(found.notes), "problems": list(found.problems), "rows": rows,
    }
