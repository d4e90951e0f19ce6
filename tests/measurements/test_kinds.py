"""What people really paste: prefixes of launchers and collectors, other tools, units left out, several runs in one text."""

import json

import pytest

import fabriclib as fl
from fabriclib.measurements import read_measurements
from fabriclib.measurements.about import about
from fabriclib.measurements.gather import Gatherer

HEAD = "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong"
ROWS = ["     2097152        524288     float     sum      -1    209.7   10.00   17.50      0    209.7   10.00   17.50      0",
        "     4194304       1048576     float     sum      -1    419.4   10.00   17.50      0    419.4   10.00   17.50      0"]
NCCL = ["# Collective test starting: all_reduce_perf", HEAD, *ROWS]
OSU = ["# OSU MPI-CUDA Allreduce Latency Test v7.4", "# Size       Avg Latency(us)", "2097152                209.70",
       "4194304                419.40"]


def us(frame) -> list[tuple[int, float]]:
    return [(int(n), round(t * 1e6, 1)) for n, t in zip(frame["nbytes"], frame["seconds"], strict=True)]


def ranks(count: int, hosts: str, gpu: str = "NVIDIA H100 80GB HBM3") -> list[str]:
    return [f"#  Rank {r:2d} Group  0 Pid {100 + r} on {hosts[r * len(hosts) // count]} device {r % 8} [0x10] {gpu}"
            for r in range(count)]


@pytest.mark.parametrize("prefix", [
    "Mon Jan  5 01:02:{i:02d} 2026[1,{i}]<stdout>:", "Jun {i} 10:11:12 gpu{i:02d} bench[42]: ", "{i:6d}\t", "[{i}] ",
    "2026-01-02T03:04:05.0000000{i}Z ", "{i}: ", "train-job-{i}-worker-0 | ", "(worker pid={i}) "])
@pytest.mark.parametrize("lines", [NCCL, OSU], ids=["nccl", "osu"])
def test_what_stands_before_every_line_is_learnt_and_taken_away(prefix, lines):
    text = "\n".join(prefix.format(i=i) + line for i, line in enumerate(lines, start=7))
    frame = read_measurements(text)
    assert us(frame) == [(2**21, 209.7), (2**22, 419.4)]
    assert frame.attrs["problems"] == []


def test_a_tag_in_the_middle_of_a_line_goes_too():
    lines = ["[3] " + line.replace("-1 ", "-1[3] ") for line in NCCL]
    assert us(read_measurements("\n".join(lines))) == [(2**21, 209.7), (2**22, 419.4)]


TOOLS = {
    "nccom-test": "nccom-test -r 8 allr\n  size(B)  count(elems)  type  time(us)  algbw(GB/s)  busbw(GB/s)\n"
                  "  2097152  524288  fp32  209.7  10.00  17.50\n",
    "hccl": "mpirun -n 8 ./bin/all_reduce_test -p 8 -b 2M\ndata_size(Bytes): | aveg_time(us): | alg_bandwidth(GB/s): "
            "| check_result:\n"
            "2097152 | 209.70 | 10.00 | success\n",
    "ds_bench": "---- Performance of all_reduce on 8 devices ----\n"
                "Size (Bytes)         Description      Duration      Throughput (Gbps)    BusBW (Gbps)\n"
                "2.0 MB               524288x4         209.700 us    160.017              140.015\n",
    "IMB": "# Benchmarking Allreduce\n# #processes = 8\n       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]\n"
           "      2097152           20       200.00       220.00       209.70\n",
    "nccl 1": "# all_reduce_perf\n#  bytes  N  type  op  time  algbw  busbw  res  time  algbw  busbw  res\n"
              "  2097152  524288  float  sum  0.2097  10.00  17.50  0e+00  0.2097  10.00  17.50  0e+00\n",
    "bench": "The average bandwidth of all_reduce with a 2.097152MB payload (5 trials, 8 ranks):\n"
        " algbw: 10.001 GBps (80.0 Gbps)\n"
             " busbw: 17.501 GBps (140.0 Gbps)\n",
    "rccl csv": 'collective,nodes,ranks,size,type,redop,inPlace,time,algbw,busbw,#wrong\n'
                '"AllReduce",1,8,2097152,"float","sum",0,209.7,10.00,17.50,"0"\n'
                    '"AllReduce",1,8,2097152,"float","sum",1,209.7,10.00,17.50,"0"\n',
    "a cell too many": 'collective,ranks,size,time (us)\n"AllReduce",1,8,2097152,209.7\n',
    "gigabits": "collective,ranks,size,busbw (Gbps)\nall_reduce,8,2097152,140.006\n",
    "no units": "collective,ranks,size,time,busbw\nall_reduce,8,2097152,209.7,17.5\n",
    "sizes as nccl": "collective,ranks,size,time (us)\nall_reduce,8,2M,209.7\n",
    "json": json.dumps({"config": {"ngpus": 8}, "results": [
        {"size": 2097152, "count": 524288, "type": "float", "redop": "sum", "root": "-1", "experiment_name": "AllReduce",
         "out_of_place": {"time": 209.7, "alg_bw": 10.0, "bus_bw": 17.5, "nwrong": 0}}]}) + "\n",
    "json rows": json.dumps([{"collective": "AllReduce", "ranks": 8, "size": 2097152, "timeUsec": 209.7}]) + "\n",
}


