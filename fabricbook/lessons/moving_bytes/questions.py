"""Latency and bandwidth, the size at which they matter alike, units, directions."""

from fabriclib import units
from fabriclib.links import AlphaBeta

from ...course.declare import Exercise, Prediction
from .tables import a100, copied, h100, nvlink, port, small

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


def _larger_than_a_small_one(n_half) -> str:
    over = {one.name: n_half(one.latency, one.bandwidth()) for one in (h100, port)}
    said = " and ".join(f"{units.format(size)} on {name}" for name, size in over.items())
    return f"With your function: half the rate takes {said}; a message of {units.format(small)} reaches it on neither."



def _of_each_generation(gpu_rate) -> str:
    rates = [gpu_rate(one.per_device, one.lanes, 8 * one.lane_rate, one.code_rate) for one in (nvlink[1], h100, nvlink[5])]
    first, fourth, fifth = (units.format(rate, "B/s") for rate in rates)
    return (f"With your function: {first} for a {nvlink[1].device}, {fourth} for an {h100.device}, {fifth} for a "
            f"{nvlink[5].device}: in five generations {rates[-1] / rates[0]:.3g} times as much, one way.")


EXERCISES = [
    Exercise(
        "moving_bytes.n-half",
        "Write n_half: the message size, in bytes, that reaches half the rate.",
        "n_half",
        lambda alpha, rate: AlphaBeta(alpha, 1 / rate).n_half,
        "def n_half(alpha, rate):\n    return alpha * rate\n",
        cases=[(0.6e-6, 450e9), (2.7e-6, 50e9), (10e-6, 25e9)],
        wrong=[
            ("alpha / rate", "Check the units: seconds divided by bytes per second is no number of bytes."),
            ("2 * alpha * rate", "At that size the message runs at 2/3 of the rate. Set alpha + n / rate = 2 n / rate "
                                 "and solve for n."),
            ("alpha * rate / 2", "At that size the message runs at 1/3 of the rate. Set alpha + n / rate = 2 n / rate "
                                 "and solve for n."),
            ("8 * alpha * rate", "That is in bits: the rate is in bytes per second already, so no factor of 8."),
            ("alpha * rate / 8", "The rate is in bytes per second already, so no factor of 8."),
            ("rate / alpha", "Check the units: bytes per second divided by seconds is no number of bytes."),
            ("rate / 2", "That is half the rate, in bytes per second. Asked is the size of a message that reaches it."),
        ],
        follows=_larger_than_a_small_one,
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
        follows=_of_each_generation,
    ),
]
