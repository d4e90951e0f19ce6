"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from fabriclib.flows import all_to_all, share

from ...course.stops import Choice, Find, Number
from . import adds
from .tables import GPUS, H100, PER_SWITCH, all_reduce_seconds, direct, measured, switched, whole

# ---- where the rate comes from ----

_FACTORS = ["lane rate", "line code", "lanes per link", "links per GPU"]
_STEPS = {f"{n} to {n + 1}": {"old": n, "new": n + 1} for n in range(1, 5)}


def _factors(see, **at) -> dict[str, float]:
    table = see(**at)
    return {step: factor for step, factor in zip(table["step"], table["factor"], strict=True) if step in _FACTORS}


def _longest(see) -> str:
    factors = _factors(see)
    return max(factors, key=lambda step: abs(np.log(factors[step])))


def _lanes(see) -> float:
    """By how much the number of lanes of a GPU grew."""
    factors = _factors(see)
    return factors["lanes per link"] * factors["links per GPU"]


def _slowest(see) -> str:
    return min(_STEPS, key=lambda step: _factors(see, **_STEPS[step])["lane rate"])


WATERFALL = (
    Choice("longest", "From NVLink 1 to 5: each bar is a factor, and equal lengths are equal factors.",
           "Which factor is the largest? Click its bar, or choose.", options=_FACTORS, answer=_longest, field="step",
           at={"old": 1, "new": 5},
           hints={"links per GPU": "Compare the lengths: it is the second largest.",
                  "line code": "That bar is hardly to be seen.",
                  "lanes per link": "That bar goes to the left: there is less of it."},
           saw="The lane: each pair of wires became {{ digits(NEW.lane_rate / OLD.lane_rate, 3) }} times as fast."),
    Number("wires", "Two bars count wires: lanes per link goes to the left, links per GPU to the right.",
           "How many times as many lanes has the newer GPU, both bars together?", kind="ratio", unit="times", answer=_lanes,
           at={"old": 1, "new": 5}, example="3 times",
           slips={"that is links per GPU alone; each link has fewer lanes": lambda see: _factors(see)["links per GPU"]},
           saw="From {{ OLD.lanes * OLD.per_device }} lanes to {{ NEW.lanes * NEW.per_device }}: hardly more wires than before."),
    Choice("least", "Go one generation at a time.", "In which step did the lanes get faster the least?", options=list(_STEPS),
           answer=_slowest, at={"old": 1, "new": 2},
           hints=dict.fromkeys(("2 to 3", "3 to 4", "4 to 5"), "Set the other steps too, and read what is beside “lane rate”."),
           saw="There the links became more, the only time that the number of wires grew."),
)

# ---- eighteen links ----

_SAME, _MORE, _MANY = "Nothing: the total is the same", "Twice as much in all", "As much as for a pair"


