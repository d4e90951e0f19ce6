"""Time real collectives between real processes, over MPI: the library's schedules, message by message, and MPI's own.

    python -m fabriclib.measure --ranks 4                           on this computer
    mpiexec -n 16 -f hosts python -m fabriclib.measure              on the machines that the file `hosts` lists

Both print rows of CSV that `read_measurements` reads. The one module with a clock; needs the extra `measure` (mpi4py and MPICH,
from wheels, without root).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .checks import count, known
from .collectives import algorithms, schedule
from .collectives.buffers import load, unload
from .collectives.moves import ADD

COLUMNS = ("collective", "algorithm", "ranks", "nodes", "nbytes", "seconds")
OWN = "mpi"  # what MPI does when it may choose
MESSAGE = ("send_recv", "direct")
NATIVE = {"all_reduce": lambda comm, a, b: comm.Allreduce(a, b), "all_gather": lambda comm, a, b: comm.Allgather(a, b),
          "reduce_scatter": lambda comm, a, b: comm.Reduce_scatter_block(a, b), "broadcast": lambda comm, a, b: comm.Bcast(a)}
DEFAULT = ("ring", "recursive_doubling", OWN)
SMALLEST, LARGEST, MOST_BYTES = 8, 2**24, 2**34
BATCHES, BATCH_SECONDS, MOST_REPEATS = 5, 0.02, 200
HOW = ("Measuring needs processes of its own, which a browser does not start: open the course on your computer itself."
       if sys.platform == "emscripten" else
       "Measuring needs mpi4py and MPICH, which are not installed here. They come as the extra `measure`, without root: in the "
       "folder of the course, .venv/bin/python -m pip install -c constraints.txt -e '.[measure]'")


def available() -> bool:
    """Say whether the extra `measure` is installed: mpi4py, and an mpiexec to start processes with."""
    return importlib.util.find_spec("mpi4py") is not None and _mpiexec() != ""


def _mpiexec() -> str:
    """Return where mpiexec is; an empty text where it is not."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec") or ""


def servable(collective: str, ranks: int) -> list[str]:
    """Return the algorithms that can be run over MPI: between ranks only, in place, and for so many of them."""
    known("collective", collective, NATIVE)
    found = []
    for entry in algorithms(collective):
        try:
            plan = schedule(collective, entry.name, ranks)
        except ValueError:
            continue
        if not plan.switches and not plan.keeps_input:
            found.append(entry.name)
    return found


def checked(collective: str, ranks, wanted) -> tuple[str, ...]:
    """Return the algorithms *wanted*, or raise a ValueError that says which cannot be run and what can."""
    ranks = count("ranks", ranks, low=2)
    can = [*servable(collective, ranks), OWN]
    return tuple(known(f"algorithm of {collective} that MPI can run on {ranks} ranks", name, can) for name in wanted)


class Player:
    """One rank's part of a schedule, ready to be played again and again on its own workspace.

    Args:
        plan: the schedule.
        comm: an MPI communicator of as many ranks.
        width: elements in each chunk.
    """

    def __init__(self, plan, comm, width: int):
        self.comm, self.me = comm, comm.rank
        self.state = np.empty((plan.slots, width), dtype=np.float32)
        self.state.fill(0)  # written, so that every page is there before a clock runs
        row, chunk = plan.moves.chunks(plan.slots)
        step, src, dst, op = (getattr(plan.moves, name)[row] for name in ("step", "src", "dst", "op"))
        self.steps = []
        for now in range(plan.moves.steps):
            sends = [(peer, _together(chunk[mask])) for peer, mask in _by_peer(dst, (step == now) & (src == self.me))]
            takes = [(peer, _together(chunk[mask]), bool(op[mask][0] == ADD), np.empty((mask.sum(), width), np.float32))
                     for peer, mask in _by_peer(src, (step == now) & (dst == self.me))]
            self.steps.append((sends, takes))

    def play(self) -> None:
        """Send, receive and add as the schedule says; a step ends when all its messages are there."""
        state, comm = self.state, self.comm
        for sends, takes in self.steps:
            waiting = [comm.Irecv(room, peer) for peer, _, _, room in takes]
            packed = [np.ascontiguousarray(state[chunks]) for _, chunks in sends]  # kept until the messages are gone
            waiting += [comm.Isend(data, peer) for data, (peer, _) in zip(packed, sends, strict=True)]
            for request in waiting:
                request.Wait()
            for _, chunks, adds, room in takes:
                if adds:
                    state[chunks] += room
                else:
                    state[chunks] = room


