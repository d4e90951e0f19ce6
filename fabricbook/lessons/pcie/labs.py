"""What PCIe leaves for data, by payload size, reads against writes; and the tables beside measurements."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, units
from fabriclib import pcie as model
from fabriclib.flows import share
from fabriclib.links import Link, link
from fabriclib.measurements import error, percent
from fabriclib.topology import Part, tree

from ...stage import Control, charts, lab

MRRS = 512
ROUND_TRIP = catalog.figure("pcie3-read-latency").si
_LINKS = {f"PCIe {generation} x{lanes}": (f"pcie{generation}", lanes)
          for generation, lanes in ((3, 8), (3, 16), (4, 16), (5, 16), (6, 16), (7, 16))}
MEASURED_ON = "PCIe 3 x8"
_WRITE, _READ, _ABLE = "writes", "reads, so many under way", "reads, no limit"
_STYLES = {_WRITE: (charts.SERVER, charts.SOLID), _READ: (charts.CHIP, charts.DASHED), _ABLE: (charts.OTHER_2, charts.DOTTED)}
_SIZE, _SHARE = (16, 4096), (0, 100)
_EDGES = [128 * n + more for n in range(1, 33) for more in (0, 1)][:-1]  # where one more byte costs one more packet
_STOPS = sorted([*(2**k for k in range(4, 13)), 257, 513, 1025])  # some with the one byte more
_SIZES = np.unique([*np.geomspace(*_SIZE, 49).round().astype(int), *_EDGES])


def chosen(name: str) -> Link:
    """Return the link by the name the learner reads."""
    return link(*_LINKS[name])


def read_rate(one: Link, nbytes, settings: model.Settings, requests: int):
    """Return bytes per second of reads of *nbytes*: as fast as the wire, or as fast as *requests* under way come back.

    A request is back after the measured round trip of a small read, and the time its own bytes take on the wire.
    """
    asked = np.minimum(nbytes, settings.mrrs)
    back = ROUND_TRIP + asked / one.bandwidth()
    return np.minimum(model.rate(one, "read", nbytes, settings), model.rate_in_flight(requests, asked, back))


def _chart():
    x = charts.x("bytes", _SIZE, title="one transfer", unit="B", log=2)

    def y(field):
        return charts.y(field, _SHARE, title="data, share of the line rate (%)", ticks=range(0, 101, 20))

    line, rows = chosen(MEASURED_ON).line, {}
    for kind in ("write", "read"):
        rows[kind] = [{"bytes": float(f.scope.split(", ")[1].removesuffix(" B")), "share": 100 * f.si / line,
                       "label": ""}
                      for f in catalog.figures("pcie3", f"measured {kind}")]
    rows["write"].append({"bytes": 100.0, "share": 22, "label": f"writes, measured on {MEASURED_ON}"})
    rows["read"].append({"bytes": 100.0, "share": 12, "label": f"reads, measured on {MEASURED_ON}"})
    marks = [charts.fixed(rows[kind]).mark_point(shape="diamond", size=130, filled=True, opacity=1, fill=fill, strokeWidth=2,
                                                 stroke=charts.MEASURED).encode(x=x, y=y("share"))
             for kind, fill in (("write", charts.MEASURED), ("read", "white"))]
    size = charts.fitting("width * 0.62", 14)
    words = charts.fixed([rows["write"][-1], rows["read"][-1]]).mark_text(
        align="left", dx=14, fontSize=size, color="#222222").encode(x=x, y=y("share"), text="label:N")
    return charts.stack(
        charts.line(x, y("share"), colour=charts.SERVER, **charts.series("what", _STYLES)), *marks, words,
        charts.here(x, y("here"), colour="white"), height=360, description=(
            "The share of the line rate that is data, against the bytes of one transfer from 16 to 4096. Solid: writes. Dashed: "
            "reads with the chosen number of requests under way. Dotted: reads without that limit. All three fall a "
            "little after each full payload. Black diamonds: writes measured, white diamonds: reads measured, on PCIe 3 with "
            "eight lanes. White circles: the chosen size."))


@lab("pcie-payload", title="What is left for data", tier="server",
     controls=[Control("wire", list(_LINKS), default=MEASURED_ON, label="link", as_="menu"),
               Control("payload", model.SIZES, default=256, label="largest payload", unit="B"),
               Control("nbytes", _STOPS, default=64, label="one transfer", unit="B"),
               Control("requests", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768], default=32, label="reads under way")],
     chart=_chart,
     leaves_out="How fast a device can start its transfers: the measured one stays far below the model on small writes. Reads "
                "that do not begin at a round address, and hosts that cut their answers at every 64 bytes. A read comes back "
                "after the time measured on one host with the data in its cache; memory adds to it, and so do other hosts. One "
                "request asks for 512 bytes at most, or for one largest payload.",
     sources=["pcie-bench", "pcie-bench-data", "pcie-model", "mindshare-pcie", "intel-an855", "hpc-notes-pcie"])
def payload_lab(wire, payload, nbytes, requests):
    """Small packets waste the wire; reads need many requests under way, and more of them on a faster link."""
    one, settings = chosen(wire), model.Settings(mps=payload, mrrs=max(MRRS, payload))
    line = one.line

    def rates(n):
        return [model.rate(one, "write", n, settings), read_rate(one, n, settings, requests),
                model.rate(one, "read", n, settings)]

    shares = np.concatenate([100 * rate / line for rate in rates(_SIZES)])
    sizes = np.tile(_SIZES, len(_STYLES))
    what = np.repeat(list(_STYLES), len(_SIZES))
    table = {"what": what, "bytes": sizes, "share": shares,
             "here": np.where((sizes == nbytes) & (what != _ABLE), shares, np.nan)}
    write, read, able = rates(nbytes)
    few = "1 under way is" if requests == 1 else f"{requests} under way are"
    held = f"; {few} all that holds them back" if read < able * (1 - 1e-9) else ""
    return table, (f"{wire}, {units.format(nbytes)} at a time: of {units.format(line, 'B/s')} writes get "
                   f"{units.format(write, 'B/s')} ({units.portion(write / line)}), reads {units.format(read, 'B/s')} "
                   f"({units.portion(read / line)}){held}.")


# ---- model against measurement ----

def figures_beside_published():
    """Return a DataFrame: how many published PCIe figures of each kind the model computes, and the largest difference."""
    from fabriclib.figures import published

    table = published()
    table = table[table["about"].str.match(r"pcie|pex") & ~table["note"].str.startswith("differs:")]
    off = (table["computed / stated"] - 1).abs()
    found = table.assign(off=off).groupby("quantity").agg(figures=("id", "size"), off=("off", "max")).reset_index()
    found["largest difference"] = [f"{100 * value:.1f} %" for value in found.pop("off")]
    return found


def transfers_beside_measured():
    """Return a DataFrame of text: reads and writes over PCIe 3 x8, the model beside pcie-bench's measurements."""
    import pandas as pd

    one, rows = chosen(MEASURED_ON), []
    for kind in model.OPERATIONS:
        for figure in catalog.figures("pcie3", f"measured {kind}"):
            nbytes = int(figure.scope.split(", ")[1].removesuffix(" B"))
            settings = model.Settings()
            rate = model.rate(one, kind, nbytes, settings) if kind != "read" else read_rate(one, nbytes, settings, 32)
            rows.append({"transfer": units.format(nbytes), "kind": kind, "rate": rate, "measured": figure.si})
    table = pd.DataFrame(rows)
    table["text"] = [f"{percent(error(rate, got))}" for rate, got in zip(table["rate"], table["measured"], strict=True)]
    table["measured"] = [f"{8 * got / 1e9:.3g} Gb/s" for got in table["measured"]]
    wide = table.pivot(index="transfer", columns="kind", values=["measured", "text"])
    order = sorted(wide.index, key=lambda text: units.parse(text))
    return pd.DataFrame({"transfer": order} | {f"{kind}, {what}": list(wide.loc[order, (column, kind)])
                                               for kind in ("write", "read", "read and write")
                                               for what, column in (("measured", "measured"), ("error", "text"))})


