"""From what one asks for (so many GPUs, switches of this radix, this oversubscription) to the numbers of a fabric."""

from __future__ import annotations

import math

from ...checks import MAX_RANKS, count, number, short, single
from ...links import Link, link
from .clos import Clos
from .direct import Dragonfly, Torus


def tiered(kind: str, gpus, *, per_server=8, rails=None, planes=1, joined=True, tiers=None, radix=64, oversubscription=1.0,
           core_oversubscription=1.0, speed="eth400", trunk=None, inside="nvlink4", passing=0.0) -> Clos:
    """Return the fabric of switch tiers; see `fabric` for what the arguments are and what is refused."""
    per_server, planes, radix = count("per_server", per_server, high=72), count("planes", planes, high=16), _radix(radix)
    gpus, rails = _whole_servers(gpus, per_server), _rails(rails, per_server)
    servers, wire = gpus // per_server, link(speed)
    together = rails if joined else 1
    if together == 1 and tiers in (None, 1, 2) and servers * per_server // rails <= radix:
        down, up = radix, 0
    else:
        down, up = _split("oversubscription", oversubscription, radix)
    group = down * rails // per_server
    if not group:
        raise ValueError(f"radix must be larger: {down} of the {radix} ports of a leaf lead down, and {per_server // rails} NICs "
                         "of each server are to go to it.")
    groups = -(-servers // group)
    wanted = count("tiers", tiers, high=3) if tiers is not None else 1 if not up else 2 if groups * together <= radix else 3
    shape = _above(kind, groups, together, up, radix, wanted, core_oversubscription, group * per_server)
    return Clos(kind, kind, gpus, per_server, rails, planes, joined, up if shape["spines"] else 0, group, **shape, link=wire,
                trunk=link(trunk) if trunk else wire, inside=_inside(inside, per_server), passing=_passing(passing))


def _above(kind: str, groups: int, together: int, up: int, radix: int, tiers: int, core_ratio, group_gpus: int) -> dict:
    """Return what is above the leaves: groups a pod, spines a pod, a spine's ports to cores, cores a spine."""
    if groups * together == 1 and tiers < 3:
        return {"groups_per_pod": 1, "spines": 0, "core_up": 0, "cores": 0}
    if tiers == 1:
        raise ValueError(f"tiers must be at least 2: {groups * together} leaves of {radix} ports are needed, and only spines "
                         f"join them; got {tiers}.")
    if tiers == 2:
        spines = _evenly(up, groups * together * up, radix)
        if not spines:
            raise ValueError(f"gpus must be at most {radix // together * group_gpus} for two tiers of {radix}-port switches "
                             f"({kind}: a spine has a port for each of {radix} leaves); {groups * together} leaves are needed.")
        return {"groups_per_pod": groups, "spines": spines, "core_up": 0, "cores": 0}
    spine_down, most_up = _split("core_oversubscription", core_ratio, radix)
    if spine_down < together:
        raise ValueError(f"radix must be larger: {spine_down} ports of a spine lead down, and the leaves of {together} rails "
                         "are to go to it.")
    pods = -(-groups // (spine_down // together))
    groups_per_pod = -(-groups // pods)
    pods = -(-groups // groups_per_pod)
    spines = _evenly(up, groups_per_pod * together * up, spine_down)
    links_down = groups_per_pod * together * up // spines
    core_up = min(most_up, math.ceil(links_down * most_up / spine_down))
    cores = _evenly(core_up, pods * core_up, radix)
    if not cores:
        most = radix * (spine_down // together) * group_gpus
        raise ValueError(f"gpus must be at most {most} for three tiers of {radix}-port switches ({kind}: a core has a port "
                         f"for each of {radix} pods); {pods} pods are needed.")
    return {"groups_per_pod": groups_per_pod, "spines": spines, "core_up": core_up, "cores": cores}


def dragonfly(kind: str, gpus, *, per_server=8, radix=64, speed="eth400", trunk=None, inside="nvlink4", passing=0.0) -> Dragonfly:
    """Return the balanced dragonfly: of a router's ports a quarter each for GPUs and for other groups, half for its own group."""
    radix, per_server = _radix(radix), count("per_server", per_server, high=72)
    ends = (radix + 1) // 4
    routers = 2 * ends
    if per_server > 1 and routers * ends % per_server:
        raise ValueError(f"per_server must divide the {routers * ends} GPUs of a group of {routers} routers; got {per_server}.")
    size, most = routers * ends, routers * ends + 1
    groups, rest = divmod(_whole_servers(gpus, per_server), size)
    if rest or not 2 <= groups <= most:
        raise ValueError(f"gpus must fill 2 to {most} groups of {size} GPUs ({routers} routers with {ends} each, from radix "
                         f"{radix}); got {short(gpus)}, {(groups + rest / size):g} groups.")
    wire = link(speed)
    return Dragonfly(kind, kind, per_server, ends, routers, groups, routers * ends // (groups - 1), ends, wire,
                     link(trunk) if trunk else wire, _inside(inside, per_server), _passing(passing))


def torus(kind: str, dims, *, speed="ici-v5p") -> Torus:
    """Return the torus with *dims* chips along each of its two or three dimensions."""
    try:
        sizes = tuple(count("a dimension", one, high=4096) for one in dims)
    except TypeError:
        sizes = ()
    if not 2 <= len(sizes) <= 3:
        raise ValueError(f"dims must be the sizes of two or three dimensions, such as (4, 4, 8); got {short(dims)}.")
    if not 2 <= math.prod(sizes) <= MAX_RANKS:
        raise ValueError(f"dims must hold from 2 to {MAX_RANKS} GPUs; got {math.prod(sizes)}.")
    return Torus(kind, kind, sizes, link(speed))


def _radix(radix) -> int:
    return count("radix", radix, low=4, high=1024)


def _rails(rails, per_server: int) -> int:
    rails = per_server if rails is None else count("rails", rails, high=per_server)
    if per_server % rails:
        raise ValueError(f"rails must divide the {per_server} GPUs of a server; got {rails}.")
    return rails


def _whole_servers(gpus, per_server: int) -> int:
    gpus = count("gpus", gpus)
    if gpus % per_server or gpus < 2 * per_server:
        raise ValueError(f"gpus must fill at least two servers of {per_server} GPUs; got {gpus}.")
    return gpus


def _split(argument: str, ratio, radix: int) -> tuple[int, int]:
    """Return (down, up) of a switch's ports, never more than *ratio* of them down for each one up."""
    ratio = single(argument, number(argument, ratio, low=1 / (radix - 1), high=radix - 1, zero=True))
    up = max(int(radix / (1 + ratio)), 1)
    return max(int(up * ratio + 1e-9), 1), up


def _evenly(ports: int, links: int, radix: int) -> int:
    """Return the fewest switches above that take *links* and give each switch below, with *ports* up, equally many; none: 0."""
    return next((many for many in range(1, ports + 1) if ports % many == 0 and many * radix >= links), 0)


def _passing(seconds) -> float:
    return single("passing", number("passing", seconds, zero=True, high=1.0))


def _inside(name: str | None, per_server: int) -> Link | None:
    return link(name) if name and per_server > 1 else None
