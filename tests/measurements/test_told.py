"""What a log says without saying it: its collective from its columns, lines that were cut, results that are wrong."""

import pytest
from written_logs import Run, nccl
from written_tools import TOOLS

from fabriclib import catalog
from fabriclib.collectives.busbw import factor
from fabriclib.measurements import as_read, beside, largest, percent, published, read_measurements
from fabriclib.measurements.about import about
from fabriclib.measurements.gather import Gatherer
from fabriclib.measurements.nccl import nearly_a_row, row_of
from fabriclib.measurements.rows import whole_number

SIZES = [2**21, 2**22]
UNNAMED = {"all_reduce": 8, "all_gather": 8, "reduce_scatter": 8, "all_to_all": 8, "broadcast": 8, "reduce": 8, "gather": 8}


@pytest.mark.parametrize(("collective", "ranks"), UNNAMED.items())
def test_the_columns_tell_the_collective_where_no_name_does(collective, ranks):
    """By the operation, the root, busbw over algbw, and whether there is an in-place half at all."""
    frame = read_measurements(nccl(Run(collective, ranks, 1, SIZES, [210.0, 410.0], [215.0, 400.0], named=False)))
    assert frame["collective"].tolist() == [collective] * 2
    assert frame.attrs["notes"] == [f"the log names no collective; {collective} from its columns"]


@pytest.mark.parametrize(("mark", "collective"), [("N/A", "send_recv"), ("0", "all_reduce")])
def test_between_two_ranks_a_sum_is_a_transfer_where_it_cannot_be_in_place(mark, collective):
    half = "209.7  10.00  10.00"
    row = f"2097152  524288  float  sum  -1  {half}  0  {half}  {mark}\n"
    assert read_measurements(row, ranks=2)["collective"].tolist() == [collective]


ROW = "1048576 262144 float sum -1 104.9 10.00 17.50 0"
HEAD = ("size", "count", "type", "redop", "root", "time", "algbw", "busbw", "wrong")


@pytest.mark.parametrize(("line", "columns", "prefix", "cut"), [
    ("  8388608  2097152  float  sum  -1  15", None, "", True), ("  8388608  2097152  float", HEAD, "", True),
    ("  8388608  2097152  flo", HEAD, "", False), ("  8388608  2097152", HEAD, "", True), ("  8388608", HEAD, "", True),
    ("12", HEAD, "", False), ("  8388608  2097152  4  5", HEAD, "", False), ("  8388608  many  float", HEAD, "", False),
    ("  8388608  209.7  10.0", ("size", "time", "algbw", "busbw"), "", True),
    ("  8388608  2097152  209.7  10.0", ("size", "count", "time", "algbw"), "", True),
    ("  8388608  float  sum  15", ("size", "type", "redop", "time"), "", True),
    ("  8388608  float", ("size", "type", "redop", "time"), "", True), ("  8388608  15", ("size", "type", "time"), "", False),
    ("  8388608  15.2", ("size", "time", "type"), "", False),
    ("worker-3 |  8388608  2097152  float  sum", HEAD, "worker-0 |", True),
    ("worker-3 |  starting", HEAD, "worker-0 |", False), ("other-3 |  8388608  2097152  float", HEAD, "worker-0 |", False),
    ("all is well", HEAD, "", False)])
def test_a_line_that_begins_as_a_row_does_was_cut(line, columns, prefix, cut):
    assert nearly_a_row(line, columns, prefix) is cut


def test_a_table_without_roots_has_none():
    text = "# size  count  type  redop  time  algbw  busbw  error\n1048576  262144  float  sum  104.9  10.00  17.50  0e+00\n"
    assert read_measurements(text)["collective"].tolist() == ["all_reduce"]


