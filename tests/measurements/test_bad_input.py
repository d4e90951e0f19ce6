"""Whatever is fed in, the answer is a table or one sentence with a line number, and memory does not grow with the log."""

from __future__ import annotations

import re
import tracemalloc

import pandas  # noqa: F401 - loaded before memory is counted
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from written_logs import Run, nccl

from fabriclib.diagnosis import compare
from fabriclib.measurements import gather, read_measurements
from fabriclib.measurements.lines import numbered

RUN = nccl(Run("all_reduce", 8, 1, [2**k for k in range(20, 30)], [100.0 * 1.7**k for k in range(10)], [100.0] * 10))

LINES = RUN.split("\n") + ["nbytes,seconds", "8,9", "# OSU MPI Allreduce Latency Test v7", "1 2"]


@pytest.mark.parametrize(("bad", "said"), [
    ("", "line 1: the log is empty"), (b"", "line 1: the log is empty"), ("\n\n", "line 2: .*no table"), (" ", "line 1: .*empty"),
    (b"\x7fELF\x02\x01\0\0", "line 1: this is no text"), (b"ok\n" + bytes(range(128, 256)) * 4, "line 2: this is no text"),
    (b"\x1f\x8b\x08\0", "line 1: this is a gzip file"), (b"PK\x03\x04", "zip"), (b"\x28\xb5\x2f\xfd\x00", "a Zstandard file"),
    ("a\0b\nc", "line 1: this is no text"),
    ("hello\nworld\n", "line 2: .*no table"), (RUN[:900], r"line \d+: the log ends before the first row"),
    ("size,color\n1,red\n", "line 2: .*no table"), ("nbytes,seconds\n1,red\n", "line 2: a cell is no number.*red"),
    ("nbytes,busbw\n8,1e9\n", "line 2: .*which collective"), ("no-such-file.log", "line 1: .*no file of that name"),
    (42, "must be a path"),
    (None, "must be a path"), (["a"], "must be a path"), ("x" * 10_000, "line 1: .*no file of that name"),
])
def test_what_is_no_log_is_refused_in_one_sentence(bad, said):
    with pytest.raises(ValueError, match=said) as problem:
        read_measurements(bad)
    assert "\n" not in str(problem.value)
    assert len(str(problem.value)) < 300


def test_options_are_checked_like_all_others():
    with pytest.raises(ValueError, match="Did you mean 'all_reduce'"):
        read_measurements(RUN, collective="allreduce")
    with pytest.raises(ValueError, match="^ranks must be a whole number"):
        read_measurements(RUN, ranks=0)
    with pytest.raises(ValueError, match="^nodes must be a whole number"):
        read_measurements(RUN, nodes=1.5)


def test_markup_and_escapes_never_come_out_again():
    evil = "<script>alert(1)</script>\x1b[2J"
    frame = read_measurements(f"{evil}\n{RUN}\n 1048576 {evil} float sum -1 {evil}\nnbytes,seconds\n{evil},1\n")
    said = str(frame.attrs) + frame.to_csv()
    assert "\x1b" not in said
    assert len(frame) == 10


def test_a_line_of_a_million_columns_is_passed_over():
    wide = ",".join(["1"] * 1_000_000)
    assert len(read_measurements(f"{wide}\n{RUN}{wide}")) == 10
    with pytest.raises(ValueError, match="line 2: .*no table"):
        read_measurements(f"nbytes,seconds,{wide}\n{wide}")


def test_a_log_may_be_in_utf_16_as_windows_writes_it():
    assert len(read_measurements(RUN.encode("utf-16"))) == 10
    assert len(read_measurements(b"\xef\xbb\xbf" + RUN.encode())) == 10


def test_more_rows_than_any_benchmark_prints_are_refused(monkeypatch):
    monkeypatch.setattr(gather, "MOST_ROWS", 100)
    with pytest.raises(ValueError, match="line 101: more than 100 rows"):
        read_measurements("".join(f"{4 + i} 1 float sum -1 10.0 0.0 0.0 0\n" for i in range(101)))


