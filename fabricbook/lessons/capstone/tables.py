"""What lesson "A cluster of your own" stands on: briefs, plans, and what plans that differ in one thing come to."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fabriclib import catalog, units
from fabriclib.availability import uptime
from fabriclib.capstone import OPTIONS, Plan, Score, brief, briefs, score
from fabriclib.capstone.brief import Brief
from fabriclib.capstone.score import LIMITS, Grid, evaluate
from fabriclib.energy import cluster_power, reconciled
from fabriclib.machines import system
from fabriclib.workloads import accelerator, transformer
from fabriclib.workloads.published import steps

BRIEFS = {row["name"]: row["id"] for row in briefs().to_dict("records")}
MACHINES = {system(id).name: id for id in OPTIONS["system"]}
NAMES = {id: name for name, id in MACHINES.items()}
A100, H100, B200, GB200 = MACHINES
SPLITS = {f"{tp} × {pp}": (tp, pp) for tp in OPTIONS["tp"] for pp in OPTIONS["pp"]}
SPLIT = "4 × 2"  # with which the first lab begins
USUAL = {"fabric": "rails", "oversubscription": 1.0, "optics": "modules", "spare": 2}
NETWORKS = {f"{fabric}, {narrower:g}:1" if narrower > 1 else fabric: (fabric, narrower)
            for narrower in (1.0, 4.0) for fabric in OPTIONS["fabric"]}
DAY = units.parse("1 day")

dense, mixture, trillion = (brief(id) for id in ("dense-70b", "mixture", "trillion"))
DENSE, MIXTURE, TRILLION = dense.name, mixture.name, trillion.name

# For each of these briefs a plan on the edge: what is not the machines, the GPUs and the split decides.
EDGE = {
    "trillion on 2,048 GB200": ("trillion", Plan("gb200-nvl72", gpus=2048, tp=4, pp=16, **USUAL)),
    "mixture on 2,048 H100": ("mixture", Plan("dgx-h100", gpus=2048, tp=2, pp=8, **USUAL)),
    "70B on 2,048 A100": ("dense-70b", Plan("dgx-a100", gpus=2048, tp=8, pp=2, **USUAL)),
}
OF_TRILLION, OF_MIXTURE, OF_DENSE = EDGE


@functools.cache
def scored(id: str, plan: Plan) -> Score:  # noqa: A002
    """Return the score of a plan for a brief, by its id."""
    return score(id, plan)


def planned(machine: str, gpus: int, split: str) -> Plan:
    """Return a plan on the usual network."""
    tp, pp = SPLITS[split]
    return Plan(MACHINES[machine], gpus=gpus, tp=tp, pp=pp, **USUAL)


def networked(edge: str, network: str, optics: str, spare: int) -> Plan:
    """Return a plan on the edge with another network, other optics or other spares."""
    fabric, narrower = NETWORKS[network]
    return replace(EDGE[edge][1], fabric=fabric, oversubscription=narrower, optics=optics, spare=spare)


@functools.cache
def usual(id: str) -> Grid:  # noqa: A002
    """Return what all machines, GPUs and splits of a brief come to on the usual network."""
    chosen = brief(id)
    return evaluate(chosen, OPTIONS | {"system": chosen.systems} | {field: (value,) for field, value in USUAL.items()})


@functools.cache
def wired(edge: str) -> Grid:
    """Return what a plan on the edge comes to on each network, with each optics and number of spares."""
    id, plan = EDGE[edge]  # noqa: A001
    return evaluate(brief(id), plan.axes() | {field: OPTIONS[field] for field in ("fabric", "optics", "spare")}
                    | {"oversubscription": (1.0, 4.0)})


def least(grid: Grid) -> np.ndarray:
    """Return the smallest margin of each plan of a grid."""
    return np.min([grid.margins[limit] for limit in LIMITS], axis=0)


def words(plan: Plan) -> str:
    """Return machine, GPUs and split in words."""
    return f"{plan.gpus:,} GPUs of {NAMES.get(plan.system, plan.system)}, {plan.tp} × {plan.pp}"


# ---- what the text and the questions need

TOKENS, PLAN = dense.tokens, Plan("dgx-h100", gpus=1024, tp=8, pp=2, **USUAL)
h100 = accelerator("h100-sxm")
model = transformer(dense.model)
found = scored(dense.id, PLAN)
seconds = found.needs["time"]
at_peak = 6 * model.params * TOKENS / (PLAN.gpus * h100.bf16)
used = at_peak / seconds
nameplate = catalog.row("machine_powers", "dgx-h100-max")["power_w"]
power = cluster_power("dgx-h100", gpus=PLAN.gpus)


def frugal(plans) -> str:
    """Return the name of the plan with the fewest watts whose smallest margin is 1 or more; "none" where there is none."""
    return min((plan for plan in plans if plan[1] >= 1), key=lambda plan: plan[2], default=("none",))[0]


def listed(id: str) -> list[tuple]:  # noqa: A002
    """Return (in words, smallest margin, watts) of every plan of a brief that has one, on the usual network."""
    grid, chosen = usual(id), brief(id)
    axes = itertools.product(chosen.systems, OPTIONS["gpus"], OPTIONS["tp"], OPTIONS["pp"])
    watts, worth = grid.needs["power"].reshape(-1), least(grid).reshape(-1)
    return [(words(Plan(name, gpus, tp, pp)), float(margin), float(drawn))
            for (name, gpus, tp, pp), margin, drawn in zip(axes, worth, watts, strict=True) if margin > 0]


def passing(id: str) -> int:  # noqa: A002
    """Return how many plans of a brief pass on the usual network."""
    return sum(margin >= 1 for _, margin, _ in listed(id))


def briefs_in_words():
    """Return the briefs as a DataFrame of text."""
    import pandas as pd

    return pd.DataFrame([{"brief": one.name, "time": _allowed(one), "GPUs": f"{one.gpus:,}",
                          "power": units.format(one.watts, "W"), "machines": ", ".join(NAMES[id] for id in one.systems),
                          "called in the cell below": repr(one.id)}
                         for one in map(brief, BRIEFS.values())]).set_index("brief")


def _allowed(one: Brief) -> str:
    return f"{one.deadline / DAY:g} days" if one.job == "training" else f"{units.format(one.per_token, 's')} a token"


# A hall that gets less than was promised, and four plans on the table.
LESS = 5e6
OFFERS = {
    "A": Plan("dgx-b200", gpus=4096, tp=4, pp=16, **USUAL),
    "B": Plan("gb200-nvl72", gpus=4096, tp=4, pp=8, **USUAL),
    "C": Plan("gb200-nvl72", gpus=2048, tp=4, pp=16, **USUAL),
    "D": replace(Plan("gb200-nvl72", gpus=2048, tp=4, pp=16, **USUAL), fabric="two planes", spare=8),
}


@functools.cache
def offered(letter: str) -> Score:
    """Return the score of an offer for the trillion's brief with less power."""
    return score(replace(trillion, watts=LESS), OFFERS[letter])


