"""The labs of lesson 05: payload and reads follow the model; the tree's lanes, ways and rates follow its wiring."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog, lanes, link, pcie
from fabriclib.labs import pcie as payload_labs
from fabriclib.labs import pcie_tree as trees

PAYLOAD, TREE, MATRIX = (fl.lab(name) for name in ("pcie-payload", "pcie-tree", "pcie-matrix"))


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
    copies = payload_labs.copies_beside_measured()
    assert list(copies["error"]) == ["+1 %", "+2 %", "+2 %", "+2 %", "+2 %", "+3 %", "+12 %", "+15 %"]
    limits = payload_labs.limits_beside_measured()
    assert (limits["beats the paper's"] == "yes").all()
    transfers = payload_labs.transfers_beside_measured().set_index("transfer")
    assert (transfers.loc["2 KiB", "write, error"], transfers.loc["64 B", "read, error"]) == ("+8 %", "+2 %")
    assert payload_labs.figures_beside_published()["figures"].sum() >= 38


def every_box():
    for switches in trees.SWITCHES:
        for nics in (trees.BESIDE, trees.ON_CPUS, trees.NONE):
            for uplink in trees.UPLINKS:
                yield switches, nics, uplink


def test_a_box_is_refused_exactly_when_lanes_are_short():
    has = lanes.lanes_of(trees.CPU, sockets=2) // 2
    for switches, nics, uplink in every_box():
        up, leaves = int(np.prod(trees.UPLINKS[uplink])), [16 * 4, 16 * 4 * (nics != trees.NONE), 4 * 2]
        if not switches:
            cpu, chip = sum(leaves), 0
        else:
            on_cpu = leaves[1] if nics == trees.ON_CPUS else 0
            below = (2 * (sum(leaves) - on_cpu)) / switches if switches < 8 else 16 * (1 + (nics == trees.BESIDE)) + 4
            cpu, chip = on_cpu + switches // 2 * up, below + up
        _, sentence = TREE.evaluate(switches=switches, nics=nics, uplink=uplink, traffic="GPU 0 to GPU 1")
        assert (cpu > has or chip > 144) == sentence.startswith("This does not work"), (switches, nics, uplink)
        assert not sentence.startswith("This does not work") or "PCIe lanes, and" in sentence


def test_a_nic_beside_its_gpu_spares_the_way_through_the_cpu():
    beside = TREE.evaluate(traffic=trees.TO_NIC)[1]
    away = TREE.evaluate(traffic=trees.TO_NIC, nics=trees.ON_CPUS)[1]
    assert "57.6 GB/s each, 461 GB/s together" in beside
    assert "by PIX, gpu0 – sw0 – nic0" in beside
    assert "28.8 GB/s each, 230 GB/s together" in away
    assert "by PHB, gpu0 – sw0 – cpu0 – nic0" in away


def test_traffic_to_the_cpu_shares_the_uplink():
    for switches, each in ((2, 57.6 / 4), (4, 57.6 / 2), (8, 57.6)):
        _, sentence = TREE.evaluate(switches=switches, nics=trees.NONE, traffic=trees.TO_CPU)
        assert f"{each:.3g} GB/s each" in sentence
        assert f"{4.5 if switches == 2 else 2.25 if switches == 4 else 1.25} to 1" in sentence


def test_all_at_once_a_switch_makes_no_copy_faster():
    """Without switches every GPU's own link is the limit; below switches the uplinks are."""
    def slowest(switches):
        return min(rate for _, rate in trees.matrix(switches, trees.NONE, "x16", trees.TOGETHER).values() if rate == rate)

    assert slowest(0) == pytest.approx(link("pcie5").bandwidth() / 7)
    assert slowest(8) == pytest.approx(slowest(0))
    assert slowest(2) < slowest(4) < slowest(8)


def test_the_matrix_shows_ways_or_rates():
    table, _ = MATRIX.evaluate()
    ways = table.set_index(["from", "to"])["cell"]
    assert [ways["G0", to] for to in ("G0", "G1", "G2", "G4", "N0", "N7")] == ["", "PIX", "PHB", "SYS", "PIX", "SYS"]
    table, _ = MATRIX.evaluate(shown=trees.ALONE, uplink="x8")
    cells = table.set_index(["from", "to"])["cell"]
    assert (cells["G0", "G1"], cells["G0", "G2"]) == ("57.6", "28.8")
    assert (MATRIX.evaluate(switches=0)[0]["cell"] == "").all()


def test_a_box_without_nics_says_so_and_is_drawn():
    table, sentence = TREE.evaluate(nics=trees.NONE)
    assert sentence.startswith("This can be built, but it has no NICs for its 8 GPUs to send to: choose other traffic.")
    assert (table["part"] == "cable").sum() == 1 + 4 + 8 + 4
