"""predict: limits, identities and error messages that need no measurement."""

import dataclasses
import itertools
import re

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.prediction.cases import case, machine_of
from fabriclib.prediction.constants import fitted
from fabriclib.prediction.reach import reach

SYSTEMS = [row["id"] for row in catalog.rows("systems")]
SIZES = np.geomspace(8, 2**34, 60)
H100 = fl.system("dgx-h100"), 8
MOVING = [one for one in COLLECTIVES if one != "barrier"]


def nodes_of(system: str) -> tuple[int, ...]:
    return (1, 2, 3, 16) if fl.system(system).port else (1,)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_collective_has_a_finite_answer_that_grows_with_the_message_and_with_the_nodes(system):
    for collective in MOVING:
        seconds = fl.predict(system, collective, SIZES, nodes=np.array(nodes_of(system))[:, None]).seconds
        assert np.isfinite(seconds).all(), collective
        assert (seconds > 0).all(), collective
        assert (np.diff(seconds, axis=1) >= -1e-12).all(), f"{collective} gets faster with more bytes"
    assert fl.predict(system, "barrier").seconds > 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_endless_message_reaches_the_law_of_the_wire(system):
    for collective, nodes in itertools.product(MOVING, nodes_of(system)):
        one = fl.predict(system, collective, 1e17, nodes=nodes)
        assert one.seconds == pytest.approx(one.wire, rel=1e-3), f"{collective}, {nodes} nodes"


@pytest.mark.parametrize("system", SYSTEMS)
def test_one_gpu_has_nobody_to_talk_to(system):
    for collective in MOVING:
        one = fl.predict(system, collective, 2**30, gpus_per_node=1)
        assert one.seconds == one.launch


def test_a_node_reaches_what_its_entry_sends_at_the_fitted_rate():
    r = reach(fl.system("dgx-h100"), 8, fl.machines.launcher("mpi"), fitted())
    ring = fl.predict("dgx-h100", "all_reduce", 1e15, algorithm="ring")
    assert ring.busbw == pytest.approx(r.ring, rel=1e-3)
    assert fl.predict("dgx-h100", "all_gather", 1e15).busbw == pytest.approx(r.ring, rel=1e-3)
    nvls = fl.predict("dgx-h100", "all_reduce", 1e15, algorithm="nvls")
    assert nvls.algbw == pytest.approx(r.nvls * 8 / 9, rel=1e-3)


def test_in_switch_reduction_has_the_shape_that_was_published():
    """algbw of 258, 265, 270 and 273 GB/s on 5 to 8 GPUs (NCCL issue 1455) is W p / (p + 1), whatever W is."""
    published = np.array([258, 265, 270, 273])
    model = np.array([fl.predict("dgx-h100", "all_reduce", 4e9, gpus_per_node=p, algorithm="nvls").algbw for p in (5, 6, 7, 8)])
    assert model / model.mean() == pytest.approx(published / published.mean(), rel=0.01)
    chosen = [fl.predict("dgx-h100", "all_reduce", 4e9, gpus_per_node=p).algorithm for p in (2, 3, 4, 5, 8)]
    assert chosen == ["ring", "ring", "ring", "nvls", "nvls"]


def test_a_tree_between_two_nodes_passes_the_rate_of_the_network_and_no_other_does():
    two, four = (fl.predict("aws-p5", "all_reduce", 2.0**34, nodes=n) for n in (2, 4))
    network = fl.system("aws-p5").node_rate
    assert two.algorithm == "nvls_tree"
    assert two.busbw > 1.1 * network
    assert four.busbw < network


def test_filling_a_pipeline_takes_longer_until_its_pieces_are_as_large_as_they_get():
    r = reach(*H100, fl.machines.launcher("mpi"), fitted())
    ramps = fl.predict("dgx-h100", "all_gather", SIZES).ramp
    assert (np.diff(ramps) >= 0).all()
    assert ramps[-1] == ramps[-2] == pytest.approx(r.fill[0] * (r.base + 7 * r.step))
    twice = fl.predict("dgx-h100", "all_reduce", SIZES, algorithm="ring").ramp
    assert twice[-1] == pytest.approx(r.fill[0] * (r.base + 14 * r.step))


def test_half_of_what_a_long_message_costs_more_is_there_at_the_eager_limit():
    """A ring over two nodes of eight: each message carries a sixteenth of the buffer, and two of fifteen are between nodes."""
    r = reach(*H100, fl.machines.launcher("mpi"), fitted())
    short, limit, long = fl.predict("dgx-h100", "all_gather", [1, 16 * r.cutoff, 1e15], nodes=2).latency
    assert long - short == pytest.approx(2 * r.ring_hop * (r.bulk - r.eager), rel=1e-3)
    assert limit - short == pytest.approx((long - short) / 2, rel=1e-3)


