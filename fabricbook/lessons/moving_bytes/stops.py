"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from .tables import a100, h100, nvlink, port, small

# ---- latency and bandwidth ----

_LEFT, _RIGHT, _STAYED = "To the left: a smaller message", "To the right: a larger message", "It stays where it is"


def _seconds(see, **at) -> float:
    """What the message takes: its bytes over the rate it reaches."""
    table, nbytes = see(**at), at.get("nbytes", see.at["nbytes"])
    return nbytes / table["rate"][table["size"].index(nbytes)]


def _sooner(**at):
    """How many times as fast the message gets there with one control moved."""
    return lambda see: _seconds(see) / _seconds(see, **at)


def _half_reached(see) -> bool:
    """The smallest message that reaches half the rate."""
    return see.at["nbytes"] / 2 < see()["n half"][0] <= see.at["nbytes"]


def _line_moved(see) -> str:
    before, after = (see(latency=one.latency, bandwidth=one.line)["n half"][0] for one in (h100, port))
    return _LEFT if after < before else _RIGHT if after > before else _STAYED


ALPHA_BETA = (
    Number("rate", "Say what you expect of {{ si(small) }}. Then make the bandwidth twice as large, and read both times.",
           "How many times as fast does the message get there?", kind="ratio", unit="times", example="3 times",
           answer=_sooner(bandwidth=2 * h100.line), at={"nbytes": small, "latency": h100.latency, "bandwidth": h100.line},
           slips={"twice the rate halves the bytes' part of the time, and not the start": 2.0},
           saw="{{ digits(see()['n half'][0] / (see()['n half'][0] + small) * 100) }} % of the time was the start, and that did "
               "not get shorter."),
    Number("start", "Put the bandwidth back, and halve the latency instead.",
           "How many times as fast does the same message get there now?", kind="ratio", unit="times", example="3 times",
           answer=_sooner(latency=h100.latency / 2), at={"nbytes": small, "latency": h100.latency, "bandwidth": h100.line},
           slips={"half the start halves the start's part of the time, and not the bytes'": 2.0},
           saw="For a small message a shorter start brings far more than a faster wire."),
    Choice("line", "Now {{ si(port.latency, 's') }} and {{ si(port.line, 'B/s') }}, about what a 400G network port offers.",
           "Where does the dashed line go, seen from that of the GPU's links?", options=[_LEFT, _STAYED, _RIGHT],
           answer=_line_moved, at={"nbytes": small, "latency": h100.latency, "bandwidth": h100.line},
           hints={_RIGHT: "The start is longer, but by how much is the rate smaller?",
                  _STAYED: "Move both controls, and watch the dashed line."},
           saw="The rate fell more than the start grew: on the slower wire half the rate takes a smaller message."),
    Find("half", "Stay at the network port, and make the message larger.",
         "Which is the first message that reaches half the rate? Stop there.", control="nbytes", accepts=_half_reached,
         at={"nbytes": 2.0**3, "latency": port.latency, "bandwidth": port.line},
         hint="Bring the dot to the dashed line, and one step beyond where it does not lie on it.",
         saw="There the start and the bytes take about as long as each other: look at the bar."),
)

# ---- the ladder ----

_STEPS = {f"{n} to {n + 1}": (nvlink[n], nvlink[n + 1]) for n in (1, 2, 3, 4)}
_FASTER, _PACKETS, _CODE = "Faster lanes, and more links", "Larger packets", "A line code that costs less"


def _most(_see) -> str:
    return max(_STEPS, key=lambda step: _STEPS[step][1].line - _STEPS[step][0].line)


def _made_up(_see) -> str:
    """What grew wherever the lanes of a link were halved."""
    halved = [(before, after) for before, after in _STEPS.values() if 2 * after.lanes == before.lanes]
    faster = all(after.lane_rate > 1.5 * before.lane_rate and after.per_device > before.per_device for before, after in halved)
    return _FASTER if faster else _CODE


def _printed(see) -> str:
    """Which bar the vendor's headline belongs to."""
    table = see()
    headline = table["published (GB/s)"][table["stage"].index("vendor, both ways")]
    bars = {stage: rate for stage, rate in zip(table["stage"], table["rate (GB/s)"], strict=True) if rate == rate}
    return min(bars, key=lambda stage: abs(bars[stage] - headline))


def _as_an_a100(see) -> bool:
    """The fewest links of this generation that carry what all links of an A100 do."""
    return (see.at["links"] - 1) * h100.line / h100.count < a100.line <= see.at["links"] * h100.line / h100.count


LADDER = (
    Choice("headline", "All links of an H100. The lower diamond is the vendor's headline.",
           "Which bar says the same?", options=["raw, one way", "line, one way", "line, both ways"], answer=_printed,
           at={"generation": 4, "links": h100.count},
           hints={"raw, one way": "Compare the diamond's number with those beside the bars.",
                  "line, one way": "The diamond is twice as far to the right."},
           saw="The headline adds up both directions. A copy goes one way, and reaches a little less than the line rate."),
    Choice("step", "The last row has the line rates of all generations, one way, with all links of their GPU.",
           "Which step brought the most?", options=list(_STEPS), answer=_most, at={"generation": 4, "links": h100.count},
           hints={"1 to 2": "The marks are how far apart there?", "2 to 3": "It doubled, but from how much?"},
           saw="The step to NVLink 5: {{ si(nvlink[5].line - h100.line, 'B/s') }}, by lanes "
               "{{ digits(nvlink[5].lane_rate / h100.lane_rate) }} times as fast."),
    Choice("lanes", "Go from generation to generation, and read the sentence: at two steps the lanes of a link were halved.",
           "What made up for it?",
           options=[_PACKETS, _FASTER, _CODE], answer=_made_up,
           hints={_PACKETS: "The line rate comes before packets. What does the sentence say of a lane?",
                  _CODE: "Compare the raw bar with the line bar: how much is there to win?"},
           saw="Each lane became about twice as fast, and the GPU got more links: {{ a100.per_device }} for "
               "{{ nvlink[2].per_device }}, then {{ h100.per_device }} for {{ a100.per_device }}."),
    Find("a100", "An A100's NVLink carries {{ si(a100.line, 'B/s') }} one way. Take links of NVLink 4.",
         "How many of them carry as much? Stop at the fewest.", control="links", accepts=_as_an_a100,
         at={"generation": 4, "links": 1}, hint="Read the line rate, one way: it is to be as much, and less with one link fewer.",
         saw="A link of NVLink 3 and one of NVLink 4 carry the same: the newer one does it with half the lanes."),
)
