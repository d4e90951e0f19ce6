"""Every pattern that sees what somebody pasted, with its own worst lines, a million characters long.

Run as a program it matches them one after the other and prints the name of each before it starts: a pattern that goes back over
what it has read needs a million times as long as one that does not, and never comes to the next.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOMS = ("fabriclib.measurements", "fabriclib.diagnosis", "fabriclib.units", "fabricbook.course.declare")
LENGTH = 1_000_000


def _many(*pieces: str, after: str = "!", before: str = "") -> list[Callable[[int], str]]:
    return [lambda n, piece=piece: before + piece * (n // len(piece)) + after for piece in pieces]


MATCH, SEARCH = "match", "search"
# The name of a pattern, how it is used, and lines of n characters on which it would go back if it could.
WORST: dict[str, tuple[str, list[Callable[[int], str]]]] = {
    "measurements.launch._EACH.gpus": (SEARCH, _many(" ", "-g ", "-g 1 ", "1", before="-g ")),
    "measurements.launch._EACH.threads": (SEARCH, _many(" ", "-t ", "-t 1 ", "1", before="-t ")),
    "measurements.launch._EACH.tasks": (SEARCH, _many(" ", "-a ", "-a 1 ", "1", before="-a ")),
    "measurements.launch._PROGRAM": (SEARCH, _many("_", "_per", "osu", "aosu_", " osu", "a", "a_perf", "_perf_mpi", " _", "/a")),
    "measurements.launch._FILED": (SEARCH, _many(" ", "-J ", " -J", "=", "-J=", " -output", before=" -J")),
    "measurements.launch._ELSEWHERE": (SEARCH, _many("-H", " -Ha", "--nnodes", " --nnodes-", " ")),
    "measurements.prefix._TAG": (SEARCH, _many("[", "[a,", "[a,1", "1,", "1", before="[")),
    "measurements.prefix._WORD": (SEARCH, _many("a", " ", "a ", after="a")),
    "measurements.prefix._MARK": (SEARCH, _many("#", "# ", "#a", "# a_perf", "#" + "a" * 39, "# Rank")),
    "measurements.prefix._PIECES": (SEARCH, _many("a", "Mo", "Monx")),
    "measurements.hints._ALGORITHM": (SEARCH, _many("NCCL_ALGO=", "NCCL_ALGO=a", "a", before="NCCL_ALGO=")),
    "measurements.osu._PAIRS": (SEARCH, _many("pairs: ", "pairs: 1", " ", "1", before="pairs:")),
    "measurements.osu._REMARK": (SEARCH, _many(" ", " <", " #", " /")),
    "measurements.hints._ANY": (SEARCH, _many("provider", "GDRDMA", "provider tcp", "NET/", "Selected ")),
    "measurements.lines._ESCAPES": (SEARCH, _many("0;", "0 ", "\x1b[0", "\x1b]", "\x1b", before="\x1b[", after="\x01")),
    "measurements.lines._CONTROLS": (SEARCH, _many("\x01", "\x01a", after="a")),
    "measurements.nccl._WORD": (MATCH, _many("a-", "a", "a_")),
    "measurements.nccl._BINARY": (SEARCH, _many("all_reduce", "all_reduce_perf_", "reduce_scatter_")),
    "measurements.nccl._OTHER": (SEARCH, _many("hypercube", "alltoallv_per", "hypercube_perf_")),
    "measurements.nccl._RANK": (SEARCH, _many("Rank ", "Rank 1", " ", "Rank  ", "1", before="Rank ")),
    "measurements.nccl._PLACE": (SEARCH, _many("on ", "on x ", " ", "on:", "x", "on x device 1 [", " 1", before="on x")),
    "measurements.nccl._RUN": (SEARCH, _many("nThread ", "nThread 1 nGpus ", " ", "1", before="nThread ")),
    "measurements.nccl._MEAN": (SEARCH, _many(" ", "1", "Avg bus bandwidth : 1", "1 ", before="Avg bus bandwidth : 1")),
    "measurements.nccl._BOUNDS": (SEARCH, _many(" ", "1", "Out of bounds values : 1 ", before="Out of bounds values : 1 ",
                                                after="OK")),
    "measurements.nccl._REMARK": (SEARCH, _many(" ", " <", " <-", " //", " /")),
    "measurements.nccl._WHOLE": (MATCH, _many("1", "1_,", "1,")),
    "measurements.nccl._DIGITS": (SEARCH, _many("a", "\u0661a")),
    "measurements.nccl._ALPHA": (MATCH, _many("a", "a_1")),
    "measurements.osu._TITLE": (SEARCH, _many("#", "# ", " ", "# OSU ", "#OSU MP", before="#")),
    "measurements.osu._ENDS": (SEARCH, _many("Latency ", " Latency", " ", "Bandwidth / ", " Bandwidth / Message Rate")),
    "measurements.osu._DEVICE": (SEARCH, _many("-", "-CUD", "-OPEN")),
    "measurements.launch._LAUNCHER": (SEARCH, _many("srun_", "mpi", "mpirunmpirun")),
    "measurements.plain._UNIT": (SEARCH, _many(" ", " gb/", "(", "_(", " ms)", "[g")),
    "measurements.plain._BITS": (SEARCH, _many(" ", " Gb", " Gbit/", "(Gb/s", " gbps ")),
    "measurements.plain._BYTES_PS": (SEARCH, _many(" ", " GB", " GBps ")),
    "measurements.plain._AS_NCCL": (MATCH, _many("1", "1.", "1M")),
    "measurements.formats.nccom-test.0": (SEARCH, _many("nccom-test ", "nccom-test -r 1", " -r ", " -N ", " allr",
    before="nccom-test")),
    "measurements.formats.hccl_test.1": (SEARCH, _many("all_reduce_", "reduce_scatter_", "alltoall", "alltoallv")),
    "measurements.formats.ds_bench.2": (SEARCH, _many("Performance of ", "Performance of a on 1 ", "a")),
    "measurements.formats.IMB.3": (SEARCH, _many("#", "# Benchmarking ", " ", before="# Benchmarking")),
    "measurements.formats.IMB.4": (SEARCH, _many("#processes = ", "#", "1")),
    "measurements.formats.perftest.5": (SEARCH, _many("Send Bidirectional ", "RDMA_Write ", "Send")),
    "measurements.formats.perftest.6": (SEARCH, _many("Send BW ", "RDMA_Write ", "Send")),
    "measurements.formats.perftest.10": (SEARCH, _many("Send Latency ", "RDMA_Read ", "Send")),
    "measurements.plain._MEBI": (SEARCH, _many("[", "[MB/se", "[MiB/sec]")),
    "measurements.plain._DECIMAL": (MATCH, _many("1", "1.", "1 ", "1GB")),
    "measurements.plain._CELL": (SEARCH, _many("#", "a ", "a", " ", "a) ", "# ")),
    "measurements.plain._STARTS": (SEARCH, _many("a", "1:", ": ", ">")),
    "measurements.plain._COUNTED": (SEARCH, _many("size", "size ", "size 1a", "size ,1", "size 1.1.")),
    "measurements.plain._MIXED": (SEARCH, _many("\ta", "a")),
    "measurements.plain._REMARK": (SEARCH, _many(" (", "(a", "(", " ", "(a) ")),
    "measurements.plain._BEFORE": (SEARCH, _many(" ", "A", ": ", "1:", "11:1", "] ")),
    "measurements.osu._HEAD": (MATCH, _many("#", " ", "Size", "Size ", "a", before="# Size ")),
    "measurements.osu._COMMAND": (SEARCH, _many("osu_", "osu_i", "osu_bw", "osu_alltoall_")),
    "measurements.osu._ON_DEVICE": (SEARCH, _many("-d ", " -d", " ", " D D", before=" -d")),
    "measurements.objects._MARK": (SEARCH, _many(" ", "\ufeff", before=" ")),
    "measurements.launch._N": (SEARCH, _many("-N ", " -N", " ", before=" -N")),
    "measurements.launch._HOSTS": (SEARCH, _many("-H ", "a,", " ", "a:1,", "-H a ", before=" -H ")),
    "measurements.launch._BATCH": (SEARCH, _many("#", "#SBATCH", "#flux")),
    "measurements.objects._BEGINS": (MATCH, _many(" ", "{ ", "[ ")),
    "measurements.sentences._SIZE": (SEARCH, _many("data size: ", "1", "data size: 1 GB", " ", before="data size: 1")),
    "measurements.sentences._BOTH": (MATCH, _many(" ", "tput_avg (Gbps): ", "1", before=" ")),
    "measurements.formats.pytorch-communication-benchmarks.7": (SEARCH, _many("allreduce-", "megatron-", "allreduce-loop")),
    "measurements.formats.pytorch-communication-benchmarks.8": (SEARCH, _many("using communicator = ", "; group size = ", "a",
                                                                              before="using communicator = ")),
    "measurements.formats.pytorch-communication-benchmarks.9": (SEARCH, _many("groups_per_node = ", " ", "1")),
    "measurements.sentences._RUN": (SEARCH, _many("average bandwidth of ", "average bandwidth of a", "a",
                                              "average bandwidth of a with a 1")),
    "measurements.sentences._RANKS": (SEARCH, _many("1", "1 rank", "1 ")),
    "measurements.sentences._RATE": (MATCH, _many(" ", "algbw: ", "algbw: 1", "1")),
    "measurements.pairs._ENDS": (SEARCH, _many(" ", "SU", "Latenc", " Running")),
    "measurements.pairs._CORNER": (SEARCH, _many(" ", "D\\", "A+")),
    "measurements.pairs._DEVICE": (SEARCH, _many("GPU ", "1", "1 ", "GPU 1a")),
    "measurements.pairs._LISTED": (MATCH, _many(" ", "Device: ", "Device: 1, ")),
    "measurements.pairs._HOSTS": (SEARCH, _many("EPY", "Intel ", "Eng Sampl")),
    "measurements.pairs.0": (SEARCH, _many("Unidirectional ", "Unidirectional P2P=Enabled Bandwidth (P2P Writes) ")),
    "measurements.pairs.1": (SEARCH, _many("memcpy ", "memcpy CE GPU(row) <-> ", "memcpy CE GPU(row) -> GPU(column) ")),
    "measurements.pairs.2": (SEARCH, _many("Unidirectional ", "Bidirectional copy peak ")),
    "measurements.pairs.3": (SEARCH, _many("SRC\\DST ", " ", "SRC\\DST", before="SRC\\DST")),
    "measurements.plain._NO_LETTERS": (SEARCH, _many("a", "a1", "1")),
    "measurements.plain._RULE": (MATCH, _many("-", "- ", "|-", " ")),
    "measurements.plain._THOUSANDS": (MATCH, _many("1", "1,", ",111", before="1")),
    "measurements.plain._MEASURED": (MATCH, _many(" ", "1", "1.", " 1", "1 u", "1u ")),
    "measurements.rows._NUMBER": (MATCH, _many("1", "1.", "1e1", ".1")),
    "course.declare._ABOUT": (MATCH, _many(" ", "about ", "~", before="about ")),
    "units._A_SECOND": (SEARCH, _many("/ ", "per ", "per", " ", "/sec", "/", before="1 B/")),
    "units._PIECE": (SEARCH, _many("1", " ", " *", before=" ")),
    "units._TEXT": (MATCH, _many("1", " ", "1.", "1e", "x", "x ", "/1", " * 1", "/ ", "/1e", before="1", after=" x y")),
    "course.declare._KEY": (MATCH, _many("a", "a_", "_", "a_a1") + _many("a", "a-", "-", before="a_b.")),
    "course.declare._PER_CENT": (SEARCH, _many("per ", "percent", "per cent ")),
}
WORST |= {f"measurements.launch._FLAGS.{name}": (SEARCH, _many(" ", "1", f"{flag} ", f"{flag} 1 ", f"{flag}=", before=f"{flag} "))
          for name, flag in (("ranks", "-np"), ("nodes", "-N"), ("per_node", "--ntasks-per-node"))}


def modules() -> Iterator:
    """Every module of ROOMS."""
    for name in ROOMS:
        room = importlib.import_module(name)
        yield room
        for inside in pkgutil.iter_modules(getattr(room, "__path__", ())):
            yield importlib.import_module(f"{name}.{inside.name}")


def patterns() -> dict[str, re.Pattern]:
    """Every compiled pattern of ROOMS, by its name; those of HINTS are parts of hints._ANY."""
    found = {}
    for module in modules():
        home = module.__name__.partition(".")[2]
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found[f"{home}.{name}"] = value
            elif isinstance(value, dict):
                found |= {f"{home}.{name}.{key}": one for key, one in value.items() if isinstance(one, re.Pattern)}
            elif isinstance(value, tuple):
                found |= {f"{home}.{one.name}.{i}": one.says for i, one in enumerate(value) if hasattr(one, "says")}
                found |= {f"{home}.{i}": one[1] for i, one in enumerate(value)
                          if isinstance(one, tuple) and isinstance(one[-1], re.Pattern)}
    return found


def uncompiled() -> list[str]:
    """Where in ROOMS a pattern is written into a call of `re`, and so in no table here."""
    found = []
    for module in modules():
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re" \
                    and node.attr not in ("compile", "escape", "IGNORECASE", "Pattern"):
                found.append(f"{module.__name__}:{node.lineno}")
    return found


if __name__ == "__main__":
    for name, pattern in patterns().items():
        print(name, flush=True)
        how, lines = WORST[name]
        for line in lines:
            getattr(pattern, how)(line(LENGTH))
    print("done", flush=True)