def test_a_mesh_lends_its_closing_links_to_the_network():
    """Eight GPUs run seven rings over the links of a mesh, but eight chains when NICs close them."""
    r = reach(fl.system("mi300x-roce"), 8, fl.machines.launcher("mpi"), fitted())
    assert r.open == pytest.approx(r.ring * 8 / 7)
    assert reach(fl.system("alps-gh200"), 2, fl.machines.launcher("mpi"), fitted()).ring == pytest.approx(
        reach(fl.system("alps-gh200"), 4, fl.machines.launcher("mpi"), fitted()).ring / 3)


@pytest.mark.parametrize(("system", "rate"), [("mi300x-roce", 448e9 / 7), ("dgx-h100", 450e9), ("dgx-a100", 300e9)])
def test_a_pair_has_one_of_seven_links_in_a_mesh_and_all_of_a_gpu_behind_a_switch(system, rate):
    assert fl.predict(system, "send_recv", 1e17).algbw == pytest.approx(rate * fitted()["any", "pair efficiency"], rel=1e-3)


def test_a_rack_reduces_in_its_switches_however_many_gpus_it_has():
    small = fl.predict("gb200-nvl72", "all_reduce", 1024.0)
    assert small.algorithm == "nvls"
    assert small.latency < fl.predict("gb200-nvl72", "all_reduce", 1024.0, algorithm="ring").latency / 3


def test_compute_trays_fill_racks():
    by_tray = fl.predict("gb200-nvl72", "all_reduce", SIZES, nodes=36, gpus_per_node=4)
    assert np.array_equal(by_tray.seconds, fl.predict("gb200-nvl72", "all_reduce", SIZES, nodes=2).seconds)
    one = fl.predict("gb200-nvl72", "all_reduce", SIZES, nodes=2, gpus_per_node=4)
    assert np.array_equal(one.seconds, fl.predict("gb200-nvl72", "all_reduce", SIZES, gpus_per_node=8).seconds)


@pytest.mark.parametrize("trays", [19, 20, 27, 35, 37, [1, 20]])
def test_trays_that_would_leave_racks_unequally_full_are_refused(trays):
    wrong = trays if isinstance(trays, int) else trays[-1]
    said = f"nodes must be at most 18 compute trays of GB200 NVL72, or a multiple of 18: .*got {wrong}"
    with pytest.raises(ValueError, match=said):
        fl.predict("gb200-nvl72", "all_reduce", 2**30, nodes=trays, gpus_per_node=4)


@pytest.mark.parametrize(("trays", "gpus", "ranks"), [(1, 4, 4), (18, 4, 72), (18, 1, 18), (36, 4, 144), (54, 2, 108)])
def test_trays_count_the_gpus_that_they_hold(trays, gpus, ranks):
    assert fl.predict("gb200-nvl72", "all_reduce", 2**30, nodes=trays, gpus_per_node=gpus).ranks == ranks


def test_a_part_of_each_rack_is_asked_for_by_racks():
    """Twenty trays as two racks of ten."""
    assert fl.predict("gb200-nvl72", "all_reduce", 2**30, nodes=2, gpus_per_node=40).ranks == 80


def test_a_case_is_told_by_names():
    one = case("gb200-nvl72", "all_gather", 1024, 36, 4, "torch")
    assert (one.machine.id, one.collective, one.nbytes, one.nodes, one.gpus, one.launcher.id) == (
        "gb200-nvl72", "all_gather", 1024, 2, 72, "torch")
    mine = dataclasses.replace(one.machine, name="mine", id="")
    assert machine_of(mine) is mine


def test_arrays_are_the_same_as_one_case_after_another():
    sizes, nodes = np.array([8.0, 2**20, 2**33]), np.array([[1], [2], [3], [64]])
    many = fl.predict("dgx-h100", "all_reduce", sizes, nodes=nodes)
    for row, n in enumerate(nodes[:, 0]):
        for column, size in enumerate(sizes):
            one = fl.predict("dgx-h100", "all_reduce", float(size), nodes=int(n))
            assert isinstance(one.seconds, float)
            assert many.seconds[row, column] == pytest.approx(one.seconds, rel=1e-12)
            assert many.algorithm[row, column] == one.algorithm
            assert many.busbw[row, column] == pytest.approx(one.busbw)
            assert many.why(3 * row + column) == one.why()


