"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from .tables import RANKS, SERVER, SUPERNODES, kunlun, label, rack

_RACK = label(rack)
_NO_RATE, _NOT_BUILT, _ALONE = "No source gives their links' rate", "None of them is built yet", "Their GPUs have no own links"
_RATE, _SHARE, _NONE = "One of them: a rate", "One of them: a share of a rate", "None: ratios without their base"


def _rates(see, machine: str) -> list:
    """What is drawn of a machine: over its own links, while all send to all, out of it; None where there is no sign."""
    table = see()
    return [rate for name, rate in zip(table["machine"], table["rate (GB/s)"], strict=True) if name == machine]


def _in_common(see) -> str:
    """What the machines without a sign for their own links have in common, tried on their rows of the catalogue."""
    silent = [one for one in SUPERNODES if not _known(_rates(see, label(one))[0])]
    if not any(one.status == "in use" for one in silent):
        return _NOT_BUILT
    return _NO_RATE if not any(one.rated for one in silent) else _ALONE


def _known(rate) -> bool:
    return rate is not None and rate == rate


def _inside_over_out(see) -> float:
    own, _, out = _rates(see, see.at["machine"])
    return own / out


def _falls_most(see) -> bool:
    """Of all machines, the one whose GPUs have least of their links' rate while all send to all."""
    falls = {name: own / everyone for name in see.values["machine"] for own, everyone, _ in [_rates(see, name)] if _known(own)}
    return see.at["machine"] == max(falls, key=lambda name: falls[name])


def _usable(see) -> str:
    """Whether a claim has a unit that one can compute a time with."""
    used = {claim.unit for one in SUPERNODES for claim in one.claims}
    return _RATE if any(unit.endswith("B/s") for unit in used) else _NONE if used <= {"x", "%"} else _SHARE


WHAT_IS_KNOWN = (
    Choice("silent", "Look for the rows that have no blue sign.", "What do these machines have in common?",
           options=[_NOT_BUILT, _NO_RATE, _ALONE], answer=_in_common, at={"machine": _RACK},
           hints={_NOT_BUILT: "Click the smallest machine of all, and read in the sentence whether it is in use.",
                  _ALONE: "They have links of their own, or they would be no supernodes. What does the sentence miss?"},
           saw="They may be good machines. But a time cannot be computed from a rate that nobody has published, so the model "
               "refuses, and their rows stay empty."),
    Number("times", "Click the row of the GB200 NVL72.",
           "How many times as much does each of its GPUs send inside as out of the rack?", kind="ratio", unit="times",
           answer=_inside_over_out, at={"machine": _RACK},
           slips={"that takes both directions of the one and one direction of the other": lambda see: 2 * _inside_over_out(see)},
           saw="Everything that leaves the rack goes through a port {{ digits(rack.rate / rack.out, 2) }} times as thin. That "
               "gap, and no metal sheet, is the edge of the machine."),
    Find("falls", "Some machines give a GPU the same whether one neighbour listens or all do; others do not.",
         "Whose GPUs lose most while all send to all? Choose it.", control="machine", accepts=_falls_most, at={"machine": _RACK},
         hint="Look for the widest gap between a blue circle and the blue square in the same row.",
         saw="A torus joins each chip to six neighbours. To reach the far side a byte takes up a link at every chip on its way: "
             "{{ si(pod.rate, 'B/s') }} of links leave {{ si(each_to_all(pod), 'B/s') }}."),
    Choice("claims", "Show the claims too, and read in the sentence what is claimed of this one.",
           "With which of these claims can one compute the time of an all-to-all?", options=[_RATE, _SHARE, _NONE],
           answer=_usable, at={"machine": label(kunlun), "show": "claims too"},
           hints={_RATE: "Look at their units: is there one in bytes per second?",
                  _SHARE: "A share of which rate? Look for that rate in the sentence."},
           saw="Eight times, ten times, so many per cent: of what, doing what? Further down you find out what can be said about "
               "such a figure all the same."),
)

_IN, _OUT, _ALIKE = "The links inside the domain", "The network port", "Both, half and half"
_QUARTER, _HALF, _MOST = "About a quarter of the time", "About half of the time", "Nearly all of the time"


def _time(see, **controls) -> float:
    """The time that the lab tells: where its dot is."""
    return next(seconds for seconds in see(**controls)["here"] if _known(seconds))


def _decides(see) -> str:
    table = see()
    at = [_known(seconds) for seconds in table["here"]].index(True)
    return _OUT if table["part"][at] == table["part"][-1] else _IN


def _nothing_leaves(see) -> bool:
    """The smallest domain that takes all ranks."""
    return see.at["domain"] == min(domain for domain in see.values["domain"] if domain >= see.at["ranks"])


def _saved(see) -> str:
    saved = 1 - _time(see) / _time(see, domain=SERVER)
    return _QUARTER if saved < 3 / 8 else _HALF if saved < 3 / 4 else _MOST


INSIDE_AND_ACROSS = (
    Choice("decides", "Eight GPUs a domain, experts spread over 64.", "Which wire decides how long it takes?",
           options=[_IN, _OUT, _ALIKE], answer=_decides, at={"domain": SERVER, "ranks": RANKS},
           hints={_IN: "Both lines show how long their wires are busy. Where is the dot?",
                  _ALIKE: "The axis is logarithmic: how far apart are the two lines above 8?"},
           saw="The port is busy for {{ si(all_to_all(SERVER, RANKS, rack.rate, rack.out)[1], 's') }}, "
               "the links inside for {{ si(all_to_all(SERVER, RANKS, rack.rate, rack.out)[0], 's') }} of these."),
    Find("nothing", "Make the domain larger, one step at a time.",
         "What is the smallest domain that nothing has to leave? Stop there.", control="domain", accepts=_nothing_leaves,
         at={"domain": SERVER, "ranks": RANKS}, hint="The sentence says how much leaves. It must be none, and one step before, "
                                                     "some.",
         saw="As many as the experts are spread over. One GPU fewer, and a part of the bytes is outside again."),
    Number("last", "Compare domains of 32 and of 64 GPUs.", "How many times as long does it take with 32?",
           kind="ratio", unit="times", answer=lambda see: _time(see) / _time(see, domain=64), at={"domain": 32, "ranks": RANKS},
           slips={"that is how many times as large the domain is": 2.0,
                  "that is how many times as thin the port is": lambda see: rack.rate / rack.out},
           saw="The last doubling does most: while half of the bytes still leave, the port decides."),
    Choice("wider", "Now spread the experts over 256 GPUs, in domains as large as the rack.",
           "How much time does the rack save against servers of 8?", options=[_QUARTER, _HALF, _MOST], answer=_saved,
           at={"ranks": 256, "domain": rack.gpus},
           hints={_MOST: "That is so where everything fits into one domain. Read both times in the sentence.",
                  _HALF: "Read the time with 8, and the time in the rack, and divide."},
           saw="Most bytes still leave the rack. A domain pays off for what fits into it: so the experts are spread to fit the "
               "domain, and not the other way round."),
)
