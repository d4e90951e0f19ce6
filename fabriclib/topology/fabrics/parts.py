"""The parts list of a fabric: switches, cables, modules and NICs, their watts, and money where a source gives a price."""

from __future__ import annotations

import functools
import math

from ... import catalog
from ...cabling import Cable, cable
from ...checks import known, short
from ...host_adapters import adapter
from ...switches import Switch, switch
from .design import Design, Tier

PRICED_LINK = "link-400g"
CHIP, PRICED, OPTICS, NIC = "tomahawk5", "quantum2", "module-800-sm", "connectx7"  # what an estimate takes for all makers'


def parts_list(design: Design, switch_id: str = "tomahawk4", below: str = OPTICS, above: str = OPTICS, nic: str | None = None):
    """Return the parts of a fabric as a DataFrame: how many, watts and US dollars of one and of all; NaN where no source says.

    Watts of a switch are those of the box without modules, as its row says, never those of its bare chip. A cable with plugs is
    one part. A fibre and the modules at its ends are counted apart: a module with two ports ends two fibres, and a price of a
    link, which is that of the fibre with its ends, stands at the fibre. What is inside the servers is not counted, but NICs are
    when *nic* is given.

    Args:
        design: from `fabric_counts`.
        switch_id: the switch of all tiers, an id of `switches()`; it must have the ports that the design counts with.
        below, above: the cables from GPUs to the first switch, and between switches: ids of `cables()`. Copper, such as
            "dac-400", reaches a leaf in the same rack; the leaf of a rail seldom stands there.
        nic: the NIC of every GPU, an id of `adapters()`.

    Raises:
        ValueError: an unknown switch, cable or NIC; a switch of another family, with slower ports, or with more or fewer of them
            than the design's; a cable that does not carry a whole number of the fabric's links.

    >>> from fabriclib.topology import fabric_counts
    >>> parts_list(fabric_counts("rail-optimised", gpus=1024))["count"].tolist()
    [32, 16, 1024, 1024, 1024, 1024]
    """
    import pandas as pd

    if not isinstance(design, Design):
        raise ValueError(f"design must be what fabric_counts returns; got {short(design)}.")
    box, rows = switch(switch_id), []
    for tier in design.tiers:
        _fits(box, tier)
        rows.append(_row(f"{tier.what} switch: {box.name}", tier.count, box.box_power, _price(switch_id)))
    for i, run in enumerate(design.cables):
        rows += _link_rows(run, cable(above if i else below))
    if nic is not None:
        card = adapter(nic)
        rows.append(_row(f"NIC: {card.name}", math.ceil(_ports_rate(design) / card.rate), card.power, math.nan))
    table = pd.DataFrame(rows)
    for unit in ("W", "US$"):
        table[unit] = table[f"{unit} each"] * table["count"]
    return table


def estimate(design: Design, below: str = OPTICS) -> tuple[float, float]:
    """Return (watts, US dollars) of a fabric, as far as one price list and one maker's parts tell for all: `watts` and `dollars`.

    >>> from fabriclib.topology import fabric_counts
    >>> [round(value) for value in estimate(fabric_counts("rail-optimised", gpus=1024), below="dac-400")]
    [65125, 4349440]
    """
    return sum(watts(design, below).values()), sum(dollars(design).values())


def dollars(design: Design) -> dict[str, float]:
    """Return the US dollars of a fabric's switches and of its links.

    Every switch has the price of a Quantum-2 in proportion to what its ports carry, every link one price in proportion to its
    rate, whatever its ends are.

    >>> from fabriclib.topology import fabric_counts
    >>> dollars(fabric_counts("rail-optimised", gpus=1024))
    {'switches': 1728000.0, 'links': 2621440.0}
    """
    box, link = _dollars_a_rate()
    return {"switches": sum(_built(tier) for tier in design.tiers) * box,
            "links": sum(run.count * _rate(run.link) for run in design.cables) * link}


def watts(design: Design, below: str = OPTICS, above: str = OPTICS) -> dict[str, float]:
    """Return the watts of a fabric by part, each switch a box: bare chips draw little more than half of that.

    Switches are boxes of a Tomahawk 5 without modules, in proportion to what the ports of the design's can carry, used or not.
    Both ends of a link draw what the cable *below* (from GPUs to leaves) or *above* (between switches) does, in proportion to
    what it carries: of a module with two ports, half. NICs, where there are switches, are ConnectX-7, in proportion to the rate
    of a GPU's ports.

    Raises:
        ValueError: an unknown cable, or one whose watts no source gives.

    >>> from fabriclib.topology import fabric_counts
    >>> {part: round(value) for part, value in watts(fabric_counts("rail-optimised", gpus=1024)).items()}
    {'switches': 21912, 'links between switches': 17408, 'links to GPUs': 17408, 'NICs': 25600}
    """
    box, card = _watts_a_rate()
    upper = drawing("above", above)
    return {"switches": sum(_built(tier) for tier in design.tiers) * box,
            "links between switches": sum(_ends(run, upper) for run in design.cables[1:]),
            "links to GPUs": _ends(design.cables[0], drawing("below", below)),
            "NICs": _ports_rate(design) * card if design.tiers else 0.0}


