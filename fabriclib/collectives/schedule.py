"""A schedule: who sends which chunk to whom in which step. It runs on real data, and what it does can be counted."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..checks import count, known, number, short, single, together, whole
from . import buffers
from .counts import Counts, Level, Price, by_level, checked_bytes, checked_levels, price
from .moves import ADD, Moves
from .on_graph import line_on
from .plan import Plan
from .proof import missing

_MOST = 2**62  # an index holds no more


@dataclass(frozen=True, eq=False)
class Schedule(Plan):
    """The executable form of one algorithm on `ranks` ranks.

    Every node has a workspace of `slots` chunks; a move takes chunks of one node into the same slots of another. Nodes
    0 .. ranks-1 are the ranks; those after them are switches, which reduce or multicast on the way.

    Args:
        collective: what it computes; fixes where inputs start and results end.
        algorithm: the entry's name.
        ranks: how many ranks.
        slots: chunks in a workspace; each stands for 1/slots of n.
        moves: the rows.
        root: for the rooted collectives.
        streamed: switches forward while data still arrives, so the steps overlap in bytes (not in latency): a port is
            then charged for its total and not step by step, and levels overlap too.
        dims: for shaped algorithms, the size of each level, innermost first; then there are counts for each level.
        keeps_input: every row sends what its source held at the start, and results collect in a second buffer.
        destination: for all_to_all, (rank, slot) -> the rank that the slot's first block is for.

    Raises:
        ValueError: an unknown collective, no ranks or slots, a root that is no rank, or moves with negative numbers.
    """

    def __post_init__(self):
        known("collective", self.collective, buffers.COLLECTIVES)
        count("ranks", self.ranks)
        count("slots", self.slots, high=_MOST)
        count("root", self.root, low=0, high=self.ranks - 1)
        for name in ("step", "src", "dst", "size", "repeat") if len(self.moves) else ():
            whole(f"moves.{name}", getattr(self.moves, name), low=0, high=_MOST)

    @classmethod
    def of(cls, collective: str, ranks: int, rows, *, slots: int | None = None, root: int = 0, name: str = "mine") -> Schedule:
        """Return a schedule of your own: who sends which chunk to whom in which step.

        Args:
            collective: what it is to compute, one of those that `algorithms` knows.
            ranks: how many ranks.
            rows: a list of (step, from, to, chunk, op), or an array of as many columns: ranks and chunks count from 0; op 1 adds
                what comes to the same chunk there, 0 writes over it. All rows of a step send before any is received.
            slots: into how many chunks a buffer is cut; one for each rank without. For all_to_all chunk k of a rank is its
                block for the rank k further on; for a barrier chunk k is word of rank k.
            root: for the rooted collectives.
            name: what it is called.

        Raises:
            ValueError: an unknown collective; rows that are not of whole numbers, or not of ranks and chunks that there are;
                other slots than one for each rank for all_to_all and a barrier.

        Two ranks that swap their buffers, whole, and one that is forgotten:

        >>> swapped = Schedule.of("all_reduce", 3, [(0, 0, 1, 0, 1), (0, 1, 0, 0, 1)], slots=1)
        >>> print(swapped.missing[:77])
        all_reduce by mine is not done after 1 step: rank 0 lacks chunk 0; rank 1 lac
        >>> swapped.counts()
        Counts(messages=1, sent=1.0, reduced=1.0)
        """
        known("collective", collective, buffers.COLLECTIVES)
        step, src, dst, chunk, op = _columns(rows)
        ranks = count("ranks", ranks)
        slots = ranks if slots is None else count("slots", slots)
        shuffled = collective == "all_to_all"
        if (shuffled or collective == "barrier") and slots != ranks:
            raise ValueError(f"slots must be one for each of the {ranks} ranks for {collective}; got {slots}.")
        for what, column, many in (("from", src, ranks), ("to", dst, ranks), ("chunk", chunk, slots), ("op", op, ADD + 1)):
            whole(f"rows, column {what!r},", column, low=0, high=many - 1)
        moves = Moves(np.unique(step, return_inverse=True)[1], src, dst, chunk, op)
        return cls(collective, name, ranks, slots, moves, root,
                   destination=(lambda rank, slot: (rank + slot) % ranks) if shuffled else None)

    @functools.cached_property
    def missing(self) -> str:
        """What it leaves out of its collective, in a sentence: which ranks lack which chunks; "" where nothing.

        Raises:
            ValueError: more ranks and slots than can be held, 2**27 numbers.

        >>> from fabriclib.collectives import schedule
        >>> schedule("all_reduce", "ring", ranks=8).missing
        ''
        """
        return missing(self, self._carried_out)

    def states(self, arrays) -> Iterator[np.ndarray]:
        """Yield the workspaces before the first step and after each step: one array (nodes, slots, elements a chunk).

        The same array is yielded each time, changed in place: copy what you keep.

        Raises:
            ValueError: arrays that `run` refuses.
        """
        state = buffers.load(self, arrays)
        yield state
        readable = state.copy() if self.keeps_input else state
        row, chunk = self.moves.chunks(self.slots)
        order = np.argsort(self.moves.step[row], kind="stable")
        row, chunk = row[order], chunk[order]
        src, dst, adds = self.moves.src[row], self.moves.dst[row], self.moves.op[row] == ADD
        ends = np.searchsorted(self.moves.step[row], np.arange(self.moves.steps + 1))
        for start, end in zip(ends[:-1], ends[1:], strict=True):
            now = slice(start, end)
            data = readable[src[now], chunk[now]]
            add = adds[now]
            np.add.at(state, (dst[now][add], chunk[now][add]), data[add])
            state[dst[now][~add], chunk[now][~add]] = data[~add]
            yield state

    def run(self, arrays) -> list[np.ndarray | None]:
        """Move and reduce real data, and return each rank's result.

        Args:
            arrays: one 1-D array a rank. all_gather and gather take each rank's block; broadcast and scatter read the
                root's only; send_recv passes each rank's array to the next; barrier takes none and is given `None`.
                `buffers.split(n, ranks)` gives the block boundaries for lengths that ranks does not divide.

        Returns:
            One array a rank; `None` where the collective leaves nothing.

        Raises:
            ValueError: a wrong number of arrays, lengths that do not fit the collective, more than `missing` can hold, or a
                schedule that does not do it: then the message is `missing`, and `states` shows what it does.
        """
        results = self._carried_out(arrays)
        if self.missing:
            raise ValueError(self.missing)
        return results

    def _carried_out(self, arrays) -> list[np.ndarray | None]:
        for state in self.states(arrays):  # noqa: B007 - the last state is what is wanted
            pass
        return buffers.unload(self, arrays, state)

    def counts(self) -> Counts | tuple[Counts, ...]:
        """Count the critical path by walking the rows: one Counts, or one a level for a shaped algorithm.

        Each step costs its level one message, and the bytes of the port that sends or receives most in it. A rank has
        one port and a switch has one for each neighbour, so a multicast is one send. Only ranks spend time reducing.
        """
        levels = tuple(self._counts_of(level) for level in range(max(len(self.dims), 1)))
        return levels if self.dims else levels[0]

    def _counts_of(self, level: int) -> Counts:
        moves = self.moves.where(self.moves.level == level)
        _, step = np.unique(moves.step, return_inverse=True)
        steps = int(step.max(initial=-1)) + 1
        volume = moves.size * moves.repeat
        lanes = np.zeros_like(step) if self.streamed else step

        def busiest(port: np.ndarray, mask=slice(None)) -> np.ndarray:
            ports = int(port.max(initial=0)) + 1
            per_port = np.bincount((lanes * ports + port)[mask], volume[mask], minlength=steps * ports)
            return per_port.reshape(-1, ports).max(axis=1, initial=0)

        sent = np.maximum(busiest(self._port(moves.src, moves.dst)), busiest(self._port(moves.dst, moves.src))).sum()
        reduced = busiest(moves.dst, (moves.op == ADD) & (moves.dst < self.ranks)).sum()
        return Counts(steps, float(sent * self.share), float(reduced * self.share))

    def _port(self, node: np.ndarray, peer: np.ndarray) -> np.ndarray:
        """Number the ports that *node* uses towards *peer*."""
        if not self.switches:
            return node
        return np.unique(np.where(node < self.ranks, node, self.ranks + node * self.nodes + peer), return_inverse=True)[1]

    @property
    def ports(self) -> int:
        """The most messages a rank sends, or receives, in one step."""
        m = self.moves
        pairs = np.unique(np.stack([m.step, m.src, m.dst]), axis=1)
        most = 1
        for end in (1, 2):
            of_ranks = pairs[:, pairs[end] < self.ranks]
            _, many = np.unique(of_ranks[[0, end]], axis=1, return_counts=True)
            most = max(most, int(many.max(initial=1)))
        return most

    def time(self, nbytes=None, alpha=None, beta=None, gamma=0.0, levels: Sequence[Level] | None = None):
        """Return seconds from the counted critical path; shaped algorithms may take *levels* in place of alpha and beta.

        Raises:
            ValueError: values missing, given twice or out of range, or levels of other sizes than the schedule's dims.
        """
        nbytes = checked_bytes(self.collective, nbytes)
        gamma = number("gamma", gamma, zero=True)
        if levels is None:
            levels = [Level(1, alpha, beta)]
        else:
            levels = checked_levels(levels, alpha=alpha, beta=beta)
            sizes = tuple(single("the size of a level", level.size) for level in levels)
            if sizes != self.dims:
                flat = f"be left out for {self.collective} by {self.algorithm}, which is flat"
                raise ValueError(f"levels must {f'have the sizes {self.dims}' if self.dims else flat}; got {sizes}.")
        alphas, betas = [level.alpha for level in levels], [level.beta for level in levels]
        together(nbytes=nbytes, gamma=gamma, **by_level("alpha", alphas), **by_level("beta", betas))
        start, per_byte = price(self.counts(), alphas, betas, gamma, self.streamed)
        return nbytes * per_byte + start

    def time_on(self, graph, nbytes=None, channels="auto", order=None):
        """Return seconds on a graph: every message is a flow over the links, and the flows of a step share them fairly.

        A step takes the latency of its longest path, then as long as its last flow; what a finished flow leaves free goes to
        the others. The next step waits for it. Reducing costs nothing. A switch schedule's switch is all the switches that
        every rank is linked to, together.

        Args:
            graph: a server or fabric with at least as many GPUs as there are ranks.
            nbytes: the total buffer, a number or an array; a barrier has none.
            channels: how many copies run at once, each on its part of the buffer and over a ring of its own; "auto": as many
                as there are rings that share no link between GPUs, or one for each NIC of a server on a fabric. Schedules that
                do not go round a ring have one.
            order: the GPU number that plays each rank, or a list of such lists, one a channel.

        Raises:
            ValueError: no graph, too many ranks, channels or an order that do not fit, no path, or no switch that reduces.

        >>> from fabriclib.collectives import schedule
        >>> from fabriclib.topology import server
        >>> ring = schedule("all_reduce", "ring", ranks=8)
        >>> [f"{1.75e12 / ring.time_on(server('mi300x'), 1e12, channels=c) / 1e9:.0f} GB/s" for c in (1, 7)]
        ['64 GB/s', '448 GB/s']
        """
        nbytes = checked_bytes(self.collective, nbytes)
        start, per_byte = self.line_on(graph, channels, order)
        return nbytes * per_byte + start

    def line_on(self, graph, channels="auto", order=None) -> Price:
        """Return the time on a graph as a straight line in the bytes, (start, per_byte); arguments and errors are `time_on`'s.

        Raises:
            ValueError: as `time_on`.

        >>> from fabriclib.collectives import schedule
        >>> from fabriclib.topology import server
        >>> start, per_byte = schedule("all_reduce", "ring", ranks=8).line_on(server("hgx-h100"))
        >>> round(1e6 * start, 6), round(1e-9 / per_byte, 6)
        (8.4, 257.142857)
        """
        return line_on(self, graph, channels, order)


def _columns(rows) -> np.ndarray:
    """Return the columns step, from, to, chunk and op of a learner's *rows*."""
    try:
        fits = isinstance(rows, (list, tuple, np.ndarray)) and np.ndim(rows) == 2 and len(rows[0]) == 5
    except Exception:  # anything may be passed, even an object that cannot be looked into
        fits = False
    if not fits:
        raise ValueError(f"rows must be a list of (step, from, to, chunk, op), at least one; got {short(rows)}.")
    return np.asarray(whole("rows", rows, low=0)).T
