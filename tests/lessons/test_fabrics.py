"""The labs of lesson "Fabrics and rails": what the drawing shows, what growing costs, and what rails change."""

import re

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons import declared
from fabricbook.lessons.fabrics import ring, tables
from fabricbook.lessons.fabrics.labs import ports_per_gpu, published_points
from fabricbook.lessons.fabrics.tables import (
    BY_RAIL,
    BY_SERVER,
    ONE_LEAF,
    ONLY,
    PLANES,
    PLANS,
    RAILS,
    limits,
    nics_at_work,
    parts_in_words,
    price_of_optics,
    seconds,
    watts_by_part,
)

RING, LEVELS, FLAT, PXN = PLANS
QUESTIONS = declared("predictions")
NIC, NVLINK = fl.link("eth400").bandwidth(), 18 * fl.link("nvlink4").bandwidth()


def thick(wiring: str) -> set[str]:
    """The leaves that GPU 0 of every server is cabled to, as drawn."""
    table, _ = book.lab("design-a-fabric").evaluate(gpus=64, radix=16, wiring=wiring)
    return set(table[(table["part"] == "cable") & table["state"].str.startswith("GPU 0")]["to"])


def test_a_rail_is_one_leaf_and_a_leaf_a_server_is_not():
    assert len(thick(RAILS)) == len(thick(ONLY)) == 1
    assert len(thick(ONE_LEAF)) == 8
    assert len(thick(PLANES)) == 2


def test_a_small_fabric_is_drawn_whole_and_a_large_one_in_part():
    lab = book.lab("design-a-fabric")
    small, large = (lab.evaluate(gpus=gpus, radix=radix)[0]["part"].value_counts() for gpus, radix in ((64, 16), (16_384, 64)))
    assert (small["server"], small["switch"], small["cable"]) == (8, 8 + 4, 64 + 32)
    assert (large["server"], large["switch"], large["more"]) == (12, 36, 4)


def test_what_does_not_fit_is_drawn_as_large_as_it_can_be_and_the_rest_in_red():
    table, sentence = book.lab("design-a-fabric").evaluate(gpus=16_384, radix=16)
    assert sentence.startswith("This does not fit: gpus must be at most 1,024 for three tiers")
    largest, _ = book.lab("design-a-fabric").evaluate(gpus=1024, radix=16)
    drawn = {"server", "switch", "cable", "tier", "more"}
    assert table[table["part"].isin(drawn)].equals(largest[largest["part"].isin(drawn)])
    assert table["part"].eq("lost").sum() == 12
    assert (16_384 - 1024) // 8 == 1920
    assert table.loc[table["part"] == "too many", "label"].tolist() == ["1,920 too many"]


@pytest.mark.parametrize(("gpus", "rails", "planes"), [(1024, 3, 3), (4096, 5, 3), (16_384, 5, 5)])
def test_each_tier_costs_two_ports_more_and_planes_put_it_off(gpus, rails, planes):
    assert (ports_per_gpu(RAILS, gpus, 64, 1), ports_per_gpu(PLANES, gpus, 64, 1)) == (rails, planes)


def test_published_designs_stand_on_or_near_the_lines():
    assert [row["ports for each GPU"] for row in published_points()] == [3, 5, 2.875]


def test_rails_need_no_spine_for_rings_and_for_blocks_that_travel_together():
    many = 1e12
    for plan in (RING, PXN):
        times = [seconds(plan, BY_RAIL, up, 8, many) for up in (8, 4, 2, 1)]
        assert times == pytest.approx([times[0]] * 4)
    assert seconds(RING, BY_RAIL, 1, 8, many) == pytest.approx(many * 2 * 63 / 64 / (8 * NIC), rel=1e-3)
    assert seconds(PXN, BY_RAIL, 1, 8, many) == pytest.approx(many * 7 / 8 * (1 / NIC + 1 / NVLINK), rel=1e-3)


