"""What lesson "Start here" stands on: one GPU's way out at each tier, and what it takes to train a model."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import collective_time
from fabriclib.collectives.busbw import factor
from fabriclib.links import Link, link
from fabriclib.measurements import published
from fabriclib.shown import digits

from ...course.story import GPUS, GRADIENT, PARAMETERS

a100, h100 = (one.bundle(one.per_device) for one in (link("nvlink3"), link("nvlink4")))
slot, port = link("pcie5", lanes=16), link("eth400")
WIRES = {f"chip: {h100.per_device} x {h100.name}": h100, "server: PCIe 5 x16": slot, f"cluster: {port.name}": port}

ring_share = factor("all_reduce", GPUS)  # buffers that a GPU sends

peak = catalog.figure("h100-peak").value
reached = catalog.figure("llama3-used").value
llama_parameters = catalog.figure("llama3-parameters").value
llama_tokens = catalog.figure("llama3-tokens").value
tokens_in_a_step = 4096  # that one GPU reads, an example's own number
CHIPS = np.array([2.0**k for k in range(0, 18)])
office = link("eth10")
LOGGED = [64, 64 * units.KiB, units.GiB]  # bytes of the messages in the log of an unknown wire
logged = [float(slot.time(nbytes)) for nbytes in LOGGED]


def training_flop(model: str) -> float:
    """Return the operations it takes to train *model*: 6 a parameter and token (Kaplan et al., 2020)."""
    return 6 * catalog.figure(f"{model}-parameters").value * catalog.figure(f"{model}-tokens").value


def training_seconds(model: str, chip: str) -> np.ndarray:
    """Return how long so many CHIPS train *model* at the share of their peak that Meta reports."""
    return training_flop(model) / (catalog.figure(f"{chip}-peak").value * reached * CHIPS)


def chips_for_a_month(model: str, chip: str) -> str:
    """Return how many chips, in doublings, come nearest to training *model* in a month, to two digits.

    >>> chips_for_a_month("llama3", "h100")
    '33,000'
    """
    away = np.abs(np.log(training_seconds(model, chip) / (30 * 86400)))
    return digits(CHIPS[away.argmin()])


def ring_seconds(wire: Link, nbytes=GRADIENT, gpus: int = GPUS):
    """Return how long a ring of GPUs, each with *wire* to the next, takes for an all-reduce of *nbytes*."""
    return collective_time("all_reduce", "ring", nbytes=nbytes, ranks=gpus, alpha=wire.latency, beta=1 / wire.bandwidth())


def times_nvlink() -> list[float]:
    """Return how many times as long as over NVLink the all-reduce takes over PCIe and over Ethernet."""
    nvlink, *others = map(ring_seconds, WIRES.values())
    return [other / nvlink for other in others]


def computing() -> float:
    """Return the seconds for which a GPU computes in a step, at the share of its peak that Meta reports."""
    return 6 * PARAMETERS * tokens_in_a_step / (peak * reached)


def a_step_in_an_office() -> dict[str, str]:
    """Return the two parts of a step in words, if the GPUs are joined as an office's computers are."""
    return {"each GPU computes for": units.format(computing(), "s"),
            f"then all eight agree, over cables of {units.format(8 * office.line, 'b/s')}, in":
                units.format(ring_seconds(office), "s")}


NVLINK, FASTER, WIDER, MORE = "NVLink", "chips twice as fast", "slots twice as fast", "sixteen chips"


def upgraded(plan: str = "") -> float:
    """Return the tokens a second of each GPU where eight have a slot each, or after one change: compute, then sum."""
    chips = computing() / (2 if plan == FASTER else 1)
    wire = h100 if plan == NVLINK else slot.bundle(2) if plan == WIDER else slot
    return tokens_in_a_step / (chips + ring_seconds(wire, gpus=2 * GPUS if plan == MORE else GPUS))


def log_of_a_wire():
    """Return a DataFrame of text: how long messages took over a wire that nobody named."""
    import pandas as pd

    return pd.DataFrame({"message": [units.format(nbytes) for nbytes in LOGGED],
                         "time": [units.format(seconds, "s") for seconds in logged]})


def beside_the_computing() -> str:
    """Return a sentence: how long a GPU computes in a step, and how long the sum then takes."""
    nvlink, _, ethernet = map(ring_seconds, WIRES.values())
    return (f"At {units.portion(reached)} of its peak an H100 computes for {units.format(computing(), 's')}. The sum then takes "
            f"{units.format(nvlink, 's')} over NVLink, {units.portion(nvlink / computing())} of that, and "
            f"{units.format(ethernet, 's')} over Ethernet, {units.portion(ethernet / computing())}: the wires "
            "decide how long the chips wait.")


def ring_reaches() -> float:
    """Return what a ring of A100 was measured to reach of the wire, with the largest message."""
    run = published("a100x8-nvswitch-ar").iloc[-1]
    return ring_seconds(a100, run["nbytes"]) / run["seconds"]


def runs() -> list:
    """Return two published all-reduces, of eight A100 and of eight H100, where the buffer is large enough for bytes to decide."""
    both = (published(table) for table in ("a100x8-nvswitch-ar", "h100x8-dgx-nvls-ar"))
    return [run[run.nbytes >= 2**27] for run in both]
