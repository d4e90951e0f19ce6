"""One pass over the lines of a log: the tables in it, each with the heading it stands under."""

from __future__ import annotations

from typing import Any

from . import formats, launch, nccl, osu, plain, sentences
from .agree import own_problem
from .hints import algorithm_of, hint_of
from .prefix import Prefix
from .rows import BLANK, MOST_PROBLEMS, MOST_ROWS, Heading, Row, Table

_READERS = {"collective": plain.collective_of, "ranks": plain.count_of, "nodes": plain.count_of}


class Gatherer:
    """Takes the lines of a log one by one; `tables` are those found so far, `problems` what no table owns."""

    def __init__(self, collective: str | None = None, ranks: int | None = None, nodes: int | None = None):
        self.told: dict[str, Any] = {"collective": collective, "ranks": ranks, "nodes": nodes}
        self.heading = Heading()
        self.table: Table | None = None
        self.columns: tuple[str, ...] | None
        self.title: osu.Title | None
        self.plain: plain.Columns | None
        self.layout: formats.Layout | None
        self.spoken: float | None
        self.tables: list[Table] = []
        self.problems: list[str] = []
        self.hints: dict[str, int] = {}
        self.lines = self.rows = 0
        self.pairs = 1
        self._unread, self._prefix, self._before = 0, "", Prefix()
        self._start(Heading())

    def _start(self, heading: Heading) -> None:
        """What follows belongs to a new run; what was said before its first line is said of it."""
        if self.table is None:
            heading.hints |= self.heading.hints
            heading.algorithm = heading.algorithm or self.heading.algorithm
        self.heading, self.table = heading, None
        self.columns = self.title = self.plain = self.layout = self.spoken = None

    def take(self, number: int, line: str) -> None:
        """Take in one line."""
        self.lines = number
        line = self._before.off(line)
        if not line or line.isspace():
            self.plain = None
        elif not (self._declared(number, line) or self._about(number, line)):
            self._osu(number, line) or self._plain(number, line) or self._nccl(number, line)

    def _declared(self, number: int, line: str) -> bool:
        """Take in a line of a tool with a layout of its own, or of one that speaks in sentences."""
        if run := sentences.run_of(line):
            self._start(Heading(collective=run.collective, ranks=run.ranks, launcher="torch"))
            self.spoken = run.nbytes
            return True
        if self.spoken and (row := sentences.rate_of(number, line, self.spoken)):
            self._add("sentence", row)
            return True
        if layout := formats.layout_of(line):
            self._start(self.heading if self.table is None else self.heading.again())
            self.layout = layout
            return True
        row = formats.row_of(number, line, self.layout) if self.layout else None
        if row and self.layout:
            self._add(self.layout.tool, row).windowed = self.layout.windowed
        elif (said := formats.said_by(line)) is not None:
            started = launch.launched(line) | said
            self._start(Heading(**started) if self.table else self.heading.filled(**started))
            return True
        return row is not None

    def _about(self, number: int, line: str) -> bool:
        """Whether *line* says something about a run, and is no row."""
        if hint := hint_of(line):
            self.hints.setdefault(hint, number)
            self.heading.hints.setdefault(hint, number)
        self.heading.algorithm = algorithm_of(line) or self.heading.algorithm
        name, launched = nccl.binary_of(line), launch.launched(line)
        if name and "concluded" in line and self.table:
            self.table.heading.collective = self.table.heading.collective or name
        elif name or launched:
            self._start(Heading(collective=name, ranks=launched.get("ranks"), nodes=launched.get("nodes")))
        elif nccl.starts_a_run(line) and (self.table or self.heading.listed):
            self._start(Heading())
        if test := nccl.unknown_binary(line):
            self._start(Heading(other=test))
        if name or test or launched or nccl.heading_of(line, self.heading):
            return True
        self.pairs = osu.pairs_of(line) or self.pairs
        if self.table and (mean := nccl.mean_of(line)):
            self.table.mean_busbw = mean
        if wrong := nccl.out_of_bounds(line):
            self._complain(f"line {number}: the test counts {wrong} results out of bounds")
        return line.lstrip().startswith("#") and nccl.columns_of(line) is None and osu.title_of(line) is None \
            and plain.columns_of(line) is None

    def _osu(self, number: int, line: str) -> bool:
        if title := osu.title_of(line):
            self._start(Heading(collective=title.collective or None, ranks=self.heading.ranks, nodes=self.heading.nodes))
            self.title, self.pairs = title if title.collective else None, 1
            if title.collective == "send_recv":
                self.heading.ranks = 2
            return True
        if self.title is None:
            return False
        ranks = self.told["ranks"] or self.heading.ranks
        row = osu.row_of(number, line, self.title, ranks, self.pairs)
        if row and self.title.per_rank and not ranks:
            raise ValueError(f"line {number}: this test prints the bytes of one rank, and nothing says how many ranks there "
                             f"were; name them: ranks=8.")
        if row:
            table = self._add("osu", row)
            table.device, table.windowed, table.launcher = self.title.device, self.title.rates, self.title.launcher
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
        if self.table and self.table.turns(row.nbytes):
            self.heading, self.table = self.heading.again(), None
        table = self.table
        if table is None:
            table = self.table = Table(kind, self.heading)
            self.tables.append(table)
        self.rows += 1
        if self.rows > MOST_ROWS:
            raise ValueError(f"line {row.line}: more than {MOST_ROWS} rows; no benchmark prints so many.")
        if table.rows and row.nbytes == table.rows[-1].nbytes and row.seconds is BLANK and row.in_place.value > 0:
            table.rows[-1] = table.rows[-1].with_in_place(row)
        elif row.nbytes == 0:
            table.empty_rows += 1
        elif problem := own_problem(row):
            self._complain(f"{problem}; the row is not used")
        elif table.rows and row.nbytes == table.rows[-1].nbytes:
            table.twice.append(row)
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
