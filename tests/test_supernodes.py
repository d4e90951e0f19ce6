"""Supernodes: their counts are what is published, what is not published stays unknown, and claims are kept apart."""

import math
from dataclasses import replace

import pytest

import fabriclib as fl
from fabriclib import catalog

TABLE = fl.supernodes().set_index("id")


@pytest.mark.parametrize(("id", "figure", "devices"), [
    ("gb200-nvl72", "nvl72", 72), ("vr-nvl72", "nvl72-rubin", 72), ("helios", "helios-rack", 72),
    ("tpu-v5p-pod", "ici-v5p-device", 1), ("tpu7x-pod", "ici-v7-device", 1), ("trn2-ultraserver", "trn2-device", 1)])
def test_the_rate_of_a_gpu_is_the_published_one(id, figure, devices):
    assert 2 * devices * fl.supernode(id).rate == pytest.approx(catalog.figure(figure).si, rel=0.004)  # as rounded there


def test_the_rate_of_an_npu_of_cloudmatrix_is_the_published_one():
    assert fl.supernode("cloudmatrix-384").rate == pytest.approx(catalog.figure("ub-cm384-device").si)


def test_a_rack_as_a_server_and_as_a_supernode_is_one_machine():
    server, one = fl.server("gb200-nvl72"), fl.supernode("gb200-nvl72").counts()
    assert (len(server.gpus), len(server.of_kind("switch"))) == (one.gpus, one.switches)
    assert server.count.sum() == 2 * one.cable_count
    assert server.bisection() == one.cut
    assert one.gpu_rate == fl.system("gb200-nvl72").gpu_rate


@pytest.mark.parametrize("id", ["kunlun-32", "kunlun-64"])
def test_what_is_not_published_is_not_invented(id):
    row, one = TABLE.loc[id], fl.supernode(id)
    assert (row["switches"], row["hops"]) == (one.gpus / 8, 2)
    unknown = ["links", "GPU GB/s one way", "cut per GPU (GB/s)", "all_reduce of 1 GB (ms)", "all_to_all of 1 GB (ms)"]
    assert row[unknown].isna().all()
    with pytest.raises(ValueError, match="no source gives the rate of its links"):
        one.counts()
    assert one.counts(speed="nvlink4").gpu_rate == one.gpus / 8 * fl.link("nvlink4").bandwidth()
    assert math.isnan(one.rate)


def test_a_machine_without_a_published_wiring_has_its_name_and_size_only():
    for id in ("tianchi-256", "tianchi-512", "ualink-pod"):
        assert (TABLE.loc[id, "wiring"], TABLE.loc[id].isna().sum()) == ("", 8)
        with pytest.raises(ValueError, match="no source says how"):
            fl.supernode(id).counts()


def test_claims_are_kept_apart_from_figures():
    """A claim has no unit of a rate, a time or a power that could be computed with: it is a ratio of something unsaid."""
    claims = [one for id in TABLE.index for one in fl.supernode(id).claims]
    assert len(claims) >= 7
    assert {(one.kind, one.unit) for one in claims} <= {("claim", "x"), ("claim", "%")}
    assert any(one.kind == "claim" for one in catalog.figures("gb200-nvl72"))
    assert TABLE.loc["kunlun-64", "claims"] == 4
    assert not TABLE.loc[["gb200-nvl72", "tpu-v5p-pod"], "claims"].any()


def test_a_card_outside_a_supernode_has_far_less_than_inside():
    known = TABLE.dropna(subset=["GPU GB/s one way", "out GB/s one way"])
    assert len(known) >= 6
    assert (known["GPU GB/s one way"] / known["out GB/s one way"]).between(6, 100).all()


@pytest.mark.parametrize(("fields", "says"), [
    ({"status": "rumoured"}, "status 'rumoured' is not known"), ({"gpus": 1}, "gpus must be a whole number from 2"),
    ({"design": "gb200-nvl7"}, "Did you mean 'gb200-nvl72'")])
def test_a_supernode_that_cannot_be_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        replace(fl.supernode("gb200-nvl72"), **fields)
    with pytest.raises(ValueError, match="Did you mean 'gb200-nvl72'"):
        fl.supernode("gb200-nv72")
