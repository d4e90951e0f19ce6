"""What a comparison is made of, and what cannot be compared."""

import math

import numpy as np
import pytest
from written_logs import Run, nccl

import fabriclib as fl
from fabriclib.diagnosis.report import sentences
from fabriclib.measurements import as_read, read_measurements
from fabriclib.measurements.about import About

FRAME = as_read("h100x8-dgx-nvls-ar")


def test_errors_and_regimes_are_those_of_the_prediction():
    found = fl.compare(FRAME, "dgx-h100")
    model = fl.predict("dgx-h100", "all_reduce", found.table.nbytes.to_numpy()).seconds
    assert np.allclose(found.table.error, model / found.table.measured - 1)
    assert found.regimes["rows"].tolist() == [14, 9, 9]
    assert found.regimes["mean absolute error"][0] == pytest.approx(found.table.error[:14].abs().mean())


def test_a_glitch_counts_as_its_in_place_time():
    assert fl.compare(FRAME, "dgx-h100").table.set_index("nbytes").measured[32] == 13.52e-6


def test_the_fit_is_that_of_the_measured_times():
    frame = FRAME.assign(seconds=5e-6 + FRAME.nbytes / 100e9, in_place=math.nan)
    fit = fl.compare(frame, "dgx-h100").fit
    assert (fit.alpha, 1 / fit.beta) == pytest.approx((5e-6, 100e9))
    assert fl.compare(frame[:1], "dgx-h100").fit is None


def test_times_that_do_not_grow_tell_no_rate():
    flat = fl.compare(FRAME[:8].assign(seconds=45e-6, in_place=math.nan), "dgx-h100")
    assert "The measured times are all start, 45 µs: these sizes tell no rate." in sentences(flat)
    assert not any("no rate" in said for said in sentences(fl.compare(FRAME, "dgx-h100")))


def test_nodes_follow_from_the_ranks_where_the_log_says_none():
    text = nccl(Run("all_reduce", 16, 2, [2**30, 2**31], [4500.0, 8700.0], [4500.0, 8700.0], devices=False))
    frame = read_measurements(text)
    assert frame.nodes.isna().all()
    known = fl.compare(frame, "dgx-h100", nodes=2).table
    assert fl.compare(frame, "dgx-h100").table.equals(known)
    assert not fl.compare(frame, "dgx-h100", nodes=4).table.equals(known)


def test_one_process_for_all_gpus_is_taken_from_the_log():
    text = nccl(Run("all_reduce", 8, 1, [64, 128], [45.0, 45.0], [45.0, 45.0])).replace("nGpus 1 ", "nGpus 8 ")
    alone, several = (fl.compare(read_measurements(text), "dgx-a100", launcher=who).table.predicted for who in (None, "mpi"))
    assert np.all(alone > 1.5 * several)


def test_trouble_in_the_log_is_part_of_the_verdict():
    text = nccl(Run("all_reduce", 8, 1, [2**30, 2**31], [4500.0, 8700.0], [4500.0, 8700.0])).replace("2147483648", "1047483648")
    found = fl.compare(read_measurements(text), "dgx-h100")
    assert found.problems
    assert found.verdict.endswith("read its problems first.")
    assert repr(found) == f"<{found.verdict}>"


def test_slow_small_messages_alone_are_said_and_no_alarm():
    found = fl.compare(FRAME.assign(seconds=FRAME.seconds + 60e-6, in_place=math.nan), "dgx-h100")
    assert not found.alarm
    assert "Small messages take" in found.verdict


def test_a_run_that_is_too_fast_for_the_machine_is_impossible():
    found = fl.compare(FRAME, "dgx-a100")
    assert found.alarm
    assert not found.causes
    rows = found.table
    times = (rows.measured / rows.predicted)[(rows.nbytes / rows.measured).idxmax()]
    assert f"Impossible: at its best point the run takes {times:.2g} times the predicted time" in found.verdict
    assert "No alarm" not in found.verdict
    half = fl.compare(FRAME.assign(seconds=FRAME.seconds * 0.75, in_place=math.nan), "dgx-h100")
    assert half.verdict.startswith("No alarm")


def test_a_gpu_that_the_log_lists_is_compared_with_the_machines():
    frame = FRAME.copy()
    for listed, machine, asked in (("NVIDIA H100 80GB HBM3", "dgx-h100", False), ("NVIDIA H100 80GB HBM3", "dgx-h200", True),
                                   ("NVIDIA A100-SXM4-40GB", "dgx-h100", True), ("NVIDIA GPU", "dgx-h200", False),
                                   ("NVIDIA H800", "dgx-h100", True), ("", "dgx-h200", False)):
        frame.attrs["tables"] = (About(gpu=listed),)
        assert fl.compare(frame, machine).verdict.startswith(f"The log lists {listed}, and ") == asked


