"""Lesson 01: latency and bandwidth, the size at which they matter alike, units, directions."""

from ... import units
from ...links import AlphaBeta, link
from ..declare import Exercise, Prediction


def _h100():
    """All eighteen links of one H100, in one direction."""
    one = link("nvlink4")
    return one.bundle(one.per_device)


PREDICTIONS = [
    Prediction(
        "01.small",
        "A GPU sends 64 KiB to its neighbour. The links between them start a message in 0.6 us and then move "
        "450 GB/s. How long does the message take?",
        "time", lambda: _h100().time(64 * units.KiB),
        "The 64 KiB themselves take only 0.15 us; the start takes 0.6 us. Four fifths of the time the wires carry nothing: "
        "for small messages latency is everything, and a faster link changes almost nothing.",
        slips={
            "that is the bytes alone; the message must also start": lambda: 64 * units.KiB / _h100().bandwidth(),
            "that is the start alone; the bytes take a little too": lambda: _h100().latency,
        },
    ),
    Prediction(
        "01.half-rate",
        "On the same links: how large must a message be to run at half of their 450 GB/s?",
        "size", lambda: _h100().alpha_beta.n_half,
        "At half the rate, half the time goes into starting and half into moving bytes. So the bytes take "
        "as long as the start: 0.6 us at 450 GB/s. This size is called n-half.",
        slips={"at that size the message runs at two thirds of the rate; half the rate needs bytes that take as long as the "
               "start": lambda: 2 * _h100().alpha_beta.n_half},
    ),
    Prediction(
        "01.copy",
        "A datasheet says: NVLink, 900 GB/s per GPU. You copy 45 GB from one H100 to another. How long does it take at least?",
        "time", lambda: 45 * units.GB / _h100().bandwidth(),
        "Vendors of GPUs add up both directions. A copy goes one way, so it gets 450 GB/s at the very best.",
        per_direction=True,
    ),
]

EXERCISES = [
    Exercise(
        "01.n-half",
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
        ],
    ),
    Exercise(
        "01.line-rate",
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
            ("links * lanes * bits_per_second / 8 / code",
             "The line code costs rate, it does not add any: multiply by code, do not divide."),
        ],
    ),
]
