"""What NCCL's own tuner would pick: its scores, from its own constants, for one named version. Not a model of time.

The constants are those of NCCL v2.30.7-1 (commit 5067397c2676, June 2026), src/graph/tuning.cc: data/nccl_*.csv. They were
fitted by the library's authors to make good choices; a score is no measurement. What they score are channels: those that a
log of NCCL's search shows, or derived by the search's rules (`derive`), and the result says which.

NCCL v2.32 (November 2026) scores GPUs from Rubin on by a model of pipelines (src/tuning/pipeline_model, chosen in
src/tuning/platforms/platforms.h), which is not in here; for all before them it keeps this one, but for two limits of Blackwell.
"""

from .constants import VERSION
from .found import Found, Searched
from .search import searched
from .symmetric import symmetric_time
from .tuner import ALGORITHMS, COLLECTIVES, PROTOCOLS, Choice, nccl_choice

__all__ = ["ALGORITHMS", "COLLECTIVES", "Choice", "Found", "PROTOCOLS", "Searched", "VERSION", "nccl_choice", "searched",
           "symmetric_time"]