def test_host_memory_of_one_node_is_not_compared():
    found = fl.compare(as_read("gh200-alps-openmpi-bw-host-intra"), "alps-gh200")
    assert not found.alarm
    assert found.verdict.startswith("Cannot be compared")


def test_a_composed_machine_is_compared_like_any_other():
    from dataclasses import replace

    mine = replace(fl.system("dgx-h100"), ports=1, name="mine")
    slow = as_read("h100x16-nebius-ar")
    assert fl.compare(slow, mine).table.predicted.iloc[-1] > 3 * fl.compare(slow, "dgx-h100").table.predicted.iloc[-1]


@pytest.mark.parametrize(("change", "options", "said"), [
    (lambda f: f[:0], {}, "df must be a table"), (lambda f: None, {}, "df must be a table"),
    (lambda f: "log", {}, "df must be a table"),
    (lambda f: f.assign(table=[*[0] * 31, 1]), {}, "df must hold one table; it holds 2"),
    (lambda f: f.drop(columns="ranks"), {}, "ranks must be given"),
    (lambda f: f, {"ranks": 12, "nodes": 1}, "got 12 ranks on 1 nodes"),
    (lambda f: f, {"ranks": 9, "nodes": 2}, "9 ranks on 2 nodes"), (lambda f: f, {"nodes": 0}, "nodes must be a whole number"),
    (lambda f: f, {"launcher": "mpirun"}, "Did you mean 'mpi'"),
    (lambda f: f.assign(collective=["all_gather", *f.collective[1:]]), {}, "one collective; it holds all_gather, all_reduce"),
    (lambda f: f.assign(ranks=[4, *f.ranks[1:]]), {}, "ranks must be given: the rows have 4 and 8"),
    (lambda f: f.assign(ranks=0), {}, "ranks must be a whole number from 1"),
    (lambda f: f.assign(nodes=1.5), {}, "nodes must be a whole number from 1"),
    (lambda f: f.assign(ranks="x"), {}, "ranks must be"), (lambda f: f.assign(nbytes="x"), {}, "nbytes must be"),
    (lambda f: f.assign(seconds=0.0), {}, "seconds must be a number greater than 0; got 0"),
    (lambda f: f.assign(seconds="x"), {}, "seconds must be"), (lambda f: f.assign(in_place=-1.0), {}, "in_place must be"),
    (lambda f: f.assign(in_place="x"), {}, "in_place must be"),
])
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_compared_is_refused(change, options, said):
    with pytest.raises(ValueError, match=said):
        fl.compare(change(FRAME), "dgx-h100", **options)


def test_times_that_are_thousands_of_times_the_predicted_ones_are_told_without_an_exponent():
    model = fl.predict("dgx-h100", "all_reduce", FRAME.nbytes.to_numpy()).seconds
    late = fl.compare(FRAME.assign(seconds=model * np.where(FRAME.nbytes < 2**25, 1500, 1), in_place=None), "dgx-h100")
    assert late.verdict == ("No alarm: at its best point the run takes as long as predicted. Small messages take 1,500 times as "
                            "long as predicted; the rate shows no cause for that.")
    small = fl.compare(FRAME.assign(seconds=1500 * model, in_place=None)[:8], "dgx-h100")
    assert "These take 1,500 times as long as predicted" in small.verdict


def test_an_in_place_time_may_be_blank():
    found = fl.compare(FRAME.assign(in_place=None), "dgx-h100")
    assert found.table["measured"].tolist() == FRAME["seconds"].tolist()


def test_a_machine_without_a_network_has_no_nodes():
    with pytest.raises(ValueError, match="no network"):
        fl.compare(as_read("h100x16-nebius-ar"), "l40s-pcie")
    with pytest.raises(ValueError, match="Did you mean 'dgx-h100'"):
        fl.compare(FRAME, "dgx-h10")


@pytest.mark.parametrize(("seconds", "ring"), [(0.177, True), (0.094, False)])
def test_between_two_nodes_without_switches_that_add_a_ring_is_as_healthy_as_a_tree(seconds, ring):
    found = fl.compare(fl.read_measurements(f"collective,ranks,nodes,nbytes,seconds\nall_reduce,16,2,8589934592,{seconds}\n"),
                       "a100-hdr4")
    assert not found.alarm
    assert ("NCCL_ALGO=Tree" in found.verdict) == ring


def test_half_of_a_ring_between_two_nodes_is_no_ring():
    assert fl.compare(fl.read_measurements("collective,ranks,nodes,nbytes,seconds\nall_reduce,16,2,8589934592,0.36\n"),
                      "a100-hdr4").alarm
