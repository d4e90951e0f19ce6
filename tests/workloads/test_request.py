"""Requests: worked numbers that are known, what a token is made of, what two nodes cost, and what refuses it."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog
from fabriclib.workloads.experts import distinct

OUT_OF_MEMORY = [  # printed so in the FasterTransformer guide, with what still ran beside it
    ("gpt-20b", 1, 256, 128, 20, 128), ("gpt-20b", 1, 256, 80, 200, 64), ("gpt-20b", 1, 128, 200, 200, 64),
]


def llama(**given):
    return fl.request("llama-3-70b", "dgx-h100", **{"gpus": 8, "tp": 8, "prompt": 1000, "output": 100} | given)


def test_deepseeks_bound_to_the_digit():
    bound = fl.exchange_bound(32, 9, 7000, 50e9)
    token = fl.token_bound(bound, 61)
    printed = {one.quantity: one.value for one in catalog.figures("deepseek-v3") if one.source.id == "deepseek-insights"}
    assert round(bound * 1e6, 2) == printed["exchange of a decode step"] == 120.96
    assert round(token * 1e3, 2) == printed["least time of a token"] == 14.76
    assert int(1 / token) == printed["most tokens a second and user"] == 67
    rack = fl.token_bound(fl.exchange_bound(32, 9, 7000, 900e9), 61)
    assert round(rack * 1e3, 2) == printed["least time of a token by NVLink"]


def test_what_deepep_calls_bandwidth():
    low = fl.expert_exchange("deepseek-v3", "hgx-h800", tokens=128, ep=8, mode="low_latency")
    assert low.logical == (pytest.approx(128 * 8 * (7168 + 56 * 4)), pytest.approx(128 * 8 * 7168 * 2))  # 7.57 and 14.7 MB
    assert low.logical[0] / 77e-6 == pytest.approx(98e9, rel=0.02)
    far = fl.expert_exchange("deepseek-v3", "hgx-h800", tokens=4096, ep=32, nodes_a_token=4)
    assert far.rates[0] > fl.system("hgx-h800").port.rate  # logical bytes count those that stay at home
    assert far.network[0] / far.dispatch < fl.system("hgx-h800").port.rate
    assert far.network[0] / far.logical[0] == pytest.approx(3 / 4)
    assert distinct(8, 8) == pytest.approx(5.25, abs=0.01)


def test_keys_and_values_by_hand():
    assert fl.kv_transfer("llama-3-70b", "dgx-h100", prompt=1).nbytes == 80 * 2 * 8 * 128 * 2
    assert fl.kv_transfer("deepseek-v3", "dgx-h100", prompt=1).nbytes == 61 * (512 + 64) * 2
    assert fl.kv_transfer("qwen3-235b-a22b", "dgx-h100", prompt=1, tp=8).nbytes == 94 * 2 * 4 * 128 * 2 * 2  # each head twice
    seconds = [fl.kv_transfer("llama-3-70b", "dgx-h100", prompt=8192, over=way).seconds for way in ("nvlink", "network", "tcp")]
    assert seconds == sorted(seconds)
    assert seconds[2] > 5 * seconds[1]


def test_parts_add_up_and_arrays_are_the_cases_one_by_one():
    batch, tp = np.array([1, 64]), np.array([[4], [8]])
    many = llama(gpus=8, tp=tp, batch=2 * batch, pp=8 // tp)
    assert sum(many.parts.values()) == pytest.approx(many.seconds)
    assert sum(many.token_parts.values()) == pytest.approx(many.per_token)
    assert many.first_token + 99 * many.per_token == pytest.approx(many.seconds)
    for at in np.ndindex(2, 2):
        one = llama(tp=int(tp[at[0], 0]), pp=int(8 // tp[at[0], 0]), batch=int(2 * batch[at[1]]))
        assert many.seconds[at] == pytest.approx(one.seconds)
        assert many.parts["bytes"][at] == pytest.approx(one.parts["bytes"])
    assert many.why(0).startswith("The first token takes")


def test_at_batch_one_more_gpus_shorten_the_reading_and_nothing_else():
    tp = np.array([1, 2, 4, 8])
    token = fl.request("gpt-20b", "dgx-a100", gpus=tp, tp=tp, prompt=200, output=200, engine="faster-transformer")
    assert token.token_parts["weights"] * tp == pytest.approx(token.token_parts["weights"][0])
    assert np.ptp(token.token_parts["host"]) == 0
    assert np.all(np.diff(token.token_parts["starts"]) > 0)
    assert 2 < token.seconds[0] / token.seconds[3] < 3.3  # measured: 2.7


def test_two_nodes_win_at_batch_one_and_lose_at_a_large_batch():
    """530 billion parameters: TP 16 against TP 8 x PP 3, as measured 1.5 times as fast at batch 1 and slower from 64 on."""
    def seconds(batch, **split):
        engine = "faster-transformer"
        return fl.request("megatron-529.6b", "dgx-a100", batch=batch, prompt=128, output=8, engine=engine, **split).seconds

    ratio = [seconds(batch, gpus=24, tp=8, pp=3) / seconds(batch, gpus=16, tp=16) for batch in (1, 64)]
    assert ratio[0] == pytest.approx(866 / 585, rel=0.15)
    assert ratio[1] == pytest.approx(3578 / 4002, rel=0.2)


@pytest.mark.parametrize(("model", "tp", "batch", "prompt", "output", "ran"), OUT_OF_MEMORY)
def test_what_did_not_fit_then_does_not_fit_now(model, tp, batch, prompt, output, ran):
    given = {"gpus": tp, "tp": tp, "prompt": prompt, "output": output}
    with pytest.raises(ValueError, match="keys and values, at a batch of"):
        fl.request(model, "dgx-a100", batch=batch, **given)
    assert fl.request(model, "dgx-a100", batch=ran, **given).memory <= fl.accelerator("a100-80gb-sxm").memory


@pytest.mark.parametrize(("given", "says"), [
    ({"tp": 3, "gpus": 9}, "tp must divide the 64 heads"),
    ({"gpus": 12}, "nearest 8 or 16"),
    ({"gpus": 16, "batch": 3}, "which share it out; got 3, nearest 2 or 4"),
    ({"ep": 2}, "has no experts"),
    ({"engine": "vllm"}, "Did you mean 'vllm-202"),
    ({"dtype": "int4"}, "Known: fp16, fp8"),
    ({"tp": 1, "pp": 1, "gpus": 1}, "Take more GPUs a model"),
    ({"pp": 81, "gpus": 648}, "at most the 80 layers"),
])
def test_what_cannot_be_is_refused_in_a_sentence(given, says):
    with pytest.raises(ValueError, match=says):
        llama(**given)


def test_fewer_bytes_are_read_in_eight_bits():
    half, wide = llama(dtype="fp8"), llama()
    assert half.token_parts["weights"] < 0.6 * wide.token_parts["weights"]
    assert half.token_parts["host"] == wide.token_parts["host"]
    assert wide.memory_parts["cache"] == 2 * llama(cache="fp8").memory_parts["cache"]


def test_an_engine_nobody_measured_has_the_times_of_its_kind():
    mine = fl.Engine("mine", launches="python", reduces="library")
    assert llama(engine=mine).per_token > 2 * llama().per_token
    assert llama(engine=fl.Engine("typical")).per_token == llama().per_token
