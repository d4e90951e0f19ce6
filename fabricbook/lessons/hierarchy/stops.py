"""What the labs of this lesson ask."""

from __future__ import annotations

import math

import numpy as np

from fabriclib.collectives.cost import sent

from ...course.stops import Choice, Find, Number
from .rings import ALONG, ANYWHERE, BY_SERVER, DEALT, ORDERS, SHUFFLED, orders
from .tables import ADDING, ALONE, ONE_RING, PLACES, PXN, RINGS, SERVERS, TWO_LEVELS, nvlink

_LITTLE, _MUCH = 2.0**10, 2.0**34

# ---- the order of the ranks ----


def _rates(see, **at) -> dict[str, float]:
    table = see(**at)
    return dict(zip(table["order"], table["rate (GB/s)"], strict=True))


def _slowest(see) -> str:
    rates = _rates(see)
    return min(rates, key=rates.get)


_NVLINK, _NICS, _UPLINKS = "NVLink", "The NICs", "The uplinks"


def _full(see) -> str:
    """What is full where the ranks are dealt out in turn."""
    table = see()
    told = dict(zip(table["order"], table["told"], strict=True))[DEALT]
    return next(option for option in (_NVLINK, _NICS, _UPLINKS) if told.endswith(option.replace("The", "the")))


def _luck(order: str):
    """How many times as fast as the worst of its shuffles the best one is."""

    def luck(see) -> float:
        rates = [_rates(see, draw=draw)[order] for draw in see.values["draw"]]
        return max(rates) / min(rates)

    return luck


_RAIL, _MORE, _FAR = "Each time, it also changes the rail", "It leaves a server more often", "Its servers are farther apart"


def _hops(order: str, servers: int) -> tuple[int, int]:
    """(hops that leave a server, of these those that change the rail) of one ring."""
    here = orders(order, servers, 0)[0]
    there = np.roll(here, -1)
    out = here // PLACES != there // PLACES
    return int(out.sum()), int((out & (here % PLACES != there % PLACES)).sum())


def _needs_the_spine(see) -> str:
    (one, stays), (other, changes) = (_hops(order, see.at["servers"]) for order in (ALONG, BY_SERVER))
    return _MORE if other > one else _RAIL if changes > stays else _FAR


RANK_ORDER = (
    Choice("slowest", "A leaf-spine network with 3 ports down for each one up.",
           "Which order is the slowest? Click its bar, or choose.",
           options=ORDERS, answer=_slowest, field="order", at={"kind": "leaf-spine", "oversubscription": 3},
           hints={**dict.fromkeys((ALONG, BY_SERVER), "The longer the bar, the better: look for the shortest."),
                  DEALT: "Slow, but one bar is shorter still.",
                  SHUFFLED: "Its servers are mixed, yet each is still left only once."},
           saw="With all GPUs mixed nearly every hop leaves a server, and most leave the leaf too: the uplinks are full."),
    Choice("enough", "Build the network with as many ports up as down, 1 : 1.", "Two bars stay short. What is full there?",
           options=[_NVLINK, _NICS, _UPLINKS], answer=_full, at={"kind": "leaf-spine", "oversubscription": 1},
           hints={_UPLINKS: "There are as many of them now as ports below. Read what stands beside the short bars.",
                  _NVLINK: "In these orders hardly any hop goes over NVLink."},
           saw="Every hop leaves a server, so each NIC carries all eight rings instead of one. No network can help that; a "
               "better list can."),
    Number("luck", "Leaf-spine, 3 : 1, with 8 servers. Shuffle, and watch the third bar.",
           "How many times as fast as its worst shuffle is its best?", kind="ratio", unit="times", answer=_luck(SHUFFLED),
           at={"kind": "leaf-spine", "oversubscription": 3, "servers": 8, "draw": 1},
           slips={"that is the bar of the GPUs shuffled": _luck(ANYWHERE)},
           saw="Eight servers hang on three leaves, and luck may leave each some neighbours. With 16 servers shuffle again: "
               "hardly any luck, for one leaf whose servers lost all neighbours holds up everyone."),
    Choice("spine", "Rail-optimised, 3 : 1. Compare the two upper bars.",
           "Both leave every server once a round. Why does “server by server” fill the uplinks?",
           options=[_FAR, _MORE, _RAIL], answer=_needs_the_spine, at={"kind": "rail-optimised", "oversubscription": 3},
           hints={_FAR: "Every two servers meet on the same leaves here.",
                  _MORE: "In both a ring passes a server's eight GPUs, then leaves."},
           saw="It enters a server at one GPU and leaves from the one before that, on another rail; from rail to rail it takes a "
               "spine. “Along the rails” leaves on the rail on which it enters the next."),
)

