"""The same questions to fabriclib and to mlsysim 0.3.0, in turn, in one process: what each takes, and what it answers.

mlsysim (Apache-2.0, the models of the book Machine Learning Systems) prices collectives and steps by closed formulas with units;
this says what that costs and how far both are from what was published. It is no dependency. To have it beside ours:

    pip install --target DIR mlsysim==0.3.0
    PYTHONPATH=DIR .venv/bin/python tools/bench_mlsysim.py
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

import fabriclib as fl
from fabriclib import accuracy, catalog

try:
    import mlsysim
    from mlsysim.core.units import Q_
    from mlsysim.models.types import TransformerWorkload
    from mlsysim.solvers import AllReduceAlgorithmModel, DistributedModel, HierarchicalAllReduceModel
    from mlsysim.systems.types import Fleet
except ImportError:
    mlsysim = None

MACHINES = {"dgx-a100": ("DGX_A100", "InfiniBand_HDR"), "dgx-h100": ("DGX_H100", "InfiniBand_NDR")}  # their names for two of ours
ZERO = {"none": 0, "zero1": 1, "zero2": 2, "zero3": 3, "fsdp": 3}
EFFICIENCIES = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
ROUNDS = 5


class Calls(NamedTuple):
    """A question put to both: how often in a round to each, since one call may be too short for a clock."""

    what: str
    ours: object
    theirs: object
    many: tuple[int, int]


def took(call, many: int) -> float:
    """Return the processor seconds of one call."""
    start = time.process_time()
    for _ in range(many):
        call()
    return (time.process_time() - start) / many


def line(what: str, *cells: str) -> None:
    print(f"  {what:58}" + "".join(f"{cell:>14}" for cell in cells))


def their_ring(nbytes: float, ranks: int, alpha: float, rate: float) -> float:
    """Return mlsysim's seconds for a ring all-reduce."""
    found = AllReduceAlgorithmModel().solve(Q_(nbytes, "byte"), [ranks], Q_(alpha, "s"), Q_(rate, "B/s"))
    return found.ring_time[ranks].m_as("s")


def their_sum(system: str, nbytes: float, nodes: int, gpus: int) -> float:
    """Return mlsysim's seconds for an all-reduce: a ring in one node, three stages over several."""
    node, fabric = getattr(mlsysim.Systems.Nodes, MACHINES[system][0]), getattr(mlsysim.Systems.Fabrics, MACHINES[system][1])
    if nodes == 1:
        return their_ring(nbytes, gpus, node.accelerator.nvlink.latency.m_as("s"), node.intra_node_bw.m_as("B/s"))
    return HierarchicalAllReduceModel().solve(Q_(nbytes, "byte"), nodes, gpus, node.intra_node_bw, fabric.bandwidth,
                                              fabric.latency).total_time.m_as("s")


