"""What lesson "One token" stands on: one token over more and more GPUs, two ways over servers, keys and values on their way."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.machines import port, system
from fabriclib.prediction.constants import fitted
from fabriclib.workloads import (
    accelerator,
    exchange_bound,
    expert_exchange,
    kv_transfer,
    request,
    transformer,
)
from fabriclib.workloads.published import requests, wired
from fabriclib.workloads.request import Request, priced
from fabriclib.workloads.serving import memory, serving

# ---- one token

MODELS = {transformer(id).name: id for id in ("gpt-20b", "llama-3-8b", "llama-3-70b")}
SMALL, EIGHT, SEVENTY = MODELS
MACHINES = {"A100, NVLink 3": "dgx-a100", "H100, NVLink 4": "dgx-h100", "GB200 rack, NVLink 5": "gb200-nvl72"}
OLD, NEW, RACK = MACHINES
SOFTWARE = {"launches each kernel": "faster-transformer", "replays a graph": "auto"}
EACH, GRAPH = SOFTWARE
BATCHES = (1, 4, 16, 64)
GPUS = np.array([1, 2, 4, 8, 16])
WORDS = 200  # tokens of the prompt, and of the answer


class Token(NamedTuple):
    """A token over GPUS: what it takes, and whether the model and the requests fit."""

    request: Request
    fits: np.ndarray

    def seconds(self, gpus: int) -> float:
        """Return the seconds of a further token on so many GPUs."""
        return float(self.request.per_token[GPUS.tolist().index(gpus)])

    def part(self, name: str, gpus: int) -> float:
        """Return the seconds of one part."""
        return float(self.request.token_parts[name][GPUS.tolist().index(gpus)])


@functools.cache
def token(model: str = SMALL, machine: str = OLD, software: str = EACH, batch: int = 1) -> Token:
    """Return a token of each of so many requests, priced as if they fitted where they do not."""
    numbers = {"gpus": GPUS, "tp": GPUS, "pp": 1, "ep": 1, "batch": batch, "prompt": WORDS, "output": WORDS}
    asked = serving(MODELS[model], MACHINES[machine], numbers, "fp16", "fp16", SOFTWARE[software])
    found = priced(asked, memory(asked), fitted())
    return Token(found, np.asarray(found.memory) <= asked.accelerator.memory)


small, seventy = transformer("gpt-20b"), transformer("llama-3-70b")
a100, h100 = accelerator("a100-80gb-sxm"), accelerator("h100-sxm")
weights = 2 * small.params  # bytes, two a parameter
per_layer = 2  # sums over the GPUs
SEVERAL = 8


def _measured(gpus: int, **given) -> float:
    """Return the published seconds of a request of FasterTransformer."""
    wanted = {"model": "gpt-20b", "gpus": gpus, "batch": 1, "prompt": WORDS, "output": WORDS} | given
    return next(row["seconds"] for row in catalog.rows("requests") if row["table"] == "ft-a100"
                and all(row[name] == value for name, value in wanted.items()))


def gained(gpus: int = SEVERAL) -> float:
    """Return how many times as fast so many GPUs answer as one, as measured."""
    return _measured(1) / _measured(gpus)


alone, together = _measured(1), _measured(SEVERAL)
reading = weights / a100.memory_rate

# ---- two servers, or three

BIG = "megatron-529.6b"
big = transformer(BIG)
TEXTS = {f"{words} in, {answer} out": (words, answer) for words, answer in ((20, 8), (60, 20), (128, 8))}
SHORT, MIDDLE, LONG = TEXTS
SPLITS = {"16 × 1: two servers": (16, 1), "8 × 3: three servers": (8, 3)}
TENSOR, PIPELINE = SPLITS


@functools.cache
def served(texts: str, split: str) -> dict[str, np.ndarray]:
    """Return columns of a published table: batch, seconds as measured, as predicted."""
    here = [row for row in catalog.rows("requests") if (row["model"], row["tp"], row["pp"], row["prompt"], row["output"]) == (
        BIG, *SPLITS[split], *TEXTS[texts])]
    batch = np.array([row["batch"] for row in here])
    return {"batch": batch, "measured": np.array([row["seconds"] for row in here]),
            "predicted": np.asarray(_asked(texts, split, batch).seconds)}


def _asked(texts: str, split: str, batch) -> Request:
    (prompt, output), (tensor, stages) = TEXTS[texts], SPLITS[split]
    return request(BIG, "dgx-a100", gpus=tensor * stages, tp=tensor, pp=stages, batch=batch, prompt=prompt, output=output,
                   engine="faster-transformer")


def times_as_long(texts: str, batch: int, column: str = "measured") -> float:
    """Return how many times as long the stages take as the tensor group over two servers."""
    found = {split: dict(zip(served(texts, split)["batch"].tolist(), served(texts, split)[column].tolist(), strict=True))
             for split in SPLITS}
    return found[PIPELINE][batch] / found[TENSOR][batch]


def overtakes(texts: str, column: str = "measured") -> int:
    """Return the smallest batch at which the stages are faster."""
    shared = [one for one in served(texts, TENSOR)["batch"].tolist() if one in served(texts, PIPELINE)["batch"]]
    return min((batch for batch in shared if times_as_long(texts, batch, column) < 1), default=0)


@functools.cache
def parts(split: str, batch: int, texts: str = LONG) -> dict[str, float]:
    """Return {part: seconds} of the requests on a split."""
    return {part: float(seconds) for part, seconds in _asked(texts, split, batch).parts.items()}


# ---- keys and values

SERVER = "dgx-h100"
CACHED = {transformer(id).name: id for id in ("llama-2-7b", "llama-3-70b", "deepseek-v3")}
OLDER, GROUPED, LATENT = CACHED
WAYS = {"NVLink": "nvlink", "RDMA": "network", "TCP": "tcp"}
PROMPTS = [2**power for power in range(7, 17)]
PROMPT = 8192
nic, nics, old_nic = port("ib-ndr"), system(SERVER).ports, port("ib-hdr")


@functools.cache
def sent(model: str, way: str) -> np.ndarray:
    """Return the seconds that keys and values of prompts of PROMPTS tokens take."""
    return np.asarray(kv_transfer(CACHED[model], SERVER, prompt=np.array(PROMPTS), over=WAYS[way]).seconds)


def at(prompt: int, model: str = GROUPED, way: str = "RDMA") -> float:
    """Return the seconds for a prompt."""
    return float(sent(model, way)[PROMPTS.index(prompt)])


def kept(model: str, prompt: int) -> float:
    """Return the bytes of keys and values of a prompt."""
    return float(transformer(CACHED[model]).kv_bytes(prompt))


def noticed() -> int:
    """Return the shortest prompt whose keys and values take longer over TCP than ten tokens of its answer."""
    return next(prompt for prompt in PROMPTS if at(prompt, way="TCP") > 10 * token(SEVENTY, NEW, GRAPH).seconds(SEVERAL))


def cache_bytes(layers: int, kv_heads: int, head_dim: int, tokens: int) -> float:
    """Return the bytes of keys and values of a request, two for each number."""
    return 2 * 2 * layers * kv_heads * head_dim * tokens


seventy_cache = float(seventy.kv_bytes(PROMPT))
one_request = request("llama-3-70b", SERVER, gpus=SEVERAL, tp=SEVERAL, prompt=PROMPT, output=WORDS)
fit_in_server = int((SEVERAL * h100.memory - 2 * seventy.params) / seventy.kv_bytes(PROMPT + WORDS))


def way(size: float, rates: dict[str, float], most: float):
    """Return the first of *rates*, the cheapest first, over which *size* takes at most *most* seconds; else None."""
    return next((name for name, rate in rates.items() if size / rate <= most), None)


# ---- what a server is to be for its users

def chat(batch: int = 1) -> Token:
    """Return a token of so many requests on H100, with software of today."""
    return token(SEVENTY, NEW, GRAPH, batch)


def _without(share_of: dict[str, float]) -> float:
    """Return the seconds of a single user's token, less a share of some of its parts."""
    return chat().seconds(SEVERAL) - sum(share * chat().part(part, SEVERAL) for part, share in share_of.items())


