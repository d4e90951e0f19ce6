"""What lesson "CXL" shows and quotes: memory near and far, the boxes that lines travel in, and what was measured of both."""

from __future__ import annotations

from fabriclib import catalog, cxl, framing, units
from fabriclib.links import link
from fabriclib.measurements import error, percent
from fabriclib.memory import tier

local, direct, pooled = (tier(name) for name in ("local-dram", "cxl-direct", "cxl-pooled"))
small_flit, large_flit = framing.flit_bytes("cxl-68"), framing.flit_bytes("cxl-256")


def best_share(ports: int = 1) -> float:
    """Return the share of the accesses that should go to CXL memory on *ports* ports: then both memories are full at once."""
    return ports * direct.bandwidth / (local.bandwidth + ports * direct.bandwidth)


def ping_pong(writes: int) -> int:
    """Return the messages over the link when a type 1 device and its host write one line in turn, the device first."""
    steps = cxl.trace(1, [f"{('device', 'host')[n % 2]} write H0" for n in range(writes)])
    return sum(len(step.messages) for step in steps)


def flit_layouts():
    """Return a DataFrame: the fields of both flits."""
    import pandas as pd

    fields = pd.DataFrame(catalog.rows("framings"))[["framing", "field", "bytes", "carries"]]
    return fields[fields["framing"].isin(["cxl-68", "cxl-256"])].reset_index(drop=True)


def rates_beside_published():
    """Return a DataFrame: the rates that were printed of CXL links and switches, and what the model computes of each."""
    from fabriclib.figures import published

    table = published()
    columns = ["about", "quantity", "scope", "direction", "stated", "computed / stated"]
    return table.loc[table["about"].str.startswith(("cxl", "xconn")), columns].reset_index(drop=True)


def ladder_beside_published():
    """Return a DataFrame of text: the ladder's loads, from a card and from a pool, beside what was published of real ones."""
    import pandas as pd

    rows = [("fastest of four cards (sets the step)", "cxl-cards-fastest", direct.latency, "s"),
            ("slowest of four cards (sets the step)", "cxl-cards-slowest", direct.latency, "s"),
            ("fastest of three other cards, against local DRAM", "cxl-cards-low", direct.latency / local.latency, ""),
            ("slowest of three other cards, against local DRAM", "cxl-cards-high", direct.latency / local.latency, ""),
            ("pool behind a switch (is the step)", "cxl-pool-measured", pooled.latency, "s"),
            ("pool behind the same switch, others", "cxl-pool-polardb", pooled.latency, "s")]
    return pd.DataFrame([{"published": what, "source": (figure := catalog.figure(id)).source.id, "model": _said(value, unit),
                          "measured": _said(figure.si, unit), "error": percent(error(value, figure.si))}
                         for what, id, value, unit in rows])


def _said(value: float, unit: str) -> str:
    return units.format(value, unit) if unit else f"{value:.2g} times"


def gain_beside_published():
    """Return a DataFrame of text: the best rate of local DRAM and CXL modules together, over local DRAM alone."""
    import pandas as pd

    module, rows = link("cxl2", lanes=8).bandwidth(), []
    for server in ("cz120-epyc", "cz122-xeon6"):
        alone = catalog.figures(server, "local DRAM rate")[0].si
        modules = int(catalog.figures(server, "CXL x8 modules")[0].value)
        best = alone + modules * module  # the split that fills both at the same moment
        rows += [{"server": server, "local DRAM": units.format(alone, "B/s"), "CXL modules of x8": modules,
                  "model": f"{best / alone:.3g} times", "measured": f"{figure.value:.3g} times", "with": figure.scope,
                  "error": percent(error(best / alone, figure.value))}
                 for figure in catalog.figures(server, "bandwidth over local DRAM")]
    return pd.DataFrame(rows)