def their_step(row: catalog.Row, efficiency: float = 0.5) -> float:
    """Return mlsysim's seconds for the training step of a row of training_steps.csv."""
    model, (node, fabric) = fl.transformer(row["model"]), MACHINES[row["system"]]
    workload = TransformerWorkload(name=model.name, architecture="Transformer", parameters=Q_(model.params, "param"),
                                   layers=model.layers, hidden_dim=model.hidden, heads=model.heads, kv_heads=model.kv_heads,
                                   inference_flops=Q_(2 * model.params, "flop"), vocab_size=model.vocab)
    place = getattr(mlsysim.Systems.Nodes, node)
    count = -(-row["gpus"] // place.accelerators_per_node)
    if row["gpus"] % place.accelerators_per_node:
        place, count = place.model_copy(update={"accelerators_per_node": row["gpus"]}), 1
    fleet = Fleet(name=row["id"], node=place, count=count, fabric=getattr(mlsysim.Systems.Fabrics, fabric))
    dp = row["gpus"] // (row["tp"] * row["pp"])
    found = DistributedModel().solve(
        workload, fleet, batch_size=row["global_batch"], precision="fp16", efficiency=efficiency, tp_size=row["tp"],
        pp_size=row["pp"], v_stages=row["virtual"], microbatch_count=max(1, row["global_batch"] // (dp * row["micro_batch"])),
        zero_stage=ZERO[row["sharding"]], activation_recomputation=row["recompute"] == "full", seq_len=row["seq"])
    return found.step_latency_total.m_as("s")


def our_step(row: catalog.Row) -> float:
    """Return fabriclib's seconds for the training step of a row of training_steps.csv."""
    names = ("gpus", "global_batch", "seq", "micro_batch", "tp", "pp", "virtual", "sharding", "recompute", "dtype", "flash")
    return fl.training_step(row["model"], row["system"], **{name: row[name] for name in names}).seconds


def speed(row: catalog.Row) -> None:
    """Print what the same questions take each of the two."""
    sizes = np.geomspace(8, 2**34, 1000)
    ring = {"ranks": 8, "alpha": 1e-6, "beta": 1 / 50e9}
    asked = (
        Calls("ring all_reduce of 1 GiB, 8 ranks",
              lambda: fl.collective_time("all_reduce", "ring", nbytes=2**30, **ring), lambda: their_ring(2**30, 8, 1e-6, 50e9),
              (2000, 50)),
        Calls("the same of 1000 sizes",
              lambda: fl.collective_time("all_reduce", "ring", nbytes=sizes, **ring),
              lambda: [their_ring(nbytes, 8, 1e-6, 50e9) for nbytes in sizes.tolist()], (500, 1)),
        Calls("all_reduce of 1 GiB on two DGX H100", lambda: fl.predict("dgx-h100", "all_reduce", 2**30, nodes=2),
              lambda: their_sum("dgx-h100", 2**30, 2, 8), (100, 100)),
        Calls("the training step of a published row", lambda: our_step(row), lambda: their_step(row), (30, 30)),
    )
    line("what is asked", "fabriclib", "mlsysim", "ratio")
    for what, ours, theirs, many in asked:
        ours(), theirs()
        rounds = [(took(ours, many[0]), took(theirs, many[1])) for _ in range(ROUNDS)]
        fast, slow = map(min, zip(*rounds, strict=True))
        line(what, f"{fast * 1e6:,.0f} us", f"{slow * 1e6:,.0f} us", f"{slow / fast:.2f}")


def percent(errors) -> str:
    return f"{100 * np.mean(errors):.0f} %"


def error(predicted, measured) -> float:
    return float(np.mean(np.abs(np.asarray(predicted) / np.asarray(measured) - 1)))


def answers(rows: list[catalog.Row]) -> None:
    """Print what both answer, and how far that is from what was published, over tables and rows of machines both know."""
    same = fl.collective_time("all_reduce", "ring", nbytes=2**30, ranks=8, alpha=1e-6, beta=1 / 50e9)
    line("what is answered", "fabriclib", "mlsysim")
    line("ring all_reduce of 1 GiB, 8 ranks", f"{same * 1e3:.4f} ms", f"{their_ring(2**30, 8, 1e-6, 50e9) * 1e3:.4f} ms")
    held = accuracy.held_out_seconds()
    for what, several in (("one node", False), ("several nodes", True)):
        tables = [one for one in accuracy.tables() if one.system in MACHINES and one.collective == "all_reduce"
                  and (one.nodes > 1) == several]
        theirs = [error([their_sum(one.system, n, one.nodes, one.ranks // one.nodes) for n in one.nbytes.tolist()], one.seconds)
                  for one in tables]
        ours = [error(held[one.id], one.seconds) for one in tables]
        line(f"all_reduce, {what}: mean error, {len(tables)} tables, none seen", percent(ours), percent(theirs))
    measured = [row["seconds"] for row in rows]
    by_efficiency = {one: error([their_step(row, one) for row in rows], measured) for one in EFFICIENCIES}
    best = min(by_efficiency, key=by_efficiency.__getitem__)
    line(f"training step: mean error, {len(rows)} rows; our constants saw them",
         percent(error([our_step(row) for row in rows], measured)), percent(by_efficiency[0.5]))
    line(f"the same, their efficiency that suits these rows best: {best}", "", percent(by_efficiency[best]))
    scores = [one for one in catalog.rows("held_out_steps") if one["table"] in {row["table"] for row in rows}]
    for what, column in (("by constants that never saw their source", "left_out"), ("by none that was fitted", "unfitted")):
        line(f"the {len(scores)} tables of these, {what}", percent([one[column] for one in scores]))


def main() -> None:
    if mlsysim is None:
        print("mlsysim is not installed, so nothing stands beside ours: how to have it is said in tools/bench_mlsysim.py")
        return
    print(f"beside mlsysim {mlsysim.__version__}: processor time of one call, the least of {ROUNDS} rounds in turn")
    rows = [row for row in catalog.rows("training_steps") if row["system"] in MACHINES and row["cp"] == row["ep"] == 1
            and row["dtype"] == "bf16"]
    speed(next(row for row in rows if row["model"] == "megatron-175b"))
    answers(rows)


if __name__ == "__main__":
    main()
