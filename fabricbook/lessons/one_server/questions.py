"""One server: which link a copy takes, which one is tight, and what that costs an all-reduce."""

from fabriclib import copies, units
from fabriclib.flows import all_to_all, share
from fabriclib.peers import p2p

from ...course.declare import Exercise, Prediction
from .tables import BOX, GPUS, PEER, box, dies, joined, line_rate, slot, staged_ring, way

PREDICTIONS = [
    Prediction(
        "one_server.uplink",
        "Eight GPUs sit below four PCIe switches, two below each. Every link is PCIe 4 with 16 lanes: "
        "{{ si(slot(), 'B/s') }} each way. One such link, the uplink, leads from each switch up to a CPU. Now every GPU "
        "sends to every other, all at once, and flows that share a link get equal parts of it. At what rate does GPU 0 send "
        "to GPU 7?",
        "rate", lambda: float(share(box, all_to_all(GPUS)).rates.min()),
        "Each of the two GPUs below a switch sends to six GPUs elsewhere, so twelve flows go up one uplink. A GPU's own link is "
        "not the tight one: what is left of it goes to the neighbour below the same switch.",
        slips={
            "that shares GPU 0's own link among its seven flows; the uplink is shared by more": lambda: slot() / 7,
            "that counts the six flows of GPU 0 only; its neighbour's six go up the same link": lambda: slot() / 6,
            "that sends all fourteen flows up; the two between neighbours stay below the switch": lambda: slot() / 14,
            "that is one copy that has all links to itself": slot,
            "that starts from the rate of the lanes; headers take a part of it, and the question says what is left":
                lambda: line_rate() / 12,
        },
    ),
    Prediction(
        "one_server.staged",
        "The same box, but these GPUs may not write into each other's memory. Every copy goes up into the memory of the CPU "
        "and down again to its target, even between neighbours; both halves run at the same time. In a ring, where GPU 0 "
        "sends to 1, 1 to 2 and so on, each GPU sent {{ si(slot(), 'B/s') }} before. And now?",
        "rate", staged_ring,
        "With peer-to-peer access one of the two copies below a switch stays below it. Without, both go up, so two flows "
        "share the uplink on the way up, and two on the way down.",
        slips={
            "that is the rate with peer-to-peer access, where only one copy goes up each uplink": slot,
            "that starts from the rate of the lanes; headers take a part of it, and the question says what is left":
                lambda: line_rate() / 2,
            "that lets what goes up slow down what comes down; a link carries both directions at full rate": lambda: slot() / 4,
        },
        example="30 GB/s",
    ),
    Prediction(
        "one_server.detour",
        "An MI250X node has eight dies. Dies 0 and 1 are joined by four links, and so are 2 and 3, 4 and 5, 6 and 7; two "
        "links join 0 and 6, and 2 and 4; one link joins 0 and 2, 1 and 3, 1 and 5, 3 and 7, 4 and 6, 5 and 7. A link carries "
        "{{ si(joined(1), 'B/s') }} each way. Dies 1 and 7 have none between them: a copy goes through others, all of it "
        "by one way. What does it get on the best one?",
        "rate", lambda: float(p2p(dies).rates[1, 7]),
        "By die 3 or die 5 it is two hops, but with single links. By dies 0 and 6 it is three hops with 4, 2 and 4 links: as "
        "wide as its thinnest part, two links. The measured copies fit this way, not the shorter ones.",
        slips={
            "that is the way with the fewest hops; it has single links only": lambda: joined(1),
            "that is the widest part of the way; the thinnest one counts": lambda: joined(4),
        },
    ),
]


def _words_of_the_box(path_word) -> str:
    kinds = {"pcie-switch": "switch", "root": "root", "cpu": "cpu"}
    words = [path_word([kinds[str(box.kinds[node])] for node in way("pcie4-two-socket", i, j, PEER)[1:-1]])
             for i in range(GPUS) for j in range(GPUS) if i != j]
    told = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    return f"With your function, of the {len(words)} pairs of GPUs of the box ({BOX}): {told}."


def _both_ways_of_copying(copy_rate) -> str:
    staged, line = copies.copy("staged"), slot() / units.GB
    free, held = (copy_rate([line, line], staged.efficiency, extra) for extra in (0.0, staged.extra * units.GB))
    return (f"With your function a copy over PCIe 4 reaches {units.format(free * units.GB, 'B/s')} of "
            f"{units.format(slot(), 'B/s')} with peer-to-peer access, and {units.format(held * units.GB, 'B/s')} through host "
            f"memory.")


def _from_die_to_die(widest) -> str:
    short, wide = (joined(widest(ways)) for ways in ([[1, 1]], [[1, 1], [4, 2, 4]]))
    return (f"With your function die 1 sends {units.format(wide, 'B/s')} to die 7, by three hops; the shortest way alone would "
            f"carry {units.format(short, 'B/s')}.")


