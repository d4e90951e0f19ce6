"""Every route of every collective against steps, hops and bytes that were counted by hand."""

import dataclasses
import itertools

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog, machines
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.prediction.constants import fitted
from fabriclib.prediction.reach import reach
from fabriclib.prediction.routes import LINKS, NETWORK, NICS, NODE, SWITCH

SYSTEMS = [row["id"] for row in catalog.rows("systems")]
SHARP = dataclasses.replace(fl.system("dgx-h100"), id="sharp", sharp=True)
POSTED = 0.5  # hops that one more message costs in the tables below
AT_ONCE = 3  # steps that sending to all others of a node takes in them

# Steps on 8 GPUs of one node. In a ring a block goes from GPU to GPU seven times, to be reduced, and seven times to be spread.
IN_NODE = {
    ("all_reduce", "ring"): 14, ("all_reduce", "two_shot"): 2, ("all_reduce", "nvls"): 14, ("all_gather", "ring"): 7,
    ("all_gather", "direct"): 1, ("reduce_scatter", "ring"): 7, ("reduce_scatter", "direct"): 1,
    ("all_to_all", "pairwise"): AT_ONCE,
    ("broadcast", "chain"): 7, ("reduce", "chain"): 7, ("scatter", "flat"): AT_ONCE, ("gather", "flat"): AT_ONCE,
    ("barrier", "ring"): 14,
    ("send_recv", "direct"): 1,
}

# (steps, hops) on 8 GPUs of each of 2, 4 and 16 nodes.
# A ring of 16 has 15 links to pass, 2 of them between nodes. A tree goes down the chain of 8 and up again, and over the nodes.
# A chain passes each of its links once: 1 hop joins two nodes, 15 join sixteen. Switches that add need a hop up and one down.
# By rail a NIC sends a message to every other node; pair by pair one to each GPU of them, which is posted while others travel.
BETWEEN = {
    ("all_reduce", "ring"): ((26, 4), (54, 8), (222, 32)),
    ("all_reduce", "tree"): ((14, 2), (14, 4), (14, 8)),
    ("all_reduce", "nvls_tree"): ((14, 2), (14, 4), (14, 8)),
    ("all_reduce", "sharp"): ((14, 2), (14, 2), (14, 2)),
    ("all_gather", "ring"): ((13, 2), (27, 4), (111, 16)),
    ("reduce_scatter", "ring"): ((13, 2), (27, 4), (111, 16)),
    ("all_to_all", "rail_aggregated"): ((AT_ONCE, 1), (AT_ONCE, 3), (AT_ONCE, 15)),
    ("all_to_all", "pairwise"): ((AT_ONCE, 8 * POSTED), (AT_ONCE, 24 * POSTED), (AT_ONCE, 120 * POSTED)),
    ("broadcast", "chain"): ((14, 1), (28, 3), (112, 15)),
    ("reduce", "chain"): ((14, 1), (28, 3), (112, 15)),
    ("scatter", "flat"): ((AT_ONCE, 8 * POSTED), (AT_ONCE, 24 * POSTED), (AT_ONCE, 120 * POSTED)),
    ("gather", "flat"): ((AT_ONCE, 8 * POSTED), (AT_ONCE, 24 * POSTED), (AT_ONCE, 120 * POSTED)),
    ("barrier", "tree"): ((14, 2), (14, 4), (14, 8)),
    ("send_recv", "direct"): ((1, 1), (1, 1), (1, 1)),
}
NODES = (2, 4, 16)


def of(machine, gpus=8, **changed):
    """What a machine reaches, with every rate 1 byte a second where nothing else is said."""
    found = reach(machine, gpus, machines.launcher("mpi"), fitted())
    rates = dict.fromkeys(("ring", "open", "tree", "exchange", "pair", "net", "pairs", "port"), 1.0)
    rates |= {name: 1.0 for name in ("nvls", "nvls_tree") if getattr(found, name)}
    return found._replace(**rates | {"posting": POSTED, "at_once": AT_ONCE, "ring_hop": 1} | changed)


