"""The learner's own log beside the prediction for a machine of the catalogue, with fit and diagnosis."""

from __future__ import annotations

from dataclasses import replace

from fabriclib import catalog, units
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.diagnosis import Comparison, compare
from fabriclib.machines import system, systems
from fabriclib.measurements import read_measurements
from fabriclib.measurements.examples import EXAMPLES, example

from ...stage import Lab
from .labs import fingerprint, nothing_drawn, read_a_log

MOST_SAID = 8  # problems, or notes


def bring_your_own():
    """Return the box that reads a learner's own log and sets it beside the prediction."""
    from ...stage.bringing import BringBox

    machines = {system(id).name: id for id in systems()["id"]}
    shown: list = [None]

    def read(source, machine, collective, nodes, ranks, table):
        shown[0] = None  # what is refused must not leave another run's picture behind
        typed = {"nodes": _number("nodes", nodes), "ranks": _number("ranks", ranks)}
        frame = read_measurements(source, collective=collective or None, **typed)
        tables = int(frame["table"].max()) + 1
        one = frame[frame["table"] == min(int(table), tables) - 1]
        one.attrs = frame.attrs
        found = compare(one, machines[machine], **typed)
        shown[0] = found
        return tables, said(one, found)

    def mine(suspect):
        return fingerprint(shown[0], suspect) if shown[0] else nothing_drawn()

    suspects = tuple(control for control in read_a_log.declaration.controls if control.name == "suspect")
    mine.declaration = replace(read_a_log.declaration, name="bring-your-own", title="Your run", controls=suspects, function=mine)
    names = {id: name for name, id in machines.items()}
    examples = {name: (example(name), names[one.system]) for name, one in EXAMPLES.items()}
    first, *_ = examples.values()
    read(first[0], first[1], "", "", "", "1")
    return BringBox(Lab(mine), examples, list(machines), [name for name in COLLECTIVES if name != "barrier"], read)


def _number(name: str, text: str) -> int | None:
    """What a learner typed for *name*; None for nothing."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text.strip()) > 7:
        raise ValueError(f"{name} must be a whole number, or empty where the log says it; got {text.strip()[:20]!r}.")
    return int(text)


def said(frame, found: Comparison) -> list[str]:
    """Return what there is to say of a table and its comparison, a sentence each."""
    run = found.run
    where = f"{run.nodes} x {run.gpus} GPU{'s' if run.nodes * run.gpus > 1 else ''} of {run.machine.name}"
    sizes = f"{len(frame)} size{'s' if len(frame) > 1 else ''}"
    span = f"from {units.format(run.nbytes[0])} to {units.format(run.nbytes[-1])}"
    sentences = [f"Read: {run.collective}, {where}, {sizes} {span}.", found.verdict]
    sentences += [f"Inferred: {note}." for note in frame.attrs["notes"][:MOST_SAID]]
    sentences += [f"Trouble in the log: {problem}." for problem in found.problems[:MOST_SAID]]
    if found.fit:
        sentences.append(f"The measured times, as start and rate: {repr(found.fit).strip('<>').removeprefix('AlphaBeta: ')}.")
    off = ", ".join(f"{units.portion(row['mean absolute error'])} {row['regime']}" for _, row in found.regimes.iterrows())
    sentences.append(f"The prediction is off by {off} (mean of the absolute errors).")
    checks = {row["id"]: row["check"] for row in catalog.rows("causes")}
    return sentences + [f"Where to look for {one.name}: {checks[one.cause]}" for one in found.causes[:2]]
