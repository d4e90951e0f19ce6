"""Real collectives between real processes: every schedule that can be played gives what `run` gives, and a run can be ended."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from patience import PATIENCE

from fabricbook.lessons.bring_your_own.measuring import Measurement
from fabriclib import measure
from fabriclib.collectives import schedule

with_mpi = pytest.mark.skipif(not measure.available(), reason="the extra `measure` is not installed")

PROVE = """
import sys
from mpi4py import MPI
from fabriclib import measure
from fabriclib.collectives import schedule

comm, ranks = MPI.COMM_WORLD, MPI.COMM_WORLD.size
for collective in measure.NATIVE:
    for name in measure.servable(collective, ranks):
        if not measure.proves(schedule(collective, name, ranks), comm):
            sys.exit(f"{collective} by {name} is wrong on {ranks} ranks")
        if comm.rank == 0:
            print(collective, name)
"""


def run(ranks, *arguments):
    command = [measure._mpiexec(), "-n", str(ranks), sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=measure.environment(), timeout=PATIENCE)


@with_mpi
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_every_schedule_played_over_mpi_gives_its_collective(ranks):
    done = run(ranks, "-c", PROVE)
    assert done.returncode == 0, done.stderr
    proven = done.stdout.splitlines()
    assert {"all_reduce ring", "all_gather ring", "reduce_scatter ring", "broadcast binomial"} <= set(proven)
    assert len(proven) > 15


class Alone:
    """A communicator of one rank that plays both ends: enough to see that a wrong result is noticed."""

    rank, size = 0, 1

    def gather(self, state):
        return [state]


def test_a_wrong_result_is_noticed(monkeypatch):
    plan = schedule("all_reduce", "ring", 1)
    assert measure.proves(plan, Alone())
    monkeypatch.setattr(measure.Player, "play", lambda self: self.state.__iadd__(1))
    assert not measure.proves(plan, Alone())


@with_mpi
def test_the_command_prints_rows_of_every_algorithm_and_size():
    done = subprocess.run([sys.executable, "-m", "fabriclib.measure", "--ranks=2", "--largest=128", "--algorithms=ring,mpi"],
                          capture_output=True, text=True, env=measure.environment(), timeout=PATIENCE)
    head, *rows = done.stdout.split()
    assert head == "collective,algorithm,ranks,nodes,nbytes,seconds"
    assert [row.rsplit(",", 1)[0] for row in rows] == [
        f"{what},2,1,{size}" for what in ("send_recv,direct", "all_reduce,ring", "all_reduce,mpi") for size in (8, 32, 128)]
    assert all(0 < float(row.rsplit(",", 1)[1]) < 10 for row in rows)


@with_mpi
@pytest.mark.parametrize(("argument", "words"), [
    ("--algorithms=rign", "Did you mean 'ring'"), ("--algorithms=nvls", "'nvls' is not known"), ("--ranks=1", "ranks must be"),
    ("--largest=1", "largest must be"),
])
def test_the_command_refuses_with_a_sentence(argument, words):
    done = subprocess.run([sys.executable, "-m", "fabriclib.measure", "--ranks=2", argument],
                          capture_output=True, text=True, env=measure.environment(), timeout=PATIENCE)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@with_mpi
def test_a_measurement_reports_each_row_and_can_be_stopped():
    first = threading.Event()
    running = Measurement(2, wanted=measure.servable("all_reduce", 2), changed=first.set)  # all of them: long enough to stop
    assert first.wait(PATIENCE)
    running.stop()
    running._reader.join(PATIENCE)
    assert running.ended
    assert running.stopped
    assert running.problem == ""
    assert 0 < len(running.rows) < running.expected
    assert running.rows[0]["algorithm"] == "direct"


@with_mpi
def test_a_measurement_that_fails_says_so_in_a_sentence(monkeypatch):
    monkeypatch.setattr(measure, "environment", lambda: {"PYTHONHOME": "/nowhere"})
    running = Measurement(2)
    running._reader.join()
    assert running.ended
    assert running.problem.startswith("The measurement ended early: ")
    assert "error" in running.problem.lower()


def test_without_the_extra_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(measure, "available", lambda: False)
    with pytest.raises(ValueError, match=r"extra `measure`.*pip install"):
        Measurement(2)


def test_sizes_are_powers_of_four_from_eight_bytes():
    assert measure.sizes_up_to(2048) == [8, 32, 128, 512, 2048]
    assert np.all(np.diff(np.log2(measure.sizes_up_to(measure.LARGEST))) == 2)
