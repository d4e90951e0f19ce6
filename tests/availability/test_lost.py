"""What a lost part leaves: by flows on the graph, against what can be counted by hand."""

import pytest

import fabriclib as fl
from fabriclib import availability, catalog
from fabriclib.availability import left, lose, planes, rail

ONE = fl.fabric("rail-optimised", gpus=64, radix=16)
TWO = fl.fabric("dual-plane", gpus=64, radix=16)
RAILS = fl.fabric("rail-only", gpus=64, radix=16)
CABLE = ("gpu0", "leaf0")


def test_one_leaf_for_each_nic_is_a_place_where_all_stops():
    for part in (CABLE, "leaf0"):
        assert left(ONE, [part]).cut_off > 0 == left(ONE, [part]).slowest
        assert left(TWO, [part]).cut_off == 0
        assert left(TWO, [part]).slowest == pytest.approx(0.5)


def test_a_cable_of_two_takes_a_sixteenth_of_a_server_as_alibaba_measured():
    assert 1 - left(TWO, [CABLE]).dealt == pytest.approx(catalog.figure("hpn-one-cable").si, rel=1e-6)


def test_planes_and_rails_are_found_in_the_graph():
    assert [len(planes(graph)) for graph in (ONE, TWO, RAILS)] == [1, 2, 8]
    assert rail(RAILS, 3) == ("leaf3",)
    assert all(name in planes(TWO)[0] + planes(TWO)[1] for name in rail(TWO, 0))
    assert left(TWO, planes(TWO)[0]).slowest == pytest.approx(0.5)
    assert left(ONE, planes(ONE)[0]).cut_off == 64
    assert left(RAILS, rail(RAILS, 0)).dealt == pytest.approx(7 / 8)


def test_a_lost_uplink_narrows_and_cuts_nothing_off():
    spines = sum(node.startswith("spine") for node in ONE.nodes)
    lost = left(ONE, ["spine0"], pattern="all to all")
    assert lost.cut_off == 0
    assert 1 - 1 / spines <= lost.slowest < 1
    assert left(ONE, ["spine0", "spine1"], pattern="all to all").slowest < lost.slowest


def test_of_parallel_cables_one_is_lost():
    pair = fl.fabric("leaf-spine", gpus=64, radix=32)
    cables = pair.count[(pair.src == pair.node("leaf0")) & (pair.dst == pair.node("spine0"))][0]
    assert cables > 1
    without = lose(pair, [("leaf0", "spine0")])
    edge = (without.src == without.node("leaf0")) & (without.dst == without.node("spine0"))
    assert without.count[edge] == [cables - 1]
    assert pair.capacity.sum() - without.capacity.sum() == pytest.approx(2 * fl.link("eth400").bandwidth())


@pytest.mark.parametrize(("call", "named"), [
    (lambda: lose(ONE, ["leaf99"]), "leaf99"), (lambda: lose(ONE, [("gpu0", "leaf1")]), "gpu0 and leaf1 are not"),
    (lambda: lose(ONE, [3]), "parts must be names"), (lambda: lose(ONE, "leaf0"), "parts must be a list"),
    (lambda: left(fl.server("hgx-h100"), ["gpu0"]), "two servers or more"),
    (lambda: left(ONE, ["leaf0"], pattern="rail"), "rails"), (lambda: availability.rail(ONE, 8), "place"),
])
def test_bad_input_is_a_sentence(call, named):
    with pytest.raises(ValueError, match=named):
        call()
