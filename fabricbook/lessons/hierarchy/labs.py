"""All-reduces on two levels, rank orders on a fabric, and an all-to-all that travels along rails."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.collectives.cost import sent
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab
from . import stops
from .rings import ALONG, ANYWHERE, ORDERS, SHUFFLED, placed
from .tables import (
    ADDING,
    ALONE,
    BUFFER,
    NVLS_RUNS,
    ONE_RING,
    PLACES,
    PXN,
    RINGS,
    ROUTES,
    SERVERS,
    TWO_LEVELS,
    all_reduce_lines,
    all_to_all_lines,
    nvls_gain,
    sharp_run,
    sharp_ways,
    two_servers,
    two_servers_too_fast,
)

_SIZES = 2.0 ** np.arange(10, 35)
_GRID = 2.0 ** np.arange(10, 34.1, 0.5)
_SERVERS = [2, 4, 8, 16, 32, 64]
_SPEEDS = {"200 Gb/s (HDR)": "ib-hdr", "400 Gb/s (NDR)": "ib-ndr", "800 Gb/s (XDR)": "ib-xdr"}
_NDR = "400 Gb/s (NDR)"
_SECONDS = (3e-6, 10.0)

_LINES = {ONE_RING: (charts.OTHER_2, charts.DOTTED), RINGS: (charts.CLUSTER, charts.SOLID),
          TWO_LEVELS: (charts.SERVER, charts.DASH_DOT), ADDING: (charts.OTHER, charts.DASHED)}


def _levels_chart():
    x = charts.x("size", (_GRID[0], _GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _SECONDS, title="time of an all-reduce (logarithmic)", unit="s", log=10)

    return charts.stack(
        charts.line(x, y("seconds"), colour=charts.CLUSTER, **charts.series("way", _LINES)),
        charts.here(x, y("here"), colour=charts.PAPER),
        height=380, description=(
            "The time of an all-reduce against the size of the buffer, both logarithmic, for one ring through all GPUs, eight "
            "rings that use all NICs, two levels, and two levels whose switches add. A dot marks the fastest for the chosen "
            "buffer."))


@lab("two-levels", title="One ring, eight rings, two levels", tier="cluster",
     controls=[Control("servers", _SERVERS, default=SERVERS),
               Control("speed", list(_SPEEDS), default=_NDR, label="each NIC", as_="menu"),
               Control("nbytes", _SIZES, default=2.0**20, label="buffer", unit="B", drags="x")],
     chart=_levels_chart, glides=("seconds",), stops=stops.LEVELS,
     leaves_out="Overlap: here one level ends before the next begins, and so do the halves of NVLS, one buffer out and one in, "
                "which could run at once. How software starts: NCCL's tuner allows NVLS {{ si(nvls_start, 's') }}, many times "
                "what the links take here. The time to add, what software takes of the line rates, and congestion. Switches "
                "that add are priced by formula, all else message by message on the graph of a rail-optimised fabric of eight "
                "H100 a server.",
     sources=["patarasuk-yuan", "scaling-book-sharding", "graham-sharp", "nccl-sym-kernels"])
def two_levels(servers, speed, nbytes):
    """Two levels save starts, eight rings save bytes, and switches that add save both."""
    lines = all_reduce_lines(servers, _SPEEDS[speed])
    seconds = np.stack([start + per_byte * _GRID for start, per_byte in lines.values()])
    now = {way: start + per_byte * nbytes for way, (start, per_byte) in lines.items()}
    best = min(now, key=now.get)
    table = {"size": np.tile(_GRID, len(lines)), "way": np.repeat(list(lines), _GRID.size),
             "seconds": np.clip(seconds.ravel(), *_SECONDS),
             "here": np.where(np.isclose(np.tile(_GRID, len(lines)), nbytes) & (np.repeat(list(lines), _GRID.size) == best),
                              np.clip(now[best], *_SECONDS), np.nan)}
    return table, f"{servers} servers, {units.format(nbytes)}: {_ranked(now)}. {_where(lines, now)}"


def _ranked(now: dict[str, float]) -> str:
    """Return the ways, fastest first, each with its time and how many times the least that is; without one ring."""
    first, *others = sorted((way for way in now if way != ONE_RING), key=now.get)
    rest = ", ".join(f"{way} {units.format(now[way], 's')} ({now[way] / now[first]:.3g} times)" for way in others)
    return f"{first} {units.format(now[first], 's')}; {rest}"


def _where(lines: dict[str, tuple[float, float]], now: dict[str, float]) -> str:
    """Return where rings overtake two levels, or why switches that add are behind them."""
    if now[ADDING] > now[TWO_LEVELS]:
        halves = sent("all_reduce", "ring", PLACES)
        return f"Switches lose here: over NVLink their halves take 2 buffers, one after the other, a ring's {halves:g}."
    (start_a, byte_a), (start_b, byte_b) = lines[RINGS], lines[TWO_LEVELS]
    overtaken = f"at {units.format((start_a - start_b) / (byte_b - byte_a))}" if byte_b > byte_a else "at no size"
    return f"Eight rings overtake two levels {overtaken}."


# ---- lab 2: the order of the ranks ----

_KINDS = ["leaf-spine", "rail-optimised"]
_MANY = [8, 16, 32]


def _order_chart():
    import altair as alt

    x = charts.x("rate (GB/s)", (0, 540), title="busbw of an all-reduce of 1 GiB (GB/s)", ticks=range(0, 401, 100))
    y = charts.names("order", ORDERS, title="order of the ranks")
    # In two lines on a narrow page, where one would reach over the bar.
    told = alt.value(alt.ExprRef(f"{charts.PAGE} < 600 ? split(replace(datum.told, ', ', ',|'), '|') : datum.told"))
    said = charts.live().mark_text(align="left", dx=8, fontSize=alt.ExprRef(f"{charts.NARROW} ? 12 : 14"),
                                   dy=alt.ExprRef(f"{charts.PAGE} < 600 ? -7 : 0"), color=charts.INK)
    return charts.stack(charts.bars(x, y, colour=charts.CLUSTER), said.encode(x=x, y=y, text=told), height=300, description=(
        "One bar for each order of the ranks: the bus bandwidth that eight rings reach on the chosen fabric. Beside each bar "
        "the rate and what limits it."))


@lab("rank-order", title="The same rings, in another order", tier="cluster",
     controls=[Control("kind", _KINDS, default="leaf-spine", label="fabric", as_="menu"),
               Control("oversubscription", [1, 2, 3, 7], default=3, label="down : up", unit=": 1"),
               Control("servers", _MANY, default=SERVERS), Control("draw", range(1, 6), default=1, as_="steps", verb="shuffle")],
     chart=_order_chart, glides=("rate (GB/s)",), stops=stops.RANK_ORDER,
     leaves_out="Dice: every flow spreads over all shortest paths evenly (lesson {{ number('congestion') }} says what hashing "
                "makes of it). Libraries look for a good order themselves, inside a server always, between servers as far as "
                "they know the network.",
     sources=["patarasuk-yuan", "llama3"])
def rank_order(kind, oversubscription, servers, draw):
    """A ring in a good order leaves a server once; in a bad one every step does."""
    drawn = {way: draw if way in (SHUFFLED, ANYWHERE) else 0 for way in ORDERS}  # 0: an order that no draw changes
    found = {way: placed(way, kind, servers, oversubscription, drawn[way]) for way in ORDERS}
    ranks = PLACES * servers
    rates = [2 * (ranks - 1) / ranks * BUFFER / seconds / units.GB for seconds, _ in found.values()]
    table = {"order": ORDERS, "rate (GB/s)": rates,
             "told": [f"{rate:.3g} GB/s, {narrow}" for rate, (_, narrow) in zip(rates, found.values(), strict=True)]}
    (best, _), (worst, _) = found[ALONG], max(found.values())
    wide = "as many ports up as down" if oversubscription == 1 else f"{oversubscription} ports down for each one up"
    taken, longest = units.format(best, "s"), units.format(worst, "s")
    return table, (f"{servers} servers, {kind}, {wide}: along the rails {units.format(BUFFER)} takes {taken}, in the worst order "
                   f"{longest}, {worst / best:.3g} times as long. Not a cable was moved.")


# ---- lab 3: all-to-all ----

_FEW = [2, 4, 8, 16]
_LINES_OF = {ALONE: (charts.OTHER_2, charts.DASHED), PXN: (charts.CLUSTER, charts.SOLID)}
_TIMES = (1e-6, 10.0)


def _rail_chart():
    x = charts.x("size", (_GRID[0], _GRID[-1]), title="all that one GPU sends (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _TIMES, title="time of an all-to-all (logarithmic)", unit="s", log=10)

    return charts.stack(
        charts.line(x, y("seconds"), colour=charts.CLUSTER, **charts.series("way", _LINES_OF)),
        charts.here(x, y("here"), colour=charts.PAPER), height=340, description=(
            "The time of an all-to-all against the bytes that a GPU sends, both logarithmic, where each block travels by itself "
            "and where blocks first move to the GPU on the right rail. Circles mark the chosen size."))


@lab("rail-all-to-all", title="All to all, along the rails", tier="cluster",
     controls=[Control("servers", _FEW, default=SERVERS),
               Control("oversubscription", [1, 2, 3, 7], default=1, label="down : up", unit=": 1"),
               Control("nbytes", _SIZES, default=2.0**20, label="each GPU sends", unit="B", drags="x")],
     chart=_rail_chart, glides=("seconds",), stops=stops.RAILS,
     leaves_out="Overlap: PXN's two stages are priced one after the other, though the library passes chunks on while others "
                "arrive. Messages that one NIC has under way at the same time: here one starts when the last has arrived.",
     sources=["nvidia-pxn"])
def rail_all_to_all(servers, oversubscription, nbytes):
    """Blocks that travel together need fewer messages, and none that changes rails on the network."""
    lines = all_to_all_lines(servers, oversubscription)
    now = {way: start + per_byte * nbytes for way, (start, per_byte) in lines.items()}
    rows = {way: start + per_byte * _GRID for way, (start, per_byte) in lines.items()}
    chosen = np.isclose(np.tile(_GRID, 2), nbytes)
    seconds = np.clip(np.concatenate(list(rows.values())), *_TIMES)
    table = {"size": np.tile(_GRID, 2), "way": np.repeat(list(lines), _GRID.size), "seconds": seconds,
             "here": np.where(chosen, seconds, np.nan)}
    alone, together = (units.format(now[way], "s") for way in ROUTES)
    return table, (f"{servers} servers, {units.format(nbytes)} from each GPU: each block by itself {alone} "
                   f"({PLACES * (servers - 1)} messages through each NIC), along the rails {together} "
                   f"({counted(servers - 1, 'message')}).")


# ---- the model against what was measured ----

_COUNTED, _WITH_FACTOR = NVLS_RUNS
_RING, _LEVELS, _RATES = "a ring at most", "two levels", "at line rate"


def _against(what, found, runs, axis, errors, description):
    names = charts.names("what", list(found), channel="X", title=what)
    return against.chart(names, axis, runs, errors=errors, description=description)


def _table(found, runs):
    """Return the live table of {what: (a model for each run, measured)}."""
    columns = {run: zip(*((what, models[place], measured) for what, (models, measured) in found.items()), strict=True)
               for place, run in enumerate(runs)}
    return against.table("what", {run: tuple(column) for run, column in columns.items()})


@lab("nvls-against-measured", title="What adding gains in a server", tier="server", controls=(),
     chart=lambda: _against(
         "GPUs of a server", nvls_gain(), {_COUNTED: (charts.SERVER, charts.SOLID), _WITH_FACTOR: (charts.OTHER, charts.DASHED)},
         lambda field: charts.y(field, (0, 2), title="times a ring"), (-30, 30),
         "For 5 to 8 H200 and 6 to 8 B200 two short bars, the gain of switches that add by the buffers counted, and with NCCL's "
         "own factor; a diamond for the gain measured. Below, by how much each is off."),
     leaves_out="Starts: the buffers are large. Why a port moves less when it reads sums than when it copies.",
     sources=["stas-network", "nccl-tuning"])
def nvls_against_measured():
    """The gain grows with the GPUs as counted, and is always smaller."""
    table = _table(nvls_gain(), NVLS_RUNS)
    off = [table[against.ERROR][table[against.RUN] == run] for run in NVLS_RUNS]
    return table, (f"Buffers counted promise {off[0].min():.0f} to {off[0].max():.0f} % more than was measured; with the factor "
                   f"of NCCL's own tuner the error is {off[1].min():+.0f} to {off[1].max():+.0f} %.")


@lab("two-servers-against-measured", title="Two servers, more than a ring can", tier="cluster", controls=(),
     chart=lambda: _against(
         "two servers", two_servers(), {_RING: (charts.OTHER_2, charts.DOTTED), _LEVELS: (charts.CLUSTER, charts.SOLID)},
         lambda field: charts.y(field, (0, 800e9), title="busbw", unit="B/s"), (-60, 30),
         "For seven pairs of servers two short bars, the most that a ring could reach and what two levels allow; a diamond for "
         "the busbw measured. Below, by how much each is off. Every diamond lies between the two."),
     leaves_out="Software and headers. What one server takes was measured on another machine with the same GPUs.",
     sources=["boeschf-alps", "odissei", "awsome-nccl", "oci-oke-readme", "dstack-nebius", "dstack-gcp"])
def two_servers_against_measured():
    """Between two servers two levels need the buffer through the ports once, a ring nearly twice."""
    return _table(two_servers(), (_RING, _LEVELS)), (
        f"All seven exceed what a ring could reach; two levels are {two_servers_too_fast()} per cent too fast.")


@lab("sharp-against-measured", title="A run with SHARP in its title", tier="cluster", controls=(),
     chart=lambda: _against(
         "way to sum", sharp_ways(), {_RATES: (charts.CLUSTER, charts.SOLID)},
         lambda field: charts.y(field, (0, 0.05), title="time", unit="s"), (-60, 20),
         "For three ways to sum a short bar, the time at line rate, and a diamond, the time measured, the same for all three. "
         "Below, by how much each is off."),
     leaves_out="Software and headers. The levels are taken to overlap: the slower one counts.",
     sources=["coreweave-nccl"])
def sharp_against_measured():
    """The run takes what rings take, not what switches that add allow."""
    run, table = sharp_run(), _table(sharp_ways(), (_RATES,))
    least = min(table[against.MODEL])
    return table, (f"{run.ranks} H100, {units.format(run.nbytes)}: measured {units.format(run.seconds, 's')}, "
                   f"{run.seconds / least:.2g} times what switches that add everywhere would allow.")
