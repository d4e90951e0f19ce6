"""The library on the command line: a log beside its prediction, predictions, and the machines that are known.

    python -m fabriclib compare my.log --system dgx-h100
    python -m fabriclib predict dgx-h100 all_reduce 1GiB --nodes 4
    python -m fabriclib systems

--help says the rest. What the library refuses is one sentence on stderr, never a traceback.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .diagnosis import Comparison

FINE, ALARM, REFUSED, INTERRUPTED = 0, 1, 2, 130

_COMPARE = """\
Reads the log of a benchmark (nccl-tests, rccl-tests, OSU and some ten others, or a plain table) and
sets every table in it beside what is predicted for the machine: the verdict first, then the
suspects with their evidence, one command to try next, and each size as measured and as predicted.

  python -m fabriclib compare my.log --system dgx-h100
  kubectl logs my-job | python -m fabriclib compare - --system aws-p5 --json
  python -m fabriclib compare my.log --system gpu=H100,gpus=8,port=ib-ndr,ports=4

A machine of --system is an id that `python -m fabriclib systems` lists, or parts with commas
between: gpu (required), gpus, link, wiring, port, ports, as fabriclib.composed takes them.

Exit code: 0 no alarm; 1 an alarm; 2 what cannot be read or compared, a sentence on stderr.
Of several tables the highest."""
_COMPARE_JSON = """\
--json prints one object: "tables", a list, and "problems" of the log. Each table has "table"
(1, 2, ...), "alarm", "verdict", "causes" (id, name, evidence, check, distance), "try_next",
"collective", "system", "machine", "nodes", "gpus_per_node", "ranks", "launcher", "fit" (alpha_s,
beta_s_per_byte), "regimes", "notes", "problems" and "rows" (nbytes, measured_s, predicted_s, and
low_s and high_s, between which 95 of 100 healthy runs lie). One that cannot be compared has
"table" and "error". All in bytes and seconds."""
_PREDICT = """\
Predicts how long a collective takes on a machine.

  python -m fabriclib predict dgx-h100 all_reduce 1GiB --nodes 4
  python -m fabriclib predict dgx-h100 all_reduce -b 8 -e 8G -f 2 --nodes 4
  python -m fabriclib predict gpu=A100,gpus=4,port=roce-200,ports=2 all_to_all 64M 256M

A size is bytes (1048576, 1e9), or has a unit: K, M and G as nccl-tests has them (1G is 2^30 bytes),
KiB, MiB and GiB the same, kB, MB and GB powers of ten. It is the total buffer, as nccl-tests
counts it; a barrier has none.

Exit code: 0, or 2 for what is refused, a sentence on stderr."""
_PREDICT_JSON = """\
--json prints one object: "collective", "system", "machine", "nodes", "gpus_per_node", "ranks",
"launcher", "why" (of the last size) and "rows" (nbytes, seconds, low and high, between which 95 of
100 measured times lie, algorithm, and algbw and busbw in bytes per second)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{message[:200]}; {self.prog} --help says more.\n")


