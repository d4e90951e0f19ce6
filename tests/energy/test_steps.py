"""The joules of a step add up, its bytes are those of the papers, and wires that idle are dear."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib.energy import reconciled
from fabriclib.workloads.traffic import sent

GPT = {"gpus": 64, "global_batch": 64, "seq": 2048}


def bytes_of(**split):
    job = fl.training_step("megatron-1.7b", "dgx-a100", **GPT | split).job
    return job, {axis: (float(inside[0]), float(outside[0])) for axis, (inside, outside) in sent(job).items()}


def test_gradients_leave_a_server_once_for_its_eight_gpus():
    """Data parallel alone: a ring all-reduce of two bytes a parameter sends 2 (p - 1) / p of them, an eighth to the network."""
    job, found = bytes_of()
    whole = 2 * 63 / 64 * 2 * job.model.params
    assert found["gradients"] == pytest.approx((whole * 7 / 8, whole / 8), rel=0.02)
    assert sum(sum(pair) for axis, pair in found.items() if axis != "gradients") == 0


def test_sharding_the_weights_costs_half_as_much_again():
    """ZeRO: three times the parameters instead of two, for one micro-batch a step."""
    none, fsdp = (sum(sum(pair) for pair in bytes_of(sharding=one)[1].values()) for one in ("none", "fsdp"))
    assert fsdp / none == pytest.approx(1.5)


def test_tensor_parallelism_stays_inside_and_stages_pass_activations_over_the_network():
    """Megatron: four all-reduces of b s h a layer forward and backward; a stage sends b s h on and as much back."""
    job, found = bytes_of(tp=8, pp=8)
    buffer = 2048 * job.model.hidden * 2
    layers, sequences = job.model.layers / 8, 64
    assert found["tp"] == pytest.approx((sequences * layers * 4 * 2 * 7 / 8 * buffer, 0))
    assert found["pp"] == pytest.approx((0, sequences * 2 * buffer / 8))


def test_a_step_by_hand():
    step = fl.training_step("llama-3-70b", "dgx-h100", gpus=np.array([512, 1024]), global_batch=1024, seq=8192, tp=4, pp=4,
                            sharding="zero1")
    found = fl.step_energy(step)
    power = fl.cluster_power("dgx-h100", gpus=[512, 1024], load=fl.energy.TRAINING)
    assert found.joules == pytest.approx(power.watts * step.seconds)
    assert found.parts["network"] == pytest.approx(power.network * step.seconds)
    assert found.per_token == pytest.approx(power.watts / step.tokens_per_second)
    waits = step.seconds - sum(step.parts[one] for one in ("matrices", "attention", "elementwise", "optimiser"))
    assert found.parts["waiting for wires"] + found.parts["waiting for others"] == pytest.approx(
        waits * (power.parts["GPUs"] + power.parts["rest of the servers"]))


def test_wires_draw_far_more_than_their_bytes_would_on_full_ones():
    step = fl.training_step("llama-3-70b", "dgx-h100", gpus=512, global_batch=1024, seq=8192, tp=4, pp=4, sharding="zero1")
    found = fl.step_energy(step)
    assert 0.01 < sum(found.moving.values()) / (found.parts["network"] + found.parts["NVLink switches"]) < 0.2


def test_a_whole_training_is_held_against_its_card():
    card = next(one for one in reconciled() if one.what.startswith("Llama 3.1 405B"))
    assert card.published == pytest.approx(700 * 30.84e6 * 3600)
    assert -0.25 < card.gap < 0


def test_an_answered_token_by_hand_and_cheaper_in_company():
    served = fl.request("llama-3-70b", "dgx-h100", gpus=8, tp=8, batch=np.array([1, 64]), prompt=1000, output=100)
    found, power = fl.token_energy(served), fl.cluster_power("dgx-h100", gpus=8, load=fl.energy.TRAINING)
    assert found.joules == pytest.approx(power.watts / served.tokens_per_second)
    assert found.joules[0] > 10 * found.joules[1]
    half = fl.token_energy(fl.request("llama-3-8b", "dgx-h100", gpus=4, tp=4, batch=64, prompt=100, output=100))
    whole = fl.request("llama-3-8b", "dgx-h100", gpus=4, tp=4, batch=64, prompt=100, output=100)
    assert half.joules == pytest.approx(power.watts / 2 / whole.tokens_per_second)  # four GPUs are half of a server


def test_what_is_no_step_or_request_is_refused():
    with pytest.raises(ValueError, match="step must be what training_step returns; got 3"):
        fl.step_energy(3)
    with pytest.raises(ValueError, match="request must be what fl.request returns; got 3"):
        fl.token_energy(3)