EXERCISES = [
    Exercise(
        "one_server.path-word",
        "Write path_word: the word of nvidia-smi topo -m for what a path between two devices passes.",
        "path_word",
        lambda passed: ("SYS" if passed.count("cpu") > 1 else "NODE" if passed.count("root") > 1 else
                        "PHB" if "root" in passed else "PXB" if passed.count("switch") > 1 else "PIX"),
        "def path_word(passed):\n"
        "    if passed.count('cpu') > 1:\n"
        "        return 'SYS'\n"
        "    if passed.count('root') > 1:\n"
        "        return 'NODE'\n"
        "    if 'root' in passed:\n"
        "        return 'PHB'\n"
        "    return 'PXB' if passed.count('switch') > 1 else 'PIX'\n",
        cases=[(["switch"],), (["switch", "switch"],), (["root"],), (["switch", "root", "switch"],),
               (["switch", "root", "cpu", "root", "switch"],), (["root", "cpu", "cpu", "root"],), ([],)],
        wrong=[
            ("'PIX' if len(passed) == 1 else 'PXB' if len(passed) == 2 else 'SYS'",
             "This counts what is passed, whatever it is. Look for the CPUs and the root complexes in the list."),
            ("'SYS' if 'cpu' in passed else 'PHB' if 'root' in passed else 'PXB' if passed.count('switch') > 1 else 'PIX'",
             "Nearly. SYS is the link between two sockets: it takes two CPUs. One CPU with two root complexes is NODE."),
            ("'SYS' if passed.count('cpu') > 1 else 'PHB' if 'cpu' in passed or 'root' in passed else "
             "'PXB' if passed.count('switch') > 1 else 'PIX'",
             "Nearly. From one root complex to another of the same CPU has a word of its own: NODE."),
            ("'PXB' if passed.count('switch') > 1 else 'SYS' if passed.count('cpu') > 1 else 'NODE' if passed.count('root') > "
             "1 else 'PHB' if 'cpu' in passed or 'root' in passed else 'PIX'",
             "A path that passes a CPU often passes two switches as well. Ask for the farthest part first."),
        ],
        follows=_words_of_the_box,
    ),
    Exercise(
        "one_server.copy-rate",
        "Write copy_rate: the GB/s that a copy reaches over some links, when its method reaches a share of the line rate and "
        "host memory costs some seconds a GB on top.",
        "copy_rate",
        lambda links, efficiency, extra: 1 / (1 / (efficiency * min(links)) + extra),
        "def copy_rate(links, efficiency, extra):\n"
        "    seconds_a_byte = 1 / (efficiency * min(links))\n"
        "    return 1 / (seconds_a_byte + extra)\n",
        cases=[([30, 100, 30], 0.9, 0.0), ([60, 60], 0.98, 0.009), ([15, 15, 40], 0.98, 0.009)],
        wrong=[
            ("efficiency * min(links)", "That is right where the copy goes straight. Host memory takes extra seconds for each "
                                        "byte: turn the rate into seconds a byte, add them, and turn back."),
            ("1 / (1 / min(links) + extra)", "That takes the whole line rate. A copy reaches the share `efficiency` of it."),
            ("1 / (sum(1 / (efficiency * rate) for rate in links) + extra)",
             "This waits for all of the data at every hop. Bytes flow through: the thinnest link alone sets the pace."),
            ("efficiency * sum(links) / len(links)", "That is the mean of the links. The thinnest link alone sets the pace."),
            ("1 / (1 / min(links) + extra) * efficiency",
             "Nearly. The share belongs to the wires alone; the time in host memory comes on top, unchanged."),
        ],
        follows=_both_ways_of_copying,
    ),
    Exercise(
        "one_server.widest",
        "Write widest: out of several ways from one die to another, each a list of how many links join the dies on it, the "
        "number of links that a copy gets on the best way.",
        "widest",
        lambda ways: max(min(way) for way in ways),
        "def widest(ways):\n    return max(min(way) for way in ways)\n",
        cases=[([[1, 1], [4, 2, 4]],), ([[1]],), ([[4, 1], [1, 4]],), ([[2, 4], [4, 1, 4]],), ([[1, 4], [4, 2, 2], [1, 1]],)],
        wrong=[
            ("min(min(way) for way in ways)", "That is the thinnest part of the worst way. Take the best way instead."),
            ("max(max(way) for way in ways)", "That is the widest part of any way. A way carries no more than its thinnest "
                                              "part."),
            ("min(max(way) for way in ways)",
             "Upside down: of each way take the thinnest part (min), then of all ways the best (max)."),
            ("min(min(ways, key=len))", "That takes the shortest way. A longer one may be wider."),
            ("sum(min(way) for way in ways)", "That uses all ways at once. The hardware sends a copy along one."),
        ],
        follows=_from_die_to_die,
    ),
]
