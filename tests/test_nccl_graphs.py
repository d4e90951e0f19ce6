"""The graphs that NCCL's search finds: derived ones meet every log, fit their wires, and serve any machine put together."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabriclib as fl
from fabriclib import catalog, nccl, units
from fabriclib.nccl import nccl_choice, searched
from fabriclib.nccl.derive import derived

SIZES = 2.0 ** np.arange(3, 35)
SEARCHED = sorted({row["system"] for row in catalog.rows("nccl_graphs")})
NVIDIA = [row["id"] for row in catalog.rows("systems") if row["gpu"] in {kind["gpu"] for kind in catalog.rows("cuda_gpus")}]


def channels(machine, several=False):
    return {name: (one.channels, one.intra / 1e9, one.inter / 1e9) for name, one in derived(machine, several).graphs.items()}


@pytest.mark.parametrize("row", catalog.rows("nccl_graphs"), ids=lambda row: row["id"])
def test_what_a_log_shows_is_derived_to_the_channel(row):
    expected = (row["channels"], row["intra_bytes_per_s"] / 1e9, row["inter_bytes_per_s"] / 1e9)
    assert channels(fl.system(row["system"]))[row["algorithm"]] == pytest.approx(expected)


@pytest.mark.parametrize("collective", nccl.COLLECTIVES)
@pytest.mark.parametrize("system", SEARCHED)
def test_a_derived_graph_gives_the_choice_of_the_searched_one_at_all_sizes(system, collective):
    own = nccl_choice(derived(fl.system(system), several=False), collective, SIZES)
    known = nccl_choice(searched(system), collective, SIZES)
    assert (own.algorithm == known.algorithm).all()
    assert (own.protocol == known.protocol).all()
    np.testing.assert_allclose(own.seconds, known.seconds)
    assert own.derived
    assert not known.derived


def test_two_gpus_with_an_adapter_each_get_the_channels_of_a_log():
    """NVIDIA/nccl issue 1189: two H20, NVL[370.8], PCI[48.0], NET[50.0]: "nChannels 4, bw 24.000000/24.000000"."""
    assert channels(fl.composed("H100", 2, port="ib-ndr"), several=True)["ring"] == (4, 24, 24)


@pytest.mark.parametrize(("machine", "several", "ring", "why"), [
    (fl.system("dgx-a100"), False, (12, 20, 20), "12 links of 20 GB/s: 6 channels of 40, doubled"),
    (fl.system("dgx-a100"), True, (8, 24, 24), "PCIe 4 takes 24 of the 25 GB/s of an HDR port"),
    (fl.system("dgx-h100"), True, (8, 48, 48), "seven of a chain's eight GPUs send on: 7 x 48 of 370.8"),
    (fl.system("dgx-b200"), False, (16, 45, 45), "8 channels of 90 fill 721.8, doubled"),
    (fl.system("gb200-nvl72"), True, (16, 45.1, 45.1), "a sixteenth of 721.8"),
    (fl.system("aws-p3dn"), False, (6, 20, 20), "one channel a link"),
    (fl.system("alps-gh200"), False, (12, 30, 30), "six links a pair carry two channels of 60, to three others, doubled"),
    (fl.system("l40s-pcie"), False, (1, 20, 20), "24 of PCIe 4, 6 bytes for 5 through the CPU"),
    (fl.composed("RTX 4090", 4, wiring="pcie-switch"), False, (2, 12, 12), "below a switch all 24"),
    (fl.composed("H100", port="ib-ndr", ports=4), True, (8, 24, 24), "one channel an adapter, doubled because few"),
])
def test_the_ring_of_known_machines(machine, several, ring, why):
    assert channels(machine, several)["ring"] == pytest.approx(ring), why


@pytest.mark.parametrize(("machine", "several", "nvls", "why"), [
    (fl.system("dgx-b200"), False, (8, 80, 90), "nine parts of 80 of 721.8: a head's own counts twice"),
    (fl.system("dgx-h100"), True, (8, 40, 48), "an adapter beside each head"),
    (fl.composed("H100", port="ib-ndr", ports=4), True, (4, 48, 48), "four heads"),
    (fl.composed("H100", port="ib-ndr", ports=1), True, (1, 48, 48), "one head where there is one adapter"),
    (fl.system("gb200-nvl72"), False, (32, 20, 40), "32 heads at most"),
])
def test_the_heads_of_the_switches_that_add_up(machine, several, nvls, why):
    assert channels(machine, several)["nvls"] == pytest.approx(nvls), why


@pytest.mark.parametrize(("system", "cpu"), [
    ("dgx-a100", "amd"), ("aws-p5", "amd"), ("polaris", "amd"), ("oci-a100-40gb", "amd"), ("snellius-h100", "amd"),
    ("dgx-h100", "intel"), ("aws-p4de", "intel"), ("h100-roce", "intel"), ("alps-gh200", "arm"), ("gcp-a4x", "arm"),
])
def test_the_cpus_are_those_of_the_machines_row_and_intels_where_nobody_says(system, cpu):
    assert derived(fl.system(system), several=False).cpu == cpu


def test_a_machine_composed_has_the_cpus_of_the_first_with_its_gpus():
    assert [fl.composed(gpu).host for gpu in ("A100", "H100", "GB200", "L40S")] == ["amd", "intel", "grace", "x86"]


def test_behind_amds_cpus_a_ring_between_nodes_starts_later_and_ll_is_capped_lower():
    intel, amd = fl.system("dgx-h100"), replace(fl.system("dgx-h100"), host="amd")
    scores = [nccl_choice(one, "all_reduce", [8.0, 2.0**34], nodes=4).scores for one in (intel, amd)]
    little, much = np.array([one["ring", "ll"] for one in scores]).T
    hops_inside = 2 * 31 - 2 * 3
    assert little[1] - little[0] == pytest.approx(hops_inside * 1e-6)
    assert much[1] / much[0] == pytest.approx(20.4 / 19.0, rel=1e-3)


def test_a_log_is_of_the_graph_whatever_the_cpu():
    ours, theirs = searched("dgx-h100"), searched("aws-p5")
    assert (ours.cpu, theirs.cpu) == ("intel", "amd")
    assert ours.graphs == theirs.graphs
    assert not theirs.derived


def test_intels_cpus_take_more_of_pcie_than_amds():
    """NVIDIA/nccl src/graph/topo.h: INTEL_P2P_OVERHEAD."""
    rings = [channels(replace(fl.system("l40s-pcie"), host=host))["ring"] for host in ("intel", "x86", "amd")]
    assert [many * rate for many, rate, _ in rings] == pytest.approx([20, 20, 24])


def test_a_switch_adds_up_for_three_gpus_of_hopper_or_later_and_no_sooner():
    assert "nvls" in channels(fl.composed("H100", 3))
    assert "nvls" not in channels(fl.composed("H100", 2))
    assert "nvls" not in channels(fl.system("dgx-a100"))
    assert "nvls" not in channels(fl.composed("H100", wiring="mesh"))


def any_machine(gpu, gpus, wiring, port, ports):
    try:
        return fl.composed(gpu, gpus, wiring=wiring, port=port, ports=ports if port else None)
    except ValueError:  # parts that do not fit
        return fl.composed(gpu, gpus, port=port, ports=ports if port else None)


@settings(max_examples=60)
@given(gpu=st.sampled_from(sorted({row["gpu"] for row in catalog.rows("cuda_gpus")})), gpus=st.sampled_from([2, 3, 4, 8, 16, 72]),
       wiring=st.sampled_from(["", "mesh", "pcie-switch"]), port=st.sampled_from(["", "ib-hdr", "ib-xdr", "roce-100"]),
       ports=st.sampled_from([1, 4, 8, 72]))
def test_any_machine_is_scored_and_its_channels_fit_its_wires(gpu, gpus, wiring, port, ports):
    machine = any_machine(gpu, gpus, wiring, port, ports)
    for several in (False, True) if port else (False,):
        graphs = derived(machine, several).graphs
        assert graphs["ring"].channels * graphs["ring"].intra <= machine.gpu_rate * gpus / (gpus - 1)
        if several:
            assert graphs["ring"].channels * graphs["ring"].inter <= machine.node_rate
        nodes = 4 if several else 1
        choice = nccl_choice(machine, "all_reduce", SIZES, nodes=nodes)
        assert (choice.seconds > 0).all()
        assert choice.seconds[-1] >= SIZES[-1] / (machine.gpu_rate * gpus)


@pytest.mark.parametrize("system", NVIDIA)
def test_every_machine_of_the_catalogue_with_gpus_of_cuda_is_scored(system):
    said = repr(nccl_choice(system, "all_reduce", units.MiB))
    assert said.endswith("graph derived, not searched>") != (searched(system).derived is False)


def test_a_failed_port_is_a_port_less_and_oversubscription_is_not_seen():
    seven = fl.composed("H100", port="ib-ndr", ports=7)
    np.testing.assert_equal(nccl_choice(fl.system("dgx-h100", failed_ports=1), "all_reduce", SIZES, nodes=4).scores,
                            nccl_choice(seven, "all_reduce", SIZES, nodes=4).scores)
    np.testing.assert_equal(nccl_choice(fl.system("dgx-h100", oversubscription=4), "all_reduce", SIZES, nodes=4).scores,
                            nccl_choice("dgx-h100", "all_reduce", SIZES, nodes=4).scores)


def test_the_result_says_derived_where_any_of_its_graphs_is():
    assert not nccl_choice("dgx-h100", "all_reduce", 1e6).derived
    assert nccl_choice("dgx-h100", "all_reduce", 1e6, nodes=2).derived
    assert nccl_choice("dgx-h100", "all_reduce", 1e6, nodes=[1, 2]).derived
    said = repr(nccl_choice("dgx-h100", "all_reduce", 1e6, nodes=[1, 2]))
    assert "for 2 messages: ring, tree; graph derived, not searched" in said
