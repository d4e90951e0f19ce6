"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from . import ring as ringed
from .tables import BY_RAIL, BY_SERVER, ONE_LEAF, ONLY, PLANES, PLANS, RAILS, SIZE

# ---- design a fabric ----

_SMALL = {"gpus": 64, "radix": 16, "oversubscription": 1}
_LARGE = {"gpus": 1024, "radix": 64, "oversubscription": 1, "wiring": RAILS}


def _tiers(see, **at) -> dict[str, int]:
    """How many nodes of each tier there are, as the picture says: {"servers": 8, "leaves": 8, "spines": 4}."""
    table = see(**at)
    said = (label.split() for part, label in zip(table["part"], table["label"], strict=True) if part == "tier")
    return {what: int(many.replace(",", "")) for many, what in said}


def _switches(see, **at) -> int:
    return sum(many for what, many in _tiers(see, **at).items() if not what.startswith("server"))


def _cables(see, **at) -> list[tuple[str, str]]:
    table = see(**at)
    return [ends for part, *ends in zip(table["part"], table["from"], table["to"], strict=True) if part == "cable"]


_ONE, _EVERY, _SPINE = "In one leaf", "In a leaf each", "In the spines"


def _thick_end(see) -> str:
    table = see()
    ends = {end for end, px in zip(table["to"], table["px"], strict=True) if px and px > 1}
    return _SPINE if any(end.startswith("spine") for end in ends) else _ONE if len(ends) == 1 else _EVERY


_WHO, _SWITCHES, _CABLES = "Who is cabled to which leaf", "How many switches there are", "How many cables there are"


def _changed(see) -> str:
    if _switches(see) != _switches(see, wiring=RAILS):
        return _SWITCHES
    up = [[ends for ends in _cables(see, **at) if ends[0].startswith("leaf")] for at in ({}, {"wiring": RAILS})]
    return _WHO if len(up[0]) == len(up[1]) else _CABLES


