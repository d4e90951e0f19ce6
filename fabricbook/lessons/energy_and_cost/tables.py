"""What lesson "Where the joules go" stands on: clusters of one size after another, ways of a byte, and the joules of a step."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.cabling import cable
from fabriclib.collectives.cost import sent
from fabriclib.energy import (
    TRAINING,
    ClusterPower,
    StepEnergy,
    TokenEnergy,
    cluster_cost,
    cluster_power,
    links_by_reach,
    reconciled,
    step_energy,
    token_energy,
    ways,
)
from fabriclib.host_adapters import adapter
from fabriclib.machines import system
from fabriclib.switches import switch
from fabriclib.topology.fabrics.parts import CHIP, NIC, OPTICS
from fabriclib.workloads import accelerator, request, training_step, transformer

from ...course.story import GPUS

# ---- a cluster's watts

MACHINES = {"DGX H100": "dgx-h100", "DGX B200": "dgx-b200", "GB200 NVL72": "gb200-nvl72", "MI300X server": "mi300x-roce"}
SIZES = [64, 256, 1024, 2048, 4096, 16_384, 65_536]
HALL = 16_384  # links or GPUs of a large hall
COPPER, LIGHT, LINEAR = "copper, 3 m", "optics", "linear optics"
LEAVES = {COPPER: "dac-400", LIGHT: OPTICS, LINEAR: "lpo-800"}
THOUSAND = 1024
PARTS = ("GPUs", "rest of the servers", "NVLink switches", "NICs", "switches", "links to GPUs", "links between switches")


@functools.cache
def power(machine: str = "DGX H100", leaves: str = LIGHT) -> ClusterPower:
    """Return what clusters of SIZES draw, their servers at the most that they may."""
    return cluster_power(MACHINES[machine], gpus=np.array(SIZES), below=LEAVES[leaves])


def at(found: ClusterPower, gpus: int) -> dict[str, float]:
    """Return {part: watts} of one of SIZES."""
    return {part: float(value[SIZES.index(gpus)]) for part, value in found.parts.items()}


one_thousand = cluster_power("dgx-h100", gpus=THOUSAND)
load = TRAINING
YEARS = 4
largest = cluster_power("dgx-h100", gpus=HALL)
card, box = adapter(NIC), switch(CHIP)
h100 = accelerator("h100-sxm")
nameplate = catalog.row("machine_powers", "dgx-h100-max")["power_w"]
drawn = catalog.row("machine_powers", "hgx-h100-most")["power_w"]
rack = catalog.row("machine_powers", "gb200-nvl72-max")["power_w"]
rest = float(one_thousand.parts["rest of the servers"]) / THOUSAND
beside_gpus = 1 - float(one_thousand.parts["GPUs"] / (one_thousand.watts - one_thousand.network))  # of what servers draw
by_copper = one_thousand.network - cluster_power("dgx-h100", gpus=THOUSAND, below=LEAVES[COPPER]).network


# ---- copper and optics

SPEEDS = {"400 Gb/s": "eth400", "800 Gb/s": "eth800"}
USUAL, ALL_OPTICS = OPTICS_MENU = ["usual modules", "linear ones too"]
METRES = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 30.0, 50.0, 70.0, 100.0, 300.0, 500.0]
module, linear, plain = (cable(id) for id in (OPTICS, "lpo-800", "dac-800"))


@functools.cache
def cables(speed: str, optics: str):
    """Return the cables for links of a speed, as `links_by_reach` lists them; those of the usual sort, or all."""
    found = links_by_reach(SPEEDS[speed])
    return found if optics == ALL_OPTICS else found[found["kind"] != "LPO"]


def reaching(metres: float, speed: str, optics: str):
    """Return the row of the cable that reaches so far with the fewest watts, None where none does."""
    found = cables(speed, optics)
    found = found[found["reach (m)"] >= metres]
    return None if found.empty else found.loc[found["W"].idxmin()]


# ---- a byte

TOO_DEAR = 10e-9  # joules of a byte
USES = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
WATTS = "from watts"
NVLINK, ONE_SWITCH = "NVLink through a switch", "optics over one switch"
nvlink_byte, network_byte = ways()[NVLINK].joules, ways()[ONE_SWITCH].joules
ring_share = sent("all_reduce", "ring", GPUS)  # buffers that each GPU of the story sends
convention = ways()["InfiniBand by convention"].joules


def byte(way: str, use: float) -> float:
    """Return the joules a byte of a way: what follows from watts grows as less of the rate is used, what is stated stays."""
    found = ways()[way]
    return found.joules / (use if found.kind == WATTS else 1.0)


def parts_of_a_way():
    """Return a DataFrame of text: what a byte takes in each part of the ways that follow from watts."""
    import pandas as pd

    return pd.DataFrame([{"way": one.name, "part": part, "pJ a bit": f"{joules / 8 * 1e12:.1f}"}
                         for one in ways().values() if one.kind == WATTS for part, joules in one.parts.items()])


# ---- a step

MODEL = "llama-3-70b"
JOB = {"global_batch": 1024, "seq": 8192, "tp": 8, "pp": 4, "virtual": 5, "sharding": "zero1", "recompute": "selective"}
STEP_SIZES = [128, 512, 2048]
USUAL_GPUS = 512
TRAINED = {"DGX A100": "dgx-a100", "DGX H100": "dgx-h100", "DGX B200": "dgx-b200", "GB200 NVL72": "gb200-nvl72"}
H100, RACK = "DGX H100", "GB200 NVL72"
TENSOR, STAGES, COPIES = "tensor groups", "stages", "copies"
ORDERS = {TENSOR: ("tp", "cp", "dp", "pp"), STAGES: ("pp", "tp", "cp", "dp"), COPIES: ("dp", "tp", "cp", "pp")}
SPENT = ("computing", "waiting for wires", "waiting for others", "NVLink switches", "network")


@functools.cache
def energy(machine: str = H100, near: str = TENSOR) -> StepEnergy:
    """Return the joules of a step of the job on each of STEP_SIZES."""
    return step_energy(training_step(MODEL, TRAINED[machine], gpus=np.array(STEP_SIZES), order=ORDERS[near], **JOB))


def per_token(machine: str, near: str = TENSOR, gpus: int = USUAL_GPUS) -> dict[str, float]:
    """Return {part: joules} for each token that is trained on."""
    found, where = energy(machine, near), STEP_SIZES.index(gpus)
    return {part: float(value[where] / found.tokens[where]) for part, value in found.parts.items()}


def total(machine: str, near: str = TENSOR) -> float:
    """Return the joules for each token that is trained on."""
    return sum(per_token(machine, near).values())


def of_wires(machine: str, near: str = TENSOR) -> float:
    """Return the share of a step's joules that perfect wires would save: GPUs that wait for them, and what they draw."""
    spent = per_token(machine, near)
    return 1 - (spent["computing"] + spent["waiting for others"]) / sum(spent.values())


