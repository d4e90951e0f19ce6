"""What a launcher or a collector of logs writes before each line: learnt from the paste itself, and taken away.

mpirun tags, srun's numbers, kubectl's and journald's times, a terminal's line numbers: the same stands before every line, but for
numbers, days and months. A line that a test is known to begin with a mark shows what stands before it.
"""

from __future__ import annotations

import itertools
import re

LONGEST = 120  # characters of a prefix
_MARK = re.compile(r"#\s{0,12}(?:[Ss]ize|bytes|OSU|nThread|Collective test|Rank\s|Using devices|[a-z]\w{0,40}_perf|nccl-tests|"
                   r"Benchmarking)\b|-{3,8} Performance of |\bThe (?:average bandwidth|\w{1,12} payload bandwidth) of ")
# mpirun's own tag stands in the middle of a line even where it stands before none.
_TAG = re.compile(r"\[[^\[\]]{1,80},\d{1,9}\]<std(?:out|err)>:?")
_WORD, _MOST_WORDS = re.compile(r"(?<!\S)\S++\s++"), 4
_PIECES = re.compile(r"\d+|\s+|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")


class Prefix:
    """Takes away what stands before each line, once a line has shown it.

    >>> prefix = Prefix()
    >>> prefix.off("May  1 10:11:12 node01 nccl[4321]: # all_reduce_perf")
    '# all_reduce_perf'
    >>> prefix.off("May 11 10:11:13 node07 nccl[4321]:   1048576   262144")
    '1048576   262144'
    """

    def __init__(self) -> None:
        self._before: re.Pattern[str] | None = None
        self._inside, self._sign, self._after = _TAG, "]<std", ""

    def off(self, line: str) -> str:
        """Return *line* without what a prefix that was learnt takes; learn it from *line*, if that shows it."""
        if ("#" in line or "e of " in line or "h of " in line) and (mark := _MARK.search(line)):
            self.learn(line[:mark.start()])
        if self._before and (match := self._before.match(line)):
            line = line[match.end():].removesuffix(self._after)
        # Where a process flushes half a line, its tag stands in the middle of one.
        return self._inside.sub(" ", line) if self._sign in line else line

    def learn(self, text: str) -> None:
        """Learn that *text* stands before every line, and its like; nothing, where it cannot be."""
        if not text.strip() or len(text) > LONGEST or (self._before and self._before.fullmatch(text)):
            return
        self._before, self._after = re.compile(_pattern(text)), '"' if text.rstrip().endswith('"') else ""
        tag = text.strip()
        tagged = "[" in tag and not any(map(str.isspace, tag))
        self._inside, self._sign = (re.compile(_pattern(tag)), "[") if tagged else (_TAG, "]<std")


def shared(line: str, last: str) -> str:
    """Return the bare words that begin *line* as they do the *last* one above it, a pod's name; an empty text where none do.

    >>> shared("pod-1 nccl  size  time", "pod-0 nccl  Using 8 devices")
    'pod-1 nccl  '
    """
    words = [word.end() for word in itertools.islice(_WORD.finditer(line), _MOST_WORDS)]
    return next((line[:end] for end in reversed(words) if re.compile(_pattern(line[:end])).match(last)), "")


def _pattern(text: str) -> str:
    """Return a pattern for *text* and its like: other numbers, days and months, more or fewer blanks."""
    found, at = "", 0
    for piece in _PIECES.finditer(text):
        found += re.escape(text[at:piece.start()])
        found += r"\d++" if piece[0].isdigit() else r"\s*+" if piece[0].isspace() else "[A-Z][a-z]{2}"
        at = piece.end()
    return found + re.escape(text[at:]) + r"\s*+"
