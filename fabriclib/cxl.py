"""CXL: who owns a cache line after each access, and which messages that costs, for devices of type 1, 2 and 3.

One host and one device, each with one cache, and lines called by their home: H0, H1 ... live in the host's memory, D0, D1 ...
in the device's. Caches keep MESI states: M(odified), E(xclusive), S(hared), I(nvalid). Message names are the specification's;
sequences are shortened to what decides ownership: no hints, no conflicts, and a dirty line that is snooped also goes home.

Sources: the Linux kernel's description of the device types; the bias rules as in S. Mahar's notes on CXL 1.0 to 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from . import catalog
from .checks import count, known, short

AGENTS = ("host", "device")
OPERATIONS = ("read", "write", "evict", "claim")
_LINE = re.compile(r"([HD])(\d{1,3})")


class Step(NamedTuple):
    """What one access did: who owns the line now, both caches' states, what crossed the link, where the data came from.

    *value* is the number of the access that wrote the line last, 0 for none.
    """

    access: str
    owner: str
    host: str
    device: str
    bias: str
    messages: tuple[str, ...]
    data_from: str
    value: int


@dataclass
class _Line:
    """A cache line: what its home memory holds, and each cache's state and copy."""

    home: str
    bias: str
    memory: int = 0
    state: dict[str, str] = field(default_factory=lambda: dict.fromkeys(AGENTS, "I"))
    copy: dict[str, int] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return next((agent for agent in AGENTS if self.state[agent] in "ME"), f"{self.home} memory")

    @property
    def value(self) -> int:
        """What was written last: a dirty copy, or else what memory holds."""
        return next((self.copy[agent] for agent in AGENTS if self.state[agent] == "M"), self.memory)


def trace(device_type: int, accesses: Sequence[str], bias: str = "host") -> tuple[Step, ...]:
    """Run *accesses* in order and return one Step each, which counts no time: states, messages, and where data came from.

    Args:
        device_type: 1 (.cache: caches host memory), 2 (.cache and .mem: has memory of its own too) or
            3 (.mem only: memory that the host caches).
        accesses: such as "host read D0": an agent (host, device), an operation and a line. *evict* drops the agent's copy,
            written back if dirty; *claim* turns a line of a type 2 device's own memory to device bias.
        bias: "host" or "device": how the device's own memory starts. Under host bias the device asks the host before it
            touches its own memory; under device bias it does not, and the host's next access turns the line back.

    Raises:
        ValueError: an unknown type, agent, operation or line, or one that a device of this type does not have.

    >>> for step in trace(1, ["device read H0", "host write H0", "device read H0"]):
    ...     print(step.owner, step.host, step.device, step.messages, step.data_from)
    device I E ('D2H RdAny', 'H2D GO-E', 'H2D Data') host memory
    host M I ('H2D SnpInv', 'D2H RspIHitSE') host memory
    host memory S S ('D2H RdAny', 'H2D GO-S', 'H2D Data') host cache
    """
    device = catalog.row("cxl_devices", str(count("device_type", device_type, high=3)))
    known("bias", bias, AGENTS)
    if not isinstance(accesses, (list, tuple)):
        raise ValueError(f"accesses must be a list such as ['host read H0']; got {short(accesses)}.")
    lines: dict[str, _Line] = {}
    steps = []
    for number, access in enumerate(accesses, start=1):
        agent, operation, name = _parsed(access, device)
        home = "host" if name[0] == "H" else "device"
        line = lines.setdefault(name, _Line(home, bias if home == "device" and device["caches_host_memory"] else ""))
        messages, data_from = _RUN[operation](line, agent, number)
        if line.bias and (agent, operation) in (("host", "read"), ("host", "write")):
            line.bias = "host"
        steps.append(Step(access, line.owner, line.state["host"], line.state["device"], line.bias, messages, data_from,
                          line.value))
    return tuple(steps)


def trace_table(device_type: int, accesses: Sequence[str], bias: str = "host"):
    """Return `trace` as a DataFrame: one row an access.

    Raises:
        ValueError: what `trace` refuses.

    >>> trace_table(2, ["host read D0", "device write D0"])["messages"].tolist()
    ['M2S MemRd, S2M MemData', 'D2H RdOwn, M2S MemRdFwd']
    """
    import pandas as pd

    return pd.DataFrame([step._asdict() | {"messages": ", ".join(step.messages) or "none"}
                         for step in trace(device_type, accesses, bias)])


def table(name: str):
    """Return what is known of CXL as a DataFrame, with the status of each row: "ships", "samples" or "specified only".

    Args:
        name: "versions", "features", "devices" or "sharing" (who may share memory with whom).

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> list(table("devices")["protocols"])
    ['io cache', 'io cache mem', 'io mem']
    """
    import pandas as pd

    return pd.DataFrame(catalog.texts(f"cxl_{known('name', name, ['versions', 'features', 'devices', 'sharing'])}"))


