"""Links: rates computed from lanes and line codes meet the published ones; a message's time; the fit."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

import fabriclib as fl
from fabriclib import catalog

GB = 1e9


def device(name):
    one = fl.link(name)
    return one.bundle(one.per_device)


@pytest.mark.parametrize(("generation", "rate"), [(1, 80), (2, 150), (3, 300), (4, 450), (5, 900)])
def test_line_rate_of_a_gpu_by_nvlink_generation(generation, rate):
    assert device(f"nvlink{generation}").bandwidth() == pytest.approx(rate * GB, rel=1e-12)


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5])
def test_headlines_count_both_directions(generation):
    headline = catalog.figure(f"nvlink{generation}-device")
    assert headline.direction == "both"
    assert headline.si == pytest.approx(2 * device(f"nvlink{generation}").bandwidth(), rel=1e-12)


def test_raw_rates_are_what_the_driver_reports():
    for name in ("nvlink4", "nvlink5"):
        raw, line = fl.link(name).waterfall()
        assert raw.rate == catalog.figure(f"{name}-raw").si
        assert line.rate == pytest.approx(raw.rate * 16 / 17)
        assert 2 * line.rate == pytest.approx(catalog.figure(f"{name}-link").si)


def test_pcie_and_ethernet_by_packet_size():
    pcie = fl.link("pcie5", lanes=16)
    assert pcie.line == pytest.approx(catalog.figure("pcie5-x16").si, rel=1e-3)
    for payload, wanted in ((128, 53.07), (256, 57.61), (512, 60.19)):
        assert pcie.bandwidth(payload) / GB == pytest.approx(wanted, abs=0.005)
    assert pcie.bandwidth() == pcie.bandwidth(256)
    ethernet = fl.link("eth400")
    assert ethernet.line == pytest.approx(50 * GB)
    for payload, share in ((256, 0.7574), (512, 0.8620), (1024, 0.9259), (2048, 0.9615), (4096, 0.9804)):
        assert ethernet.bandwidth(payload) / (50 * GB) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize("row", catalog.rows("links"), ids=lambda row: row["id"])
def test_every_link_of_the_catalogue_stands_up(row):
    one = fl.link(row["id"])
    rates = [stage.rate for stage in one.waterfall()]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] > 0
    assert one.bandwidth() == rates[-1]
    assert one.bundle(3).bandwidth() == pytest.approx(3 * one.bandwidth())
    assert repr(dataclasses.asdict(one.bundle(3).bundle(2))) == repr(dataclasses.asdict(one.bundle(6)))  # NaN is not NaN
    if row["latency_s"] > 0:
        assert one.time(1e6) == pytest.approx(row["latency_s"] + 1e6 / one.bandwidth())
    else:  # no time is made up for it
        with pytest.raises(ValueError, match="latency"):
            one.time(1e6)
    assert one.name in repr(one)
    assert one.sources
    for width in row["widths"]:
        per_lane = fl.link(row["id"], lanes=width).raw / width
        assert per_lane == pytest.approx(one.lane_rate)


def test_the_catalogue_as_a_table_shows_both_directions():
    table = fl.links().set_index("id")
    assert len(table) == len(catalog.rows("links"))
    assert table.loc["nvlink4", "device GB/s one way"] == pytest.approx(450)
    assert (table["device GB/s both ways"] == 2 * table["device GB/s one way"]).all()
    unframed = [row["id"] for row in catalog.rows("links") if not row["framing"]]
    assert unframed
    assert table.index[table["link payload GB/s one way"].isna()].tolist() == unframed  # what nobody publishes stays blank


def test_a_row_of_the_table_says_what_the_link_is():
    one = fl.link("pcie5")
    row = fl.links().set_index("id").loc["pcie5"]
    assert row.to_dict() == {
        "name": one.name, "family": "pcie", "year": one.year, "device": one.device, "lanes": 16, "raw Gb/s per lane": 32,
        "line code": one.code, "link GB/s one way": one.line / GB, "link payload GB/s one way": one.bandwidth() / GB,
        "links per device": one.per_device, "device GB/s one way": one.line * one.per_device / GB,
        "device GB/s both ways": 2 * one.line * one.per_device / GB, "latency (ns)": pytest.approx(one.latency * 1e9),
    }


@pytest.mark.parametrize("field", ["lanes", "count", "lane_rate", "code_rate"])
def test_a_link_of_no_size_is_refused_by_name(field):
    with refused(field):
        dataclasses.replace(fl.link("pcie5"), **{field: -1})


def test_no_line_code_carries_more_than_it_signals():
    assert dataclasses.replace(fl.link("pcie5"), code_rate=1).line == fl.link("pcie5").raw
    with refused("code_rate"):
        dataclasses.replace(fl.link("pcie5"), code_rate=1.001)


@pytest.mark.parametrize(("call", "named"), [
    (lambda: fl.link("nvlnik4"), "Did you mean 'nvlink4'"), (lambda: fl.link(None), "link"), (lambda: fl.link(4), "link"),
    (lambda: fl.link(""), "link"), (lambda: fl.link(["nvlink4"]), "link"),
    (lambda: fl.link("pcie5", lanes=3), "lanes must be 1 or 2 or 4 or 8 or 16"), (lambda: fl.link("pcie5", lanes=0), "lanes"),
    (lambda: fl.link("pcie5", lanes=2.5), "lanes"), (lambda: fl.link("pcie5", lanes="16"), "lanes"),
    (lambda: fl.link("nvlink4").bundle(0), "count"), (lambda: fl.link("nvlink4").bundle(1.5), "count"),
    (lambda: fl.link("nvlink4").bundle(100_001), "count"),
    (lambda: fl.link("nvlink4").waterfall(256), "packet_bytes must be .*got 256"),
    (lambda: fl.link("pcie5").waterfall(0), "packet_bytes"), (lambda: fl.link("pcie5").waterfall(-256), "packet_bytes"),
    (lambda: fl.link("pcie5").waterfall(float("nan")), "packet_bytes"),
    (lambda: fl.link("pcie5").waterfall("256"), "packet_bytes"),
    (lambda: fl.link("pcie5", lanes=[1, 16]), "lanes must be one number, not an array"),
    (lambda: fl.link("pcie5", lanes=np.array([16])), "lanes must be one number, not an array"),
    (lambda: fl.link("nvlink4").bundle([1, 2]), "count must be one number, not an array"),
    (lambda: fl.AlphaBeta([1e-6], 1e-9), "alpha must be one number, not an array"),
    (lambda: fl.AlphaBeta(1e-6, np.array([1e-9])), "beta must be one number, not an array"),
    (lambda: fl.link("nvlink4").time([10**5000]), "nbytes must be .*got a list"),
    (lambda: fl.AlphaBeta.fit([1, 2], [1e-320, 1]), "seconds must be a number at least 1e-30; got"),
    (lambda: fl.link("nvlink4").time(0), "nbytes"), (lambda: fl.link("nvlink4").time(-1), "nbytes"),
    (lambda: fl.link("nvlink4").time(float("inf")), "nbytes"), (lambda: fl.link("nvlink4").time([]), "nbytes"),
    (lambda: fl.link("nvlink4").time(1e30), "nbytes"), (lambda: fl.AlphaBeta(-1, 1), "alpha"),
    (lambda: fl.AlphaBeta(1, float("nan")), "beta"), (lambda: fl.AlphaBeta(None, 1), "alpha"),
    (lambda: fl.AlphaBeta(1e-6, 1e-9).time("1 kB"), "nbytes"),
    (lambda: fl.AlphaBeta.fit([1, 2], [1]), "same length"),
    (lambda: fl.AlphaBeta.fit([1, 1], [1, 2]), "two different sizes; got 1 only"),
    (lambda: fl.AlphaBeta.fit([1, 2e18], [1, 2]), "nbytes"),
    (lambda: fl.AlphaBeta.fit([], []), "nbytes"), (lambda: fl.AlphaBeta.fit([1, 2], [0, 1]), "seconds"),
    (lambda: fl.AlphaBeta.fit([1, -2], [1, 1]), "nbytes"), (lambda: fl.AlphaBeta.fit([1, 2], [1, float("nan")]), "seconds"),
    (lambda: fl.AlphaBeta.fit([[1], [2, 3]], [1, 2]), "nbytes must"),
    (lambda: fl.AlphaBeta.fit([1e-310, 1], [1, 2]), "nbytes must"),
    (lambda: fl.AlphaBeta.fit([[1, 2]], [[1, 2]]), "same length"), (lambda: fl.AlphaBeta.fit(5, 5), "two different sizes"),
])
def test_bad_input_is_refused_by_name(call, named):
    with refused(named):
        call()


def test_half_the_rate_is_reached_at_n_half():
    model = fl.AlphaBeta(alpha=2e-6, beta=1 / 50e9)
    assert model.n_half == pytest.approx(100_000)
    for share in (0.1, 0.5, 0.9):  # a share of the rate needs share / (1 - share) of n_half: nine times as much for 90 %
        n = share / (1 - share) * model.n_half
        assert n / model.time(n) == pytest.approx(share * 50e9)
    assert fl.AlphaBeta(1e-6, 0.0).n_half == np.inf


@given(st.floats(1e-9, 1e-3), st.floats(1e-13, 1e-8))
def test_a_fit_finds_the_line_its_points_are_on(alpha, beta):
    n = np.geomspace(8, 8e9, 31)
    fitted = fl.AlphaBeta.fit(n, alpha + n * beta)
    assert fitted.alpha == pytest.approx(alpha, rel=1e-6, abs=0)
    assert fitted.beta == pytest.approx(beta, rel=1e-6, abs=0)


def errors(model, n, t):
    return np.abs(model.time(n) / t - 1)


def test_fit_of_a_published_all_reduce_with_nvls():
    """microsoft/mscclpp#507, allreduce9 on H100: 1 KiB to 64 KiB, microseconds."""
    n = 1024.0 * 2 ** np.arange(7)
    t = np.array([5.45, 5.57, 5.80, 5.94, 6.40, 7.45, 8.03]) * 1e-6
    fitted = fl.AlphaBeta.fit(n, t)
    assert fitted.alpha * 1e6 == pytest.approx(5.576, abs=5e-4)
    assert 1e-9 / fitted.beta == pytest.approx(23.55, abs=5e-3)
    assert fitted.n_half == pytest.approx(131_296, abs=0.5)


