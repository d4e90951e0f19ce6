"""The labs: the numbers of a default state worked by hand, and what must hold as a control moves."""

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.networks import labs, tables
from fabriclib import catalog


def test_the_ladders_bars_end_where_the_sentence_says():
    table, sentence = book.lab("latency-ladder").evaluate()
    for name, said in (("TCP", "8.52 µs"), ("RoCE v2", "1.61 µs"), ("InfiniBand", "1.37 µs")):
        rows = table[table["transport"] == name]
        assert rows["to (µs)"].max() == pytest.approx(rows["total (µs)"].max())
        assert rows["µs"].sum() == pytest.approx(float(said.split()[0]), abs=0.005)
        assert f"{name} {said}" in sentence


def test_every_time_stands_with_the_range_of_its_sources():
    _, sentence = book.lab("latency-ladder").evaluate()
    ends = {name: [sum(getattr(one, end) for one in tables.climbed(id, 64, "400 Gb/s", 1, 20)) for end in ("low", "high")]
            for name, id in tables.TRANSPORTS.items()}
    for name, (low, high) in ends.items():
        assert f"µs ({fl.units.format(low, 's')} to {fl.units.format(high, 's')})" in sentence, name
    assert ends["RoCE v2"][0] < ends["InfiniBand"][1]


def test_roce_and_infiniband_are_apart_by_a_range_and_not_by_a_difference_of_means():
    """One switch: 250 to 800 ns against 130 to 330, and 56 bytes of headers at 50 GB/s."""
    headers = 56 / 50e9
    assert labs.apart(64, "400 Gb/s", 1, 20) == pytest.approx((250e-9 - 330e-9 + headers, 800e-9 - 130e-9 + headers))
    _, sentence = book.lab("latency-ladder").evaluate()
    assert "RoCE takes from 78.9 ns less to 671 ns more than InfiniBand: which switch it is decides." in sentence
    assert "for its headers" in book.lab("latency-ladder").evaluate(switches=0)[1]
    assert "1.37" not in repr(book.verdict("i"))
    assert "overlap" in repr(book.verdict("i"))


def test_the_dips_of_the_headers_show_at_the_smallest_mtu():
    def dip(mtu):
        table, _ = book.lab("header-share").evaluate(rdma_mtu=mtu)
        roce = table[table["transport"] == "RoCE v2"].sort_values("message (B)")["payload (%)"].to_numpy()
        return (roce[:-1] - roce[1:]).max()

    assert dip(256) > 10 > 3 > dip(4096) > 0


def test_a_packet_to_scale_is_its_message_and_all_that_the_framing_adds():
    table, sentence = book.lab("packet-to-scale").evaluate()
    for name, frame in (("TCP", "tcp-ipv4"), ("RoCE v2", "rocev2"), ("InfiniBand", "ib")):
        fields = table[table["transport"] == name]
        assert fields["from"].tolist() == [0, *fields["to"][:-1]]
        assert fields["to"].max() == fl.framing.overhead(frame) + tables.SIZE
        assert f"{name} {fields['to'].max():.0f} bytes" in sentence


def test_more_lost_packets_are_further_to_the_right_as_in_the_chart():
    assert book.lab("lost-packet").controls["one_in"].values == (10**6, 10**5, 10**4, 1000, 100)


def test_a_longer_way_costs_all_three_transports_alike_but_for_the_switches():
    near, far = (book.lab("latency-ladder").evaluate(switches=switches)[0] for switches in (0, 5))
    wires = [table[table["kind"] == "wire, FEC, cable"].set_index("transport")["µs"] for table in (near, far)]
    grown = wires[1] - wires[0]
    # five more links of 20 m of fibre with two ends of 10 ns, and five more FEC of 62.6 ns
    assert grown.to_numpy() == pytest.approx(np.full(3, 5 * (0.120 + 0.0626)), abs=1e-3)


def test_headers_by_hand():
    _, sentence = book.lab("header-share").evaluate(size=64, rdma_mtu=4096)
    assert f"TCP {100 * 64 / 154:.3g} %, RoCE v2 {100 * 64 / 146:.3g} %, InfiniBand {100 * 64 / 90:.3g} %" in sentence
    _, sentence = book.lab("header-share").evaluate(size=2**20, rdma_mtu=4096, speed="400 Gb/s")
    assert "RoCE carries 392.1 Gb/s" in sentence


def test_a_lost_packet_by_hand():
    """400 Gb/s less headers for 10 us is 120 packets of 4096; one more is the lost one: 1 / (1 + 121 / 999)."""
    _, sentence = book.lab("lost-packet").evaluate()
    packets = 1 + 50e9 * 4096 / 4178 * 10e-6 / 4096
    assert f"go-back-N delivers {100 / (1 + packets / 999):.3g} %" in sentence
    table, _ = book.lab("lost-packet").evaluate(one_in=100, speed="800 Gb/s")
    assert table["here (%)"].notna().sum() == 2


def test_the_model_meets_its_measurements():
    off = {what: round(100 * (model / measured - 1)) for what, (model, measured) in tables.latency_against_measured().items()}
    assert all(-6 < error < 0 for what, error in off.items() if what.startswith("InfiniBand"))
    assert (off["a curated table"], off["TCP over 10G"]) == (61, -22)
    rates = [round(100 * (model / measured - 1)) for model, measured in tables.rdma_against_measured().values()]
    assert rates == [3, 0, 1, 0, 4]
    left, got = tables.without_rdma()
    assert 7 < left / got < 8


def test_the_verdicts_say_what_is_not_from_a_source():
    assert catalog.row("switches", "quantum-hdr")["sources"]["latency_s"] == "none"
    assert "130 ns (no source read)" in repr(book.verdict("i"))
    assert "derived, not stated" in catalog.figure("slingshot-tcp-bw").note
    assert "by our inference" in repr(book.verdict("j"))
    assert "10 µs a round trip, 89 %" in repr(book.verdict("j"))


def test_a_rung_of_microseconds_is_told_in_thousands_as_in_the_text():
    table = tables.rung_table("tcp")
    assert {"1,581", "1,000 to 2,500"} <= set(table["ns"]) | set(table["range (ns)"])
