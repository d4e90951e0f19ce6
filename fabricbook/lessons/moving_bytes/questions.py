"""Latency and bandwidth, the size at which they matter alike, units, directions."""

from fabriclib import units
from fabriclib.links import AlphaBeta

from ...course.declare import Exercise, Prediction
from .tables import (
    CUT,
    GRADIENT,
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


def _of_each_generation(gpu_rate) -> str:
    rates = [gpu_rate(one.per_device, one.lanes, 8 * one.lane_rate, one.code_rate) for one in (nvlink[1], h100, nvlink[5])]
    first, fourth, fifth = (units.format(rate, "B/s") for rate in rates)
    return (f"With your function: {first} for a {nvlink[1].device}, {fourth} for an {h100.device}, {fifth} for a "
            f"{nvlink[5].device}: in five generations {rates[-1] / rates[0]:.3g} times as much, one way.")


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
        "Write gpu_rate: the line rate of a GPU in one direction, in bytes per second.",
        "gpu_rate",
        lambda links, lanes, bits_per_second, code: links * lanes * bits_per_second / 8 * code,
        "def gpu_rate(links, lanes, bits_per_second, code):\n"
        "    raw = links * lanes * bits_per_second / 8\n"
        "    return raw * code\n",
        cases=[(18, 2, 106.25e9, 16 / 17), (4, 8, 20e9, 1.0), (18, 2, 212.5e9, 16 / 17)],
        wrong=[
            ("links * lanes * bits_per_second * code", "That is in bits per second: eight bits make a byte."),
            ("links * lanes * bits_per_second / 8", "That is the raw rate. The line code takes its share: multiply by code."),
            ("2 * links * lanes * bits_per_second / 8 * code",
             "That counts both directions, as a datasheet does. Asked for is one."),
            ("links * bits_per_second / 8 * code", "A link has several lanes side by side: multiply by lanes."),
            ("lanes * bits_per_second / 8 * code", "That is one link. The GPU has several: multiply by links."),
            ("links * lanes * bits_per_second / 8 * 16 / 17",
             "That is right for NVLink 4 only. The fraction comes in as code: use it."),
            ("links * lanes * bits_per_second",
             "That is the raw rate, in bits: eight bits make a byte, and the line code takes its share."),
            ("lanes * bits_per_second / 8", "That is one link, and its raw rate: multiply by links and by code."),
            ("links * lanes * bits_per_second / 8 / code",
             "The line code costs rate, it does not add any: multiply by code, do not divide."),
        ],
        nudge="Begin with one lane, then multiply by all that there are; two things make the raw bits into bytes that count.",
        half="def gpu_rate(links, lanes, bits_per_second, code):\n"
             "    bits = links * lanes * bits_per_second\n"
             "    return ...\n",
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
