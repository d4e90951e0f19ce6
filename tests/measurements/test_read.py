"""Valid logs, however they are wrapped, are read back to the digit; what contradicts itself is said and not used."""

from __future__ import annotations

import random
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_logs import BINARIES, OSU, PARTS, Run, nccl, osu, row, time_text

from fabriclib.measurements import read_measurements
from fabriclib.measurements.about import about

EVERY = tuple(sorted(BINARIES))
few = settings(max_examples=40)
times = st.floats(3, 3e6)


@st.composite
def runs(draw, collectives=EVERY):
    nodes = draw(st.integers(1, 4))
    ranks = nodes * draw(st.integers(2, 8))
    powers = sorted(draw(st.sets(st.integers(5, 33), min_size=1, max_size=12)))
    sizes = [2**power * ranks * 4 for power in powers]
    out = draw(st.lists(times, min_size=len(sizes), max_size=len(sizes)))
    return Run(draw(st.sampled_from(collectives)), ranks, nodes, sizes, out, [us * draw(st.floats(0.5, 1.5)) for us in out])


WRAPPERS = {
    "bare": lambda i, line: line, "openmpi": lambda i, line: f"[1,{i % 3}]<stdout>:{line}",
    "srun": lambda i, line: f"{i % 2}: {line}",
    "torn": lambda i, line: line.replace("  -1  ", "  -1[1,0]<stdout>:  ").replace("  0  ", "  0[1,0]<stdout>:  "),
    "prte": lambda i, line: f"[prterun-host-1@1,0]<stdout>: {line}", "pod": lambda i, line: f"worker-0 | {line}",
    "time": lambda i, line: f"2026-11-25T09:{i % 60:02d}:00.123Z {line}", "indented": lambda i, line: f"      {line}\r",
    "coloured": lambda i, line: f"\x1b[3{i % 8}m{line}\x1b[0m",
}
NOISE = ["", "slurmstepd: info: starting", "node1:43:61 [0] NCCL INFO Channel 00/16 : 0 1 2 3", "警告: 設定が見つかりません",
         "<script>alert(1)</script>", "WARNING 12 34", "{\"json\": [1, 2, 3]}", "100%|######| 3/3 [00:01<00:00]",
         "\x07\x1b]0;title\x07"]


def wrapped(text: str, wrapper: str, seed: int) -> str:
    shuffle, lines = random.Random(seed), []
    for i, line in enumerate(text.split("\n")):
        lines.append(WRAPPERS[wrapper](i, line))
        if shuffle.random() < 0.3:
            lines.append(shuffle.choice(NOISE))
    return "\n".join(lines)


def assert_is(frame, run: Run) -> None:
    assert frame.collective.tolist() == [run.collective] * len(run.sizes)
    assert frame.ranks.tolist() == [run.ranks] * len(run.sizes)
    assert frame.nodes.tolist() == [run.nodes] * len(run.sizes)
    assert frame.nbytes.tolist() == run.sizes
    assert frame.seconds.tolist() == pytest.approx([float(time_text(us)) * 1e-6 for us in run.out], rel=1e-9)
    assert frame.in_place.tolist() == pytest.approx([float(time_text(us)) * 1e-6 for us in run.inside], rel=1e-9)
    assert frame.algbw.to_numpy() == pytest.approx(frame.nbytes / frame.seconds)


@few
@given(runs(), st.sampled_from(sorted(WRAPPERS)), st.integers(0, 99))
def test_a_random_log_is_read_back_through_any_launcher_and_noise(run, wrapper, seed):
    frame = read_measurements(wrapped(nccl(run), wrapper, seed))
    assert_is(frame, run)
    assert frame.attrs["problems"] == []


@few
@given(st.lists(runs(), min_size=2, max_size=4), st.integers(0, 99))
def test_several_tables_in_one_log_stay_apart(several, seed):
    frame = read_measurements(wrapped("\n".join(map(nccl, several)), "openmpi", seed))
    assert frame.table.nunique() == len(several)
    for at, run in enumerate(several):
        assert_is(frame[frame.table == at], run)


