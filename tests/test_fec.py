"""FEC: the rate it costs, once; the wait for a block; the link's own code."""

from fractions import Fraction

import numpy as np
import pytest

from fabriclib import catalog, fec, link
from fabriclib.units import Gb, ns


@pytest.mark.parametrize(("name", "expansion"), [("rs528", Fraction(0)), ("rs544", Fraction(1, 33)), ("rs272", Fraction(1, 33))])
def test_a_codes_expansion_over_66_bit_blocks(name, expansion):
    assert fec.fec(name).expansion == pytest.approx(float(expansion), abs=1e-15)


def test_line_code_and_fec_together_are_counted_once():
    """64/66 and then 33/34 is the same as 256/257 and then 514/544: 16/17, which is what codes.csv has."""
    assert Fraction(64, 66) * Fraction(33, 34) == Fraction(256, 257) * Fraction(514, 544) == Fraction(16, 17)
    assert Fraction(256, 257) * Fraction(514, 528) == Fraction(64, 66)
    for cells in catalog.rows("link_fecs"):
        one = link(cells["id"])
        raw, line = (stage.rate for stage in one.waterfall()[:2])
        assert raw / line == pytest.approx(66 / 64 * (1 + fec.fec(cells["fec"]).expansion), rel=1e-12)


@pytest.mark.parametrize(("code", "gbps", "codewords", "wanted"), [
    ("rs544", 53.125, 1, 102.4), ("rs544", 106.25, 1, 51.2), ("rs544", 212.5, 2, 51.2), ("rs544", 425, 2, 25.6),
    ("rs544", 850, 4, 25.6), ("rs528", 25.78125, 1, 204.8), ("rs528", 103.125, 1, 51.2), ("rs272", 106.25, 1, 25.6),
])
def test_the_wait_for_a_block(code, gbps, codewords, wanted):
    assert fec.fec(code).block_time(gbps * Gb, codewords) / ns == pytest.approx(wanted, rel=1e-12)


def test_block_time_takes_arrays_and_falls_with_the_rate():
    times = fec.fec("rs544").block_time(np.array([106.25, 425, 850]) * Gb)
    assert times == pytest.approx(times[0] * np.array([1, 1 / 4, 1 / 8]))


def test_the_low_latency_code_halves_the_wait_and_the_errors_it_mends():
    short, usual = fec.fec("rs272"), fec.fec("rs544")
    assert usual.codeword == 2 * short.codeword
    assert (short.correctable, usual.correctable) == (7, 15)
    ethernet = link("eth100")
    assert fec.latency(ethernet, "rs272") < fec.latency(ethernet)


def test_a_links_fec_and_one_without():
    assert fec.latency(link("eth800")) / ns == pytest.approx(25.6 + 37)
    assert fec.latency(link("ib-qdr")) == 0
    assert fec.link_fec(link("nvlink4")) is None
    assert fec.latency(link("slingshot11"), "rs544") > 0


def test_the_model_stays_below_what_transceivers_state_for_100g():
    """100 to 120 ns for both ends (Stewart 2026): 88 ns without what an implementation adds."""
    code = fec.fec("rs544")
    assert 0.7 * 100 < (code.block_time(106.25 * Gb) + code.decode_time) / ns < 120


@pytest.mark.parametrize(("call", "named"), [
    (lambda: fec.fec("rs545"), "Did you mean 'rs54"), (lambda: fec.fec("rs544").block_time(0), "raw_rate"),
    (lambda: fec.fec("rs544").block_time(1e9, 0), "codewords"), (lambda: fec.latency(link("eth100"), "kp4"), "fec"),
])
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