def _third_tier(see) -> bool:
    return "cores" in _tiers(see) and "cores" not in _tiers(see, gpus=see.at["gpus"] // 2)


_INSIDE, _OVER, _NEVER = "Over NVLink to its own GPU 1 first", "Over a spine", "Over any other leaf"


def _way_round(see) -> str:
    return _OVER if "spines" in _tiers(see) else _INSIDE


DESIGN = (
    Choice("meet", "Circles are servers, squares are switches. Follow the thick lines: they are GPU 0's cable of every server.",
           "Where do they end?", options=[_EVERY, _ONE, _SPINE], answer=_thick_end, at=_SMALL | {"wiring": RAILS},
           hints={_EVERY: "Count the squares at which a thick line ends.", _SPINE: "How far up do the thick lines go?"},
           saw="That leaf takes a rail: the same GPU of every server, of as many servers as it has ports down."),
    Choice("server", "Now the NICs of a server go all into one leaf: one leaf a server.", "What has changed?",
           options=[_SWITCHES, _CABLES, _WHO], answer=_changed, at=_SMALL | {"wiring": ONE_LEAF},
           hints={_SWITCHES: "Go back to rails, and compare the first line below the picture.",
                  _CABLES: "Go back to rails, and compare the counts: eight cables to one leaf are one line."},
           saw="The counts are the same either way. What differs is who is one switch away from whom."),
    Find("tier", "1,024 GPUs and switches of 64 ports: your prediction. Double the GPUs.",
         "At which number does a third tier appear? Stop there.", control="gpus", at=_LARGE, accepts=_third_tier,
         hint="Look for cores above the spines: there, and not yet at half as many GPUs.",
         saw="{{ joined(4096).switches }} switches for twice the GPUs, where two tiers take {{ joined(2048).switches }}."),
    Number("thin", "Back to 1,024 GPUs, and three ports down for each port up: oversubscription.",
           "How many switches does that save?", kind="ratio", unit="switches", example="7 switches", at=_LARGE,
           answer=lambda see: _switches(see) - _switches(see, oversubscription=3),
           slips={"that many are left; take them from what it was": lambda see: _switches(see, oversubscription=3)},
           saw="A third of them. But a leaf can pass on a third of what its GPUs send, so in the worst half each has about a "
               "third of its rate left: {{ portion(joined(1024, 3).assured / nic) }}."),
    Choice("alone", "Rails, not joined: the spines are gone, and from half of the rails to the other half nothing gets through.",
           "How can GPU 0 of one server still reach GPU 1 of another?", options=[_OVER, _INSIDE, _NEVER], answer=_way_round,
           at=_SMALL | {"wiring": ONLY},
           hints={_OVER: "Are there any left?", _NEVER: "Every leaf is alone now. What joins the GPUs of a server?"},
           saw="NVLink brings it to the right rail. That detour comes back below, and has a name."),
)


# ---- what growing costs ----

def _line(see, wiring: str, **at) -> dict[int, float]:
    """Ports for each GPU, by the number of GPUs."""
    table = see(**at)
    return {gpus: ports for name, gpus, ports in zip(table["wiring"], table["GPUs"], table["ports for each GPU"], strict=True)
            if name == wiring and ports is not None}


def _climb(see) -> float:
    ports = _line(see, RAILS).values()
    return max(ports) - min(ports)


_TWO_TIERS, _IN_PLANES = 2048, 8192  # GPUs: what 64 ports carry on two tiers, and twice 64 ports of half the rate
_BELOW, _BETWEEN, _ABOVE = f"Up to {_TWO_TIERS:,}", f"Above {_TWO_TIERS:,}, up to {_IN_PLANES:,}", f"Above {_IN_PLANES:,}"


def _planes_save(see) -> str:
    rails, planes = (_line(see, wiring) for wiring in (RAILS, PLANES))
    saved = [gpus for gpus in rails if gpus in planes and planes[gpus] < rails[gpus]]
    return _BELOW if min(saved) <= _TWO_TIERS else _BETWEEN if max(saved) <= _IN_PLANES else _ABOVE


def _carries(see) -> bool:
    return _line(see, RAILS).get(_IN_PLANES) == min(_line(see, RAILS).values())


GROWTH = (
    Number("climb", "Follow the solid line to the right. Where it climbs a tier is added.",
           "How many more switch ports does each GPU take from there on?", kind="ratio", unit="ports", example="7 ports",
           at={"radix": 64, "oversubscription": 1}, answer=_climb,
           slips={"that is the height it climbs to; asked is the step": lambda see: max(_line(see, RAILS).values())},
           saw="One at the end of a cable from a tier up, and one at its other end. Ports are what one pays for."),
    Choice("planes", "Dashed: each NIC has two ports of half the rate, into two networks whose switches have their ports split.",
           "For how many GPUs does that save a tier?", options=[_BELOW, _BETWEEN, _ABOVE], answer=_planes_save,
           at={"radix": 64, "oversubscription": 1},
           hints=dict.fromkeys((_BELOW, _ABOVE), "Where is the dashed line below the solid one?"),
           saw="Half the rate a port is twice the ports a switch. Alibaba's network HPN stays at two tiers with "
               "{{ thousands(hpn.gpus) }} GPUs that way, and by leaves whose {{ hpn_down }} ports down are half as fast as "
               "their {{ hpn_up }} up."),
    Find("radix", "Start with small switches, and take larger ones.",
         "With which does the solid line carry 8,192 GPUs on two tiers? Stop there.", control="radix",
         at={"radix": 16, "oversubscription": 1}, accepts=_carries,
         hint="The solid line is to be at its lowest at 8,192 GPUs.",
         saw="Two tiers carry half the square of the radix: twice the ports, four times the GPUs."),
)


# ---- a leaf a rail, or a leaf a server ----

def _seconds(see, cabling: str, **at) -> dict[str, float]:
    table = see(**at)
    return {what: s for what, name, s in zip(table["what"], table["cabling"], table["seconds"], strict=True) if name == cabling}


_NOT, _TWICE, _MANY = "Not at all", "About twice as long", "Several times as long"


def _full_bisection(see) -> str:
    rail, server = (_seconds(see, cabling) for cabling in (BY_RAIL, BY_SERVER))
    worst = max(server[plan] / rail[plan] for plan in PLANS)
    return _NOT if worst < 1.05 else _TWICE if worst < 2.5 else _MANY


def _needs_spines(see) -> str:
    full, thin = (_seconds(see, BY_RAIL, thin=thin) for thin in (min(see.values["thin"]), max(see.values["thin"])))
    return max(PLANS, key=lambda plan: thin[plan] / full[plan])


_RING, _, _FLAT, _BY_RAIL_FIRST = PLANS


def _one_ring(see) -> float:
    return _seconds(see, BY_RAIL, rings=1)[_RING] / _seconds(see, BY_RAIL)[_RING]


def _pair_by_pair_wins(see) -> bool:
    """The smallest of these buffers for which pair by pair is the quicker way."""

    def wins(nbytes) -> bool:
        times = _seconds(see, BY_RAIL, nbytes=nbytes)
        return times[_FLAT] < times[_BY_RAIL_FIRST]

    return wins(see.at["nbytes"]) and not wins(see.at["nbytes"] / 2)


CABLINGS = (
    Choice("full", "One port up for each port down: full bisection. The number beside a pair compares the two cablings.",
           "How much longer does a leaf a server take?", options=[_NOT, _TWICE, _MANY], answer=_full_bisection,
           at={"thin": 1, "rings": SIZE, "nbytes": 2.0**30},
           hints={_TWICE: "Read the numbers beside the pairs.", _MANY: "Read the numbers beside the pairs."},
           saw="With all their spines the two cablings are equal, in this model."),
    Choice("spines", "Now take cables away: more ports down for each port up, as far as it goes.",
           "Which one of the four slows down on the rails too? Click it, or choose.", options=list(PLANS), answer=_needs_spines,
           field="what", at={"thin": 1, "rings": SIZE, "nbytes": 2.0**30},
           hints={plan: "Watch the circles: this one stays where it is." for plan in PLANS if plan != _FLAT},
           saw="The others never go up on rails. With a leaf a server everything that leaves a server goes through the few ports "
               "up: the short cables are the dear ones."),
    Number("ring", "One ring instead of eight, on the rails.",
           "How many times as long does the flat ring take?", kind="ratio", unit="times",
           at={"thin": 1, "rings": SIZE, "nbytes": 2.0**30}, answer=_one_ring,
           saw="One ring uses one NIC of each server, and seven wait. Now the sum on two levels is quicker: it uses all."),
    Find("larger", "One port up for each port down, and a small buffer: by rail is the quicker all-to-all. Make it larger.",
         "From which of these on is pair by pair the quicker one? Stop there.", control="nbytes",
         at={"thin": 1, "nbytes": 2.0**16}, accepts=_pair_by_pair_wins,
         hint="The sentence ends with both times: pair by pair is to be the shorter one, and the longer one a step before.",
         saw="Small blocks are about starts: by rail each NIC sends to {{ SERVERS - 1 }} partners instead of {{ GPUS - SIZE }}. "
             "Large ones about bytes: there the extra trip over NVLink costs more, unless spines are thin."),
)


# ---- one ring ----

def _leaves_used(see) -> int:
    return ringed.used(see.at["cabling"], see.at["ring"], ringed.LAST)[0]


_A_SPINE, _A_LEAF, _NO_SWITCH = "Over a spine, each time", "Over one leaf, each time", "Over no switch"


def _how_over(see) -> str:
    return _A_SPINE if ringed.used(see.at["cabling"], see.at["ring"], ringed.LAST)[1] == ringed.LAST // 2 else _A_LEAF


RING = (
    Number("leaves", "Play the ring once round: the ball is where the data are. Try another ring: click a GPU.",
           "How many of the eight leaves does one ring use?", kind="ratio", unit="leaves", example="7 leaves",
           at={"cabling": BY_RAIL, "ring": 0, "step": 0}, answer=_leaves_used,
           slips={"that is all of them; count those that a thick line meets": ringed.LAST // 2},
           saw="It comes in on one rail, crosses the server inside, over NVLink, and goes out on the other. No spine is met, and "
               "eight rings keep all eight rails busy."),
    Choice("over", "Now a leaf a server: play it again.", "How does the ring get from server to server?",
           options=[_A_LEAF, _A_SPINE, _NO_SWITCH], answer=_how_over, at={"cabling": BY_SERVER, "ring": 0, "step": 0},
           hints={_A_LEAF: "That was on rails. Where does the ball turn round now?",
                  _NO_SWITCH: "NVLink ends at the server's wall. Watch the ball."},
           saw="Four cables a pass instead of two. With all eight rings {{ nics_at_work(BY_SERVER, SIZE)[1] }} cables to spines "
               "are in use, on rails {{ nics_at_work(BY_RAIL, SIZE)[1] }}."),
)
