"""collective_time: what it costs, that it broadcasts, what it refuses, how fast it answers."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.registry import entries

ENTRIES = list(entries().values())
EACH_ENTRY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.collective}-{entry.name}")
SIZES = np.array([1.0, 100.0, 4096.0, 1e6, 1e9, 1e12])
PRICE = {"alpha": 3e-6, "beta": 2e-11, "gamma": 1e-12}
RING = {"nbytes": 1e6, "ranks": 8, "alpha": 1e-6, "beta": 2e-11}


def cost(entry, nbytes=SIZES, ranks=8, **more):
    return fl.collective_time(entry.collective, entry.name, nbytes=nbytes, ranks=ranks, **(PRICE | more))


@EACH_ENTRY
def test_one_rank_costs_nothing(entry):
    assert np.all(cost(entry, ranks=1) == 0)


@EACH_ENTRY
def test_more_bytes_never_cost_less(entry):
    for p in (2, 8, 16, 64):
        assert np.all(np.diff(cost(entry, np.geomspace(1, 1e12, 200) if entry.collective != "barrier" else SIZES, p)) >= 0)


@EACH_ENTRY
def test_scaling_all_prices_scales_the_time(entry):
    scaled = {name: 7 * value for name, value in PRICE.items()}
    assert cost(entry, **scaled) == pytest.approx(7 * cost(entry))


@EACH_ENTRY
def test_arrays_give_what_their_elements_give(entry):
    ranks, alphas = [2, 8, 64], np.array([0.0, 1e-6, 3e-5])
    together = cost(entry, SIZES[:, None], np.array(ranks), alpha=alphas, beta=np.array([1e-9, 2e-11, 0.0]))
    for row, n in zip(np.broadcast_to(together, (len(SIZES), 3)), SIZES, strict=True):
        for got, p, alpha, beta in zip(row, ranks, alphas, (1e-9, 2e-11, 0.0), strict=True):
            one = cost(entry, float(n), p, alpha=float(alpha), beta=beta)
            assert type(one) is float
            assert got == pytest.approx(one, rel=1e-12)


@EACH_ENTRY
def test_the_schedule_costs_what_the_closed_form_says(entry):
    options = {"chunks": 4} if entry.best_chunks else {}
    plan = fl.schedule(entry.collective, entry.name, 8, **options)
    counted = plan.time(1e6, **PRICE)
    closed = cost(entry, 1e6, **options)
    assert counted == pytest.approx(closed) if entry.exact else counted <= closed


@EACH_ENTRY
def test_arrays_of_levels_broadcast(entry):
    if "dims" not in entry.options:
        with pytest.raises(ValueError, match="flat"):
            fl.collective_time(entry.collective, entry.name, nbytes=1e6, levels=[fl.Level(8, 1e-6, 1e-11)])
        return
    levels = [fl.Level(4, 1e-6, [1e-11, 2e-11]), fl.Level(np.array([2, 3]), 2e-6, 4e-11)]
    together = fl.collective_time(entry.collective, entry.name, nbytes=1e6, levels=levels)
    for i, size in enumerate((2, 3)):
        one = [fl.Level(4, 1e-6, (i + 1) * 1e-11), fl.Level(size, 2e-6, 4e-11)]
        assert np.broadcast_to(together, 2)[i] == fl.collective_time(entry.collective, entry.name, nbytes=1e6, levels=one)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.best_chunks], ids=lambda entry: f"{entry.collective}-{entry.name}")
def test_no_chunk_count_beats_auto(entry):
    for p in (2, 3, 8, 61):
        for n in (1.0, 5e3, 1e6, 3e8):
            for price in (PRICE, PRICE | {"gamma": 1e-10}, PRICE | {"alpha": 0.0}):
                best = cost(entry, n, p, **price)
                assert best == cost(entry, n, p, **price, chunks="auto")
                ks = np.unique(np.geomspace(1, max(min(n, 1e5), 1), 400).astype(int))
                assert best <= np.min(cost(entry, n, p, **price, chunks=ks)) * (1 + 1e-12) or price["alpha"] == 0
                if price["alpha"] == 0:  # then ever more chunks are better, to chunks of a byte
                    assert best <= np.min(cost(entry, n, p, **price, chunks=ks)) * (1 + 1e-6)


@pytest.mark.parametrize("n", [1.0, 1.5, 7.0, 100.0])
def test_auto_asks_for_no_more_chunks_than_bytes(n):
    price = {"ranks": 64, "alpha": 0.0, "beta": 1.0}
    best = fl.collective_time("broadcast", "chain", nbytes=n, **price)
    assert best == fl.collective_time("broadcast", "chain", nbytes=n, **price, chunks=int(n))


def test_worked_values_of_an_all_reduce_on_8_ranks():
    """p = 8, alpha = 1 us, 50 GB/s: the table of the fact sheet, in microseconds, to the digits it prints."""
    at = {"ranks": 8, "alpha": 1e-6, "beta": 1 / 50e9}
    names = ("one_shot", "two_shot", "recursive_doubling", "rabenseifner", "ring")
    for n, wanted in ((1e3, (1.14, 2.035, 3.06, 6.035, 14.035)), (1e6, (141, 37, 63, 41, 49)),
                      (1e9, (140001, 35002, 60003, 35006, 35014))):
        got = [fl.collective_time("all_reduce", name, nbytes=n, **at) * 1e6 for name in names]
        assert got == pytest.approx(wanted, rel=1e-12)


BAD_NUMBERS = [-1.0, float("nan"), float("inf"), -float("inf"), "8", None, [], [[]], [1.0, -2.0], [1.0, float("nan")], {},
               object(), 1 + 2j, b"8", np.array([True]), True, 10**400]


@pytest.mark.parametrize("name", ["nbytes", "alpha", "beta", "gamma"])
@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=lambda bad: repr(bad)[:20])
def test_bad_numbers_are_refused_by_name(name, bad):
    with refused(name):
        fl.collective_time("all_reduce", "ring", **(RING | {name: bad}))


@pytest.mark.parametrize("bad", [0, -8, 2.5, float("nan"), float("inf"), "8", None, [], [8, 0], 10**30, True, 1e9])
def test_bad_ranks_are_refused_by_name(bad):
    with refused("ranks"):
        fl.collective_time("all_reduce", "ring", **(RING | {"ranks": bad}))
    with refused("ranks"):
        fl.schedule("all_reduce", "ring", ranks=bad)


@pytest.mark.parametrize("bad", [0.0, 1e19])
def test_sizes_out_of_range_are_refused(bad):
    with refused("nbytes"):
        fl.collective_time("all_reduce", "ring", **(RING | {"nbytes": bad}))


@pytest.mark.parametrize(("missing", "named"), [
    (("nbytes",), "nbytes must be given"), (("ranks",), "ranks must be given"), (("alpha",), "alpha must be given"),
    (("alpha", "beta"), "alpha and beta must be given"), (("ranks", "alpha", "beta"), "ranks and alpha and beta must be given"),
])
def test_what_is_missing_is_named(missing, named):
    with refused(named):
        fl.collective_time("all_reduce", "ring", **{name: value for name, value in RING.items() if name not in missing})


def test_a_barrier_needs_no_bytes_and_ignores_them():
    at = {"ranks": 8, "alpha": 1e-6, "beta": 2e-11}
    plain = fl.collective_time("barrier", "dissemination", **at)
    assert fl.collective_time("barrier", "dissemination", nbytes=1e9, **at) == plain == 3e-6
    with refused("nbytes"):
        fl.collective_time("barrier", "dissemination", nbytes=-1, **at)


@pytest.mark.parametrize(("options", "named"), [
    ({"levels": []}, "levels"), ({"levels": 3}, "levels"), ({"levels": [(8, 1e-6, 1e-11)]}, "levels"),
    ({"levels": [fl.Level(8, 1e-6, 1e-11)], "alpha": 1e-6}, "alpha must be left out"),
    ({"levels": [fl.Level(8, 1e-6, 1e-11)], "beta": 1e-6}, "beta must be left out"),
    ({"levels": [fl.Level(8, 1e-6, 1e-11)], "dims": (8,)}, "dims must be left out"),
    ({"levels": [fl.Level(8, 1e-6, 1e-11)], "ranks": 9}, "dims must multiply to the 9 ranks"),
    ({"dims": (4, 2), "alpha": 1e-6}, "beta must be given"),
    ({"dims": 8, "alpha": 1e-6, "beta": 1e-11}, "dims"),
    ({"dims": (4, 2), "ranks": 9, "alpha": 1e-6, "beta": 1e-11}, "dims must multiply to the 9 ranks"),
    ({"dims": (4, 2), "ranks": [8, 9], "alpha": 1e-6, "beta": 1e-11}, r"dims must multiply to the array\(\[8, 9\]\) ranks; got"),
    ({"dims": (8,), "alpha": 1e-6, "beta": 1e-11, "chunks": 3}, "chunks is not an option"),
    ({"dims": (8,), "alpha": 1e-6, "beta": 1e-11, "chunks": "auto"}, "chunks is not an option"),
    ({"dims": (8,), "alpha": 1e-6, "beta": 1e-11, "root": 0}, "root is not an option"),
])
def test_bad_levels_and_options_are_refused_by_name(options, named):
    with refused(named):
        fl.collective_time("all_reduce", "torus", nbytes=1e6, **options)


@pytest.mark.parametrize("bad", [0, -1, 2.5, float("nan"), "many", [], 2**40, True])
def test_bad_chunks_are_refused_by_name(bad):
    with refused("chunks"):
        fl.collective_time("broadcast", "chain", **RING, chunks=bad)
    with refused("chunks"):
        fl.schedule("broadcast", "chain", ranks=8, chunks=bad)


@pytest.mark.parametrize("bad", [8, -1, 0.5, "0", [], True])
def test_bad_roots_are_refused_by_name(bad):
    with refused("root"):
        fl.schedule("broadcast", "binomial", ranks=8, root=bad)


@pytest.mark.parametrize("bad", ["all_reduc", "", None, 3, ["all_reduce"], "ALL_REDUCE"])
def test_unknown_names_suggest_the_nearest(bad):
    with pytest.raises(ValueError, match="collective") as caught:
        fl.collective_time(bad, "ring", **RING)
    assert bad != "all_reduc" or "'all_reduce'" in str(caught.value)
    with pytest.raises(ValueError, match="algorithm"):
        fl.collective_time("all_reduce", "rign", **RING)


@pytest.mark.parametrize("field", ["size", "alpha", "beta"])
@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), "8", None, []])
def test_bad_levels_name_the_field(field, bad):
    with refused(field):
        fl.Level(**({"size": 8, "alpha": 1e-6, "beta": 1e-11} | {field: bad}))


def test_a_schedule_too_large_to_hold_is_refused():
    with refused("ranks"):
        fl.schedule("all_reduce", "ring", ranks=10_000_000)


@given(st.sampled_from([np.int8, np.int16, np.int32, np.uint8, np.uint64, np.float32]), st.integers(1, 100))
def test_narrow_types_cost_what_wide_ones_do(kind, p):
    wide = fl.collective_time("all_reduce", "ring", **(RING | {"ranks": p, "nbytes": p}))
    narrow = np.array([p], dtype=kind)
    got = fl.collective_time("all_reduce", "ring", **(RING | {"ranks": narrow, "nbytes": narrow}))
    assert got == pytest.approx([wide], rel=1e-12)


def test_a_million_costs_are_those_of_one_at_a_time():
    random = np.random.default_rng(0)
    sizes, ranks = random.uniform(1, 1e9, 10**6), random.integers(2, 1000, 10**6)
    many = fl.collective_time("all_reduce", "ring", **(RING | {"nbytes": sizes, "ranks": ranks}))
    for i in (0, 499_999, 999_999):
        one = fl.collective_time("all_reduce", "ring", **(RING | {"nbytes": sizes[i], "ranks": int(ranks[i])}))
        assert many[i] == pytest.approx(one, rel=1e-12)


def test_documented_arguments_are_the_arguments():
    for function in (fl.collective_time, fl.lower_bound, fl.efficiency, fl.best, fl.crossover, fl.busbw):
        assert function.__doc__
        for name in inspect.signature(function).parameters:
            name = name.removesuffix("_name")
            assert name in function.__doc__ or function is fl.efficiency, f"{function.__name__} does not explain {name}"
