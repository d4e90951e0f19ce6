"""Short logs as each tool prints them, all of one run: 1 MiB in 100 us and 2 MiB in 200 us on eight ranks.

`TOOLS` has for each (text, collective, ranks, nodes); ranks and nodes that the log does not say are None.
"""

from __future__ import annotations

import json

MIB = 2**20
ROWS = [(MIB, 100.0), (2 * MIB, 200.0)]
HEAD = "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong"
HALF = "10.49   18.35      0"


def nccl_row(nbytes: int, us: float) -> str:
    return f"{nbytes:12d}  {nbytes // 4:12d}     float     sum      -1   {us:6.1f}   {HALF}   {us:6.1f}   {HALF}"


def rows(form: str) -> str:
    return "".join(form.format(n=n, us=us, part=n // 8, gbit=n * 8 / us / 1e3, mb=n / us, mib=n / us / 1.048576,
                               bus=n / us / 1e3 * 1.75, alg=n / us / 1e3, gib=n / us * 1e6 / 2**30) + "\n" for n, us in ROWS)


NCCL = "# Collective test starting: all_reduce_perf\n" + HEAD + "\n" + "\n".join(nccl_row(*one) for one in ROWS) + "\n"
OSU_NB = "# Overall = Coll. Init + Compute + MPI_Test + MPI_Wait\n\n# Datatype: MPI_INT.\n"
IMB = ("#-----------------------\n# Benchmarking {} \n# #processes = 8 \n# ( 8 additional processes waiting in MPI_Barrier)\n"
       "#------\n")
PERFTEST = ("-------------------------\n                    {}\n Dual-port       : OFF          Device         : mlx5_0\n"
            " Mtu             : 4096[B]\n-------------------------\n local address: LID 0x01 QPN 0x0215 PSN 0x79fcd6\n")
LATENCY = " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]"
DS = ("---- Performance of {} on 8 devices -----------------\n"
    "Size (Bytes)         Description               Duration             "
      "Throughput (Gbps)    BusBW (Gbps)\n-------------------------\n")
NCCOM = "    size(B)    count(elems)    type    {}    algbw(GB/s)    busbw(GB/s)\n"
HCCL = "data_size(Bytes): | {}time(us): | alg_bandwidth(GB/s): | check_result:\n"

