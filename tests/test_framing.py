"""Framings: packets and flits, each from its fields."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib import catalog, framing, link

CXL_FLITS = ["cxl-68", "cxl-256", "cxl-256-lopt"]


@pytest.mark.parametrize(("name", "size"), [("cxl-68", 68), ("cxl-256", 256), ("cxl-256-lopt", 256), ("pcie-flit", 256)])
def test_a_flits_fields_fill_it(name, size):
    assert framing.flit_bytes(name) == size


@pytest.mark.parametrize(("name", "left", "size"), [("cxl-68", 64, 68), ("cxl-256", 240, 256), ("cxl-256-lopt", 236, 256),
                                                    ("pcie-flit", 236, 256)])
def test_what_a_flit_leaves(name, left, size):
    assert framing.share(name) == pytest.approx(left / size, rel=1e-12)


@given(lines=st.integers(1, 500), headers=st.integers(0, 500))
def test_68_byte_flits_match_the_closed_form(lines, headers):
    expected = 64 * lines / (68 * math.ceil((4 * lines + headers) / 4))
    assert framing.line_share("cxl-68", lines, headers) == pytest.approx(expected, rel=1e-12)


@given(lines=st.integers(1, 60), headers=st.integers(0, 60), name=st.sampled_from(CXL_FLITS))
def test_line_share_is_what_packing_slot_by_slot_gives(lines, headers, name):
    fields = [row for row in catalog.rows("framings") if row["framing"] == name]
    slots = sum(row["bytes"] // 16 for row in fields if row["carries"] == "slots")
    free = sum(row["carries"] == "header slot" for row in fields)
    flits, data, messages = 0, 4 * lines, headers
    while data or messages:  # fill header slots with messages first: nothing else fits there
        flits += 1
        messages -= min(messages, free)
        room = slots - min(data, slots)
        data -= slots - room
        messages -= min(messages, room)
    assert framing.line_share(name, lines, headers) == pytest.approx(64 * lines / (flits * framing.flit_bytes(name)), rel=1e-12)


@given(lines=st.integers(1, 10_000), headers=st.integers(0, 100), name=st.sampled_from(CXL_FLITS))
def test_lines_never_get_more_than_the_flit_leaves(lines, headers, name):
    assert framing.line_share(name, lines, headers) <= framing.share(name)


def test_line_share_takes_arrays():
    lines = np.array([1, 3, 100])
    assert list(framing.line_share("cxl-68", lines)) == [framing.line_share("cxl-68", int(n)) for n in lines]


@given(st.floats(1, 1e6))
def test_a_packets_share_is_payload_over_payload_and_overhead(payload):
    assert framing.share("rocev2", payload) == payload / (payload + 82)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: framing.share("cxl-86"), "Did you mean 'cxl-68'"),
    (lambda: framing.share("cxl-68", 256), "packet_bytes must be left out for cxl-68"),
    (lambda: framing.share("pcie-tlp"), "packet_bytes must be a number"),
    (lambda: framing.share("pcie-tlp", 0), "packet_bytes must be a number greater than 0"),
    (lambda: framing.line_share("pcie-tlp", 1), "framing must be one with slots"),
    (lambda: framing.line_share("cxl-68", 0), "lines must be a whole number"),
    (lambda: framing.line_share("cxl-68", 1, -1), "headers must be a whole number"),
    (lambda: link("cxl3").bandwidth(packet_bytes=64), "packet_bytes must be left out for cxl-256"),
    (lambda: link("cxl2").time(64), "no source gives one for CXL 2.0"),
    (lambda: link("cxl2", lanes=5), "lanes must be 4 or 8 or 16"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_waterfall_ends_with_the_flits_share():
    raw, line, payload = (stage.rate for stage in link("cxl2").waterfall())
    assert (raw, line) == pytest.approx((64e9, 64e9 * 128 / 130), rel=1e-12)
    assert payload == pytest.approx(line * 64 / 68, rel=1e-12)
    assert link("pcie6").bandwidth() == pytest.approx(118e9, rel=1e-12)


@pytest.mark.parametrize(("name", "shares"), [
    ("rocev2", (0.7574, 0.8620, 0.9259, 0.9615, 0.9804)), ("rocev2-ipv6", (0.7151, 0.8339, 0.9094, 0.9526, 0.9757)),
    ("ib", (0.9078, 0.9517, 0.9752, 0.9875, 0.9937)), ("ib-grh", (0.7950, 0.8858, 0.9394, 0.9688, 0.9841)),
])
def test_payload_shares_at_every_rdma_mtu(name, shares):
    """Worked by hand from the fields."""
    assert framing.share(name, np.array([256, 512, 1024, 2048, 4096])) == pytest.approx(shares, abs=5e-5)


def test_what_400_gbps_leave_to_rdma_and_a_gigabit_to_tcp():
    assert link("eth400").bandwidth(4096) * 8e-9 == pytest.approx(392.15, abs=0.005)
    assert link("ib-ndr").bandwidth(4096) * 8e-9 == pytest.approx(397.48, abs=0.005)
    assert framing.share("tcp-ipv4", 1448) == pytest.approx(1448 / 1538)
    assert framing.share("tcp-ipv4", 8948) == pytest.approx(8948 / 9038)


@given(nbytes=st.integers(1, 10**7), mtu=st.sampled_from([256, 1448, 4096]), name=st.sampled_from(["rocev2", "ib", "tcp-ipv4"]))
def test_a_messages_share_is_what_cutting_it_up_gives(nbytes, mtu, name):
    packets, left = 0, nbytes
    while left > 0 and packets < 100_000:
        left, packets = left - mtu, packets + 1
    assert framing.message_share(name, nbytes, mtu) == pytest.approx(nbytes / (nbytes + packets * framing.overhead(name)))
    assert framing.message_share(name, nbytes, mtu) <= framing.share(name, mtu) + 1e-12


@pytest.mark.parametrize(("call", "message"), [
    (lambda: framing.message_share("cxl-68", 64, 64), "framing must be one of packets"),
    (lambda: framing.message_share("rocev2", 0, 4096), "nbytes"), (lambda: framing.message_share("rocev2", 1, 0), "packet_bytes"),
])
def test_a_messages_share_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
