"""The labs of lesson 05: payload and reads follow the model; the tree's lanes, ways and rates follow its wiring."""

import numpy as np
import pytest

import fabricbook as book
from fabricbook.lessons.pcie import box, labs, tables
from fabricbook.stage import tiers
from fabriclib import catalog, lanes, link, pcie

PAYLOAD, TREE, MATRIX = (book.lab(name) for name in ("pcie-payload", "pcie-tree", "pcie-matrix"))


def rates(**controls):
    """{line: share in % at the chosen size}."""
    table, _ = PAYLOAD.evaluate(**controls)
    return table[table["bytes"] == controls.get("nbytes", 64)].set_index("what")["share"]


def test_a_faster_link_moves_small_reads_no_faster():
    """With as many requests under way, what comes back is the same; the share of the link falls with its rate."""
    shares = [rates(wire=wire)["reads, so many under way"] for wire in ("PCIe 3 x16", "PCIe 4 x16", "PCIe 5 x16")]
    got = [share * link(name).line for share, name in zip(shares, ("pcie3", "pcie4", "pcie5"), strict=True)]
    assert got == pytest.approx([got[0]] * 3, rel=0.02)


def test_enough_requests_fill_the_wire():
    most = rates(wire="PCIe 5 x16", nbytes=512, requests=768)
    assert most["reads, so many under way"] == most["reads, no limit"]
    assert "all that holds them back" not in PAYLOAD.evaluate(wire="PCIe 5 x16", nbytes=512, requests=768)[1]


def test_one_more_byte_than_a_payload_costs_a_packet():
    table, _ = PAYLOAD.evaluate(payload=128)
    writes = table[table["what"] == "writes"].set_index("bytes")["share"]
    assert writes[128] > 1.1 * writes[129]
    assert writes.max() == writes[128] == pytest.approx(writes[1024])


def test_the_measured_points_lie_below_the_model():
    for kind in ("write", "read"):
        for figure in catalog.figures("pcie3", f"measured {kind}"):
            nbytes = int(figure.scope.split(", ")[1].removesuffix(" B"))
            assert figure.si < pcie.rate(link("pcie3", 8), kind, nbytes)


def test_the_tables_beside_measurements():
    copies = book.lab("pcie-copies").evaluate()[0]
    assert dict(zip(copies["copy"], copies["error (%)"].round(), strict=True)) == {
        "no switch": 1, "one switch": 2, "two switches": 2, "2 below a switch": 2, "2 over an uplink": 2, "↔ no switch": 3,
        "↔ one switch": 12, "↔ with ACS": 15}
    limits = tables.limits_beside_measured()
    assert (limits["beats the paper's"] == "yes").all()
    transfers = book.lab("pcie-transfers").evaluate()[0].set_index(["run", "transfer"])["error (%)"]
    assert (round(transfers["write", 2048]), round(transfers["read", 64])) == (8, 2)
    assert tables.figures_beside_published()["figures"].sum() >= 38


def every_box():
    """Every setting of the learner's box."""
    for switches in box.SWITCHES:
        for nics in (box.BESIDE, box.ON_CPUS, box.NONE):
            for uplink in box.UPLINKS:
                yield switches, nics, uplink


def test_a_box_is_refused_exactly_when_lanes_are_short():
    has = lanes.lanes_of(tables.CPU, sockets=2) // 2
    for switches, nics, uplink in every_box():
        up, leaves = int(np.prod(box.UPLINKS[uplink])), [16 * 4, 16 * 4 * (nics != box.NONE), 4 * 2]
        if not switches:
            cpu, chip = sum(leaves), 0
        else:
            on_cpu = leaves[1] if nics == box.ON_CPUS else 0
            below = (2 * (sum(leaves) - on_cpu)) / switches if switches < 8 else 16 * (1 + (nics == box.BESIDE)) + 4
            cpu, chip = on_cpu + switches // 2 * up, below + up
        _, sentence = TREE.evaluate(switches=switches, nics=nics, uplink=uplink, traffic="GPU 0 to GPU 1")
        assert (cpu > has or chip > 144) == sentence.startswith("This does not work"), (switches, nics, uplink)
        assert not sentence.startswith("This does not work") or " PCIe lanes, and asked of it are " in sentence


