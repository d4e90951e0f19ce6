"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from ...stage import tiers
from .tables import BOX, CLASS, ERROR, FAR, HOST, LINE, NEAR, PEER, RING, STAGED

# ---- one server ----


def _cables(see, **controls) -> list[tuple[set[str], str, float]]:
    """What the drawing shows of each cable: the two kinds of device that it joins, its state and the GB/s it carries."""
    table = see(**controls)
    rows = zip(table["part"], table["from"], table["to"], table["state"], table["GB/s used"], strict=True)
    return [({a.rstrip("0123456789"), b.rstrip("0123456789")}, state, used)
            for part, a, b, state, used in rows if part == "cable"]


def _tight(see) -> list[set[str]]:
    return [ends for ends, state, _ in _cables(see) if state == tiers.TIGHT]


def _meets_a_cpu(see, traffic: str) -> bool:
    return any("cpu" in ends and state != tiers.IDLE for ends, state, _ in _cables(see, traffic=traffic))


_BOTH, _NEAR_ONLY, _FAR_ONLY, _NEITHER = "Both", "Only GPU 1", "Only GPU 7", "Neither"


def _without_a_cpu(see) -> str:
    near, far = (not _meets_a_cpu(see, traffic) for traffic in (NEAR, FAR))
    return _BOTH if near and far else _NEAR_ONLY if near else _FAR_ONLY if far else _NEITHER


def _only_uplinks(see) -> bool:
    """Whether cables above the switches are full, and those of the GPUs are not."""
    tight = _tight(see)
    return bool(tight) and not any("gpu" in ends for ends in tight)


_GPU_CABLES, _UPLINKS, _SOCKETS = "Those of the GPUs", "Those from switches up", "Those between the CPUs"


def _which_is_tight(see) -> str:
    tight = _tight(see)
    return _SOCKETS if {"cpu"} in tight else _GPU_CABLES if any("gpu" in ends for ends in tight) else _UPLINKS


def _carried(see, ends: set[str], **controls) -> float:
    """The most that a cable of this kind carries."""
    return max(used for pair, _, used in _cables(see, **controls) if pair == ends)


def _more_than_fed(see) -> float:
    """What a copy from GPU to GPU gets, over what host memory feeds each GPU."""
    return _carried(see, {"gpu", "NVSwitches"}) / _carried(see, {"gpu", "sw"}, traffic=HOST)


def _passed(see) -> str:
    """The GPU that the copy passes on its way from one GPU to another."""
    table = see()
    rows = zip(table["part"], table["from"], table["to"], table["state"], strict=True)
    used = {end for part, a, b, state in rows if part == "cable" and state != tiers.IDLE for end in (a, b)}
    ends = {"gpu0", f"gpu{see.at['traffic'].split()[-1]}"}
    return ", ".join(f"GPU {node[3:]}" for node in sorted(used - ends))


ONE_SERVER = (
    Choice("cpu", "Click GPU 1, then GPU 7, and follow the thick cables from GPU 0.",
           "Which of the two does it reach without a CPU?", options=[_BOTH, _NEAR_ONLY, _FAR_ONLY, _NEITHER],
           answer=_without_a_cpu, at={"machine": BOX, "traffic": NEAR},
           hints={_BOTH: "Click GPU 7, and look at the squares at the top.",
                  _FAR_ONLY: "Click both, and look at the squares at the top.",
                  _NEITHER: "Click GPU 1: how far up do the thick cables go?"},
           saw="Below one switch a copy never meets the CPU. To the other socket it passes two, and while it is alone it is as "
               "fast."),
    Find("up", "A copy alone fills the cables of its GPUs. Change what is sent.",
         "With which traffic are the cables from the switches up full, and those of the GPUs not?",
         control="traffic", accepts=_only_uplinks, at={"machine": BOX, "traffic": NEAR, "peer": PEER},
         hint="Orange and dashed is full: none of these may end at a GPU.",
         saw="In a ring one copy goes up each uplink. In an all-to-all most of them do, and so does all that comes from hosts."),
    Choice("staged", "The ring once more. Now take peer-to-peer access away.", "Which cables are the bottleneck then?",
           options=[_GPU_CABLES, _UPLINKS, _SOCKETS], answer=_which_is_tight,
           at={"machine": BOX, "traffic": RING, "peer": STAGED},
           hints={_GPU_CABLES: "That was so with access. Follow the orange ones now.",
                  _SOCKETS: "They are in use, and blue: not full. Follow the orange ones."},
           saw="Even a copy between neighbours goes up now and down again: two share each uplink, in both directions."),
    Number("fed", "A server with NVLink. Note what GPU 0 to GPU 1 gets. Then click a CPU: host memory to every GPU.",
           "How many times as much was the first as what each GPU gets now?", kind="ratio", unit="times", answer=_more_than_fed,
           at={"machine": "DGX A100", "traffic": NEAR},
           slips={"that is the GPU's cable; two GPUs share what leads up from their switch":
                  lambda see: _more_than_fed(see) / 2},
           saw="The NVLinks stand idle. The tree and the GPUs' own links are two networks: a server can be excellent in one and "
               "poor in the other."),
    Choice("die", "A server whose GPUs are joined directly. GPU 0 sends to the last one, and no cable joins the two.",
           "Which die does the copy pass?", options=["GPU 1", "GPU 3", "GPU 6"], answer=_passed,
           at={"machine": "MI250X node", "traffic": FAR},
           hints={"GPU 1": "Follow the thick arcs, not the thin ones.", "GPU 3": "Follow the thick arcs, not the thin ones."},
           saw="It takes the arcs with the most links. Once in use they are full: whoever joins in there shares."),
)

