"""PCIe trees: CPUs, what hangs below them, and the links between sockets, from a short list of parts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from ..checks import known, number, typed, whole
from ..links import Link, link
from .graph import Cables, Graph

KINDS = ("cpu", "root", "pcie-switch", "retimer", "gpu", "nic", "ssd")
DEVICES = ("gpu", "nic", "ssd")
BRANCHES = {"cpu": ("cpu",), "root": ("cpu",)}  # what these two may hang at; all others: at any part but a device
TAKES_LANES = ("pcie", "cxl")  # families whose links use a part's PCIe lanes


class Part(NamedTuple):
    """One or several parts of a kind, each with one link upwards.

    Args:
        kind: "cpu"; "root" (a root complex, where a CPU has several); "pcie-switch"; "retimer"; "gpu", "nic" or "ssd".
        names: their names, with spaces between.
        at: the part that each hangs at: one name for all, or one for each. The first CPU hangs at nothing; another one
            hangs at a CPU, by the link between the sockets, or at several ("cpu0,cpu1").
        link: the catalogue id of the link upwards (a root is inside its CPU and has none).
        lanes: its width; the link's usual one when not given.
        links: how many such links side by side.
        has: the PCIe lanes of each of the parts, uplink included; not checked when not given.
        latency: seconds that passing through the part takes: a switch, a retimer, a CPU.
    """

    kind: str
    names: str
    at: str = ""
    link: str = "pcie5"
    lanes: int | None = None
    links: int = 1
    has: int | None = None
    latency: float = 0.0


class One(NamedTuple):
    """A single part: its kind, what it hangs at, its link upwards (None: none, or inside the chip), lanes, latency."""

    kind: str
    at: str
    also: tuple[str, ...]  # other CPUs that a CPU is linked to
    link: Link | None
    links: int
    has: int | None
    latency: float

    @property
    def uses(self) -> int:
        """The PCIe lanes its link upwards takes, at either end."""
        return self.links * self.link.lanes if self.link and self.link.family in TAKES_LANES else 0


@typed
def tree(name: str, parts: list[Part]) -> Graph:
    """Return the graph of a PCIe tree: every part a node, every link a pair of edges.

    Device to device takes the latency of one link, software included: half of it on each device's own link. Whatever
    is passed on the way adds its own. A link without a published latency adds none.

    Args:
        name: what it is.
        parts: the list of parts, in any order.

    Raises:
        ValueError: a part that hangs at two places, at none, at itself by a loop or at a device; more lanes than a part has.

    >>> tree("a small box", [Part("cpu", "cpu0", has=64), Part("pcie-switch", "sw0", "cpu0", has=96),
    ...                      Part("gpu", "gpu0 gpu1", "sw0"), Part("nic", "nic0", "sw0")])
    <a small box: 1 cpu, 2 gpu, 1 nic, 1 pcie-switch, 8 directed edges>
    """
    found = listed(name, parts)
    nodes = sorted(found, key=lambda part: found[part].kind != "gpu")  # GPUs first: their numbers are the ranks
    return Graph.wired(name, {part: found[part].kind for part in nodes}, cables(found, {part: i for i, part in enumerate(nodes)}))


def listed(name: str, parts: list[Part]) -> dict[str, One]:
    """Return {name: part} for all *parts*, checked to be one tree with lanes enough; errors as `tree`."""
    found: dict[str, One] = {}
    for part in parts:
        for one, at in _each(name, part):
            if one in found:
                places = " and at ".join(where or "nothing" for where in (found[one].at, at))
                raise ValueError(f"a part must hang at one place; {one} of {name} is listed twice: at {places}.")
            found[one] = _one(one, at, part)
    _check_places(name, found)
    _check_lanes(name, found)
    return found


def cables(found: dict[str, One], number_of: dict[str, int]) -> list[Cables]:
    """Return the cables of the parts *found*, between the nodes that *number_of* gives."""
    laid = []
    for name, part in found.items():
        if not part.at:
            continue
        below = [one.link.bundle(one.links) for one in found.values() if one.at == name and one.link]
        wire = part.link or _inside(sum(one.bandwidth() for one in below))
        latency = sum(found[end].latency for end in (name, part.at)) / 2
        if not math.isnan(wire.latency):
            latency += wire.latency / 2 if part.kind in DEVICES else wire.latency if part.kind == "cpu" else 0.0
        laid += [Cables([number_of[name]], [number_of[end]], wire, part.links, latency) for end in (part.at, *part.also)]
    return laid


def _each(name: str, part: Part) -> list[tuple[str, str]]:
    names, places = part.names.split(), part.at.split() or [""]
    if not names or len(places) not in (1, len(names)):
        raise ValueError(f"at must name one place for all of {part.names!r} or one for each; got {part.at!r} in {name}.")
    return list(zip(names, places * len(names) if len(places) == 1 else places, strict=True))


def _one(name: str, at: str, part: Part) -> One:
    known("kind of part", part.kind, KINDS)
    wire = link(part.link, part.lanes) if at and part.kind != "root" else None
    if part.has is not None:
        whole(f"has of {name}", part.has)
    first, *others = at.split(",")
    if others and part.kind != "cpu":
        raise ValueError(f"a part must hang at one place; {name} is to hang at {' and at '.join([first, *others])}.")
    return One(part.kind, first, tuple(others), wire, whole(f"links of {name}", part.links), part.has,
               number(f"latency of {name}", part.latency, zero=True))


def _check_places(name: str, found: dict[str, One]) -> None:
    roots = [one for one, part in found.items() if part.kind == "cpu" and not part.at]
    if not roots:
        raise ValueError(f"{name} must have a CPU that hangs at nothing: the top of the tree; none of its {len(found)} parts is.")
    for one, part in found.items():
        if not part.at and one != roots[0]:
            raise ValueError(f"{one} of {name} is not connected: say what it hangs at (at=), such as {roots[0]!r}.")
        for at in filter(None, (part.at, *part.also)):
            above = found[known(f"the part that {one} of {name} hangs at,", at, found)].kind
            allowed = BRANCHES.get(part.kind, ("cpu", "root", "pcie-switch", "retimer"))
            if above not in allowed:
                raise ValueError(f"{one} ({part.kind}) of {name} must hang at a {' or a '.join(allowed)}; "
                                 f"got {at}, a {above}.")
    for one in found:
        way = [one]
        while at := found[way[-1]].at:
            if at in way:
                raise ValueError(f"{name} must be a tree; these hang at each other in a loop: "
                                 f"{' at '.join([*way[way.index(at):], at])}.")
            way.append(at)


def _check_lanes(name: str, found: dict[str, One]) -> None:
    below: dict[str, dict[str, int]] = {one: {} for one in found}  # the lanes that each part below a part asks of it
    for one, part in found.items():
        if part.at:
            below[part.at][one] = part.uses
    for one, part in found.items():
        many, who = len(below[one]), f"{one} of {name}"
        if part.kind == "retimer" and many != 1 or part.kind == "root" and not many:
            wanted = "one part" if part.kind == "retimer" else "a part"
            raise ValueError(f"a {part.kind} must have {wanted} below it; {who} has {many}.")
        asked = dict(below[one])
        for root in below[one]:
            asked |= below[root] if found[root].kind == "root" else {}
        uplink = part.uses if part.kind != "cpu" else 0
        used = uplink + sum(asked.values())
        if part.has is not None and used > part.has:
            taken = ", ".join(f"{lanes} by {by}" for by, lanes in {**asked, "its uplink": uplink}.items() if lanes)
            raise ValueError(f"{who} has {part.has} PCIe lanes, and {used} are asked of it: {taken}.")


def _inside(rate: float) -> Link:
    """The way from a root complex to its CPU, inside the chip, twice as wide as all that hangs below: it limits nothing."""
    return replace(link("pcie5"), id="inside", name="inside the chip", family="inside", lanes=1, lane_rate=2 * rate,
                   code_rate=1.0, framing="", packet_bytes=None, latency=0.0)