def test_a_refused_box_gives_the_sum_and_is_drawn_with_what_is_too_much():
    table, sentence = TREE.evaluate(switches=2)
    assert sentence == ("This does not work: 8 lanes too many at PCIe switch 0. It has 144 PCIe lanes, and asked of it are "
                        "64 (4 GPUs) + 64 (4 NICs) + 8 (2 SSDs) + 16 (its uplink) = 152. PCIe switch 1 lacks as many.")
    cables = table[table["part"] == "cable"]
    assert len(cables) == 1 + 2 + 8 + 8 + 4
    assert set(cables.loc[cables["state"] == tiers.IDLE, "from"]) == {"cpu0"}  # the link between the CPUs alone is not red
    table, sentence = TREE.evaluate(switches=8, uplink="2 x16")
    assert sentence.startswith("This does not work: 32 lanes too many at CPU 0. It has 96 PCIe lanes, and asked of it are "
                               "128 (4 uplinks).")
    cables = table[(table["part"] == "cable") & (table["state"] == tiers.TIGHT)]
    assert sorted(cables[["from", "to"]].itertuples(index=False, name=None)) == [(f"cpu{i // 4}", f"sw{i}") for i in range(8)]
    sums = table[(table["part"] == "rate") & (table["state"] == tiers.TIGHT)]
    assert list(sums["label"]) == ["128 lanes asked of 96"] * 2
    assert list(TREE.evaluate(switches=2)[0].query("part == 'rate'")["label"]) == ["152 lanes asked of 144"] * 2
    assert MATRIX.evaluate(switches=2)[1] == TREE.evaluate(switches=2)[1]


def test_a_box_is_drawn_as_too_wide_exactly_when_it_cannot_be_built():
    for switches, nics, uplink in every_box():
        over = any(one.over for one in box.budgets(switches, nics, uplink).values())
        if over:
            with pytest.raises(ValueError, match="PCIe lanes, and"):
                box.built(switches, nics, uplink)
        else:
            box.built(switches, nics, uplink)


def test_lanes_are_counted_as_the_data_has_them(monkeypatch):
    """A wider SSD in the data is a wider SSD below the switch: no width is written into the lab."""
    before, rows = box.load(4, box.BESIDE, "x16"), catalog.rows("lane_needs")
    wider = [dict(row) | ({"lanes": 8} if row["id"] == "ssd" else {}) for row in rows]
    real = catalog.rows
    monkeypatch.setattr(catalog, "rows", lambda name, *more: wider if name == "lane_needs" else real(name, *more))
    after = box.load(4, box.BESIDE, "x16")
    assert (before.below, after.below) == (68, 72)
    assert box.load(0, box.NONE, "x16").of_cpu == 4 * 16 + 2 * 8


def test_what_is_as_full_as_the_bottleneck_is_marked_as_one():
    """From each GPU to the NIC beside it two cables are full, and both limit."""
    cables = TREE.evaluate(traffic=box.TO_NIC)[0].query("part == 'cable'")
    marked = cables[cables["state"] == tiers.TIGHT]
    assert sorted(end for pair in marked[["from", "to"]].to_numpy() for end in pair if end.startswith(("gpu", "nic"))) == sorted(
        f"{kind}{i}" for kind in ("gpu", "nic") for i in range(8))
    half = TREE.evaluate(traffic=box.TO_CPU, nics=box.NONE)[0].query("part == 'cable'")
    used = half[half["to"].str.startswith("gpu") | half["from"].str.startswith("gpu")]
    assert set(used["state"]) == {tiers.IN_USE}  # half full: the uplink holds them up
    assert (half["state"] == tiers.TIGHT).sum() == 4


def test_one_byte_more_than_a_payload_can_be_chosen():
    values = PAYLOAD.controls["nbytes"].values
    assert {256, 257, 512, 513} <= set(values)
    assert rates(nbytes=257)["writes"] < rates(nbytes=256)["writes"] - 5
    assert "writes get 7.18 GB/s" in PAYLOAD.evaluate(nbytes=256)[1]
    assert "writes get 6.62 GB/s" in PAYLOAD.evaluate(nbytes=257)[1]


def test_a_nic_beside_its_gpu_spares_the_way_through_the_cpu():
    beside = TREE.evaluate(traffic=box.TO_NIC)[1]
    away = TREE.evaluate(traffic=box.TO_NIC, nics=box.ON_CPUS)[1]
    assert "57.6 GB/s each, 461 GB/s together" in beside
    assert "By PIX: GPU 0 – switch 0 – NIC 0." in beside
    assert "28.8 GB/s each, 230 GB/s together" in away
    assert "By PHB: GPU 0 – switch 0 – CPU 0 – NIC 0." in away