def limits_beside_measured():
    """Return a DataFrame of text: two ways to count the control packets, and copies that decide between them."""
    import pandas as pd

    narrow, wide, rows = chosen(MEASURED_ON), chosen("PCIe 5 x16"), []
    for one, operation, id in ((narrow, "write", "pcie3-x8-write-2048"), (narrow, "read", "pcie3-x8-read-2048"),
                               (wide, "write", "p2p-no-switch"), (wide, "read", "pcie5-h2d")):
        header, got = model.Settings().header(completion=operation == "read"), catalog.figure(id).si
        paper = model.tlp_rate_in_bytes(one) * 256 / (256 + header)
        rows.append({"link": f"{one.name} x{one.lanes}", "kind": operation,
                     "limit as the paper counts": units.format(paper, "B/s"),
                     "limit as the model counts": units.format(model.rate(one, operation, 4096), "B/s"),
                     "measured": units.format(got, "B/s"), "beats the paper's": "yes" if got > paper else "no"})
    return pd.DataFrame(rows)


def copies_beside_measured():
    """Return a DataFrame of text: copies with and without switches, the model beside what was measured."""
    import pandas as pd

    direct = tree("no switch", [Part("cpu", "cpu0"), Part("gpu", "gpu0 gpu1", "cpu0")])
    box = tree("two switches", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0 sw1", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0 sw0 sw1 sw1")])
    below = tree("one switch", [Part("cpu", "cpu0"), Part("pcie-switch", "sw0", "cpu0"),
                                Part("gpu", "gpu0 gpu1 gpu2 gpu3", "sw0")])
    over = [("gpu0", "cpu0"), ("gpu1", "cpu0"), ("cpu0", "gpu0"), ("cpu0", "gpu1")]  # up to the root port and down again
    cases = [("p2p-no-switch", share(direct, [("gpu0", "gpu1")]).total), ("p2p-one-switch", share(box, [("gpu0", "gpu1")]).total),
             ("p2p-two-switches", share(box, [("gpu0", "gpu2")]).total),
             ("p2p-two-pairs-one-switch", share(below, [("gpu0", "gpu2"), ("gpu1", "gpu3")]).total),
             ("p2p-two-pairs-uplink", share(box, [("gpu0", "gpu2"), ("gpu1", "gpu3")]).total),
             ("p2p-both-ways-no-switch", share(direct, [("gpu0", "gpu1"), ("gpu1", "gpu0")]).total),
             ("p2p-both-ways", share(box, [("gpu0", "gpu1"), ("gpu1", "gpu0")]).total),
             ("p2p-both-ways-acs", share(box, over).total / 2)]
    found = [(catalog.figure(id), value) for id, value in cases]
    return pd.DataFrame([{"copy": figure.quantity, "model": units.format(value, "B/s"),
                          "measured": units.format(figure.si, "B/s"), "error": percent(error(value, figure.si)),
                          "source": figure.source.id} for figure, value in found])