TOOLS: dict[str, tuple[str, str, int | None, int | None]] = {
    "nccl-tests": (NCCL, "all_reduce", 8, None),
    "OSU": ("# OSU MPI-CUDA Allreduce Latency Test v5.9\n"
        "# Size       Avg Latency(us)   Min Latency(us)   Max Latency(us)  Iterations\n"
            + rows("{n}      {us:.2f}    90.00   120.00   100"), "all_reduce", None, None),
    "OSU, not blocking": ("srun -N 2 -n 8 osu_iallgather\n# OSU MPI-CUDA Non-blocking Allgather Latency Test v7.5\n" + OSU_NB
                          + "# Size           Overall(us)       Compute(us)    Pure Comm.(us)        Overlap(%)\n"
                          + rows("{part}     310.00     150.00     {us:.2f}    4.10"), "all_gather", 8, 2),
    "OSU, not blocking, in full": (
        "mpirun -np 8 x\n# OSU MPI Non-Blocking All-to-All Latency Test v5.6.2\n" + OSU_NB
        + "# Size     Overall(us)    Compute(us)    Coll. Init(us)   MPI_Test(us)   MPI_Wait(us)    Pure Comm.(us)    "
            "Overlap(%)\n"
        + rows("{part}  310.00   150.00   1.00   0.00   2.00  {us:.2f}   4.10"), "all_to_all", 8, None),
    "OSU, persistent": ("mpirun -n 8 -ppn 4 x\n# OSU MPI Persistent Broadcast Latency Test v7.4\n# Size       Avg Latency(us)\n"
                        + rows("{n}   {us:.2f}"), "broadcast", 8, 2),
    "OSU without its title": ("$ srun -N 2 --ntasks-per-node=4 ./osu_alltoall -d cuda\n# Size       Avg Latency(us)\n"
                              + rows("{part}   {us:.2f}"), "all_to_all", 8, 2),
    "IMB": (IMB.format("Allreduce") + "       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]\n"
        "            0   1000   0.07   0.07   0.07\n"
            + rows("  {n}    160    90.00   120.00   {us:.2f}"), "all_reduce", 8, None),
    "IMB counts one rank's part": (IMB.format("Allgather") + "       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]\n"
                                   + rows("  {part}    160    90.00   120.00   {us:.2f}"), "all_gather", 8, None),
    "IMB, not blocking": (IMB.format("Iallreduce") + "       #bytes #repetitions t_ovrl[usec] t_pure[usec]  t_CPU[usec] "
        "  overlap[%] \n"
                          + rows("  {n}    160    190.00    {us:.2f}   98.00   4.10"), "all_reduce", 8, None),
    "IMB Sendrecv": (IMB.format("Sendrecv") + "       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]   Mbytes/sec\n"
                     + rows("  {n}    160    90.00   120.00   {us:.2f}   20971.52"), "send_recv", 8, None),
    "IMB with defects": (IMB.format("Bcast") + "       #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]      defects\n"
                         + rows("  {n}    160    90.00   120.00   {us:.2f}   0.00"), "broadcast", 8, None),
    "perftest": (PERFTEST.format("RDMA_Write BW Test") + " #bytes     #iterations    BW peak[Gb/sec]    BW "
        "average[Gb/sec]   MsgRate[Mpps]\n"
                 + rows(" {n}    5000    99.00   {gbit:.2f}   0.0100"), "send_recv", 2, 2),
    "perftest in its megabytes": (
        PERFTEST.format("RDMA_Read BW Test") + " #bytes     #iterations    BW peak[MB/sec]    BW average[MB/sec]   "
            "MsgRate[Mpps]\n"
        "Conflicting CPU frequency values detected: 800.565000 != 3311.538000. CPU Frequency is not max.\n"
        + rows(" {n}    5000    0.00   {mib:.2f}   0.0100"), "send_recv", 2, 2),
    "perftest, both ways": (
        PERFTEST.format("Send Bidirectional BW Test") + " #bytes     #iterations    BW peak[Gb/sec]    BW "
            "average[Gb/sec]   MsgRate[Mpps]\n"
        + rows(" {n}    5000    199.00   167.77   0.0100"), "send_recv", 2, 2),
    "perftest, two ports": (
        PERFTEST.format("RDMA_Write BW Test") + " #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   "
            "MsgRate[Mpps]   "
        "BW Port1[Gb/sec]   MsgRate Port1[Mpps]   BW Port2[Gb/sec]   MsgRate Port2[Mpps]\n"
        + rows(" {n}    5000    99.00   {gbit:.2f}   0.0100   42.00   0.005  42.00   0.005"), "send_recv", 2, 2),
    "perftest latency": (PERFTEST.format("RDMA_Read Latency Test") + LATENCY
                         + "    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec] \n"
                         + rows(" {n}    1000    90.00   120.00   99.00   {us:.2f}   0.06   110.00   119.00"), "send_recv", 2, 2),
    "perftest latency, old": (PERFTEST.format("RDMA_Write Latency Test") + LATENCY + "\n"
                              + rows(" {n}    1000    90.00   120.00   {us:.2f}"), "send_recv", 2, 2),
    "perftest without its title": (" #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]\n"
                                   + rows(" {n}    5000    99.00   {gbit:.2f}   0.0100"), "send_recv", 2, 2),
    "ds_bench": (DS.format("all_reduce") + "1.0 MB   262144x4   100.000 us   167.772   146.801\n"
        "2.0 MB   524288x4   0.200 ms   167.772   146.801\n",
                 "all_reduce", 8, None),
    "ds_bench, raw": (DS.format("all_to_all").replace("Duration     ", "Duration (us)").replace("Gbps", "GBps")
                      + rows("{n}    262144x4    {us:.3f}    {alg:.3f}    9.175"), "all_to_all", 8, None),
    "ds_bench of a part": (DS.format("all_gather") + "128.0 KB   65536x2   100.000 us   83.886   73.400\n"
        "256.0 KB   131072x2   200.0 us   83.886   73.400\n",
                           "all_gather", 8, None),
    "nccom-test": ("nccom-test -r 8 allr\n" + NCCOM.format("time:avg(us)") + rows("  {n}  262144  fp32  {us:.1f}  "
        "{alg:.2f}  {bus:.2f}")
                   + "Avg bus bandwidth:    18.35GB/s\n", "all_reduce", 8, None),
    "nccom-test, GiB as GB": ("nccom-test redsct --nworkers 8 --nnodes 2\n" + NCCOM.format("time(us)")
                              + rows("  {n}  262144  fp32  {us:.0f}  {gib:.3f}  8.545"), "reduce_scatter", 8, 2),
    "hccl_test": ("mpirun -n 8 ./bin/all_gather_test -p 8\nthe minbytes is 1048576, maxbytes is 2097152, iters is 20\n"
                  + HCCL.format("aveg_") + rows("{n}     | {us:.2f}       | {alg:.5f}       | success"), "all_gather", 8, None),
    "hccl_test, other order": ("mpirun -n 8 ./bin/reduce_scatter_test\ncheck_result: | data_size(Bytes): | "
        "avg_time(us): | alg_bandwidth(GB/s):\n"
                               + rows("success      | {n}     | {us:.2f}       | {alg:.5f}"), "reduce_scatter", 8, None),
    "all_reduce_bench": ("The average bandwidth of all_reduce over 8 ranks (5 warmups / 20 trials):\n\n"
        "| payload |    busbw   |    algbw   |\n"
                         "| ------: | ---------: | ---------: |\n|    1MiB |  18.350GBps |  10.486GBps |\n"
                             "|    2MiB |  18.350GBps |  10.486GBps |\n",
                         "all_reduce", 8, None),
    "nccl-tests as JSON": (json.dumps({
        "version": 1, "config": {"ngpus": 1}, "ranks": [{"rank": r, "hostname": f"n{r // 4}", "device_name": "NVIDIA "
            "H100"} for r in range(8)],
        "results": [{"size": n, "count": n // 4, "type": "float", "redop": "sum", "root": "-1", "experiment_name": "AllReduce",
                     "out_of_place": {"time": us, "alg_bw": 10.49, "bus_bw": 18.35, "nwrong": 0}} for n, us in ROWS]}) + "\n",
        "all_reduce", 8, 2),
    "rccl-tests as JSON": ("".join(json.dumps({"name": "AllReduce", "nodes": 2, "ranks": 8, "size": n, "inPlace": 0,
                                               "timeUsec": us, "algBw": 10.49, "busBw": 18.35}) + "\n" for n, us in ROWS),
                           "all_reduce", 8, 2),
    "a box": ("collective: all_reduce_perf\n┌─────────┬───────────┬──────────────┐\n│ size    │ time (us) │ algbw (GB/s) │\n"
              "├─────────┼───────────┼──────────────┤\n" + rows("│ {n} │ {us} │ {alg:.2f} │")
              + "└─────────┴───────────┴──────────────┘\n", "all_reduce", None, None),
    "blanks": ("torchrun --nnodes 2 --nproc_per_node 4 bench.py\ncollective  size_bytes  time_us  algbw_GBps\n"
               + rows("all_reduce  {n}  {us}  {alg:.2f}"), "all_reduce", 8, 2),
    "sizes in MB that are powers of 1024": (
        "| Collective | Ranks | Size | Time (us) | AlgBW (GB/s) |\n|---|---|---|---|---|\n"
            "| all_reduce | 8 | 1 MB | 100.0 | 10.49 |\n"
        "| all_reduce | 8 | 2 MB | 200.0 | 10.49 |\n", "all_reduce", 8, None),
}

