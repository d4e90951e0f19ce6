"""Example logs: published figures, printed as a benchmark prints them, with what launchers and accidents do to a log."""

from __future__ import annotations

from typing import NamedTuple

from .. import units
from ..checks import known
from .tables import as_read
from .write import as_log


class Example(NamedTuple):
    """A log to practise on: the published table whose figures it has, the machine it ran on, what a launcher wrote before
    each line, the largest size its header announces (0: that of its rows), and the share of it that was kept."""

    table: str
    system: str
    prefix: str = ""
    announced: float = 0
    kept: float = 1.0


EXAMPLES = {
    "2 x 8 GPUs, under mpirun": Example("h100x16-nebius-ar", "dgx-h100", "[1,0]<stdout>:"),
    "2 x 4 GPUs, under srun": Example("a100x8-polaris-tcp-ar", "polaris", "0: "),
    "8 GPUs of one server, one size": Example("h200x8-16gib-nvls-off-ar", "dgx-h200"),
    "12 x 8 GPUs, header from elsewhere": Example("h100x96-coreweave-sharp-ar", "dgx-h100", announced=2 * units.GiB),
    "512 x 4 GPUs": Example("gh200x2048-alps-ar", "alps-gh200"),
    "2 x 8 GPUs, cut off": Example("h100x16-p5-ar", "aws-p5", "worker-0 | ", kept=0.87),
}


# Published tables to be judged by a reader, named without saying what was wrong with them.
RUNS = {
    "A: 2 x 4 GPUs of Polaris": "a100x8-polaris-tcp-ar", "B: 2 x 8 GPUs of Nebius": "h100x16-nebius-ar",
    "C: 512 x 4 GPUs of Alps": "gh200x2048-alps-ar", "D: 8 GPUs of one H200 server": "h200x8-8gib-nvls-off-ar",
    "E: 2 x 4 GPUs of Alps": "gh200x8-alps-nohook-ar", "F: 2 x 4 GPUs of Alps, in a container": "gh200x8-alps-container-ar",
    "G: 256 x 4 GPUs of Polaris, all-to-all": "a100x1024-polaris-a2a", "H: 8 GPUs of one DGX H100": "h100x8-dgx-nvls-ar",
}


def example(name: str) -> str:
    """Return the log that EXAMPLES calls *name*.

    Raises:
        ValueError: no such example; the message suggests the nearest.

    >>> example("2 x 4 GPUs, under srun").splitlines()[0]
    '0: # Collective test starting: all_reduce_perf'
    """
    one = EXAMPLES[known("example", name, EXAMPLES)]
    text = as_log(as_read(one.table), one.prefix, int(one.announced))
    return text[:int(one.kept * len(text))]
