"""What the papers print of sizes, operations, memory and bubbles, to the last digit that they print."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog
from fabriclib.workloads.memory import model_states
from fabriclib.workloads.timeline import bubble

SEQ = 2048
PRINTED = {"megatron-1.7b": 1.7, "megatron-3.6b": 3.6, "megatron-7.5b": 7.5, "megatron-18.4b": 18.4, "megatron-39.1b": 39.1,
           "megatron-76.1b": 76.1, "megatron-145.6b": 145.6, "megatron-310.1b": 310.1, "megatron-529.6b": 529.6,
           "megatron-1t": 1008.0}


@pytest.mark.parametrize("name", PRINTED)
def test_megatrons_parameter_counts(name):
    model = fl.transformer(name)
    l, h, v = model.layers, model.hidden, model.vocab  # noqa: E741 - the paper's letters
    assert round(model.params / 1e9, 1) == PRINTED[name]
    assert model.params == pytest.approx(12 * l * h**2 * (1 + 13 / (12 * h) + (v + SEQ) / (12 * l * h)), rel=1e-12)


@pytest.mark.parametrize("name", PRINTED)
def test_megatrons_operations_count_the_layers_twice_forward(name):
    model, batch = fl.transformer(name), 512
    l, h, v = model.layers, model.hidden, model.vocab  # noqa: E741
    printed = 96 * batch * SEQ * l * h**2 * (1 + SEQ / (6 * h) + v / (16 * l * h))
    once, output = model.flops(batch * SEQ, SEQ), 6 * batch * SEQ * h * v
    assert once == pytest.approx(72 * batch * SEQ * l * h**2 * (1 + SEQ / (6 * h) + v / (12 * l * h)), rel=1e-12)
    assert (once - output) * 4 / 3 + output == pytest.approx(printed, rel=1e-12)


def test_zeros_gigabytes():
    held = [sum(model_states(7.5e9, 64, sharding)) / 1e9 for sharding in ("none", "zero1", "zero2", "fsdp")]
    assert held == pytest.approx([120, 31.4, 16.6, 1.88], abs=0.05)


def test_llama_3s_operations_and_days():
    operations = 6 * fl.catalog.figure("llama3-parameters").value * fl.catalog.figure("llama3-tokens").value
    assert operations == pytest.approx(3.79e25, rel=1e-3)
    assert 6 * fl.transformer("llama-3-405b").params * 15.6e12 == pytest.approx(3.8e25, rel=1e-3)
    rate = 16384 * fl.catalog.figure("h100-peak").si * fl.catalog.figure("llama3-used").value
    assert operations / rate / 86400 == pytest.approx(66.0, abs=0.1)


@pytest.mark.parametrize(("name", "billions", "active"), [
    ("llama-2-70b", 68.98, 68.98), ("llama-3-8b", 8.03, 8.03), ("llama-3-70b", 70.55, 70.55), ("llama-3-405b", 405.85, 405.85),
    ("mixtral-8x7b", 46.7, 12.9), ("qwen3-30b-a3b", 30.5, 3.3), ("qwen3-235b-a22b", 235.1, 22.2), ("deepseek-v3", 671.0, 37.6)])
def test_sizes_of_models_as_published(name, billions, active):
    model = fl.transformer(name)
    assert model.params / 1e9 == pytest.approx(billions, rel=2e-3)
    assert model.active_params / 1e9 == pytest.approx(active, rel=2e-2)


def _one_trillion(**given):
    return fl.training_step("megatron-1t", "dgx-a100", **{"gpus": 3072, "global_batch": 3072, "seq": SEQ, "tp": 8, "pp": 64,
                                                         "recompute": "full", "flash": False} | given)


def test_both_conventions_of_the_bubble():
    of_ideal, of_total = bubble(64, 512)
    assert of_ideal == pytest.approx(0.1230, abs=5e-5)
    assert of_total == pytest.approx(0.1096, abs=5e-5)
    assert bubble(64, 512, 2)[0] == of_ideal / 2
    step = _one_trillion(global_batch=6 * np.array([64, 512]))
    # The slowest stage, that with the output, sets the pace; the bubble is stages of the others, however many follow.
    assert step.parts["bubble"][0] == pytest.approx(step.parts["bubble"][1])
    ideal = sum(step.parts[part][1] for part in step.parts if part not in ("bubble", "dp", "optimiser"))
    assert step.parts["bubble"][1] / ideal == pytest.approx(of_ideal, rel=0.1)


def test_taking_turns_divides_the_bubble():
    waits = _one_trillion(virtual=np.array([1, 2])).parts["bubble"]
    assert waits[0] / waits[1] == pytest.approx(2, rel=0.02)


def test_hardware_operations_are_not_model_operations():
    model, step = fl.transformer("megatron-1t"), _one_trillion()
    batch = 3072
    twice = 96 * batch * SEQ * model.layers * model.hidden**2
    peak = 3072 * fl.accelerator("a100-80gb-sxm").bf16
    printed = next(row["seconds"] for row in catalog.rows("training_steps") if row["id"] == "megatron-sc21-a100-010")
    assert twice / (printed * peak) == pytest.approx(0.52, abs=0.01)
    assert model.flops(batch * SEQ, SEQ) / (printed * peak) == pytest.approx(0.392, abs=0.002)
    assert step.seconds == pytest.approx(printed, rel=0.1)


def test_activations_as_korthikanti_counts_them():
    model, t = fl.transformer("megatron-175b"), 8
    s, b, h, a = SEQ, 1, model.hidden, model.heads
    want = {"none": s * b * h / t * (34 + 5 * a * s / h), "selective": 34 * s * b * h / t, "full": 2 * s * b * h / t}
    for recompute, layer in want.items():
        step = fl.training_step("megatron-175b", "dgx-a100", gpus=64, global_batch=64, seq=s, tp=t, pp=8, recompute=recompute,
                                flash=False, sharding="zero1")
        assert step.memory_parts["activations"] == pytest.approx(model.layers * layer, rel=1e-9)
