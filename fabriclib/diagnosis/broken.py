"""Broken machines: what a cause of data/causes.csv leaves of a machine, predicted like any other.

A cause comes in several strengths: one adapter of eight, or two; PCIe 5 or 4. None applies everywhere: a single server has no
network to break, and a switch that never added cannot stop to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import count, known
from ..links import link
from ..machines import Port, System
from ..prediction import cases
from ..prediction.cases import case
from ..prediction.constants import Constants, fitted
from ..prediction.model import predicted
from ..prediction.reach import reach
from ..switches import switch

# The rate of TCP over that of the tables it was fitted to; the share without GPUDirect over that of its source.
_TCP, _DETOUR = (1.0, 0.4, 0.7, 2.0, 4.0), (1.0, 0.7, 1.4)
_STAGED = (1.0, 0.4, 0.1)  # of the rate through host memory: within a socket, between sockets, by many at once
_SLOWER = (2.0, 1.4, 4.0, 8.0)  # of congestion: how many times longer the largest messages take
_FEWEST_NODES = {"pcie-not-nvlink": 1, "nvls-off": 1, "congestion": 4}
_FALLS_FROM = 64 * units.MiB  # the message at which half of that is reached


class Case(cases.Case[np.ndarray, int]):
    """What was run: a case to predict with all sizes of a curve, and the seconds of it on this machine or another."""

    @classmethod
    def of(cls, system, collective, nbytes, nodes, gpus_per_node, launcher) -> Case:
        """Return the case that `predict`'s arguments make, with one number of nodes; errors as `predict`."""
        found = case(system, collective, nbytes, count("nodes", nodes), gpus_per_node, launcher)
        sizes = np.atleast_1d(found.nbytes)
        return cls(found.machine, found.collective, sizes, int(found.nodes), int(found.gpus), found.launcher)

    def seconds(self, constants: Constants | None = None, machine: System | None = None, wire: bool = False,
                algorithm: str = "auto") -> np.ndarray:
        """Return the predicted seconds, of this machine or another in its place; *wire*: those of the bytes alone."""
        found = predicted(constants or fitted(), machine or self.machine, *self[1:], algorithm)
        return np.asarray(found.wire if wire else found.seconds)


class Variant(NamedTuple):
    """A machine with a cause in one strength: `label` says which, `seconds` is its curve."""

    label: str
    seconds: np.ndarray


def causes():
    """Return the causes of data/causes.csv as a DataFrame: id, name, what each means, and where to look.

    >>> list(causes())
    ['id', 'name', 'means', 'check']
    """
    import pandas as pd

    return pd.DataFrame(catalog.rows("causes"))[["id", "name", "means", "check"]]


def broken(cause: str, system, collective: str, nbytes, nodes: int = 1, gpus_per_node: int | None = None,
           launcher: str = "mpi") -> np.ndarray:
    """Return the seconds that a collective takes on a machine that suffers from *cause*, in its usual strength, as an array.

    Args:
        cause: an id of `causes()`, such as "one-nic".
        system, collective, nbytes, nodes, gpus_per_node, launcher: as for `predict`.

    Raises:
        ValueError: an unknown cause, or one that this run cannot have; what `predict` refuses.

    >>> [f"{t:.2f} s" for t in broken("one-nic", "dgx-h100", "all_reduce", 2**33, nodes=4)]
    ['0.37 s']
    """
    known("cause", cause, _VARIANTS)
    run = Case.of(system, collective, nbytes, nodes, gpus_per_node, launcher)
    found = variants(cause, run)
    if not found:
        raise ValueError(f"cause {cause!r} does not apply to {collective} on {run.nodes} x {run.gpus} GPUs of "
                         f"{run.machine.name}.")
    return found[0].seconds


def variants(cause: str, run: Case, wire: bool = False) -> list[Variant]:
    """Return *run* on the machine with *cause*, in several strengths, the usual one first; none where it cannot be."""
    if run.nodes < _FEWEST_NODES.get(cause, 2):
        return []
    return [Variant(label, np.asarray(seconds)) for label, seconds in _VARIANTS[cause](run, wire)]


def nvls_expected(run: Case) -> bool:
    """Return whether the library would have the switch add: one node, an all-reduce, and enough GPUs for this switch."""
    chip = run.machine.switch
    if run.collective != "all_reduce" or run.nodes > 1 or chip is None or not chip.reduces:
        return False
    fewest = catalog.figures(chip.id, "fewest GPUs with NVLS")
    return run.gpus >= (fewest[0].value if fewest else 5)


def _port(run: Case) -> Port:
    if run.machine.port is None:
        raise ValueError(f"nodes must be 1 for {run.machine.name}, which has no network; got {run.nodes}.")
    return run.machine.port


