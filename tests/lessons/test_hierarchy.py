"""The labs of the lesson on hierarchy: limits worked out by hand, and an order of ranks is worth what its crossings are."""

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.hierarchy import labs as hierarchy
from fabricbook.lessons.hierarchy import rings
from fabricbook.lessons.hierarchy import tables as aggregation
from fabriclib.links import link

LEVELS, ORDER, RAILS = (book.lab(name) for name in ("two-levels", "rank-order", "rail-all-to-all"))
NVLINK, NIC = link("nvlink4").bundle(18).bandwidth(), link("ib-ndr").bandwidth()


def leaving(ring):
    """(steps that leave a server, of these those that change the rail)."""
    there = np.roll(ring, -1)
    out = ring // 8 != there // 8
    return out.sum(), (out & (ring % 8 != there % 8)).sum()


@pytest.mark.parametrize("way", rings.ORDERS)
def test_every_ring_of_every_order_names_every_gpu_once(way):
    eight = rings.orders(way, 8, draw=3)
    assert eight.shape == (8, 64)
    assert (np.sort(eight, axis=1) == np.arange(64)).all()


def test_how_many_steps_leave_a_server_and_change_the_rail():
    assert [leaving(ring) for ring in rings.orders(rings.ALONG, 8, 1)] == [(8, 0)] * 8
    assert [leaving(ring) for ring in rings.orders(rings.BY_SERVER, 8, 1)] == [(8, 8)] * 8
    assert [leaving(ring)[0] for ring in rings.orders(rings.SHUFFLED, 8, 1)] == [8] * 8
    assert [leaving(ring)[0] for ring in rings.orders(rings.DEALT, 8, 1)] == [64] * 8


@pytest.mark.parametrize("way", rings.ORDERS)
def test_one_step_of_a_ring_tells_the_price_of_all(way):
    graph, eight = aggregation.network("leaf-spine", 8, 3), rings.orders(way, 8, draw=2)
    line, _ = aggregation.around(graph.folded, eight)
    assert line == pytest.approx(fl.schedule("all_reduce", "ring", ranks=64).line_on(graph, order=eight))


@pytest.mark.parametrize("servers", [2, 16])
def test_seconds_a_byte_of_each_way(servers):
    ranks = 8 * servers
    lines = {way: per_byte for way, (_, per_byte) in hierarchy.all_reduce_lines(servers, "ib-ndr").items()}
    assert lines[hierarchy.ONE_RING] == pytest.approx(2 * (ranks - 1) / ranks / NIC)
    assert lines[hierarchy.RINGS] == pytest.approx(2 * (ranks - 1) / ranks / NIC / 8)
    assert lines[hierarchy.TWO_LEVELS] == pytest.approx(2 * 7 / 8 / NVLINK + 2 * (servers - 1) / servers / 8 / NIC)
    assert lines[hierarchy.ADDING] == pytest.approx(2 / NVLINK + 1 / 8 / NIC)


def test_starts_of_each_way():
    lines = {way: start for way, (start, _) in hierarchy.all_reduce_lines(16, "ib-ndr").items()}
    nic, inside = link("ib-ndr").latency, link("nvlink4").latency
    assert lines[hierarchy.RINGS] == lines[hierarchy.ONE_RING] == pytest.approx(254 * nic)
    assert lines[hierarchy.TWO_LEVELS] == pytest.approx(14 * inside + 30 * nic)
    assert lines[hierarchy.ADDING] == pytest.approx(4 * inside / 2 + 2 * nic / 2)


def test_the_sentence_says_where_eight_rings_overtake_two_levels():
    lines = hierarchy.all_reduce_lines(16, "ib-ndr")
    (a, b), (c, d) = lines[hierarchy.RINGS], lines[hierarchy.TWO_LEVELS]
    crossing = (a - c) / (d - b)
    assert fl.units.format(crossing) in LEVELS.evaluate()[1]
    assert a + b * crossing == pytest.approx(c + d * crossing)


def test_the_sentence_ranks_the_ways_and_says_how_many_times_the_least_each_takes():
    lines = hierarchy.all_reduce_lines(16, "ib-ndr")
    now = {way: start + per_byte * 2**20 for way, (start, per_byte) in lines.items()}
    least, said = now[hierarchy.ADDING], LEVELS.evaluate()[1]
    assert said.startswith(f"16 servers, 1 MiB: two levels, switches add {fl.units.format(least, 's')}; two levels ")
    for way in (hierarchy.TWO_LEVELS, hierarchy.RINGS):
        assert f"{way} {fl.units.format(now[way], 's')} ({now[way] / least:.3g} times)" in said


