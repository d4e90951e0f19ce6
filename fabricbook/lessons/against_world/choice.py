"""A lab of this lesson: what NCCL's own tuner would pick at which size, and by which scores."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.measurements import error, percent, published
from fabriclib.nccl import VERSION, nccl_choice

from ...stage import Control, charts, lab, parts

MACHINES = {catalog.row("systems", id)["name"]: id for id in dict.fromkeys(row["system"] for row in catalog.rows("nccl_graphs"))}
_COLLECTIVES = ["all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce"]
_GRID = 2.0 ** np.arange(10, 34.1, 0.5)
_SIZES = 2.0 ** np.arange(10, 35)
_SECONDS = (4e-6, 3.0)
_WORDS = {"ring": "ring", "tree": "tree", "nvls": "NVLS", "nvls_tree": "NVLS tree", "ll": "LL", "ll128": "LL128",
          "simple": "Simple"}
_FAMILY = {"nvls": "NVLS, NVLS tree", "nvls_tree": "NVLS, NVLS tree"}
_COLOURS = {"ring": charts.CLUSTER, "tree": charts.OTHER_2, "NVLS, NVLS tree": charts.SERVER}
_DASHES = {"LL": charts.DOTTED, "LL128": charts.DASHED, "Simple": charts.SOLID}
_STRIP = 24  # px above the lines, for who wins where
# What was measured on such a machine; which algorithm ran, the sources do not all say.
_MEASURED = {
    ("dgx-h100", "all_reduce", 1): "h100x8-dgx-nvls-ar", ("dgx-h100", "all_reduce", 2): "h100x16-nebius-ar",
    ("dgx-a100", "all_reduce", 1): "a100x8-nvswitch-ar", ("dgx-a100", "all_reduce", 2): "a100x16-sophia-ar",
    ("dgx-a100", "all_gather", 2): "a100x16-sophia-ag",
}


def _chart():
    import altair as alt

    def x(field):
        return charts.x(field, (_GRID[0], _GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)

    y = charts.y("score", _SECONDS, title="score (logarithmic)", unit="s", log=10)

    sign = {"symbolSize": 600, "symbolStrokeWidth": 3}
    # Rows without a value would break the band: a line is drawn from point to point in the order of x.
    band = parts.of("pick").mark_line(strokeWidth=15, color="#f0e442", opacity=0.55).encode(x=x("size"), y=y)
    lines = parts.of("score").mark_line(strokeWidth=2.5).encode(
        x=x("size"), y=y, detail="candidate:N",
        color=alt.Color("family:N", legend=charts.legend(list(_COLOURS), **sign),
                        scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))),
        strokeDash=alt.StrokeDash("protocol:N", legend=charts.legend(list(_DASHES), orient="bottom", **sign),
                                  scale=alt.Scale(domain=list(_DASHES), range=list(_DASHES.values()))))
    top = {"y": alt.value(0), "y2": alt.value(_STRIP)}
    strip = parts.of("range").mark_rect(fill="#fbf6b6", stroke="#6b6300", strokeWidth=1).encode(x=x("size"), x2="end:Q", **top)
    said = parts.of("range").mark_text(fontSize=alt.ExprRef("width < 480 ? 9 : 12"), fontWeight="bold", color="#3d3900").encode(
        x=x("middle"), y=alt.value(_STRIP / 2), text="label:N")
    dot = parts.of("here").mark_point(size=170, filled=True, opacity=1, color="white", stroke="black", strokeWidth=2.5).encode(
        x=x("size"), y=y)
    diamonds = parts.of("measured").mark_point(shape="diamond", size=70, filled=True, opacity=1, color=charts.MEASURED).encode(
        x=x("size"), y=y)
    named = parts.of("measured").mark_text(align="right", dx=-4, dy=-14, fontSize=14, color=charts.MEASURED).encode(
        x=x("size"), y=y, text="label:N")
    return charts.stack(band, lines, strip, said, diamonds, named, dot, height=420, description=(
        "The tuner's score against the size of the buffer, one line for each algorithm and protocol. Colours tell algorithms "
        "apart, dashes protocols. A broad yellow band follows the lowest, which is what the tuner picks; a strip above names "
        "it, range by range. Black diamonds are measured times, where some were published. A dot marks the chosen buffer."))


@lab("nccl-choice", title="What NCCL would pick", tier="cluster",
     controls=[Control("machine", list(MACHINES), default="DGX H100", as_="menu"),
               Control("collective", _COLLECTIVES, default="all_reduce", as_="menu"),
               Control("nodes", [2**k for k in range(8)], default=1, unit="nodes"),
               Control("nbytes", _SIZES, default=2.0**24, label="buffer", unit="B")],
     chart=_chart,
     leaves_out=f"The tuner of NCCL {VERSION} (June 2026) alone: version 2.32 of November 2026 adds another cost model, with "
                "data for Vera Rubin. Tuner plugins, which clouds install, and environment variables overrule it. "
                "CollNet (SHARP) and PAT are not offered. The search's channels are those of a log of another version, or "
                "derived. A score ranks candidates; it was never meant to be a time. Diamonds are of other versions; those for "
                "two nodes are of servers like a DGX H100 (Nebius) and of DGX A100 (Sophia).",
     sources=["nccl-tuning", "nccl-2-32", "nccl-1197", *dict.fromkeys(catalog.row("measurement_tables", table)["source"]
                                                                      for table in _MEASURED.values())])
def choice(machine, collective, nodes, nbytes):
    """The winner changes with size and with nodes; the kinks of the tree's lines are a table of correction factors."""
    picked = nccl_choice(MACHINES[machine], collective, _GRID, nodes=nodes)
    rows = []
    for (algorithm, protocol), scores in picked.scores.items():
        if not np.isnan(scores).all():
            rows += [{"part": "score", "candidate": f"{_WORDS[algorithm]}, {_WORDS[protocol]}",
                      "family": _FAMILY.get(algorithm, algorithm), "protocol": _WORDS[protocol], "size": size, "score": score}
                     for size, score in zip(_GRID.tolist(), scores.tolist(), strict=True)]
    rows += [{"part": "pick", "size": size, "score": score}
             for size, score in zip(_GRID.tolist(), picked.seconds.tolist(), strict=True)]
    rows += _ranges(picked)
    rows += _measured(MACHINES[machine], collective, nodes)
    one = nccl_choice(MACHINES[machine], collective, nbytes, nodes=nodes)
    rows.append({"part": "here", "size": nbytes, "score": one.seconds})
    columns = {"part": "", "candidate": "", "family": "", "protocol": "", "size": None, "score": None, "end": None,
               "middle": None, "label": ""}
    return {name: [row.get(name, blank) for row in rows] for name, blank in columns.items()}, _told(one, machine, nodes, nbytes)


