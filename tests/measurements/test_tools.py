"""Every tool's log is read, whatever stands before its lines and whoever wrapped them."""

import json

import pytest
from written_tools import PREFIXES, ROWS, TOOLS, prefixed

from fabriclib.measurements import read_measurements
from fabriclib.measurements.about import about

IN_OBJECTS = ("nccl-tests as JSON", "rccl-tests as JSON")
NOT_ALONE = ("a box", "blanks")  # a prefix of bars or blanks looks like one more of their columns


def assert_read(text, collective, ranks, nodes, **told):
    frame = read_measurements(text, **told)
    assert frame.attrs["problems"] == []
    assert frame["table"].nunique() == 1
    assert frame["collective"].unique().tolist() == [collective]
    for name, value in (("ranks", ranks), ("nodes", nodes)):
        assert frame[name].isna().all() if value is None else frame[name].tolist() == [value] * len(ROWS), name
    assert frame["nbytes"].tolist() == [n for n, _ in ROWS]
    assert (frame["seconds"] * 1e6).tolist() == pytest.approx([us for _, us in ROWS], rel=1e-3)
    return frame


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_is_read(tool):
    assert_read(*TOOLS[tool])


@pytest.mark.parametrize("name", PREFIXES)
def test_what_stands_before_the_lines_of_any_tool_is_taken_away(name):
    prefix, turn = PREFIXES[name], list(PREFIXES).index(name)  # every third tool: in three turns all are tried
    for tool, (text, *what) in list(TOOLS.items())[turn % 3::3]:
        if tool not in (*IN_OBJECTS, *NOT_ALONE):
            try:
                assert_read(prefixed(text, prefix), *what)
            except (ValueError, AssertionError) as wrong:
                raise AssertionError(tool) from wrong


@pytest.mark.parametrize("words", ["nccl-launcher-x7k2p launcher ", "node01 "])
def test_bare_words_that_stand_before_each_line_are_taken_away(words):
    for tool, (text, *what) in TOOLS.items():
        if tool not in IN_OBJECTS:
            try:
                assert_read(prefixed("starting\n" + text, words), *what)
            except (ValueError, AssertionError) as wrong:
                raise AssertionError(tool) from wrong


@pytest.mark.parametrize("key", ["log", "message", "msg", "textPayload"])
def test_the_objects_of_a_collector_of_logs_are_opened(key):
    for text, *what in [one for tool, one in TOOLS.items() if tool not in IN_OBJECTS][len(key) % 4::4]:
        wrapped = [json.dumps({"ts": "2026-11-30", key: line + "\n"}) for line in text.splitlines()]
        assert_read("\n".join(wrapped), *what)
        assert_read("[" + ",".join(wrapped) + "]", *what)
        assert_read(json.dumps({"host": "a", key: text}), *what)


def test_the_other_line_ends_colours_and_tabs_do_no_harm():
    for tool in ("nccl-tests", "OSU", "IMB", "perftest", "ds_bench", "nccom-test", "hccl_test"):
        text, *what = TOOLS[tool]
        for changed in (text.replace("\n", "\r\n"), text.replace("\n", "\r"), text.replace("     ", "\t"),
                        "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.splitlines())):
            assert_read(changed, *what)


def test_several_tools_in_one_paste_stay_apart():
    first, second, third = (TOOLS[tool][0] for tool in ("perftest", "perftest latency", "nccl-tests"))
    frame = read_measurements(first + second + third)
    tables = [frame[frame.table == at] for at in range(3)]
    assert [table["collective"].iloc[0] for table in tables] == ["send_recv", "send_recv", "all_reduce"]
    assert [about(table).windowed for table in tables] == [True, False, False]


@pytest.mark.parametrize(("line", "nodes"), [
    ("mpirun -np 8 -H a:4,b:4 x", 2), ("mpirun -np 8 --host 10.0.0.1:8,10.0.0.2:8 x", 1), ("mpirun -np 8 --map-by "
        "ppr:2:node x", 4),
    ("#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=4\nsrun x", 2), ("mpirun -np 8 \\\n  -N 4 \\\n  x", 2), ("prterun "
        "-np 8 -H a:8 x", 1),
    ("jsrun -n 8 -r 4 -a 1 x", 2), ("torchrun --nnodes=2 --nproc-per-node=4 x", 2), ("deepspeed --num_nodes 2 --num_gpus 4 x", 2),
    ("torchrun --nproc_per_node 8 x", 1), ("flux run -N 2 -n 8 x", 2)])
def test_the_nodes_stand_in_what_was_typed(line, nodes):
    text = f"{line}\n# OSU MPI Allreduce Latency Test v7.4\n# Size  Avg Latency(us)\n" + "".join(f"{n} "
        f"{us:.2f}\n" for n, us in ROWS)
    assert_read(text, "all_reduce", 8, nodes)


@pytest.mark.parametrize(("text", "named"), [
    ("# OSU MPI Allgatherv Latency Test v7.4\n# Size  Avg Latency(us)\n8 1.00\n", "allgatherv"),
    ("srun -n 8 ./osu_allgatherv\n# Size  Avg Latency(us)\n8  1.00\n", "allgatherv"),
    ("mpirun -n 8 ./bin/alltoallv_test\ndata_size(Bytes): | avg_time(us):\n8 | 1.0\n", "alltoallv"),
    ("# Benchmarking Exchange\n# #processes = 8\n #bytes #repetitions t_min[usec] t_max[usec] t_avg[usec] Mbytes/sec\n"
        "8 9 1.0 1.0 1.0 8.0\n", "Exchange")])
def test_a_test_of_no_collective_is_named(text, named):
    with pytest.raises(ValueError, match=f"the test is {named}, which is none"):
        read_measurements(text)
    assert read_measurements(text, collective="all_reduce")["nbytes"].tolist() == [8]


def test_a_failed_check_is_wrong_results_in_any_table():
    text = TOOLS["hccl_test"][0]
    assert not about(read_measurements(text)).wrong
    assert about(read_measurements(text.replace("success", "failed", 1))).wrong


def test_one_size_with_several_operations_is_several_tables():
    row = TOOLS["nccl-tests"][0].splitlines()[-1]
    frame = read_measurements("# all_reduce_perf\n" + row + "\n" + row.replace("sum", "max") + "\n")
    assert frame["table"].tolist() == [0, 1]
    assert frame.attrs["problems"] == []


def test_units_are_those_in_which_the_figures_agree_and_a_note_says_so():
    frame = read_measurements(TOOLS["nccom-test, GiB as GB"][0])
    assert frame.attrs["notes"] == ["the rates are in GiB/s, whatever their column says: so size, time and rate agree"]
    frame = read_measurements(TOOLS["ds_bench of a part"][0])
    assert "one rank's part" in frame.attrs["notes"][0]
    two = "nbytes,time (us),algbw (GB/s)\n1048576,100.0,10.486\n2097152,200.0,9.766\n4194304,400.0,10.486\n"
    # Whatever unit would fit it, a row that contradicts the others is wrong.
    frame = read_measurements(two, collective="all_gather")
    assert frame["nbytes"].tolist() == [2**20, 2**22]
    assert len(frame.attrs["problems"]) == 1


def test_a_table_that_says_nothing_of_its_run_is_none_of_the_run_above():
    frame = read_measurements(TOOLS["nccl-tests"][0] + "collective,nbytes,seconds\nall_reduce,1048576,0.0001\n")
    assert frame[frame.table == 1]["ranks"].isna().all()