@pytest.mark.parametrize("text", TOOLS.values(), ids=TOOLS)
def test_other_tools_and_habits_are_read(text):
    frame = read_measurements(text)
    assert us(frame) == [(2**21, pytest.approx(209.7, abs=0.1))]
    assert (frame["collective"][0], frame["ranks"][0], frame.attrs["problems"]) == ("all_reduce", 8, [])


def test_the_largest_may_stand_first_and_old_tables_have_fewer_columns():
    frame = read_measurements("collective,ranks,nbytes,seconds\nall_reduce,8,4194304,0.0004\nall_reduce,8,1024,0.00003\n")
    assert frame["table"].nunique() == 1
    half = "209.7   10.00    5.00  0e+00"
    old = f"./build/all_gather_perf -g 2\n     2097152        262144   float   {half}   {half}\n"
    assert read_measurements(old)["ranks"][0] == 2
    rooted = ("./build/broadcast_perf -g 4\n#  size  count  type  root  time  algbw  busbw  error  time  algbw  busbw  error\n"
              "  2097152  524288  float  0  209.7  10.00  10.00  0e+00  209.7  10.00  10.00  N/A\n")
    frame = read_measurements(rooted)
    assert (frame["collective"][0], frame["ranks"][0], about(frame).wrong) == ("broadcast", 4, False)


def test_osu_counts_both_ways_and_all_pairs_together():
    both = read_measurements("# OSU MPI-CUDA Bi-Directional Bandwidth Test v7.4\n# Size  Bandwidth (MB/s)\n4194304  40000.00\n")
    assert both["algbw"][0] == pytest.approx(20e9)
    pairs = read_measurements("# OSU MPI-CUDA Multiple Bandwidth / Message Rate Test v7.4\n# [ pairs: 4 ] [ window size: 64 ]\n"
                              "# Size  MB/s  Messages/s\n4194304  80000.00  19073.49\n")
    assert pairs["algbw"][0] == pytest.approx(20e9)


def test_each_table_of_a_paste_has_what_was_said_of_it_alone():
    runs = [["# nThread 1 nGpus 1 minBytes 1 maxBytes 4194304 step: 2(factor)", *ranks(16, "ab"),
             f"a:1:1 [0] NCCL INFO Using network {network}", HEAD.replace("#", "#", 1), *ROWS] for network in ("Socket", "IB")]
    frame = read_measurements("\n".join(sum(runs, [])), collective="all_reduce")
    first, second = (frame[frame.table == at] for at in (0, 1))
    assert (len(about(first).hints), len(about(second).hints)) == (1, 0)
    early = read_measurements("a:1:1 [0] NCCL INFO Using network Socket\n" + "\n".join(runs[1]), collective="all_reduce")
    assert len(about(early).hints) == 1  # before the first line of its run
    osu = read_measurements("# OSU MPI-CUDA Bandwidth Test v7.4\n# Size  Bandwidth (MB/s)\n8  3.00\n" + "\n".join(OSU))
    assert [about(osu[osu.table == at]).windowed for at in (0, 1)] == [True, False]


