"""The parts list of a fabric: switches, cables and what is at their ends, their watts, and money where a source gives a price."""

from __future__ import annotations

import math

from ... import catalog
from ...cabling import Cable, cable
from ...checks import known, short
from ...switches import switch
from .design import Design

PRICED_LINK = "link-400g"


def parts_list(design: Design, switch_id: str = "tomahawk5", below: str = "module-800-sm", above: str = "module-800-sm"):
    """Return the parts of a fabric as a DataFrame: how many, watts and US dollars of one and of all; NaN where no source says.

    Watts are those of the switch chip or box as its row says, and of both ends of a cable. A module with two ports ends two
    links. NICs and what is inside the servers are not counted.

    Args:
        design: from `fabric_counts`.
        switch_id: the switch of all tiers, an id of `switches()`.
        below, above: the cables from GPUs to the first switch, and between switches: ids of `cables()`. Copper, such as
            "dac-400", reaches a leaf in the same rack; the leaf of a rail seldom stands there.

    Raises:
        ValueError: an unknown switch or cable, or a cable that does not carry a whole number of the fabric's links.

    >>> from fabriclib.topology import fabric_counts
    >>> parts_list(fabric_counts("rail-optimised", gpus=1024))["count"].tolist()
    [32, 16, 512, 512]
    """
    import pandas as pd

    if not isinstance(design, Design):
        raise ValueError(f"design must be what fabric_counts returns; got {short(design)}.")
    box, rows = switch(switch_id), []
    for what, many in (("leaf", design.leaves), ("spine", design.spines), ("core", design.cores)):
        if many:
            rows.append({"part": f"{what} switch: {box.name}", "count": many, "W each": box.power, "US$ each": _price(switch_id)})
    for i, run in enumerate(design.cables):
        wire = cable(above if i else below)
        links = _links_in(wire, run.link)
        rows.append({"part": f"{run.what}: {wire.name}", "count": math.ceil(run.count / links), "W each": 2 * wire.power,
                     "US$ each": links * _price(PRICED_LINK) if _rate(run.link) == _rate(cable("dac-400").carries) else math.nan})
    table = pd.DataFrame(rows)
    for unit in ("W", "US$"):
        table[unit] = table[f"{unit} each"] * table["count"]
    return table


def estimate(design: Design, below: str = "module-800-sm") -> tuple[float, float]:
    """Return (watts, US dollars) of a fabric's switches and links, as far as one price list and one chip tell for all.

    Switch ports at the watts of a Tomahawk 5 and the price of a Quantum-2, in proportion to their rate; between switches
    modules with two ports, and *below*, from GPUs to leaves, the cables of that id; both ends of a link at one price, whatever
    they are, in proportion to its rate.

    >>> from fabriclib.topology import fabric_counts
    >>> [round(value) for value in estimate(fabric_counts("rail-optimised", gpus=1024), below="dac-400")]
    [29613, 4349440]
    """
    chip, box, unit = switch("tomahawk5"), switch("quantum2"), _rate(cable("dac-400").carries)
    watts = dollars = 0.0
    for i, run in enumerate(design.cables):
        wire, ports = (cable("module-800-sm"), 2) if i else (cable(below), 1)
        rate, ports = run.count * _rate(run.link), ports if design.switches else 0
        watts += rate * (ports * chip.power / chip.rate + 2 * wire.power / _rate(wire.carries))
        dollars += rate * (ports * _price("quantum2") / box.rate + _price(PRICED_LINK) / unit)
    return watts, dollars


def _rate(link) -> float:
    return round(link.line)


def _links_in(wire: Cable, link) -> int:
    many = _rate(wire.carries) / _rate(link)
    if many < 1 or many != int(many):
        fit = [cells["id"] for cells in catalog.rows("cables") if _rate(cable(cells["id"]).carries) % _rate(link) == 0]
        known(f"cable for {link.name}", wire.id, fit)
    return int(many)


def _price(part: str) -> float:
    """US dollars of one *part*; NaN where no source gives a price."""
    return next((float(cells["usd"]) for cells in catalog.rows("prices") if cells["id"] == part), math.nan)