# What stands before every line; {i} is the number of the line.
PREFIXES = {
    "srun": "{i}: ", "openmpi": "[1,{i}]<stdout>:", "prte": "[prterun-node1-1234@1,0]<stdout>: ",
    "timed": "Mon Nov 30 10:11:{i:02d} 2026[1,0]<stdout>:", "timed without a tag": "Mon Nov 30 10:11:{i:02d} 2026 <stdout>:",
    "kubectl": "2026-11-30T10:11:{i:02d}.123456789Z ", "kubectl with names": "[pod/test-launcher-abcde/launcher] ",
    "container": "2026-11-30T10:11:{i:02d}.123456789Z stdout F ", "journald": "Nov 30 10:11:{i:02d} node01 srun[4321]: ",
    "compose": "nccl-1  | ", "nl": "{i:6d}\t", "cat": "{i:6d}  ", "grep": "logs/job-123.out:{i}:", "pdsh": "node01: ",
    "quoted": "> > ", "torchrun": "[default0]:", "logging": "[2026-11-30 10:11:{i:02d},123] [INFO] ",
    "log4j": "2026-11-30 10:11:{i:02d},123 INFO bench: ", "ray": "(Worker pid=1234, ip=10.0.0.1) ",
    "glog": "I1130 10:11:{i:02d}.123456 7 main.cc:12] ", "mvapich": "[host1:mpi_rank_0] ", "epoch": "1764497471.{i:03d} ",
    "ts": "00:00:{i:02d} ", "bar": "│ ", "host and zone": "2026-11-30T10:11:{i:02d}+01:00 host1 ",
}


