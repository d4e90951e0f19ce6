"""The plans: which parts of which lessons a training shows, in how many minutes. `tour` lays one out.

A part names cells of its lesson: labs, predictions, exercises, verdicts by their keys, what a cell calls (`claims`), or a heading
for all below it. What they need, their lesson brings along: the text above them, and the prediction that unlocks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabriclib.checks import known

from ..lessons import lesson


@dataclass(frozen=True)
class Part:
    """Some minutes of a plan.

    Args:
        minutes: how long it takes.
        lesson: the folder of the lesson it is of.
        cells: what of it is shown, by key, name or heading; all of it if there are none.
        does: what the room does meanwhile.
    """

    minutes: int
    lesson: str
    cells: tuple[str, ...]
    does: str


@dataclass(frozen=True)
class Plan:
    """A training: its name on the command line, for whom it is, its parts in their order, and where breaks are."""

    name: str
    title: str
    whom: str
    parts: Sequence[Part]
    breaks: str = ""

    @property
    def minutes(self) -> int:
        """How long it takes, breaks not counted."""
        return sum(part.minutes for part in self.parts)

    @property
    def table(self) -> str:
        """The parts as a table of Markdown, with the minutes at which each begins; its links lead to the lessons' files."""
        lines, at = ["| from minute | minutes | lesson | what the room does |", "|---:|---:|---|---|"], 0
        for part in self.parts:
            lines.append(f"| {at} | {part.minutes} | {lesson(part.lesson).link} | {part.does} |")
            at += part.minutes
        return "\n".join(lines)


