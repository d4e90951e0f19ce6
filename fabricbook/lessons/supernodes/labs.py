"""What is known of each supernode, an all-to-all inside and across, and the model against measured racks."""

from __future__ import annotations

import functools
import math

import numpy as np

from fabriclib import units
from fabriclib.links import link
from fabriclib.supernodes import Supernode, supernode

from ...stage import Control, against, charts, lab
from .stops import INSIDE_AND_ACROSS, WHAT_IS_KNOWN
from .tables import GB, RANKS, SERVER, SUPERNODES, all_to_all, claimed_as, dispatched, each_to_all, label, off, rack, runs

PORTS, ALL, OUT = KINDS = ["over its own links", "while all send to all", "out of the machine"]
_SIGNS = {PORTS: (charts.CHIP, "circle"), ALL: (charts.CHIP, "square"), OUT: (charts.CLUSTER, "triangle-up")}
NAMES = {label(one): one.id for one in SUPERNODES}
PUBLIC, CLAIMS = SHOWN = ["what is published", "claims too"]
_RATES = (4.0, 4000.0)


@functools.cache
def rates(id: str) -> dict[str, float]:
    """Return GB/s one way of each GPU of a supernode, by kind; NaN where nothing is published."""
    one = supernode(id)
    return {PORTS: one.rate / GB, ALL: each_to_all(one) / GB if one.rated else math.nan, OUT: one.out / GB}


def _known_chart():
    import altair as alt

    y = charts.names("machine", list(NAMES), title=" ")

    def x(field):
        return charts.x(field, _RATES, title="GB/s one way, each GPU (logarithmic)", log=10, ticks=[5, 10, 50, 100, 500, 1000])

    colours, shapes = zip(*_SIGNS.values(), strict=True)
    key = charts.legend(KINDS, symbolSize=140)
    kind = {"field": "kind", "type": "nominal"}
    signs = charts.live().mark_point(filled=True, opacity=1, size=150, stroke=charts.PAPER, strokeWidth=1).encode(
        x=x("rate (GB/s)"), y=y,
        color=alt.Color(**kind, legend=key, scale=alt.Scale(domain=KINDS, range=list(colours))),
        shape=alt.Shape(**kind, legend=key, scale=alt.Scale(domain=KINDS, range=list(shapes))))
    # A larger circle behind, to be seen where the square lies upon it: the rates are the same there.
    behind = charts.live().mark_circle(size=420, opacity=1, color=charts.CHIP).encode(x=x("own"), y=y)
    span = charts.live().mark_rule(strokeWidth=2, color=charts.GREY).encode(x=x("from"), x2="to:Q", y=y)
    row = charts.live().mark_rule(strokeWidth=16, opacity=0.25, color=charts.GREY).encode(x=x("row from"), x2="row to:Q", y=y)
    said = charts.live().encode(x=x("text at"), y=y, text="text:N")
    text = charts.legible(said, **charts.inside(x("text at"), "text"), color=charts.LIMIT)
    return charts.stack(row, span, behind, signs, text, height=430, description=(
        "A row for each supernode, the smallest at the top, with three signs on a logarithmic axis of rates: what each GPU sends "
        "over its own links, what it sends while all send to all, and what leads out of the machine. Rows of the Kunlun and "
        "Tianchi machines and of UALink have no sign inside: nothing is published."))


@lab("what-is-known", title="Beyond a server: what is known of each machine", tier="chip",
     controls=[Control("machine", list(NAMES), default=label(rack), as_="menu", picks="machine"),
               Control("show", SHOWN, default=PUBLIC, as_="menu")],
     chart=_known_chart,
     leaves_out="Start-up, packet headers and software: every rate is that of the links. The rate while all send to all is the "
                "most that ports and the cut through the middle allow. What a source announces or derives stands in the notes of "
                "fl.catalog.rows('designs') and fl.catalog.rows('supernodes').",
     hides=("own", "from", "to", "row from", "row to", "text at"),
     sources=["lockwood-nvlink", "besthub-cm384", "google-v5p", "google-tpu7x", "aws-trn2-arch", "singulism-helios",
              "baidu-supernode", "kunlunxin-supernode", "ualink-overview"],
     stops=WHAT_IS_KNOWN)
