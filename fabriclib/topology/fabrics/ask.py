"""From what one asks for (so many GPUs, switches of this radix, this oversubscription) to the numbers of a fabric."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from ...checks import MAX_RANKS, count, number, short, single
from ...links import Link, link
from .clos import Clos
from .direct import Dragonfly, Torus

MOST_PORTS = 1024  # of a switch
ROUNDING = 1e-9  # of a port: 5/3 in binary is a little off, and 3 ports up must not become 2


class _Leaves(NamedTuple):
    """What has to be joined: groups of servers, the leaves of each, their ports up; and what was asked for above them."""

    kind: str
    groups: int
    together: int
    up: int
    radix: int
    gpus: int  # of a group
    pod: int | None  # groups
    spines: int | None
    core_ratio: float


def tiered(kind: str, gpus, *, per_server=8, rails=None, planes=1, joined=True, tiers=None, radix=64, oversubscription=1.0,
           core_oversubscription=1.0, leaf_ports=None, pod_gpus=None, spines=None, links=1, speed="eth400", trunk=None,
           inside="nvlink4", passing=0.0) -> Clos:
    """Return the fabric of switch tiers; see `fabric` for what the arguments are and what is refused."""
    per_server, planes, radix = count("per_server", per_server, high=72), count("planes", planes, high=64), _radix(radix)
    gpus, links = _whole_servers(gpus, per_server), count("links", links, high=64)
    rails = per_server if rails is None else count("rails", rails, high=per_server)
    if per_server % rails:
        raise ValueError(f"rails must divide the {per_server} GPUs of a server; got {rails}.")
    servers, together, ports = gpus // per_server, rails if joined else 1, per_server // rails * links
    if leaf_ports is None and together == 1 and tiers != 3 and servers * ports <= radix:
        down, up = radix, 0  # one switch is enough
    else:
        down, up = _leaf(leaf_ports) if leaf_ports is not None else _split("oversubscription", oversubscription, radix)
    group = down // ports
    if not group:
        raise ValueError(f"radix must be larger: {down} ports of a leaf lead down, and {ports} of each server are to go to it.")
    if group > servers and leaf_ports is None:
        up = math.ceil(servers * ports * up / down)  # leaves that are not full need fewer ports up
    pod = None if pod_gpus is None else max(count("pod_gpus", pod_gpus) // (group * per_server), 1)
    leaves = _Leaves(kind, -(-servers // group), together, up, radix, group * per_server, pod, spines, core_oversubscription)
    shape, wire = _above(leaves, tiers), link(speed)
    return Clos(kind, kind, gpus, per_server, rails, planes, joined, up if shape["spines"] else 0, group, **shape, links=links,
                link=wire, trunk=link(trunk) if trunk else wire, inside=_inside(inside, per_server), passing=_passing(passing),
                radix=radix, leaf_ports=None if leaf_ports is None else _leaf(leaf_ports))


def multi_plane(kind: str, gpus, *, per_server=8, rails=None, planes=8, tiers=None, radix=64, oversubscription=1.0,
                core_oversubscription=1.0, speed="eth800", inside="nvlink4", passing=0.0) -> Clos:
    """Return the fabric whose planes divide the lanes of each port between them, those of NICs and those of switches."""
    planes, port = count("planes", planes, high=64), link(speed)
    if port.lanes % planes:
        raise ValueError(f"planes must divide the {port.lanes} lanes of a port of {port.name}; got {planes}.")
    part = port if planes == 1 else replace(port, name=f"1/{planes} of {port.name}", lanes=port.lanes // planes)
    ports = planes * count("radix", radix, low=4, high=MOST_PORTS // planes)
    whole = tiered(kind, gpus, per_server=per_server, rails=rails, planes=planes, tiers=tiers, radix=ports,
                   oversubscription=oversubscription, core_oversubscription=core_oversubscription, inside=inside, passing=passing)
    return replace(whole, link=part, trunk=part)


def _above(leaves: _Leaves, tiers) -> dict:
    """Return what is above the leaves: groups a pod, spines a pod, a spine's ports to cores, cores a spine."""
    many = leaves.groups * leaves.together
    if tiers is None:
        tiers = 1 if not leaves.up else 3 if leaves.pod or many > leaves.radix else 2
    if count("tiers", tiers, high=3) == 3:
        return _three(leaves)
    if many == 1:
        return {"groups_per_pod": 1, "spines": 0, "core_up": 0, "cores": 0}
    if tiers == 1:
        raise ValueError(f"tiers must be at least 2: {many} leaves of {leaves.radix} ports are needed, and only spines join "
                         f"them; got {tiers}.")
    spines = _evenly(leaves.up, many * leaves.up, leaves.radix, leaves.spines)
    if not spines:
        raise ValueError(f"gpus must be at most {leaves.radix // leaves.together * leaves.gpus:,} for two tiers of "
                         f"{leaves.radix}-port switches ({leaves.kind}: a spine has a port for each of {leaves.radix} leaves); "
                         f"{many} leaves are needed.")
    return {"groups_per_pod": leaves.groups, "spines": spines, "core_up": 0, "cores": 0}


