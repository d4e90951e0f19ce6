"""An all-reduce on two levels, what switches that add remove, and what the order of the ranks is worth."""

import numpy as np

from fabriclib import units
from fabriclib.collectives import schedule
from fabriclib.collectives.cost import sent
from fabriclib.topology import fabric

from ...course.declare import Exercise, Prediction
from ...course.story import GRADIENT
from .tables import PLACES, PURCHASES, RANKS, SERVERS, SUMMED, between, nic, nvlink, two_levels


def _dealt() -> float:
    """How many times as long eight rings take when ranks are dealt to servers in turn: a buffer so large that starts vanish."""
    graph, ring = fabric("leaf-spine", gpus=RANKS), schedule("all_reduce", "ring", ranks=RANKS)
    gpus = np.arange(RANKS).reshape(SERVERS, PLACES)
    by_server = np.stack([np.roll(gpus, -start, axis=1).ravel() for start in range(PLACES)])
    dealt = np.stack([np.roll(gpus.T.ravel(), -start * SERVERS) for start in range(PLACES)])
    seconds = [ring.time_on(graph, 1e15, order=order) for order in (dealt, by_server)]
    return seconds[0] / seconds[1]


PREDICTIONS = [
    Prediction(
        "hierarchy.dealt",
        "128 GPUs, eight in each of 16 servers; eight rings at once, a network with as many ports up as down, a very large "
        "buffer. The launcher, the program that starts the job everywhere, deals the ranks out in turn: rank 0 to the first "
        "server, rank 1 to the second, and so on. How many "
        "times as long does the all-reduce take as with ranks 0 to 7 on the first server, 8 to 15 on the second?",
        "ratio", _dealt,
        "Server by server, a ring makes eight hops in a server, and only one of them leaves it. Dealt out in turn, every hop "
        "leaves: each NIC carries all eight rings instead of one.",
        slips={
            "that would be so if all hops cost the same; a hop inside a server does not use a NIC": 1.0,
            "that compares the links; NVLink has no part in the slow case": lambda: nvlink.line / nic.line,
            "that is the number of servers; what counts is how many hops leave one": 16.0,
            "that counts seven hops that now leave; the eighth left before, too": 7.0,
        },
        unit="times", example="2 times",
    ),
    Prediction(
        "hierarchy.two-levels",
        "16 servers, each with 8 GPUs and 8 NICs, sum up {{ si(SUMMED) }}. First the 8 GPUs of a server add up among "
        "themselves, so that each owns an eighth of the server's sum. Then the 16 GPUs of the same place all-reduce their "
        "eighths, in a ring over the network. Then the eighths are handed round inside. How many bytes does each NIC send?",
        "size", lambda: between("all_reduce", "hierarchical", beta=1.0),
        "An eighth of the buffer is {{ si(SUMMED / PLACES) }}, and a ring of 16 sends 2 x 15/16 of what it sums: "
        "{{ si(between('all_reduce', 'hierarchical', beta=1.0)) }}. The other seven eighths never leave the server.",
        slips={
            "that is the whole buffer; each GPU brings only its eighth to the network": lambda: 2 * 15 / 16 * SUMMED,
            "that is the buffer itself; each GPU brings only its eighth, and a ring sends that nearly twice": lambda: SUMMED,
            "nearly: a GPU keeps a piece of its own, so each half sends 15/16 of the eighth": lambda: 2 * SUMMED / PLACES,
            "that is an eighth of the buffer; a ring sends it nearly twice": lambda: SUMMED / PLACES,
            "that is half the work: the sums are also handed round": lambda: 15 / 16 * SUMMED / PLACES,
            "that is one flat ring through all 128, which uses one NIC of a server": lambda: 2 * 127 / 128 * SUMMED,
            "that is a ring of 8; the network joins 16": lambda: 2 * 7 / 8 * SUMMED / PLACES,
        },
    ),
    Prediction(
        "hierarchy.pxn",
        "An all-to-all: each of the 128 GPUs has a block for every other. {{ PLACES * (SERVERS - 1) }} of its blocks are for "
        "other servers, and without help its NIC sends {{ PLACES * (SERVERS - 1) }} messages. Now every block first moves over "
        "NVLink to the GPU of its server that has the same place as the receiver, and that GPU sends all blocks for one "
        "receiver in one message. How many messages does each NIC send?",
        "ratio", lambda: between("all_to_all", "rail_aggregated", alpha=1.0),
        "A GPU now sends for its whole server, but only to the GPUs of its own place: one in each of the 15 other servers. The "
        "bytes are the same, in messages eight times as large, and all of them stay on one rail.",
        slips={
            "that is without bundling": PLACES * (SERVERS - 1.0),
            "that counts its own server too": 16.0,
            "those are all other GPUs; a NIC now sends only to those of its own place": 127.0,
            "that is the number of GPUs of a server; what counts is servers": 8.0,
        },
        unit="messages", example="12 messages",
    ),
]