def what_is_known(machine, show):
    """Some machines have a rate that can be checked; of others there are claims."""
    table: dict[str, list] = {name: [] for name in ("machine", "kind", "rate (GB/s)", "own", "from", "to", "row from", "row to",
                                                    "text at", "text")}
    for name, id in NAMES.items():
        found, one = rates(id), supernode(id)
        ends = [rate for rate in found.values() if not math.isnan(rate)]
        low, high = (min(ends), max(ends)) if ends else (math.nan, math.nan)
        for i, kind in enumerate(KINDS):
            first, here = i == 0 and len(ends) > 1, i == 0 and name == machine
            row = (name, kind, found[kind], found[kind] if i == 0 else math.nan,
                   low if first else math.nan, high if first else math.nan, _RATES[0] if here else math.nan,
                   _RATES[1] if here else math.nan, _at(found[OUT]) if i == 0 and not one.rated else math.nan,
                   _unknown(one, show) if i == 0 else "")
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
    return table, _told(supernode(NAMES[machine]), show)


def _at(out: float) -> float:
    """Where the text of a row without a rate begins: right of the one sign it may have."""
    return 1.25 * _RATES[0] if math.isnan(out) else 1.25 * out


def _unknown(one: Supernode, show: str) -> str:
    if one.rated:
        return ""
    factors = sorted(claim.value for claim in one.claims if claim.unit == "x")
    if show == PUBLIC or not factors:
        return "not published"
    return f"claimed: {' to '.join(f'{factor:g}' for factor in dict.fromkeys((factors[0], factors[-1])))} times"


def _told(one: Supernode, show: str) -> str:
    if show == CLAIMS and one.claims:
        said = ", ".join(f"{claim.quantity} {claimed_as(claim)}" for claim in one.claims)
        return f"Claimed of {one.name}: {said}. No source gives the rate of its links."
    many, out = f"{one.name}, {one.gpus:,} GPUs, {one.status}", units.format(one.out, "B/s")
    leads = "what leads out was not found" if math.isnan(one.out) else f"{out} lead out of the machine"
    if not one.rated:
        return f"{many}: no source gives a rate of its links, so there is nothing to compute with; {leads}."
    return (f"{many}: each GPU has {units.format(one.rate, 'B/s')} one way over its own links, "
            f"{units.format(each_to_all(one), 'B/s')} while all send to all; {leads}.")


DOMAINS = [4, 8, 16, 32, 64, 72, 128, 144, 256, 384]
_SHARING = [8, 16, 32, 64, 128, 256]
_PORTS = {units.format(8 * wire.line, "b/s"): wire.line for wire in map(link, ("eth400", "eth800", "eth1600"))}
INSIDE, ACROSS = PARTS = ["over the links inside", "over the network port"]
_LINES = {INSIDE: (charts.CHIP, charts.SOLID), ACROSS: (charts.CLUSTER, charts.DASHED)}
_SECONDS = (1e-6, 1e-1)


def _domain_chart():
    x = charts.x("domain", (3.5, 450), title="GPUs of a domain (logarithmic)", log=2, ticks=[4, 8, 16, 32, 72, 144, 384])

    def y(field):
        return charts.y(field, _SECONDS, title="time (logarithmic)", unit="s", log=10)

    series = charts.series("part", _LINES)
    points = charts.live().mark_point(filled=True, opacity=1, size=60, color=charts.INK).encode(x=x, y=y("seconds"))
    lines, dot = charts.line(x, y("seconds"), colour="", **series), charts.here(x, y("here"), colour=charts.GREY)
    return charts.stack(lines, points, dot, height=300, description=(
        "The time that an all-to-all keeps the links inside a domain busy, solid, and the network ports out of it, dashed, "
        "against the number of GPUs of a domain. The dashed line falls, and ends where a domain takes all GPUs. A dot marks the "
        "longer one."))


