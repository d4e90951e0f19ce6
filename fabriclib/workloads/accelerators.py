"""Accelerators: how fast a GPU multiplies, and what its memory holds and reaches."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from .. import catalog, units
from ..checks import known, number, short, single, typed
from ..machines import System

DTYPES = ("bf16", "fp8", "fp4")


@typed
@dataclass(frozen=True)
class Accelerator:
    """ONE accelerator, dense operations, as its datasheet gives them.

    Args:
        name: what to call it.
        generation: whose constants of practice it has: A100, H100, Blackwell.
        bf16, fp8, fp4: peak rates in operations per second; 0 where it has none.
        best_bf16, best_fp8: the fastest that anybody measured of a matrix multiplication; 0 where nobody did.
        memory: bytes. memory_rate: bytes per second. watts: board power; 0 where no source states it.

    >>> accelerator("h100-sxm").peak("fp8") / 1e12
    1978.9
    """

    _example = "accelerator('h100-sxm')"

    name: str
    generation: str
    bf16: float
    fp8: float
    fp4: float
    best_bf16: float
    best_fp8: float
    memory: float
    memory_rate: float
    watts: float
    id: str = ""

    def __post_init__(self):
        for field in ("bf16", "memory", "memory_rate"):
            object.__setattr__(self, field, single(field, number(field, getattr(self, field))))

    def peak(self, dtype: str) -> float:
        """Return the peak rate for *dtype*, operations per second.

        Raises:
            ValueError: an unknown dtype, or one that it does not multiply.
        """
        rate = {"bf16": self.bf16, "fp8": self.fp8, "fp4": self.fp4}[known("dtype", dtype, DTYPES)]
        if not rate:
            can = [one for one in DTYPES if getattr(self, one)]
            raise ValueError(f"dtype must be one that {self.name} multiplies: {', '.join(can)}; got {dtype!r}.")
        return rate

    def best(self, dtype: str) -> float:
        """Return the best rate of a matrix multiplication in *dtype*: as measured, else by the share that BF16 reaches.

        Raises:
            ValueError: a *dtype* that it has no rate for.

        >>> round(accelerator("h100-sxm").best("bf16") / accelerator("h100-sxm").peak("bf16"), 3)
        0.803
        """
        peak = self.peak(dtype)
        if dtype == "bf16" and self.best_bf16:
            return self.best_bf16
        if self.best_fp8 and dtype != "bf16":
            return peak * self.best_fp8 / self.fp8
        return peak * (self.best_bf16 / self.bf16 if self.best_bf16 else _share_of(self.generation))

    def __repr__(self) -> str:
        return (f"<{self.name}: {self.bf16 / 1e12:.4g} TFLOP/s in BF16, {units.format(self.memory)} at "
                f"{units.format(self.memory_rate, 'B/s')}>")


@functools.cache
def _share_of(generation: str) -> float:
    """Return the share of its peak that a multiplication reaches on the first of *generation* that was measured, else on any."""
    measured = [row for row in catalog.rows("accelerators") if not math.isnan(row["best_bf16_flop_per_s"])]
    alike = [row for row in measured if row["generation"] == generation] or measured
    return alike[0]["best_bf16_flop_per_s"] / alike[0]["bf16_flop_per_s"]


@typed
@functools.cache
def accelerator(name: str) -> Accelerator:
    """Return an accelerator from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> accelerator("h100-sxm")
    <H100 SXM: 989.4 TFLOP/s in BF16, 80 GB at 3.35 TB/s>
    """
    cells = catalog.row("accelerators", name)

    def of(column: str) -> float:
        return 0.0 if math.isnan(cells[column]) else cells[column]

    return Accelerator(cells["name"], cells["generation"], bf16=of("bf16_flop_per_s"), fp8=of("fp8_flop_per_s"),
                       fp4=of("fp4_flop_per_s"), best_bf16=of("best_bf16_flop_per_s"), best_fp8=of("best_fp8_flop_per_s"),
                       memory=cells["memory_bytes"], memory_rate=cells["memory_bytes_per_s"], watts=of("power_w"), id=cells["id"])


def accelerators():
    """Return the catalogue as a DataFrame: one row an accelerator; NaN where nothing is known.

    >>> accelerators().set_index("id").loc["a100-80gb-sxm", "BF16 TFLOP/s"]
    np.float64(312.0)
    """
    import pandas as pd

    rows = catalog.rows("accelerators")
    return pd.DataFrame({
        "id": [row["id"] for row in rows], "name": [row["name"] for row in rows], "year": [row["year"] for row in rows],
        "BF16 TFLOP/s": [row["bf16_flop_per_s"] / 1e12 for row in rows],
        "FP8 TFLOP/s": [row["fp8_flop_per_s"] / 1e12 for row in rows],
        "FP4 TFLOP/s": [row["fp4_flop_per_s"] / 1e12 for row in rows],
        "best BF16 measured": [row["best_bf16_flop_per_s"] / 1e12 for row in rows],
        "memory GB": [row["memory_bytes"] / units.GB for row in rows],
        "memory TB/s": [row["memory_bytes_per_s"] / units.TB for row in rows], "watts": [row["power_w"] for row in rows],
    })


def of_system(system: System) -> Accelerator:
    """Return the accelerator of a machine.

    Raises:
        ValueError: it names none, or one that is not known.
    """
    if not system.accelerator:
        raise ValueError(f"system must be one whose accelerator is known, such as 'dgx-h100'; got {short(system.name)}.")
    return accelerator(system.accelerator)
