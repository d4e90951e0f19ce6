"""Writes the log of any tool for any run, in any of the units and orders of columns that it may print."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from written_logs import OSU, PARTS, nccl, osu
from written_logs import Run as NcclRun

from fabriclib.collectives.busbw import factor

DS = {"all_reduce": "all_reduce", "all_gather": "all_gather", "all_to_all": "all_to_all", "broadcast": "broadcast"}
IMB = {"all_reduce": "Allreduce", "all_gather": "Allgather", "all_to_all": "Alltoall", "broadcast": "Bcast", "reduce": "Reduce",
       "reduce_scatter": "Reduce_scatter"}
NCCOM = {"all_reduce": "allr", "all_gather": "allg", "reduce_scatter": "redsct", "all_to_all": "alltoall"}
HCCL = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter", "broadcast": "broadcast"}
ONE_RANKS_PART = ("all_gather", "all_to_all")


@dataclass
class Run:
    """A run: its collective, ranks, sizes in bytes, and microseconds with two decimals."""

    collective: str
    ranks: int
    sizes: list[int]
    us: list[float]

    def rows(self) -> list[tuple[int, float, float, float]]:
        """(bytes, us, algbw in B/s, busbw in B/s) of each size."""
        bus = float(factor(self.collective, self.ranks))
        return [(n, us, n / us * 1e6, n / us * 1e6 * bus) for n, us in zip(self.sizes, self.us, strict=True)]


def _nccl(run: Run, dice: Random) -> str:
    return nccl(NcclRun(run.collective, run.ranks, 1, run.sizes, run.us, run.us))


def _osu(run: Run, dice: Random) -> str:
    return osu(run.collective, run.ranks, run.sizes, run.us)


def _osu_not_blocking(run: Run, dice: Random) -> str:
    part = run.ranks if run.collective in PARTS and run.collective != "reduce_scatter" else 1
    head = "# Size           Overall(us)       Compute(us)    Pure Comm.(us)        Overlap(%)"
    rows = [f"{n // part}  {2 * us:.2f}  {us / 2:.2f}  {us:.2f}  {dice.uniform(0, 99):.2f}" for n, us, *_ in run.rows()]
    title = f"# OSU MPI Non-blocking {OSU[run.collective]} Latency Test v7.4"
    return "\n".join([f"mpirun -np {run.ranks} x", title, head, *rows])


def _imb(run: Run, dice: Random) -> str:
    part = run.ranks if run.collective in ONE_RANKS_PART else 1
    rows = [f"  {n // part}  {dice.randint(1, 1000)}  {us / 2:.2f}  {us * 2:.2f}  {us:.2f}" for n, us, *_ in run.rows()]
    return "\n".join([f"# Benchmarking {IMB[run.collective]} ", f"# #processes = {run.ranks} ",
                      "       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]", *rows])


def _perftest(run: Run, dice: Random) -> str:
    unit, scale = dice.choice([("Gb/sec", 1e9 / 8), ("MB/sec", 2.0**20), ("MiB/sec", 2.0**20)])
    rows = [f" {n}    5000    0.00   {alg / scale:.6f}   {alg / n / 1e6:.6f}" for n, _, alg, _ in run.rows()]
    return "\n".join(["                    RDMA_Write BW Test",
                      f" #bytes     #iterations    BW peak[{unit}]    BW average[{unit}]   MsgRate[Mpps]", *rows])


def _perftest_latency(run: Run, dice: Random) -> str:
    rows = [f" {n}    1000    {us / 2:.2f}   {us * 2:.2f}   {us:.2f}   {us:.2f}   0.06   9.00   9.00" for n, us, *_ in run.rows()]
    return "\n".join(["                    RDMA_Read Latency Test", " #bytes #iterations    t_min[usec]    t_max[usec]  "
                      "t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec]", *rows])


def _ds_bench(run: Run, dice: Random) -> str:
    unit, bits = dice.choice([("Gbps", 8), ("GBps", 1)])
    raw, part = dice.random() < 0.5, run.ranks if run.collective == "all_gather" else 1
    rows = []
    for n, us, alg, bus in run.rows():
        time = f"{us:.3f}" if raw else f"{us:.3f} us" if us < 1e3 else f"{us / 1e3:.6f} ms"
        size = f"{n // part}" if raw else f"{n // part / 1024:.10f} KB"
        twice = 2 if run.collective == "all_reduce" else 1
        rows.append(f"{size}   {n // 4}x4   {time}   {alg * twice * bits / 1e9:.6f}   {bus * bits / 1e9:.6f}")
    head = f"Size (Bytes)       Description       Duration{' (us)' if raw else ''}      Throughput ({unit})    BusBW ({unit})"
    return "\n".join([f"---- Performance of {run.collective} on {run.ranks} devices -------", head, "-" * 40, *rows])


def _nccom(run: Run, dice: Random) -> str:
    giga = dice.choice([1e9, 2.0**30])
    rows = [f"  {n}  {n // 4}  fp32  {us:.2f}  {alg / giga:.6f}  {bus / giga:.6f}" for n, us, alg, bus in run.rows()]
    head = f"  size(B)    count(elems)    type    {dice.choice(['time', 'time:avg'])}(us)    algbw(GB/s)    busbw(GB/s)"
    return "\n".join([f"nccom-test -r {run.ranks} {NCCOM[run.collective]}", head, *rows])


def _hccl(run: Run, dice: Random) -> str:
    order = dice.sample(range(4), 4)
    table = [["data_size(Bytes):", f"{dice.choice(['aveg', 'avg'])}_time(us):", "alg_bandwidth(GB/s):", "check_result:"]]
    table += [[str(n), f"{us:.2f}", f"{alg / 1e9:.6f}", "success"] for n, us, alg, _ in run.rows()]
    return "\n".join([f"mpirun -n {run.ranks} ./bin/{HCCL[run.collective]}_test",
                      *(" | ".join(cells[at] for at in order) for cells in table)])


def _columns(run: Run, dice: Random) -> str:
    """Columns of one's own: in any order, with any separator, in any units."""
    time, per = dice.choice([("time (us)", 1.0), ("time_ms", 1e-3), ("Latency (s)", 1e-6), ("seconds", 1e-6)])
    rate, scale = dice.choice([("algbw (GB/s)", 1e9), ("algbw_GBps", 1e9), ("AlgBW (Gbps)", 1e9 / 8), ("algbw [MB/s]", 1e6),
                               ("algbw (GiB/s)", 2.0**30)])
    size, each = dice.choice([("size", 1), ("nbytes", 1), ("Size (KiB)", 1024), ("message size (B)", 1)])
    table = [["collective", "ranks", size, time, rate]]
    table += [[run.collective, str(run.ranks), f"{n / each:.6f}".rstrip("0").rstrip("."), f"{us * per:.10f}",
               f"{alg / scale:.9f}"]
              for n, us, alg, _ in run.rows()]
    order, separator = dice.sample(range(5), 5), dice.choice([",", ";", "\t", " | "])
    lines = [separator.join(cells[at] for at in order) for cells in table]
    return "\n".join(f"| {line} |" for line in lines) if separator == " | " else "\n".join(lines)


def _objects(run: Run, dice: Random) -> str:
    return "\n".join(json.dumps({"name": run.collective, "ranks": run.ranks, "size": n, "inPlace": 0, "timeUsec": round(us, 2),
                                 "algBw": round(alg / 1e9, 6)}) for n, us, alg, _ in run.rows())


# By tool: (which collectives it has, how it prints a run).
WRITERS: dict[str, tuple[tuple[str, ...], Callable[[Run, Random], str]]] = {
    "nccl-tests": (("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce"), _nccl),
    "OSU": (tuple(OSU), _osu), "OSU, not blocking": (tuple(OSU), _osu_not_blocking), "IMB": (tuple(IMB), _imb),
    "perftest": (("send_recv",), _perftest), "perftest latency": (("send_recv",), _perftest_latency),
    "ds_bench": (tuple(DS), _ds_bench), "nccom-test": (tuple(NCCOM), _nccom), "hccl_test": (tuple(HCCL), _hccl),
    "columns": (tuple(OSU), _columns), "objects": (tuple(OSU), _objects),
}