# ---- every pair ----


def _lit(see) -> list[tuple[str, str]]:
    table = see()
    return [(a, b) for a, b, lit in zip(table["from"], table["to"], table["lit"], strict=True) if lit]


def _between(see) -> str:
    """The GPUs between the two ends of the chosen pair."""
    hops, pair = _lit(see), see.at["pair"].split()
    ends = {pair[1], pair[-1]}
    return " and ".join(f"GPU {gpu}" for gpu in sorted({end for hop in hops for end in hop} - ends))


def _rate(cell: str) -> float:
    return float(cell.rstrip("↷"))


def _bent(see) -> list[float]:
    """The rates of all detours."""
    return [_rate(cell) for cell in see()["cell"] if cell.endswith("↷")]


def _thin_detour(see) -> bool:
    """Whether the chosen pair is a detour as slow as a single link."""
    table = see()
    cell = table["cell"][table["pair"].index(see.at["pair"])]
    return cell.endswith("↷") and _rate(cell) == min(_bent(see))


def _as_fast_as_two(see) -> int:
    return sum(rate == max(_bent(see)) for rate in _bent(see))


_NONE = "None: all are as fast"


def _slowest_word(see) -> str:
    """The word of the pairs with the lowest line rate."""
    rates = [float(cell) for cell in see(show=LINE)["cell"] if cell != "–"]
    words = [cell for cell in see()["cell"] if cell != "–"]
    slow = {word for word, rate in zip(words, rates, strict=True) if rate < 0.99 * max(rates)}
    return _NONE if not slow else ", ".join(sorted(slow))


_NEIGHBOURS, _SIDE, _ACROSS = "Neighbours below one switch", "Other pairs of one CPU", "Pairs across the sockets"


def _missed(see) -> str:
    """The pairs on which the model is more than a tenth off."""
    columns = (see(show=show)["cell"] for show in (CLASS, ERROR))
    off = {word for word, error in zip(*columns, strict=True) if word != "–" and abs(float(error)) > 12}
    return {"PIX": _NEIGHBOURS, "NODE": _SIDE, "SYS": _ACROSS}[", ".join(off)]