def _slowest_nic(nbytes, gpus, servers, nvlink, most) -> float | None:
    inside = sent("all_reduce", "ring", gpus) * nbytes / nvlink
    return sent("all_reduce", "ring", servers) * nbytes / gpus / (most - inside) if inside < most else None


def _leaving(order, per_server) -> int:
    following = list(order[1:]) + [order[0]]
    return sum(a // per_server != b // per_server for a, b in zip(order, following, strict=True))


def _for_our_sum(slowest_nic) -> str:
    times = two_levels(GRADIENT), 0.1, 0.05
    now, soon, sooner = (slowest_nic(GRADIENT, PLACES, SERVERS, nvlink.bandwidth(), seconds) for seconds in times)
    return (f"With your function: {units.format(now, 'B/s')} a NIC sum up our {units.format(GRADIENT)} on {SERVERS} servers in "
            f"{units.format(times[0], 's')}. For {units.format(times[1], 's')} it takes {units.format(soon, 'B/s')}; "
            f"{units.format(times[2], 's')} {'no NIC reaches' if sooner is None else 'can be had'}: NVLink's turn is longer.")


def _rings_a_nic(leaving) -> str:
    gpus = np.arange(RANKS)
    kept, dealt = (leaving(order.tolist(), PLACES) for order in (gpus, gpus.reshape(SERVERS, PLACES).T.ravel()))
    return (f"By your count a ring through 128 GPUs leaves a server {kept} times if it goes server by server, and {dealt} times "
            f"if the ranks were dealt out in turn: {dealt / kept:.2g} times the work for the NICs.")


def _ring_order(hosts) -> list[int]:
    return sorted(range(len(hosts)), key=lambda rank: hosts.index(hosts[rank]))


def _from_dealt(ring_order) -> str:
    hosts = [f"n{rank % SERVERS}" for rank in range(RANKS)]
    before, after = (sum(hosts[a] != hosts[b] for a, b in zip(order, [*order[1:], order[0]], strict=True))
                     for order in (list(range(RANKS)), ring_order(hosts)))
    return (f"With your order {RANKS} ranks that were dealt out over {SERVERS} servers leave a server {after} times in place of "
            f"{before}. It goes into a file of hosts, or into the list of ranks of a launcher.")


def _bought(buy) -> str:
    before, after = two_levels(GRADIENT), PURCHASES[buy]()
    told = "; ".join(f"{units.format(seconds(), 's')} with {what}" for what, seconds in PURCHASES.items() if what != buy)
    return f"It goes from {units.format(before, 's')} to {units.format(after, 's')}; it would be {told}."


_INSIDE = "2 * (gpus - 1) / gpus * nbytes / nvlink"
_LATE = f"None if {_INSIDE} >= most"

EXERCISES = [
    Exercise(
        "hierarchy.two-level-seconds",
        "Write slowest_nic: the least rate of each NIC with which an all-reduce on two levels takes at most so many seconds, "
        "without starts; None if no NIC is fast enough.",
        "slowest_nic",
        _slowest_nic,
        "def slowest_nic(nbytes, gpus, servers, nvlink, most):\n"
        "    inside = 2 * (gpus - 1) / gpus * nbytes / nvlink\n"
        "    if inside >= most:\n"
        "        return None\n"
        "    return 2 * (servers - 1) / servers * (nbytes / gpus) / (most - inside)\n",
        cases=[(1 * units.GB, 8, 16, 450 * units.GB, 0.01), (16 * units.GiB, 8, 2, 900 * units.GB, 0.1),
               (1 * units.GiB, 4, 512, 450 * units.GB, 0.02), (14 * units.GB, 8, 4, 450 * units.GB, 0.05)],
        wrong=[
            (f"{_LATE} else 2 * (servers - 1) / servers * nbytes / (most - {_INSIDE})",
             "This sends the whole buffer through each NIC. After the first step a GPU owns only its part: nbytes / gpus."),
            (f"{_LATE} else 2 * (servers - 1) / servers * (nbytes / gpus) / most",
             "That gives the NICs all of the time. Inside the server two steps take theirs: one begins when the other ends."),
            (f"2 * (servers - 1) / servers * (nbytes / gpus) / (most - {_INSIDE})",
             "Nearly. If the steps inside take longer than is allowed, no NIC will do: None."),
            (f"{_LATE} else 2 * (servers - 1) / servers * (nbytes / gpus) / (most - {_INSIDE} / 2)",
             "Inside the server there are two halves: adding up at the beginning, handing round at the end."),
            (f"{_LATE} else (servers - 1) / servers * (nbytes / gpus) / (most - {_INSIDE})",
             "Between the servers, too, there are two halves: the pieces are added up and handed round."),
            (f"{_LATE} else 2 * (servers - 1) / servers * (nbytes / servers) / (most - {_INSIDE})",
             "Each GPU of a server brings a piece of its own to the network: nbytes / gpus. The servers all have that piece."),
            (f"{_LATE} else 2 * (servers - 1) / servers * (nbytes / gpus) * (most - {_INSIDE})",
             "Check the units: bytes times seconds is no rate. Divide."),
            (f"{_LATE} else 2 * nbytes / gpus / (most - {_INSIDE})",
             "Nearly: a rank keeps its own part, so a ring of p sends (p - 1)/p of the piece in each half."),
        ],
        nudge="The table under Why has a row for each of three steps. How long do the first and the last take, what is left of "
              "the time, and how many bytes must a NIC send in it?",
        half="def slowest_nic(nbytes, gpus, servers, nvlink, most):\n"
             "    inside = 2 * (gpus - 1) / gpus * nbytes / nvlink  # both halves\n"
             "    if ...:\n"
             "        return None\n"
             "    piece = ...  # what a GPU brings to the network\n"
             "    return ...\n",
        follows=_for_our_sum,
    ),
    Exercise(
        "hierarchy.leaving",
        "Write leaving: how many steps of a ring lead from one server to another.",
        "leaving",
        _leaving,
        "def leaving(order, per_server):\n"
        "    servers = [gpu // per_server for gpu in order]\n"
        "    following = servers[1:] + servers[:1]\n"
        "    return sum(here != there for here, there in zip(servers, following))\n",
        cases=[([0, 1, 2, 3, 4, 5, 6, 7], 4), ([0, 4, 1, 5, 2, 6, 3, 7], 4), ([0, 1, 4, 5, 2, 3, 6, 7], 4),
               ([3, 2, 1, 0], 4), ([5, 0, 1, 2, 3, 4], 2), ([0, 1, 4, 5, 8, 9, 2, 3, 6, 7, 10, 11], 4)],
        wrong=[
            ("sum(a // per_server != b // per_server for a, b in zip(order, order[1:]))",
             "A ring is closed: the last GPU sends to the first."),
            ("len({gpu // per_server for gpu in order})",
             "That is the number of servers: right only if the ring enters each of them once, and there are at least two."),
            ("sum(abs(a - b) != 1 for a, b in zip(order, list(order[1:]) + [order[0]]))",
             "GPUs with neighbouring numbers can be in different servers, and others in the same. Compare gpu // per_server."),
            ("sum(a % per_server != b % per_server for a, b in zip(order, list(order[1:]) + [order[0]]))",
             "gpu % per_server is its place in the server, the rail. Which server it is in says gpu // per_server."),
            ("sum(a // per_server != b // per_server for a, b in zip(order, order[1:])) + 1",
             "The step from the last GPU to the first does not always lead to another server: compare those two as well."),
            ("sum(a // per_server == b // per_server for a, b in zip(order, list(order[1:]) + [order[0]]))",
             "Those are the steps that stay inside a server. The others are asked for."),
            ("len(order)", "That counts every step, those inside a server too."),
        ],
        nudge="Write the number of the server below each GPU of the list. Where does it change, and what comes after the "
              "last?",
        half="def leaving(order, per_server):\n"
             "    servers = [gpu // per_server for gpu in order]\n"
             "    following = ...  # the same, one further\n"
             "    return sum(here != there for here, there in zip(servers, ...))\n",
        follows=_rings_a_nic,
    ),
    Exercise(
        "hierarchy.ring-order",
        "Write ring_order: the list of ranks in the order of a ring that enters each server once. hosts names the server of each "
        "rank. Servers stand in the order in which they first appear, and so do the ranks of each.",
        "ring_order",
        _ring_order,
        "def ring_order(hosts):\n    return sorted(range(len(hosts)), key=lambda rank: hosts.index(hosts[rank]))\n",
        cases=[(["a", "b", "a", "b"],), (["n10", "n9", "n9", "n10", "n9"],), (["x", "x", "x"],),
               (["c", "a", "b", "b", "a", "c"],)],
        wrong=[
            ("list(range(len(hosts)))",
             "That is the order of the ranks, as the launcher dealt them out: the ring leaves a server as often as before."),
            ("sorted(range(len(hosts)), key=lambda rank: hosts[rank])",
             "The ranks of a server are together. But the servers stand by their names, and n10 before n9; take the order in "
             "which they first appear."),
            ("sorted(range(len(hosts)), key=lambda rank: (hosts.index(hosts[rank]), -rank))",
             "The servers are right. In each the ranks run backwards; keep them as they come."),
            ("[hosts.index(host) for host in hosts]",
             "That names the first rank of each rank's server. Sort the ranks by it."),
            ("sorted(hosts, key=hosts.index)", "Those are the servers, in the right order. Asked are the ranks."),
        ],
        nudge="What the ranks of a server have in common, and no others, is the place where its name first stands in the list.",
        half="def ring_order(hosts):\n    return sorted(range(len(hosts)), key=lambda rank: ...)\n",
        follows=_from_dealt,
    ),
    Exercise(
        "hierarchy.buy",
        "{{ SERVERS }} servers sum up our {{ si(GRADIENT) }} on two levels, one after the other. What shortens that most? Set "
        "buy to it.",
        "buy",
        lambda: min(PURCHASES, key=lambda what: PURCHASES[what]()),
        'buy = "NICs twice as fast"\n',
        options=list(PURCHASES),
        wrong=[
            ('"NVLinks twice as fast"',
             "Then the steps inside take {{ si(ring_inside(GRADIENT) / 2, 's') }} in place of "
             "{{ si(ring_inside(GRADIENT), 's') }}. The network's part is the larger one."),
            ('"switches that add inside (NVLS)"',
             "Of a GPU's buffer they read all, and send all back: 2 buffers through the port where a ring has "
             "{{ digits(sent('all_reduce', 'ring', PLACES), 3) }}, as long as the halves follow each other. That is slower."),
            ('"switches that add between (SHARP)"',
             "Nearly. A NIC then sends its piece once, and not {{ digits(sent('all_reduce', 'ring', SERVERS), 4) }} times: less "
             "than twice as fast."),
        ],
        nudge="Work out the three steps of the table under Why, as you did for the first exercise, before and after.",
        half=f"inside = 2 * 7 / 8 * {GRADIENT / units.GB:g}e9 / nvlink.bandwidth()  # the first step and the last\n"
             f"between = 2 * 15 / 16 * {GRADIENT / units.GB:g}e9 / 8 / nic.bandwidth()\n"
             "with_faster_nics = inside + ...\nwith_faster_nvlinks = ...\nbuy = ...\n",
        follows=_bought,
    ),
]
