"""One pass over the lines of a log: the tables in it, each with the heading it stands under."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import fit, formats, hints, launch, nccl, osu, pairs, plain, sentences
from .agree import own_problem
from .prefix import Prefix, shared
from .rows import AS_READ, BLANK, MOST_PROBLEMS, MOST_ROWS, Heading, Row, Table

MOST_BEGUN = 4096  # characters of a command over several lines
NO_RANKS = "line {}: this test prints the bytes of one rank, and nothing says how many ranks there were; name them: ranks=8."
CUT_OFF = "line {}: this looks like a row of the table and cannot be read: it is cut off, or another process wrote into it"
_SIGNS = ("#", *(sign for room in (formats, hints, launch, nccl, osu, pairs, sentences) for sign in room.SIGNS))
_READERS = {"collective": plain.collective_of, "ranks": plain.count_of, "nodes": plain.count_of}


def _signed(line: str) -> bool:
    """Whether a line may say something about a run: most of a long log does not."""
    for sign in _SIGNS:  # noqa: SIM110 - any() takes three times as long, and there may be millions of lines
        if sign in line:
            return True
    return False


class Gatherer:
    """Takes the lines of a log one by one; `tables` are those found so far, `problems` what no table owns."""

    def __init__(self, collective: str | None = None, ranks: int | None = None, nodes: int | None = None):
        self.told: dict[str, Any] = {"collective": collective, "ranks": ranks, "nodes": nodes}
        self.heading = Heading()
        self.table: Table | None = None
        self.columns: tuple[str, ...] | None
        self.title: osu.Title | None
        self.plain: plain.Columns | None
        self.spoken: float | None
        self.tables: list[Table] = []
        self.problems: list[str] = []
        self.hints: dict[str, None] = {}
        self.lines = self.rows = 0
        self.pairs = 1
        self.matrix = ""  # of pairs, if one is there: the sentence that says so
        self.batch: dict[str, int] = {}
        self._unread, self._prefix, self._begun, self._before, self._last = 0, "", "", Prefix(), ""
        self._start(Heading())

    def _start(self, heading: Heading) -> None:
        """What follows belongs to a new run; what was said before its first line is said of it."""
        if self.table is None:
            heading.hints |= self.heading.hints
            heading.algorithm = heading.algorithm or self.heading.algorithm
        self.heading, self.table = heading, None
        self.columns = self.title = self.plain = self.spoken = None

    def take(self, number: int, line: str) -> None:
        """Take in one line."""
        self.lines = number
        if nccl.DEBUG in line and not self._begun:  # most of a long log, and no table
            self._hinted(line)
            if line[0] == " " and self.columns and nccl.nearly_a_row(line, self.columns):
                self._complain(CUT_OFF.format(number))
            return
        line = self._before.off(line)
        if line.endswith("\\") and len(self._begun) < MOST_BEGUN:  # a command goes on in the next line
            self._begun += line[:-1]
            return
        line, self._begun = self._begun + line, ""
        if not line or line.isspace():
            if self.plain and self.plain.separator != plain.BLANKS:
                self.plain = None
        elif not (self._names_its_collective(number, line)
                  or _signed(line) and (self._declared(number, line) or self._about(number, line))):
            self._osu(number, line) or self._plain(number, line) or self._nccl(number, line)
        self._last = line

    def _names_its_collective(self, number: int, line: str) -> bool:
        """Take in a row with a cell for its collective: that may be a program's name, which begins a run anywhere else."""
        return self.plain is not None and plain.names_collective(line, self.plain) and self._plain(number, line)

    def _declared(self, number: int, line: str) -> bool:
        """Take in a line in which a tool says what it runs, or one of a tool that speaks in sentences."""
        if run := sentences.run_of(line):
            self._begin(collective=run.collective, ranks=run.ranks, launcher="torch")
            self.spoken = run.nbytes
            return True
        if self.spoken and (row := sentences.rate_of(number, line, self.spoken)):
            self._add("sentence", row)
            return True
        if self.title and (place := osu.place_of(line, self.title)):
            self.title = replace(self.title, place=place)
            return True
        if (said := formats.said_by(line)) is None:
            return False
        self._begin(**(launch.launched(line, self.batch) | said))
        return True

    def _begin(self, **said) -> None:
        """Begin a run of which *said* is known; what was said before its first line, and a launcher said of it, still holds."""
        if self.table is None:
            self._start(replace(self.heading, **said))
        else:
            alike = said.get("ranks") in (None, self.heading.ranks)
            kept = {name: getattr(self.heading, name) for name in ("ranks", "nodes")} if alike else {}
            self._start(Heading(**(kept | said)))

    def _hinted(self, line: str) -> None:
        """Take in what *line* gives away of how the library is set and what it uses."""
        if hint := hints.hint_of(line):
            self.hints.setdefault(hint)
            self.heading.hints.setdefault(hint)
        self.heading.algorithm = hints.algorithm_of(line) or self.heading.algorithm

    def _about(self, number: int, line: str) -> bool:
        """Whether *line* says something about a run, and is no row."""
        self.matrix = self.matrix or pairs.title_in(number, line, self._before)
        self._hinted(line)
        self.batch |= launch.asked_for(line)
        name, launched = nccl.binary_of(line), launch.launched(line, self.batch)
        if name and "concluded" in line and self.table:
            self.table.heading.collective = self.table.heading.collective or name
        elif name or launched:
            self._start(Heading(collective=name, ranks=launched.get("ranks"), nodes=launched.get("nodes")))
            self.title = osu.command_of(line)
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
            self._start(Heading(ranks=self.heading.ranks, nodes=self.heading.nodes))
            self.title, self.pairs = title, 1
            return True
        if self.title is None:
            return False
        title = self.title if self.title.collective else replace(self.title, collective=self.told["collective"] or "")
        ranks = self.told["ranks"] or self.heading.ranks
        row = osu.row_of(number, line, title, ranks, self.pairs)
        if row and title.per_rank and not ranks:
            raise ValueError(NO_RANKS.format(number))
        if row:
            self.heading.collective, self.heading.other = title.collective or None, title.other
            if title.collective == "send_recv":
                self.heading.ranks = 2
            table = self._add("osu", row)
            table.device, table.windowed, table.launcher = title.device, title.rates, title.launcher
        return row is not None

    def _plain(self, number: int, line: str) -> bool:
        columns = plain.columns_of(line)
        if columns and (words := shared(line, self._last)) and (behind := plain.columns_of(line[len(words):])):
            columns = behind._replace(before=words + behind.before)
        if columns and (nccl.columns_of(line) is None or columns.says_more):
            self._start(self.heading if self.table is None else Heading())
            if self.heading.collective is None:
                self.heading = replace(self.heading, **formats.of_header(line))
            self._before.learn(columns.before)
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
            self.heading, self.table = replace(self.heading.again(), **values), None
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
            self._complain(CUT_OFF.format(number))
        return row is not None

    def _add(self, kind: str, row: Row) -> Table:
        """Put a row into the table that it belongs to, unless something is wrong with it, and return the table."""
        row = self._whole(row)
        if self.table and self.table.turns(row):
            self.heading, self.table = self.heading.again(), None
        table = self.table
        if table is None:
            table = self.table = Table(kind, self.heading)
            self.tables.append(table)
        self.rows += 1
        if self.rows > MOST_ROWS:
            raise ValueError(f"line {row.line}: more than {MOST_ROWS} rows; no benchmark prints so many.")
        row = self._fitted(table, row)
        if table.rows and row.nbytes == table.rows[-1].nbytes and row.seconds is BLANK and row.in_place.value > 0:
            both = table.rows[-1].with_in_place((table.units or AS_READ).of(row, ranks=1))
            if problem := own_problem(both._replace(line=row.line)):
                self._complain(f"{problem}; the in-place half is not used")
            else:
                table.rows[-1] = both
        elif row.nbytes == 0:
            table.empty_rows += 1
        elif problem := own_problem(row):
            self._complain(f"{problem}; the row is not used")
        elif table.rows and row.nbytes == table.rows[-1].nbytes:
            table.twice.append(row)
        else:
            table.rows.append(row)
        return table

    def _whole(self, row: Row) -> Row:
        """Return *row* as nccl-tests would print it: the whole buffer, and the rate of one way."""
        heading = self.heading
        if heading.ways > 1:
            row = row.scaled(1.0, 1 / heading.ways)
        collective, ranks = self.told["collective"] or heading.collective, self.told["ranks"] or heading.ranks
        if not heading.part or collective not in osu.PER_RANK:
            return row
        if not ranks:
            raise ValueError(NO_RANKS.format(row.line))
        return row._replace(nbytes=row.nbytes * ranks)

    def _fitted(self, table: Table, row: Row) -> Row:
        """Return *row* in the units in which its figures agree; those of the rows above it, where these have told."""
        if self._unread > MOST_PROBLEMS or not row.nbytes > 0:
            return row
        collective, ranks = self.told["collective"] or table.heading.collective, self.told["ranks"] or table.heading.ranks_told
        before = table.units or (fit.Units(binary=True) if table.heading.binary else None)
        units = fit.fitted(row, collective, ranks, before)
        if units is None or table.units not in (None, units):
            return row
        if units != AS_READ or fit.speaks(row):
            said = units._replace(binary=units.binary and not table.heading.binary).said
            if table.units is None and said:
                table.notes.append(said)
            table.units = units
        return units.of(row, ranks)

    def _complain(self, problem: str) -> None:
        self._unread += 1
        if self._unread <= MOST_PROBLEMS:
            self.problems.append(problem)

    def unlisted(self) -> int:
        """Return how many problems came after the last one listed."""
        return max(0, self._unread - MOST_PROBLEMS)