def test_what_has_a_figure_for_an_operation_is_no_row():
    assert row_of(1, "1048576 262144 float sum -1 104.9 10.00 17.50 0", HEAD).redop == "sum"
    for line in ("1048576 262144 float 9.9 -1 104.9 10.00 17.50 0", f"12 {ROW}", ROW.replace("-1", "one"), "1048576 104.9"):
        assert row_of(1, line, HEAD) is None


@pytest.mark.parametrize("rate", ["busbw", "algbw"])
def test_a_header_needs_one_rate_alone(rate):
    frame = read_measurements(f"# all_gather_perf\n# size time {rate}\n1048576 104.9 10.00\n", ranks=8)
    assert frame["seconds"].tolist() == pytest.approx([104.9e-6])


def test_a_row_that_was_cut_behind_what_a_launcher_wrote_is_missed():
    frame = read_measurements(f"worker-0 | {ROW}\nworker-1 | 2097152 524288 float sum -1 15\nworker-1 | done 3 4\n")
    assert frame["nbytes"].tolist() == [2**20]
    assert [problem[:31] for problem in frame.attrs["problems"]] == ["line 2: this looks like a row o"]


def test_elements_of_a_type_that_is_not_known_are_not_counted():
    frame = read_measurements(f"# all_reduce_perf\n{ROW.replace('float', 'float4x')}\n", ranks=8)
    assert (frame["nbytes"].tolist(), frame.attrs["problems"]) == ([2**20], [])


def test_a_sentence_may_leave_out_the_ranks():
    text = "The average bandwidth of all_reduce with a 4.0GB payload:\n algbw: 2.000 GBps (16.0 Gbps)\n"
    assert read_measurements(text)["ranks"].isna().all()
    assert set(map(str, read_measurements(text).dtypes[["ranks", "nodes"]])) == {"Int64"}
    assert read_measurements(text, ranks=8)["seconds"].tolist() == pytest.approx([2.0])


def test_where_the_ratio_is_the_same_for_any_ranks_nothing_is_noted():
    frame = read_measurements("# broadcast_perf\n" + ROW.replace("sum  -1", "none 0").replace("17.50", "10.00") + "\n")
    assert frame["ranks"].isna().all()
    assert (frame.attrs["notes"], frame.attrs["problems"]) == ([], [])


def test_rates_of_few_digits_tell_no_collective():
    """Of 0.01 over 0.01 the digits allow half or twice as much; the large sizes have digits, and a reduce-scatter's ratio."""
    small = [f"{4 * 2**k} {2**k} float sum -1 {0.4 * 2**k:.1f} 0.01 0.01 0\n" for k in range(4, 8)]
    large = [f"{n} {n // 32} float sum -1 {n / 1e4:.1f} 10.00 8.75 0\n" for n in (2**20, 2**21)]
    frame = read_measurements("".join(small + large))
    assert set(frame["collective"]) == {"reduce_scatter"}
    assert set(frame["ranks"]) == {8}


def test_a_ratio_that_no_number_of_ranks_has_is_named():
    """Of an all-gather it is 0.5 for two ranks and 0.67 for three; none has 0.3, none 0.6, and none more than 1."""
    for bus in ("3.00", "6.00", "17.50"):
        frame = read_measurements(f"# all_gather_perf\n# size time algbw busbw\n1048576 104.9 10.00 {bus}\n")
        assert frame["ranks"].isna().all()
        assert "no number of ranks explains" in frame.attrs["problems"][0]
    told = read_measurements("# all_gather_perf\n# size time algbw busbw\n1048576 104.9 10.00 17.50\n", ranks=4)
    assert "no number of ranks explains" in told.attrs["problems"][0]


def test_two_runs_that_list_their_ranks_are_two_jobs():
    run = Run("all_reduce", 4, 2, SIZES, [210.0, 410.0], [215.0, 400.0])
    ranks = [line + "\n" for line in nccl(run).splitlines() if "Rank" in line]
    frame = read_measurements(nccl(run).replace(ranks[0], "".join(ranks) + ranks[0]))
    assert about(frame).jobs == 2
    assert frame.attrs["problems"] == [
        "line 16: 2 separate runs wrote this table at once, and none knew of the others: the test was built without MPI; build "
        "it with MPI=1. The first row of each size is used"]
    assert (frame["ranks"][0], frame["nodes"][0]) == (4, 1)


