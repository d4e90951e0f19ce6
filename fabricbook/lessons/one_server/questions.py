"""One server: which link a copy takes, which one is tight, and what that costs an all-reduce."""

from fabriclib import copies, units
from fabriclib.flows import all_to_all, share
from fabriclib.peers import p2p

from ...course.declare import Exercise, Prediction
from .tables import ALL, BOX, GPUS, PEER, RING, box, dies, joined, line_rate, sends, slot, staged_ring, way

_PUBLISHED = "gb200x4-p2p", "gh200-osu"
_SERVERS = "DGX A100", "MI250X node", "PCIe 4, two sockets", "eight Titan RTX, staged"

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


def _elsewhere(measured: dict[str, float], links: dict[str, list[float]], efficiency: float) -> list[str]:
    return [pair for pair, rate in measured.items() if rate < efficiency * min(links[pair]) / 2]


def _of_the_published(theirs) -> str:
    pairs = {f"{table} {row['from']}-{row['to']}": row for table in _PUBLISHED
             for row in copies.beside(table).to_dict("records")}
    measured = {name: row["measured GB/s"] for name, row in pairs.items()}
    named = theirs(measured, {name: [row["model GB/s"]] for name, row in pairs.items()}, 1.0)
    told = "; ".join(f"{units.format(measured[name] * units.GB, 'B/s')} where "
                     f"{units.format(pairs[name]['model GB/s'] * units.GB, 'B/s')} could be" for name in named)
    return (f"With your function: of {len(pairs)} published pairs of GB200 and GH200 it names {len(named)} ({told}). More of "
            "that pair below.")


def _from_die_to_die(widest) -> str:
    short, wide = (joined(widest(ways)) for ways in ([[1, 1]], [[1, 1], [4, 2, 4]]))
    return (f"With your function die 1 sends {units.format(wide, 'B/s')} to die 7, by three hops; the shortest way alone would "
            f"carry {units.format(short, 'B/s')}.")


def _kept(label: str) -> float:
    """What is left of a GPU's rate on a server where an all-to-all takes the place of a ring."""
    return sends(label, ALL) / sends(label, RING)


def _of_the_change(server) -> str:
    told = ", ".join(f"{one} {units.portion(_kept(one))}" for one in _SERVERS if one != server)
    ring, every = (units.format(sends(server, what), "B/s") for what in (RING, ALL))
    return (f"{server}: a GPU sends {ring} in a ring and {every} in an all-to-all, {units.portion(_kept(server))} of it. The "
            f"others keep: {told}.")


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
        nudge="The farthest part decides: ask for two CPUs first, then for root complexes, and for switches last.",
        half="def path_word(passed):\n"
             "    if passed.count(\"cpu\") > 1:\n"
             "        return \"SYS\"\n"
             "    if ...:  # several root complexes\n"
             "        return \"NODE\"\n"
             "    ...\n",
        follows=_words_of_the_box,
    ),
    Exercise(
        "one_server.elsewhere",
        "Write elsewhere: the pairs whose measured copy is below half of what it could reach on its way.",
        "elsewhere",
        _elsewhere,
        "def elsewhere(measured, links, efficiency):\n"
        "    found = []\n"
        "    for pair, rate in measured.items():\n"
        "        if rate < efficiency * min(links[pair]) / 2:\n"
        "            found.append(pair)\n"
        "    return found\n",
        cases=[({"0 to 1": 27.0, "0 to 5": 12.0, "0 to 7": 10.0},
                {"0 to 1": [31.5, 31.5], "0 to 5": [31.5, 31.5, 31.5], "0 to 7": [31.5, 15.75]}, 0.98),
               ({"0 to 1": 400.0}, {"0 to 1": [450.0, 450.0]}, 0.84),
               ({"1 to 7": 76.0, "1 to 3": 22.0, "1 to 5": 15.0, "2 to 6": 60.0},
                {"1 to 7": [200.0, 100.0, 200.0], "1 to 3": [50.0], "1 to 5": [50.0], "2 to 6": [100.0, 200.0, 100.0]}, 0.8)],
        wrong=[
            ("[pair for pair, rate in measured.items() if rate < efficiency * min(links[pair])]",
             "That names whoever is a little slow. Asked are those below half of it: they must be on another way."),
            ("[pair for pair, rate in measured.items() if rate < efficiency * sum(links[pair]) / 2]",
             "A copy flows through all links of its way at once: the thinnest sets its rate, not their sum."),
            ("[pair for pair, rate in measured.items() if rate < efficiency * max(links[pair]) / 2]",
             "That takes the widest link of the way. The thinnest sets the rate."),
            ("[pair for pair, rate in measured.items() if rate < efficiency * links[pair][0] / 2]",
             "That takes the first link of the way. A thinner one may come later."),
            ("[pair for pair, rate in measured.items() if rate < min(links[pair]) / 2]",
             "That compares with half the line rate. A healthy copy reaches the share `efficiency` of it."),
            ("[pair for pair, rate in measured.items() if rate >= efficiency * min(links[pair]) / 2]",
             "Those are the ones that are well. Asked are the others."),
        ],
        nudge="First what a copy could reach on that way: which of its links decides? Then compare.",
        half="def elsewhere(measured, links, efficiency):\n"
             "    found = []\n"
             "    for pair, rate in measured.items():\n"
             "        could = efficiency * ...  # of the links on its way\n"
             "        if ...:\n"
             "            found.append(pair)\n"
             "    return found\n",
        follows=_of_the_published,
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
        nudge="What does one way carry? Ask that of each way first, then choose among them.",
        half="def widest(ways):\n"
             "    carries = [... for way in ways]\n"
             "    return ...(carries)\n",
        follows=_from_die_to_die,
    ),
    Exercise(
        "one_server.change",
        "Set server: on which one does a GPU lose the largest share of its rate, where an all-to-all takes the place of a ring?",
        "server", lambda: min(_SERVERS, key=_kept), 'server = "MI250X node"\n', options=_SERVERS,
        wrong=[
            ("'DGX A100'", "Its switches lend every link to whoever is spoken to: the two columns are alike."),
            ("'PCIe 4, two sockets'", "Nearly: it loses two fifths, at the uplinks. One other loses more."),
            ("'eight Titan RTX, staged'",
             "It is the slowest in both columns. But everything goes through host memory there, whatever the pattern."),
        ],
        nudge="The folded table of rings and all-to-alls has both columns: divide the second by the first.",
        half="kept = ... / ...  # what a GPU sends in an all-to-all, and in a ring\n"
             "server = ...  # where kept is least\n",
        follows=_of_the_change,
    ),
]