MACHINES = {"switch": fl.system("dgx-h100"), "sharp": SHARP, "no reduction": fl.system("dgx-a100"),
            "mesh": fl.system("mi300x-roce")}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_steps_in_a_node(machine):
    for collective in COLLECTIVES:
        for route in NODE[collective](of(machine)):
            assert (float(route.steps), route.hops) == (IN_NODE[collective, route.name], 0), (collective, route.name)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_steps_and_hops_between_nodes(machine):
    for collective, (column, nodes) in itertools.product(COLLECTIVES, enumerate(NODES)):
        for route in NETWORK[collective](of(machine), nodes):
            told = (float(route.steps), float(route.hops))
            assert told == BETWEEN[collective, route.name][column], (collective, route.name, nodes)


def test_the_tables_name_every_route_there_is():
    for table, nodes in ((IN_NODE, None), (BETWEEN, 4)):
        found = {(collective, route.name) for machine in MACHINES.values() for collective in COLLECTIVES
                 for route in (NETWORK[collective](of(machine), nodes) if nodes else NODE[collective](of(machine)))}
        assert found == set(table)


def test_in_switch_reduction_does_not_wait_for_more_gpus_than_the_switch_takes_time_for():
    rack = of(fl.system("gb200-nvl72"), gpus=72)
    nvls = next(route for route in NODE["all_reduce"](rack) if route.name == "nvls")
    assert nvls.steps * rack.step == pytest.approx(25e-6)


def bytes_of(machine, name, nodes, gpus=8, **fast):
    """Return (what of n passes the slowest place, which that is) where the rates named in *fast* are not 1."""
    route = next(route for route in NETWORK["all_reduce"](of(machine, gpus, **fast), nodes) if route.name == name)
    return float(route.per_byte), str(route.place)


QUICK = 1e9


def test_a_tree_sends_more_from_each_node_until_there_are_four_and_every_byte_up_and_down_a_chain():
    """A node is the root of one tree and a leaf of the other: n. With more nodes one has two children besides: up to 2 n."""
    for nodes, sends in ((2, 1.0), (3, 1.5), (4, 2.0), (64, 2.0)):
        assert bytes_of(MACHINES["switch"], "tree", nodes, tree=QUICK) == (sends, NICS)
    for gpus, sends in ((2, 1.0), (3, 2.0), (8, 2.0)):
        assert bytes_of(MACHINES["switch"], "tree", 2, gpus, net=QUICK) == (sends, LINKS)
    assert bytes_of(MACHINES["switch"], "tree", 2, gpus=1, net=QUICK)[0] < 1e-6  # nobody to pass anything on to


def test_a_network_that_reduces_takes_the_sums_of_the_node_s_own_switch_or_of_its_rings():
    """NVLS sends 9/8 of n through a port of eight, a ring 14/8: and no chain of a tree's has a part in it."""
    assert bytes_of(SHARP, "sharp", 4, net=QUICK) == (9 / 8, SWITCH)
    assert bytes_of(SHARP, "sharp", 4, nvls_tree=QUICK) == (1.0, NICS)
    plain = dataclasses.replace(MACHINES["no reduction"], sharp=True)
    assert bytes_of(plain, "sharp", 4, net=QUICK, tree=0.1) == (14 / 8, LINKS)


# What of n passes the links of a GPU, and the NICs of a node, on 8 GPUs of each of 2 nodes. Around a ring of 16 each sends 15/16.
# In an all-to-all a GPU sends 7/8 of what it has while it deals it out in its node, and eight times 8/16 of n leave each node.
# From one root, 7/16 go to the GPUs beside it and 8/16 leave.
BYTES = {
    ("all_gather", "ring"): (15 / 16, 15 / 16), ("reduce_scatter", "ring"): (15 / 16, 15 / 16),
    ("all_reduce", "ring"): (30 / 16, 30 / 16), ("all_to_all", "rail_aggregated"): (7 / 8, 8 * 8 / 16),
    ("broadcast", "chain"): (1, 1), ("reduce", "chain"): (1, 1), ("send_recv", "direct"): (1, 1),
    ("scatter", "flat"): (7 / 16, 8 / 16), ("gather", "flat"): (7 / 16, 8 / 16),
}
FAST = {LINKS: ("ring", "open", "tree", "exchange", "pair"), NICS: ("net", "pairs", "port")}


