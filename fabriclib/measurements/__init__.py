"""Measurements: the published ones, and those that a reader brings along.

`published` returns a table of data/measurements.csv; `read_measurements` reads the output of nccl-tests, rccl-tests, OSU and
others, or a plain table, and `read_pairs` the matrix of a server's pairs. What a log is worth is judged in `fabriclib.diagnosis`.
"""

from __future__ import annotations

from .about import apart
from .pairs import read_pairs
from .read import read_measurements
from .tables import GLITCH, Measured, as_read, beside, error, largest, percent, published, settled

__all__ = ["GLITCH", "Measured", "apart", "as_read", "beside", "error", "largest", "percent", "published",
           "read_measurements", "read_pairs", "settled"]
