"""What lesson "Fabrics and rails" shows and quotes: eight servers on eight leaves, counts, watts and limits of fabrics."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.availability import left
from fabriclib.cabling import cable
from fabriclib.collectives import busbw, schedule
from fabriclib.flows import ring, share
from fabriclib.host_adapters import adapter
from fabriclib.links import link
from fabriclib.measurements import published
from fabriclib.switches import switch
from fabriclib.topology import Design, Graph, fabric, fabric_counts, parts_list, rail_rings
from fabriclib.topology.fabrics import watts
from fabriclib.topology.fabrics.named import asked, counted, stated

from ...course.story import GRADIENT

SPEED, NVLINK = "eth400", "nvlink4"
SERVERS, SIZE = 8, 8  # servers, and GPUs in each
GPUS = SERVERS * SIZE
THIN = 2  # ports up of a leaf with eight down, where spines have been saved
RAILS, ONE_LEAF, ONLY, PLANES = "rails", "one leaf a server", "rails, not joined", "rails in two planes"
BY_RAIL, BY_SERVER = "a leaf a rail", "a leaf a server"
CABLING = {BY_RAIL: SIZE, BY_SERVER: 1}
PLANS = {  # name: (collective, algorithm, options, whether it goes round rings)
    "all-reduce, flat ring": ("all_reduce", "ring", {}, True),
    "all-reduce, two levels": ("all_reduce", "hierarchical", {"dims": (SIZE, SERVERS)}, False),
    "all-to-all, pair by pair": ("all_to_all", "pairwise_by_level", {"dims": (SIZE, SERVERS)}, False),
    "all-to-all, by rail (PXN)": ("all_to_all", "rail_aggregated", {"dims": (SIZE, SERVERS)}, False),
}
SMALLEST = 64 * units.KiB  # of the buffers that the lab offers
# Four cablings of the eight servers: the kind of fabric, and over how many leaves the NICs of a server are spread.
DESIGNS = {ONE_LEAF: ("rail-optimised", 1), RAILS: ("rail-optimised", SIZE), ONLY: ("rail-only", SIZE),
           PLANES: ("dual-plane", SIZE)}
# Four networks for the same servers: cabling, and ports up of a leaf with eight down.
OFFERS = {"a leaf a server, all cables up": (BY_SERVER, SIZE), "a leaf a server, a quarter of the cables up": (BY_SERVER, THIN),
          "rails, all cables up": (BY_RAIL, SIZE), "rails, a quarter of the cables up": (BY_RAIL, THIN)}
BELOW = {True: "dac-400", False: "module-800-sm"}  # a server reaches one leaf in its rack with copper, eight leaves it does not

port, nic = link(SPEED).line, link(SPEED).bandwidth()
box, card = switch("tomahawk5"), adapter("connectx7")
hpn, b300, pod = (fabric_counts(name) for name in ("alibaba-hpn", "superpod-b300-xdr-4su", "tpu-v4-pod"))
hpn_down, hpn_up = asked("alibaba-hpn")[1]["leaf_ports"]
pod_link, pod_published = link("ici-v4").line, catalog.figure("ici-v4-bisection").si
spreadsheet = catalog.figure("cheah-switches")
changing = (SERVERS - 1) * (SIZE - 1)  # blocks of a GPU that change both server and rail
sent = 2 * (GPUS - 1) / GPUS * GRADIENT  # bytes that a ring sends past every point of it


def joined(gpus: int, oversubscription: int = 1) -> Design:
    """Return the counts of so many GPUs on rails, joined by switches of 64 ports."""
    return fabric_counts("rail-optimised", gpus=gpus, oversubscription=oversubscription)


@functools.cache
def eight_leaves(cabling: str, up: int) -> Graph:
    """Return the fabric: eight servers of eight GPUs, eight leaves with eight ports down and *up* ports up each."""
    return fabric("rail-optimised", gpus=GPUS, rails=CABLING[cabling], leaf_ports=(SIZE, up), speed=SPEED, inside=NVLINK)


def seconds(plan: str, cabling: str, up: int, rings: int, nbytes: float) -> float:
    """Return the seconds *plan* takes on the fabric; only what goes round rings asks how many there are."""
    start, per_byte = _line(plan, cabling, up, rings if PLANS[plan][3] else "auto")
    return start + nbytes * per_byte


@functools.cache
def _line(plan: str, cabling: str, up: int, channels: int | str) -> tuple[float, float]:
    """Return (seconds to start, seconds a byte)."""
    return _made(plan).line_on(eight_leaves(cabling, up), channels)


@functools.cache
def _made(plan: str):
    collective, name, options, _ = PLANS[plan]
    return schedule(collective, name, ranks=GPUS, **options)


@functools.cache
def without_a_leaf(design: str) -> float:
    """Return the share of its rate that a sum by rails keeps after the loss of a leaf; zero where GPUs are cut off."""
    kind, rails = DESIGNS[design]
    graph = fabric(kind, gpus=GPUS, rails=rails, leaf_ports=(SIZE, SIZE), speed=SPEED, inside=NVLINK)
    return left(graph, ["leaf0"], "rails").slowest


def job_seconds(offer: str) -> float:
    """Return the seconds of a sum on two levels and an all-to-all by rail, 1 GiB each, over an offered network."""
    _, two_levels, _, by_rail = PLANS
    return sum(seconds(plan, *OFFERS[offer], SIZE, units.GiB) for plan in (two_levels, by_rail))


def cables_up(offer: str) -> int:
    """Return the cables between leaves and spines of an offered network."""
    graph = eight_leaves(*OFFERS[offer])
    return int(graph.count[(graph.kinds[graph.src] == "leaf") & (graph.kinds[graph.dst] == "spine")].sum())


def offers():
    """Return a DataFrame of text: four networks for eight servers, and the cables between their leaves and spines."""
    import pandas as pd

    return pd.DataFrame([{"network": name, "cables from leaf to spine": cables_up(name)} for name in OFFERS])


def ways(graph: Graph) -> dict[str, str]:
    """Return the way from GPU 0 of a server to the same and to another GPU of the next server, in words."""
    same, other = (graph.tree.paths("gpu0", f"gpu{SIZE + at}")[0] for at in (0, 1))
    return {"to the same GPU of the next server": " > ".join(same), "to another GPU there": " > ".join(other)}


def small_blocks() -> dict[str, str]:
    """Return what an all-to-all of the smallest buffer takes on the rails, with full bisection, by either way."""
    flat, by_rail = list(PLANS)[2:]
    return {way: units.format(seconds(way, BY_RAIL, SIZE, SIZE, SMALLEST), "s") for way in (flat, by_rail)}


def nics_at_work(cabling: str, rings: int) -> tuple[int, int]:
    """Return (NICs that send, links between leaves and spines that carry something) while so many rings run."""
    graph = eight_leaves(cabling, SIZE)
    found = rail_rings(graph)[:rings]
    load = share(graph, np.concatenate([ring(one) for one in found])).load
    nic = np.isin(graph.src, graph.gpus) & (graph.kinds[graph.dst] == "leaf")
    spine = graph.kinds[graph.dst] == "spine"
    return int((load[nic] > 1).sum()), int(graph.count[spine & (load > 1)].sum())


# ---- model against measurement ----

_MEASURED = {"2 servers, MI325X": "mi325x16-rccl-ar", "4 servers, MI325X": "mi325x32-rccl-ar",
             "2 servers, H100": "h100x16-nebius-ar", "12, H100, SHARP": "h100x96-coreweave-sharp-ar"}


@functools.cache
def limits(servers: int, nbytes: float) -> dict[str, float]:
    """Return bus rates that an all-reduce of *nbytes* over so many servers of eight H100 cannot pass on a rail-optimised fabric.

    One: rings through every GPU, one a NIC. Two: two levels whose parts overlap, so that the slower of NVLink and NICs remains.
    """
    gpus = SIZE * servers
    graph = fabric("rail-optimised", gpus=gpus, speed=SPEED, inside=NVLINK)
    flat = schedule("all_reduce", "ring", ranks=gpus).time_on(graph, nbytes)
    sent = schedule("all_reduce", "hierarchical", ranks=gpus, dims=(SIZE, servers)).counts()
    nvlink = link(NVLINK)
    slower = max(level.sent * nbytes / rate for level, rate in zip(
        sent, (nvlink.bundle(nvlink.per_device).bandwidth(), link(SPEED).bandwidth()), strict=True))
    return {name: float(busbw("all_reduce", nbytes, time, gpus)) for name, time in (("rings", flat), ("two levels", slower))}


def reached(table: str) -> float:
    """Return the bus rate of the largest buffer in the published *table*."""
    last = published(table).iloc[-1]
    return float(busbw("all_reduce", last["nbytes"], last["seconds"], catalog.row("measurement_tables", table)["ranks"]))


def off(table: str, plan: str) -> float:
    """Return by which share the fabric's limit of *plan* lies above what *table* reached with its largest buffer."""
    servers = catalog.row("measurement_tables", table)["nodes"]
    return limits(servers, published(table)["nbytes"].iloc[-1])[plan] / reached(table) - 1


@functools.cache
def sums_published() -> dict[str, tuple[dict[str, float], float]]:
    """Return for each published all-reduce, at its largest buffer, the fabric's limits and what it reached, in bytes a second."""
    return {what: (limits(catalog.row("measurement_tables", table)["nodes"], published(table)["nbytes"].iloc[-1]), reached(table))
            for what, table in _MEASURED.items()}


def designs_beside_model():
    """Return the published designs with what their sources count beside what the model does, as a DataFrame of text."""
    import pandas as pd

    rows = []
    for cells in catalog.rows("designs"):
        if cells["kind"] in ("torus", "one-tier"):  # no switches to count, or no tiers to lay out
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
