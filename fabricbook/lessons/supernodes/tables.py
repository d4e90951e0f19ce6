"""What lesson "Supernodes" stands on: machines of many servers, an all-to-all inside and across them, what is claimed of them."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.accuracy import held_out_seconds
from fabriclib.collectives import Level, collective_time, network_bound
from fabriclib.links import link
from fabriclib.measurements import published
from fabriclib.prediction import predict
from fabriclib.shown import counted
from fabriclib.supernodes import RATIOS, Supernode, supernode
from fabriclib.switches import switch
from fabriclib.topology import fabric_counts
from fabriclib.workloads import transformer

rack, pod, two_tiers = map(supernode, ("gb200-nvl72", "tpu-v5p-pod", "cloudmatrix-384"))
_dims = catalog.row("designs", pod.design)["dims"]
pod_shape = " × ".join(map(str, _dims))
pod_rings = pod.gpus // max(_dims)  # that pass the cut across the longest side
pod_link = pod.rate / (2 * len(_dims))
kunlun = supernode("kunlun-64")
trays = kunlun.counts(speed="nvlink4").switches  # the link is of no matter for their number
SUPERNODES = sorted((supernode(cells["id"]) for cells in catalog.rows("supernodes")), key=lambda one: one.gpus)
SERVER = 8  # GPUs of a usual server
RANKS = 64  # GPUs that share the experts of one layer
GB = units.GB

model = transformer("deepseek-v3")
TOKENS = 4096
dispatched = 1.0 * TOKENS * model.hidden * model.topk  # bytes that each GPU sends out for one layer, one byte a number

port = link("eth800")
box = switch("tomahawk5")
PLANES = [1, 2, 4, 8]
spared = catalog.figure("mrc-switches").value


def all_to_all(domain, ranks, inside, outside, nbytes=dispatched):
    """Return the seconds that an all-to-all keeps the links inside a domain busy, and those out of it.

    Everyone sends an equal share of *nbytes* to each of *ranks*, itself among them; a domain takes as many of them as fit.

    >>> [round(float(1e3 * seconds), 3) for seconds in all_to_all(8, 64, 900e9, 50e9, 1e9)]
    [0.122, 17.5]
    """
    near = np.minimum(domain, ranks)
    return nbytes * (near - 1) / ranks / inside, nbytes * (ranks - near) / ranks / outside


def times_longer(domain: int) -> float:
    """Return how many times as long as in one rack an all-to-all takes in domains of that size."""
    return max(all_to_all(domain, RANKS, rack.rate, rack.out)) / max(all_to_all(rack.gpus, RANKS, rack.rate, rack.out))


def each_to_all(one) -> float:
    """Return the bytes per second that leave each GPU of a supernode at most while all send to all."""
    return (1 - 1 / one.gpus) / network_bound("all_to_all", one.counts(), nbytes=1.0)


def summed(nbytes: float, gpus: int = RANKS) -> float:
    """Return the seconds in which RANKS GPUs sum up *nbytes*, in domains of so many, on two levels where there are several."""
    levels = [Level(gpus, alpha=0.0, beta=1 / rack.rate), Level(RANKS // gpus, alpha=0.0, beta=1 / rack.out)]
    if gpus == RANKS:
        return float(collective_time("all_reduce", "ring", nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / rack.rate))
    return float(collective_time("all_reduce", "hierarchical", nbytes=nbytes, levels=levels))


def largest(ports: int, planes: int) -> int:
    """Return how many GPUs two tiers join where *planes* divide the switches' ports: half of a leaf's lead down."""
    return (ports * planes) ** 2 // 2


def smallest_domain(gpus: int, nbytes: float, inside: float, outside: float, most: float):
    """Return the smallest domain, a power of two, with which an all-to-all takes at most *most* seconds; None without one."""
    domains = (2**k for k in range(gpus.bit_length()))
    return next((domain for domain in domains if max(all_to_all(domain, gpus, inside, outside, nbytes)) <= most), None)


class Machine(NamedTuple):
    """What an all-to-all sees of a machine: the GPUs of a domain, and what each sends inside it and out of it, in bytes/s."""

    gpus: int
    inside: float
    out: float


def _hgx() -> Machine:
    nvlink = link("nvlink4")
    return Machine(SERVER, nvlink.per_device * nvlink.bandwidth(), link("ib-ndr").bandwidth())


MANY = 256  # GPUs that share the experts of one layer of a larger model
MACHINES = {one.name: Machine(one.gpus, each_to_all(one), one.out)
            for one in map(supernode, ("gb200-nvl72", "cloudmatrix-384", "trn2-ultraserver"))} | {"servers of 8 H100": _hgx()}


def of_machine(name: str, ranks: int) -> float:
    """Return the seconds of the dispatch of so many ranks on one of MACHINES."""
    return float(max(all_to_all(MACHINES[name].gpus, ranks, MACHINES[name].inside, MACHINES[name].out)))


def least_wait(faster):
    """Return the share of its time that a job must have waited to become so many times as fast by waiting less."""
    return 1 - 1 / faster


def claimed(id: str) -> float:
    """Return a claimed figure, a share as such."""
    one = catalog.figure(id)
    return one.value / 100 if one.unit == "%" else one.value


def label(one: Supernode) -> str:
    """Return the name of a supernode with its size, where the name does not say that, and its status, where it is not in use.

    >>> label(rack), label(pod)
    ('GB200 NVL72', 'TPU v5p pod (8,960)')
    """
    size = "" if str(one.gpus) in one.name else f" ({one.gpus:,})"
    return one.name + size + (f", {one.status}" if one.status != "in use" else "")


def claimed_as(one: catalog.Figure) -> str:
    """Return a claimed figure as one reads it: a share, or so many times something."""
    return f"{one.value:g} {'times' if one.unit == 'x' else one.unit}"


def cuts() -> dict[str, str]:
    """Return what a rack and a pod carry between their halves, in a sentence each."""
    found = {}
    for one in (rack, pod):
        design = one.counts()
        seconds = network_bound("all_to_all", design, nbytes=units.GiB)
        found[one.name] = (f"{units.format(design.cut, 'B/s')} between the halves, {units.format(design.cut_per_gpu, 'B/s')} for "
                           f"each GPU of one; an all-to-all of 1 GiB takes {units.format(seconds, 's')}")
    return found


def wiring():
    """Return a DataFrame of text: what the wiring of each supernode is made of, as far as it is published."""
    import pandas as pd

    rows = []
    for one in SUPERNODES:
        design = fabric_counts(one.design) if one.rated else None
        rows.append({"machine": one.name, "status": one.status, "GPUs": f"{one.gpus:,}",
                     "switches": f"{design.switches:,}" if design else "?", "links": f"{design.cable_count:,}" if design else "?",
                     "hops": str(design.hops) if design else "?",
                     "each GPU": units.format(one.rate, "B/s") if design else "not published",
                     "all to all": units.format(each_to_all(one), "B/s") if design else "?"})
    return pd.DataFrame(rows)


def claims():
    """Return a DataFrame of text: the ratios claimed of Kunlun supernodes, and what one would have to know to check each."""
    import pandas as pd

    names = {one.id: one.name for one in SUPERNODES}
    return pd.DataFrame([{"of": names.get(one.subject, "P800 cluster"), "what": one.quantity, "claimed": claimed_as(one),
                          "against": one.scope, "said by": one.source.publisher, "missing": one.note.partition(";")[0]}
                         for one in catalog.figures() if one.kind == "claim" and one.unit in RATIOS])


def planes():
    """Return a DataFrame of text: the largest fabric of two tiers, and what 65,536 GPUs take, by the number of planes."""
    import pandas as pd

    rows = []
    for number in PLANES:
        design = fabric_counts("multi-plane", gpus=2**16, planes=number)
        rows.append({"planes": number, "a plane's link": units.format(8 * port.line / number, "b/s"),
                     "ports of a switch": box.ports * number, "GPUs of two tiers": f"{largest(box.ports, number):,}",
                     "65,536 GPUs: tiers": 3 if design.cores else 2, "switches": f"{design.switches:,}",
                     "cables": f"{design.cable_count:,}"})
    return pd.DataFrame(rows)


# Published all-to-alls of GB200: table, GPUs, racks.
MEASURED = [("gb200x8-a4x-a2a", 8, 1), ("gb200x64-a4x-a2a", 64, 1), ("gb200x72-a4x-a2a", 72, 1),
            ("gb200x64-2rack-a4x-a2a", 64, 2), ("gb200x128-oci-a2a", 128, 2), ("gb200x192-oci-a2a", 192, 3)]


def foretold(table: str) -> float:
    """Return the seconds that are predicted of a table's largest message, by constants that saw no table of its site."""
    if table in held_out_seconds():
        return float(held_out_seconds()[table][-1])
    run, nbytes = catalog.row("measurement_tables", table), float(published(table)["nbytes"].iloc[-1])
    each = run["ranks"] // run["nodes"]
    return predict(run["system"], run["collective"], nbytes, nodes=run["nodes"], gpus_per_node=each).seconds


