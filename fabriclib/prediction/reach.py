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
        machine, gpus: what it is of.
        ring: along closed rings of GPUs in a node. open: along chains that a NIC closes. tree: along the chains below a tree.
        exchange: of each GPU, while it sends to all others of its node. pair: between two GPUs.
        nvls: through a switch that reduces; nvls_tree: while a network is involved; both 0 without such a switch.
        nvls_from: as many GPUs of a node the library wants before it lets the switch reduce.
        direct: whether the library sends to all peers of a node at once. gathers: whether it gathers what is for a node.
        net: through the NICs of a node; pairs: the same for all-to-all. port: through those of one GPU.
        sharp: whether the network reduces.
        base: what a collective costs the GPUs at all. step: a message in a node; chain: the same while a network is involved.
        at_once: steps that sending to all others of a node takes.
        in_switch: what an in-switch reduction takes at most, however many GPUs there are.
        eager, bulk, cutoff: a hop between nodes, for messages well below and above *cutoff* bytes. ring_hop: hops of a tree
            that one of a ring costs.
        posting: hops that one more message of an all-to-all costs.
        floor: what launching costs, below which nothing goes. floor_of_pairs: what launching an all-to-all costs besides.
        fill, filled: the longest ramp, and the wire time at which it is reached, as multiples of the depth of the pipeline
            (seconds): in a node, and between nodes. shape: the power of the wire time with which a ramp begins.
        crowding, pairs_crowding: the power of the number of nodes with which hops and rates, and those of an all-to-all, get
            worse.
    """

    machine: System
    gpus: Numbers
    ring: Numbers
    open: Numbers
    tree: Numbers
    exchange: Numbers
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
    at_once: Numbers
    in_switch: float
    eager: float
    bulk: float
    cutoff: float
    ring_hop: float
    posting: Numbers
    floor: Numbers
    floor_of_pairs: Numbers
    fill: tuple[float, float]
    filled: tuple[float, float]
    shape: float
    crowding: float
    pairs_crowding: float

    def among(self, nodes) -> Reach:
        """Return the same between *nodes* nodes: what is reached between two wears off as more of them share the network."""
        pairs_of_nodes = np.maximum(nodes, 2) / 2
        longer, crowded = pairs_of_nodes**self.crowding, pairs_of_nodes**self.pairs_crowding
        one_way, all_ways = self.machine.crossing(nodes), self.machine.crossing(nodes, all_to_all=True)
        return self._replace(net=self.net / (longer * one_way), port=self.port / longer, pairs=self.pairs / (crowded * all_ways),
                             eager=self.eager * longer, bulk=self.bulk * longer)


def reach(machine: System, gpus: Numbers, launcher: Launcher, constants: Constants) -> Reach:
    """Return what *machine* reaches with *gpus* GPUs of each node in use, started by *launcher*."""
    of, one = functools.partial(look_up, constants), machine.link
    # Whose constants the links of a GPU have, nearest first: PCIe differs by who forwards.
    wire = (f"{one.id}-{machine.wiring}", machine.wiring, one.family) if machine.over_pcie else (one.id, one.family)
    network = (machine.port.id, machine.port.transport, machine.port.family, "network") if machine.port else ("network",)
    mesh = machine.wiring == "mesh" and bool(gpus > 1)
    # In a mesh only the links among the GPUs in use carry anything.
    used = (gpus - 1) / (machine.gpus - 1) if mesh else 1.0
    few = np.where(gpus == 2, of("two ranks", *wire), 1.0) if not mesh and np.any(gpus == 2) else 1.0
    ring = machine.gpu_rate * used * few * of("efficiency", *wire) * of("wiring", machine.wiring)
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
        machine=machine, gpus=gpus, ring=ring,
        open=chains, tree=chains * of("chain share"), exchange=ring * of("exchange share", *wire),
        pair=machine.gpu_rate / (machine.gpus - 1 if mesh else 1) * of("pair efficiency", *wire),
        nvls=ring * of("reduction", *switch) if reducer else 0.0,
        nvls_tree=ring * of("reduction", *switch) * of("tree share") if reducer else 0.0,
        nvls_from=of("nvls from", *switch),
        direct=mesh and machine.library == "rccl", gathers=machine.wiring == "switch" and machine.library == "nccl",
        net=net, pairs=net * of("pair share", *network), port=net / np.minimum(ports, gpus), sharp=machine.sharp,
        base=of("base", *wire), step=step, chain=step * of("chain", *wire), at_once=np.minimum(gpus - 1, of("steps at once")),
        in_switch=of("in-switch latency"), eager=of("eager", *network),
        bulk=np.maximum(of("bulk", *network), of("eager", *network)), cutoff=of("cutoff", *network),
        ring_hop=of("ring hop", *network), posting=of("posting", *network) * np.maximum(gpus / ports, 1.0),
        floor=of("floor", launcher.id) + of("floor per gpu", launcher.id) * gpus,
        floor_of_pairs=of("floor per pair", launcher.id) * gpus**2,
        fill=(of("fill", "node"), of("fill", "network")), filled=(of("filled", "node"), of("filled", "network")),
        shape=of("shape"), crowding=of("crowding", *network), pairs_crowding=of("pairs crowding", *network),
    )
