"""Tools whose tables `plain` reads: the lines above a table that say what was run, and what is always so of a tool's runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .plain import spelt

# github.com/IBM/pytorch-communication-benchmarks: its megatron tests add up the rates of the groups that one node has.
_IBM = "pytorch-communication-benchmarks"
_TWO_HOSTS = {"collective": "send_recv", "ranks": 2, "nodes": 2}


@dataclass(frozen=True)
class Tool:
    """A tool that says in lines of its own what it runs.

    Args:
        name: of the tool. key: a text that each of the lines has.
        says: what such a line reads, with the groups collective, ranks, nodes and ways where it says them.
        names: {collective as the tool calls it: as we do}, where spelling alone does not tell; an empty text for one that the
            model lacks. known: what is always so of its runs, fields of `Heading`.
    """

    name: str
    key: str
    says: re.Pattern[str]
    names: dict[str, str] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)


TOOLS = (
    Tool("nccom-test", "nccom-test",
         re.compile(r"\bnccom-test\b(?=(?:.{0,200}?\s(?:-r|--nworkers)[\s=]{1,4}(?P<ranks>\d{1,6}))?)"
                    r"(?=(?:.{0,200}?\s(?:-N|--nnodes)[\s=]{1,4}(?P<nodes>\d{1,6}))?)"
                    r".{0,200}?\s(?P<collective>allr|allg|redsct|alltoall|sendrecv|all_\w{1,20}|reduce_\w{1,20}|permute|alltoallv)\b"),
         {"allr": "all_reduce", "allg": "all_gather", "redsct": "reduce_scatter"}),
    Tool("hccl_test", "_test",
         re.compile(r"(?<![\w-])(?P<collective>all_reduce|all_gather(?:_v)?|reduce_scatter(?:_v)?|alltoallvc?|alltoall|broadcast|"
                    r"reduce|scatter)_test(?![\w-])")),
    Tool("ds_bench", "Performance of", re.compile(r"Performance of (?P<collective>\w{1,30}) on (?P<ranks>\d{1,6}) devices"),
         known={"binary": True}),
    Tool("IMB", "Benchmarking", re.compile(r"#\s{0,4}Benchmarking\s{1,4}(?P<collective>\w{1,30})"), known={"part": True}),
    Tool("IMB", "#processes", re.compile(r"#processes = (?P<ranks>\d{1,6})")),
    Tool("perftest", " Bidirectional BW", re.compile(r"\b(?:RDMA_Write|RDMA_Read|Send) Bidirectional BW Test\b"),
         known=_TWO_HOSTS | {"windowed": True, "ways": 2}),
    Tool("perftest", " BW Test", re.compile(r"\b(?:RDMA_Write|RDMA_Read|Send) BW Test\b"), known=_TWO_HOSTS | {"windowed": True}),
    Tool(_IBM, ".py", re.compile(r"(?<![\w-])(?:megatron-)?(?P<collective>allreduce|allgather|reduce-scatter)(?:-loop)?\.py\b")),
    Tool(_IBM, "using communicator", re.compile(r"using communicator = .{1,80}; group size = \s{0,4}(?P<ranks>\d{1,6})"),
         known={"nodes": None}),
    Tool(_IBM, "groups_per_node", re.compile(r"groups_per_node = \s{0,4}(?P<ways>\d{1,4})")),
    Tool("perftest", " Latency Test", re.compile(r"\b(?:RDMA_Write|RDMA_Read|Send) Latency Test\b"), known=_TWO_HOSTS),
)
SIGNS = tuple(tool.key for tool in TOOLS)


def said_by(line: str) -> dict[str, Any] | None:
    """Return what *line* says of a run of one of these tools, fields of `Heading`; None for any other line.

    >>> said_by("# Benchmarking Allgather")
    {'part': True, 'collective': 'all_gather'}
    """
    for tool in TOOLS:
        if tool.key in line and (match := tool.says.search(line)):
            said = {name: text for name, text in match.groupdict().items() if text}
            found: dict[str, Any] = {name: int(said[name]) for name in ("ranks", "nodes", "ways") if name in said}
            return tool.known | found | (_collective(said["collective"], tool) if "collective" in said else {})
    return None


def _collective(name: str, tool: Tool) -> dict[str, str]:
    """Return the collective that a tool calls *name*, with that of a non-blocking twin; or the test that is of none."""
    plain = name.removesuffix("_pure")
    for one in (name, plain, plain[1:] if plain[:1] == "I" else plain):
        if found := tool.names.get(one) or spelt(one):
            return {"collective": found}
    return {"other": name}


def of_header(line: str) -> dict[str, Any]:
    """Return what the header of a table tells of the run where no line above it does: only perftest counts iterations."""
    return _TWO_HOSTS | {"windowed": "BW" in line} if "#iterations" in line else {}
