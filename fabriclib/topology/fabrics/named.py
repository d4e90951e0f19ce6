"""Named designs: what a published fabric is asked for, and what its source counts, beside what the model does."""

from __future__ import annotations

import math

from ... import catalog
from .design import Design

NUMBERS = {"per_server": "per_server", "planes": "planes", "links": "links", "radix": "radix", "pod_gpus": "pod_gpus",
           "spines_of_pod": "spines"}
STATED = ("gpus", "leaves", "spines", "cores", "gpu_cables", "spine_cables", "core_cables")


def asked(name: str) -> tuple[str, dict]:
    """Return (kind, options) of a named design."""
    cells = catalog.row("designs", name)
    options: dict[str, object] = {option: cells[column] for column, option in NUMBERS.items() if cells[column]}
    if not math.isnan(cells["core_ratio"]):
        options["core_oversubscription"] = cells["core_ratio"]
    if cells["dims"]:
        options["dims"] = cells["dims"]
    else:
        options["gpus"] = cells["gpus"]
        options["inside"] = cells["inside"]
    if cells["leaf_down"]:
        options["leaf_ports"] = (cells["leaf_down"], cells["leaf_up"])
    if cells["trunk"]:
        options["trunk"] = cells["trunk"]
    return cells["kind"], options | {"speed": cells["speed"]}


def stated(name: str) -> dict[str, int]:
    """Return what the source of a named design counts: GPUs, switches and cables, as far as it does."""
    cells = catalog.row("designs", name)
    return {column: cells[column] for column in STATED if cells[column]}


def counted(design: Design) -> dict[str, int]:
    """Return the same counts of *design*, as the model makes them."""
    runs = [run.count for run in design.cables] + [0, 0]
    return {"gpus": design.gpus, "leaves": design.leaves, "spines": design.spines, "cores": design.cores,
            "gpu_cables": runs[0], "spine_cables": runs[1], "core_cables": runs[2]}