def _read(line: _Line, agent: str, number: int) -> tuple[tuple[str, ...], str]:
    if line.state[agent] != "I":
        return (), "own cache"
    other = _other(agent)
    shared = line.state[other] != "I"
    messages = _messages(line, agent, "read", "S" if shared else "E")
    data_from = _clean(line, agent)
    if shared:
        line.state[other] = "S"
    line.state[agent], line.copy[agent] = ("S" if shared else "E"), line.memory
    return messages, data_from


def _write(line: _Line, agent: str, number: int) -> tuple[tuple[str, ...], str]:
    messages: tuple[str, ...] = ()
    data_from = "own cache"
    if line.state[agent] in "SI":
        messages = _messages(line, agent, "upgrade" if line.state[agent] == "S" else "write", "E")
        if line.state[agent] == "I":
            data_from = _clean(line, agent)
        _drop(line, _other(agent))
    line.state[agent], line.copy[agent] = "M", number
    return messages, data_from


def _evict(line: _Line, agent: str, number: int) -> tuple[tuple[str, ...], str]:
    if line.state[agent] == "I":
        return (), "nothing to evict"
    dirty = line.state[agent] == "M"
    messages = _EVICT.get((agent, line.home, dirty), ())
    if dirty:
        line.memory = line.copy[agent]
    _drop(line, agent)
    return messages, "own cache"


def _claim(line: _Line, agent: str, number: int) -> tuple[tuple[str, ...], str]:
    messages = _messages(line, agent, "upgrade", "E")
    _clean(line, agent)
    _drop(line, "host")
    line.bias = "device"
    return messages, "no data"


_RUN = {"read": _read, "write": _write, "evict": _evict, "claim": _claim}

# Of (agent, home, whether its copy is dirty); all else crosses no link.
_EVICT: dict[tuple[str, str, bool], tuple[str, ...]] = {
    ("device", "host", True): ("D2H DirtyEvict", "H2D GO-WritePull", "D2H Data"),
    ("device", "host", False): ("D2H CleanEvictNoData", "H2D GO-I"),
    ("host", "device", True): ("M2S MemWr", "S2M Cmp"),
}


def _messages(line: _Line, agent: str, need: str, granted: str) -> tuple[str, ...]:
    """What crosses the link when *agent* needs the line to read, to write or (it has a shared copy) to upgrade."""
    theirs = line.state[_other(agent)]
    if (agent, line.home) == ("host", "host"):
        return _snoop(theirs, need)
    if (agent, line.home) == ("device", "host"):
        return {"read": ("D2H RdAny", f"H2D GO-{granted}", "H2D Data"), "write": ("D2H RdOwn", "H2D GO-E", "H2D Data"),
                "upgrade": ("D2H RdOwnNoData", "H2D GO-E")}[need]
    if (agent, line.home) == ("host", "device"):
        return ("M2S MemInv", "S2M Cmp-E") if need == "upgrade" else ("M2S MemRd", "S2M MemData")
    if line.bias == "device":
        return ()
    asks = {"read": "D2H RdAny", "write": "D2H RdOwn", "upgrade": "D2H RdOwnNoData"}[need]
    return (asks, *(["M2S MemWr"] if theirs == "M" else []), "M2S MemRdFwd")


def _snoop(theirs: str, need: str) -> tuple[str, ...]:
    """The host asks the device's cache, if its snoop filter says that the device holds the line."""
    if theirs == "I":
        return ()
    snoop, left = ("H2D SnpData", "S") if need == "read" else ("H2D SnpInv", "I")
    return (snoop, f"D2H Rsp{left}FwdM", "D2H Data") if theirs == "M" else (snoop, f"D2H Rsp{left}HitSE")


def _clean(line: _Line, agent: str) -> str:
    """Bring the home memory up to date from the other cache, and say where *agent*'s data comes from."""
    other = _other(agent)
    if line.state[other] != "M":
        return f"{line.home} memory"
    line.memory = line.copy[other]
    return f"{other} cache"


def _drop(line: _Line, agent: str) -> None:
    line.state[agent] = "I"
    line.copy.pop(agent, None)


def _other(agent: str) -> str:
    return "device" if agent == "host" else "host"


def _parsed(access: str, device: catalog.Row) -> tuple[str, str, str]:
    words = access.split() if isinstance(access, str) else []
    if len(words) != 3:
        raise ValueError(f"access must be an agent, an operation and a line, such as 'host read H0'; got {short(access)}.")
    agent, operation, name = words
    has_cache, has_memory = device["caches_host_memory"], device["own_memory"]
    known("agent", agent, AGENTS if has_cache else ["host"])
    known("operation", operation, OPERATIONS[:3 + (agent == "device" and has_memory and name.startswith("D"))])
    if not _LINE.fullmatch(name) or (name[0] == "D" and not has_memory):
        kinds = "H0, H1 ... (host memory)" + (" or D0, D1 ... (device memory)" if has_memory else "")
        raise ValueError(f"line must be {kinds} with a type {device['id']} device; got {short(name)}.")
    return agent, operation, name