@few
@given(runs(("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "reduce")))
def test_the_collective_and_the_ranks_are_seen_from_the_columns(run):
    # Short and long times alike: the rates must have digits to tell the ranks from.
    run.out = [size / 1e3 / 50 for size in run.sizes]
    run.inside, run.named, run.devices = run.out, False, False
    if run.sizes[-1] < 2**16 or (run.collective == "all_reduce" and run.ranks == 2):
        return
    frame = read_measurements(nccl(run))
    assert set(frame.collective) == {run.collective}
    assert run.collective in ("reduce",) or set(frame.ranks) == {run.ranks}


@few
@given(runs(tuple(sorted(OSU))))
def test_osu_sizes_become_the_buffers_of_nccl_tests(run):
    frame = read_measurements(osu(run.collective, run.ranks, run.sizes, run.out))
    assert frame.nbytes.tolist() == run.sizes
    assert set(frame.ranks) == {run.ranks}
    assert set(frame.collective) == {run.collective}
    assert frame.seconds.to_numpy() == pytest.approx([round(us, 2) * 1e-6 for us in run.out])


@few
@given(runs(), st.sampled_from([",", ";", "\t", "|"]))
def test_what_was_read_can_be_written_as_plain_columns_and_read_again(run, separator):
    frame = read_measurements(nccl(run))
    again = read_measurements(frame.drop(columns=["table"]).to_csv(index=False, sep=separator))
    pd.testing.assert_frame_equal(again, frame, rtol=1e-12)


def test_columns_may_be_in_other_units_and_names():
    text = ("| payload | busbw | algbw |\n| ---: | ---: | ---: |\n| 32KiB | 0.92GBps | 0.48GBps |\n"
            "| 16GiB | 91.69GBps | 47.32GBps |\n")
    frame = read_measurements(text)
    assert frame.ranks.tolist() == [32, 32]
    assert frame.nbytes.tolist() == [2**15, 2**34]
    assert frame.algbw.tolist() == pytest.approx([0.48e9, 47.32e9])
    comma = read_measurements("Size (KiB);Time (us)\n4;12,5\n8;20\n", collective="all_gather", ranks=4)
    assert comma.seconds.tolist() == pytest.approx([12.5e-6, 20e-6])
    assert comma.nbytes.tolist() == [4096, 8192]


def test_columns_without_units_may_be_in_those_of_nccl_tests():
    frame = read_measurements("size,time,algbw,busbw\n1073741824,8180,131.26,229.71\n2147483648,16240,132.23,231.41\n")
    assert frame.seconds.tolist() == pytest.approx([8180e-6, 16240e-6])
    assert frame.ranks.tolist() == [8, 8]


def test_a_table_whose_columns_were_cut_out_is_read():
    frame = read_measurements("           size    time   algbw   busbw\n            (B)    (us)  (GB/s)  (GB/s)\n"
                              "  1_073_741_824   8180   131.26  229.71\n  2_147_483_648   16240  132.23  231.41\n")
    assert frame.ranks.tolist() == [8, 8]
    assert frame.seconds.tolist() == pytest.approx([8180e-6, 16240e-6])


def test_columns_behind_the_known_ones_are_no_rows_trouble():
    """RCCL appends its algorithm, its protocol and its channels, as text."""
    lines = nccl(BASE).split("\n")
    at = next(i for i, line in enumerate(lines) if "busbw #wrong" in line)
    lines = [line + ("     algo     proto   nchannels" if i == at else "   RING    SIMPLE    32" if " float " in line else "")
             for i, line in enumerate(lines)]
    assert_is(read_measurements("\n".join(lines)), BASE)


def test_osu_needs_the_ranks_where_it_prints_one_ranks_part():
    text = "# OSU MPI Allgather Latency Test v7.4\n# Size  Avg Latency(us)\n8  3.0\n"
    with pytest.raises(ValueError, match=r"^line 3: .*ranks=8"):
        read_measurements(text)
    assert read_measurements(text, ranks=4).nbytes.tolist() == [32.0]


def test_a_bandwidth_test_says_that_its_times_are_no_latencies():
    frame = read_measurements("# OSU MPI-CUDA Bandwidth Test v7.5\n# Size  Bandwidth (MB/s)\n1024  512.00\n")
    assert frame.loc[0, "seconds"] == pytest.approx(2e-6)
    assert (about(frame).windowed, about(frame).device) == (True, True)


TIMES = [100.0 * 1.7**k for k in range(10)]
BASE = Run("all_reduce", 8, 1, [2**k for k in range(20, 30)], TIMES, TIMES)


def problems(text, **options):
    return read_measurements(text, **options).attrs["problems"]


def test_a_row_that_contradicts_itself_is_named_and_left_out():
    lines = nccl(BASE).split("\n")
    at = next(i for i, line in enumerate(lines) if line.lstrip().startswith(str(2**25)))
    lines[at] = lines[at].replace(time_text(BASE.out[5]), "9999.9", 1)
    frame = read_measurements("\n".join(lines))
    assert 2**25 not in set(frame.nbytes)
    assert len(frame) == 9
    assert len(frame.attrs["problems"]) == 1
    assert frame.attrs["problems"][0].startswith(f"line {at + 1}: 32 MiB in ")


@pytest.mark.parametrize(("change", "said"), [
    (lambda text: "\n".join(line for line in text.split("\n") if "Rank  7" not in line), "7 ranks are stated.*that of 8"),
    (lambda text: text.replace("maxBytes 536870912", "maxBytes 1048576"), "announces sizes up to 1 MiB.*512 MiB"),
    (lambda text: text.replace("      0", "      3", 1), "wrong results at 1 MiB"),
    (lambda text: text + " 1073741824   268435456   float   sum   -1   15", "looks like a row"),
    (lambda text: text.replace("values : 0 OK", "values : 7 FAILED"), "counts 7 results"),
])
def test_what_a_log_contradicts_itself_in_is_said(change, said):
    found = problems(change(nccl(BASE)))
    assert len(found) == 1
    assert re.search(rf"^line \d+: .*{said}", found[0])


def test_ranks_that_the_reader_was_told_are_checked_against_the_figures():
    run = Run(**(vars(BASE) | {"devices": False}))
    assert read_measurements(nccl(run)).ranks[0] == 8
    assert "64 ranks are stated, but busbw / algbw" in problems(nccl(run), ranks=64)[0]
    partly = nccl(run).replace("#\n", "#  Rank 143 Group  0 Pid 1 on node device  3 [0x01] GPU\n", 1)
    assert "rank 143 is listed above, but the figures are those of 8 ranks" in problems(partly)[0]


def test_a_cut_list_of_ranks_tells_no_nodes():
    text = "\n".join(line for line in nccl(Run(**(vars(BASE) | {"nodes": 2}))).split("\n") if "Rank  3" not in line)
    frame = read_measurements(text)
    assert frame.nodes.isna().all()
    assert set(frame.ranks) == {8}


def test_missing_rows_are_noticed_in_the_printed_average():
    mean = np.mean([size / float(time_text(us)) / 1e3 * 1.75 for size, us in zip(BASE.sizes, BASE.out, strict=True)])
    whole = nccl(BASE) + f"# Avg bus bandwidth    : {mean:.4f}\n"
    assert read_measurements(whole).attrs["notes"] == []
    cut = whole.replace(row(BASE, 2**29, BASE.out[9], BASE.inside[9]), "")
    assert "rows are missing" in read_measurements(cut).attrs["notes"][-1]


def test_what_the_library_gives_away_is_kept():
    frame = read_measurements(nccl(BASE) + "node1:43:61 [0] NCCL INFO Using network Socket\n")
    assert frame.attrs["hints"] == ["NCCL says that it uses TCP sockets"]


def test_parts_are_those_of_the_library():
    from fabriclib.measurements.agree import SHARED_OUT

    assert set(PARTS) == set(SHARED_OUT)


@pytest.mark.parametrize(("us", "algbw", "busbw", "between"), [
    (8059, 133.24, 263.69, (95, 96)), (8185, 131.18, 259.64, (96, 97)),
])
def test_of_two_numbers_of_ranks_the_even_one_is_meant(us, algbw, busbw, between):
    from fabriclib.measurements.agree import ranks_interval
    from fabriclib.measurements.rows import Row, printed

    cells = printed(str(us), 1e-6), printed(str(algbw), 1e9), printed(str(busbw), 1e9)
    assert ranks_interval("all_reduce", [Row(1, 2.0**30, *cells)]) == between
    frame = read_measurements(f"# all_reduce_perf\n# size time algbw busbw\n 1073741824 {us} {algbw} {busbw}\n")
    assert frame.ranks.tolist() == [96]
    assert frame.attrs["notes"] == ["96 ranks, the even one of the two numbers that busbw / algbw allows"]


@pytest.mark.parametrize(("line", "ranks", "nodes"), [
    ("mpirun -np 9 -ppn 4 x", 9, 3), ("mpirun -np 8 -N 4 x", 8, 2), ("mpirun -np 1 -ppn 4 x", 1, 1),
    ("srun -n 17 --ntasks-per-node=8 x", 17, 3), ("srun -N 4 x", 4, 4), ("srun -N 2 --ntasks-per-node 8 x", 16, 2),
    ("srun -N 2 -n 12 --ntasks-per-node=8 x", 12, 2), ("mpiexec --np=6 x", 6, None),
])
def test_a_last_node_that_is_not_full_is_a_node(line, ranks, nodes):
    frame = read_measurements(f"{line}\n# OSU MPI Allreduce Latency Test v7.4\n8  3.0\n")
    assert frame.ranks.tolist() == [ranks]
    assert frame.nodes.tolist() == [nodes] if nodes else frame.nodes.isna().all()


@pytest.mark.parametrize(("cell", "value"), [("algbw (kb/s)", 3e3), ("algbw GB/s", 3e9), ("algbw_TB/s", 3e12),
                                             ("algbw [MBps]", 3e6)])
def test_the_unit_of_a_column_is_that_of_its_name(cell, value):
    frame = read_measurements(f"nbytes,{cell}\n1000000,3\n", collective="all_gather", ranks=4)
    assert frame.algbw.tolist() == pytest.approx([value])


@pytest.mark.parametrize(("announced", "noted"), [(2**29, False), (2**30, False), (2**31, True)])
def test_rows_that_end_far_below_the_header_are_noted(announced, noted):
    text = nccl(BASE).replace(f"maxBytes {2**29}", f"maxBytes {announced}")
    assert [f"the rows end at {2**29 // 2**20} MiB" in note for note in read_measurements(text).attrs["notes"]] == [True] * noted


def test_two_ranks_are_seen_from_a_part_of_the_buffer():
    frame = read_measurements("# all_gather_perf\n 1048576 131072 float none -1 104.9 10.00 5.00 0\n")
    assert frame.ranks.tolist() == [2]
    assert frame.attrs["notes"] == ["2 ranks, because the buffer is 2 times the elements of one"]
