"""Published designs: the model's counts are the source's, from the GPUs, the radix and the wiring alone."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog
from fabriclib.topology.fabrics import MOST, counts_of
from fabriclib.topology.fabrics.named import STATED, counted, stated

IDS = [row["id"] for row in catalog.rows("designs")]


def differences(name: str) -> dict[str, tuple[int, int]]:
    here = counted(counts_of(name))
    return {what: (value, here[what]) for what, value in stated(name).items() if here[what] != value}


@pytest.mark.parametrize("name", IDS)
def test_a_design_is_reproduced_or_its_difference_is_explained(name):
    """Not both: an explanation must have something to explain."""
    note = catalog.row("designs", name)["note"]
    assert bool(differences(name)) == note.startswith("differs:"), differences(name)


def test_seventy_published_counts_of_switches_and_cables_come_out():
    agree = [what for name in IDS for what in stated(name) if what != "gpus" and what not in differences(name)]
    assert len(agree) >= 70
    assert set(agree) == set(STATED) - {"gpus"}


def test_only_cables_of_two_links_differ():
    for name in IDS:
        for what, (said, here) in differences(name).items():
            assert (what in ("gpu_cables", "spine_cables"), here) == (True, 2 * said)


@pytest.mark.parametrize("name", [name for name in IDS if counts_of(name).gpus <= MOST])
def test_the_graph_of_a_design_has_its_counts(name):
    speed = {} if catalog.row("designs", name)["speed"] else {"speed": "nvlink4"}
    graph, design = fl.fabric(name, **speed), fl.fabric_counts(name, **speed)
    kinds = [len(graph.of_kind(kind)) for kind in ("gpu", "leaf", "spine", "core")]
    assert kinds == [design.gpus, design.leaves, design.spines, design.cores]
    assert graph.bisection() == pytest.approx(design.cut)
    outside = ~graph.own if design.leaves else np.ones(len(graph.src), dtype=bool)
    assert graph.count[outside].sum() == 2 * design.cable_count


def test_what_sources_say_of_capacity():
    pod = fl.fabric_counts("tpu-v4-pod")
    assert pod.cut == pytest.approx(catalog.figure("ici-v4-bisection").si, rel=0.05)
    meta = fl.fabric_counts("meta-24k")  # 1:7 between pods of what their GPUs send, in whole ports: 25 up for 192 down
    assert meta.cut_per_gpu == meta.assured == pytest.approx(fl.link("eth400").bandwidth() / 7, rel=0.03)
    # Each NPU of a CloudMatrix reaches any other at its full 392 GB/s.
    assert fl.fabric_counts("cloudmatrix-384").cut_per_gpu == pytest.approx(392e9)


def test_a_spreadsheet_gave_two_tiers_too_few_switches():
    """A price list counts 768 switches of 64 ports for 16,384 GPUs in "2 layers"; two layers of them end at 2048 GPUs."""
    with pytest.raises(ValueError, match="at most 2,048 for two tiers"):
        fl.fabric_counts("rail-optimised", gpus=16_384, tiers=2)
    assert fl.fabric_counts("superpod-b200-64su").switches == 1280


def test_options_of_a_design_may_be_changed():
    assert fl.fabric_counts("superpod-b200-4su", gpus=768).spines == 16
    assert fl.fabric_counts("meta-24k", core_oversubscription=1).cut_per_gpu == pytest.approx(fl.link("eth400").bandwidth())
    assert fl.fabric("superpod-b200-4su").name == "DGX SuperPOD B200 (4 SU)"
    with pytest.raises(ValueError, match="Did you mean 'superpod-b200-4su'"):
        fl.fabric("superpod-b200-4s")


def test_the_table_lists_every_design_with_how_much_agrees():
    table = fl.designs()
    assert list(table["id"]) == IDS
    for agree, note in zip(table["as stated"].str.split(" of "), table["note"], strict=True):
        assert (agree[0] == agree[1]) != note.startswith("differs:")