def _by_peer(peers: np.ndarray, mask: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for peer in np.unique(peers[mask]).tolist():
        yield peer, mask & (peers == peer)


def _together(chunks: np.ndarray) -> np.ndarray | slice:
    """Chunks side by side as a slice, which needs no copy."""
    side_by_side = np.array_equal(chunks, np.arange(chunks[0], chunks[0] + len(chunks)))
    return slice(chunks[0], chunks[0] + len(chunks)) if side_by_side else chunks


def proves(plan, comm) -> bool:
    """Play *plan* once on whole numbers and say whether every rank holds what the collective means (on rank 0; else True)."""
    draw = np.random.default_rng(0)
    blocks = plan.collective == "all_gather"
    arrays = [draw.integers(-99, 99, 3 if blocks else 3 * plan.slots).astype(np.float32) for _ in range(plan.ranks)]
    start = load(plan, arrays)
    player = Player(plan, comm, start.shape[2])
    player.state[:] = start[comm.rank]
    player.play()
    ends = comm.gather(player.state)
    if comm.rank:
        return True
    wanted, found = plan.run(arrays), unload(plan, arrays, np.stack(ends))
    return all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))


def sweep(comm, collective: str, wanted, sizes) -> Iterator[dict]:
    """Yield a row for every algorithm and size: first plain messages, from each rank to the next.

    Seconds are those of the slowest rank: the median of some batches, each the mean of calls one after the other. At the
    smallest sizes each chunk is still one number, so that some more bytes are sent than the row says.

    Raises:
        RuntimeError: an algorithm gave another result than its collective: nothing it took would mean anything.
    """
    nodes = len(set(comm.allgather(socket.gethostname())))
    for what, name in (MESSAGE, *((collective, name) for name in wanted)):
        plan = None if name == OWN else schedule(what, name, comm.size)
        if plan and not comm.bcast(proves(plan, comm)):
            raise RuntimeError(f"{what} by {name} gave a wrong result on {comm.size} ranks.")
        for nbytes in sizes:
            call = _own(comm, what, nbytes) if plan is None else Player(plan, comm, max(nbytes // 4 // plan.slots, 1)).play
            yield dict(zip(COLUMNS, (what, name, comm.size, nodes, nbytes, timed(comm, call)), strict=True))


def _own(comm, collective: str, nbytes: int) -> Callable[[], None]:
    n, part = max(nbytes // 4, comm.size), max(nbytes // 4 // comm.size, 1)
    sends, gets = {"all_gather": (part, part * comm.size), "reduce_scatter": (part * comm.size, part)}.get(collective, (n, n))
    a, b = np.ones(sends, np.float32), np.empty(gets, np.float32)
    return lambda: NATIVE[collective](comm, a, b)


def timed(comm, call: Callable[[], None]) -> float:
    """Return the seconds *call* takes, by the slowest rank."""
    call()
    seconds = _batch(comm, call, 1)
    repeats = comm.bcast(int(min(max(BATCH_SECONDS / seconds, 1), MOST_REPEATS)))
    return float(np.median([_batch(comm, call, repeats) for _ in range(BATCHES)]))


def _batch(comm, call: Callable[[], None], repeats: int) -> float:
    comm.Barrier()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return max(comm.allgather(time.perf_counter() - start)) / repeats


def environment() -> dict[str, str]:
    """Return what the processes of a sweep find around them: this very package, wherever it was imported from."""
    home = str(Path(__file__).resolve().parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}


def command(ranks: int, collective: str, wanted, largest: int = LARGEST) -> list[str]:
    """Return the command that starts a sweep in processes on this computer; it needs the `environment`."""
    return [_mpiexec(), "-n", str(ranks), sys.executable, "-m", "fabriclib.measure", f"--collective={collective}",
            f"--algorithms={','.join(wanted)}", f"--largest={largest}"]


def sizes_up_to(largest: int) -> list[int]:
    """Return the sizes of a sweep: powers of four from 8 bytes on."""
    return [SMALLEST * 4**k for k in range(32) if SMALLEST * 4**k <= largest]


def main(arguments: list[str] | None = None) -> None:
    """Print the rows of a sweep; under mpiexec this is one of its ranks, otherwise it starts them."""
    parser = argparse.ArgumentParser(prog="python -m fabriclib.measure", description=__doc__.split("\n")[0])
    parser.add_argument("--ranks", type=int, help="start so many processes on this computer")
    parser.add_argument("--collective", default="all_reduce", choices=sorted(NATIVE))
    parser.add_argument("--algorithms", default=",".join(DEFAULT), help="names with commas between them; mpi is MPI's own choice")
    parser.add_argument("--largest", type=int, default=LARGEST, help="bytes of the largest buffer")
    given = parser.parse_args(arguments)
    try:
        largest = count("largest", given.largest, low=SMALLEST, high=MOST_BYTES)
        wanted = given.algorithms.split(",")
        if not available():
            raise ValueError(HOW)
        if given.ranks is not None:
            checked(given.collective, given.ranks, wanted)
            sys.exit(subprocess.call(command(given.ranks, given.collective, wanted, largest), env=environment()))
        _play_a_rank(given.collective, wanted, largest)
    except ValueError as problem:
        sys.exit(str(problem))


def _play_a_rank(collective: str, wanted, largest: int) -> None:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    wanted = checked(collective, comm.size, wanted)
    if comm.rank == 0:
        print(",".join(COLUMNS), flush=True)
    for row in sweep(comm, collective, wanted, sizes_up_to(largest)):
        if comm.rank == 0:
            print(",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row.values()), flush=True)


if __name__ == "__main__":
    main()