def _network(run: Case, share: float, eager: float, bulk: float) -> Constants:
    """The constants with another share of the adapters' line rate, and with hops of *eager* and *bulk* seconds."""
    name = _port(run).id
    return {**fitted(), (name, "efficiency"): share, (name, "eager"): eager, (name, "bulk"): bulk}


def _tcp(run: Case, wire: bool):
    cells = catalog.row("causes", "tcp")
    rate, line, healthy = cells["rate_bytes_per_s"], _node_rate(run), _reached(run)
    # Some networks start more slowly than the TCP that the rows were fitted to. TCP over those is no quicker than they are.
    eager, bulk = max(cells["eager_s"], healthy.eager), max(cells["bulk_s"], healthy.bulk)
    for strength in _TCP:
        share = min(rate * strength, healthy.net) / line
        constants = _network(run, share, eager, bulk)
        yield f"with TCP at {units.format(share * line, 'B/s', 2)} a node", run.seconds(constants, wire=wire)


def _node_rate(run: Case) -> float:
    """Line rate of the adapters that the GPUs of a node in use have."""
    return _port(run).rate * max(run.machine.ports * run.gpus / run.machine.gpus, 1.0)


def _no_gpudirect(run: Case, wire: bool):
    cells, healthy = catalog.row("causes", "no-gpudirect"), _reached(run)
    for strength in _DETOUR:
        share = cells["share"] * strength
        constants = _network(run, share * healthy.net / _node_rate(run), healthy.eager + cells["eager_s"],
                             healthy.bulk + cells["bulk_s"])
        left = units.portion(share)
        yield f"with a detour through host memory that leaves {left} of the rate", run.seconds(constants, wire=wire)


def _reached(run: Case):
    return reach(run.machine, run.gpus, run.launcher, fitted())


def _one_nic(run: Case, wire: bool):
    used = max(1, run.machine.ports * run.gpus // run.machine.gpus)
    for left in sorted({1, *(used // divisor for divisor in (2, 4, 8, 16) if used // divisor)}):
        if left < used:
            machine = replace(run.machine, ports=left * run.machine.gpus // run.gpus)
            yield f"with {left} of its {used} NICs", run.seconds(machine=machine, wire=wire)


def _pcie(run: Case, wire: bool):
    if run.machine.wiring == "staged" or run.gpus == 1:
        return
    if run.machine.over_pcie:
        staged = replace(run.machine, wiring="staged")
        for share in _STAGED:
            reached = fitted()["staged", "efficiency"] * share
            constants = {**fitted(), (f"{staged.link.id}-staged", "efficiency"): reached}
            yield (f"with copies through host memory at {units.format(reached * staged.gpu_rate, 'B/s', 2)}",
                   run.seconds(constants, staged, wire=wire))
        return
    for name in ("pcie5", "pcie4"):
        for wiring, how in (("pcie", ""), ("staged", " through host memory")):
            machine = replace(run.machine, link=link(name, lanes=16), wiring=wiring, switch=None)
            constants = {**fitted(), (f"{name}-{wiring}", "base"): _reached(run).base}  # the GPUs are the same
            yield f"with {link(name).name} x16{how} between its GPUs", run.seconds(constants, machine, wire=wire)


def _nvls_off(run: Case, wire: bool):
    if nvls_expected(run):
        yield "with a ring where its switch could add", run.seconds(machine=replace(run.machine, switch=switch("nvswitch2")),
                                                                    wire=wire)


def _rank_order(run: Case, wire: bool):
    if run.gpus == 1:
        return
    healthy = _reached(run)
    for crossings in sorted({run.gpus, -(-3 * run.gpus // 4), -(-run.gpus // 2), 2}, reverse=True):
        constants = {**_network(run, healthy.net / _node_rate(run) / crossings, healthy.eager, healthy.bulk),
                     (run.machine.link.id, "chain"): healthy.eager / healthy.step}
        yield f"whose ring crosses the network {crossings} times as often", run.seconds(constants, wire=wire)


def _congestion(run: Case, wire: bool):
    healthy, grown = run.seconds(wire=wire), run.nbytes / (run.nbytes + _FALLS_FROM)
    for times in _SLOWER:
        yield f"whose largest messages take {times:.2g} times as long", healthy * (1 + (times - 1) * grown)


_VARIANTS = {"tcp": _tcp, "no-gpudirect": _no_gpudirect, "one-nic": _one_nic, "pcie-not-nvlink": _pcie, "nvls-off": _nvls_off,
             "rank-order": _rank_order, "congestion": _congestion}