@pytest.mark.parametrize("halves", [1, 2])
def test_sizes_of_nothing_count_in_the_printed_average(halves):
    """Below so few bytes that no rank has one, nccl-tests print rows of 0 bytes and count their rates, which are 0."""
    rows = ["0 0 float sum -1" + " 5.0 0.00 0.00 0" * halves, "1048576 262144 float sum -1" + " 104.9 10.00 17.50 0" * halves]
    text = "\n".join(["# all_reduce_perf", *rows, "# Avg bus bandwidth    : {}", ""])
    assert read_measurements(text.format("8.75"), ranks=8).attrs["notes"] == []
    assert "rows are missing" in read_measurements(text.format("5.83"), ranks=8).attrs["notes"][0]


def test_elements_that_are_not_the_buffer_are_named_be_it_one():
    row = "64 1 float none -1 10.0 0.01 0.01 0\n"
    assert read_measurements("# all_gather_perf\n" + row, ranks=8).attrs["problems"] == [
        "line 2: 1 elements of float for each of 8 parts are not 64 B: the ranks or the collective are others"]
    assert read_measurements("# all_gather_perf\n" + row, ranks=16).attrs["problems"] == []


@pytest.mark.parametrize(("sizes", "tables"), [((1, 2, 4), (0, 0, 0)), ((1, 2, 1), (0, 0, 1)), ((4, 2, 1), (0, 1, 2)),
                                              ((1, 2, 2, 4), (0, 0, 0))])
def test_sizes_that_shrink_are_a_next_table(sizes, tables):
    rows = "".join(f"{n * 2**20} {n * 2**18} float sum -1 {n * 104.9:.1f} 10.00 17.50 0\n" for n in sizes)
    frame = read_measurements("# all_reduce_perf\n" + rows)
    assert tuple(frame["table"]) == tables


@pytest.mark.parametrize(("sizes", "tables"), [((4, 2, 1), (0, 0, 0)), ((1, 2, 1), (0, 0, 1)), ((4, 2, 1, 4, 2), (0, 0, 0, 1, 1)),
                                              ((4, 4, 2), (0, 0)), ((1, 2, 4, 2), (0, 0, 0, 1))])
def test_a_plain_table_may_have_the_largest_first(sizes, tables):
    rows = "".join(f"{n}000000,{n}e-4\n" for n in sizes)
    assert tuple(read_measurements("nbytes,seconds\n" + rows, collective="all_reduce")["table"]) == tables


@pytest.mark.parametrize("text", ["\u0668", "", "x", "-1", "1.0", "1" * 19, "8\u00b2"])
def test_what_is_no_whole_number_is_refused(text):
    assert whole_number("1_024") == 1024
    with pytest.raises(ValueError, match="^" + text):
        whole_number(text)


def test_problems_are_counted_and_not_kept():
    found = Gatherer()
    for number, line in enumerate(["# all_reduce_perf", *["   4194304   1048576   float   sum   -1   15"] * 30], start=1):
        found.take(number, line)
    assert (len(found.problems), found.unlisted()) == (0, 0)  # no table has begun
    for number, line in enumerate([ROW, *["   4194304   1048576   float   sum   -1   15"] * 30], start=1):
        found.take(number, line)
    assert (len(found.problems), found.unlisted()) == (20, 10)


def test_of_many_problems_twenty_are_listed_and_the_others_counted():
    text = nccl(Run("all_reduce", 8, 1, SIZES, [210.0, 410.0], [215.0, 400.0]))
    frame = read_measurements(text + "   4194304   1048576   float   sum   -1   15\n" * 25)
    assert len(frame.attrs["problems"]) == 21
    assert frame.attrs["problems"][-1] == "5 more problems of this kind are not listed"