def test_with_a_leaf_a_server_everything_that_leaves_a_server_shares_the_ports_up():
    many = 1e12
    assert seconds(RING, BY_SERVER, 2, 8, many) == pytest.approx(4 * many * 2 * 63 / 64 / (8 * NIC), rel=1e-3)
    assert seconds(RING, BY_SERVER, 2, 1, many) == pytest.approx(many * 2 * 63 / 64 / NIC, rel=1e-3)  # one NIC has a port
    inside = 2 * 7 / 8 / NVLINK
    assert seconds(LEVELS, BY_SERVER, 2, 8, many) == pytest.approx(many * (inside + 4 / 8 * 2 * 7 / 8 / NIC), rel=1e-3)
    assert seconds(FLAT, BY_SERVER, 2, 8, many) == pytest.approx(many / 64 * (7 / NVLINK + 56 * 4 / NIC), rel=1e-3)
    assert seconds(FLAT, BY_RAIL, 2, 8, many) == pytest.approx(many / 64 * (7 / NVLINK + (7 + 49 * 4) / NIC), rel=1e-3)


def test_nics_and_spines_at_work():
    assert nics_at_work(BY_RAIL, 8) == (64, 0)
    assert nics_at_work(BY_RAIL, 1) == (8, 0)
    assert nics_at_work(BY_SERVER, 8) == (64, 64)


@pytest.mark.parametrize("number", range(8))
def test_a_ring_on_rails_meets_no_spine_and_with_a_leaf_a_server_always_one(number):
    assert ring.used(BY_RAIL, number, ring.LAST) == (2, 0)
    assert ring.used(BY_SERVER, number, ring.LAST) == (8, 8)
    assert ring.used(BY_RAIL, number, 0) == (0, 0)


def test_the_ball_is_home_again_after_the_last_pass():
    table, sentence = book.lab("ring-over-rails").evaluate(step=ring.LAST)
    start, _ = book.lab("ring-over-rails").evaluate(step=0)
    way, ball = (table[table["part"] == part] for part in ("way", "ball"))
    assert (way["opacity"] == 1).all()
    assert (start.loc[start["part"] == "way", "opacity"] == 0).all()
    first = ring.passes(BY_RAIL, 0)[-1][-1]
    assert (ball["x"].item(), ball["y"].item()) == pytest.approx(ring._place(first))
    assert ring.passes(BY_RAIL, 0)[-1][-1] == "gpu0"
    assert "8 of 8 passes" in sentence


def test_the_limits_by_hand():
    found = limits(12, 1e15)
    assert found["rings"] == pytest.approx(8 * NIC, rel=1e-6)
    assert found["two levels"] == pytest.approx(2 * 95 / 96 / (2 * 11 / 12 / 8 / NIC), rel=1e-6)


def test_measured_rings_stay_below_the_fabrics_limit():
    table, _ = book.lab("sums-against-fabric").evaluate()
    assert [round(off) for off in table.loc[table["run"] == "rings", "error (%)"]] == [12, 12, -16, 0]
    assert [round(off) for off in table.loc[table["run"] == "two levels", "error (%)"]] == [38, 42, 3, 10]


def test_only_the_flat_ring_is_priced_again_for_another_number_of_rings():
    tables._line.cache_clear()
    lab = book.lab("rails-or-servers")
    lab.evaluate(rings=8)
    before = tables._line.cache_info().misses
    lab.evaluate(rings=5)
    assert tables._line.cache_info().misses - before == len(tables.CABLING)


@pytest.mark.parametrize(("asked", "share"), [
    ({"gpus": 1024, "radix": 64}, "100 %"),
    ({"gpus": 1024, "radix": 128, "oversubscription": 3}, "38 %"),  # half of the servers has 100 % here, half of the leaves not
    ({"gpus": 64, "radix": 16, "wiring": ONLY}, "0 %"),
])
def test_the_lab_measures_the_half_that_the_question_asks_about(asked, share):
    question = QUESTIONS["fabrics.switches"].question
    assert "whichever half it is" in question
    _, sentence = book.lab("design-a-fabric").evaluate(**asked)
    assert re.search(rf"In the worst half each GPU still sends [^,]+, {share} of its NIC's rate\.", sentence)