def _three(leaves: _Leaves) -> dict:
    down, most_up = _split("core_oversubscription", leaves.core_ratio, leaves.radix)
    most = down // leaves.together
    if not most:
        raise ValueError(f"radix must be larger: {down} ports of a spine lead down, and the leaves of {leaves.together} rails "
                         "are to go to it.")
    of_pod = min(leaves.pod, most) if leaves.pod else -(-leaves.groups // -(-leaves.groups // most))  # pods as alike as can be
    pods, below = -(-leaves.groups // of_pod), of_pod * leaves.together * leaves.up
    spines = _evenly(leaves.up, below, down, leaves.spines)
    core_up = min(most_up, math.ceil(below // spines * most_up / down))
    cores = _evenly(core_up, pods * core_up, leaves.radix, None)
    if not cores:
        raise ValueError(f"gpus must be at most {leaves.radix * most * leaves.gpus:,} for three tiers of {leaves.radix}-port "
                         f"switches ({leaves.kind}: a core has a port for each of {leaves.radix} pods); {pods} pods are needed.")
    return {"groups_per_pod": of_pod, "spines": spines, "core_up": core_up, "cores": cores}


def dragonfly(kind: str, gpus, *, per_server=8, radix=64, speed="eth400", trunk=None, inside="nvlink4", passing=0.0) -> Dragonfly:
    """Return the balanced dragonfly: of a router's ports a quarter each for GPUs and for other groups, half for its own group."""
    radix, per_server = _radix(radix), count("per_server", per_server, high=72)
    ends = (radix + 1) // 4
    routers = 2 * ends
    size, most = routers * ends, routers * ends + 1
    if size % per_server:
        raise ValueError(f"per_server must divide the {size} GPUs of a group of {routers} routers; got {per_server}.")
    groups, rest = divmod(_whole_servers(gpus, per_server), size)
    if rest or not 2 <= groups <= most:
        raise ValueError(f"gpus must fill 2 to {most} groups of {size} GPUs ({routers} routers with {ends} each, from radix "
                         f"{radix}); got {short(gpus)}, {(groups + rest / size):g} groups.")
    wire = link(speed)
    return Dragonfly(kind, kind, per_server, ends, routers, groups, size // (groups - 1), ends, wire,
                     link(trunk) if trunk else wire, _inside(inside, per_server), _passing(passing), radix)


def torus(kind: str, dims, *, speed="ici-v5p", trunk=None) -> Torus:
    """Return the torus with *dims* chips along each of its two or three dimensions; *trunk*: the link along the first."""
    try:
        sizes = tuple(count("a dimension", one, high=4096) for one in dims)
    except TypeError:
        sizes = ()
    if not 2 <= len(sizes) <= 3:
        raise ValueError(f"dims must be the sizes of two or three dimensions, such as (4, 4, 8); got {short(dims)}.")
    if not 2 <= math.prod(sizes) <= MAX_RANKS:
        raise ValueError(f"dims must hold from 2 to {MAX_RANKS} GPUs; got {math.prod(sizes)}.")
    return Torus(kind, kind, sizes, link(speed), link(trunk or speed))


def _radix(radix) -> int:
    return count("radix", radix, low=4, high=MOST_PORTS)


def _whole_servers(gpus, per_server: int) -> int:
    gpus = count("gpus", gpus)
    if gpus % per_server or gpus < 2 * per_server:
        raise ValueError(f"gpus must fill at least two servers of {per_server} GPUs; got {gpus}.")
    return gpus


def _split(argument: str, ratio, radix: int) -> tuple[int, int]:
    """Return (down, up) of a switch's ports, never more than *ratio* of them down for each one up."""
    ratio = single(argument, number(argument, ratio, low=1 / (radix - 1), high=radix - 1, zero=True))
    up = max(int(radix / (1 + ratio) + ROUNDING), 1)
    return max(int(up * ratio + ROUNDING), 1), up


def _leaf(ports) -> tuple[int, int]:
    """Return (down, up) as given."""
    try:
        down, up = (count("leaf_ports", one, high=1024) for one in ports)
    except TypeError:
        raise ValueError(f"leaf_ports must be two numbers, ports down and ports up; got {short(ports)}.") from None
    return down, up


def _evenly(ports: int, links: int, radix: int, asked: int | None) -> int:
    """Return the fewest switches above that take *links* and give each switch below, with *ports* up, equally many; none: 0.

    With *asked* that many, if they do.
    """
    fit = [many for many in range(1, ports + 1) if ports % many == 0 and many * radix >= links]
    if asked is not None and fit and asked not in fit:
        raise ValueError(f"spines must be {' or '.join(map(str, fit))}, to take {links} links from leaves with {ports} ports up; "
                         f"got {short(asked)}.")
    return asked if asked in fit else min(fit, default=0)


def _passing(seconds) -> float:
    return single("passing", number("passing", seconds, zero=True, high=1.0))


def _inside(name: str | None, per_server: int) -> Link | None:
    return link(name) if name and per_server > 1 else None