def test_why_names_what_takes_the_time():
    assert "starting the kernels" in fl.predict("dgx-h100", "all_reduce", 8, launcher="torch").why()
    assert "one message after another" in fl.predict("aws-p4de", "all_reduce", 8, nodes=64).why()
    assert "the switch ports" in fl.predict("dgx-h100", "all_reduce", 2**34).why()
    assert "the NICs" in fl.predict("dgx-h100", "all_to_all", 2**34, nodes=8).why()


def test_a_reason_is_a_sentence_that_says_what_how_much_on_how_many_and_by_which_way():
    """2**34 bytes over the 450 GB/s of an H100's port, and nine eighths of them pass it: 43 ms, were nothing lost."""
    said = (r"all_reduce of 16 GiB on 8 GPUs takes \d\d.\d ms by nvls because the bytes at the switch ports of each GPU "
            r"take \d\d.\d ms")
    assert re.fullmatch(said + ", more than anything else.", fl.predict("dgx-h100", "all_reduce", 2**34).why())
    said = r"barrier on 8 GPUs takes \d\d.\d µs by ring because waiting for one message after another takes \d\d.\d µs"
    assert re.fullmatch(said + ", more than anything else.", fl.predict("dgx-h100", "barrier").why())
    assert "by " not in fl.predict("dgx-h100", "all_reduce", 8, gpus_per_node=1).why()


@pytest.mark.parametrize("at", [2, -3, 0.5])
def test_a_reason_is_asked_of_a_case_that_is_there(at):
    with pytest.raises(ValueError, match=f"at must be a whole number from -2 to 1; got {at}"):
        fl.predict("dgx-h100", "all_reduce", [8, 16]).why(at)


def test_a_prediction_shows_itself_with_its_units():
    one, barrier = fl.predict("dgx-h100", "all_reduce", 2**34), fl.predict("dgx-h100", "barrier")
    time, speed = fl.units.format(one.seconds, "s"), fl.units.format(one.busbw, "B/s")
    assert repr(one) == f"<all_reduce of 16 GiB on 8 GPUs of DGX H100 by nvls: {time}, busbw {speed}>"
    assert repr(barrier) == f"<barrier on 8 GPUs of DGX H100 by ring: {fl.units.format(barrier.seconds, 's')}>"
    assert repr(fl.predict("dgx-h100", "all_reduce", [8, 16])) == "<all_reduce on GPUs of DGX H100: 2 predictions>"


def test_the_parts_are_those_of_the_time_whatever_its_name():
    """Between four DGX A100 a ring is within two per cent of the fastest, whose name it takes and whose time it leaves."""
    one = fl.predict("dgx-a100", "all_reduce", 2**28, nodes=4)
    ring = fl.predict("dgx-a100", "all_reduce", 2**28, nodes=4, algorithm="ring")
    assert one.algorithm == "ring"
    assert 1 < ring.seconds / one.seconds <= 1.02
    assert one.seconds == pytest.approx(one.latency + one.wire + one.ramp, rel=1e-6)


def test_who_launches_sets_the_floor():
    alone, all_eight = (fl.predict("dgx-a100", "all_reduce", 8, launcher=one).seconds for one in ("mpi", "single-process"))
    assert all_eight > 1.5 * alone


@pytest.mark.parametrize(("collective", "steps"), [("all_reduce", 14), ("all_gather", 7), ("reduce_scatter", 7)])
def test_with_launches_hidden_small_messages_take_a_base_and_steps(collective, steps):
    one, r = fl.predict("dgx-h100", collective, 8, launcher="threads"), reach(*H100, fl.machines.launcher("threads"), fitted())
    assert one.launch == 0
    assert one.seconds == pytest.approx(r.base + steps * r.step, rel=0.01)


def test_one_thread_that_queues_all_pairs_pays_for_each():
    alone, pairs = (fl.predict("dgx-a100", one, 8, launcher="single-process").launch for one in ("all_reduce", "all_to_all"))
    fewer = [fl.predict("dgx-a100", "all_to_all", 8, gpus_per_node=n, launcher="single-process").launch for n in (2, 4, 8)]
    assert pairs > 1.5 * alone
    assert fewer[2] - fewer[1] > 2 * (fewer[1] - fewer[0])


def test_two_gpus_get_less_of_a_switch_than_four():
    two, four = (fl.predict("dgx-h100", "all_reduce", 1e15, gpus_per_node=n).busbw for n in (2, 4))
    assert 0.8 < two / four < 0.95


def test_five_b200_keep_to_a_ring_and_six_let_the_switch_add():
    chosen = [fl.predict("dgx-b200", "all_reduce", 2.0**33, gpus_per_node=p).algorithm for p in (4, 5, 6, 8)]
    assert chosen == ["ring", "ring", "nvls", "nvls"]