def _pair(gpus: int, switches: int | None) -> float:
    """What a single pair gets, opposite each other: wired directly (None), or through so many switches."""
    graph = direct(gpus) if switches is None else switched(gpus, PER_SWITCH[:switches])
    return float(share(graph, [[0, gpus // 2]]).rates[0])


def _left_of_it(see) -> str:
    """What the switches win for all together when all talk to all."""
    gpus = see.at["gpus"]
    through, straight = (share(graph, all_to_all(gpus)).total for graph in (switched(gpus, PER_SWITCH), direct(gpus)))
    return _SAME if through < 1.1 * straight else _MORE if through < 3 * straight else _MANY


def _level(see) -> bool:
    """The most GPUs with which a pair gets as much directly as through the switches."""
    return see.at["gpus"] == max(p for p in see.values["gpus"] if np.isclose(_pair(p, None), _pair(p, len(PER_SWITCH))))


EIGHTEEN = (
    Number("pair", "Two GPUs talk, six are silent. The figures beside GPU 0 are what leaves it.",
           "How many times as much does the pair get through the switches as directly?", kind="ratio", unit="times",
           answer=lambda see: _pair(see.at["gpus"], see.at["switches"]) / _pair(see.at["gpus"], None),
           at={"gpus": GPUS, "pattern": "one pair, opposite", "switches": len(PER_SWITCH)},
           slips={"so many GPUs there are; read the rates below both pictures": GPUS},
           saw="Directly two links belong to this pair, and {{ H100.per_device - 2 }} lie idle. A switch lends all "
               "{{ H100.per_device }} to whoever talks."),
    Find("level", "Take GPUs away.",
         "With how many does the pair get as much directly as through the switches? Stop at the most.",
         control="gpus", accepts=_level, at={"gpus": GPUS, "pattern": "one pair, opposite", "switches": len(PER_SWITCH)},
         hint="Compare “one pair” below both pictures: the same rate is wanted, at the left and at the right.",
         saw="Only when there is nobody else do all links belong to one pair."),
    Choice("all", "Eight GPUs again, and all-to-all: everyone sends to everyone.",
           "What do the switches win for all together?", options=[_SAME, _MORE, _MANY], answer=_left_of_it,
           at={"gpus": GPUS, "pattern": "all-to-all", "switches": len(PER_SWITCH)},
           hints=dict.fromkeys((_MORE, _MANY), "Read “all together” below both pictures."),
           saw="Each GPU is limited by what it can send, with or without a switch. Switches pay for two that talk while "
               "others are silent."),
    Number("single", "One pair again, and now a single switch.", "What does the pair get, one way?", kind="rate",
           answer=lambda see: _pair(see.at["gpus"], 1), at={"gpus": GPUS, "pattern": "one pair, neighbours", "switches": 1},
           slips={"that takes all links of the GPU; only some lead to this switch": whole(H100),
                  "that is a single link; several lead to this switch": H100.line,
                  "that counts both directions; a copy goes one way": 2 * PER_SWITCH[0] * H100.line},
           saw="{{ PER_SWITCH[0] }} links lead to it. With all four switches a copy is striped over all of them."),
)

# ---- the switch adds ----

_NO, _YES, _READING = "No: it sends fewer bytes than in a ring", "Yes, the port is overdriven", "The wire is faster than printed"


def _meets(way: str):
    """Whether the line of a *way* meets what was measured on eight GPUs, as nearly as the slider allows."""

    def meets(see) -> bool:
        moved = all_reduce_seconds(way, GPUS, 1.0) / measured(way)[GPUS]
        return see.at["port"] == min(see.values["port"], key=lambda port: abs(port - moved))

    return meets


def _over(see) -> str:
    """Whether the port moves more than the wire, if the busbw of NVLS lies above the wire."""
    seconds = measured("nvls")[GPUS]
    return _NO if all_reduce_seconds("nvls", GPUS, whole(H100)) < seconds else _YES


def _pays(see) -> bool:
    """The fewest GPUs with which the switch's sum is ready sooner than a ring's."""
    nvls, ring = (lambda p, way=way: all_reduce_seconds(way, p, see.at["port"]) for way in ("nvls", "ring"))
    return see.at["gpus"] == min(p for p in see.values["gpus"] if nvls(p) < 0.999 * ring(p))


SUM = (
    Find("ring", "Both lines assume that a port moves all that the wire can. Lower “a port moves” until the ring's line meets "
                 "the circles.",
         "What does a port really move? Stop there.", control="port", accepts=_meets("ring"),
         at={"shown": "busbw", "gpus": GPUS, "port": whole(H100)},
         hint="The line is to go through the circle at eight GPUs, as nearly as the slider allows.",
         saw="{{ si(port_rate('ring', GPUS), 'B/s') }}: headers, flow control and software take the rest."),
    Find("nvls", "Lower it further, until the line of NVLS meets the diamonds.",
         "What does a port move when the switch adds? Stop there.", control="port", accepts=_meets("nvls"),
         at={"shown": "busbw", "gpus": GPUS, "port": whole(H100)},
         hint="The line is to go through the diamond at eight GPUs, as nearly as the slider allows.",
         saw="{{ si(port_rate('nvls', GPUS), 'B/s') }}, less than in a ring. Why is not published."),
    Choice("over", "The diamonds of six GPUs and more lie above the dashed line of the wire, or near it.",
           "Does a port move more than the wire carries?", options=[_YES, _NO, _READING], answer=_over, at={"shown": "busbw"},
           hints={_YES: "What did you set for the port when the line met the diamonds?",
                  _READING: "The dashed line is the line rate. What does busbw count?"},
           saw="busbw says what a ring would have needed to be as fast. Before you compare it with a wire, ask who added."),
    Find("pays", "Let the port move as much either way, and change the number of GPUs.",
         "From how many GPUs on does the switch's sum beat the ring's? Stop at the fewest.", control="gpus", accepts=_pays,
         at={"shown": "algbw", "gpus": 2, "port": whole(H100)},
         hint="Compare the two dots: that of NVLS is to lie above the other, and not yet with one GPU fewer.",
         saw="With three GPUs both send the same; the more there are, the nearer to twice."),
)

# ---- how it adds ----

_SWITCH, _READER, _WRITER = "No GPU: the switch does", "Each GPU, when it reads", "Each GPU, when it writes"


def _adder(see) -> str:
    return _SWITCH if adds.plan(see.at["gpus"]).counts().reduced == 0 else _READER


def _sent(see) -> float:
    return adds.through_port(see.at["gpus"], len(adds.STEPS) - 1)[0]


def _summed(see) -> bool:
    """The first step after which the switch holds sums of all GPUs."""
    held = adds.held(see.at["gpus"])[:, -1]
    return see.at["step"] == int(np.argmax((held == see.at["gpus"]).all(axis=1)))


ADDS = (
    Find("summed", "The number in a piece is how many GPUs' numbers it is the sum of. Take step by step.",
         "After which step has the switch the sums of all GPUs? Stop there.", control="step", accepts=_summed,
         at={"step": 0, "gpus": 4},
         hint="The switch's pieces are to hold the number of the GPUs, for the first time.",
         saw="One read each, and the switch has added everything up on the way."),
    Choice("adder", "Go on to the end, step by step.", "Which GPU adds?", options=[_READER, _WRITER, _SWITCH], answer=_adder,
           at={"step": 0, "gpus": 4},
           hints={_READER: "Where do the pieces first hold a larger number?", _WRITER: "What it writes is finished already."},
           saw="A GPU adds nothing: it sends its buffer, and gets back a finished part."),
    Number("sent", "Read at the last step what each of the four GPUs has sent.",
           "How many buffers would it send if there were eight?", kind="ratio", unit="times",
           answer=lambda see: adds.through_port(2 * see.at["gpus"], len(adds.STEPS) - 1)[0],
           at={"step": len(adds.STEPS) - 1, "gpus": 4}, example="3 times",
           slips={"that is with four; with eight a part of the sum is smaller": _sent,
                  "that is a ring's": lambda see: all_reduce_seconds("ring", 2 * see.at["gpus"], 1.0, 1.0)},
           saw="Its own buffer, and one part of the sum: the more GPUs, the nearer to one buffer, where a ring goes to two."),
)
