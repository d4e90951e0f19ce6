"""The fitted constants: what a technology reaches in practice, out of data/fitted.csv.

A constant belongs to a technology (a link generation, a switch, a NIC kind, a launcher) and never to a machine. A row has a
parent of which it is a multiple: a technology that no table measured has its family's value. tools/fitting.py fits them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from .. import catalog

Constants = Mapping[tuple[str, str], float]


@functools.cache
def fitted() -> Constants:
    """Return {(subject, quantity): value in SI units} out of data/fitted.csv."""
    return {(r["subject"], r["quantity"]): r["value"] for r in catalog.rows("fitted")}


def look_up(constants: Constants, quantity: str, *subjects: str) -> float:
    """Return the constant of the first of *subjects* that has one; "any" has every one."""
    for subject in subjects:
        if (subject, quantity) in constants:
            return constants[subject, quantity]
    return constants["any", quantity]