# ---- one ring, eight rings, two levels ----


def _seconds(see, **at) -> dict[str, float]:
    """Seconds of each way for the buffer chosen."""
    table, chosen = see(**at), (see.at | at)["nbytes"]
    rows = zip(table["way"], table["size"], table["seconds"], strict=True)
    return {way: seconds for way, size, seconds in rows if math.isclose(size, chosen)}


_RINGS_LEVELS, _ALL_RINGS = "Eight rings and two levels", "One ring and eight rings"
_LEVELS_ADDING = "Two levels, with and without adding"
_SAME = {_RINGS_LEVELS: (RINGS, TWO_LEVELS), _ALL_RINGS: (ONE_RING, RINGS), _LEVELS_ADDING: (TWO_LEVELS, ADDING)}


def _on_each_other(see) -> str:
    now = _seconds(see)
    return min(_SAME, key=lambda pair: abs(math.log(now[_SAME[pair][0]] / now[_SAME[pair][1]])))


def _hardly_rises(see) -> str:
    """The way that the most servers make the least longer."""
    few, many = (_seconds(see, servers=servers) for servers in (see.at["servers"], see.values["servers"][-1]))
    return min(few, key=lambda way: many[way] / few[way])


_FEWER, _STEPS, _BOTH = "They send fewer bytes through a NIC", "They take fewer steps", "They use NVLink and NICs at once"


def _rings_win(see) -> str:
    """Why rings win: not by what a NIC sends."""
    rings, levels = (sent("all_reduce", "ring", ranks) for ranks in (PLACES * see.at["servers"], see.at["servers"]))
    return _FEWER if rings < levels else _BOTH


_TURN, _ADDS, _NEAR = "NVLink's turn is a larger part now", "The switches add no faster", "The servers are few"


def _gains_less(see) -> str:
    """Which part of two levels' time grows where the NICs are faster."""
    turn = sent("all_reduce", "ring", PLACES) * see.at["nbytes"] / nvlink.bandwidth()
    slow, fast = (_seconds(see, speed=speed)[TWO_LEVELS] for speed in see.values["speed"][1:])
    return _TURN if turn / fast > turn / slow else _ADDS


def _switches_lose(see) -> bool:
    now = _seconds(see)
    return now[ADDING] > now[TWO_LEVELS]