PAIR_MATRIX = (
    Choice("way", "A row sends, a column receives. Click the cell in row 3, column 5: it is a detour.",
           "Which dies does the copy pass? Their cells light up.", options=["GPU 1", "GPU 7", "GPU 2 and GPU 4"], answer=_between,
           at={"machine": "MI250X node", "show": LINE, "pair": "GPU 3 to GPU 5"},
           hints={"GPU 1": "That would be two hops, by single links. Which cells have a dashed edge?",
                  "GPU 7": "That would be two hops, by single links. Which cells have a dashed edge?"},
           saw="The dashed cells are its hops, one after the other. The thinnest of them is the rate of the pair."),
    Number("fast", "Two links carry the rate of GPU 0 to GPU 6. Look for a bent arrow.",
           "How many detours are as fast as that, each direction counted?", kind="ratio", unit="cells", answer=_as_fast_as_two,
           at={"machine": "MI250X node", "show": LINE, "pair": "GPU 0 to GPU 6"},
           slips={"count each direction: a cable carries both": lambda see: _as_fast_as_two(see) / 2,
                  "those are all detours; many are slower": lambda see: len(_bent(see))},
           example="5 cells",
           saw="All of their way has two links or four. None reaches four: these join only the two dies of a package."),
    Find("thin", "The other detours are slower.", "Click one that gets no more than a single link does.", control="pair",
         accepts=_thin_detour, at={"machine": "MI250X node", "show": LINE, "pair": "GPU 0 to GPU 1"},
         hint="A bent arrow, in one of the palest cells.",
         saw="Look at its dashed cells: every way there is has a single link in it somewhere."),
    Choice("word", "Read the words of this server; then change “show” to the line rate.",
           "The pairs of which word get less than the others?", options=["PIX", "SYS", _NONE], answer=_slowest_word,
           at={"machine": BOX, "show": CLASS},
           hints={"PIX": "Change “show”, and compare the cells.",
                  "SYS": "Change “show”, and compare the cells beside the diagonal."},
           saw="One pair at a time, the links between the sockets are wide enough. The word says whom you may meet, not what "
               "you get."),
    Choice("missed", "No peer-to-peer access. A cell says by how many per cent the model is off.",
           "On which pairs is the model off the most?", options=[_NEIGHBOURS, _SIDE, _ACROSS], answer=_missed,
           at={"machine": "eight Titan RTX, staged", "show": ERROR, "peer": STAGED},
           hints={_SIDE: "Compare a few cells, also those beside the diagonal.",
                  _ACROSS: "Compare a few cells, also those beside the diagonal."},
           saw="Both halves of such a copy share one uplink, one up and one down. The model lets them pass freely; the server "
               "does not."),
)

# ---- what an all-reduce costs ----

_SMALL = 2.0**16
_FAST, _SLOW, _EQUAL = "DGX H100", BOX, "Both from the same one on"


def _seconds(see, server: str, **controls) -> float:
    table = see(**controls)
    return table["seconds"][table["server"].index(server)]


def _tenfold(see) -> bool:
    """Whether the chosen server takes about ten times as long as the DGX A100."""
    return 10 < _seconds(see, see.at["beside"]) / _seconds(see, "DGX A100") < 12


def _by_bytes(see, server: str, nbytes: float) -> bool:
    """Whether twice the buffer takes more than half as long again: the bytes weigh more than the starts."""
    return _seconds(see, server, nbytes=2 * nbytes) > 1.5 * _seconds(see, server, nbytes=nbytes)


def _first_by_bytes(see, server: str) -> float:
    return next(nbytes for nbytes in see.values["nbytes"] if _by_bytes(see, server, nbytes))


def _later(see) -> str:
    fast, slow = (_first_by_bytes(see, server) for server in (_FAST, _SLOW))
    return _EQUAL if fast == slow else _FAST if fast > slow else _SLOW


SERVER_ALL_REDUCE = (
    Find("tenth", "DGX A100 has eight GPUs. Click other servers; the sentence compares.",
         "Which one with eight GPUs takes a little more than ten times as long as DGX A100?", control="beside", accepts=_tenfold,
         at={"nbytes": 2.0**30, "beside": "DGX A100"},
         hint="Divide the times at the right. Six GPUs are not eight.",
         saw="The two servers of the first line of this lesson: NVLink in one, a PCIe tree in the other."),
    Find("bytes", "Start small: doubling the buffer changes nothing. Make it larger.",
         "From which buffer on does a doubling cost the PCIe 4 box more than half as much time again? Stop at the first.",
         control="nbytes", accepts=lambda see: see.at["nbytes"] == _first_by_bytes(see, BOX),
         at={"nbytes": _SMALL, "beside": BOX},
         hint="Read the box's time in the sentence, here and one step further: one and a half times as long, or more?",
         saw="There starts and bytes weigh the same, at about {{ si(n_half('pcie4-two-socket'), 'B', 1) }}. Above, the rate of "
             "the link decides."),
    Choice("later", "Now do the same for a DGX H100.", "For which of the two do the bytes decide only from a larger buffer on?",
           options=[_FAST, _SLOW, _EQUAL], answer=_later, at={"nbytes": 2.0**20, "beside": _FAST},
           hints={_SLOW: "Move the buffer up from here, and watch both times.",
                  _EQUAL: "Move the buffer up from here, and watch both times."},
           saw="At about {{ si(n_half('dgx-h100'), 'B', 1) }}. The slower the link, the sooner it decides; on a fast one much of "
               "what is sent is too small to feel it."),
)
