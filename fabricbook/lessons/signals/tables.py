"""Losses and reach beside what was published, wrong bits, retimers by channel, and what they cost."""

from __future__ import annotations

import math

import numpy as np

from fabriclib import catalog, signals, units
from fabriclib.measurements import error, percent

from .labs import BOARDS, CHANNELS, GENERATIONS, seen, share_of_bits


def wrong_bits():
    """Return a DataFrame of text: wrong bits of random ones and after the worst pattern, where an eye has just closed."""
    import pandas as pd

    shown = [("PCIe 3", "off", (6, 8, 10, 12)), ("PCIe 5", "on", (12, 14, 18, 24))]
    return pd.DataFrame([{
        "generation": name, "equaliser": equaliser, "inches of FR4": inches, "eye": "open" if found.height > 0 else "closed",
        "wrong of random bits": share_of_bits(found.error_rate), "wrong after the worst pattern": share_of_bits(found.worst_rate),
    } for name, equaliser, lengths in shown for inches in lengths
        for found in [seen(GENERATIONS[name], inches, equaliser, "nothing")[1]]])


def slot_reach(generation: str, board: str) -> float:
    """Return the metres of *board* that *generation* leaves between a CPU and a card in a slot, margin kept."""
    return signals.reach(generation, board, [one for one in signals.channel("slot", board) if one.part.kind != "board"])


def reach_spread() -> tuple[float, float]:
    """Return the least and the greatest factor by which the published losses of an inch would change a reach.

    A board that loses more than the model says reaches less far, in the same proportion. The model itself is the 1.
    """
    stated = [_inch(figure) / figure.value for figure in catalog.figures(quantity="loss per inch in dB")]
    return min([*stated, 1.0]), max([*stated, 1.0])


def _inch(figure) -> float:
    """Return the dB that the model gives for the inch of board of *figure*."""
    return float(signals.part(figure.subject).loss(float(figure.scope.removesuffix(" GHz")) * units.GHz, units.inch))


def _inches(metres: float) -> str:
    """Return a reach as text: whole inches, two digits of them, from the least to the most of `reach_spread`."""
    low, high = (f"{float(f'{round(metres * factor / units.inch):.2g}'):g}" for factor in reach_spread())
    return low if low == high else f"{low} to {high}"


def reach_table():
    """Return a DataFrame of text: inches of board from a CPU to a card in a slot, margin kept: the range of `reach_spread`."""
    import pandas as pd

    return pd.DataFrame({"board": list(BOARDS)} | {
        name: [_inches(slot_reach(id, board)) for board in BOARDS.values()] for name, id in GENERATIONS.items()})


def reach_beside_published():
    """Return a DataFrame of text: how far PCIe 6 reaches on FR4 to a card in a slot, beside a maker's figure without retimer."""
    import pandas as pd

    reached, far, times = slot_reach("pcie6", "fr4"), catalog.figure("aries6-reach"), catalog.figure("aries6-times")
    bare = far.value / times.value * units.inch
    return pd.DataFrame([{
        "published": f"up to {times.value:g} times as far, or around {far.value:g} inches",
        "so without retimer": f"{bare / units.inch:.0f} inches", "model": f"{_inches(reached)} inches",
        "error": " to ".join(percent(error(reached * factor, bare)) for factor in reach_spread()),
    }])


def needed_table(generation: str):
    """Return a DataFrame: how many retimers each channel needs with each board material."""
    import pandas as pd

    counts = {name: signals.by_board(id, generation) for name, id in CHANNELS.items()}
    return pd.DataFrame({"channel": list(CHANNELS)} | {
        name: ["more" if found[board] is None else found[board] for found in counts.values()] for name, board in BOARDS.items()})


def loss_beside_published():
    """Return a DataFrame of text: losses that set no constant of the model beside what the model gives."""
    import pandas as pd

    def row(what, id, value, unit="dB"):
        figure = catalog.figure(id)
        return {"published": what, "source": figure.source.id, "model": f"{value:.3g} {unit}",
                "stated": f"{figure.value:.3g} {unit}", "error": percent(error(value, figure.value))}

    rows = []
    for figure in catalog.figures(quantity="loss per inch in dB"):
        rows.append(row(f"an inch of {signals.part(figure.subject).name} at {figure.scope}", figure.id, _inch(figure)))
    pcie5, pcie6 = signals.standard("pcie5"), signals.standard("pcie6")
    harness = [signals.segment("cable-connector", 2), signals.segment("thin-cable", 0.35)]
    rest = pcie5.budget - sum(signals.losses([signals.segment(n, 1) for n in ("cpu-package", "card", "cem-connector")],
                                             pcie5.nyquist))
    rows += [row("a harness of 35 cm with its connectors", "harness-35cm", signals.losses(harness, pcie5.nyquist).sum()),
             row("PCIe 5: left for the board", "pcie5-board", rest),
             row("PCIe 5: left of 800 mV at full budget", "pcie5-left", 1e3 * pcie5.swing * 10 ** (-pcie5.budget / 20), "mV"),
             row("four levels cost", "pam4-cost", 20 * math.log10(pcie6.levels - 1))]
    limit = quiet_budget("pcie5")
    rows.append({"published": "PCIe 5: budget, from PCIe 6's noise", "source": "nvidia-bf3-loss", "model": f"{limit:.3g} dB",
                 "stated": f"{pcie5.budget:.3g} dB", "error": percent(error(limit, pcie5.budget))})
    return pd.DataFrame(rows)


def quiet_budget(generation: str) -> float:
    """Return the dB at which the eye of *generation* closes when all of the loss is equalised."""
    loss = np.linspace(1, 60, 5901)
    return float(loss[np.flatnonzero(signals.eye(generation, loss, equalised=loss).height > 0)[-1]])


def latency_beside_read():
    """Return a DataFrame of text: what retimers add one way, and two of them there and back beside a measured read."""
    import pandas as pd

    read = catalog.figure("pcie5-p2p-read").si
    return pd.DataFrame([{
        "part": one.name, "one way": units.format(one.latency, "s"),
        "two, there and back": units.format(4 * one.latency, "s"),
        "of a measured read": units.portion(4 * one.latency / read),
    } for one in map(signals.device, (r["id"] for r in catalog.rows("retimers"))) if one.latency == one.latency])