PLANS = (
    Plan("90-minutes", "Ninety minutes", "an evening, or a slot of a conference: no Python is written", (
        Part(4, "start_here", ("Why wires?",),
             "Why anybody should care: what a step computes, beside what it waits. These eight GPUs, and their 14 GB, stay."),
        Part(18, "congestion", ("congestion.slowest", "hash-draw"),
             "Guess how much of eight paths is left when a switch throws dice; the guesses on the wall; then throw."),
        Part(20, "pcie", ("Lanes, packets and a tree", "pcie.lanes", "The lane budget", "pcie.uplink", "pcie-tree", "g"),
             "Guess what four GPUs get below one switch; then build the tree, and move the NICs."),
        Part(15, "one_server", ("What is in the box", "one_server.uplink", "one_server.staged", "one-server"),
             "One machine as a graph: click from GPU to GPU, find the full cable, take peer-to-peer access away."),
        Part(25, "fabrics", ("fabrics.switches", "design-a-fabric", "fabrics.rings", "fabrics.thin", "rails-or-servers",
                             "ring-over-rails", "k"),
             "Which cable into which switch? Guess, thin the spines, and follow the ring."),
        Part(8, "start_here", ("claims",),
             "Back to the beginning: two claims are settled. Vote on the others by show of hands; what would one have to know?"),
    )),
    Plan("half-day", "Half a day", "engineers who buy, wire or rent clusters: one exercise, the rest by hand in the labs", (
        Part(25, "start_here", ("Why wires?", "wire-map", "start_here.all-reduce", "first-all-reduce", "ring-steps", "a",
                                "claims"),
             "The question of the course: the GPUs, or the wires? Vote on the claims first."),
        Part(20, "moving_bytes", ("moving_bytes.small", "moving_bytes.half-rate", "alpha-beta", "moving_bytes.size-for"),
             "Start and rate; the one exercise is the only Python of the day, in pairs."),
        Part(25, "nvlink", ("nvlink.direct", "switch-or-direct", "nvlink.busbw", "in-switch-sum", "b", "c"),
             "What a switch buys, and a bandwidth above the wire's."),
        Part(25, "pcie", ("Lanes, packets and a tree", "pcie.lanes", "The lane budget", "pcie.uplink", "pcie-tree",
                          "pcie-matrix", "g"),
             "The tree of a server: who shares what."),
        Part(20, "one_server", ("What is in the box", "one_server.uplink", "one_server.staged", "one-server",
                                "server-all-reduce"),
             "All servers of the catalogue: which link holds each up."),
        Part(30, "fabrics", ("fabrics.switches", "design-a-fabric", "fabrics.rings", "fabrics.thin", "rails-or-servers",
                             "ring-over-rails", "k"),
             "Design a fabric, thin it, and see who notices."),
        Part(25, "congestion", ("congestion.slowest", "hash-draw", "congestion.flows-95", "hash-entropy"),
             "The dice, and why nobody throws more of them."),
        Part(25, "cost", ("cost.crossover", "cost-curves", "pipeline", "cost.busbw", "cost.in-network", "busbw"),
             "Few messages or few bytes, and what a benchmark prints."),
        Part(15, "bring_your_own", ("bring_your_own.ranks", "bring_your_own.one-nic", "break-a-machine"),
             "Break a machine, and tell a fault by the end it bends."),
    ), "a quarter of an hour after the third part and after the sixth"),
    Plan("two-days", "Two days", "those who will build, run or program a cluster: with laptops, and Python in pairs", (
        Part(35, "start_here", (), "All of it, but one exercise a pair; the votes on the claims stay for the last hour."),
        Part(30, "moving_bytes", (), "The formula, the units, and one exercise a pair, told to the others."),
        Part(40, "nvlink", ("nvlink.lane", "where-the-rate-comes-from", "nvlink.direct", "switch-or-direct", "nvlink.busbw",
                            "in-switch-sum", "switch-adds", "nvlink.worst-pair", "nvlink.nvls", "b", "c"),
             "Switches between GPUs; two exercises."),
        Part(25, "infinity_fabric", ("infinity_fabric.pair", "infinity_fabric.one-ring", "infinity_fabric.rings",
                                     "mesh-or-switch", "ring-channels", "infinity_fabric.all-to-all", "d", "e"),
             "The same eight GPUs without a switch."),
        Part(35, "pcie", ("Lanes, packets and a tree", "pcie.payload", "pcie-payload", "pcie.lanes", "The lane budget",
                          "pcie.uplink", "pcie-tree", "pcie-matrix", "pcie.each-gets", "g"),
             "Packets, then the tree."),
        Part(25, "signals", ("signals.left", "channel-loss", "signals.levels", "eye", "h"),
             "Why a wire ends after some inches."),
        Part(35, "one_server", ("What is in the box", "one_server.uplink", "one_server.staged", "one-server", "one_server.detour",
                                "pair-matrix", "server-all-reduce", "Your turn"),
             "Whole servers, pair by pair; one exercise each."),
        Part(30, "networks", ("networks.kernel", "latency-ladder", "networks.headers", "header-share", "networks.lost",
                              "lost-packet", "i", "j"),
             "Out of the server: kernel, headers, a lost packet."),
        Part(40, "fabrics", (), "All of it, and one exercise a pair: the end of the first day needs hands."),
        Part(45, "congestion", (), "All of it, and one exercise a pair. Day two begins with dice."),
        Part(40, "collectives", (), "All of it: everybody writes the ring, and sees it run."),
        Part(40, "cost", ("cost.crossover", "cost-curves", "times-the-best", "pipeline", "cost.busbw", "cost.in-network", "busbw",
                          "Your turn"),
             "Which algorithm, from which size on; one exercise a pair."),
        Part(35, "hierarchy", (), "Two levels, the order of the ranks, switches that add."),
        Part(25, "supernodes", ("supernodes.leaving", "inside-and-across", "supernodes.pod", "what-is-known",
                                "A press release"),
             "When a rack is one machine, and what a press release is worth."),
        Part(35, "training_a_trillion", (), "What all of it is for: where the seconds of a step go."),
        Part(25, "inference", ("inference.eight", "one-token", "inference.servers", "two-servers", "kv-travels", "Your turn"),
             "One token: what does not shrink; one exercise a pair."),
        Part(20, "energy_and_cost", ("energy_and_cost.share", "watts-of-a-cluster", "copper-or-optics", "energy_and_cost.idle",
                                     "joules-of-a-byte"),
             "Watts and joules, in one room with whoever pays."),
        Part(25, "when_things_fail", ("One for all", "when_things_fail.together", "fifty-four-days", "when_things_fail.save",
                                      "how-often-to-save", "lose-a-part", "n"),
             "Nothing runs for ever."),
        Part(40, "bring_your_own", (), "Logs: the shipped ones, then those that people brought."),
        Part(35, "capstone", (), "Plan a cluster in groups of three, and defend it; look back at the votes."),
    ), "day one ends after the ninth part; a quarter of an hour every ninety minutes, an hour at noon"),
)


def plan(name: str) -> Plan:
    """Return the plan called *name*.

    Raises:
        ValueError: there is none; the message suggests the nearest.
    """
    named = {one.name: one for one in PLANS}
    return named[known("plan", name, named)]
