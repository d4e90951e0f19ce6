"""What a command line tells of ranks and nodes: its own flags, not those of the program that it starts, and no guess."""

import pytest

from fabriclib.measurements.launch import launched


@pytest.mark.parametrize(("line", "told"), [
    ("srun -t 10 -n 16 ./all_reduce_perf -b 8 -e 1G -g 1", {"ranks": 16}),
    ("srun -N 2 --ntasks-per-node 8 ./all_reduce_perf -b 8 -n 100 -w 20", {"ranks": 16, "nodes": 2}),
    ("mpirun -np 16 -H a:8,b:8 ./all_reduce_perf -N 3", {"ranks": 16, "nodes": 2}),
    ("mpirun -np 16 ./broadcast_perf -r 4", {"ranks": 16}),
    ("salloc -N 2 mpirun -np 16 ./osu_allreduce", {"ranks": 16}),
    ("srun -n 16 ./osu_allreduce -n 100", {"ranks": 16})])
def test_a_flag_belongs_to_the_program_that_it_stands_behind(line, told):
    """Of nccl-tests -n and -N are iterations and cycles, -r is a root; of srun -t is minutes."""
    assert launched(line) == told


@pytest.mark.parametrize("line", [
    "mpirun --hostfile /home/me/all_reduce_perf_hosts {}", "mpirun -hostfile /w/osu_hosts {}",
    "mpirun -x PATH=/opt/osu_bench/bin:$PATH {}", "mpirun -x BIN=/w/nccl_perf {}", "mpirun --allow-run-as-root {}",
    "mpirun --output-filename logs/all_reduce_perf {}", "prterun --wdir /w/nccl_perf {}"])
@pytest.mark.parametrize("program", ["./build/all_reduce_perf -n 9", "all_reduce_perf_mpi", "bash -c '/w/all_reduce_perf -n 9'",
                                     "osu_bw"])
def test_a_file_of_the_launcher_is_not_the_program(line, program):
    assert launched(line.format(f"-np 16 -N 8 {program}")) == {"ranks": 16, "nodes": 2}


@pytest.mark.parametrize("name", ["-J all_reduce_perf", "--job-name=nccl_perf", "-o logs/osu_bw", "--output=logs/osu_bw",
                                  "--container-image=/images/osu_cuda.sqsh"])
def test_the_name_of_a_job_is_not_the_program(name):
    assert launched(f"srun {name} -N 2 --ntasks-per-node=4 ./all_reduce_perf -b 8 -g 2") == {"ranks": 16, "nodes": 2}


@pytest.mark.parametrize(("line", "told"), [
    ("torchrun --nnodes $SLURM_NNODES --nproc_per_node 8 x.py", {}), ("torchrun --nnodes=2:4 --nproc_per_node 8 x.py", {}),
    ("deepspeed --hostfile=hosts --num_gpus 8 x.py", {}),
    ("torchrun --standalone --nproc_per_node=8 x.py", {"ranks": 8, "nodes": 1}),
    ("mpirun -np 16 --map-by ppr:4:socket x", {"ranks": 16}),
    ("mpirun -np 16 --map-by ppr:4:node:pe=2 x", {"ranks": 16, "nodes": 4}),
    ("mpirun -np 512 -map-by ppr:8:node --bind-to core x", {"ranks": 512, "nodes": 64}),
    ("orterun -np 16 -N 8 x", {"ranks": 16, "nodes": 2})])
def test_nodes_that_cannot_be_read_are_not_taken_for_one(line, told):
    assert launched(line) == told


@pytest.mark.parametrize(("hosts", "nodes"), [
    ("a,b,c", 2), ("a:2,b:2", 1), ("a,a,b", 1), ("a:1,b:1,c:8", 2), ("a:9999999,b", 2), ("a", 1), ("a:x,b:x", 2)])
def test_ranks_fill_the_hosts_that_are_listed_one_after_the_other(hosts, nodes):
    assert launched(f"mpirun -np 2 -H {hosts} x") == {"ranks": 2, "nodes": nodes}


@pytest.mark.parametrize(("line", "told"), [
    ("./all_reduce_perf -t 2 -g 4", {"ranks": 8, "nodes": 1}),
    ("./all_reduce_perf --nthreads 2 --ngpus 4", {"ranks": 8, "nodes": 1}),
    ("./all_reduce_perf -g 1", {}), ("mpirun -np 4 ./all_reduce_perf -g 2", {"ranks": 8}),
    ("jsrun -n 4 -r 2 -a 4 -g 4 ./osu_allreduce", {"ranks": 16, "nodes": 2})])
def test_ranks_are_as_many_as_all_processes_have(line, told):
    """Of nccl-tests a process has several GPUs, and of jsrun a resource set has several tasks."""
    assert launched(line) == told