def main(argv: list[str] | None = None) -> int:
    """Do what the arguments ask, print it, and return the exit code."""
    asked = _parser().parse_args(argv)
    try:
        return asked.do(asked)
    except ValueError as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m fabriclib", description="What the wiring of AI clusters does to collectives, and to yours.")
    commands = parser.add_subparsers(required=True, metavar="compare | predict | systems")

    def command(name: str, do, short: str, above: str, below: str = "") -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=short, description=above, epilog=below,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        one.set_defaults(do=do)
        one.add_argument("--json", action="store_true", help="print JSON instead of text")
        return one

    one = command("compare", _compare, "a log beside the prediction, and what is wrong", _COMPARE, _COMPARE_JSON)
    one.add_argument("log", help="a file; - reads stdin")
    one.add_argument("--system", required=True, help="the machine it ran on")
    one.add_argument("--collective", help="where the log does not name it: all_reduce, all_gather, ...")
    one.add_argument("--nodes", type=int, help="where the log does not say it; else ranks fill one node after the other")
    one.add_argument("--ranks", type=int, help="where the log does not say it")
    one.add_argument("--launcher", help="who started the kernels: mpi, single-process, torch, ...; else as the log says")
    one.add_argument("--table", type=int, metavar="N", help="of several tables only number N, from 1")
    one = command("predict", _predict, "how long a collective takes on a machine", _PREDICT, _PREDICT_JSON)
    one.add_argument("system", help="the machine, as for compare")
    one.add_argument("collective", help="all_reduce, all_gather, reduce_scatter, all_to_all, ...")
    one.add_argument("sizes", nargs="*", metavar="size", help="one or more")
    one.add_argument("-b", dest="first", metavar="SIZE", help="instead of sizes: the first,")
    one.add_argument("-e", dest="last", metavar="SIZE", help="the last,")
    one.add_argument("-f", dest="factor", type=int, default=2, help="and the factor from one to the next (2)")
    one.add_argument("--nodes", type=int, default=1, help="servers, or racks of an NVL72 (1)")
    one.add_argument("--gpus-per-node", type=int, help="GPUs of each node in use (all)")
    one.add_argument("--algorithm", default="auto", help="as the library would choose without")
    one.add_argument("--launcher", default="mpi", help="who starts the kernels (mpi)")
    command("systems", _systems, "the machines that are known", "Lists the ids that compare and predict take as a machine.")
    return parser


def _compare(asked: argparse.Namespace) -> int:
    from .diagnosis import compare
    from .measurements import apart, read_measurements

    machine = _machine(asked.system)
    source = sys.stdin.buffer.read() if asked.log == "-" else asked.log
    frame = read_measurements(source, collective=asked.collective, ranks=asked.ranks, nodes=asked.nodes)
    tables = apart(frame)
    found: dict[int, Comparison | ValueError] = {}
    for number, table in _chosen(tables, asked.table):
        try:
            found[number] = compare(table, machine, nodes=asked.nodes, ranks=asked.ranks, launcher=asked.launcher)
        except ValueError as refusal:
            found[number] = refusal
            print(f"Table {number}: {refusal}" if len(tables) > 1 else refusal, file=sys.stderr)
    if asked.json:
        _print_json({"tables": [{"table": number} | _figures(one) for number, one in found.items()],
                     "problems": frame.attrs["problems"]})
    else:
        heads = {number: f"Table {number} of {len(tables)}\n\n" if len(tables) > 1 else "" for number in found}
        print("\n".join(heads[number] + one.report() for number, one in found.items() if not isinstance(one, ValueError)), end="")
    return max(REFUSED if isinstance(one, ValueError) else ALARM if one.alarm else FINE for one in found.values())


def _figures(found) -> dict[str, Any]:
    from .diagnosis.report import figures

    return {"error": str(found)} if isinstance(found, ValueError) else figures(found)


def _chosen(tables: list, number: int | None) -> list[tuple[int, Any]]:
    """Return the (number, table) to be compared, all of them without a *number*."""
    numbered = list(enumerate(tables, start=1))
    if number is None:
        return numbered
    if not 1 <= number <= len(tables):
        raise ValueError(f"table must be from 1 to {len(tables)}, which is how many the log has; got {number}.")
    return [numbered[number - 1]]


def _predict(asked: argparse.Namespace) -> int:
    from . import units
    from .machines import launcher
    from .prediction import predict

    nbytes = _sizes(asked)
    found = predict(_machine(asked.system), asked.collective, nbytes, asked.nodes, asked.gpus_per_node, asked.algorithm,
                    asked.launcher)
    rates = [None, None] if nbytes is None else [found.algbw, found.busbw]
    rows = list(zip(*map(_listed, (found.nbytes, found.seconds, *found.interval, found.algorithm, *rates)), strict=True))
    if asked.json:
        names = ("nbytes", "seconds", "low", "high", "algorithm", "algbw", "busbw")
        _print_json({
            "collective": found.collective, "system": found.machine.id, "machine": found.machine.name, "nodes": asked.nodes,
            "gpus_per_node": found.ranks // asked.nodes, "ranks": found.ranks, "launcher": asked.launcher, "why": found.why(),
            "rows": [dict(zip(names, row, strict=True)) for row in rows]})
        return FINE
    print(textwrap.fill(f"{found.why()} Launched by {launcher(asked.launcher).name}.", 100))
    print(f"\n{'size':>10} {'time':>10} {'95 of 100 measured':>20} {'algbw':>11} {'busbw':>11}  algorithm")
    for size, *times, algorithm, algbw, busbw in rows:
        seconds, low, high = (units.format(one, "s") for one in times)
        both = " ".join(f"{'' if rate is None else units.format(rate, 'B/s'):>11}" for rate in (algbw, busbw))
        print(f"{units.format(size):>10} {seconds:>10} {f'{low} - {high}':>20} {both}  {algorithm}")
    return FINE