@pytest.mark.parametrize(("title", "cells"), [("Allreduce Latency Test v7.4\n# Size  Avg Latency(us)  Validation", "209.70"),
                                              ("Bandwidth Test v7.4\n# Size  Bandwidth (MB/s)  Validation", "10000.00")])
def test_a_validation_that_failed_is_wrong_results(title, cells):
    for mark, wrong in (("Pass", False), ("Fail", True), ("-", False), ("", False)):
        frame = read_measurements(f"# OSU MPI-CUDA {title}\n[1,0]<stdout>: 2097152  {cells}  {mark}\n", ranks=2)
        assert frame["nbytes"].tolist() == [2**21]
        assert about(frame).wrong is wrong


@pytest.mark.parametrize(("command", "windowed", "device", "rate"), [
    ("osu_bw -d cuda", True, True, 1.0), ("osu_bibw D D", True, True, 0.5), ("osu_mbw_mr", True, False, 1.0),
    ("osu_latency", False, False, None)])
def test_the_command_of_a_test_without_its_title_says_what_was_run(command, windowed, device, rate):
    frame = read_measurements(f"mpirun -np 2 ./{command}\n# Size  X\n1000000  1000.00\n")
    assert (about(frame).windowed, about(frame).device, about(frame).launcher) == (windowed, device, "osu")
    assert frame["algbw"][0] == pytest.approx(1e9 if rate is None else rate * 1e9)


@pytest.mark.parametrize(("title", "device", "launcher", "parts"), [
    ("MPI Allreduce Latency Test v7.4", False, "osu", 1), ("MPI-CUDA Allreduce Latency Test", True, "osu", 1),
    ("NCCL-CUDA Allreduce Latency Test", True, "mpi", 1), ("MPI-ROCM Gather Latency Test", True, "osu", 8),
    ("MPI Reduce_scatter Latency Test", False, "osu", 1), ("RCCL Alltoall Latency Test", True, "mpi", 8)])
def test_an_osu_title_says_whose_memory_and_whose_kernels_they_were(title, device, launcher, parts):
    frame = read_measurements(f"# OSU {title}\n# Size  Avg Latency(us)\n1048576  100.00\n", ranks=8)
    assert (about(frame).device, about(frame).launcher, about(frame).windowed) == (device, launcher, False)
    assert (frame["nbytes"][0], frame["seconds"][0]) == (parts * 2**20, pytest.approx(100e-6))


def test_a_test_that_shall_count_as_a_collective_has_its_sizes():
    text = "# OSU MPI Allgatherv Latency Test v7.4\n# Size  Avg Latency(us)\n8  1.00\n"
    assert read_measurements(text, collective="all_gather", ranks=4)["nbytes"].tolist() == [32]
    assert read_measurements(text, collective="all_reduce", ranks=4)["nbytes"].tolist() == [8]


def test_nccl_1_prints_milliseconds():
    head = "# all_reduce_test_perf\nbytes  N  type  op  time  algbw  busbw  res\n"
    text = head + "1048576  262144  float  sum  0.102  10.28  17.99  0e+00\n"
    assert read_measurements(text)["seconds"].tolist() == [0.102e-3]


def test_a_rate_that_says_nothing_is_named_with_its_line():
    frame = read_measurements("# OSU MPI Bandwidth Test v7\n# Size  Bandwidth (MB/s)\n1  0.00\nnode1: 8  10.00\n")
    assert (frame["nbytes"].tolist(), frame["ranks"].tolist()) == ([8], [2])
    assert frame.attrs["problems"] == ["line 3: the rate of 1 B is 0 B/s; the row is not used"]