@pytest.mark.parametrize("speed", ["200 Gb/s (HDR)", "400 Gb/s (NDR)", "800 Gb/s (XDR)"])
def test_between_two_servers_switches_that_add_lose_and_the_sentence_says_why(speed):
    """A NIC sends n/8 either way; over NVLink halves of NVLS one after the other take 2 n and those of a ring 1.75 n."""
    lines = hierarchy.all_reduce_lines(2, hierarchy._SPEEDS[speed])
    extra = lines[hierarchy.ADDING][1] - lines[hierarchy.TWO_LEVELS][1]
    assert extra == pytest.approx((2 - 1.75) / NVLINK)
    because = "Switches lose here: over NVLink their halves take 2 buffers, one after the other, a ring's 1.75."
    assert because in LEVELS.evaluate(servers=2, speed=speed, nbytes=2.0**34)[1]
    assert because not in LEVELS.evaluate(servers=4, speed=speed, nbytes=2.0**34)[1]


def test_two_servers_with_slow_nics_are_never_better_off_with_rings():
    """A NIC sends 2 (1/2) n/8 on two levels, 2 (15/16) n/8 in a ring: at 200 Gb/s more is saved than the levels' NVLink takes."""
    saved, inside = (15 / 8 - 1) / 8 / link("ib-hdr").bandwidth(), 2 * 7 / 8 / NVLINK
    assert saved > inside
    assert "overtake two levels at no size" in LEVELS.evaluate(servers=2, speed="200 Gb/s (HDR)")[1]


def test_adding_only_inside_or_only_between_is_between_both_and_none():
    both, none = (aggregation.adding(1e6, 64, "ib-ndr", inside=add, between=add) for add in (True, False))
    for inside, between in ((True, False), (False, True)):
        assert both < aggregation.adding(1e6, 64, "ib-ndr", inside=inside, between=between) < none


def test_the_order_on_a_network_with_enough_ports_costs_what_the_nics_carry():
    seconds = {way: rings.placed(way, "leaf-spine", 16, 1, draw=1) for way in rings.ORDERS}
    assert {narrow for _, narrow in seconds.values()} == {"the NICs"}
    assert seconds[rings.ALONG] == seconds[rings.BY_SERVER] == seconds[rings.SHUFFLED]
    starts = 254 * link("ib-ndr").latency
    assert (seconds[rings.DEALT][0] - starts) / (seconds[rings.ALONG][0] - starts) == pytest.approx(8)


def test_an_oversubscribed_network_punishes_hops_that_change_the_leaf():
    spine = {way: rings.placed(way, "leaf-spine", 16, 3, draw=1) for way in rings.ORDERS}
    assert spine[rings.ALONG][0] < spine[rings.SHUFFLED][0] < spine[rings.ANYWHERE][0]
    assert spine[rings.SHUFFLED][1] == spine[rings.ANYWHERE][1] == "the uplinks"
    rails = {way: rings.placed(way, "rail-optimised", 16, 3, draw=1) for way in rings.ORDERS}
    assert rails[rings.ALONG][1] == "the NICs"
    assert rails[rings.BY_SERVER][1] == "the uplinks"
    assert rails[rings.ALONG][0] < rails[rings.BY_SERVER][0]


def test_bundled_blocks_need_fewer_messages_and_no_spine():
    nic, inside = link("ib-ndr").latency, link("nvlink4").latency
    wide, narrow = (hierarchy.all_to_all_lines(16, ratio) for ratio in (1, 3))
    assert wide[hierarchy.ALONE][0] == pytest.approx(7 * inside + 120 * nic)
    assert wide[hierarchy.PXN][0] == pytest.approx(7 * inside + 15 * nic)
    assert wide[hierarchy.PXN] == pytest.approx(narrow[hierarchy.PXN])
    assert narrow[hierarchy.ALONE][1] > 1.5 * wide[hierarchy.ALONE][1]
    assert "120 messages" in RAILS.evaluate()[1]


def test_bytes_by_tier():
    table = aggregation.bytes_by_tier(16)
    assert table["through a server's NICs (buffers)"].astype(float).tolist() == [1.984, 1.875, 1.875, 1.0]
    assert table["through a GPU's NVLink (buffers)"].astype(float).tolist() == [1.736, 1.75, 1.125, 1.125]


def test_published_runs_stand_beside_the_model():
    errors = {name: [round(float(off)) for off in book.lab(name).evaluate()[0]["error (%)"]]
              for name in ("two-servers-against-measured", "nvls-against-measured", "sharp-against-measured")}
    ring, levels = np.split(np.array(errors["two-servers-against-measured"]), 2)
    assert (ring < 0).all()
    assert ((levels > 0) & (levels <= 20)).all()
    counted, with_factor = np.split(np.array(errors["nvls-against-measured"]), 2)
    assert (counted > 0).all()
    assert (abs(with_factor) <= 8).all()
    assert errors["sharp-against-measured"] == [-3, -24, -51]