def drawn_by_wires(machine: str) -> float:
    """Return the share of a step's joules that NVLink switches and the network draw."""
    spent = per_token(machine)
    return (spent["NVLink switches"] + spent["network"]) / sum(spent.values())


def waited(machine: str) -> float:
    """Return the share of a step's joules that GPUs spend while they wait for wires."""
    spent = per_token(machine)
    return spent["waiting for wires"] / sum(spent.values())


def moved() -> float:
    """Return the share of what NVLink switches and network draw in a step that its bytes would take on wires that never idle."""
    found, where = energy(), STEP_SIZES.index(USUAL_GPUS)
    wires = found.parts["NVLink switches"] + found.parts["network"]
    return float(sum(found.moving.values())[where] / wires[where])


def sent_each(over: str) -> float:
    """Return the bytes that a GPU sends in a step, over "NVLink" or the "network"."""
    return float(energy().nbytes[over][STEP_SIZES.index(USUAL_GPUS)] / USUAL_GPUS)


def watts_and_seconds(machine: str) -> tuple[float, float, float, float]:
    """Return the watts of servers and of wires, and the seconds of computing and of waiting for wires, for each token trained on.

    The watts are counted in those of the servers, which draw the same while they wait. What they wait for one another counts as
    computing, for no wire is to blame.
    """
    spent = per_token(machine)
    computing, waiting = spent["computing"] + spent["waiting for others"], spent["waiting for wires"]
    return 1.0, (spent["NVLink switches"] + spent["network"]) / (computing + waiting), computing, waiting


