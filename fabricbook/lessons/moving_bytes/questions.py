"""Latency and bandwidth, the size at which they matter alike, units, directions."""

import math

from fabriclib import units
from fabriclib.links import AlphaBeta

from ...course.declare import Exercise, Prediction
from .tables import (
    CUT,
    GRADIENT,
    HURRY,
    OFFERS,
    PACKED,
    SOONER,
    WIDER,
    a100,
    copied,
    copied_in,
    h100,
    nvlink,
    port,
    small,
    stream,
)

PREDICTIONS = [
    Prediction(
        "moving_bytes.small",
        "A GPU sends 64 KiB to its neighbour. The wires between them need {{ si(h100.latency, 's') }} to start a message and "
        "then move {{ si(h100.bandwidth(), 'B/s') }}. How long does the message take?",
        "time", lambda: h100.time(small),
        "The 64 KiB themselves take only {{ si(small / h100.bandwidth(), 's') }}; the start takes {{ si(h100.latency, 's') }}. "
        "For {{ portion(h100.latency / h100.time(small)) }} of the time the wires carry nothing: for small messages "
        "latency decides, and a faster link changes little.",
        slips={
            "that is the bytes alone; the message must also start": lambda: small / h100.bandwidth(),
            "that is the start alone; the bytes take a little too": lambda: h100.latency,
        },
    ),
    Prediction(
        "moving_bytes.half-rate",
        "On the same wires: how large must a message be to run at half of their {{ si(h100.bandwidth(), 'B/s') }}?",
        "size", lambda: h100.alpha_beta.n_half,
        "At half the rate, half the time goes into starting and half into moving bytes. So the bytes take as long as the "
        "start: {{ si(h100.latency, 's') }} at {{ si(h100.bandwidth(), 'B/s') }}. This size is called n-half.",
        slips={"that is half of the rate; asked is how many bytes one message must have": lambda: h100.bandwidth() / 2,
               "at that size the message runs at two thirds of the rate; half the rate needs bytes that take as long as the "
               "start": lambda: 2 * h100.alpha_beta.n_half,
               "at that size the message runs at a third of the rate; half the rate needs bytes that take as long as the start":
               lambda: h100.alpha_beta.n_half / 2},
    ),
    Prediction(
        "moving_bytes.copy",
        "The datasheet of an older GPU, the A100, says: NVLink, {{ si(2 * a100.bandwidth(), 'B/s') }}. You copy "
        "{{ si(copied) }} from one A100 to another. How long does it take at least?",
        "time", lambda: copied / a100.bandwidth(),
        "Vendors of GPUs add up both directions. A copy goes one way, so it gets {{ si(a100.bandwidth(), 'B/s') }} at the very "
        "best.",
        per_direction=True,
    ),
]


def _nearly_all_of_it(size_for) -> str:
    sizes = {one.name: [size_for(share, one.latency, one.bandwidth()) for share in (0.5, 0.9)] for one in (h100, port)}
    said = " and ".join(f"{units.format(half)} and {units.format(most)} on {name}" for name, (half, most) in sizes.items())
    return (f"With your function: half the rate and nine tenths of it take {said}. A message of {units.format(small)} reaches "
            "neither of them.")


def _of_each_generation(links_for) -> str:
    rate = GRADIENT / HURRY
    first, fourth, fifth = (links_for(rate, one.lanes, 8 * one.lane_rate, one.code_rate) for one in (nvlink[1], h100, nvlink[5]))
    return (f"With your function: to copy our {units.format(GRADIENT)} in {units.format(HURRY, 's')} takes {first} links of "
            f"{nvlink[1].name}, {fourth} of {h100.name} and {fifth} of {nvlink[5].name}. An {h100.device} has {h100.per_device}.")


_CHANGES = WIDER, PACKED, SOONER, CUT


def _of_the_offers(offer) -> str:
    other = max((one for one in OFFERS if one != offer), key=lambda one: OFFERS[one][1])
    return (f"Over {offer} a copy of {units.format(GRADIENT)} takes {units.format(copied_in(offer), 's')}. {other} comes next, "
            f"with {units.format(copied_in(other), 's')}: its datasheet adds up both directions.")


def _of_the_stream(change) -> str:
    told = ", ".join(f"{units.format(stream(one), 'B/s')} with {one}" for one in _CHANGES)
    return (f"Now {units.format(stream(), 'B/s')} pass; it would be {told}. For small messages who writes the program often "
            "gains more than who buys the wires.")


