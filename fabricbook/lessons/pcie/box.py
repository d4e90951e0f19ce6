"""The learner's box: eight GPUs, eight NICs and four SSDs below two CPUs, the lanes that are asked of each, what flows."""

from __future__ import annotations

import functools
from typing import NamedTuple

from fabriclib import catalog
from fabriclib.flows import all_to_all, ring
from fabriclib.shown import counted
from fabriclib.switches import switch
from fabriclib.topology import Graph, Part, tree, trees

from .tables import CHIP, CPU, box_lanes

GPUS, SSDS = 8, 4
SWITCHES = [0, 2, 4, 8]
BESIDE, ON_CPUS, NONE = "beside the GPUs", "on the CPUs", "none"
MOVED = {f"N0 moved by {n}": n for n in range(1, 8)}  # NIC 0 alone, by so many switches, going round
UPLINKS = {"x8": (8, 1), "x16": (16, 1), "2 x16": (16, 2)}
TO_NEXT, TO_NIC = "every GPU to the next", "every GPU to its NIC"
TO_CPU, TO_ALL = "every GPU to its CPU", "every GPU to every other"
PAIRS = {f"gpu{i}": f"GPU 0 to GPU {i}" for i in range(1, GPUS)}  # by the GPU that receives
TRAFFIC = [*PAIRS.values(), TO_NEXT, TO_NIC, TO_CPU, TO_ALL]
_KINDS = {"gpu": "GPU", "nic": "NIC", "ssd": "SSD", "pcie-switch": "uplink"}
WORDS = {"PIX": "one switch", "PHB": "through a CPU", "SYS": "through both CPUs"}


def parts(switches: int, nics: str, uplink: str) -> list[Part]:
    """Return the list of parts: half of everything below each of two CPUs, as evenly below the switches as it goes."""
    row, chip, (lanes, links) = catalog.row("cpus", CPU), switch(CHIP), UPLINKS[uplink]
    found = [Part("cpu", "cpu0", has=box_lanes),
             Part("cpu", "cpu1", "cpu0", row["socket_link"], links=row["socket_links"], has=box_lanes)]
    above, most = ("sw", switches) if switches else ("cpu", 2)
    if switches:
        found.append(Part("pcie-switch", _names("sw", switches), _spread("cpu", 2, switches), row["link"], lanes, links,
                          chip.lanes, chip.latency))
    needs = {one["id"]: one["lanes"] for one in catalog.rows("lane_needs")}
    found.append(Part("gpu", _names("gpu", GPUS), _spread(above, most, GPUS), row["link"], needs["gpu"]))
    if nics != NONE:
        ends = _spread(*(("cpu", 2) if nics == ON_CPUS else (above, most)), GPUS).split()
        ends[0] = f"{above}{MOVED[nics] % most}" if nics in MOVED else ends[0]
        found.append(Part("nic", _names("nic", GPUS), " ".join(ends), row["link"], needs["nic"]))
    ssds = _spread(above, most, SSDS) if most <= SSDS else " ".join(f"{above}{2 * i}" for i in range(SSDS))
    return [*found, Part("ssd", _names("ssd", SSDS), ssds, row["link"], needs["ssd"])]


@functools.cache
def built(switches: int, nics: str, uplink: str) -> Graph:
    """Return the tree of the learner's box.

    Raises:
        ValueError: a CPU or a switch has fewer lanes than are asked of it.
    """
    return tree("the box", parts(switches, nics, uplink))


def pairs(traffic: str) -> list[tuple[str, str]]:
    """Return the flows of *traffic* as (from, to), by name."""
    gpus = [f"gpu{i}" for i in range(GPUS)]
    if traffic in (TO_NEXT, TO_ALL):
        return [(gpus[a], gpus[b]) for a, b in (ring(GPUS) if traffic == TO_NEXT else all_to_all(GPUS)).tolist()]
    if traffic in (TO_NIC, TO_CPU):
        return [(gpu, f"nic{i}" if traffic == TO_NIC else f"cpu{2 * i // GPUS}") for i, gpu in enumerate(gpus)]
    a, b = traffic.removeprefix("GPU ").split(" to GPU ")
    return [(f"gpu{a}", f"gpu{b}")]