def test_a_file_that_cannot_be_opened_is_told_with_the_system_s_reason(tmp_path):
    with pytest.raises(ValueError, match=r"no file of that name can be opened \(No such file or directory\)"):
        read_measurements(tmp_path / "none.log")
    with pytest.raises(ValueError, match=r"no file of that name can be opened \(it cannot be a path\)"):
        read_measurements("a\0b")


# ------------------------------------------------------------------ published tables

def test_the_largest_row_is_the_last_one_and_its_rate_is_that_of_nccl_tests():
    """16 GiB in 127.997 ms are 134.2 GB/s, 7/4 of it 234.9."""
    one = largest("a100x8-nvswitch-ar")
    assert (one.ranks, one.nbytes, one.seconds) == (8, 16 * 2**30, 0.127997)
    assert one.busbw / 1e9 == pytest.approx(234.9, abs=0.05)


@pytest.mark.parametrize("row", catalog.rows("measurement_tables")[::7], ids=lambda row: row["id"])
def test_a_published_table_has_the_form_of_a_log_that_was_read(row):
    table, log = as_read(row["id"]), read_measurements(nccl(Run("all_reduce", 8, 1, SIZES, [210.0, 410.0], [215.0, 400.0])))
    assert set(table) == set(log)
    assert set(table.attrs) == set(log.attrs)
    assert about(table).launcher == (row["harness"] or "mpi")
    assert (table["algbw"] * table["seconds"]).tolist() == pytest.approx(table["nbytes"].tolist())
    assert about(table).windowed == (row["tool"] == "osu_bw")
    ratio = float(factor(row["collective"], row["ranks"]))
    assert (table["busbw"] / table["algbw"]).tolist() == pytest.approx([ratio] * len(table))


@pytest.mark.parametrize("blank", ["", "na", "NA", "N/A", "nan", "-"])
def test_a_cell_may_be_blank_in_many_ways(blank):
    frame = read_measurements(f"nbytes,seconds,in place (us)\n1048576,1e-4,{blank}\n2097152,2e-4,190\n", collective="all_reduce")
    assert frame["in_place"].isna().tolist() == [True, False]
    assert frame["in_place"][1] == pytest.approx(190e-6)


def test_a_column_named_as_a_flag_may_hold_the_seconds_of_the_other_half():
    frame = read_measurements("size,inPlace,time (us)\n1048576,1.1e-4,100\n", collective="all_reduce")
    assert frame["in_place"].tolist() == [1.1e-4]


def test_a_model_stands_beside_what_was_measured():
    run = published("a100x8-nvswitch-ar").iloc[-1:]
    said = beside(run, 0.140797)
    assert said.to_dict("list") == {"message": ["16 GiB"], "model": ["141 ms"], "measured": ["128 ms"], "error": ["+10 %"]}
    assert percent(0) == "+0 %"
    with pytest.raises(ValueError, match="^fraction must be"):
        percent("10 %")


@pytest.mark.parametrize(("measured", "predicted", "said"), [
    (3, 1.0, "measured must be a DataFrame with columns nbytes and seconds; got 3"),
    ("frame", 1.0, "measured must be a DataFrame with columns nbytes and seconds"),
    ("table", [1.0, 2.0, 3.0], r"predicted must be one number of seconds, or one for each of the \d+ rows; got shape \(3,\)"),
    ("table", -1.0, "predicted must be .*-1")])
def test_what_cannot_stand_beside_a_table_is_refused(measured, predicted, said):
    table = published("a100x8-nvswitch-ar")
    measured = {"frame": table[["nbytes"]], "table": table}.get(measured, measured)
    with pytest.raises(ValueError, match=said):
        beside(measured, predicted)


def test_one_rank_s_part_is_asked_for():
    text, *_ = TOOLS["IMB counts one rank's part"]
    with pytest.raises(ValueError, match=r"^line \d+: this test prints the bytes of one rank, and nothing says how many ranks"):
        read_measurements(text.replace("#processes = 8", "#processes = ?"))