def test_fit_of_a_published_curve_that_has_a_knee():
    """kvcache-ai/Mooncake#3484: 32 KiB to 32 MiB, microseconds. The errors say that one straight line does not fit."""
    n = 32768.0 * 2 ** np.arange(11)
    t = np.array([18.66, 18.95, 19.25, 19.54, 20.39, 27.76, 40.66, 53.24, 81.16, 121.33, 195.40]) * 1e-6
    fitted = fl.AlphaBeta.fit(n, t)
    assert fitted.alpha * 1e6 == pytest.approx(18.94, abs=5e-3)
    assert 1e-9 / fitted.beta == pytest.approx(158.9, abs=0.05)
    assert errors(fitted, n, t).max() == pytest.approx(0.210, abs=5e-4)
    assert np.sqrt(np.mean(errors(fitted, n, t) ** 2)) == pytest.approx(0.109, abs=5e-4)


def test_a_fit_never_returns_a_negative_constant():
    falling = fl.AlphaBeta.fit([1e3, 1e6], [2e-6, 1e-6])
    assert falling.beta == 0
    assert falling.alpha > 0
    steep = fl.AlphaBeta.fit([1e3, 1e6], [1e-9, 1e-3])
    assert steep.alpha == 0
    assert steep.beta > 0


def test_a_fit_finds_its_line_over_any_range():
    """Two points lie on one line exactly: sixteen orders of magnitude in the time, eighteen in the size."""
    fitted = fl.AlphaBeta.fit([1, 1e18], [1e-9, 1e7])
    assert fitted.beta == pytest.approx(1e-11, rel=1e-6, abs=0)
    assert fitted.alpha == pytest.approx(9.9e-10)
    for n in (1e-3, 1.0, 1e9, 1e12):
        fitted = fl.AlphaBeta.fit([n, 1e6 * n], [3e-25, 1e-24])
        assert fitted.time(np.array([n, 1e6 * n])) == pytest.approx([3e-25, 1e-24], rel=1e-6, abs=0)


