"""PCIe: limits against printed tables, bytes against TLPs cut one by one, rates against published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib import catalog, link, pcie
from fabriclib.figures import computable, computed
from fabriclib.pcie import Settings

# Printed in PCI Express Technology 3.0, tables 6-3 to 6-5: symbol times by width, for payloads of 128, 256, 512 and 4096 bytes.
PRINTED = {
    ("pcie1", 1): (237, 416, 559, 4143), ("pcie1", 2): (128, 217, 289, 2081), ("pcie1", 4): (73, 118, 154, 1050),
    ("pcie1", 8): (67, 107, 86, 534), ("pcie1", 16): (48, 72, 86, 534),
    ("pcie2", 1): (288, 467, 610, 4194), ("pcie2", 4): (124, 169, 205, 1101), ("pcie2", 16): (99, 123, 137, 585),
    ("pcie3", 1): (333, 512, 655, 4239), ("pcie3", 2): (224, 313, 385, 2177), ("pcie3", 4): (169, 214, 250, 1146),
    ("pcie3", 8): (163, 203, 182, 630), ("pcie3", 16): (144, 168, 182, 630), ("pcie5", 16): (144, 168, 182, 630),
}
settings = st.builds(Settings, mps=st.sampled_from(pcie.SIZES), mrrs=st.sampled_from(pcie.SIZES),
                     completion=st.sampled_from([None, 64, 128]), address_bits=st.sampled_from([32, 64]), ecrc=st.booleans())


@pytest.mark.parametrize(("name", "lanes"), PRINTED)
def test_ack_limits_are_the_printed_ones(name, lanes):
    assert tuple(pcie.ack_limit(link(name, lanes), mps) for mps in (128, 256, 512, 4096)) == PRINTED[name, lanes]


def cut(nbytes, most):
    return [min(most, nbytes - start) for start in range(0, nbytes, most)]


@given(nbytes=st.integers(1, 20_000), chosen=settings, flit=st.booleans())
def test_bytes_on_the_wire_are_those_of_tlps_cut_one_by_one(nbytes, chosen, flit):
    framing = 0 if flit else 8
    request = framing + (16 if chosen.address_bits == 64 else 12) + 4 * chosen.ecrc
    answer = framing + 12 + 4 * chosen.ecrc
    writes = sum(request + part for part in cut(nbytes, chosen.mps))
    requests = cut(nbytes, chosen.mrrs)
    answers = sum(answer + part for asked in requests for part in cut(asked, chosen.completion))
    assert pcie.wire("write", nbytes, chosen, flit) == (writes, 0)
    assert pcie.wire("read", nbytes, chosen, flit) == (len(requests) * request, answers)
    assert pcie.wire("read and write", nbytes, chosen, flit) == (writes + len(requests) * request, answers)


@given(nbytes=st.integers(1, 100_000), chosen=settings, name=st.sampled_from(["pcie1", "pcie3", "pcie5", "pcie6"]),
       operation=st.sampled_from(pcie.OPERATIONS))
def test_data_never_gets_more_than_the_line_and_both_at_once_never_more_than_each_alone(nbytes, chosen, name, operation):
    one = link(name)
    got = pcie.rate(one, operation, nbytes, chosen)
    assert 0 < got < one.line
    assert pcie.tlp_rate(one, chosen.mps) < one.line
    assert pcie.rate(one, "read and write", nbytes, chosen) <= min(pcie.rate(one, "read", nbytes, chosen),
                                                                   pcie.rate(one, "write", nbytes, chosen))


def test_rates_take_arrays():
    sizes = np.array([1, 64, 256, 257, 4096])
    for operation in pcie.OPERATIONS:
        together = pcie.rate(link("pcie4"), operation, sizes)
        assert list(together) == [pcie.rate(link("pcie4"), operation, int(n)) for n in sizes]


def test_intels_read_of_512_bytes():
    """AN 855: two completions of 256 bytes, 3-DW headers: 512 of 552 bytes, printed as 92 %."""
    assert pcie.wire("read", 512).downstream == 552
    assert pcie.completions(512) == 2


def test_doubling_the_payload_saves_half_the_headers_and_doubling_the_lanes_doubles_the_rate():
    small, large = (pcie.wire("write", 1 << 20, Settings(mps=mps)).upstream - (1 << 20) for mps in (128, 256))
    assert small == 2 * large
    one, many = (pcie.rate(link("pcie6", lanes), "write", 4096) for lanes in (1, 16))
    assert many == pytest.approx(16 * one)


def test_reads_lose_to_writes_only_when_the_host_cuts_its_answers_small():
    reads, writes = (pcie.rate(link("pcie5"), operation, 1 << 20) for operation in ("read", "write"))
    assert reads > writes  # completions have the shorter header
    assert pcie.rate(link("pcie5"), "read", 1 << 20, Settings(completion=64)) < writes


def test_small_requests_make_the_upstream_direction_the_bottleneck_of_reads():
    chosen = Settings(mps=4096, mrrs=128)
    up, down = pcie.wire("read and write", 4096, chosen)
    assert up > down


def test_the_published_58_gigabits_count_the_limits_in_bytes():
    x8 = link("pcie3", lanes=8)
    assert pcie.tlp_rate_in_bytes(x8) == pytest.approx(catalog.figure("pcie3-x8-tlp").si, rel=1e-4)
    assert pcie.tlp_rate(x8) > 1.06 * pcie.tlp_rate_in_bytes(x8)
    one = link("pcie3", lanes=1)
    assert pcie.tlp_rate(one) == pytest.approx(pcie.tlp_rate_in_bytes(one), rel=2e-3)


def test_a_measured_copy_refutes_the_count_in_bytes_on_sixteen_lanes():
    """A copy faster than a limit shows that the limit is none: 54.3 GB/s between GPUs, writes of 256 bytes."""
    measured = [catalog.figure(id).si for id in ("pcie5-p2p", "p2p-no-switch", "p2p-one-switch")]
    wire = link("pcie5")
    assert pcie.tlp_rate_in_bytes(wire) * 256 / 280 < min(measured)
    assert max(measured) < pcie.rate(wire, "write", 4096)


def test_acks_cost_the_direction_they_travel_in():
    """AN 855: they are sent in the opposite direction from the TLPs they answer."""
    wire, skip = link("pcie3", lanes=1), 1 - 4 / 1538
    line, each = wire.line, 16 / 512
    assert pcie.dllp_share(wire) == each
    assert pcie.rate(wire, "write", 256) == pytest.approx(line * skip * 256 / 280)
    up, down = 280 + 24, 276
    assert pcie.rate(wire, "read and write", 256) == pytest.approx(line * skip * 256 / (up + each * down))


def test_requests_in_flight_are_littles_law():
    assert pcie.rate_in_flight(32, 512, 1e-6) == 32 * 512 / 1e-6
    assert pcie.rate_in_flight([1, 2], 64, 64e-9) == pytest.approx([1e9, 2e9])


def test_thirty_published_pcie_figures_are_computed():
    """From generation, lanes, line code and packet layout, and stated by another source than the rate's."""
    figures = [f for f in catalog.figures() if computable(f) and f.subject.startswith("pcie") and f.source.id != "hpc-notes-pcie"]
    agree = [f for f in figures if abs(computed(f) / f.si - 1) < 0.01]
    assert len(agree) >= 30
    assert {f.subject for f in agree} >= {"pcie1", "pcie2", "pcie3", "pcie4", "pcie6", "pcie7", "pcie-flit", "pcie-tlp-3dw"}


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Settings(mps=300), "mps must be 128, 256, .*; got 300"), (lambda: Settings(mrrs=64), "mrrs must be 128"),
    (lambda: Settings(completion=512), "completion must be 64, 128, 256; got 512"),
    (lambda: Settings(address_bits=48), "address_bits must be 32, 64; got 48"),
    (lambda: Settings(ecrc=1), "ecrc must be True or False; got 1"), (lambda: Settings(mps="256"), "mps must be a number"),
    (lambda: pcie.wire("raed", 64), "Did you mean 'read'"), (lambda: pcie.wire("read", 0), "nbytes must be a whole number"),
    (lambda: pcie.wire("read", 1.5), "nbytes must be a whole number"),
    (lambda: pcie.rate(link("nvlink4"), "read", 64), "link must be a PCIe link"),
    (lambda: pcie.rate("pcie5", "read", 64), "link must be a PCIe link"),
    (lambda: pcie.ack_limit(link("pcie6")), "link 'pcie6' is not known"),
    (lambda: pcie.tlp_rate(link("pcie5"), 100), "mps must be"),
    (lambda: pcie.rate_in_flight(0, 512, 1e-6), "requests must be"),
    (lambda: pcie.rate_in_flight(1, 512, 0), "round_trip must be"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
