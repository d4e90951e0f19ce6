"""A training step: what it is made of, where its groups lie, what refuses it."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.workloads import placement, wires
from fabriclib.workloads.traffic import distinct

LLAMA = {"gpus": 64, "global_batch": 256, "seq": 8192, "tp": 4, "pp": 4, "sharding": "zero1", "recompute": "full"}


def llama(**given):
    return fl.training_step("llama-3-70b", "dgx-h100", **LLAMA | given)


def test_parts_add_up_and_speed_follows():
    step = llama()
    assert sum(step.parts.values()) == pytest.approx(step.seconds)
    assert step.tokens_per_second * step.seconds == pytest.approx(256 * 8192)
    model = fl.transformer("llama-3-70b")
    assert step.mfu == pytest.approx(model.flops(256 * 8192, 8192) / step.seconds / 64 / fl.accelerator("h100-sxm").bf16)
    assert sum(step.memory_parts.values()) == pytest.approx(step.memory)
    assert step.fits is True


def test_arrays_are_the_cases_one_by_one():
    tp, batch = np.array([[1], [4]]), np.array([128, 256, 512])
    many = llama(tp=tp, global_batch=batch, sharding="fsdp")
    assert many.seconds.shape == (2, 3)
    for at in np.ndindex(2, 3):
        one = llama(tp=int(tp[at[0], 0]), global_batch=int(batch[at[1]]), sharding="fsdp")
        assert many.seconds[at] == pytest.approx(one.seconds)
        assert many.parts["dp"][at] == pytest.approx(one.parts["dp"])
    assert many.why(0).startswith("A step takes")


def test_the_table_says_what_predict_says():
    rng = np.random.default_rng(1)
    for collective, gpus in (("all_gather", 8), ("reduce_scatter", 1), ("all_reduce", 2), ("all_to_all", 8), ("send_recv", 1)):
        sizes, nodes = 2 ** rng.uniform(14, 33, 40), rng.integers(2, 400, 40)
        group = placement.Group(*(np.asarray(one) for one in (gpus * nodes, np.full(40, gpus), nodes, np.ones(40), np.ones(40),
                                                              np.zeros(40, bool))))
        asked = fl.predict("dgx-h100", collective, sizes, nodes, gpus, launcher=wires.QUEUED).seconds
        assert wires.seconds(fl.system("dgx-h100"), collective, sizes, group) == pytest.approx(asked, rel=0.03)


def test_the_order_of_the_axes_decides_which_wire():
    near = llama(order=("tp", "cp", "dp", "pp"))
    far = llama(order=("pp", "dp", "cp", "tp"))
    assert near.groups()["tp"] == placement.INSIDE
    assert far.groups()["tp"] == placement.RAIL
    assert far.groups()["pp"] == placement.INSIDE
    assert far.parts["tp"] > 3 * near.parts["tp"]
    assert far.parts["pp"] < near.parts["pp"]


def test_a_narrow_spine_hurts_who_crosses_it():
    given = {"gpus": 1024, "global_batch": 1024, "pp": 4}
    wide, narrow = llama(**given), llama(**given, oversubscription=8)
    assert wide.groups()["pp"] == placement.SPINE
    assert narrow.parts["pp"] > 2 * wide.parts["pp"]
    assert narrow.parts["tp"] == wide.parts["tp"]
    assert llama(**given, oversubscription=8, pod=128).seconds == wide.seconds


def test_a_rack_holds_what_a_server_does_not():
    given = {"gpus": 64, "global_batch": 1024, "seq": 4096, "ep": 64, "sharding": "zero1", "recompute": "full"}
    server = fl.training_step("qwen3-235b-a22b", "dgx-b200", **given)
    rack = fl.training_step("qwen3-235b-a22b", "gb200-nvl72", **given)
    assert server.groups()["ep"] == placement.RAIL
    assert rack.groups()["ep"] == placement.INSIDE
    assert server.parts["ep"] > 2 * rack.parts["ep"]


def test_a_node_gets_a_token_once():
    # Eight nodes, eight experts drawn at random: 8 (1 - (7/8)^8) = 5.25 nodes.
    assert 8 * distinct(8, 8) == pytest.approx(5.25, abs=0.01)
    assert distinct(1, 8) == 1
    assert distinct(10**6, 8) == pytest.approx(1, abs=1e-4)


def test_a_timeline_ends_with_the_step():
    step = llama()
    bars = step.timeline()
    assert bars.groupby("stage")["end"].max().to_numpy() == pytest.approx(step.seconds)
    for _, rows in bars.groupby("stage"):
        assert rows["start"].to_numpy()[1:] == pytest.approx(rows["end"].to_numpy()[:-1])
    waits = bars[bars["part"] == "bubble"]
    assert (waits["end"] - waits["start"]).groupby(waits["stage"]).sum().to_numpy() == pytest.approx(step.parts["bubble"])


def test_stages_before_the_last_wait_after_their_first_ways_forward_and_between_their_last_ways_back():
    step, stages, micro_batches = llama(), 4, 64
    bars = step.timeline()
    work = (step.seconds - step.parts["bubble"] - step.parts["dp"] - step.parts["optimiser"]) / micro_batches
    waits = dict(iter(bars[bars["part"] == "bubble"].groupby("stage")))
    early, late = waits[1]["start"]
    assert early == pytest.approx(stages * work / 3)
    assert step.seconds - late < stages * work
    assert [len(waits[stage]) for stage in (1, 2, 3, 4)] == [2, 4, 4, 2]
    assert waits[4]["start"].iloc[0] == 0


def test_splits_are_valid_fit_and_are_ranked():
    table = fl.splits("llama-3-70b", "dgx-h100", gpus=64, global_batch=256, seq=8192, recompute="full")
    assert (table["dp"] * table["tp"] * table["pp"] * table["cp"] == 64).all()
    assert table["seconds"].is_monotonic_increasing
    assert (table["memory"] <= fl.accelerator("h100-sxm").memory).all()
    best = table.iloc[0]
    alone = llama(**{axis: int(best[axis]) for axis in ("tp", "pp", "virtual", "cp", "ep")})
    assert alone.seconds == pytest.approx(best["seconds"])
    assert alone.parts["tp"] == pytest.approx(best["tp_seconds"])


def test_a_trillion_over_65536_is_one_call():
    table = fl.splits("megatron-1t", "dgx-h100", gpus=65536, global_batch=8192, seq=2048, recompute="full")
    assert len(table) > 20
    assert np.isfinite(table.to_numpy()).all()


@pytest.mark.parametrize(("given", "says"), [
    ({"tp": 8, "pp": 16}, "gpus must be at least tp x pp x cp = 128; got 64, 64 too few."),
    ({"gpus": 68}, "gpus must be a multiple of tp x pp x cp = 16; got 68, nearest 64 or 80."),
    ({"tp": 16}, "tp must lie inside one domain, 8 GPUs of DGX H100; got 16. The largest that divides the 64 heads"),
    ({"gpus": 48, "tp": 3}, "tp must divide the 64 heads of Llama 3 70B; got 3, nearest 2 or 4."),
    ({"gpus": 48, "pp": 3, "tp": 1}, "pp x virtual must divide the 80 layers .* got 3 x 1 = 3, nearest 2 or 4"),
    ({"virtual": 3}, "pp x virtual must divide"),
    ({"pp": 1, "virtual": 2, "tp": 8}, "virtual must be 1 where pp is 1"),
    ({"ep": 2}, "ep must be 1 for Llama 3 70B, which has no experts; got 2."),
    ({"global_batch": 250}, "global_batch must be a multiple of dp x micro_batch = 4 x 1 = 4; got 250, nearest 248 or 252."),
    ({"tp": 1, "pp": 1, "sharding": "none"}, "too many. With sharding 'fsdp' it fits."),
    ({"gpus": 8, "tp": 1, "pp": 1, "sharding": "fsdp"}, "take more GPUs"),
    ({"sharding": "zero3"}, "Did you mean 'fsdp'?"), ({"recompute": "some"}, "recompute"),
    ({"flash": 1}, "flash"),
    ({"dtype": "fp4"}, "dtype must be one that H100 SXM multiplies: bf16, fp8; got 'fp4'."),
    ({"order": ("tp", "dp")}, "order must name tp, cp, dp, pp once each"), ({"oversubscription": 0.5}, "oversubscription"),
    ({"pod": 0}, "pod"), ({"gpus": np.array([64, 68])}, "got 68"), ({"gpus": np.ones(2), "tp": np.ones(3)}, "broadcast"),
])
def test_what_cannot_be_is_refused_in_a_sentence(given, says):
    with pytest.raises(ValueError, match=says):
        llama(**given)


@pytest.mark.parametrize(("call", "says"), [
    (lambda: fl.transformer("llama-3-70"), "Did you mean 'llama-3-70b'"),
    (lambda: fl.accelerator("h100"), "Did you mean 'h100-sxm'"),
    (lambda: fl.training_step("lama-3-70b", "dgx-h100", **LLAMA), "Did you mean"),
    (lambda: fl.training_step("llama-3-70b", "rtx4090-pcie", **LLAMA), "system must be one whose accelerator is known"),
    (lambda: fl.training_step("qwen3-30b-a3b", "dgx-h100", gpus=60, global_batch=60, seq=512, ep=16), "divide the 60 ranks"),
    (lambda: fl.splits("llama-3-70b", "dgx-h100", gpus=8, global_batch=8, seq=8192), "no split of 8 does: the leanest"),
    (lambda: fl.splits("llama-3-70b", "dgx-h100", gpus=64, global_batch=1, seq=7, micro_batch=2), "gpus must be such that"),
    (lambda: fl.splits("llama-3-70b", "dgx-h100", gpus=1009, global_batch=64, seq=8192), "got 1009, nearest 664."),
    (lambda: fl.Transformer("x", 2, 100, 3, 1, 10, 10), "heads must divide hidden"),
    (lambda: fl.Transformer("x", 2, 96, 3, 2, 10, 10), "kv_heads must divide heads"),
    (lambda: fl.Transformer("x", 2, 96, 3, 3, 10, 10, experts=4), "topk must be from 1"),
    (lambda: llama().why(1), "at"),
])
def test_unknown_names_and_impossible_models(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_what_does_not_fit_as_it_is_says_so():
    step = llama(recompute="none", micro_batch=4)
    assert step.fits is False
    assert "It does not fit as it is" in step.why()