def _kept_of_network(below: str) -> float:
    """Return the share of a token's joules that the training saves with other links from GPUs to leaves."""
    usual, other = (cluster_power(TRAINED[H100], gpus=USUAL_GPUS, below=links).network for links in (OPTICS, below))
    return float(1 - other / usual) * per_token(H100)["network"] / total(H100)


SAVINGS = {"copper to the leaves": lambda: _kept_of_network(LEAVES[COPPER]),
           "linear modules to the leaves": lambda: _kept_of_network(LEAVES[LINEAR]),
           "wires that halve the waiting": lambda: waited(H100) / 2,
           "stages together, and tensor groups over servers": lambda: 1 - total(H100, STAGES) / total(H100)}

TOGETHER = [1, 8, 64, 256]
PROMPT, OUTPUT = 1000, 200


@functools.cache
def answers() -> TokenEnergy:
    """Return the joules of an answered token on one server of H100, for so many requests TOGETHER."""
    return token_energy(request(MODEL, "dgx-h100", gpus=8, tp=8, batch=np.array(TOGETHER), prompt=PROMPT, output=OUTPUT,
                                dtype="fp8"))


def answered():
    """Return a DataFrame of text: the joules of an answered token by how many are answered together, and where they go."""
    import pandas as pd

    found = answers()
    return pd.DataFrame([{"requests together": many, "a token": units.format(found.joules[i], "J")} | {
        part: units.portion(value[i] / found.joules[i]) for part, value in found.parts.items()}
        for i, many in enumerate(TOGETHER)])


llama = transformer(MODEL)
published = {one.what: one for one in reconciled()}
rack_gpus = system("gb200-nvl72").gpus
spine = published["Optics for the NVLinks of an NVL72"]
card_hours = catalog.figure("llama3-gpu-hours")
transceivers, their_watts = (catalog.figure(id) for id in ("transceivers-factory", "transceivers-power"))
trained, answer = (next(one for what, one in published.items() if what.startswith(start))
                   for start in ("Llama 3.1 405B", "A token of Llama"))


def wholes():
    """Return a DataFrame of text: every whole as the model finds it, as published, the gap, and how it was found."""
    import pandas as pd

    return pd.DataFrame([{"what": one.what, "model": units.format(one.model, one.unit),
                          "published": units.format(one.published, one.unit), "gap": f"{100 * one.gap:+.0f} %", "how": one.how}
                         for one in reconciled()])


def costs(prices: dict):
    """Return a DataFrame of text: what a thousand H100 cost that train for YEARS years, part by part, and whose price it is."""
    import pandas as pd

    found = cluster_cost(cluster_power("dgx-h100", gpus=THOUSAND, load=load), prices, hours=YEARS * 365.25 * 24)
    rows = [{"part": part, "million US$": f"{value / 1e6:.2f}", "price": "a source's" if part in found.sourced else "yours"}
            for part, value in found.parts.items()]
    rows += [{"part": part, "million US$": "-", "price": "none"} for part in found.unpriced]
    return pd.DataFrame([*rows, {"part": "together", "million US$": f"{found.usd / 1e6:.2f}", "price": ""}])