LEVELS = (
    Choice("same", "Take 16 servers and a small buffer.", "At the left end two lines lie on each other. Which?",
           options=list(_SAME), answer=_on_each_other, at={"servers": SERVERS, "nbytes": _LITTLE},
           hints=dict.fromkeys((_RINGS_LEVELS, _LEVELS_ADDING), "There is a gap between these two, and the axis is logarithmic."),
           saw="One ring or eight, there are {{ steps(RANKS) }} steps, each as slow as its slowest hop, a NIC's. Two levels take "
               "{{ steps(PLACES) }} steps over NVLink and {{ steps(SERVERS) }} over the network."),
    Choice("rises", "Start at 4 servers with a small buffer, and double them again and again.",
           "Whose left end rises least? Click its line, or choose.", options=[ONE_RING, RINGS, TWO_LEVELS, ADDING],
           answer=_hardly_rises, field="way", at={"servers": 4, "nbytes": _LITTLE},
           hints={TWO_LEVELS: "Its ring between the servers gets longer with each of them.", RINGS: "It rises as fast as any.",
                  ONE_RING: "It rises as fast as any."},
           saw="Where switches add, the steps grow with the levels of switches and not with the servers."),
    Choice("win", "Take the largest buffer. Eight rings are first.", "Why do they beat two levels there?",
           options=[_FEWER, _STEPS, _BOTH], answer=_rings_win, at={"servers": SERVERS, "nbytes": _MUCH},
           hints={_FEWER: "A ring of 128 sends a little more through each NIC than a ring of 16 does.",
                  _STEPS: "Look at the left ends: who pays for more steps?"},
           saw="Two levels take turns here: while NVLink works, the NICs are idle. That is the price of the steps they save."),
    Choice("gain", "Read the two times of two levels. Then set NICs of {{ si(8 * faster_nic.line, 'b/s') }}.",
           "Why do adding switches gain less now?", options=[_ADDS, _TURN, _NEAR], answer=_gains_less,
           at={"servers": SERVERS, "nbytes": _MUCH, "speed": "400 Gb/s (NDR)"},
           hints={_ADDS: "They save bytes on the NICs as before. How long do the NICs work now?",
                  _NEAR: "You left the servers as they were."},
           saw="Switches that add shorten the NICs' turn, to a little more than half. NVLink's turn they do not shorten here."),
    Find("lose", "The largest buffer still. Move the number of servers.",
         "Where are switches that add slower than two levels without?",
         control="servers", accepts=_switches_lose, at={"nbytes": _MUCH},
         hint="Compare the two times in the sentence, or the two lines at the right end.",
         saw="Between two servers a ring sends each piece once as well: the switches save the NICs nothing. And the halves of "
             "NVLS, one after the other, take 2 buffers over NVLink, "
             "a ring's {{ digits(sent('all_reduce', 'ring', PLACES), 3) }}."),
)

# ---- all to all ----


def _times(see, **at) -> dict[str, list[float]]:
    table = see(**at)
    return {way: [s for one, s in zip(table["way"], table["seconds"], strict=True) if one == way] for way in (ALONE, PXN)}


def _no_longer(see) -> bool:
    """The smallest of these sizes for which bundling is not faster."""

    def slower(nbytes) -> bool:
        now = _seconds(see, nbytes=nbytes)
        return now[PXN] >= now[ALONE]

    return slower(see.at["nbytes"]) and not slower(see.at["nbytes"] / 2)


def _stays(see) -> str:
    """Whose times a thinner network leaves as they are."""
    wide, thin = _times(see), _times(see, oversubscription=3)
    still = [way for way in wide if np.allclose(wide[way], thin[way])]
    return still[0] if len(still) == 1 else _NEITHER


_NEITHER = "Neither"

RAILS = (
    Find("pays", "As many ports up as down, 16 servers. Make what each GPU sends larger.",
         "Which is the smallest of these sizes for which bundling is no longer faster?", control="nbytes", accepts=_no_longer,
         at={"servers": SERVERS, "oversubscription": 1, "nbytes": _LITTLE},
         hint="Compare both times in the sentence: stop where “along the rails” first takes longer.",
         saw="Up to about {{ si(bundling_pays()) }} fewer messages pay; beyond, the trip over NVLink costs a little more than it "
             "saves."),
    Choice("thin", "Start at 1 : 1, then set 3 down for each one up.", "Whose line stays where it was? Click it, or choose.",
           options=[ALONE, PXN, _NEITHER], answer=_stays, field="way", at={"servers": SERVERS, "oversubscription": 1},
           hints={ALONE: "Go back and forth between 1 and 3, and look at the right end.",
                  _NEITHER: "Look at the right ends once more."},
           saw="What stays on its rail never meets the thin uplinks. So now bundling pays at every size, to the right end."),
)
