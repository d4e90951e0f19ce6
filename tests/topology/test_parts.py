"""The parts list: every cable of a fabric has its ends, watts add up, and money is there only where a source is."""

import math

import pytest

import fabriclib as fl


def test_the_parts_of_a_thousand_gpus_by_hand():
    table = fl.parts_list(fl.fabric_counts("rail-optimised", gpus=1024), "quantum2", "dac-400").set_index("part")
    leaf, spine, below, above = table.index
    assert (table.loc[leaf, "count"], table.loc[spine, "count"]) == (32, 16)
    assert table.loc[below, "W"] == pytest.approx(1024 * 2 * fl.cabling.cable("dac-400").power)
    assert table.loc[above, "count"] == 512  # modules with two ports: two links a pair of them
    assert table.loc[above, "W"] == pytest.approx(512 * 2 * fl.cabling.cable("module-800-sm").power)
    assert math.isnan(table.loc[leaf, "W"])  # no source gives the watts of this switch
    assert table["US$"].sum() == pytest.approx(48 * 36_000 + 2048 * 1280)


def test_money_without_a_source_is_not_there():
    table = fl.parts_list(fl.fabric_counts("rail-optimised", gpus=1024), "tomahawk5")
    assert table["US$ each"].isna().tolist() == [True, True, False, False]
    assert table["W"].notna().all()
    fast = fl.parts_list(fl.fabric_counts("superpod-b300-xdr-1su"), "quantum-x800", "module-800-xdr", "module-800-xdr")
    assert fast["US$"].isna().all()


def test_parts_grow_faster_than_the_gpus_where_a_tier_is_added():
    ports = [fl.fabric_counts("rail-optimised", gpus=gpus).ports / gpus for gpus in (1024, 2048, 4096, 16_384)]
    assert ports == [3, 3, 5, 5]


def test_a_torus_has_cables_and_no_switch():
    table = fl.parts_list(fl.fabric_counts("torus", dims=(4, 4, 4), speed="eth400"))
    assert table["part"].str.startswith("GPU to GPU").tolist() == [True]


@pytest.mark.parametrize(("arguments", "words"), [
    ((1024,), "design must be what fabric_counts returns; got 1024"),
    ((fl.fabric_counts("rail-optimised", gpus=1024), "tomahawk"), "Did you mean 'tomahawk"),
    ((fl.fabric_counts("rail-optimised", gpus=1024), "tomahawk5", "dac-40"), "Did you mean 'dac-400'"),
    ((fl.fabric_counts("rail-optimised", gpus=1024, speed="eth800"), "tomahawk5", "dac-400"), "cable for 800G Ethernet"),
])
def test_what_does_not_fit_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        fl.parts_list(*arguments)
