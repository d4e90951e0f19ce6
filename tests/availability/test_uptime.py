"""How a job fares: Llama 3's 54 days, other clusters' rates, spare servers, planes."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import availability, catalog

RUN = catalog.figure("llama3-run").si


def _figure(name):
    return catalog.figure(name).si


def test_the_table_of_causes_adds_up_to_what_the_paper_says():
    rows = catalog.rows("failures")
    assert sum(row["count"] for row in rows) == _figure("llama3-unexpected")
    assert sum(availability.causes(replaced=True).values()) / _figure("llama3-unexpected") == pytest.approx(0.78, abs=0.01)
    assert availability.causes()["network"] / _figure("llama3-unexpected") == pytest.approx(0.084, abs=0.0005)


def test_llama_3s_54_days():
    job = fl.uptime("dgx-h100", gpus=16384)
    found = {part: rate * RUN for part, rate in job.by_part.items()}
    found["network"] = found.pop("cable") + found.pop("leaf")
    assert found == pytest.approx(availability.causes(), rel=1e-9)
    assert job.between / 3600 == pytest.approx(3.09, abs=0.01)
    assert _figure("llama3-effective") <= job.share <= 1.1 * _figure("llama3-effective")


def test_servers_fail_half_as_often_and_twice_as_often_elsewhere():
    ours = sum(fl.uptime("dgx-h100", gpus=8).by_part.values()) * 86400 * 1000
    assert _figure("rsc2-node-failures") < ours < _figure("rsc1-node-failures")


def test_spares_are_erlangs():
    one = availability.erlang_b(6.0, 1)
    assert one == pytest.approx(6 / 7)
    counted = np.cumprod([1.0, *(6.0 / np.arange(1, 11))])
    assert availability.erlang_b(6.0, 10) == pytest.approx(counted[-1] / counted.sum())
    few, many = (fl.uptime("dgx-h100", gpus=16384, spare=spare).share for spare in (3, 20))
    assert few < many <= fl.uptime("dgx-h100", gpus=16384).share


def test_a_second_plane_turns_interruptions_into_slow_hours():
    one, two = (fl.uptime("dgx-h100", gpus=4096, design=fl.fabric_counts(kind, gpus=4096, radix=128))
                for kind in ("rail-optimised", "dual-plane"))
    assert two.between > one.between
    assert one.degraded == 0 < two.degraded
    assert two.by_part["cable"] == 0 < one.by_part["cable"]


def test_sizes_may_be_arrays():
    sizes = 2 ** np.arange(3, 18)
    jobs = fl.uptime("dgx-h100", gpus=sizes, spare=4)
    assert jobs.between * sizes == pytest.approx(np.full(len(sizes), jobs.between[0] * 8))
    assert jobs.share[7] == pytest.approx(fl.uptime("dgx-h100", gpus=int(sizes[7]), spare=4).share)


@pytest.mark.parametrize(("given", "named"), [
    ({"gpus": 0}, "gpus must be a whole number"), ({"gpus": 64, "spare": -1}, "spare"), ({"gpus": 64, "save": 0}, "save"),
    ({"gpus": 64, "model": "llama-3-405"}, "llama-3-405b"), ({"gpus": 64, "model": 3}, "model"),
    ({"gpus": 64, "repair": np.nan}, "repair"), ({"gpus": 64, "design": fl.fabric_counts("leaf-spine", gpus=128)}, "for 64 GPUs"),
])
def test_bad_input_is_a_sentence(given, named):
    with pytest.raises(ValueError, match=named):
        fl.uptime("dgx-h100", **given)