def test_a_gigantic_log_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "huge.log"
    noise = "node1:43:61 [0] NCCL INFO Channel 00/16 : 0 1 2 3 4 5 6 7\n" * 1000
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(10):
            file.write(noise)
        file.write("x" * 6_000_000)
        file.write("\n" + RUN)
    tracemalloc.start()
    frame = read_measurements(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(frame) == 10
    assert path.stat().st_size > 6e6
    assert peak < 1e6


def tried(log):
    """Return (table, None) or (None, sentence)."""
    try:
        return read_measurements(log), None
    except ValueError as problem:
        return None, str(problem)


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text + "\n"),
                 st.lists(st.sampled_from(LINES), max_size=30).map(lambda lines: "\n".join(lines) + "\n")))
@example(b"\xff\xfe")
@example("size count type redop root time algbw busbw #wrong\n8 2 float sum -1 1e99 0 0 0\n8 2 float sum -1 0 0 0 0\n")
@example("# size time algbw busbw\n" + "9" * 400 + " 1 1 1\n")
def test_anything_at_all_gives_a_table_or_a_sentence_with_a_line(junk):
    frame, problem = tried(junk)
    assert re.match(r"line \d+: .+", problem) if frame is None else (frame.seconds > 0).all()


PIECES = ["9" * 30, "-1", "nan", "inf", "1e99", "\n", "|", ",", " 0 ", "size", "#  Rank 99999999 on x device", "\u00b2",
          "\u0661", "\x00"]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(RUN)), st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=8))
def test_a_mutilated_log_gives_a_table_that_can_be_compared_or_a_sentence(edits):
    text = RUN
    for at, length, piece in edits:
        text = text[:at] + piece + text[at + length:]
    frame, problem = tried(text + "\n")
    if frame is None:
        assert re.match(r"line \d+: .+", problem)
        return
    one = frame[frame["table"] == 0]
    try:
        assert compare(one, "dgx-h100").verdict
    except ValueError as refused:
        assert "must" in str(refused)  # noqa: PT017 - either answer will do


@settings(max_examples=60)
@given(st.integers(0, len(RUN)))
def test_a_log_cut_anywhere_keeps_the_rows_before_the_cut(at):
    whole = sum(1 for line in RUN[:at].split("\n")[:-1] if " float " in line)
    frame, _ = tried(RUN[:at] + "\n")
    assert whole <= (0 if frame is None else len(frame)) <= whole + 1


def test_digits_of_other_scripts_are_no_figures():
    whole = RUN + "# Avg bus bandwidth    : \u0661\u0662.5\n"
    assert len(read_measurements(whole)) == 10
    assert len(read_measurements(whole.replace("536870912", "\u0665\u0663\u0666870912"))) == 9


def test_lines_are_numbered_as_an_editor_does():
    assert list(numbered("a\r\nb\n\nc")) == [(1, "a"), (2, "b"), (3, ""), (4, "c")]