def test_traffic_to_the_cpu_shares_the_uplink():
    for switches, each in ((2, 57.6 / 4), (4, 57.6 / 2), (8, 57.6)):
        _, sentence = TREE.evaluate(switches=switches, nics=box.NONE, traffic=box.TO_CPU)
        assert f"{each:.3g} GB/s each" in sentence
        assert f"{4.5 if switches == 2 else 2.25 if switches == 4 else 1.25} to 1" in sentence


def test_all_at_once_a_switch_makes_no_copy_faster():
    """Without switches every GPU's own link is the limit; below switches the uplinks are."""
    def slowest(switches):
        return min(rate for _, rate in labs.matrix(switches, box.NONE, "x16", labs.TOGETHER).values() if rate == rate)

    assert slowest(0) == pytest.approx(link("pcie5").bandwidth() / 7)
    assert slowest(8) == pytest.approx(slowest(0))
    assert slowest(2) < slowest(4) < slowest(8)


def test_the_matrix_shows_ways_or_rates():
    table, _ = MATRIX.evaluate()
    ways = table.set_index(["from", "to"])["cell"]
    assert [ways["G0", to] for to in ("G0", "G1", "G2", "G4", "N0", "N7")] == ["", "PIX", "PHB", "SYS", "PIX", "SYS"]
    table, _ = MATRIX.evaluate(shown=labs.ALONE, uplink="x8")
    cells = table.set_index(["from", "to"])["cell"]
    assert (cells["G0", "G1"], cells["G0", "G2"]) == ("57.6", "28.8")
    assert (MATRIX.evaluate(switches=0)[0]["cell"] == "").all()


def test_a_box_without_nics_says_so_and_is_drawn():
    table, sentence = TREE.evaluate(nics=box.NONE)
    assert sentence.startswith("This can be built, but it has no NICs for its 8 GPUs to send to: choose other traffic.")
    assert (table["part"] == "cable").sum() == 1 + 4 + 8 + 4


def test_a_nic_that_was_moved_is_reached_by_a_longer_way():
    for moved, way in ((1, "PHB"), (2, "SYS"), (3, "SYS"), (4, "PIX"), (6, "SYS")):
        table, sentence = TREE.evaluate(nics=f"N0 moved by {moved}")
        assert f"By {way}: GPU 0 – switch 0 –" in sentence
        assert set(table.loc[(table["to"] == "nic0") | (table["from"] == "nic0"), ["from", "to"]].to_numpy().ravel()) >= {
            f"sw{moved % 4}"}
    assert "Below switch 2, 84 lanes" in TREE.evaluate(nics="N0 moved by 2")[1]
    assert TREE.evaluate(switches=0, nics="N0 moved by 1")[1].startswith(
        "This does not work: 56 lanes too many at CPU 1. It has 96 PCIe lanes, and asked of it are 64 (4 GPUs) + 80 (5 NICs)")


def test_a_click_hangs_the_nics_or_sends_whether_the_box_is_built_or_not():
    for switches in box.SWITCHES:
        table, _ = TREE.evaluate(switches=switches)
        marks = table[table["part"] != "cable"].set_index("from")
        assert set(marks.loc[["cpu0", "cpu1"], "NICs here"]) == {box.ON_CPUS}
        moved = [box.BESIDE, *box.MOVED][:switches]
        assert marks.loc[marks["part"] == "pcie-switch", "NICs here"].to_dict() == {f"sw{i}": one for i, one in enumerate(moved)}
        assert set(marks.index[marks["card"] == "N0"]) == {"nic0"}
        assert [set(marks.loc[[f"gpu{i}"], "traffic to here"]) for i in range(8)] == [
            {""}, *({f"GPU 0 to GPU {i}"} for i in range(1, 8))]
        assert set(marks.loc[["nic5"], "traffic to here"]) == {box.TO_NIC}
        assert set(table.loc[table["part"] == "cable", ["NICs here", "traffic to here"]].to_numpy().ravel()) == {""}


def test_a_transfer_of_one_byte_more_is_told_to_the_byte():
    assert ", 1,025 bytes at a time:" in PAYLOAD.evaluate(nbytes=1025)[1]
    assert PAYLOAD.controls["nbytes"].text(1025) == "1,025 bytes"


def test_reads_that_get_hardly_anything_are_not_told_as_nothing():
    assert "reads 32.3 MB/s (less than 1 %)" in PAYLOAD.evaluate(nbytes=16, requests=1)[1]


def test_the_fullest_switch_and_its_lanes_are_two_numbers():
    assert "Below switch 1, 84 lanes share an uplink" in TREE.evaluate(nics="N0 moved by 1")[1]
