"""One token as bars, two ways over servers beside their measurement, keys and values on their way, experts beside DeepEP."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from .stops import KV_TRAVELS, ONE_TOKEN, TWO_SERVERS
from .tables import (
    BATCHES,
    CACHED,
    EACH,
    GPUS,
    GROUPED,
    MACHINES,
    MODELS,
    OLD,
    PIPELINE,
    PROMPTS,
    SHORT,
    SMALL,
    SOFTWARE,
    SPLITS,
    TENSOR,
    TEXTS,
    WAYS,
    deepep,
    kept,
    sent,
    served,
    token,
)

# ---- one token

WEIGHTS, CACHE, COMPUTE, HOST, STARTS, BYTES = KINDS = [
    "reads weights", "reads keys and values", "computes", "between kernels", "starts sums", "bytes of sums"]
_PARTS = {"weights": WEIGHTS, "cache": CACHE, "compute": COMPUTE, "host": HOST, "starts": STARTS, "bytes": BYTES}
_COLOURS = {WEIGHTS: charts.GREY, CACHE: charts.PALE, COMPUTE: charts.EDGE, HOST: charts.YELLOW, STARTS: charts.CHIP,
            BYTES: charts.OTHER_2}
_MOST = 60  # milliseconds
_ROWS = [counted(gpus, "GPU") for gpus in GPUS.tolist()]


def _token_chart():
    import altair as alt

    x = charts.x("from", (0, _MOST), title="one token (ms)", ticks=[0, 10, 20, 30, 40, 50, 60])
    rows = charts.names("gpus", _ROWS)
    rows["axis"]["title"] = None
    colour = alt.Color("kind:N", legend=charts.legend(KINDS, symbolSize=170, symbolType="square"),
                       scale=alt.Scale(domain=KINDS, range=[_COLOURS[kind] for kind in KINDS]))
    seen = alt.Opacity("seen:Q", legend=None, scale=None)
    bars = parts.of("bar").mark_bar(height={"band": 0.6}, stroke=charts.PAPER, strokeWidth=0.5).encode(
        x=x, x2="to:Q", y=rows, color=colour, opacity=seen)
    said = parts.of("text").encode(x=x, y=rows, text="text:N")
    text = charts.legible(said, **charts.inside(x, "text"))
    return charts.stack(bars, *text, height=330, description=(
        "A bar for 1, 2, 4, 8 and 16 GPUs: the milliseconds of one token, cut into reading weights, reading keys and values, "
        "computing, the time between kernels, starting sums over the GPUs, and the bytes of these sums. Pale where the model "
        "does not fit."))


@lab("one-token", title="One token", tier="all",
     controls=[Control("model", list(MODELS), default=SMALL, as_="menu"),
               Control("machine", list(MACHINES), default=OLD, label="GPUs", as_="menu"),
               Control("software", list(SOFTWARE), default=EACH, as_="menu"),
               Control("batch", BATCHES, default=1, as_="steps")],
     chart=_token_chart,
     leaves_out="The prefill. Each prompt has {{ WORDS }} tokens, each answer as many, and drawn is the token in its middle. "
                "Weights have 16 bits. Choosing the next token stands under “between kernels”. What launches each kernel sums by "
                "NCCL; what replays a graph has sums of its own inside a server or rack. Both times are fitted: see below.",
     hides=("text",),
     sources=["faster-transformer", "vllm-2192"], stops=ONE_TOKEN)
def one_token(model, machine, software, batch):
    """More GPUs shorten the reading; what lies between the kernels, and the starts of sums, stay."""
    found = token(model, machine, software, batch)
    first = int(np.argmax(found.fits))
    rows = []
    for at, gpus in enumerate(_ROWS):
        end, fits = 0.0, bool(found.fits[at])
        for part, kind in _PARTS.items():
            start, end = end, min(end + 1e3 * float(np.broadcast_to(found.request.token_parts[part], GPUS.shape)[at]), _MOST)
            rows.append({"part": "bar", "gpus": gpus, "kind": kind, "from": start, "to": end, "seen": 1.0 if fits else 0.25})
        rows.append({"part": "text", "gpus": gpus, "from": min(end, 0.8 * _MOST), "text": _beside(found, at, first)})
    table = parts.columns(rows, {"part": "", "gpus": "", "kind": "", "from": np.nan, "to": np.nan, "seen": 1.0, "text": ""})
    return table, _told(found, model, machine, software, batch)


def _beside(found, at: int, first: int) -> str:
    if not found.fits[at]:
        return "does not fit"
    seconds = found.request.per_token
    return f"{units.format(float(seconds[at]), 's')}{f', {seconds[first] / seconds[at]:.1f} times as fast' if at > first else ''}"


def _told(found, model: str, machine: str, software: str, batch: int) -> str:
    seconds = float(np.min(found.request.per_token[found.fits]))
    what = f"{model} on {machine}, software that {software}, {counted(batch, 'request')} at a time"
    return f"{what}: at best {units.format(seconds, 's')} a token, {batch / seconds:,.0f} tokens a second for all together."


# ---- over servers

_STYLES = {TENSOR: (charts.CLUSTER, charts.SOLID), PIPELINE: (charts.OTHER, charts.DASHED)}


def _servers_chart():
    def time(field):
        return charts.y(field, (0.4, 20), title="time (logarithmic)", unit="s", log=10)

    x = charts.x("batch", (1, 256), title="requests at a time (logarithmic)", log=2)
    return against.chart(x, time, _STYLES, errors=(-30, 30), description=(
        "Above, the time of a batch of requests on a model of 530 billion parameters, measured as diamonds, predicted as "
        "lines: a tensor group of 16 over two servers, and three stages of 8. The first is faster for few requests, the second "
        "for many. Below, the errors."))


@lab("two-servers", title="Two servers, or three stages", tier="all",
     controls=[Control("texts", list(TEXTS), default=SHORT, label="tokens", as_="menu")], chart=_servers_chart,
     leaves_out="One machine and one software: A100 with eight ports of {{ si(8 * old_nic.rate, 'b/s') }} a server, and "
                "FasterTransformer of 2023, on which constants were fitted among others. The stages have half as many GPUs more.",
     sources=["faster-transformer"], stops=TWO_SERVERS)
def two_servers(texts):
    """A tensor group over two servers wins at batch 1, stages win when many requests are served."""
    columns = ("batch", "predicted", "measured")
    table = against.table("batch", {split: tuple(served(texts, split)[name] for name in columns) for split in SPLITS})
    off = np.abs(table["error (%)"])
    return table, f"Tokens {texts}: the model is off by {off.mean():.0f} % on average, by {off.max():.0f} % at most."


# ---- keys and values

_LINES = {"NVLink": (charts.CHIP, charts.SOLID), "RDMA": (charts.CLUSTER, charts.DASHED), "TCP": (charts.LIMIT, charts.DOTTED)}


def _kv_chart():
    import altair as alt

    x = charts.x("prompt", (PROMPTS[0], PROMPTS[-1]), title="tokens of the prompt (logarithmic)", log=2)

    def time(field):
        return charts.y(field, (1e-4, 3), title="keys and values on their way (logarithmic)", unit="s", log=10)

    lines = parts.of("line").mark_line(strokeWidth=3).encode(x=x, y=time("seconds"), **charts.series("way", _LINES))
    dots = charts.here_on_each(x, time("here"), "way", _LINES)
    # Where the lines, which rise to the right, leave room; the fastest may be just below the next one.
    at, last = "scale('x', datum.prompt)", "scale('x', datum.prompt) > width - 60"
    place = {name: alt.ExprRef(f"datum.way == 'NVLink' ? ({below}) : ({above})") for name, below, above in (
        ("align", f"{last} ? 'right' : 'left'", f"{at} < 60 ? 'left' : 'right'"),
        ("dx", f"{last} ? 4 : 8", f"{at} < 60 ? 4 : -8"), ("dy", f"{last} ? 26 : 16", f"{at} < 60 ? -18 : -14"))}
    here = parts.of("here").encode(x=x, y=time("here"), text="text:N")
    said = charts.legible(here, **place)
    return charts.stack(lines, *dots, *said, height=340, description=(
        "The time that keys and values of a prompt take from one server to another, against its tokens, both logarithmic: over "
        "NVLink, over RDMA on eight ports, and over TCP. A dot on each line marks the chosen prompt."))


@lab("kv-travels", title="Keys and values on their way", tier="all",
     controls=[Control("model", list(CACHED), default=GROUPED, as_="menu"),
               Control("prompt", PROMPTS, default=8192, label="tokens", drags="x")],
     chart=_kv_chart,
     leaves_out="Both ends are a DGX H100, or halves of one over NVLink. A real system sends a layer while the next is computed, "
                "which hides most of it, and uses only the ports of the GPUs that serve.",
     hides=("text",),
     sources=["mooncake", "nvidia-basepod"], stops=KV_TRAVELS)
def kv_travels(model, prompt):
    """Over NVLink and RDMA it hardly shows; TCP makes the user wait."""
    here = PROMPTS.index(prompt)
    rows = [{"part": "line", "way": way, "prompt": tokens, "seconds": seconds}
            for way in WAYS for tokens, seconds in zip(PROMPTS, sent(model, way).tolist(), strict=True)]
    rows += [{"part": "here", "way": way, "prompt": prompt, "here": float(sent(model, way)[here]),
              "text": units.format(float(sent(model, way)[here]), "s")} for way in WAYS]
    table = parts.columns(rows, {"part": "", "way": "", "prompt": np.nan, "seconds": np.nan, "here": np.nan, "text": ""})
    return table, f"{model}: a prompt of {prompt:,} tokens leaves {units.format(kept(model, prompt))} of keys and values."


# ---- experts

_BOTH = {"dispatch": (charts.CLUSTER, charts.SOLID), "combine": (charts.OTHER, charts.DASHED)}


def _experts_chart():
    def time(field):
        return charts.y(field, (0, 4e-4), title="time", unit="s")

    x = charts.x("GPUs", (8, 256), title="GPUs that share out the experts (logarithmic)", log=2)
    return against.chart(x, time, _BOTH, errors=(-20, 20), description=(
        "Above, the time of sending 128 tokens of each GPU to their experts, dispatch, and what comes of it back, combine, from "
        "8 to 256 GPUs; measured as diamonds, predicted as lines. It grows, and levels off. Below, the errors."))


@lab("experts-against-deepep", title="Dispatch and combine against DeepEP", tier="cluster", controls=(), chart=_experts_chart,
     leaves_out="The library's kernels of low latency on H800, an H100 with slower NVLinks, with a port of "
                "{{ si(8 * nic.rate, 'b/s') }} a GPU: each copy goes straight to its GPU. Nothing was fitted to them.",
     sources=["deepep-v1"])
def experts_against_deepep():
    """Where only wires work, what collectives taught is enough."""
    runs = {name: (one["gpus"], one["predicted"], one["measured"]) for name, one in deepep().items()}
    table = against.table("GPUs", runs)
    off = np.abs(table["error (%)"])
    return table, f"Off by {off.mean():.0f} % on average, by {off.max():.0f} % at most."