def _systems(asked: argparse.Namespace) -> int:
    from .machines import systems

    found = systems()
    if asked.json:
        _print_json(json.loads(found.to_json(orient="records")))
        return FINE
    print(f"{'id':<20}{'name':<38}{'GPUs of a node':<18}GB/s: GPU, network")
    for one in found.fillna(0.0).to_dict("records"):
        gpus, inside, outside = f"{one['GPUs']} x {one['GPU']}", one["GPU GB/s one way"], one["network GB/s one way"]
        print(f"{one['id']:<20}{one['name']:<38}{gpus:<18}{inside:>6.0f} {f'{outside:.0f}' if outside else 'none':>8}")
    return FINE


def _machine(text: str):
    """Return the id that *text* is, or the machine of its parts: gpu=H100,gpus=8,port=ib-ndr,ports=4."""
    if "=" not in text:
        return text
    from .checks import known
    from .machines import composed

    parts: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        known("part of system", name.strip(), ("gpu", "gpus", "link", "wiring", "port", "ports"))
        parts[name.strip()] = _whole(name, value) if name.strip() in ("gpus", "ports") else value.strip()
    if "gpu" not in parts:
        raise ValueError(f"system must name the kind of its GPUs among its parts, such as gpu=H100; got {text[:60]!r}.")
    return composed(**parts)


def _whole(name: str, text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > 7:
        raise ValueError(f"{name.strip()} must be a whole number; got {text.strip()[:20]!r}.")
    return int(text)


def _sizes(asked: argparse.Namespace):
    """Return the sizes that are asked for, in bytes; None where none are."""
    import numpy as np

    from .checks import MAX_BYTES, short

    if (asked.first is None) != (asked.last is None) or asked.first and asked.sizes:
        raise ValueError("sizes must be given one by one, or as -b and -e; not both, and not half.")
    if asked.collective == "barrier" and (asked.first or asked.sizes):
        raise ValueError(f"sizes must not be given: a barrier has none; got {', '.join(asked.sizes or [asked.first])[:40]}.")
    if asked.first is None:
        return np.array([_size(text) for text in asked.sizes]) if asked.sizes else None
    first, last = _size(asked.first), _size(asked.last)
    if not 2 <= asked.factor <= MAX_BYTES or not 0 < first <= last <= MAX_BYTES:
        raise ValueError(f"-b must be more than 0 and at most -e, -e must be at most {MAX_BYTES:g}, and -f at least 2; got "
                         f"-b {asked.first[:20]} -e {asked.last[:20]} -f {short(asked.factor)}.")
    steps = int(np.log(last / first) / np.log(asked.factor) + 1e-9)
    return first * float(asked.factor) ** np.arange(steps + 1)


def _size(text: str) -> float:
    """Return the bytes that *text* says; K, M and G are those of nccl-tests, powers of 1024."""
    from . import units

    try:
        return float(text)
    except ValueError:
        return units.parse(f"{text}iB" if text[-1:] in "KMGT" and text else text, "size")


def _listed(values) -> list:
    """Return an array, or one value, as a list of what JSON can hold."""
    return values.tolist() if hasattr(values, "tolist") else [values]


def _print_json(what: Any) -> None:
    print(json.dumps(what, indent=2, allow_nan=False))


def _run() -> int:
    """Return the exit code of `main` in a shell, where a reader may leave early and an encoding may lack µ."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(_run())
