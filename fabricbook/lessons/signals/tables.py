"""Losses, reach, eyes and retimers, beside what was published; a board's length is in inches, as the lab's slider counts."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, signals, units
from fabriclib.measurements import error, percent
from fabriclib.shown import digits

from ...stage.words import joined, part

GENERATIONS = {signals.standard(row["id"]).name: row["id"] for row in catalog.rows("channel_budgets")}
CHANNELS = {row["name"]: row["id"] for row in catalog.rows("channels")}
BOARDS = {name: id for id, name in signals.boards().items()}
pcie3, pcie4, pcie5, pcie6 = map(signals.standard, ("pcie3", "pcie4", "pcie5", "pcie6"))

DEVICES = [signals.device(row["id"]) for row in catalog.rows("retimers")]
FASTEST, SLOWEST = (f(one.latency for one in DEVICES if one.kind == "retimer" and one.latency == one.latency) for f in (min, max))
limit, fast, redriver = map(signals.device, ("pcie4-limit", "xpressconnect-g5", "ds320pr822"))
board_cost, engineer, read = map(catalog.figure, ("megtron6-cost", "fr4-loss-8ghz", "pcie5-p2p-read"))

INCHES, START = range(31), 4  # what the lab's board offers, and where it starts


def decibels(factor: float) -> float:
    """Return the dB that leave one part in *factor* of a voltage."""
    return 20 * math.log10(factor)


half, tenth, gap = decibels(2), decibels(10), decibels(pcie6.levels - 1)
halvings = round(pcie5.budget / half)


def left(divisor: float = 20) -> float:
    """Return the mV that arrive over all that PCIe 5 allows; a *divisor* of 10 takes the rule for power."""
    return 1e3 * pcie5.swing * 10 ** (-pcie5.budget / divisor)


def gauge(awg: int) -> float:
    """Return the metres that a wire is thick, by the definition of the American wire gauge."""
    return 0.127e-3 * 92 ** ((36 - awg) / 39)


def slot_with(inches: float) -> tuple[signals.Segment, ...]:
    """Return the channel to a card in a slot with *inches* of FR4 in place of its usual board."""
    whole = signals.channel("slot", "fr4")
    boards = [signals.segment("fr4", inches)] if inches else []
    at = next(i for i, one in enumerate(whole) if one.part.kind == "board")
    return (*whole[:at], *boards, *whole[at + 1:])


def seen(generation: str, inches: float, equaliser: str, helper: str) -> tuple[float, signals.Eye]:
    """Return the dB and the eye at the receiver, or with a retimer at the worse of its two receivers."""
    asked, segments = signals.standard(generation), slot_with(inches)
    loss, noise = float(signals.losses(segments, asked.nyquist).sum()), None
    if helper != "nothing" and inches:
        plan = signals.place(segments, generation, 1)
        if helper == "a retimer":
            loss = max(plan.stretches)
        else:
            loss, noise = signals.redriven(generation, *plan.stretches, redriver.db)
    equalised = None if equaliser == "on" else 0
    return float(loss), signals.eye(generation, loss, equalised=equalised, noise=noise)


@functools.cache
def furthest(generation: str, equaliser: str, helper: str = "nothing") -> int:
    """Return the inches of FR4 up to which the eye stays open."""
    return max(inches for inches in INCHES if seen(generation, inches, equaliser, helper)[1].height > 0)


def first_shut() -> int:
    """Return the inches at which PCIe 3 has no eye any more without an equaliser."""
    return furthest("pcie3", "off") + 1


def last_open() -> int:
    """Return the inches up to which PCIe 5 has an eye."""
    return furthest("pcie5", "on")


def amplified() -> int:
    """Return the inches up to which PCIe 5 has an eye behind a redriver."""
    return furthest("pcie5", "on", "a redriver")


def wrong(generation: str, inches: int, equaliser: str) -> str:
    """Return the share of random bits that are wrong, as text."""
    return share_of_bits(seen(generation, inches, equaliser, "nothing")[1].error_rate)


def power(share: float) -> str:
    """Return one part in so many as text, the nearest power of ten.

    >>> power(1e-12)
    '10¹²'
    """
    return "10" + f"{-math.log10(share):.0f}".translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def share_of_bits(share: float) -> str:
    """Return a share of wrong bits as text, to two digits while it is large."""
    if share > 0.001:
        return f"{digits(100 * share)} %"
    return f"about one in {power(share)}" if share > 1e-30 else f"fewer than one in {power(1e-30)}"


# Four designs of a GPU baseboard for PCIe 5: the board's material, and how many retimers.
DESIGNS = {"Megtron 6, no retimer": ("megtron6", 0), "FR4, no retimer": ("fr4", 0), "FR4, one retimer": ("fr4", 1),
           "tetra-functional FR4, one retimer": ("fr4-tetra", 1)}
LONG = 24  # inches of FR4 whose eye is shut
HELP = "nothing", "a redriver", "a retimer"


def lacks(design: str) -> int:
    """Return how many retimers more than it has a design of the baseboard needs."""
    board, has = DESIGNS[design]
    return signals.by_board("baseboard", "pcie5")[board] - has


def opened(helper: str) -> float:
    """Return the height of PCIe 5's eye behind LONG inches of FR4 with a helper on the board; zero where it is shut."""
    return max(seen("pcie5", LONG, "on", helper)[1].height, 0.0)