@functools.cache
def runs() -> dict[str, np.ndarray]:
    """Return columns of the published all-to-alls: name, seconds of 1 GiB measured, of the wires alone, and as predicted."""
    found = []
    for table, gpus, racks in MEASURED:
        largest_run = published(table).iloc[-1]
        nbytes, seconds = float(largest_run["nbytes"]), float(largest_run["seconds"])
        wires = max(all_to_all(gpus // racks, gpus, rack.rate, rack.out, nbytes))
        name = f"{gpus}, in {counted(racks, 'rack')}"
        found.append((name, *(units.GiB / nbytes * one for one in (seconds, wires, foretold(table)))))
    names, *columns = zip(*found, strict=True)
    return {"run": np.array(names)} | dict(zip(("measured", "wires", "predicted"), map(np.array, columns), strict=True))


def slower_across() -> float:
    """Return how many times as long as in one rack 64 GPUs were measured to take over two."""
    found = dict(zip(runs()["run"].tolist(), runs()["measured"].tolist(), strict=True))
    return found["64, in 2 racks"] / found["64, in 1 rack"]


def off(kind: str) -> np.ndarray:
    """Return by how much the "wires" or what is "predicted" are off the measured times, as shares."""
    found = runs()
    return found[kind] / found["measured"] - 1