EXERCISES = [
    Exercise(
        "moving_bytes.size-for",
        "Write size_for: the message size, in bytes, that reaches a share of the rate.",
        "size_for",
        lambda share, alpha, rate: AlphaBeta(alpha, 1 / rate).n_half * share / (1 - share),
        "def size_for(share, alpha, rate):\n"
        "    n_half = alpha * rate\n"
        "    return n_half * share / (1 - share)\n",
        cases=[(0.5, 0.6e-6, 450e9), (0.9, 0.6e-6, 450e9), (0.75, 2.7e-6, 50e9), (0.1, 10e-6, 25e9)],
        wrong=[
            ("alpha * rate", "That is n-half, which reaches half the rate. It must depend on share."),
            ("2 * share * alpha * rate",
             "That grows in proportion, and for the whole rate it would be a size that one can send. But the start never goes "
             "away: nine tenths take nine times n-half."),
            ("share * alpha * rate", "At half the rate that gives half of n-half. Set alpha + n / rate = n / (share rate) and "
                                     "solve for n."),
            ("alpha * rate * (1 - share) / share",
             "Upside down: the nearer to the whole rate, the larger the message must be."),
            ("alpha * rate / (1 - share)",
             "That is all bytes that the wire could move in the whole time. The message gets the part share of it."),
            ("alpha / rate * share / (1 - share)",
             "Check the units: seconds divided by bytes per second is no number of bytes."),
            ("8 * alpha * rate * share / (1 - share)",
             "That is in bits: the rate is in bytes per second already, so no factor of 8."),
            ("share * rate", "That is the rate it reaches, in bytes per second. Asked is the size of a message that reaches it."),
        ],
        nudge="If the bytes shall take a given share of the time, the start takes the rest of it.",
        half="def size_for(share, alpha, rate):\n"
             "    seconds = alpha / (1 - share)  # of which alpha is the part without bytes\n"
             "    return ...\n",
        follows=_nearly_all_of_it,
    ),
    Exercise(
        "moving_bytes.line-rate",
        "Write links_for: the fewest links that give a GPU at least so many bytes a second, one way, at line rate.",
        "links_for",
        lambda rate, lanes, bits_per_second, code: math.ceil(rate / (lanes * bits_per_second / 8 * code)),
        "import math\n\n\n"
        "def links_for(rate, lanes, bits_per_second, code):\n"
        "    one_link = lanes * bits_per_second / 8 * code\n"
        "    return math.ceil(rate / one_link)\n",
        cases=[(440e9, 2, 106.25e9, 16 / 17), (790e9, 2, 212.5e9, 16 / 17), (70e9, 8, 20e9, 1.0), (1234e9, 4, 50e9, 0.9)],
        wrong=[
            ("rate / (lanes * bits_per_second / 8 * code)", "There are no parts of a link: round up, with math.ceil."),
            ("rate // (lanes * bits_per_second / 8 * code)", "This rounds down: so many links give less than is asked. Round up, "
                                                             "with math.ceil."),
            ("np.ceil(rate / (lanes * bits_per_second * code))", "A link's rate is in bits here, and rate in bytes: eight bits "
                                                                   "make a byte."),
            ("np.ceil(rate / (lanes * bits_per_second / 8))", "That is the raw rate of a link. The line code takes its share: "
                                                                "multiply by code."),
            ("np.ceil(rate / (2 * lanes * bits_per_second / 8 * code))",
             "That counts both directions of a link, as a datasheet does. Asked for is one."),
            ("np.ceil(rate / (bits_per_second / 8 * code))", "A link has several lanes side by side: multiply by lanes."),
            ("np.ceil(rate / (lanes * bits_per_second / 8 / code))",
             "The line code costs rate, it does not add any: multiply by code, do not divide."),
            ("lanes * bits_per_second / 8 * code", "That is what one link carries. How many make the rate that is asked?"),
        ],
        nudge="Begin with one lane: two things make its raw bits into bytes that count. Then one link, then how many.",
        half="import math\n\n\n"
             "def links_for(rate, lanes, bits_per_second, code):\n"
             "    one_link = lanes * ...\n"
             "    return math.ceil(...)\n",
        follows=_of_each_generation,
    ),
    Exercise(
        "moving_bytes.offer",
        "Set offer: which of the four copies {{ si(GRADIENT) }} from one GPU to another soonest?",
        "offer", lambda: min(OFFERS, key=copied_in), 'offer = "eight ports"\n', options=list(OFFERS),
        wrong=[
            ("'NVLink 3'", "Its {{ si(2 * a100.line, 'B/s') }} are both directions added up. A copy goes one way."),
            ("'NVLink 2'", "Its figure is both directions, too, and half of NVLink 3's."),
            ("'PCIe 5'", "It says honestly that it counts both ways; one way it is the slowest of all."),
        ],
        nudge="Turn each line into bytes a second, one way: the four habits above say what to divide by.",
        half="ports = 8 * ...  # bits into bytes\n"
             "nvlink = ... / 2  # one of two directions\n"
             "offer = ...\n",
        follows=_of_the_offers,
    ),
    Exercise(
        "moving_bytes.stream",
        "Set change: with which one change do most bytes a second pass?",
        "change", lambda: max(_CHANGES, key=stream), 'change = "four messages in one"\n', options=_CHANGES,
        wrong=[
            ("'twice the rate'", "That halves the part that is bytes, {{ portion(1 - h100.latency / h100.time(small)) }} of the "
                                 "time. The start is the rest."),
            ("'half the start'", "That helps, and is hard to get. Is there a way to start less often?"),
            ("'each message in four'", "Then every quarter pays a start of its own, and there are four times as many."),
        ],
        nudge="What is most of the time of such a message: the start or the bytes? Who pays it less often?",
        half="seconds = ...  # the start, and the bytes over the rate\n"
             "packed = ...  # one start for four messages' bytes\n"
             "change = ...\n",
        follows=_of_the_stream,
    ),
]
