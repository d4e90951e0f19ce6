"""Plain tables as people and programs write them: a cell too many, names of programs, a table that was printed."""

import pytest
from written_logs import Run, nccl

from fabriclib.measurements import read_measurements
from fabriclib.measurements.prefix import Prefix

TOLD = {"collective": "all_reduce", "ranks": 8}


def read(text: str, **told) -> list[tuple]:
    frame = read_measurements(text, **(told or TOLD))
    assert frame.attrs["problems"] == []
    return [(n, round(us * 1e6, 1)) for n, us in zip(frame["nbytes"], frame["seconds"], strict=True)]


@pytest.mark.parametrize("size", [1_000_000, 100_000])
@pytest.mark.parametrize("rows", [
    "1000000,100,5\n2000000,200,5\n", "1000000,100,\n2000000,200,\n", "0,1000000,100\n1,2000000,200\n",
    "a,1000000,100\nb,2000000,200\n", "1000000,100,5.5\n2000000,200,6.5\n"])
def test_a_cell_too_many_numbers_the_rows_or_stands_at_the_end(rows, size):
    """As R and pandas have it: of row numbers the header has no name. What is larger than the line it stands in is none."""
    rows = rows.replace("000000", str(size)[1:])
    assert read("nbytes,time (us)\n" + rows) == [(size, 100.0), (2 * size, 200.0)]


def test_a_cell_too_many_may_stand_in_the_middle():
    """As rccl-tests print it."""
    frame = read_measurements('collective,ranks,size,time (us)\n"AllReduce",1,8,1048576,104.9\n')
    assert frame[["collective", "ranks", "nbytes"]].values.tolist() == [["all_reduce", 8, 2**20]]


@pytest.mark.parametrize("name", ["all_reduce_perf", "all_reduce", "AllReduce"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_a_row_may_call_its_collective_as_the_program_is_called(name, separator):
    lines = ["collective,ranks,bytes,time_us", f"{name},8,1000000,100", f"{name},8,2000000,200"]
    assert read("\n".join(lines).replace(",", separator) + "\n", ranks=8) == [(1e6, 100.0), (2e6, 200.0)]


def test_a_command_below_a_table_begins_a_run_however_many_words_it_has():
    below = "# size time algbw busbw\n1048576 104.9 10.00 8.75\n"
    for separator in (" ", ","):
        table = "collective,ranks,nbytes,seconds\nall_reduce,8,1000000,1e-4\n".replace(",", separator)
        for command in ("mpirun -np 8 ./all_gather_perf\n", "# -g, 1, 2, all_gather_perf\n"):
            frame = read_measurements(table + command + below)
            assert frame["collective"].tolist() == ["all_reduce", "all_gather"]
            assert frame.attrs["problems"] == []


def test_a_frame_that_was_printed_or_saved_is_read_again():
    frame = read_measurements(nccl(Run("all_reduce", 8, 1, [2**20, 2**21], [100.0, 190.0], [110.0, 230.0])))
    for text in (frame.to_string(), frame.to_json(orient="records"), frame.to_json(orient="records", lines=True)):
        again = read_measurements(text + "\n")
        assert again["nbytes"].tolist() == frame["nbytes"].tolist()
        assert again["seconds"].tolist() == pytest.approx(frame["seconds"].tolist(), rel=1e-3)
        assert (again["ranks"].tolist(), again["collective"].tolist()) == ([8, 8], ["all_reduce"] * 2)


def test_a_figure_behind_the_last_column_makes_no_row_number_of_a_size():
    frame = read_measurements("\n\n\nbytes  us\n1 3.00 1000\n2 4.00 1000\n1000000  100\n", **TOLD)
    assert frame["nbytes"].tolist() == [1e6]


def test_an_osu_header_whose_blanks_were_folded_is_one():
    for head in ("# Size Avg Latency(us)", "Size Avg Latency(us)", "#  Size    Avg Latency(us)"):
        assert read(f"# OSU MPI Allreduce Latency Test v7.4\n{head}\n1048576 100.0\n", ranks=8) == [(2**20, 100.0)]
    several = "# Size Overall(us) Compute(us) Coll. Init(us) Pure Comm.(us) Overlap(%)\n1048576 300 150 1.0 100.0 4.1\n"
    assert read(f"# OSU MPI Non-blocking Allreduce Latency Test v7.4\n{several}") == [(2**20, 100.0)]


@pytest.mark.parametrize("separator", [",", "\t", "|", "  "])
@pytest.mark.parametrize("head", ["step,nbytes,time (us),remark", "Step,Size (B),Time (us),p99", "no,bytes,time_us,note"])
def test_columns_that_are_not_known_are_passed_over(head, separator):
    text = f"{head}\n7,1000000,100,9\n7,2000000,200,9\n"
    assert read(text.replace(",", separator)) == [(1e6, 100.0), (2e6, 200.0)]


@pytest.mark.parametrize("blank", ["", "nan", "<NA>", "NA", " na "])
def test_ranks_that_a_row_leaves_blank_are_none(blank):
    frame = read_measurements(f"collective,ranks,nbytes,seconds\nall_reduce,{blank},1000000,1e-4\n")
    assert frame["ranks"].isna().all()
    assert frame.attrs["problems"] == []


@pytest.mark.parametrize("lines", [
    ["[0] | size | time (us) |", "[0] |---|---|", "[0] | 1000000 | 100 |", "[0] | 2000000 | 200 |"],
    ["node a: # size(B)  time(us)", "node a: 1000000  100", "node a: 2000000  200"]])
def test_what_stands_before_a_plain_table_is_taken_away(lines):
    assert read("\n".join(lines) + "\n") == [(1e6, 100.0), (2e6, 200.0)]


def test_a_quote_at_the_end_goes_where_one_stood_before_the_line():
    quoted, bare = Prefix(), Prefix()
    assert quoted.off('10:11:12Z,"# size  time"') == "# size  time"
    assert quoted.off('10:11:13Z,"8  3.0"') == "8  3.0"
    assert bare.off("node1: # size  time") == "# size  time"
    assert bare.off('node2: said "no"') == 'said "no"'
