"""Published figures beside what the model computes from lower rows: lanes, line codes, flit fields, link and port counts.

A figure says what it is about in its own columns: `subject` (a link, a switch or a framing), `quantity`, `scope` (how many
lanes, links, ports or devices, and after a comma the payload of a packet) and `direction`. So a new figure is one row, and is
compared without a line of code.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from . import catalog, fec, framing, pcie
from .catalog import Figure
from .checks import known
from .links import Link, link
from .switches import Switch, switch

STAGES = {"raw rate": "raw", "line rate": "line", "headline rate": "line", "payload rate": "payload"}
TLP = "TLP rate"
OF_FRAMING = {"payload share": framing.share, "packet overhead": lambda name, packet: framing.overhead(name)}
OF_FEC = {"codeword": lambda code: code.codeword, "correctable symbols": lambda code: code.correctable,
          "rate expansion": lambda code: code.expansion}
_SCOPE = re.compile(r"(?:(\d+) )?(lane|link|port|device|flit|packet|codeword)s?(?:, (\d+) B)?")


def computable(figure: Figure) -> bool:
    """Say whether the model computes what *figure* states of something in the catalogue: a rate, a share, a count.

    Measurements are left out: they are compared elsewhere, and some are what a row was derived from.
    """
    tables = {"links", "switches"} if figure.quantity in [*STAGES, TLP] else set()
    tables |= {"framings"} if figure.quantity in OF_FRAMING else {"fecs"} if figure.quantity in OF_FEC else set()
    return figure.kind != "measured" and any(figure.subject in _ids(table) for table in tables)


def computed(figure: Figure) -> float:
    """Return what the model computes for *figure*, in SI base units and in the figure's own direction and scope.

    Raises:
        ValueError: a quantity, subject or scope that the model does not compute.

    >>> computed(catalog.figure("nvlink4-device")), computed(catalog.figure("pcie6-flit"))
    (900000000000.0, 0.921875)
    """
    known("quantity", figure.quantity, [*STAGES, TLP, *OF_FRAMING, *OF_FEC])
    many, what, packet = _scope(figure)
    if figure.quantity in OF_FRAMING:
        return OF_FRAMING[figure.quantity](figure.subject, packet)
    if figure.quantity in OF_FEC:
        return OF_FEC[figure.quantity](fec.fec(figure.subject))
    ways = {"one way": 1, "both": 2}[known("direction", figure.direction, ["one way", "both"])]
    one = switch(figure.subject) if figure.subject in _ids("switches") else link(figure.subject)
    wires = _wires(one, many, what)
    if figure.quantity == TLP:
        return ways * pcie.tlp_rate_in_bytes(wires, packet)
    return ways * dict(wires.waterfall(packet))[STAGES[figure.quantity]]


def called(subject: str) -> str:
    """Return the name of what a figure is about, a link or a switch; its id where the catalogue has no name for it.

    >>> called("xconn-xc50256"), called("cxl4"), called("rocev2")
    ('XConn XC50256', 'CXL 4.0', 'rocev2')
    """
    return next((catalog.row(table, subject)["name"] for table in ("links", "switches") if subject in _ids(table)), subject)


def published():
    """Return every figure that the model computes as a DataFrame: stated, computed, their ratio, the source, the note.

    >>> list(published())
    ['id', 'about', 'quantity', 'scope', 'direction', 'stated', 'computed / stated', 'source', 'grade', 'note']
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "about": one.subject, "quantity": one.quantity, "scope": one.scope, "direction": one.direction,
        "stated": f"{one.value:g} {one.unit}", "computed / stated": computed(one) / one.si,
        "source": one.source.title, "grade": one.source.grade, "note": one.note,
    } for one in catalog.figures() if computable(one)])


def _wires(one: Link | Switch, many: int, what: str) -> Link:
    """The bundle of links that a scope stands for."""
    if isinstance(one, Switch):
        return {"port": one.port, "device": one.whole}[known("scope", what, ["port", "device"])].bundle(many)
    if known("scope", what, ["lane", "link", "device"]) == "lane":
        return replace(one, lanes=many)
    return one.bundle(many * (one.per_device if what == "device" else 1))


def _scope(figure: Figure) -> tuple[int, str, int | None]:
    match = _SCOPE.fullmatch(figure.scope)
    if not match:
        raise ValueError(f"scope must be lanes, links, ports or devices, as in '18 links'; got {figure.scope!r} in {figure.id}.")
    return int(match[1] or 1), match[2], int(match[3]) if match[3] else None


@functools.cache
def _ids(table: str) -> frozenset[str]:
    return frozenset(row["framing" if table == "framings" else "id"] for row in catalog.rows(table))
