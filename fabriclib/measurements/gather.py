"""One pass over the lines of a log: the tables in it, each with the heading it stands under."""

from __future__ import annotations

import re
from typing import Any

from .. import units
from . import nccl, osu, plain
from .agree import own_problem
from .hints import hint_of
from .rows import MOST_PROBLEMS, MOST_ROWS, Heading, Row, Table

# mpirun marks what each process writes, in the middle of a line too, where a process flushes half of it.
_TAG = re.compile(r"\[[^\[\]]{1,80},\d{1,9}\]<std(?:out|err)>:?")
_READERS = {"collective": plain.collective_of, "ranks": plain.count_of, "nodes": plain.count_of}


class Gatherer:
    """Takes the lines of a log one by one; `tables` are those found so far, `problems` what no table owns."""

    def __init__(self, collective: str | None = None, ranks: int | None = None, nodes: int | None = None):
        self.told: dict[str, Any] = {"collective": collective, "ranks": ranks, "nodes": nodes}
        self.heading: Heading
        self.table: Table | None
        self.columns: tuple[str, ...] | None
        self.title: osu.Title | None
        self.plain: plain.Columns | None
        self.tables: list[Table] = []
        self.problems: list[str] = []
        self.hints: dict[str, int] = {}
        self.lines = self.rows = 0
        self._unread, self._prefix = 0, ""
        self._start(Heading())

    def _start(self, heading: Heading) -> None:
        """What follows belongs to a new run."""
        self.heading, self.table = heading, None
        self.columns = self.title = self.plain = None

    def take(self, number: int, line: str) -> None:
        """Take in one line."""
        self.lines = number
        if "]<std" in line:
            line = _TAG.sub(" ", line)
        if not line or line.isspace():
            self.plain = None
        elif not self._about(number, line):
            self._osu(number, line) or self._plain(number, line) or self._nccl(number, line)

    def _about(self, number: int, line: str) -> bool:
        """Whether *line* says something about a run, and is no row."""
        if (hint := hint_of(line)) and len(self.hints) < MOST_PROBLEMS:
            self.hints.setdefault(hint, number)
        name, launched = nccl.binary_of(line), osu.launched(line)
        if name and "concluded" in line and self.table:
            self.table.heading.collective = self.table.heading.collective or name
        elif name or launched:
            said = {} if name else launched
            self._start(Heading(collective=name, ranks=said.get("ranks"), nodes=said.get("nodes")))
        elif nccl.starts_a_run(line) and (self.table or self.heading.listed):
            self._start(Heading())
        if name or launched or nccl.heading_of(line, self.heading):
            return True
        if self.table and (mean := nccl.mean_of(line)):
            self.table.mean_busbw = mean
        if wrong := nccl.out_of_bounds(line):
            self._complain(f"line {number}: the test counts {wrong} results out of bounds")
        return line.lstrip().startswith("#") and nccl.columns_of(line) is None and osu.title_of(line) is None \
            and plain.columns_of(line) is None

    def _osu(self, number: int, line: str) -> bool:
        if title := osu.title_of(line):
            self._start(Heading(collective=title.collective or None, ranks=self.heading.ranks, nodes=self.heading.nodes))
            self.title = title if title.collective else None
            if title.collective == "send_recv":
                self.heading.ranks = 2
            return True
        if self.title is None:
            return False
        ranks = self.told["ranks"] or self.heading.ranks
        row = osu.row_of(number, line, self.title, ranks)
        if row and self.title.per_rank and not ranks:
            raise ValueError(f"line {number}: this test prints the bytes of one rank, and nothing says how many ranks there "
                             f"were; name them: ranks=8.")
        if row:
            table = self._add("osu", row)
            table.device, table.windowed = self.title.device, self.title.rates
        return row is not None

    def _plain(self, number: int, line: str) -> bool:
        if nccl.columns_of(line) is None and (columns := plain.columns_of(line)):
            self._start(self.heading if self.table is None else Heading())
            self.plain = columns
            return True
        if self.plain is None or plain.is_rule(line):
            return self.plain is not None
        try:
            found = plain.row_of(number, line, self.plain)
        except ValueError as problem:
            self._complain(f"line {number}: a cell is no number: {problem}")
            return True
        if found is None:
            return False
        row, said = found
        if self._says(number, said):
            self._add("csv", row)
        return True

    def _says(self, number: int, said: dict[str, str]) -> bool:
        """Take what a row of a plain table says about its run; other ranks or another collective begin another table.

        What the reader was told is not asked of the row. False, with a complaint, where a cell cannot be read.
        """
        values: dict[str, Any] = {}
        for name, text in said.items():
            try:
                blank = text.strip().lower() in ("", "nan", "<na>", "na") or self.told[name] is not None
                values[name] = None if blank else _READERS[name](text)
            except ValueError as problem:
                self._complain(f"line {number}: {name} cannot be read: {problem} The row is not used.")
                return False
        if values and any(getattr(self.heading, name) != value for name, value in values.items()):
            self.heading, self.table = Heading(**values), None
        return True

    def _nccl(self, number: int, line: str) -> bool:
        if columns := nccl.columns_of(line):
            if self.table:
                self._start(self.heading.again())
            self.columns, self.title, self.plain = columns, None, None
            return True
        row = nccl.row_of(number, line, self.columns)
        if row:
            self._prefix = nccl.prefix_of(line)
            self._add("nccl-tests", row)
        elif (self.table or self.columns) and nccl.nearly_a_row(line, self.columns, self._prefix):
            self._complain(f"line {number}: this looks like a row of the table and cannot be read: it is cut off, or another "
                           f"process wrote into it")
        return row is not None

    def _add(self, kind: str, row: Row) -> Table:
        """Put a row into the table that it belongs to, unless something is wrong with it, and return the table."""
        if self.table and self.table.rows and row.nbytes < self.table.rows[-1].nbytes:
            self.heading, self.table = self.heading.again(), None
        table = self.table
        if table is None:
            table = self.table = Table(kind, self.heading)
            self.tables.append(table)
        self.rows += 1
        if self.rows > MOST_ROWS:
            raise ValueError(f"line {row.line}: more than {MOST_ROWS} rows; no benchmark prints so many.")
        if row.nbytes == 0:
            table.empty_rows += 1
        elif problem := own_problem(row):
            self._complain(f"{problem}; the row is not used")
        elif table.rows and row.nbytes == table.rows[-1].nbytes:
            self._complain(f"line {row.line}: {units.format(row.nbytes)} stands there twice; the first is used")
        else:
            table.rows.append(row)
        return table

    def _complain(self, problem: str) -> None:
        self._unread += 1
        if self._unread <= MOST_PROBLEMS:
            self.problems.append(problem)

    def unlisted(self) -> int:
        """Return how many problems came after the last one listed."""
        return max(0, self._unread - MOST_PROBLEMS)
