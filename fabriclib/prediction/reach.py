"""What a machine reaches: catalogue rates times the fitted constants of their technologies."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ..checks import Numbers
from ..machines import Launcher, System
from .constants import Constants, look_up

SMALL_GROUP = 8  # GPUs: a rack's switches reduce for so many as fast as those of a server


class Reach(NamedTuple):
    """The rates (bytes per second) and latencies (seconds) of a machine that runs on `gpus` GPUs of each node.

    Numbers, or arrays over the numbers of nodes.

    Fields:
        ring: along closed rings of GPUs in a node. open: along chains that a NIC closes. tree: along the chains below a tree.
        pair: between two GPUs.
        nvls: through a switch that reduces; nvls_tree: while a network is involved; both 0 without such a switch.
        nvls_from: as many GPUs of a node the library wants before it lets the switch reduce.
        direct: whether the library sends to all peers of a node at once. gathers: whether it gathers what is for a node.
        net: through the NICs of a node; pairs: the same for all-to-all. port: through those of one GPU.
        sharp: whether the network reduces.
        base: what a collective costs at all. step: a message in a node; chain: the same while a network is involved.
        in_switch: what an in-switch reduction takes at most, however many GPUs there are.
        eager, bulk, cutoff: a hop between nodes, for messages well below and above *cutoff* bytes.
        posting: hops that one more message of an all-to-all costs.
        floor: what launching costs, below which nothing goes.
        fill, filled: the longest ramp, and the wire time at which it is reached, as multiples of the depth of the pipeline
            (seconds): in a node, and between nodes.
    """

    gpus: Numbers
    ring: Numbers
    open: Numbers
    tree: Numbers
    pair: float
    nvls: Numbers
    nvls_tree: Numbers
    nvls_from: float
    direct: bool
    gathers: bool
    net: Numbers
    pairs: Numbers
    port: Numbers
    sharp: bool
    base: float
    step: float
    chain: float
    in_switch: float
    eager: float
    bulk: float
    cutoff: float
    posting: Numbers
    floor: Numbers
    fill: tuple[float, float]
    filled: tuple[float, float]


def reach(machine: System, gpus: Numbers, launcher: Launcher, constants: Constants) -> Reach:
    """Return what *machine* reaches with *gpus* GPUs of each node in use, started by *launcher*."""
    of, one = functools.partial(look_up, constants), machine.link
    # Whose constants the links of a GPU have, nearest first: PCIe differs by who forwards.
    wire = (f"{one.id}-{machine.wiring}", machine.wiring) if machine.wiring in ("pcie", "staged") else (one.id, one.family)
    network = (machine.port.id, machine.port.transport, machine.port.family, "network") if machine.port else ("network",)
    mesh = machine.wiring == "mesh" and bool(gpus > 1)
    # In a mesh only the links among the GPUs in use carry anything.
    used = (gpus - 1) / (machine.gpus - 1) if mesh else 1.0
    ring = machine.gpu_rate * used * of("efficiency", *wire) * of("wiring", machine.wiring)
    # A NIC that closes a chain frees the link that closed the ring: g GPUs run g chains over the links of g - 1 rings.
    chains = ring * gpus / (gpus - 1) if mesh else ring
    reducer = machine.switch if machine.switch and machine.switch.reduces else None
    switch: tuple[str, ...] = (reducer.id, reducer.family) if reducer else ()
    if machine.server_gpus < machine.gpus and np.max(gpus) > SMALL_GROUP:
        switch = ("rack", *switch)
    # A GPU keeps to the NICs beside it: half of the GPUs use half of the NICs, but never less than one.
    ports = np.maximum(machine.ports * gpus / machine.gpus, 1.0) if machine.port else 1.0
    net = ports * machine.port.rate * of("efficiency", *network) if machine.port else 0.0
    step = of("step", *wire)
    return Reach(
        gpus=gpus, ring=ring,
        open=chains, tree=chains * of("chain share"),
        pair=machine.gpu_rate / (machine.gpus - 1 if mesh else 1) * of("pair efficiency", *wire),
        nvls=ring * of("reduction", *switch) if reducer else 0.0,
        nvls_tree=ring * of("reduction", *switch) * of("tree share") if reducer else 0.0,
        nvls_from=of("nvls from", *switch),
        direct=mesh and machine.library == "rccl", gathers=machine.wiring == "switch" and machine.library == "nccl",
        net=net, pairs=net * of("pair share", *network), port=net / np.minimum(ports, gpus), sharp=machine.sharp,
        base=of("base", machine.library), step=step, chain=step * of("chain", *wire),
        in_switch=of("in-switch latency"), eager=of("eager", *network),
        bulk=max(of("bulk", *network), of("eager", *network)), cutoff=of("cutoff", *network),
        posting=of("posting", *network) * np.maximum(gpus / ports, 1.0),
        floor=of("floor", launcher.id) * of("host", machine.host) + of("floor per gpu", launcher.id) * gpus,
        fill=(of("fill", "node"), of("fill", "network")), filled=(of("filled", "node"), of("filled", "network")),
    )