BUYS = {"memory twice as fast": lambda: _without({"weights": 1 / 2, "cache": 1 / 2}),
        "links twice as fast": lambda: _without({"bytes": 1 / 2}),
        "sums that start in half the time": lambda: _without({"starts": 1 / 2}),
        "a second server, 16 GPUs": lambda: chat().seconds(16)}
USERS, PATIENCE = 64, 25 * units.ms


class Layout(NamedTuple):
    """A way to serve USERS on a server: so many groups of so many GPUs, each with a batch; they may take turns."""

    groups: int
    gpus: int
    batch: int

    @property
    def fits(self) -> bool:
        """Whether weights, keys and values fit into the memory of a group."""
        return bool(chat(self.batch).fits[GPUS.tolist().index(self.gpus)])

    @property
    def seconds(self) -> float:
        """The seconds from one token of a user to the next."""
        turns = USERS / (self.groups * self.batch)
        return turns * chat(self.batch).seconds(self.gpus)

    @property
    def tokens(self) -> float:
        """The tokens a second, of all users together."""
        return USERS / self.seconds


LAYOUTS = {"one group of 8, one request after the other": Layout(1, 8, 1), "one group of 8": Layout(1, 8, USERS),
           "two groups of 4": Layout(2, 4, USERS // 2), "four groups of 2": Layout(4, 2, USERS // 4),
           "eight GPUs on their own": Layout(8, 1, USERS // 8)}


def best_plan() -> str:
    """Return the one of LAYOUTS that fits, is quick enough for its users, and gives most tokens in all."""
    able = [name for name, one in LAYOUTS.items() if one.fits and one.seconds <= PATIENCE]
    return max(able, key=lambda name: LAYOUTS[name].tokens)


def in_parts():
    """Return a DataFrame of text: what a single user's token is made of, on one server."""
    import pandas as pd

    names = {"weights": "reading the weights", "cache": "reading keys and values", "host": "pauses",
             "starts": "starts of the sums", "bytes": "bytes of the sums"}
    return pd.DataFrame([{"part": told, "time": units.format(chat().part(part, SEVERAL), "s")} for part, told in names.items()])


# ---- experts

deepseek, older = transformer("deepseek-v3"), transformer("llama-2-7b")
BOUND = {"tokens": 32, "copies": 9, "hidden": 7000, "rate": 50e9}  # as its authors count: figure deepseek-exchange
bound = exchange_bound(**BOUND)
rack_rate = system("gb200-nvl72").gpu_rate
normal = expert_exchange("deepseek-v3", "hgx-h800", tokens=4096, ep=32, nodes_a_token=4)
low = expert_exchange("deepseek-v3", "hgx-h800", tokens=128, ep=64, mode="low_latency")


@functools.cache
def deepep() -> dict[str, dict[str, np.ndarray]]:
    """Return, for dispatch and combine, columns: GPUs, seconds as measured, as predicted."""
    rows = [row for row in catalog.rows("expert_exchanges") if row["table"] == "deepep-v1-low"]
    ratios, found = wired()["deepep-v1-low"], {}
    for direction in ("dispatch", "combine"):
        here = [(row["ep"], row["value"], row["value"] * ratio) for row, ratio in zip(rows, ratios, strict=True)
                if row["way"] == direction]
        gpus, measured, predicted = map(np.array, zip(*here, strict=True))
        found[direction] = {"gpus": gpus, "measured": measured, "predicted": predicted}
    return found


def wires_off() -> float:
    """Return the mean error over the tables that are pure wiring."""
    return float(np.mean([np.abs(np.array(ratios) - 1).mean() for ratios in wired().values()]))


def errors():
    """Return a DataFrame of text: of each table of published requests, the mean errors."""
    import pandas as pd

    about = {row["id"]: row for row in catalog.rows("request_tables")}
    rows = []
    for row in sorted(catalog.rows("held_out_requests"), key=lambda row: row["left_out"]):
        one = about[row["table"]]
        rows.append({"software": catalog.row("engines", one["engine"])["name"], "GPUs of": one["generation"],
                     "rows": int((requests().table == row["table"]).sum()), "no constant fitted": units.portion(row["unfitted"]),
                     "fitted without this source": units.portion(row["left_out"]), "fitted on all": units.portion(row["fitted"])})
    return pd.DataFrame(rows)


def left_out() -> tuple[float, float]:
    """Return the mean over tables of the errors with the source left out, and as shipped."""
    rows = catalog.rows("held_out_requests")
    return float(np.mean([row["left_out"] for row in rows])), float(np.mean([row["fitted"] for row in rows]))


def transfers():
    """Return a DataFrame of text: keys and values as Mooncake sent them, and as predicted."""
    import pandas as pd

    rows, seen = [], {table: iter(ratios) for table, ratios in wired().items()}
    for row in catalog.rows("kv_transfers"):
        ratio = next(seen[row["table"]])
        rows.append({"model": transformer(row["model"]).name, "tokens": f"{row['prompt']:,}",
                     "bytes": units.format(row["nbytes"]), "measured": units.format(row["seconds"], "s"),
                     "predicted": units.format(ratio * row["seconds"], "s"),
                     "off": f"{100 * (ratio - 1):+.0f} %"})
    return pd.DataFrame(rows)


def saved() -> float:
    """Return the share of a 70B token on a server of H100 that links without end would save: the bytes of its sums."""
    found = token(SEVENTY, NEW, GRAPH)
    return found.part("bytes", SEVERAL) / found.seconds(SEVERAL)