@lab("inside-and-across", title="An all-to-all, inside and across", tier="all",
     controls=[Control("domain", DOMAINS, default=SERVER, unit="GPUs", as_="steps", picks="domain"),
               Control("ranks", _SHARING, default=RANKS, label="experts spread over", unit="GPUs"),
               Control("port", list(_PORTS), default="400 Gb/s", label="network port of each GPU", as_="menu")],
     chart=_domain_chart,
     leaves_out="Start-up, packet headers and software; that experts are chosen unevenly; and that libraries send a token once "
                "to a server for several of its experts. Inside, each GPU has the {{ si(rack.rate, 'B/s') }} one way of a GB200, "
                "whatever the size of its domain, and both kinds of links work at the same time.",
     sources=["deepseek-v3", "lockwood-nvlink", "yangwhale-a4x"], stops=INSIDE_AND_ACROSS)
def inside_and_across(domain, ranks, port):
    """What leaves the domain decides, until nothing leaves it."""
    inside, across = all_to_all(np.array(DOMAINS, dtype=float), ranks, rack.rate, _PORTS[port])
    seconds = np.concatenate([inside, np.where(across > 0, across, np.nan)])
    at = DOMAINS.index(domain)
    longer = at if inside[at] >= across[at] else at + len(DOMAINS)
    here = np.where(np.arange(2 * len(DOMAINS)) == longer, seconds, np.nan)
    table = {"domain": DOMAINS * 2, "part": [part for part in PARTS for _ in DOMAINS], "seconds": seconds, "here": here}
    leaves = max(ranks - domain, 0) / ranks
    part = f"{units.portion(leaves)} of it leaves the domain" if leaves else "none of it leaves the domain"
    busy = units.format(inside[at], "s")
    spent = f"for {busy} of which the links inside are busy" if longer > at else "all of it over the links inside"
    return table, (f"{units.format(dispatched)} from each of {ranks} GPUs, domains of {domain}: {part}; it takes "
                   f"{units.format(seconds[longer], 's')}, {spent}.")


WIRES, PREDICTED = "the wires alone", "predict, with fitted constants"
_RUNS = {WIRES: (charts.CHIP, charts.SOLID), PREDICTED: (charts.OTHER, charts.DASHED)}


def _measured_chart():
    x = charts.names("racks", runs()["run"].tolist(), channel="X", title="GPUs of GB200 that take part")

    def time(field):
        return charts.y(field, (5e-4, 5e-2), title="time (logarithmic)", unit="s", log=10)

    return against.chart(x, time, _RUNS, errors=(-40, 20), description=(
        "Above, the time of an all-to-all of GB200 in one, two and three racks: what was measured as diamonds, what the "
        "wires alone take and what the library predicts as short bars. Below, both errors: the wires are too fast in one rack."))


@lab("racks-against-measured", title="Racks against measurements", tier="all", controls=(), chart=_measured_chart,
     leaves_out="The smaller buffers of the published tables. The fitted constants never saw these all-to-alls.",
     sources=["yangwhale-a4x", "oci-gb200"])
def racks_against_measured():
    """The wires explain the jump from one rack to two; software explains the rest."""
    found = runs()
    table = against.table("racks", {WIRES: (found["run"], found["wires"], found["measured"]),
                                    PREDICTED: (found["run"], found["predicted"], found["measured"])})
    wires, predicted = off("wires"), off("predicted")
    return table, (f"An all-to-all of 1 GiB: the wires alone are {-100 * wires.max():.0f} to {-100 * wires.min():.0f} % too "
                   f"fast; the prediction is off by {100 * predicted.min():+.0f} to {100 * predicted.max():+.0f} %.")
