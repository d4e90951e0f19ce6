"""Part one: a fabric drawn and its parts counted, and what a fabric costs each GPU as it grows."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.cabling import cable
from fabriclib.links import link
from fabriclib.switches import switch
from fabriclib.topology import Design, Graph, fabric, fabric_counts, parts_list
from fabriclib.topology.fabrics import estimate, watts

from ...stage import Control, charts, lab, parts

SPEED = "eth400"
RAILS, ONE_LEAF, ONLY, PLANES = "rails", "one leaf a server", "rails, not joined", "rails in two planes"
WIRINGS = {RAILS: ("rail-optimised", {}), ONE_LEAF: ("rail-optimised", {"rails": 1}), ONLY: ("rail-only", {}),
           PLANES: ("dual-plane", {"speed": "eth200"})}
BELOW = {True: "dac-400", False: "module-800-sm"}  # a server reaches one leaf in its rack with copper, eight leaves it does not
SIZES = [2**k for k in range(4, 15)]
RADIX = [16, 32, 64, 128]
MOST = 12  # nodes of a tier that are drawn
HEIGHT = {"switch": 0.0, "leaf": 0.4, "spine": 0.72, "core": 1.04}
WORDS = {"switch": ("server", "servers"), "leaf": ("leaf", "leaves"), "spine": ("spine", "spines"), "core": ("core", "cores")}
X, Y = (-0.27, 1.03), (-0.47, 1.15)


def asked(wiring: str, gpus: int, radix: int, oversubscription: float) -> tuple[str, dict]:
    """Return (kind, options) for what the learner chose: two planes split each port, so the same boxes have twice as many."""
    kind, options = WIRINGS[wiring]
    ports = 2 * radix if wiring == PLANES else radix
    return kind, {"gpus": gpus, "radix": ports, "oversubscription": oversubscription, "speed": SPEED} | options


@functools.cache
def _built(wiring: str, gpus: int, radix: int, oversubscription: float) -> tuple[Design, list[dict]]:
    """Return the counts of the fabric and the rows of its picture; the graph itself is large and not kept."""
    kind, options = asked(wiring, gpus, radix, oversubscription)
    return fabric_counts(kind, **options), drawn(fabric(kind, **options))


def _shown(graph: Graph, kind: str) -> np.ndarray:
    """Return the nodes of a tier that are drawn: all, or the first ones and the last."""
    nodes = graph.of_kind(kind)
    return nodes if len(nodes) <= MOST else np.append(nodes[: MOST - 1], nodes[-1])


def drawn(graph: Graph) -> list[dict]:
    """Return the rows of the picture: servers below, tiers of switches above, and the cables between those that are drawn."""
    at, rows = {}, []
    for kind, height in HEIGHT.items():
        shown, many = _shown(graph, kind), len(graph.of_kind(kind))
        wide = np.linspace(0, 1, len(shown)) if len(shown) != 1 else np.array([0.5])
        if many > MOST:  # room for the dots before the last
            wide[:-1] *= 0.955
        at |= dict(zip(shown.tolist(), wide, strict=True))
        rows += [{"part": "server" if kind == "switch" else "switch", "from": graph.nodes[node], "x": x, "y": height}
                 for node, x in zip(shown.tolist(), wide, strict=True)]
        if many:
            rows.append({"part": "tier", "label": f"{many:,} {WORDS[kind][many > 1]}", "x": X[0] + 0.01, "y": height})
        if many > MOST:
            rows.append({"part": "more", "label": "...", "x": float(wide[-2] + wide[-1]) / 2, "y": height})
    return rows + _cables(graph, at)


def _cables(graph: Graph, at: dict[int, float]) -> list[dict]:
    """Return a row a cable that is drawn; those of the first GPU of every server stand out."""
    server, place = graph.of_kind("switch"), np.full(len(graph.nodes), -1)
    size = len(graph.gpus) // len(server)
    home = np.arange(len(graph.nodes))
    home[graph.gpus], place[graph.gpus] = np.repeat(server, size), np.tile(np.arange(size), len(server))
    found = {}
    up = np.flatnonzero(graph.beyond & (graph.src < graph.dst))
    known = np.isin(home[graph.src[up]], list(at)) & np.isin(graph.dst[up], list(at))
    for edge in up[known].tolist():
        a, b = int(home[graph.src[edge]]), int(graph.dst[edge])
        found[a, b] = found.get((a, b), False) or place[graph.src[edge]] == 0
    height = {node: HEIGHT[str(graph.kinds[node])] for node in at}
    return [{"part": "cable", "from": graph.nodes[a], "to": graph.nodes[b], "state": FIRST if first else CABLE,
             "px": 3.0 if first else 0.9, "x": at[a], "y": height[a], "x2": at[b], "y2": height[b]}
            for (a, b), first in sorted(found.items(), key=lambda item: item[1])]


FIRST, CABLE = "GPU 0 of every server", "all other cables"
_COLUMNS = {"part": "", "from": "", "to": "", "state": "", "label": "", "px": None, "x": None, "y": None, "x2": None, "y2": None}


def _captions(lines, top: float = -0.19) -> list[dict]:
    return [{"part": "caption", "label": text, "x": X[0] + 0.01, "y": top - 0.11 * i} for i, text in enumerate(lines)]


def _picture():
    import altair as alt

    def place(field):
        axis = charts.y(field, Y, title="place") if field.startswith("y") else charts.x(field, X, title="place")
        return axis.axis(None)

    here = {"x": place("x"), "y": place("y")}
    look = charts.series("state", {FIRST: (charts.SERVER, charts.SOLID), CABLE: ("#9a9a9a", charts.SOLID)})
    look["strokeWidth"] = alt.StrokeWidth("px:Q", scale=None, legend=None)
    edge = {"size": parts.scaled(700, 260), "opacity": 1, "stroke": "black", "strokeWidth": 1.5, "filled": True}
    text = {"baseline": "middle", "color": "#111111"}
    return charts.stack(
        parts.of("cable").mark_rule().encode(**here, x2="x2:Q", y2="y2:Q", **look),
        parts.of("switch").mark_point(shape="square", **edge).encode(**here, fill=alt.value("#bfe3d6")),
        parts.of("server").mark_point(shape="circle", **edge).encode(**here, fill=alt.value("#fbe3b8")),
        parts.of("more").mark_text(fontSize=22, fontWeight="bold", **text).encode(**here, text="label:N"),
        parts.of("tier").mark_text(fontSize=parts.scaled(15, 11), align="left", fontWeight="bold", **text).encode(
            **here, text="label:N"),
        parts.of("caption").mark_text(fontSize=charts.fitting("width", 17), align="left", **text).encode(**here, text="label:N"),
        height=470, description=(
            "A fabric as a drawing: servers of eight GPUs as circles at the bottom, leaf switches above them, then spine and "
            "core switches as squares; of a long row the first ones and the last. Lines are cables; those of GPU 0 of every "
            "server are thick. Below it the counts: switches, cables, what each GPU can send from the worst half, watts, money."))


@lab("design-a-fabric", title="Design a fabric", tier="cluster",
     controls=[Control("gpus", SIZES, default=64, label="GPUs"),
               Control("radix", RADIX, default=16, label="switch ports (400G)"),
               Control("oversubscription", [1, 2, 3, 7], default=1, label="ports down for each port up"),
               Control("wiring", list(WIRINGS), default=RAILS, as_="menu")],
     chart=_picture,
     leaves_out="Storage and management networks, spare ports, racks and lengths of cable. Watts: one maker's box without "
                "modules, scaled by the rate of its ports, modules, and NICs; optics everywhere but where a server has one leaf: "
                "that may stand in its rack, in reach of copper. Money: two prices of one spreadsheet of 2024, taken for any "
                "maker's parts, copper or optics, without NICs.",
     sources=["al-fares", "nvidia-superpod-b200", "cheah-h100", "ipinfusion-th5", "nvidia-linkx-100g", "nvidia-mms4x00"])
def design_a_fabric(gpus, radix, oversubscription, wiring):
    """Radix, tiers, oversubscription and rails: what they cost, and what they carry from half to half."""
    try:
        design, picture = _built(wiring, gpus, radix, oversubscription)
    except ValueError as error:
        said = _captions(["This does not fit:", *_broken(str(error))], top=0.9)
        return parts.columns(said, _COLUMNS), f"This does not fit: {error}"
    power, dollars = estimate(design, below=BELOW[wiring == ONE_LEAF])
    nic = link(SPEED).bandwidth()
    full = units.portion(design.assured / nic)
    tiers = 1 + (design.spines > 0) + (design.cores > 0)
    lines = [f"{_many(design.switches, 'switch')}, {_many(tiers, 'tier')}, {design.cable_count:,} cables, ways of at most "
             f"{design.hops} links",
             f"from any half to the other each GPU sends {units.format(design.assured, 'B/s')} or more: {full} of its NIC",
             f"about {units.format(power, 'W')} with NICs, {_millions(dollars)} US$ without (estimates)"]
    sentence = (f"{gpus:,} GPUs, {wiring}, switches of {radix} ports: {design.leaves:,} leaf, {design.spines:,} spine and "
                f"{design.cores:,} core switches. In the worst half each GPU still has {full} of its NIC's rate.")
    return parts.columns(picture + _captions(lines), _COLUMNS), sentence


def _many(count: int, what: str) -> str:
    plural = "es" if what.endswith("ch") else "s"
    return f"{count:,} {what}{plural if count > 1 else ''}"


def _millions(dollars: float) -> str:
    return f"{dollars / 1e6:,.{0 if dollars > 1e7 else 2}f} million"


def _broken(text: str, most: int = 66) -> list[str]:
    """Return *text* in lines of at most so many characters."""
    import textwrap

    return textwrap.wrap(text, most)


# ---- lab 2: what a fabric costs each GPU as it grows ----

_GROWN = [2**k for k in range(4, 17)]
_POINTS = {"superpod-b200-4su": "SuperPOD B200", "superpod-b200-64su": "SuperPOD B200", "alibaba-hpn": "Alibaba HPN"}
_LINES = {RAILS: (charts.CLUSTER, charts.SOLID), PLANES: (charts.OTHER, charts.DASHED)}


@functools.cache
def ports_per_gpu(wiring: str, gpus: int, radix: int, oversubscription: float) -> float | None:
    """Return how many 400G switch ports the fabric has in use for each GPU; None where these switches cannot make it."""
    kind, options = asked(wiring, gpus, radix, oversubscription)
    try:
        design = fabric_counts(kind, **options)
    except ValueError:
        return None
    return design.ports / gpus / (2 if wiring == PLANES else 1)


def published_points() -> list[dict]:
    """Return the named designs of 400G switch ports: GPUs, and the 400G switch ports in use for each."""
    rows = []
    unit = link(SPEED).line
    for name, label in _POINTS.items():
        design = fabric_counts(name)
        ends = sum(run.count * run.link.line * (1 if i == 0 else 2) for i, run in enumerate(design.cables))
        rows.append({"GPUs": design.gpus, "ports for each GPU": round(ends / unit / design.gpus, 3), "label": label})
    return rows


def _growth_chart():
    x = charts.x("GPUs", (14, 80_000), title="GPUs", log=2, ticks=_GROWN[::2])
    y = charts.y("ports for each GPU", (0, 6), title="400G switch ports in use for each GPU", ticks=range(0, 7))
    lines = charts.live().mark_line(strokeWidth=3.5, interpolate="step-before").encode(
        x=x, y=y, **charts.series("wiring", _LINES))
    marks = charts.measured(published_points(), x, y)
    return charts.stack(lines, marks, height=340, description=(
        "Switch ports in use for each GPU against the number of GPUs, on a logarithmic axis: solid for rails, dashed for rails "
        "in two planes. The lines climb in steps where a tier is added, and end where three tiers are full. Black diamonds: "
        "published designs."))


@lab("fabric-growth", title="What a fabric costs each GPU as it grows", tier="cluster",
     controls=[Control("radix", RADIX, default=64, label="switch ports (400G)"),
               Control("oversubscription", [1, 2, 3, 7], default=1, label="ports down for each port up")],
     chart=_growth_chart,
     leaves_out="Sizes between the powers of two, where the last leaves are not full. The published designs stay where they are, "
                "whatever the switches.",
     sources=["al-fares", "nvidia-superpod-b200", "simai-topo"])
def fabric_growth(radix, oversubscription):
    """A fabric grows in steps: each tier more costs every GPU two switch ports more."""
    found = [(wiring, gpus, ports_per_gpu(wiring, gpus, radix, oversubscription)) for wiring in _LINES for gpus in _GROWN]
    table = {"wiring": [w for w, _, _ in found], "GPUs": [g for _, g, _ in found],
             "ports for each GPU": [None if p is None else round(p, 3) for _, _, p in found]}
    last = {wiring: max((g for w, g, p in found if w == wiring and p is not None), default=0) for wiring in _LINES}
    small, large = (ports_per_gpu(RAILS, size, radix, oversubscription) for size in (_GROWN[2], last[RAILS]))
    return table, (f"Switches of {radix} ports: {_GROWN[2]} GPUs on rails take {small:.2g} switch ports each, {last[RAILS]:,} "
                   f"take {large:.2g}. The lines end at {last[RAILS]:,} GPUs on rails and at {last[PLANES]:,} in two planes.")


def designs_beside_model():
    """Return the published designs with what their sources count beside what the model does, as a DataFrame of text."""
    import pandas as pd

    from fabriclib.topology.fabrics.named import counted, stated

    rows = []
    for cells in catalog.rows("designs"):
        if cells["kind"] == "torus":  # no switches to count
            continue
        said, here = stated(cells["id"]), counted(fabric_counts(cells["id"]))
        pairs = {"leaf": "leaves", "spine": "spines", "core": "cores"}
        rows.append({"design": cells["name"], "GPUs": f"{here['gpus']:,}"} | {
            what: f"{said[column]:,} / {here[column]:,}" if column in said else f"- / {here[column]:,}"
            for what, column in pairs.items()} | {
            "GPU cables": f"{said['gpu_cables']:,} / {here['gpu_cables']:,}" if "gpu_cables" in said else "-"})
    return pd.DataFrame(rows)


def watts_by_part(design: Design):
    """Return a DataFrame of text: the estimated watts of *design* by part, with copper to the leaves and with optics."""
    import pandas as pd

    found = {cable(name).name: watts(design, name) for name in BELOW.values()}
    found = {name: parts | {"together": sum(parts.values())} for name, parts in found.items()}
    return pd.DataFrame({name: {part: units.format(value, "W") for part, value in parts.items()}
                         for name, parts in found.items()})


def price_of_optics(design: Design) -> str:
    """Return by how much optics to the leaves raise a network's watts: all of them, those without NICs, and with bare chips."""
    copper, optics = (watts(design, name) for name in BELOW.values())
    more, all_of_it = optics["links to GPUs"] - copper["links to GPUs"], sum(copper.values())
    bare, box = all_of_it - copper["NICs"], switch("tomahawk5")
    chips = bare - copper["switches"] * (1 - box.power / box.box_power)
    shares = [units.portion(more / whole) for whole in (all_of_it, bare, chips)]
    return (f"{units.format(more, 'W')} more, {more / design.gpus:.0f} W a GPU: {shares[0]} of what the whole network drew. "
            f"(Of it without its NICs {shares[1]}; and if a switch were its bare chip, {shares[2]}.)")


def parts_in_words(design: Design, switch_id: str, below: str, nic: str):
    """Return the parts list of *design* with one sort of switch, of cable below and of NIC, as text, its sum last."""
    import pandas as pd

    table = parts_list(design, switch_id, below, nic=nic)

    def written(row: dict) -> dict[str, str]:
        power, dollars = row["W"], row["US$"]
        return {"part": row["part"], "count": f"{row['count']:,}",
                "power": "no source" if np.isnan(power) else units.format(power, "W"),
                "US$": "no source" if np.isnan(dollars) else "with the fibre" if dollars == 0 else f"{dollars / 1e6:.3g} million"}

    rows = [written(row) for row in table.to_dict("records")]
    rows.append(written({"part": "together, where there is a source", "count": table["count"].sum(), "W": table["W"].sum(),
                         "US$": table["US$"].sum()}))
    return pd.DataFrame(rows)


def refusal(kind: str, **options) -> str:
    """Return the sentence with which the model refuses a fabric.

    Raises:
        ValueError: it does not refuse it.
    """
    try:
        fabric_counts(kind, **options)
    except ValueError as error:
        return str(error)
    raise ValueError(f"options must be those of a fabric that cannot be made; {kind} can.")
