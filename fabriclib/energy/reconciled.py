"""What the model finds of a whole, beside what somebody printed or measured of it: the gap is said, not hidden."""

from __future__ import annotations

from typing import NamedTuple

from .. import catalog, units
from ..cabling import cable
from ..machines import system
from ..switches import switch
from ..topology.fabrics.parts import CHIP, OPTICS
from ..workloads import request, training_step
from ..workloads.accelerators import of_system
from .cluster import cluster_power
from .servers import NAMEPLATE, domain_watts, nvlink_watts

_TRAINS, _MOST = (catalog.row("machine_powers", row)["power_w"] for row in ("hgx-h100-training", "dgx-h100-max"))
TRAINING = _TRAINS / _MOST  # the share of its nameplate that a server was measured to draw while it trains

PROMPT = 256  # tokens: of chats, assumed


class Reconciled(NamedTuple):
    """A whole: as the model finds it without knowing the figure, as published, how it was found, source id, unit (watts, joules).

    `gap` is model / published - 1.
    """

    what: str
    model: float
    published: float
    how: str
    source: str
    unit: str = "W"

    @property
    def gap(self) -> float:
        """The model's distance from what is published, as a share of it."""
        return self.model / self.published - 1


def reconciled() -> list[Reconciled]:
    """Return every whole that the model was held against: machines, racks, a cluster, boxes, modules, a training.

    >>> all(abs(one.gap) < 0.1 for one in reconciled() if one.what.startswith("DGX"))
    True
    """
    return [*_nameplates(), *_racks(), *_measured(), *_boxes(), _factory(), _spine(), _training(), _answer()]


def reconciled_table():
    """Return `reconciled` as a DataFrame: what, model and published with their unit, gap (%), how, source.

    >>> list(reconciled_table())
    ['what', 'model', 'published', 'gap (%)', 'how', 'source']
    """
    import pandas as pd

    return pd.DataFrame([{
        "what": one.what, "model": units.format(one.model, one.unit), "published": units.format(one.published, one.unit),
        "gap (%)": 100 * one.gap, "how": one.how, "source": catalog.source(one.source).title} for one in reconciled()])


def _against(row: str, model: float, how: str) -> Reconciled:
    cells = catalog.row("machine_powers", row)
    return Reconciled(cells["name"], model, cells["power_w"], how, cells["sources"]["power_w"])


def _nameplates():
    """A machine as if its own nameplate were not known: the rest of the server is that of its like."""
    for cells in catalog.rows("machine_powers"):
        if cells["kind"] == NAMEPLATE and cells["system"] != "gb200-nvl72":
            yield _against(cells["id"], sum(domain_watts(system(cells["system"]), without=cells["system"]).values()),
                           "parts, and the rest of other servers")
    yield _against("dgx-b300-max", sum(domain_watts(system("dgx-b300")).values()), "parts, and the rest of other servers")


def _racks():
    """A rack by its trays: what NVIDIA's software plans for a compute tray, and the trays of NVLink switches."""
    rack, tray = system("gb200-nvl72"), catalog.row("machine_powers", "gb200-tray-max")
    trays = rack.gpus / tray["gpus"] * tray["power_w"] + nvlink_watts(rack)
    for row in ("gb200-nvl72-max", "gb200-nvl72-hpe", "nvl72-liquid"):
        yield _against(row, trays, "18 compute trays and 9 switch trays")


def _measured():
    """Nameplates against meters: a maximum is not what is drawn."""
    nameplate = sum(domain_watts(system("dgx-h100")).values())
    for row in ("hgx-h100-most", "hgx-h100-training"):
        yield _against(row, nameplate, "the nameplate")
    selene = catalog.row("machine_powers", "selene")
    for load, how in ((1.0, "nameplates and network"), (TRAINING, "servers at the load of H100 in training, and network")):
        yield _against("selene", float(cluster_power("dgx-a100", gpus=selene["gpus"], load=load).watts), how)


def _boxes():
    """A switch: its bare chip against its box, and the box that stands for all against other makers' boxes."""
    box = switch(CHIP)
    yield Reconciled(f"{box.name}, a box without modules", box.power, box.box_power, "its bare chip", box.sources["box_w"].id)
    for row in ("sn5600-typical", "qm9700-typical"):
        figure = catalog.figure(row)
        other = switch(figure.subject)
        yield Reconciled(f"{other.name}, a box", box.box_power * other.rate / box.rate, figure.si,
                         f"a box of {box.name} in proportion to its ports", figure.source.id)


def _factory():
    many, power = catalog.figure("transceivers-factory"), catalog.figure("transceivers-power")
    return Reconciled("Transceivers of an AI factory", many.si * cable(OPTICS).power / 2, power.si,
                      "half a twin-port module each", power.source.id)


def _spine():
    """The NVLinks of a rack with a part of a module at both ends of each, in proportion to its rate."""
    rack, wire, figure = system("gb200-nvl72"), cable(OPTICS), catalog.figure("nvl72-optics")
    return Reconciled("Optics for the NVLinks of an NVL72", rack.gpus * rack.gpu_rate * 2 * wire.power / wire.carries.line,
                      figure.si, "two ends each, in proportion to a module's rate", figure.source.id)


def _training():
    """A whole training as its card counts it: GPU hours, at the watts of the boards."""
    hours, tokens, gpus = (catalog.figure(one).si for one in ("llama3-gpu-hours", "llama3-tokens", "llama3-run-gpus"))
    step = training_step("llama-3-405b", "dgx-h100", gpus=int(gpus), global_batch=2048, seq=8192, tp=8, pp=16, virtual=8,
                         sharding="zero1")
    watts = of_system(system("dgx-h100")).watts
    return Reconciled("Llama 3.1 405B, GPUs in training", watts * gpus * tokens / float(step.tokens_per_second),
                      watts * hours * 3600, "its tokens at the rate of a step on 16,384 GPUs", "llama3-card", "J")


def _answer():
    """A token answered, of one GPU alone: its board's watts, by the tokens that all requests get in a second."""
    figure, one = catalog.figure("llama8b-token"), of_system(system("dgx-h100"))
    fit = 448  # requests: as many as fit beside one another
    found = request("llama-3-8b", "dgx-h100", gpus=1, batch=fit, prompt=PROMPT, output=397)
    how = f"its board's watts; {fit} requests with prompts of {PROMPT} tokens, which is assumed"
    return Reconciled("A token of Llama 3.1 8B, answered by one GPU", one.watts / float(found.tokens_per_second), figure.si, how,
                      figure.source.id, "J")