PLAIN = "collective,ranks,nodes,nbytes,seconds,busbw\nall_reduce,{ranks},{nodes},{nbytes},{seconds},{busbw}\n"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("cells", "said"), [
    ({"seconds": 0}, "line 2: the time of 1 KiB is 0 s; the row is not used"),
    ({"seconds": 0, "busbw": 0}, "line 2: the time of 1 KiB is 0 s"), ({"seconds": -1}, "line 2: the time of 1 KiB is -1 s"),
    ({"seconds": "1e-30"}, "line 2: the time of 1 KiB is 1e-30 s"), ({"seconds": "4e9"}, r"line 2: the time .* is 4e\+09 s"),
    ({"seconds": "", "busbw": -5}, "line 2: the rate of 1 KiB is -5 B/s"),
    ({"seconds": "", "busbw": 0}, "line 2: the rate of 1 KiB is 0 B/s"),
    ({"seconds": "", "busbw": ""}, "line 2: 1 KiB without a time or a rate"),
    ({"nbytes": "1e30"}, r"line 2: a buffer of 1e\+30 bytes"), ({"nbytes": -8}, "line 2: a buffer of -8 bytes"),
    ({"nbytes": ""}, "line 2: a buffer of nan bytes"),
    ({"ranks": 2**64 - 1}, "line 2: ranks cannot be read: it must be a whole number from 1 to 10000000; got '18446"),
    ({"ranks": -1}, "line 2: ranks cannot be read.*got '-1'"), ({"ranks": 0}, "line 2: ranks cannot be read.*got '0'"),
    ({"ranks": "9" * 500}, "line 2: ranks cannot be read"), ({"ranks": "\u0668"}, "line 2: ranks cannot be read"),
    ({"ranks": 2.5}, "line 2: ranks cannot be read"), ({"nodes": 0}, "line 2: nodes cannot be read.*got '0'"),
    ({"nodes": 10**8}, "line 2: nodes cannot be read"),
])
def test_a_row_that_cannot_be_is_named_with_its_line(cells, said):
    row = {"ranks": 8, "nodes": 1, "nbytes": 1024, "seconds": 1e-5, "busbw": ""} | cells
    with pytest.raises(ValueError, match=f"^{said}"):
        read_measurements(PLAIN.format(**row))


def test_what_the_reader_was_told_is_not_asked_of_the_row():
    text = PLAIN.format(ranks=-1, nodes=0, nbytes=1024, seconds=1e-5, busbw="")
    frame = read_measurements(text, ranks=8, nodes=2)
    assert (frame.ranks.tolist(), frame.nodes.tolist()) == ([8], [2])


def test_counts_may_be_written_as_a_column_with_gaps_has_them():
    text = PLAIN.format(ranks="8.0", nodes="1.0", nbytes=1024, seconds=1e-5, busbw="")
    frame = read_measurements(text)
    assert (frame.ranks.tolist(), frame.nodes.tolist()) == ([8], [1])


@pytest.mark.filterwarnings("error")
def test_an_in_place_time_of_nothing_is_named():
    text = "nbytes,seconds,inplace\n1024,1e-5,0\n2048,2e-5,2e-5\n"
    frame = read_measurements(text, collective="all_reduce", ranks=8)
    assert frame.nbytes.tolist() == [2048]
    assert frame.attrs["problems"] == ["line 2: the in-place time of 1 KiB is 0 s; the row is not used"]


def test_a_rate_that_was_rounded_to_nothing_is_no_trouble():
    text = "# all_reduce_perf\n 8 2 float sum -1 10.0 0.00 0.00 0 10.0 0.00 0.00 0\n"
    assert read_measurements(text).attrs["problems"] == []


@pytest.mark.parametrize("line", ["mpirun -np 0 -N 0 x", "srun -N 0 x", "srun -N 999999 --ntasks-per-node=999999 x", "srun x",
                                  "mpirun -np 8 -ppn 0 x"])
def test_a_command_line_that_starts_nothing_tells_nothing_wrong(line):
    frame = read_measurements(f"{line}\n# OSU MPI Allreduce Latency Test\n8 3.0\n")
    assert frame.nodes.isna().all()
    assert frame.ranks.dropna().isin([8]).all()


def test_a_header_whose_first_half_has_no_time_makes_no_rows_of_that_half():
    with pytest.raises(ValueError, match=r"^line \d"):
        read_measurements("# all_reduce_perf\n#  size  nothing  size  busbw\n  20  100.00\n")


@pytest.mark.filterwarnings("error")
def test_a_rate_that_is_printed_as_zero_warns_of_nothing():
    frame = read_measurements("collective,ranks,nbytes,seconds,busbw (GB/s)\nall_reduce,8,8,1e-5,0.00\n")
    assert frame["seconds"].tolist() == [1e-5]