def inch_loss():
    """Return a DataFrame: the dB of an inch of each board at the Nyquist frequency of each generation."""
    import pandas as pd

    return pd.DataFrame({
        name: {board: round(signals.part(part).loss(signals.standard(id).nyquist, units.inch), 2)
               for board, part in BOARDS.items()} for name, id in GENERATIONS.items()})


def asked_table():
    """Return a DataFrame of text: what each generation asks of a channel."""
    import pandas as pd

    return pd.DataFrame({name: {
        "Nyquist frequency (GHz)": f"{one.nyquist / units.GHz:g}", "levels": one.levels, "budget (dB)": f"{one.budget:g}",
        "may be spent (dB)": f"{one.usable:.3g}", "wrong bits allowed": f"one in {power(one.error_rate)}",
    } for name, one in zip(GENERATIONS, map(signals.standard, GENERATIONS.values()), strict=True)})


def wrong_bits():
    """Return a DataFrame of text: wrong bits of random ones and after the worst pattern, where an eye has just closed."""
    import pandas as pd

    shut, last = first_shut(), last_open()
    shown = [("PCIe 3", "off", (shut - 2, shut, shut + 2, shut + 4)), ("PCIe 5", "on", (last, last + 2, last + 6, last + 12))]
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
    return float(signals.part(figure.subject).loss(_frequency(figure), units.inch))


def _frequency(figure) -> float:
    return float(figure.scope.removesuffix(" GHz")) * units.GHz


def _inches(metres: float) -> str:
    """Return a reach as text: whole inches, two digits of them, from the least to the most of `reach_spread`."""
    low, high = (digits(round(metres * factor / units.inch)) for factor in reach_spread())
    return joined(low, high)


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


class Inch(NamedTuple):
    """The loss of an inch of a board at a frequency, in dB: the model's, and one that was published."""

    board: str
    model: float
    published: float


def inch_beside_published() -> list[Inch]:
    """Return published losses of an inch that set no constant of the model, beside the model."""
    figures = sorted(catalog.figures(quantity="loss per inch in dB"), key=lambda one: (one.subject, _frequency(one)))
    return [Inch(f"{signals.part(one.subject).name}, {one.scope}", _inch(one), one.value) for one in figures]


def loss_beside_published():
    """Return a DataFrame of text: losses that set no constant of the model beside what the model gives."""
    import pandas as pd

    def row(what, id, value, unit="dB"):
        figure = catalog.figure(id)
        return {"published": what, "source": figure.source.publisher, "model": f"{value:.3g} {unit}",
                "stated": f"{figure.value:.3g} {unit}", "error": percent(error(value, figure.value))}

    harness = [signals.segment("cable-connector", 2), signals.segment("thin-cable", 0.35)]
    rest = pcie5.budget - sum(signals.losses([signals.segment(n, 1) for n in ("cpu-package", "card", "cem-connector")],
                                             pcie5.nyquist))
    rows = [row("a harness of 35 cm with its connectors", "harness-35cm", signals.losses(harness, pcie5.nyquist).sum()),
             row("PCIe 5: left for the board", "pcie5-board", rest),
             row(f"PCIe 5: left of {1e3 * pcie5.swing:.0f} mV at full budget", "pcie5-left", left(), "mV"),
             row("four levels cost", "pam4-cost", gap)]
    quiet = quiet_budget("pcie5")
    rows.append({"published": "PCIe 5: budget, from PCIe 6's noise", "source": catalog.source("nvidia-bf3-loss").publisher,
                 "model": f"{quiet:.3g} dB", "stated": f"{pcie5.budget:.3g} dB", "error": percent(error(quiet, pcie5.budget))})
    return pd.DataFrame(rows)


def quiet_budget(generation: str) -> float:
    """Return the dB at which the eye of *generation* closes when all of the loss is equalised."""
    loss = np.linspace(1, 60, 5901)
    return float(loss[np.flatnonzero(signals.eye(generation, loss, equalised=loss).height > 0)[-1]])


def chips():
    """Return a DataFrame of text: the retimers and redrivers, what each bridges, and what it takes."""
    import pandas as pd

    def text(value, unit):
        return units.format(value, unit) if value == value else "not found"

    return pd.DataFrame([{
        "chip": one.name, "kind": one.kind, "for": signals.standard(one.link).name, "bridges (dB)": f"{one.db:g}",
        "one way": text(one.latency, "s"), "power": text(one.power, "W"),
    } for one in DEVICES])


def latency_beside_read():
    """Return a DataFrame of text: what retimers add one way, and two of them there and back beside a measured read."""
    import pandas as pd

    return pd.DataFrame([{
        "part": one.name, "one way": units.format(one.latency, "s"),
        "two, there and back": units.format(4 * one.latency, "s"),
        "of a measured read": part(4 * one.latency / read.si),
    } for one in DEVICES if one.latency == one.latency])