def prefixed(text: str, prefix: str) -> str:
    """*text* with *prefix* before every line."""
    return "".join(prefix.format(i=i) + line + "\n" for i, line in enumerate(text.splitlines(), start=7))


def matrix(title: str, corner: str, rows: list[str]) -> str:
    """A matrix of three devices under *title*, its rows as the tool prints them."""
    return f"{title}\n{corner}     0      1      2\n" + "".join(f"     {row}\n" for row in rows) + "\n"


# From GPU 0 to 1, 0 to 2, 1 to 0 and so on 10, 20, 30, 40, 50 and 60 GB/s, as each tool prints it.
MATRICES = {
    "p2pBandwidthLatencyTest": "[P2P (Peer-to-Peer) GPU Bandwidth Latency Test]\n" + matrix(
        "Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)", "   D\\D",
        ["0 1521.42  10.00  20.00", "1  30.00 1591.14  40.00", "2  50.00  60.00 1548.56"])
    + matrix("P2P=Enabled Latency (P2P Writes) Matrix (us)", "   GPU", ["0   2.26   2.14   2.18", "1   2.19   2.26   2.12",
                                                                       "2   2.19   2.26   2.12"]),
    "nvbandwidth writes": "nvbandwidth Version: v0.6\nRunning device_to_device_memcpy_write_ce.\n" + matrix(
        "memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)", "     ",
        ["0       N/A     10.00     20.00", "1     30.00       N/A     40.00", "2     50.00     60.00       N/A"])
    + "SUM device_to_device_memcpy_write_ce 210.00\n",
    "nvbandwidth reads": matrix(
        "memcpy CE GPU(row) <- GPU(column) bandwidth (GB/s)", "     ",
        ["0      0.00     30.00     50.00", "1     10.00      0.00     60.00", "2     20.00     40.00      0.00"]),
    "TransferBench": "Unidirectional copy peak bandwidth GB/s [Local read / Remote write] (GPU-Executor: GFX)\n"
                     " SRC+EXE\\DST       GPU 00    GPU 01    GPU 02\n  GPU 00  ->      2132.28     10.00     20.00\n"
                     "  GPU 01  ->        30.00   2152.51     40.00\n  GPU 02  ->        50.00     60.00   2145.75\n",
    "TransferBench a2a": "Summary: [67108864 bytes per Transfer]\n=====\n"
                         "SRC\\DST  GPU 00    GPU 01    GPU 02       STotal      Actual\n"
                         "GPU 00     N/A     10.00     20.00     60.00     59.00\n"
                         "GPU 01    30.00      N/A     40.00     70.00     69.00\n"
                         "GPU 02    50.00    60.00       N/A    110.00    109.00\n\nRTotal  80.00  70.00  60.00\n",
    "rocm-bandwidth-test": "Device: 0,  AMD Instinct MI300X,  GPU-XX,  c2:0.0\n\nInter-Device Access\n\n"
                           "D/D       0         1         2\n\n0         1         1         1\n\n"
                           "Unidirectional copy peak bandwidth GB/s\n\nD/D       0           1           2\n\n"
                           "0         900.0       10.0        20.0\n\n1         30.0        900.0       40.0\n\n"
                           "2         50.0        60.0        N/A\n",
}
