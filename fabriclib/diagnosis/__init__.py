"""Diagnosis: a measured curve beside the prediction, and if it is too slow, which broken machine it resembles.

    found = compare(read_measurements("my.log"), "dgx-h100")
    found.regimes, found.fit, found.causes, found.verdict

Every cause of data/causes.csv is a machine: the one with fewer NICs, with PCIe where its NVLink was, with TCP where RDMA was.
`broken` predicts it like any other, and `compare` asks whose curve the measured one resembles.
"""

from __future__ import annotations

from .broken import broken, causes
from .compare import Comparison, compare
from .suspects import Candidate

__all__ = ["Candidate", "Comparison", "broken", "causes", "compare"]