def test_hops_and_rates_wear_off_with_the_number_of_nodes():
    two, many = (fl.predict("alps-gh200", "all_to_all", 1e15, nodes=n).busbw for n in (2, 256))
    assert many < two / 2
    hops = [fl.predict("dgx-h100", "barrier", nodes=n).latency for n in (2, 4, 16)]
    assert hops[2] - hops[1] > 2 * (hops[1] - hops[0])


def test_an_interval_lies_around_its_prediction_and_has_its_shape():
    sizes, nodes = np.geomspace(8, 2**34, 9), np.array([[1], [2]])
    many = fl.predict("dgx-h100", "all_reduce", sizes, nodes=nodes)
    low, high = many.interval
    assert low.shape == high.shape == many.seconds.shape
    assert (low < many.seconds).all()
    assert (many.seconds < high).all()
    assert low[1, 3] == fl.predict("dgx-h100", "all_reduce", float(sizes[3]), nodes=2).interval[0]
    barrier = fl.predict("dgx-h100", "barrier")
    assert barrier.interval[0] < barrier.seconds < barrier.interval[1]
    one = fl.predict("dgx-h100", "all_reduce", 2**20)
    assert all(isinstance(end, float) for end in one.interval)


def test_a_machine_is_composed_of_catalogue_parts_in_one_call():
    mine = fl.System("mine", gpus=8, link=fl.link("nvlink4").bundle(18), switch=fl.switch("nvswitch3"),
                     port=fl.port("ib-ndr"), ports=8)
    assert fl.predict(mine, "all_reduce", 2**30, nodes=4).seconds == fl.predict("dgx-h100", "all_reduce", 2**30, nodes=4).seconds
    with_sharp = dataclasses.replace(mine, sharp=True)
    assert fl.predict(with_sharp, "all_reduce", 2**30, nodes=4).algorithm == "sharp"
    assert fl.predict(with_sharp, "all_reduce", 2**30, nodes=4).seconds < fl.predict(mine, "all_reduce", 2**30, nodes=4).seconds


@pytest.mark.parametrize(("arguments", "message"), [
    ({"system": "dgx-h10"}, r"system 'dgx-h10' is not known. Did you mean 'dgx-h100'"),
    ({"system": 3}, r"system must be the id of one, such as 'dgx-h100', or a System; got 3."),
    ({"collective": "allreduce"}, r"collective 'allreduce' is not known. Did you mean 'all_reduce'"),
    ({"nbytes": 0}, r"nbytes must be a number greater than 0"),
    ({"nbytes": None}, r"nbytes must be given for all_reduce"),
    ({"nodes": 0}, r"nodes must be a whole number from 1"),
    ({"gpus_per_node": 9}, r"gpus_per_node must be a whole number from 1 to 8; got 9"),
    ({"algorithm": "sharp"}, r"algorithm 'sharp' is not known. Known: auto, ring, nvls."),
    ({"algorithm": "nvls", "nodes": [1, 2]}, r"algorithm 'nvls' of all_reduce does not serve one node and several nodes alike"),
    ({"launcher": "slurm"}, r"launcher 'slurm' is not known"),
    ({"system": "l40s-pcie", "nodes": 2}, r"nodes must be 1 for L40S server, which has no network; got 2."),
])
def test_errors_name_the_argument(arguments, message):
    usual = {"system": "dgx-h100", "collective": "all_reduce", "nbytes": 2**20}
    with pytest.raises(ValueError, match=message):
        fl.predict(**usual | arguments)


def test_a_system_refuses_parts_that_do_not_fit():
    wire = fl.link("nvlink4").bundle(18)
    with pytest.raises(ValueError, match="link must be a Link"):
        fl.System("mine", 8, "nvlink4")
    with pytest.raises(ValueError, match="ports must be 0 without a port and at least 1 with one"):
        fl.System("mine", 8, wire, ports=8)
    with pytest.raises(ValueError, match="wiring 'hub' is not known"):
        fl.System("mine", 8, wire, wiring="hub")


def test_many_predictions_are_a_frame_with_a_row_each():
    sizes = [[2**10], [2**30]]
    many = fl.predict("dgx-h100", "all_reduce", sizes, nodes=[2, 4])
    found = many.frame()
    assert found["nbytes"].tolist() == [2**10, 2**10, 2**30, 2**30]
    assert found["ranks"].tolist() == [16, 32, 16, 32]
    assert found["seconds"].tolist() == many.seconds.ravel().tolist()
    assert found["algorithm"].tolist() == many.algorithm.ravel().tolist()
    assert fl.predict("dgx-h100", "all_reduce", 2**30).frame().shape == (1, 7)
