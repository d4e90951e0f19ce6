"""The parts list: every cable of a fabric has its ends, watts add up, and money is there only where a source is."""

import math

import pytest

import fabriclib as fl
from fabriclib.topology.fabrics import estimate
from fabriclib.topology.fabrics.parts import watts

NDR = {"gpus": 1024, "speed": "ib-ndr"}
THOUSAND = fl.fabric_counts("rail-optimised", gpus=1024)


def test_the_parts_of_a_thousand_gpus_by_hand():
    table = fl.parts_list(fl.fabric_counts("rail-optimised", **NDR), "quantum2", "dac-400").set_index("part")
    leaf, spine, below, fibre, module = table.index
    assert (table.loc[leaf, "count"], table.loc[spine, "count"]) == (32, 16)
    assert (table.loc[below, "count"], table.loc[below, "W"]) == (1024, pytest.approx(1024 * 2 * 0.1))
    # A module has two ports: 1,024 links up have 1,024 fibres, and 512 modules at either end.
    assert (table.loc[fibre, "count"], table.loc[fibre, "W"]) == (1024, 0)
    assert (table.loc[module, "count"], table.loc[module, "W"]) == (2 * 512, pytest.approx(1024 * 17))
    assert math.isnan(table.loc[leaf, "W"])  # no source gives the watts of this switch
    assert table["US$"].sum() == pytest.approx(48 * 36_000 + 2048 * 1280)


def test_money_without_a_source_is_not_there():
    table = fl.parts_list(fl.fabric_counts("rail-optimised", gpus=1024, radix=128), "tomahawk5", nic="connectx7")
    assert table["US$ each"].isna().tolist() == [True, True, False, False, False, False, True]
    assert table["W"].notna().all()
    fast = fl.parts_list(fl.fabric_counts("superpod-b300-xdr-1su"), "quantum-x800", "module-800-xdr", "module-800-xdr")
    assert fast["US$"].isna().all()


def test_a_switch_is_a_box_and_not_its_chip():
    """A whole network by hand: 48 switches of 64 x 400G are 24 boxes of 51.2 Tb/s without modules, and 1,024 NICs of 25 W."""
    chip = fl.switch("tomahawk5")
    assert (chip.power, chip.box_power) == (500, 913)
    copper, light = watts(THOUSAND, "dac-400"), watts(THOUSAND)
    assert copper == pytest.approx({"switches": 24 * 913, "links between switches": 2048 * 8.5, "links to GPUs": 2048 * 0.1,
                                    "NICs": 1024 * 25})
    assert light == pytest.approx(copper | {"links to GPUs": 2048 * 8.5})
    assert sum(light.values()) / sum(copper.values()) == pytest.approx(1.26, abs=0.005)


def test_the_list_and_the_estimate_count_by_one_method():
    design = fl.fabric_counts("rail-optimised", gpus=1024, radix=128)  # 24 boxes of 128 ports of 400G
    for below in ("dac-400", "module-800-sm"):
        listed = fl.parts_list(design, "tomahawk5", below, nic="connectx7")
        assert listed["W"].sum() == pytest.approx(estimate(design, below)[0])
        assert listed["W"].sum() == pytest.approx(sum(watts(design, below).values()))
    priced = fl.parts_list(fl.fabric_counts("rail-optimised", **NDR), "quantum2")
    assert priced["US$"].sum() == pytest.approx(estimate(THOUSAND)[1])


def test_parts_grow_faster_than_the_gpus_where_a_tier_is_added():
    ports = [fl.fabric_counts("rail-optimised", gpus=gpus).ports / gpus for gpus in (1024, 2048, 4096, 16_384)]
    assert ports == [3, 3, 5, 5]


def test_a_torus_has_cables_and_no_switch():
    table = fl.parts_list(fl.fabric_counts("torus", dims=(4, 4, 4), speed="eth400"))
    assert table["part"].str.startswith("GPU to GPU").tolist() == [True, True]
    assert watts(fl.fabric_counts("torus", dims=(4, 4, 4), speed="eth400"))["NICs"] == 0


@pytest.mark.parametrize(("arguments", "words"), [
    ((1024,), "design must be what fabric_counts returns; got 1024"),
    ((THOUSAND, "tomahawk"), "Did you mean 'tomahawk"),
    ((THOUSAND, "tomahawk4", "dac-40"), "Did you mean 'dac-400'"),
    ((THOUSAND, "tomahawk4", "dac-400", "dac-400", "connectx"), "Did you mean 'connectx"),
    ((fl.fabric_counts("rail-optimised", gpus=1024, speed="eth800"), "tomahawk5", "dac-400"), "cable for 800G Ethernet"),
    ((THOUSAND, "pex88096"), "a switch of the family ethernet, one of .*'pex88096', whose ports are PCIe 4"),
    ((THOUSAND, "nvswitch3"), "switch_id must be a switch of the family ethernet.*whose ports are NVLink 4"),
    ((THOUSAND, "quantum2"), "switch_id must be a switch of the family ethernet.*whose ports are InfiniBand NDR"),
    ((THOUSAND, "spectrum2"), "switch_id must be a switch whose ports carry 400G Ethernet.*whose ports are 200G Ethernet"),
    ((THOUSAND, "tomahawk5"), "counted with 64 ports .*'tomahawk5'.* as many as 128 of 400G .*radix=128"),
    ((fl.fabric_counts("rail-optimised", gpus=1024, radix=128), "tomahawk4"), "with 128 ports.*got 'tomahawk4'.*radix=64"),
    ((fl.fabric_counts("alibaba-hpn-8"), "tomahawk4"), "128 ports of 200G Ethernet and 64 ports of 400G.*has 64 ports of 400G"),
    ((fl.fabric_counts("meta-24k"), "tomahawk5"), "the spine switches of this fabric are counted with 576 ports"),
    ((fl.fabric_counts("dragonfly", gpus=1024), "tomahawk5"), "the router switches of this fabric are counted with 64 ports"),
])
def test_what_does_not_fit_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        fl.parts_list(*arguments)


def test_a_switch_of_faster_ports_is_split_and_one_with_spare_ports_does_where_a_design_says_which_it_uses():
    assert fl.parts_list(fl.fabric_counts("superpod-b300-1su"), "spectrum4")["count"].tolist()[:2] == [16, 8]
    assert fl.parts_list(fl.fabric_counts("alibaba-hpn-8"), "tomahawk5", "module-800-sm")["count"].tolist()[0] == 128
