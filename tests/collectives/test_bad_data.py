"""What a schedule is run on and priced at: which arrays it takes, and what it says of others."""

import re

import numpy as np
import pytest
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.moves import MAX_MOVES, grid

RING, GATHER = fl.schedule("all_reduce", "ring", 4), fl.schedule("all_gather", "ring", 4)
FOUR = [np.arange(5)] * 4


@pytest.mark.parametrize(("plan", "arrays", "message"), [
    (RING, FOUR[:3], "arrays must be a list of 4 arrays, one a rank; got 3 of them."),
    (RING, None, "arrays must be a list of 4 arrays, one a rank; got None."),
    (RING, np.array(4), "arrays must be a list of 4 arrays, one a rank; got array(4)."),
    (RING, [*FOUR[:3], np.zeros((2, 3))], "arrays[3] must be one-dimensional and numeric; got float64 of shape (2, 3)."),
    (RING, [*FOUR[:3], [1, [2, 3]]], "arrays[3] must be one-dimensional and numeric; got [1, [2, 3]]."),
    (RING, [*FOUR[:3], np.arange(5) * 1j], "arrays[3] must be one-dimensional and numeric; got complex128 of shape (5,)."),
    (RING, [*FOUR[:3], np.arange(4)], "arrays must have lengths [5, 5, 5, 5] for all_reduce; got [5, 5, 5, 4]."),
    (GATHER, [np.arange(n) for n in (3, 2, 2, 2)], "arrays must have lengths [2, 2, 2, 3] for all_gather; got [3, 2, 2, 2]."),
])
def test_arrays_that_do_not_fit_are_refused(plan, arrays, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plan.run(arrays)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint16, np.float32])
def test_numbers_of_any_width_are_run(kind):
    rows = np.eye(4, 6).astype(kind)
    for arrays in (rows, list(rows), tuple(rows)):
        for result in RING.run(arrays):
            assert result.tolist() == [1, 1, 1, 1, 0, 0]
            assert result.dtype == kind


def test_the_wider_of_two_types_holds_the_sum():
    assert [result.tolist() for result in fl.schedule("all_reduce", "ring", 2).run([[1, 2], [0.5, 0.25]])] == [[1.5, 2.25]] * 2


@pytest.mark.parametrize("collective", ["broadcast", "scatter"])
def test_only_the_root_is_read_where_only_the_root_has_something(collective):
    plan, whole = fl.schedule(collective, "binomial", 4, root=2), np.arange(8)
    results = plan.run([None, "nothing", whole, None])
    wanted = [whole] * 4 if collective == "broadcast" else np.split(whole, 4)
    assert all(map(np.array_equal, results, wanted))


@pytest.mark.parametrize(("change", "named"), [
    ({"nbytes": None}, "nbytes"), ({"nbytes": -1}, "nbytes"), ({"alpha": None}, "alpha"), ({"beta": -1e-9}, "beta"),
    ({"gamma": -1e-9}, "gamma"),
    ({"nbytes": [1, 2, 3], "gamma": [0, 1e-9]}, "nbytes and gamma must have shapes that broadcast; got"),
    ({"alpha": [1e-6] * 2, "beta": [1e-9] * 3}, "alpha and beta must have shapes that broadcast; got"),
])
def test_a_price_that_does_not_fit_is_refused(change, named):
    with refused(named):
        RING.time(**({"nbytes": 1e6, "alpha": 1e-6, "beta": 1e-9} | change))


@pytest.mark.parametrize("name", ["nbytes", "alpha", "beta", "gamma"])
def test_counts_refuse_a_negative_price_by_name(name):
    with refused(name):
        RING.counts().time(**({"nbytes": 1e6, "alpha": 1e-6, "beta": 1e-9, "gamma": 0.0} | {name: -1}))


def test_counts_cost_what_they_say_by_hand():
    # 6 messages of 2 us; of 4 kB 1.5 times through a port at 1 ns a byte, 0.75 times added at 0.5 ns.
    assert RING.counts().time(4e3, 2e-6, 1e-9, 5e-10) == pytest.approx(12e-6 + 6e-6 + 1.5e-6)
    assert RING.time(4e3, 2e-6, 1e-9, 5e-10) == pytest.approx(19.5e-6)


def test_shapes_that_do_not_broadcast_are_named():
    rest = {"alpha": 1e-6, "beta": 1e-9}
    words = "nbytes and ranks must have shapes that broadcast; got .3,. and .2,."
    for call in (lambda: fl.collective_time("all_reduce", "ring", nbytes=[1, 2, 3], ranks=[2, 4], **rest),
                 lambda: fl.lower_bound("all_reduce", nbytes=[1, 2, 3], ranks=[2, 4], **rest),
                 lambda: fl.busbw("all_reduce", [1, 2, 3], 1e-3, ranks=[2, 4])):
        with refused(words):
            call()
    with refused("nbytes and seconds must have shapes that broadcast; got"):
        fl.algbw([1, 2, 3], [1, 2])
    with refused("^seconds and ranks must have shapes that broadcast; got"):
        fl.busbw("all_reduce", 1e9, [1, 2, 3], ranks=[2, 4])
    sides = ([2, 3], [2, 3, 4])
    with refused(r"^dims\[0\] and dims\[1\] must have shapes that broadcast; got"):
        fl.collective_time("all_reduce", "torus", nbytes=1, dims=sides, **rest)
    with refused(r"^ranks and dims\[0\] must have shapes that broadcast; got"):
        fl.collective_time("all_reduce", "torus", nbytes=1, ranks=[4, 6], dims=([2, 3, 4], 2), **rest)
    with refused(r"^levels\[0\] and levels\[1\] must have shapes that broadcast; got"):
        fl.collective_time("all_reduce", "torus", nbytes=1, levels=[fl.Level(size, 1e-6, 1e-9) for size in sides])
    for option, name in (("chunks", "chain"), ("root", "rabenseifner")):
        with refused(f"^nbytes and {option} must have shapes that broadcast; got"):
            fl.collective_time("reduce", name, nbytes=[1e6, 1e7], ranks=8, **{option: [1, 2, 3]}, **rest)
    with refused("alpha of level 0 and beta of level 1 must have shapes that broadcast; got"):
        fl.collective_time("all_reduce", "torus", nbytes=1, levels=[fl.Level(2, [1e-6] * 2, 1e-9), fl.Level(2, 1e-6, [1e-9] * 3)])


def test_a_schedule_is_for_one_case():
    with refused("ranks must hold no arrays for a schedule, which is for one case; got"):
        fl.schedule("all_reduce", "ring", ranks=[2, 4])
    with refused("dims must hold no arrays for a schedule, which is for one case; got"):
        fl.schedule("all_reduce", "torus", ranks=8, dims=([2, 4], [4, 2]))


def test_a_grid_is_refused_where_it_would_not_fit_into_memory():
    step, rank = grid(2, MAX_MOVES // 2)
    assert step.size * rank.size == MAX_MOVES
    with refused("ranks and chunks must give a schedule of at most 2e.07 moves; got 2e.07"):
        grid(MAX_MOVES + 1)


def test_counts_and_a_best_say_themselves_as_a_paragraph():
    assert RING.counts()._repr_html_() == "<p>6 messages one after the other, 1.5 n sent, 0.75 n reduced (n: the buffer)</p>"
    best = fl.best("all_reduce", nbytes=1e9, ranks=6, alpha=1e-6, beta=1 / 50e9)
    assert best._repr_html_() == f"<p>{best.why}</p>"