@pytest.mark.parametrize(("name", "clause", "value"), [
    ("fabrics.switches", "a port for each GPU", 16), ("fabrics.switches", "the leaves alone", 32),
    ("fabrics.switches", "half their ports only", 64), ("fabrics.switches", "one switch above", 17),
    ("fabrics.rings", "one ring alone", 2 * 63 / 64 * 14e9 / NIC),
    ("fabrics.rings", "sends the buffer once; a ring", 14e9 / (8 * NIC)),
    ("fabrics.rings", "the whole buffer once through one NIC", 14e9 / NIC),
    ("fabrics.rings", "a ring of the eight servers", 2 * 7 / 8 * 14e9 / (8 * NIC)),
    ("fabrics.rings", "NVLink's rate", 2 * 63 / 64 * 14e9 / NVLINK),
    ("fabrics.thin", "what the missing cables cost", 4), ("fabrics.thin", "nothing needed the spines", 1),
    ("fabrics.thin", "the other way round", (7 / 8 / NVLINK + 7 / 8 / NIC) / ((7 / NVLINK + (7 + 49 * 4) / NIC) / 64)),
])
def test_the_slips_of_lesson_9_by_hand(name, clause, value):
    found = [slip for said, slip in QUESTIONS[name].slips.items() if clause in said]
    assert len(found) == 1
    assert (found[0]() if callable(found[0]) else found[0]) == pytest.approx(value, rel=2e-3)


def test_optics_cost_a_quarter_of_the_networks_watts_and_not_a_half():
    design = fl.fabric_counts("rail-optimised", gpus=1024)
    assert price_of_optics(design).startswith("17.2 kW more, 17 W a GPU: 26 % of what the whole network drew.")
    table = watts_by_part(design)
    assert table.loc["together"].tolist() == ["65.1 kW", "82.3 kW"]
    infiniband = fl.fabric_counts("rail-optimised", gpus=1024, speed="ib-ndr")
    last = parts_in_words(infiniband, "quantum2", "module-800-sm", "connectx7").iloc[-1]
    assert last.tolist() == ["together, where there is a source", "5,168", "60.4 kW", "4.35 million"]


@pytest.mark.parametrize("name", ["design-a-fabric", "fabric-growth", "rails-or-servers"])
def test_numbers_grow_to_the_right_on_every_slider(name):
    for control in book.lab(name).controls.values():
        if not isinstance(control.values[0], str):
            assert list(control.values) == sorted(control.values), control.name


@pytest.mark.parametrize(("step", "told"), [(0, "never over a spine"), (2, "once over a spine"), (16, "8 times over a spine")])
def test_how_often_a_ring_climbs_to_a_spine_is_said_in_words(step, told):
    assert told in book.lab("ring-over-rails").evaluate(step=step, cabling=BY_SERVER)[1]


def test_the_marks_of_both_cablings_are_described_as_they_are_drawn():
    spec = book.lab("rails-or-servers").spec
    shapes = {shape for layer in spec["layer"] if "shape" in layer.get("encoding", {})
              for shape in layer["encoding"]["shape"]["scale"]["range"]}
    assert shapes == {"circle", "square"}
    assert all(f"a {shape} where" in spec["description"] for shape in shapes)


@pytest.mark.parametrize(("radix", "rails", "planes"), [
    (16, "ends at 1,024 GPUs", "ends at 8,192 GPUs"), (64, "ends at 65,536 GPUs", "goes on beyond the picture"),
    (128, "goes on beyond the picture", "goes on beyond the picture")])
def test_a_line_that_the_picture_cuts_off_is_not_said_to_end(radix, rails, planes):
    assert book.lab("fabric-growth").evaluate(radix=radix)[1].endswith(f"The line of rails {rails}, that of two planes {planes}.")