def test_nodes_stand_on_the_command_line():
    frame = read_measurements("\n".join(["mpirun -np 2 -N 1 ./build/all_reduce_perf -b 2M -e 4M -g 4", HEAD, *ROWS]))
    assert (frame["ranks"][0], frame["nodes"][0]) == (8, 2)


def large(us_: float, of: int = 8, wrong: str = "0") -> str:
    alg = 2**33 / us_ / 1e3
    half = f"{us_:.0f}   {alg:.2f}   {alg * 2 * (of - 1) / of:.2f}      {wrong}"
    return f"  8589934592    2147483648     float     sum      -1    {half}   {half}"


@pytest.mark.parametrize(("lines", "system", "says"), [
    ([*ranks(8, "a"), HEAD, large(31_300, wrong="512")], "dgx-h100", "The results are wrong"),
    ([*ranks(8, "a"), HEAD, large(3_000)], "dgx-h100", "Impossible"),
    ([*ranks(8, "a", "NVIDIA H800"), HEAD, large(70_000)], "dgx-h100", "The log lists NVIDIA H800"),
    ([*ranks(2, "a"), *ranks(2, "b"), HEAD, large(31_300, 2), large(31_400, 2)], "dgx-h100", "Not one job but 2"),
    ([*ranks(1, "a"), HEAD, large(31_300, 1)], "dgx-h100", "One rank")])
def test_what_is_no_run_of_the_machine_is_said_first(lines, system, says):
    found = fl.compare(read_measurements("\n".join(["# Collective test starting: all_reduce_perf", *lines])), system)
    assert found.alarm
    assert says in found.verdict[:60]


def test_an_algorithm_that_was_set_is_what_the_run_is_compared_with():
    lines = ["# Collective test starting: all_reduce_perf", *ranks(16, "ab", "NVIDIA A100-SXM4-80GB"), HEAD, large(177_000, 16)]
    for algorithm, alarm in (("Ring", False), ("Tree", True)):
        told = [f"a:1:1 [0] NCCL INFO NCCL_ALGO set by environment to {algorithm}", *lines]
        assert fl.compare(read_measurements("\n".join(told)), "a100-hdr4").alarm is alarm


def test_small_sizes_alone_raise_no_alarm_and_a_sudden_fall_is_named():
    small = fl.compare(read_measurements("collective,ranks,nodes,nbytes,seconds\nall_reduce,16,2,1024,0.00009\n"), "dgx-h100")
    assert (small.alarm, "Cannot tell" in small.verdict) == (False, True)
    text = "collective,ranks,nodes,nbytes,seconds\n" + "".join(
        f"all_reduce,24,3,{n},{t}\n" for n, t in ((2**23, 0.0004), (2**25, 0.001), (2**26, 0.0244), (2**30, 0.39)))
    assert "from 32 MiB to 64 MiB: something is switched" in fl.compare(read_measurements(text), "dgx-h100").verdict


def test_a_test_of_no_collective_is_refused_and_what_is_assumed_is_said():
    with pytest.raises(ValueError, match="hypercube, which is none"):
        read_measurements("\n".join(["# Collective test starting: hypercube_perf", HEAD, *ROWS]))
    found = fl.compare(read_measurements("collective,ranks,nbytes,seconds\nall_reduce,8,8589934592,0.0313\n"), "dgx-h100")
    assert "Nodes assumed: 1, for nothing says how many; say so if there were more (nodes=" in found.verdict


@pytest.mark.parametrize("twice", ["time", "algbw", "busbw"])
def test_a_column_that_stands_twice_makes_two_halves_whichever_it_is(twice):
    cells = {"time": "209.7", "algbw": "10.00", "busbw": "17.50"}
    names = [*cells, twice]
    head, row = "  ".join(names), "  ".join(cells[name] for name in names)
    row_read = Gatherer()
    for number, line in enumerate(["# all_reduce_perf", f"#  size  count  type  {head}", f"2097152  524288  float  {row}"]):
        row_read.take(number, line)
    (found,) = row_read.tables[0].rows
    assert {"time": found.in_place, "algbw": found.in_place_algbw, "busbw": found.in_place_busbw}[twice].value > 0


