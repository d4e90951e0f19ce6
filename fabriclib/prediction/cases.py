"""Cases: what somebody asks of `predict`, checked, with names looked up and compute trays put into racks."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np

from .. import machines
from ..checks import Numbers, count, either, together, whole
from ..collectives.counts import checked_bytes
from ..machines import Launcher, System

MAX_NODES = 100_000


Sizes = TypeVar("Sizes", bound=Numbers)
Whole = TypeVar("Whole", bound=int | np.ndarray)


class Case(NamedTuple, Generic[Sizes, Whole]):
    """What is to be predicted: bytes and nodes as numbers or arrays; `gpus` of each node are in use.

    A node is a domain of the inner links: a server, or the rack of an NVL72.
    """

    machine: System
    collective: str
    nbytes: Sizes
    nodes: Whole
    gpus: Whole
    launcher: Launcher


def machine_of(system) -> System:
    """Return the machine that *system* is or is the id of.

    Raises:
        ValueError: it is neither.
    """
    return either("system", system, System, machines.system, "dgx-h100")


def case(system, collective, nbytes, nodes, gpus_per_node, launcher) -> Case:
    """Return the case that `predict`'s arguments make.

    Raises:
        ValueError: unknown names, values out of range, compute trays that leave racks unequally full.
    """
    machine = machine_of(system)
    starter = either("launcher", launcher, Launcher, machines.launcher, "mpi")
    size = checked_bytes(collective, nbytes)
    nodes = whole("nodes", nodes, high=MAX_NODES)
    together(nbytes=size, nodes=nodes)
    gpus = machine.gpus if gpus_per_node is None else count("gpus_per_node", gpus_per_node, high=machine.gpus)
    if gpus_per_node is not None and gpus <= machine.server_gpus < machine.gpus:
        return Case(machine, collective, size, *_in_racks(machine, nodes, gpus), starter)
    return Case(machine, collective, size, nodes, gpus, starter)


def _in_racks(machine: System, trays, gpus: int) -> tuple[int | np.ndarray, int | np.ndarray]:
    """Return (racks, GPUs in use of each) of so many compute *trays* with *gpus* in use of each."""
    rack = machine.gpus // machine.server_gpus
    uneven = np.ravel(trays)[np.ravel((np.asarray(trays) > rack) & (np.asarray(trays) % rack != 0))]
    if uneven.size:
        raise ValueError(
            f"nodes must be at most {rack} compute trays of {machine.name}, or a multiple of {rack}: all racks must be equally "
            f"full; got {uneven[0]}. Where only a part of each rack is used, give the racks as nodes and the GPUs of each as "
            f"gpus_per_node (more than {machine.server_gpus}).")
    return -(-trays // rack), gpus * np.minimum(trays, rack)