class Load(NamedTuple):
    """The lanes below the fullest switch and of its uplink (both zero without switches), and those in use of a CPU's.

    `where` says which switch it is: "each switch" where all are as full.
    """

    below: int
    uplink: int
    of_cpu: int
    where: str = ""


class Budget(NamedTuple):
    """The lanes that a part `has`, and those `asked` of it, by what asks for them ("4 GPUs")."""

    has: int
    asked: dict[str, int]

    @property
    def over(self) -> int:
        """How many lanes are asked for that are not there."""
        return max(sum(self.asked.values()) - self.has, 0)


def without_limits(switches: int, nics: str, uplink: str) -> list[Part]:
    """Return the list of `parts` as if CPUs and switches had lanes for everything: what is drawn of a box that is refused."""
    return [part._replace(has=None) for part in parts(switches, nics, uplink)]


def budgets(switches: int, nics: str, uplink: str) -> dict[str, Budget]:
    """Return {name: budget} of every CPU and switch of the learner's box, built or not."""
    listed = trees.listed("the box", without_limits(switches, nics, uplink))
    has = {name: part.has for part in parts(switches, nics, uplink) if part.has is not None for name in part.names.split()}
    found = {}
    for name, most in has.items():
        asked = {}
        for kind in ("gpu", "nic", "ssd", "pcie-switch"):
            below = [one.uses for one in listed.values() if one.at == name and one.kind == kind]
            if below:
                asked[counted(len(below), _KINDS[kind])] = sum(below)
        if listed[name].uses and listed[name].kind != "cpu":
            asked["its uplink"] = listed[name].uses
        found[name] = Budget(most, asked)
    return found


def load(switches: int, nics: str, uplink: str) -> Load:
    """Return the lanes that the fullest switch and the first CPU have in use."""
    found = budgets(switches, nics, uplink)
    of_cpu = sum(found["cpu0"].asked.values())
    if not switches:
        return Load(0, 0, of_cpu)
    full = {name: sum(one.asked.values()) for name, one in found.items() if name.startswith("sw")}
    name = max(full, key=full.get)
    up = found[name].asked["its uplink"]
    where = f"switch {name.removeprefix('sw')}" if nics in MOVED else "each switch"
    return Load(full[name] - up, up, of_cpu, where)


def overbooked(switches: int, nics: str, uplink: str) -> dict[str, Budget]:
    """Return {name: budget} of the parts that lack lanes: none where the box can be built."""
    return {name: one for name, one in budgets(switches, nics, uplink).items() if one.over}


def too_many(switches: int, nics: str, uplink: str) -> str:
    """Say which part lacks how many lanes, and what asks for them, as a sum."""
    (first, one), *others = sorted(overbooked(switches, nics, uplink).items(), key=lambda named: -named[1].over)
    asked = " + ".join(f"{lanes} ({by})" for by, lanes in one.asked.items())
    total = f" = {sum(one.asked.values())}" if len(one.asked) > 1 else ""
    more = "".join(f" {_called(name)} lacks {'as many' if two.over == one.over else two.over}." for name, two in others)
    return (f"This does not work: {one.over} lanes too many at {_called(first)}. It has {one.has} PCIe lanes, and asked of it "
            f"are {asked}{total}.{more}")


def _called(name: str) -> str:
    return f"{'CPU' if name.startswith('cpu') else 'PCIe switch'} {''.join(filter(str.isdigit, name))}"


def _names(kind: str, many: int) -> str:
    return " ".join(f"{kind}{i}" for i in range(many))


def _spread(above: str, places: int, many: int) -> str:
    return " ".join(f"{above}{i * places // many}" for i in range(many))