@functools.cache
def _watts_a_rate() -> tuple[float, float]:
    """Return the watts of (a switch's box, a NIC) for each byte a second of its ports."""
    box, card = switch(CHIP), adapter(NIC)
    return box.box_power / box.rate, card.power / card.rate


@functools.cache
def _dollars_a_rate() -> tuple[float, float]:
    """Return the US dollars of (a switch, a link) for each byte a second."""
    return _price(PRICED) / switch(PRICED).rate, _price(PRICED_LINK) / _rate(cable("dac-400").carries)


def drawing(name: str, wire: str) -> Cable:
    """Return the cable *wire* if a source says what it draws."""
    found = cable(wire)
    if math.isnan(found.power):
        known(name, wire, [cells["id"] for cells in catalog.rows("cables") if not math.isnan(cells["power_w"])])
    return found


def _fits(box: Switch, tier: Tier) -> None:
    """Raise a ValueError unless *box* has the ports that a switch of *tier* is counted with."""
    wanted = " and ".join(f"{many} ports of {link.name}" for many, link in tier.ports if many)
    counted = f"the {tier.what} switches of this fabric are counted with {wanted}"
    for _, link in tier.ports:
        if box.port.family != link.family:
            fit = [cells["id"] for cells in catalog.rows("switches") if switch(cells["id"]).port.family == link.family]
            raise ValueError(f"switch_id must be a switch of the family {link.family}, one of {', '.join(fit) or 'none known'}: "
                             f"{counted}; got {box.id!r}, whose ports are {box.port.name}.")
        if _rate(box.port) < _rate(link) or _rate(box.port) % _rate(link):
            raise ValueError(f"switch_id must be a switch whose ports carry {link.name}, whole or in equal parts: {counted}; got "
                             f"{box.id!r}, whose ports are {box.port.name}.")
    taken = sum(many * _rate(link) for many, link in tier.ports) / _rate(box.port)
    if taken > box.ports or (taken < box.ports and not tier.spare):
        has = f"{box.ports} ports of {box.port.name}"
        if not tier.spare:
            split = box.ports * _rate(box.port) // _rate(tier.ports[0][1])
            has += f", as many as {split} of {tier.ports[0][1].name}: take another, or ask fabric_counts for radix={split}"
        raise ValueError(f"switch_id must be a switch with as many ports as the design's: {counted}; got {box.id!r}, which has "
                         f"{has}.")


def _link_rows(run, wire: Cable) -> list[dict]:
    """Return the parts of a run of links: cables with their plugs, or fibres and the modules at both ends of them."""
    links = _links_in(wire, run.link)
    many = math.ceil(run.count / links)
    dollars = _price(PRICED_LINK) if _rate(run.link) == _rate(cable("dac-400").carries) else math.nan  # with its ends
    if wire.kind not in ("pluggable", "LPO"):  # those have modules of their own in the cages
        return [_row(f"{run.what}: {wire.name}", many, 2 * wire.power, links * dollars)]
    return [_row(f"{run.what}: fibre, priced with its modules", run.count, 0.0, dollars),
            _row(f"{run.what}: {wire.name.removesuffix(' and fibre')}", 2 * many, wire.power, 0 * dollars)]


def _row(part: str, count: int, watts_each: float, dollars_each: float) -> dict:
    return {"part": part, "count": count, "W each": watts_each, "US$ each": dollars_each}


def _built(tier: Tier) -> float:
    """Bytes per second of all ports of a tier, used or not."""
    return tier.count * sum(many * _rate(link) for many, link in tier.ports)


def _ends(run, wire: Cable) -> float:
    """Watts of both ends of all links of a run, in proportion to what a cable carries."""
    return run.count * 2 * wire.power * _rate(run.link) / _rate(wire.carries)


def _ports_rate(design: Design) -> float:
    """Bytes per second of all NICs' ports."""
    return design.cables[0].count * _rate(design.cables[0].link)


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
    return next((cells["usd"] for cells in catalog.rows("prices") if cells["id"] == part), math.nan)