def _ranges(picked) -> list[dict]:
    """Return one row for each run of sizes with the same pick."""
    names = [f"{_WORDS[a]} {_WORDS[p]}" for a, p in zip(picked.algorithm, picked.protocol, strict=True)]
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    found = []
    for start, end in zip(starts, [*starts[1:], len(names) - 1], strict=True):
        low, high = _GRID[start], _GRID[end]
        wide = np.log2(high / low) >= 0.34 * len(names[start])  # what does not fit is in the table
        found.append({"part": "range", "size": low, "end": high, "middle": float(np.sqrt(low * high)), "candidate": names[start],
                      "label": names[start] if wide else ""})
    return found


@functools.cache
def _measured(machine: str, collective: str, nodes: int) -> tuple[dict, ...]:
    table = _MEASURED.get((machine, collective, nodes))
    if table is None:
        return ()
    points = published(table)
    points = points[points["nbytes"] >= _GRID[0]]
    last = len(points) - 1
    return tuple({"part": "measured", "size": size, "score": seconds, "label": "measured" if i == last else ""}
                 for i, (size, seconds) in enumerate(zip(points["nbytes"], points["seconds"], strict=True)))


def _told(one, machine: str, nodes: int, nbytes: float) -> str:
    ranked = sorted((score, name) for name, score in one.scores.items() if score == score)
    second = next(((score, a, p) for score, (a, p) in ranked if a != one.algorithm), None)
    other = "" if second is None else (
        f"; the best other algorithm, {_WORDS[second[1]]} with {_WORDS[second[2]]}, has {units.format(second[0], 's')}")
    many = "1 node" if nodes == 1 else f"{nodes} nodes"
    return (f"{units.format(nbytes)} over {many} of a {machine}: NCCL {one.version} would pick {_WORDS[one.algorithm]} with "
            f"{_WORDS[one.protocol]}, score {units.format(one.seconds, 's')}{other}. A score is no measured time.")


def scores_beside_measured(table: str, machine: str):
    """Return a DataFrame of text: the tuner's pick and score for each message of a measured table, and the measured time."""
    import pandas as pd

    about, measured = catalog.row("measurement_tables", table), published(table)
    picked = nccl_choice(machine, about["collective"], measured["nbytes"].to_numpy(), nodes=about["nodes"],
                         gpus_per_node=about["ranks"] // about["nodes"])
    return pd.DataFrame({
        "message": [units.format(n) for n in measured["nbytes"]],
        "pick": [f"{_WORDS[a]} {_WORDS[p]}" for a, p in zip(picked.algorithm, picked.protocol, strict=True)],
        "score": [units.format(t, "s") for t in picked.seconds],
        "measured": [units.format(t, "s") for t in measured["seconds"]],
        "score over measured": [percent(e) for e in error(picked.seconds, measured["seconds"])],
    })