def kept() -> str:
    """Return the offer that keeps the brief with less power."""
    [letter] = [letter for letter in OFFERS if offered(letter).passes]
    return letter


def offers():
    """Return the four offers as a DataFrame of text."""
    import pandas as pd

    return pd.DataFrame([{"offer": letter, "plan": words(plan), "network": plan.fabric, "spare servers": plan.spare,
                          "days": f"{offered(letter).needs['time'] / DAY:.3g}",
                          "power": units.format(offered(letter).needs["power"], "W")} for letter, plan in OFFERS.items()])


WEAK = Plan("dgx-b200", gpus=1024, tp=4, pp=8, **USUAL)  # for the mixture; somebody wants twice the GPUs


@functools.cache
def changed(field: str, value) -> Score:
    """Return the score of the weak plan with one thing changed."""
    return score(mixture.id, replace(WEAK, **{field: value}))


@functools.cache
def first_change() -> tuple:
    """Return the change of the weak plan that helps most: (field, value)."""
    best = scored(mixture.id, WEAK).changes(1)[0]
    return best.field, best.value


def changes():
    """Return the three changes of the weak plan that help most, as a DataFrame of text."""
    import pandas as pd

    return pd.DataFrame([{"change": one.field, "to": str(one.value), "smallest margin": f"{one.score:.2f}"}
                         for one in scored(mixture.id, WEAK).changes(3)])


narrow_plan = EDGE[OF_MIXTURE][1]


def _network(network: str, spare: int = USUAL["spare"]) -> Callable[[], Score]:
    return lambda: scored(mixture.id, networked(OF_MIXTURE, network, USUAL["optics"], spare))


NARROWED = {"rack switches, narrowed": _network("rack switches, 4:1"), "rails, narrowed": _network("rails, 4:1"),
            "two planes, narrowed": _network("two planes, 4:1"),
            "rails, not narrowed, paid for by the spare servers": _network("rails", spare=0)}


# ---- what a score rests on

run_days, run_gpus = (int(catalog.figure(id).value) for id in ("llama3-run", "llama3-run-gpus"))
selene = catalog.row("machine_powers", "selene")["gpus"] // 8


@functools.cache
def rests_on() -> dict[str, tuple[float, float]]:
    """Return {what: (what the model says, what was published), both in % of what was published}."""
    gaps = {(one.what, one.how): one.gap for one in reconciled()}
    here = [row["model"] for row in catalog.rows("training_steps")].index("megatron-1t")
    step = float(steps().predicted()[here] / steps().seconds[here])
    kept_ = uptime("dgx-h100", gpus=catalog.figure("llama3-run-gpus").value).share
    return {"a step, 1T": (100 * step, 100.0),
            "time kept, 405B": (100 * 100 * kept_ / catalog.figure("llama3-effective").value, 100.0),
            "days, 405B": (100 * whole() / published_days(), 100.0),
            "watts, DGX H100": (100 * (1 + gaps["DGX H100, nameplate", "parts, and the rest of other servers"]), 100.0),
            "watts, 560 DGX A100": (100 * (1 + gaps["Selene, 560 DGX A100 at Linpack", "nameplates and network"]), 100.0)}


def published_days() -> float:
    """Return the days of Llama 3.1 405B's training, of its GPU hours."""
    hours, gpus = (catalog.figure(one).value for one in ("llama3-gpu-hours", "llama3-run-gpus"))
    return hours / gpus / 24


@functools.cache
def whole() -> float:
    """Return the days that Llama 3.1 405B's training takes as a plan, split as its paper splits it."""
    gpus = int(catalog.figure("llama3-run-gpus").value)
    real = replace(dense, name="Llama 3.1 405B", model="llama-3-405b", systems=("dgx-h100",), seq=8192, global_batch=2048.0,
                   tokens=catalog.figure("llama3-tokens").value, gpus=gpus + 1000, watts=1e9)
    return score(real, Plan("dgx-h100", gpus=gpus, tp=8, pp=16, spare=32)).needs["time"] / DAY
