"""What a score stands on: the figures that went into it, each with its source, and what is not in it at all."""

from __future__ import annotations

from typing import NamedTuple

from fabriclib import catalog, units
from fabriclib.cabling import cable
from fabriclib.capstone import Score
from fabriclib.capstone.plan import OPTICS
from fabriclib.catalog import Source
from fabriclib.links import link
from fabriclib.machines import system
from fabriclib.switches import switch
from fabriclib.topology.fabrics.parts import CHIP
from fabriclib.workloads import accelerator, transformer

_OUTSIDE = (
    "Cooling of the hall, losses before the rack, storage and its network: the watts are those of servers, switches and links.",
    "Prices. Where no source states one, the course computes none; a budget has to be set against an offer of your own.",
    "Delivery, floor space, racks that can feed and cool so much, and people.",
    "Data that arrives late, evaluation, restarts of a training that went wrong for reasons of its own.",
    "Other jobs on the same network, and flows that collide in it.",
    "Failures as in one published training of 54 days; other machines fail as its machines did, part for part.",
)


def outside() -> list[str]:
    """Return what a score leaves out, and how far off what is in it was where it could be tried."""
    rows = catalog.rows("held_out_steps")
    off = sum(row["left_out"] for row in rows) / len(rows)
    return [*_OUTSIDE, f"Errors: training steps that its constants had never seen were off by {units.portion(off)} in the mean."]


class Figure(NamedTuple):
    """A figure: what it is, its value as text, and its source."""

    what: str
    value: str
    source: Source


def figures(found: Score) -> list[Figure]:
    """Return the figures that most of a score rests on."""
    machine = system(found.plan.system)
    chip, model, box = accelerator(machine.accelerator), transformer(found.brief.model), switch(CHIP)
    inside = link(machine.link.id)
    of_chip, of_model = (catalog.sources_of(catalog.row(table, one.id))
                         for table, one in (("accelerators", chip), ("transformers", model)))
    rows = [(f"{model.name}, layers", f"{model.layers}", of_model["layers"]),
            (f"{chip.name}, 16-bit operations", f"{chip.bf16 / 1e12:,.4g} million million a second", of_chip["bf16_flop_per_s"]),
            (f"{chip.name}, memory", units.format(chip.memory), of_chip["memory_bytes"]),
            (f"{inside.name}, one link, one direction", units.format(inside.line, "B/s"), inside.sources["lane_bits_per_s"])]
    rows += [(row["name"], units.format(row["power_w"], "W"), catalog.sources_of(row)["power_w"])
             for row in catalog.rows("machine_powers") if row["system"] == machine.id and row["kind"] == "nameplate"]
    rows += [(f"{wire.name}, an end", units.format(wire.power, "W"),
              catalog.sources_of(catalog.row("cables", wire.id))["power_w"])
             for wire in map(cable, dict.fromkeys(OPTICS[found.plan.optics]))]
    rows.append((f"{box.name}, a box without modules", units.format(box.box_power, "W"), box.sources["box_w"]))
    failures, run, repair = (catalog.figure(id) for id in ("llama3-unexpected", "llama3-run", "repair-on-site"))
    rows += [("unexpected interruptions of Llama 3 405B", f"{failures.value:g} in {run.value:g} {run.unit}", failures.source),
             ("a server that failed is back within", units.format(repair.si, "s"), repair.source)]
    return [Figure(*row) for row in rows]
