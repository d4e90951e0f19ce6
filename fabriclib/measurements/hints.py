"""Lines of NCCL's own debugging output that name the way the data took: evidence beside the curve."""

from __future__ import annotations

import re

# What a line says, and the cause of measurement_tables.csv that it points to.
HINTS = {
    "NCCL says that it uses TCP sockets": ("tcp", re.compile(r"Using network Socket|NET/Socket : Using|via NET/Socket")),
    "the network plugin chose a TCP provider": ("tcp", re.compile(r"Selected [Pp]rovider is tcp|provider.{0,20}\btcp;ofi_rxm")),
    "NCCL says that GPUDirect RDMA is off": ("no-gpudirect", re.compile(r"GPU Direct RDMA Disabled|GDRDMA.{0,20}disabled")),
    "NCCL_NVLS_ENABLE=0 is set": ("nvls-off", re.compile(r"NCCL_NVLS_ENABLE(?: set by environment to |=)0\b")),
    "NCCL_P2P_DISABLE=1 is set": ("pcie-not-nvlink", re.compile(r"NCCL_P2P_DISABLE(?: set by environment to |=)1\b")),
    "GPUs of one server talk through shared host memory": ("pcie-not-nvlink", re.compile(r"via SHM/direct")),
}
_ANY = re.compile("|".join(pattern.pattern for _, pattern in HINTS.values()))
_ALGORITHM = re.compile(r"NCCL_ALGO(?: set by environment to |=)(?:allreduce:)?([A-Za-z]{2,20})(?![\w,;:])", re.IGNORECASE)
ALGORITHMS = {"ring": "ring", "tree": "tree", "nvls": "nvls", "nvlstree": "nvls_tree"}  # as NCCL calls them: as predict does
SIGNS = ("ocket", "rovider", "RDMA", "NCCL_", "SHM")


def hint_of(line: str) -> str | None:
    """Return what *line* gives away, a key of HINTS; None for any other line.

    >>> hint_of("node1:43:61 [0] NCCL INFO Using network Socket")
    'NCCL says that it uses TCP sockets'
    """
    for sign in SIGNS:  # most lines have none, and there may be millions
        if sign in line:
            return next(said for said, (_, pattern) in HINTS.items() if pattern.search(line)) if _ANY.search(line) else None
    return None


def algorithm_of(line: str) -> str:
    """Return the one algorithm that *line* says NCCL was set to; an empty text where it says none.

    >>> algorithm_of("a:1:1 [0] NCCL INFO NCCL_ALGO set by environment to Ring")
    'ring'
    """
    match = _ALGORITHM.search(line) if "NCCL_ALGO" in line else None
    return ALGORITHMS.get(match[1].lower(), "") if match else ""
