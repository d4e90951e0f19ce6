"""What NCCL's own tuner would pick: its scores, from its own constants, for one named version. Not a model of time.

The constants are those of NCCL v2.30.7-1 (commit 5067397c2676, June 2026), src/graph/tuning.cc: data/nccl_*.csv. They were
fitted by the library's authors to make good choices; a score is no measurement. NCCL v2.32.6-1 (November 2026) adds another
cost model, of pipelines, with data for Vera Rubin: it is not in here.
"""

from .constants import VERSION
from .search import Found, Searched, searched
from .symmetric import symmetric_time
from .tuner import ALGORITHMS, COLLECTIVES, PROTOCOLS, Choice, nccl_choice

__all__ = ["ALGORITHMS", "COLLECTIVES", "Choice", "Found", "PROTOCOLS", "Searched", "VERSION", "nccl_choice", "searched",
           "symmetric_time"]
