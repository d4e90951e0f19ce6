"""Named designs: what a published fabric is asked for, and what its source counts, beside what the model does."""

from __future__ import annotations

import math

from ... import catalog
from .design import Design

OPTIONS = ("per_server", "planes", "links", "radix", "pod_gpus", "speed", "trunk")  # columns that are called as the options are
STATED = ("gpus", "leaves", "spines", "cores", "gpu_cables", "spine_cables", "core_cables")


def asked(name: str) -> tuple[str, dict]:
    """Return (kind, options) of a named design."""
    cells = catalog.row("designs", name)
    options: dict[str, object] = {option: cells[option] for option in OPTIONS if cells[option]}
    options |= {"dims": cells["dims"]} if cells["dims"] else {"gpus": cells["gpus"], "inside": cells["inside"]}
    if not math.isnan(cells["core_ratio"]):
        options["core_oversubscription"] = cells["core_ratio"]
    if cells["leaf_down"]:
        options["leaf_ports"] = (cells["leaf_down"], cells["leaf_up"])
    if cells["spines_of_pod"]:
        options["spines"] = cells["spines_of_pod"]
    return cells["kind"], options


def stated(name: str) -> dict[str, int]:
    """Return what the source of a named design counts: GPUs, switches and cables, as far as it does."""
    cells = catalog.row("designs", name)
    return {column: cells[column] for column in STATED if cells[column]}


def counted(design: Design) -> dict[str, int]:
    """Return the same counts of *design*, as the model makes them."""
    runs = [run.count for run in design.cables] + [0, 0]
    return {"gpus": design.gpus, "leaves": design.leaves, "spines": design.spines, "cores": design.cores,
            "gpu_cables": runs[0], "spine_cables": runs[1], "core_cables": runs[2]}