def test_constants_are_kept_as_floats():
    model = fl.AlphaBeta(np.int64(0), np.array(1))
    assert (type(model.alpha), type(model.beta)) == (float, float)
    assert repr(model) == "<AlphaBeta: 0 s to start, then 1 B/s; n-half 0 B>"
    assert repr(fl.AlphaBeta(2e-6, 1 / 50e9)) == "<AlphaBeta: 2 µs to start, then 50 GB/s; n-half 100 kB>"
    assert repr(fl.AlphaBeta(2e-6, 0)) == "<AlphaBeta: 2 µs to start, then no limit; n-half inf B>"


def test_a_bundle_says_how_many_it_holds():
    one = fl.link("nvlink4")
    for many in (2, 100_000):
        assert repr(one.bundle(many)).startswith(f"<{many} x {one.name}, one direction: raw ")
    assert repr(one).startswith(f"<{one.name}, one direction: raw ")


def test_a_time_that_falls_with_the_size_is_fitted_by_a_start_up_alone():
    # Relative errors alpha / t - 1 of t = 2 and 1: least squares at (1/2 + 1) / (1/4 + 1).
    found = fl.AlphaBeta.fit([1, 2], [2.0, 1.0])
    assert (found.beta, found.alpha) == (0.0, pytest.approx(1.2))


def test_a_time_that_would_start_below_zero_is_fitted_by_a_rate_alone():
    # beta n / t - 1 of n / t = 1 and 1/2: least squares at (1 + 1/2) / (1 + 1/4).
    found = fl.AlphaBeta.fit([1, 2], [1.0, 4.0])
    assert (found.alpha, found.beta) == (0.0, pytest.approx(1.2))