IBM = """size(MB)   avgbw(GB/sec)   maxbw(GB/sec)   minbw(GB/sec)
    8.0       100.0          110.0           90.0
   12.5       120.0          130.0          100.0
"""
GROUPS = "using communicator =  data ; order = tdp ; group size =  8\n \ngroups_per_node =  4\n \n"


@pytest.mark.parametrize(("above", "collective", "ranks", "busbw"), [
    ("mpirun -np 16 helper.sh python allreduce-loop.py\n", "all_reduce", 16, 100e9),
    ("mpirun -np 16 helper.sh python reduce-scatter-loop.py\n", "reduce_scatter", 16, 100e9),
    ("srun -N 8 -n 64 helper.sh python megatron-allgather.py -t 4 -p 2\n" + GROUPS, "all_gather", 8, 25e9)])
def test_rates_of_groups_that_share_a_node_are_those_of_one(above, collective, ranks, busbw):
    frame = read_measurements(above + IBM)
    assert frame.attrs["problems"] == []
    assert frame["collective"].unique().tolist() == [collective]
    assert frame["ranks"].tolist() == [ranks] * 2
    assert frame["nodes"].isna().all()
    assert frame["nbytes"].tolist() == [8e6, 12.5e6]
    assert frame["busbw"].tolist() == pytest.approx([busbw, 1.2 * busbw])


def test_the_older_sentence_of_deepspeed_counts_what_is_sent_and_received():
    text = "0 data size: 6.0 GB\ntput_avg (Gbps): 1600.0001 busbw_avg (Gbps): 1400.0001\n"
    assert us(read_measurements(text, ranks=8)) == [(6_000_000_000, 60000.0)]


@pytest.mark.parametrize("text", [
    "collective\tranks\tbytes\ttime_us\nall_reduce\t8\t2,097,152\t209.7\nall_reduce\t8\t4,194,304\t419.4\n",
    "collective;ranks;bytes;time_us\nall_reduce;8;2,097,152;209,7\nall_reduce;8;4,194,304;419,4\n",
    "| **collective** | `ranks` | **bytes** | time (us) |\n|---|---|---|---|\n| all_reduce | 8 | 2,097,152 | **209.7** |\n"
    "| all_reduce | 8 | 4,194,304 | 419.4 |\n",
    "\n".join([*NCCL[:2], ROWS[0] + "  <-- slow?", ROWS[1] + "  // fine"])])
def test_marks_between_thousands_bold_cells_and_remarks_do_no_harm(text):
    frame = read_measurements(text)
    assert us(frame) == [(2**21, 209.7), (2**22, 419.4)]
    assert frame.attrs["problems"] == []


def test_a_row_that_the_librarys_own_output_cut_is_missed():
    cut = ROWS[1].replace("4194304", "8388608")[:60] + "node1:1:2 [0] NCCL INFO Channel 01"
    frame = read_measurements("\n".join([*NCCL, cut]))
    assert us(frame) == [(2**21, 209.7), (2**22, 419.4)]
    assert frame.attrs["problems"] == ["line 5: this looks like a row of the table and cannot be read: it is cut off, or another "
                                       "process wrote into it"]


@pytest.mark.parametrize("text", [
    "\n".join(line for line in [*ranks(2, "ab"), *NCCL] for _ in range(2)),
    "nbytes,time (us),algbw (GB/s),busbw (GB/s)\n" + "2097152,,10.00,17.50\n" * 2 + "4194304,,10.00,17.50\n" * 2])
def test_lines_that_were_copied_are_no_second_run(text):
    frame = read_measurements(text, collective="all_reduce")
    assert us(frame) == [(2**21, 209.7), (2**22, 419.4)]
    assert frame.attrs["problems"] == []
    assert any("copied" in note for note in frame.attrs["notes"])
    assert about(frame).jobs == 1


def test_lines_in_a_table_of_a_collector_lose_their_quotes_and_a_crash_leaves_zeros():
    lines = [f'2026-11-30T10:11:{at:02d}Z,"{line}"' for at, line in enumerate(NCCL)]
    for text in ("\n".join(["timestamp,line", *lines]).encode(), "\n".join([*NCCL, "# Out"]).encode() + bytes(100_000)):
        frame = read_measurements(text)
        assert us(frame) == [(2**21, 209.7), (2**22, 419.4)]
        assert frame.attrs["problems"] == []
