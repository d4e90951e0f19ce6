"""A machine as the tuner sees it: by a log of NCCL's search, or by what the search would find."""

from __future__ import annotations

from .. import catalog, machines
from ..checks import typed
from .derive import cpu_of, derived
from .found import Found, Searched


@typed
def searched(system: str | machines.System, several: bool = False) -> Searched:
    """Return what the search finds on one node of a machine, or on each of *several*: its channels differ by that.

    From a log (nccl_graphs.csv) on one node of a machine with the same GPUs, links and switch; else derived by the rules of the
    search, which `derived` says.

    Raises:
        ValueError: GPUs that NCCL does not run on, or several nodes over a network that it does not drive itself.

    >>> searched("dgx-h100").graphs["nvls"].channels
    8
    >>> searched(machines.composed("H100", 4)).derived
    True
    """
    machine = system if isinstance(system, machines.System) else machines.system(system)
    if not several:
        for name in dict.fromkeys(row["system"] for row in catalog.rows("nccl_graphs")):
            if _inside(machine) == _inside(machines.system(name)):
                return _published(name, cpu_of(machine))
    return derived(machine, several)


def _inside(machine: machines.System) -> tuple[object, ...]:
    return machine.gpus, machine.link, machine.wiring, machine.switch, machine.library


def _published(name: str, cpu: str) -> Searched:
    mine = [row for row in catalog.rows("nccl_graphs") if row["system"] == name]
    graphs = {row["algorithm"]: Found(row["channels"], row["intra_bytes_per_s"], row["inter_bytes_per_s"],
                                      row["pattern"] == "tree") for row in mine}
    return Searched(mine[0]["gpu"], mine[0]["gpus"], graphs, cpu=cpu)
