"""What lesson 13 sets beside its labs: bytes a tier carries, and published runs on one, two and twelve servers."""

from __future__ import annotations

from typing import NamedTuple

from fabriclib import catalog, units
from fabriclib.collectives import busbw, collective_time
from fabriclib.machines import system
from fabriclib.measurements import error, percent, published

from .labs import PLACES


def sent(collective: str, name: str, ranks: int) -> float:
    """Return the buffers that a rank sends through its port.

    >>> sent("all_reduce", "ring", 8), sent("all_reduce", "nvls", 8)
    (1.75, 1.125)
    """
    return collective_time(collective, name, nbytes=1.0, ranks=ranks, alpha=0.0, beta=1.0)


def bytes_by_tier(servers: int):
    """Return a DataFrame: what an all-reduce sends, in buffers, through a GPU's NVLink and through all NICs of a server.

    Eight rings go through whole servers: seven of their eight hops there are NVLink, and each takes an eighth of the buffer.
    """
    import pandas as pd

    flat = sent("all_reduce", "ring", PLACES * servers)
    rows = {"eight rings": (flat * (PLACES - 1) / PLACES, flat),
            "two levels": (sent("all_reduce", "ring", PLACES), sent("all_reduce", "ring", servers)),
            "two levels, NVLS inside": (sent("all_reduce", "nvls", PLACES), sent("all_reduce", "ring", servers)),
            "two levels, NVLS and SHARP": (sent("all_reduce", "nvls", PLACES), sent("all_reduce", "sharp", servers))}
    return pd.DataFrame({"a GPU's NVLink": {way: f"{one:.4g}" for way, (one, _) in rows.items()},
                         "a server's NICs": {way: f"{other:.4g}" for way, (_, other) in rows.items()}})


class Run(NamedTuple):
    """The largest size of a published table: its ranks, bytes, seconds, and busbw in bytes per second."""

    ranks: int
    nbytes: float
    seconds: float
    busbw: float


def largest(table: str) -> Run:
    """Return the largest size of the published *table*.

    >>> largest("h200x8-8gib-ar").ranks
    8
    """
    last, ranks = published(table).iloc[-1], catalog.row("measurement_tables", table)["ranks"]
    collective = catalog.row("measurement_tables", table)["collective"]
    nbytes, seconds = float(last["nbytes"]), float(last["seconds"])
    return Run(ranks, nbytes, seconds, float(busbw(collective, nbytes, seconds, ranks)))


_NVLS = {"H200": ("h200", range(5, 9), "hopper"), "B200": ("b200", range(6, 9), "blackwell")}


def nvls_beside_published():
    """Return a DataFrame of text: what switches that add gain over a ring on the same links, predicted and measured.

    The ring, with NVLS switched off, says what a port moves. Through the same port NVLS needs (p + 1) / p buffers, a ring
    2 (p - 1) / p. The last two columns use the factor by which NCCL's own tuner expects NVLS to fall behind.
    """
    import pandas as pd

    rows = []
    for name, (gpu, counts, architecture) in _NVLS.items():
        factor = catalog.row("nccl_gpus", architecture)["nvls_efficiency"]
        for ranks in counts:
            ring, adding = largest(f"{gpu}x{ranks}-8gib-nvls-off-ar"), largest(f"{gpu}x{ranks}-8gib-ar")
            measured, model = ring.seconds / adding.seconds, sent("all_reduce", "ring", ranks) / sent("all_reduce", "nvls", ranks)
            rows.append({"GPUs": f"{ranks} {name}", "model": f"{model:.2f} times", "measured": f"{measured:.2f} times",
                         "error": percent(error(model, measured)), "NCCL's factor": f"{factor:g}",
                         "error with it": percent(error(factor * model, measured))})
    return pd.DataFrame(rows)


_TWO = {"gh200x8-alps-ar": "gh200x4-alps-ar", "h100x8-snellius-2node-ar": "h100x4-snellius-ar",
        "a100x16-p4de-ar": "a100x8-nvswitch-ar", "a100x16-oci-ar": "a100x8-nvswitch-ar",
        "h100x16-nebius-ar": "h100x8-dgx-nvls-ar", "h100x16-p5-ar": "h100x8-dgx-nvls-ar", "b200x16-a4-ar": "b200x8-8gib-ar"}


def two_servers_beside_published():
    """Return a DataFrame of text: all-reduces on two servers, what their ports allow a ring, and the model of two levels.

    On two levels with two servers, each sends the buffer once. So the model is the slower of that, through all ports, and of
    what one server by itself was measured to take for the same bytes.
    """
    import pandas as pd

    rows = []
    for table, alone in _TWO.items():
        run, one = largest(table), largest(alone)
        cells = catalog.row("measurement_tables", table)
        machine = system(cells["system"])
        inside = one.seconds / one.nbytes * run.nbytes
        seconds = max(run.nbytes / machine.node_rate, inside)
        model = float(busbw("all_reduce", run.nbytes, seconds, run.ranks))
        rows.append({"two of": f"{machine.name} ({cells['site']})", "ring at most": units.format(machine.node_rate, "B/s"),
                     "measured busbw": units.format(run.busbw, "B/s"), "two levels": units.format(model, "B/s"),
                     "held up by": "the ports" if seconds > inside else "one server", "error": percent(error(model, run.busbw))})
    return pd.DataFrame(rows)


def sharp_beside_published():
    """Return a DataFrame of text: three ways for 96 H100 to sum 8 GiB, each at line rate, beside a published run with SHARP.

    Two levels are taken to overlap: the slower one counts.
    """
    import pandas as pd

    run, machine = largest("h100x96-coreweave-sharp-ar"), system("dgx-h100")
    servers = run.ranks // PLACES
    nics, nvlink = run.nbytes / machine.node_rate, run.nbytes / machine.gpu_rate
    ring, sharp = sent("all_reduce", "ring", run.ranks), sent("all_reduce", "sharp", servers)
    ways = {"eight rings": (ring * nics, ring * (PLACES - 1) / PLACES * nvlink),
            "GPUs add inside, SHARP between": (sharp * nics, sent("all_reduce", "ring", PLACES) * nvlink),
            "NVLS inside, SHARP between": (sharp * nics, sent("all_reduce", "nvls", PLACES) * nvlink)}
    return pd.DataFrame([{
        "way": way, "ports": units.format(between, "s"), "NVLink": units.format(inside, "s"),
        "model": units.format(max(between, inside), "s"), "measured": units.format(run.seconds, "s"),
        "error": percent(error(max(between, inside), run.seconds))} for way, (between, inside) in ways.items()])
