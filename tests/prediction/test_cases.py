"""What is asked of a prediction: names looked up, trays put into racks, and what does not fit named."""

import numpy as np
import pytest
from refusals import refused

import fabriclib as fl
from fabriclib.prediction.cases import MAX_NODES, case, machine_of

RACK = "gb200-nvl72"  # 18 trays of 4 GPUs


def asked(system="dgx-h100", collective="all_reduce", nbytes=1e6, nodes=1, gpus_per_node=None, launcher="mpi"):
    return case(system, collective, nbytes, nodes, gpus_per_node, launcher)


def test_a_machine_and_its_id_are_the_same_question():
    assert asked(fl.system("dgx-h100")) == asked()
    assert asked().machine is machine_of(asked().machine)
    assert asked().launcher.id == "mpi"


def test_without_a_number_every_gpu_of_a_node_is_in_use():
    assert (asked().gpus, asked(gpus_per_node=3).gpus, asked(RACK).gpus) == (8, 3, 72)


@pytest.mark.parametrize(("trays", "gpus", "racks", "of_each"), [
    (1, 4, 1, 4), (2, 4, 1, 8), (18, 4, 1, 72), (36, 4, 2, 72), (18, 1, 1, 18), ([1, 18, 36], 4, [1, 1, 2], [4, 72, 72]),
])
def test_trays_are_put_into_racks(trays, gpus, racks, of_each):
    found = asked(RACK, nodes=trays, gpus_per_node=gpus)
    assert (np.asarray(found.nodes).tolist(), np.asarray(found.gpus).tolist()) == (racks, of_each)


def test_more_gpus_than_a_tray_has_are_a_rack_s():
    found = asked(RACK, nodes=2, gpus_per_node=5)
    assert (found.nodes, found.gpus) == (2, 5)


@pytest.mark.parametrize(("change", "said"), [
    ({"nodes": 19}, "nodes must be at most 18 compute trays of .*, or a multiple of 18: .* got 19[.]"),
    ({"nodes": [18, 40, 20]}, "nodes must be at most 18 .* got 40[.]"),
    ({"nodes": MAX_NODES + 1}, "nodes must be a whole number from 1 to 100000; got 100001[.]"),
    ({"gpus_per_node": 73}, "gpus_per_node must be a whole number from 1 to 72; got 73[.]"),
    ({"nbytes": [1, 2], "nodes": [1, 2, 3], "gpus_per_node": 72}, "nbytes and nodes must have shapes that broadcast; got"),
    ({"system": "dgx"}, "system 'dgx' is not known"),
    ({"system": 3}, "system must be the id of one, such as 'dgx-h100', or a System; got 3[.]"),
    ({"launcher": "slurm"}, "launcher 'slurm' is not known"),
    ({"collective": "allreduce"}, "collective 'allreduce' is not known"),
])
def test_what_does_not_fit_is_named(change, said):
    with refused(said):
        asked(**{"system": RACK, "gpus_per_node": 4} | change)
