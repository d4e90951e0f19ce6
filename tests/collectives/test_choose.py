"""best and crossover: they agree with the times they compare, and answer where textbooks divide by zero."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.buffers import COLLECTIVES
from fabriclib.collectives.choose import _sentence

AT = {"ranks": 8, "alpha": 1e-6, "beta": 1 / 50e9}
LG = {8: 3, 64: 6}


def time(collective, name, n, **more):
    return fl.collective_time(collective, name, nbytes=n, **(AT | more))


@pytest.mark.parametrize(("p", "rabenseifner", "ring"), [(8, 120_000, 440_000), (64, 74_419, 1_488_372)])
def test_published_crossovers_of_recursive_doubling(p, rabenseifner, ring):
    at = AT | {"ranks": p}
    assert fl.crossover("all_reduce", "recursive_doubling", "rabenseifner", **at) == pytest.approx(rabenseifner, abs=0.5)
    assert fl.crossover("all_reduce", "recursive_doubling", "ring", **at) == pytest.approx(ring, abs=0.5)
    assert fl.crossover("all_to_all", "bruck", "pairwise", **at) == pytest.approx(
        AT["alpha"] * (p - 1 - LG[p]) / (AT["beta"] * (LG[p] / 2 - (p - 1) / p)))


def test_one_shot_gives_way_to_two_shot_but_never_on_two_ranks():
    for p in range(3, 40):
        wanted = AT["alpha"] * p / (AT["beta"] * (p - 1) * (p - 2))
        assert fl.crossover("all_reduce", "one_shot", "two_shot", **(AT | {"ranks": p})) == pytest.approx(wanted)
    two = AT | {"ranks": 2}
    assert fl.crossover("all_reduce", "one_shot", "two_shot", **two) == np.inf
    assert fl.crossover("all_reduce", "two_shot", "one_shot", **two) == 0.0
    assert fl.crossover("all_reduce", "recursive_doubling", "ring", **two) == np.inf
    assert fl.crossover("all_reduce", "ring", "recursive_doubling", **two) == 0.0


def test_there_may_be_no_crossover():
    assert fl.crossover("all_reduce", "ring", "ring", **AT) == np.inf
    assert fl.crossover("all_reduce", "ring", "rabenseifner", **AT) == 0.0
    assert fl.crossover("all_reduce", "rabenseifner", "ring", **AT) == np.inf
    assert fl.crossover("all_reduce", "ring", "recursive_doubling", **AT) == np.inf  # it wins small messages only
    assert fl.crossover("all_reduce", "ring", "recursive_doubling", **(AT | {"ranks": 1})) == np.inf
    assert fl.crossover("all_reduce", "recursive_doubling", "ring", **(AT | {"alpha": 0.0})) == 0.0
    # Fewer messages and fewer bytes: the lines meet at a negative size.
    assert fl.crossover("all_reduce", "ring", "nvls", **AT) == 0.0


@pytest.mark.parametrize(("a", "b"), [("binomial", "chain"), ("chain", "double_tree"), ("double_tree", "chain"),
                                      ("binomial", "double_tree"), ("scatter_allgather", "chain"), ("flat", "chain")])
@pytest.mark.parametrize("p", [2, 8, 64])
def test_crossovers_of_pipelined_algorithms_separate_the_sizes(a, b, p):
    names = {entry.name for entry in fl.algorithms("broadcast")}
    a, b = (next(name for name in names if name.startswith(wanted)) for wanted in (a, b))
    at = AT | {"ranks": p}
    size = fl.crossover("broadcast", a, b, **at)
    above = np.geomspace(max(size, 1) * 1.001, 1e18, 50) if np.isfinite(size) else np.array([])
    assert np.all(time("broadcast", b, above, **at) < time("broadcast", a, above, **at)) if above.size else True
    if np.isfinite(size) and size > 1:
        # A chain in one chunk takes as long as the flat algorithm: below the crossover the two may also be equal.
        assert time("broadcast", b, size * 0.999, **at) >= time("broadcast", a, size * 0.999, **at)
    if not np.isfinite(size):
        assert time("broadcast", b, 1e18, **at) >= time("broadcast", a, 1e18, **at) * (1 - 1e-12)


def test_crossover_without_chunks_looks_for_the_best():
    size = fl.crossover("broadcast", "binomial", "chain", **AT, chunks=None)
    assert size == fl.crossover("broadcast", "binomial", "chain", **AT, chunks="auto") == pytest.approx(437_500)
    assert fl.crossover("all_reduce", "ring", "rabenseifner", **AT, chunks=None, dims=None, root=None) == 0.0


def test_crossover_sees_a_start_among_ever_so_many_bytes():
    """On two ranks both send n bytes once; the chain does so in one message, the other in two."""
    two = AT | {"ranks": 2}
    assert fl.crossover("broadcast", "scatter_allgather", "chain", **two) == 0.0
    assert fl.crossover("broadcast", "chain", "scatter_allgather", **two) == np.inf


def test_crossover_with_fixed_chunks_is_a_straight_line_again():
    size = fl.crossover("broadcast", "binomial", "chain", **AT, chunks=16)
    # 3 (a + n b) = (6 + 16) (a + n b / 16)
    assert size == pytest.approx((22 - 3) * AT["alpha"] / ((3 - 22 / 16) * AT["beta"]))


@pytest.mark.parametrize("dims", [(3, 5), (3, 5, 7), (7, 3, 11), (13, 6), (9, 9, 9)])
def test_rounding_makes_no_crossover(dims):
    """Torus and ring move the same bytes; their sums differ in the last digits only."""
    at = {"ranks": int(np.prod(dims)), "alpha": 1e-6, "beta": 1 / 3e9, "gamma": 1 / 7e11, "dims": dims}
    assert fl.crossover("all_reduce", "torus", "ring", **at) == np.inf
    assert fl.crossover("all_reduce", "ring", "torus", **at) == 0.0


def test_crossover_of_shapes():
    size = fl.crossover("all_reduce", "recursive_doubling", "torus", dims=(4, 2), **AT)
    assert time("all_reduce", "recursive_doubling", size) == pytest.approx(time("all_reduce", "torus", size, dims=(4, 2)))


@pytest.mark.parametrize(("change", "named"), [
    ({"a": "rign"}, "algorithm"), ({"b": "rign"}, "algorithm"), ({"collective": "allreduce"}, "collective"),
    ({"ranks": 0}, "ranks"), ({"ranks": [2, 4]}, "ranks"), ({"alpha": [1e-6, 2e-6]}, "alpha"), ({"alpha": -1}, "alpha"),
    ({"alpha": [[1], [2, 3]]}, "alpha"), ({"gamma": [0.0]}, "gamma must be one number"), ({"ranks": 10**5000}, "ranks"),
    ({"a": "double_tree", "chunks": [[1], [2, 3]]}, "chunks"),
    ({"beta": None}, "beta"), ({"gamma": float("nan")}, "gamma"), ({"chunks": 4}, "chunks"), ({"sides": 4}, "sides"),
    ({"a": "double_tree", "chunks": [4, 5]}, "chunks"), ({"a": "double_tree", "chunks": "many"}, "chunks"),
])
def test_crossover_refuses_bad_input_by_name(change, named):
    with refused(named):
        fl.crossover(**({"collective": "all_reduce", "a": "ring", "b": "recursive_doubling"} | AT | change))
    with pytest.raises(ValueError, match="barrier"):
        fl.crossover("barrier", "dissemination", "dissemination", **AT)


@settings(max_examples=60)
@given(st.sampled_from(COLLECTIVES), st.integers(1, 70), st.floats(1, 1e12), st.sampled_from([1, "all"]),
       st.sampled_from(["endpoint", "network"]), st.floats(0, 1e-3), st.floats(0, 1e-6), st.floats(0, 1e-6))
def test_best_is_the_least_of_all_that_fit(collective, p, n, ports, reduction, alpha, beta, gamma):
    at = {"nbytes": n, "ranks": p, "alpha": alpha, "beta": beta, "gamma": gamma}
    times = {entry.name: fl.collective_time(collective, entry.name, **at) for entry in fl.algorithms(collective)
             if not entry.refuses(p) and entry.ports in (1, ports) and entry.reduction in ("endpoint", reduction)}
    found = fl.best(collective, **at, ports=ports, reduction=reduction)
    assert found.seconds == times[found.algorithm]
    assert found.seconds <= min(times.values()) * (1 + 1e-11)
    assert found.algorithm in found.why
    if found.runner_up:
        assert found.seconds <= found.runner_up_seconds == times[found.runner_up]
        assert found.runner_up in found.why
        between = [t for t in times.values() if found.seconds * (1 + 1e-11) < t < found.runner_up_seconds * (1 - 1e-11)]
        assert not between
    else:
        assert found.runner_up_seconds == np.inf
        assert max(times.values()) == pytest.approx(found.seconds, rel=1e-11)


def test_best_of_many_sizes_is_the_best_of_each():
    sizes = np.geomspace(1, 1e10, 40)
    together = fl.best("all_reduce", nbytes=sizes, **AT)
    for i, n in enumerate(sizes):
        one = fl.best("all_reduce", nbytes=float(n), **AT)
        assert (one.algorithm, one.runner_up) == (together.algorithm[i], together.runner_up[i]), n
        assert (one.seconds, one.runner_up_seconds) == (together.seconds[i], together.runner_up_seconds[i])
    assert together.why == ("all_reduce on 8 ranks, fastest of the sizes given: recursive_doubling from 1 B, "
                            f"rabenseifner from {fl.units.format(sizes[sizes > 120_000][0])}, up to 10 GB.")


def test_the_sentence_says_where_the_time_goes():
    assert fl.best("all_reduce", nbytes=1e9, **(AT | {"ranks": 6})).why == (
        "all_reduce on 6 ranks, 1 GB: ring takes 33.34 ms (10 µs of start-up, 33.33 ms of bytes); double_tree, the next best, "
        "41.4 ms (704 µs of start-up, 40.69 ms of bytes), 24 % longer.")
    why = fl.best("all_reduce", nbytes=1e9, reduction="network", **AT).why
    assert why.startswith("all_reduce on 8 ranks, 1 GB: sharp takes 20 ms (2 µs of start-up, 20 ms of bytes); nvls, the next")
    alone = fl.best("all_reduce", nbytes=8, **(AT | {"ranks": 1})).why
    assert alone.endswith("no other algorithm to choose from takes another time.")
    assert "bytes" not in fl.best("barrier", **AT).why
    assert alone.startswith("all_reduce on 1 rank, 8 B: ring takes")
    reducing = fl.best("all_reduce", nbytes=1e9, **AT, gamma=1e-10).why
    assert reducing.count(" of bytes and reduction") == 2
    assert "reduction" not in fl.best("all_gather", nbytes=1e9, **AT, gamma=1e-10).why


def test_twice_as_long_is_said_as_such_and_nothing_as_without_measure():
    # Where bytes cost nothing, three messages of recursive doubling stand against the six of Rabenseifner's algorithm.
    assert fl.best("all_reduce", nbytes=8, ranks=8, alpha=1e-6, beta=0.0).why.endswith(
        "rabenseifner, the next best, 6 µs (6 µs of start-up, 0 s of bytes), 2 times as long.")
    assert fl.best("barrier", ranks=8, alpha=1e-6, beta=0.0).why == (
        "barrier on 8 ranks: dissemination takes 3 µs; binomial, the next best, 6 µs, 2 times as long.")
    free = fl.best("all_reduce", nbytes=8, ranks=8, alpha=0, beta=0, gamma=1, reduction="network")  # 7/8 of 8 B added by ranks
    assert (free.seconds, free.runner_up_seconds) == (0, 7)
    assert free.why.endswith("ring, the next best, 7 s (0 s of start-up, 7 s of bytes and reduction), inf times as long.")


def test_sizes_in_any_order_have_the_same_ranges():
    sizes = np.array([1e9, 8.0, 1e6, 1e10, 1e3])
    found = fl.best("all_reduce", nbytes=sizes, **AT)
    assert found.why == fl.best("all_reduce", nbytes=np.sort(sizes), **AT).why
    assert found.algorithm.tolist() == [fl.best("all_reduce", nbytes=n, **AT).algorithm for n in sizes]


def test_of_equals_the_ring_comes_first_and_then_the_shortest_name():
    for ranks, name in ((1, "ring"), (2, "one_shot_serial"), (3, "ring")):
        found = fl.best("all_reduce", nbytes=1e9, **(AT | {"ranks": ranks}))
        assert found.algorithm == name
    assert fl.best("all_reduce", nbytes=1e9, ranks=9, alpha=0.0, beta=1e-9).algorithm == "ring"
    assert fl.best("broadcast", nbytes=1e3, **(AT | {"ranks": 2})).algorithm == "flat"


def test_small_messages_go_to_few_steps_and_large_ones_to_few_bytes():
    assert fl.best("all_reduce", nbytes=8, **AT).algorithm == "recursive_doubling"
    assert fl.best("all_reduce", nbytes=8, ports="all", **AT).algorithm == "one_shot"
    assert fl.best("all_reduce", nbytes=1e9, **(AT | {"ranks": 7})).algorithm == "ring"  # folding costs 2 n where p is no 2^k
    assert fl.best("all_reduce", nbytes=1e9, reduction="network", **AT).algorithm == "sharp"
    assert fl.best("all_to_all", nbytes=8, **AT).algorithm == "bruck"


def test_shapes_take_part_when_dims_say_which():
    # A power of two has Rabenseifner; on 12 ranks the torus saves the ring's messages and moves the same bytes.
    shaped = fl.best("all_reduce", nbytes=1e7, dims=(4, 3), **(AT | {"ranks": 12}))
    assert shaped.algorithm == "torus"
    assert fl.best("all_reduce", nbytes=1e7, **(AT | {"ranks": 12})).algorithm == "ring"
    for collective in ("all_reduce", "broadcast"):  # of which the second has no shaped algorithm
        for dims in ((4, 4), "rows"):
            with pytest.raises(ValueError, match="^dims must"):
                fl.best(collective, nbytes=1e7, dims=dims, **(AT | {"ranks": 12}))


@pytest.mark.parametrize(("change", "named"), [
    ({"nbytes": -1}, "nbytes"), ({"nbytes": []}, "nbytes"), ({"nbytes": [[1.0]]}, "nbytes"), ({"nbytes": None}, "nbytes"),
    ({"ranks": 0}, "ranks"), ({"ranks": [2, 4]}, "ranks"), ({"alpha": [1e-6]}, "alpha"), ({"beta": float("inf")}, "beta"),
    ({"gamma": -1}, "gamma"), ({"ports": 2}, "ports"), ({"ports": [1]}, "ports"), ({"ports": 10**5000}, "ports"),
    ({"ports": True}, "ports"),
    ({"beta": [[1], [2, 3]]}, "beta"), ({"ranks": np.array([8])}, "ranks must be one number"),
    ({"reduction": "gpu"}, "reduction"), ({"collective": "all_redcue"}, "Did you mean 'all_reduce'"),
])
def test_best_refuses_bad_input_by_name(change, named):
    with refused(named):
        fl.best(**({"collective": "all_reduce", "nbytes": 1e6} | AT | change))


@pytest.mark.parametrize(("times", "said"), [(1.998, "100 % longer"), (1.24, "24 % longer"), (2345.6, "2,350 times as long")])
def test_how_much_longer_is_told_without_an_exponent(times, said):
    assert _sentence("broadcast", "bytes", 0.0, ("chain", 1e-3, 1e-3), ("flat", times * 1e-3, 0.0)).endswith(f", {said}.")
