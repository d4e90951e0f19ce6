"""What all_reduce_bench and its like print in sentences: the run, and in its older form the figures too."""

from __future__ import annotations

import re
from typing import NamedTuple

from .plain import spelt, value_of
from .rows import BLANK, Row

SIGNS = ("average bandwidth of", "bw:", "data size:", "tput_avg")  # one of which each line has that says something here
_RUN = re.compile(r"average bandwidth of (\w{1,30})(?: with an? ([0-9.]{1,20})\s?([KMGT]i?B) payload)?")
_RANKS = re.compile(r"\b(\d{1,6}) ranks\b")
# The older one of DeepSpeed and of llm-jp: its throughput counts sent and received.
_SIZE = re.compile(r"\bdata size: ([0-9.]{1,20}) GB\s*\Z")
_BOTH = re.compile(r"\s*tput_avg \(Gbps\): ([0-9.]{1,20})\s")
_RATE = re.compile(r"\s*(algbw|busbw):\s{0,8}([0-9.]{1,20})\s?GBps\b")


class Said(NamedTuple):
    """A run: its collective, ranks, and the bytes of the one row that its rates are of; None: a table follows."""

    collective: str
    ranks: int | None
    nbytes: float | None


def run_of(line: str) -> Said | None:
    """Return the run that *line* is about; None for any other line.

    >>> run_of("The average bandwidth of all_reduce with a 4.0GB payload (20 trials, 8 ranks):")
    Said(collective='all_reduce', ranks=8, nbytes=4000000000.0)
    """
    if "data size:" in line and (sized := _SIZE.search(line)):
        return Said("all_reduce", None, value_of(sized[1], 1e9).value)
    match = _RUN.search(line) if "average bandwidth of" in line else None
    if not match:
        return None
    name = spelt(match[1])
    if name is None:
        return None
    ranks = _RANKS.search(line)
    return Said(name, int(ranks[1]) if ranks else None, value_of(f"{match[2]} {match[3]}", 1.0).value if match[2] else None)


def rate_of(number: int, line: str, nbytes: float) -> Row | None:
    """Return the row whose algbw *line* prints; None for any other line, that of busbw too: it follows from algbw."""
    if "tput_avg" in line and (both := _BOTH.match(line)):
        return Row(number, nbytes, BLANK, value_of(both[1], 1e9 / 8 / 2))
    match = _RATE.match(line) if "bw:" in line else None
    if not match or match[1] != "algbw":
        return None
    return Row(number, nbytes, BLANK, value_of(match[2], 1e9))
