"""algbw and busbw: nccl-tests' factors, and what they do and do not say about a wire."""

import numpy as np
import pytest
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.collectives.busbw import factor

PORT = 450e9
AT = {"alpha": 0.0, "beta": 1 / PORT}


@pytest.mark.parametrize(("collective", "wanted"), [
    ("all_reduce", 1.75), ("all_gather", 0.875), ("reduce_scatter", 0.875), ("all_to_all", 0.875), ("gather", 0.875),
    ("scatter", 0.875), ("broadcast", 1.0), ("reduce", 1.0), ("send_recv", 1.0),
])
def test_factors_of_nccl_tests_on_8_ranks(collective, wanted):
    assert factor(collective, 8) == wanted
    assert fl.busbw(collective, 8e9, 0.02, ranks=8) == pytest.approx(wanted * 8e9 / 0.02)


def test_every_collective_that_moves_bytes_has_a_factor_and_it_is_the_lower_bound():
    for collective in COLLECTIVES:
        if collective == "barrier":
            with pytest.raises(ValueError, match="move bytes"):
                factor(collective, 8)
            continue
        for p in (2, 3, 8, 100):
            fastest = fl.lower_bound(collective, nbytes=1e9, ranks=p, **AT)
            assert fl.busbw(collective, 1e9, fastest, ranks=p) == pytest.approx(PORT)


@pytest.mark.parametrize("collective", ["all_reduce", "all_gather", "reduce_scatter"])
def test_a_ring_reads_as_its_port_whatever_the_ranks(collective):
    p = np.arange(2, 1000)
    seconds = fl.collective_time(collective, "ring", nbytes=1e9, ranks=p, **AT)
    assert fl.busbw(collective, 1e9, seconds, ranks=p) == pytest.approx(PORT)


def test_in_network_reduction_reads_faster_than_any_wire_and_recursive_doubling_slower():
    seconds = fl.collective_time("all_reduce", "nvls", nbytes=1e9, ranks=8, **AT)
    assert fl.busbw("all_reduce", 1e9, seconds, ranks=8) == pytest.approx(PORT * 1.75 / 1.125)
    assert fl.algbw(1e9, seconds) == pytest.approx(PORT * 8 / 9)
    seconds = fl.collective_time("all_reduce", "recursive_doubling", nbytes=1e9, ranks=8, **AT)
    assert fl.busbw("all_reduce", 1e9, seconds, ranks=8) == pytest.approx(PORT * 1.75 / 3)


def test_one_rank_has_no_bus():
    assert fl.busbw("all_reduce", 1e9, 1e-3, ranks=1) == 0


@pytest.mark.parametrize(("change", "named"), [
    ({"nbytes": 0}, "nbytes"), ({"nbytes": -1}, "nbytes"), ({"nbytes": "1 GB"}, "nbytes"), ({"seconds": 0}, "seconds"),
    ({"seconds": float("nan")}, "seconds"), ({"seconds": []}, "seconds"), ({"ranks": 0}, "ranks"), ({"ranks": 1.5}, "ranks"),
    ({"collective": "allreduce"}, "Did you mean 'all_reduce'"), ({"collective": None}, "collective"),
])
def test_bad_input_is_refused_by_name(change, named):
    with refused(named):
        fl.busbw(**({"collective": "all_reduce", "nbytes": 1e9, "seconds": 1e-3, "ranks": 8} | change))