@pytest.mark.parametrize(("collective", "name"), BYTES)
def test_bytes_between_nodes(collective, name):
    for place, other, sends in zip((LINKS, NICS), (NICS, LINKS), BYTES[collective, name], strict=True):
        machine = of(MACHINES["switch"], **dict.fromkeys(FAST[other], QUICK))
        route = next(route for route in NETWORK[collective](machine, 2) if route.name == name)
        assert (float(route.per_byte), str(route.place)) == (sends, place)


# ------------------------------------------------------------------ more nodes

# Faster on two nodes than on one: a NIC that closes a chain frees the link that closed the ring. Eight GPUs of a mesh run seven
# rings and eight chains, and here the NICs carry so much that it shows.
FREED = {"mi300x-roce", "mi300x-pollara", "mi325x-roce"}
MANY = np.array([*range(1, 34), 64, 100, 512])


@pytest.mark.parametrize("system", [one for one in SYSTEMS if fl.system(one).port])
def test_the_same_buffer_never_takes_less_on_more_nodes_but_for_a_reason(system):
    sizes = np.geomspace(8, 2**34, 120)
    for collective in COLLECTIVES:
        if collective in ("send_recv", "barrier"):  # two GPUs; no buffer
            continue
        seconds = fl.predict(system, collective, sizes, nodes=MANY[:, None]).seconds
        for less, more, nodes in zip(seconds, seconds[1:], MANY[1:], strict=False):
            allowed = 7 / 8 if system in FREED and nodes == 2 else 1 - 1e-9
            assert (more >= allowed * less).all(), f"{collective} is faster on {nodes} nodes than on fewer"


@pytest.mark.parametrize("system", sorted(FREED))
def test_those_that_have_the_reason_are_a_little_faster_and_are_meshes(system):
    one, two = (fl.predict(system, "all_reduce", 2.0**34, nodes=nodes).seconds for nodes in (1, 2))
    assert 7 / 8 <= two / one < 1
    assert fl.system(system).wiring == "mesh"


def test_the_reason_is_in_the_measured_tables_too():
    """Sixteen MI325X on two servers sum the same buffer faster than eight on one do, by the same site's tables."""
    from fabriclib.measurements import published

    one, two = (published(f"mi325x{gpus}-rccl-ar").set_index("nbytes").seconds for gpus in (8, 16))
    both = one.index.intersection(two.index)
    assert len(both) == 3
    assert (two[both] < one[both]).all()
    model = [fl.predict("mi325x-roce", "all_reduce", both.to_numpy(), nodes=nodes).seconds for nodes in (1, 2)]
    assert (model[1] < model[0]).all()


def test_barriers_take_longer_on_more_nodes():
    for system in SYSTEMS:
        if fl.system(system).port:
            assert (np.diff([fl.predict(system, "barrier", nodes=n).seconds for n in (1, 2, 3, 8, 64)]) > 0).all()


# ------------------------------------------------------------------ what the library takes

BY_COUNT = [row for row in catalog.rows("measurement_tables")
            if "8gib-ar" in row["id"] and row["config"] == "ok" and row["algorithm"] in ("ring", "NVLS")]


@pytest.mark.parametrize("row", BY_COUNT, ids=lambda row: row["id"])
def test_nvls_is_taken_from_as_many_gpus_on_as_published(row):
    """On an H200 from five on, on a B200 from six."""
    one = fl.predict(row["system"], "all_reduce", 8 * fl.units.GiB, gpus_per_node=row["ranks"])
    assert one.algorithm == row["algorithm"].lower()


def test_the_tables_hold_both_sides_of_both_borders():
    found = {(row["system"], row["ranks"]): row["algorithm"] for row in BY_COUNT}
    assert [found["dgx-h200", gpus] for gpus in (4, 5)] == ["ring", "NVLS"]
    assert [found["aws-p6-b200", gpus] for gpus in (5, 6)] == ["ring", "NVLS"]


def test_what_the_library_would_not_take_can_be_asked_for():
    asked = fl.predict("aws-p6-b200", "all_reduce", 8 * fl.units.GiB, gpus_per_node=5, algorithm="nvls")
    assert asked.algorithm == "nvls"
    assert asked.seconds < fl.predict("aws-p6-b200", "all_reduce", 8 * fl.units.GiB, gpus_per_node=5).seconds
