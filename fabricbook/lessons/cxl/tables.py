"""What lesson "CXL" shows and quotes: memory near and far, the boxes that lines travel in, and what was measured of both."""

from __future__ import annotations

from fabriclib import catalog, cxl, framing, units
from fabriclib.links import link
from fabriclib.memory import Tier, tier

from ...course.story import GRADIENT

local, direct, pooled = (tier(name) for name in ("local-dram", "cxl-direct", "cxl-pooled"))
small_flit, large_flit = framing.flit_bytes("cxl-68"), framing.flit_bytes("cxl-256")


# What a program does in a second with four sorts of data, an example's own numbers: bytes that it streams, loads of which each
# waits for the one before, writes of a line that host and device change in turn.
_STREAMS = {"old conversations": 1 * units.GB, "the weights": 20 * GRADIENT}
_LOADS, _WRITES = {"an index": 4e6}, {"a counter": 1e6}
DATA = [*_STREAMS, *_LOADS, *_WRITES]


def spent(data: str, memory: Tier) -> float:
    """Return the seconds that a second's work on *data* takes in a memory; a line written in turn crosses the card's link."""
    if data in _STREAMS:
        return _STREAMS[data] / memory.bandwidth
    return _LOADS[data] * memory.latency if data in _LOADS else _WRITES[data] * (memory.latency if memory != local else 0)


def longer(data: str) -> float:
    """Return the seconds by which a second of the program grows if these data move from local DRAM to a CXL card."""
    return spent(data, direct) - spent(data, local)


def data_to_place():
    """Return a DataFrame of text: four sorts of data, and what a program does with each in a second."""
    import pandas as pd

    does = {data: f"streams {units.format(nbytes)}" for data, nbytes in _STREAMS.items()}
    does |= {data: f"{loads / 1e6:.0f} million loads, each waits for the one before" for data, loads in _LOADS.items()}
    does |= {data: f"{writes / 1e6:.0f} million writes, by host and device in turn" for data, writes in _WRITES.items()}
    return pd.DataFrame({"data": list(does), "in a second the program": list(does.values())})


def best_share(ports: int = 1) -> float:
    """Return the share of the accesses that should go to CXL memory on *ports* ports: then both memories are full at once."""
    return ports * direct.bandwidth / (local.bandwidth + ports * direct.bandwidth)


def ping_pong(writes: int) -> int:
    """Return the messages over the link when a type 1 device and its host write one line in turn, the device first."""
    steps = cxl.trace(1, [f"{('device', 'host')[n % 2]} write H0" for n in range(writes)])
    return sum(len(step.messages) for step in steps)


def flit_fields(names: dict[str, str]) -> list[dict]:
    """Return the fields of the flits with these ids, one behind the other: flit by its name, field, carries, from, to (bytes)."""
    found, at = [], dict.fromkeys(names, 0.0)
    for row in catalog.rows("framings"):
        if (id := row["framing"]) in names:
            found.append({"flit": names[id], "field": row["field"], "carries": row["carries"], "from": at[id],
                          "to": at[id] + row["bytes"]})
            at[id] += row["bytes"]
    return found


def device_types():
    """Return a DataFrame of text: the three types of device, and what each of them speaks."""
    import pandas as pd

    said = {True: "yes", False: "no"}
    return pd.DataFrame([{
        "device": row["name"], "protocols": ", ".join(f".{one}" for one in row["protocols"].split()),
        "caches the host's memory": said[row["caches_host_memory"]], "has memory of its own": said[row["own_memory"]],
        "such as": row["examples"], "status": row["status"]} for row in catalog.rows("cxl_devices")])


def ways_to_share():
    """Return a DataFrame of text: who shares whose memory, since which version of CXL, and whether it can be bought."""
    import pandas as pd

    return pd.DataFrame([{"who": row["who"], "whose memory": row["whose_memory"], "since CXL": str(row["first_version"]),
                          "status": row["status"]} for row in catalog.rows("cxl_sharing")])


def rates_beside_published():
    """Return a DataFrame: the rates that were printed of CXL links and switches, and what the model computes of each."""
    from fabriclib.figures import called, published

    table = published()
    columns = ["about", "quantity", "scope", "direction", "stated", "computed / stated"]
    found = table.loc[table["about"].str.startswith(("cxl", "xconn")), columns].reset_index(drop=True)
    return found.assign(about=found["about"].map(called))


def ladder_against_measured() -> dict[str, tuple[float, float]]:
    """Return, for loads from cards and from a pool, how many times a load from local DRAM they take: the model, and measured."""
    card, behind = direct.latency / local.latency, pooled.latency / local.latency
    figures = {"four cards, fastest": ("cxl-cards-fastest", card), "four cards, slowest": ("cxl-cards-slowest", card),
               "three others, fastest": ("cxl-cards-low", card), "three others, slowest": ("cxl-cards-high", card),
               "a pool": ("cxl-pool-measured", behind), "the same, others": ("cxl-pool-polardb", behind)}
    return {what: (model, figure.si / (local.latency if figure.unit == "ns" else 1))
            for what, (id, model) in figures.items() for figure in [catalog.figure(id)]}


def gain_against_measured() -> dict[str, tuple[float, float]]:
    """Return the best rate of local DRAM and CXL modules together, over local DRAM alone: the model, and measured."""
    module, found = link("cxl2", lanes=8).bandwidth(), {}
    for server in ("cz120-epyc", "cz122-xeon6"):
        alone = catalog.figures(server, "local DRAM rate")[0].si
        modules = int(catalog.figures(server, "CXL x8 modules")[0].value)
        best = alone + modules * module  # the split that fills both at the same moment
        found |= {f"{modules} modules, {figure.scope.replace(' and ', ' + ')}": (best / alone, figure.value)
                  for figure in catalog.figures(server, "bandwidth over local DRAM")}
    return found
