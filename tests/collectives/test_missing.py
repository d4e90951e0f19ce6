"""A schedule of one's own: what it leaves out is said in a sentence, and it is run only where it leaves out nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest
from refusals import refused

import fabriclib as fl
from fabriclib.collectives.registry import entries
from fabriclib.collectives.schedule import Schedule

P = 4
RING = [(step, rank, (rank + 1) % P, (rank - 1 - step) % P, int(step < P - 1)) for step in range(2 * P - 2) for rank in range(P)]
HALF = RING[:P * (P - 1)]
EACH_ENTRY = pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: f"{entry.collective}-{entry.name}")


def without(plan: Schedule, step: int) -> Schedule:
    return replace(plan, moves=plan.moves.where(plan.moves.step != step))


@EACH_ENTRY
@pytest.mark.parametrize("ranks", [2, 8])
def test_no_entry_leaves_anything_out_and_each_needs_its_first_step_and_its_last(entry, ranks):
    plan = fl.schedule(entry.collective, entry.name, ranks)
    assert plan.missing == ""
    for step in (0, plan.moves.steps - 1):
        said = without(plan, step).missing
        assert re.match(rf"{entry.collective} by {entry.name} is not done after \d+ steps?: rank \d lacks ", said), step


@pytest.mark.parametrize(("collective", "rows", "options", "said"), [
    ("all_reduce", HALF, {}, "after 3 steps: rank 0 lacks chunks 1, 2 and 3; rank 1 lacks chunks 0, 2 and 3; rank 2 lacks "
     "chunks 0, 1 and 3; 1 more rank lacks something. In chunk 1 of rank 0, what rank 1 brings is missing."),
    ("all_reduce", RING[:-1], {}, "after 6 steps: rank 0 lacks chunk 1. In chunk 1 of rank 0, what rank 1 brings is missing."),
    ("all_reduce", [(0, 0, 1, 0, 1), (0, 1, 0, 0, 1), (1, 2, 0, 0, 1), (1, 0, 2, 0, 1), (2, 2, 1, 0, 1)],
     {"ranks": 3, "slots": 1}, "after 3 steps: rank 1 lacks chunk 0. In chunk 0 of rank 1, what ranks 0 and 1 "
     "bring is counted more than once."),
    ("reduce_scatter", HALF[:-4], {}, "after 2 steps: rank 0 lacks chunk 0; rank 1 lacks chunk 1; rank 2 lacks chunk 2; 1 more "
     "rank lacks something. In chunk 0 of rank 0, what ranks 1, 2 and 3 bring is missing."),
    ("broadcast", [(0, 2, 0, 0, 0), (1, 0, 1, 0, 0)], {"root": 2, "slots": 1}, "after 2 steps: rank 3 lacks chunk 0."),
    ("gather", [(0, 1, 0, 1, 0), (0, 2, 0, 2, 0)], {}, "after 1 step: rank 0 lacks chunk 3."),
    ("scatter", [(0, 0, 1, 1, 0), (0, 0, 2, 2, 0)], {}, "after 1 step: rank 3 lacks chunk 3."),
    ("barrier", [(0, 1, 0, 1, 0), (0, 0, 1, 0, 0)], {"ranks": 3}, "after 1 step: rank 0 lacks word of rank 2; rank 1 lacks word "
     "of rank 2; rank 2 lacks word of ranks 0 and 1."),
    ("all_to_all", [(0, 0, 1, 1, 0), (1, 1, 2, 1, 0)], {"ranks": 3}, "after 2 steps: rank 0 lacks what comes from ranks 1 and 2; "
     "rank 1 lacks what comes from rank 2; rank 2 lacks what comes from ranks 0 and 1."),
    ("all_gather", [(0, rank, to, 0, 0) for rank, to in ((0, 1), (1, 2), (2, 3))], {"slots": 4},
     "after 1 step: rank 0 lacks chunks 1, 2 and 3; rank 1 lacks chunks 2 and 3; rank 2 lacks chunks 0, 1 and 3; 1 more rank "
     "lacks something."),
])
def test_what_is_left_out_is_said(collective, rows, options, said):
    plan = Schedule.of(collective, **{"ranks": P, "rows": rows} | options)
    assert plan.missing == f"{collective} by mine is not done {said}"


def test_many_are_counted_and_not_named():
    said = Schedule.of("all_reduce", 70, [(0, rank, (rank + 1) % 70, 0, 1) for rank in range(70)]).missing
    assert "rank 0 lacks chunks 0, 1, 2 and 67 more; " in said
    assert "; 67 more ranks lack something. In chunk 0 of rank 0, what ranks 1, 2, 3 and 65 more bring is missing." in said


def test_of_a_very_large_one_it_is_not_said_whose_data_is_missing():
    assert Schedule.of("all_reduce", 300, [(0, 0, 1, 0, 1)], slots=300).missing.endswith("; 297 more ranks lack something.")


def test_one_that_no_memory_holds_is_refused():
    with refused("ranks times slots must be at most 134217728 to be carried out; got 100000 x 100000."):
        _ = Schedule.of("all_reduce", 100_000, [(0, 0, 1, 0, 1)]).missing


def test_a_barrier_may_hear_of_a_rank_twice():
    assert Schedule.of("barrier", 2, [(0, 0, 1, 0, 1), (0, 1, 0, 1, 1), (1, 0, 1, 0, 1)]).missing == ""


def test_what_is_not_done_is_not_run_and_its_steps_can_be_looked_at():
    plan, arrays = Schedule.of("all_reduce", P, HALF), [np.arange(8)] * P
    with pytest.raises(ValueError, match=f"^{re.escape(plan.missing)}$"):
        plan.run(arrays)
    with refused("arrays must be a list of 4 arrays, one a rank; got 3 of them."):
        plan.run(arrays[:3])
    assert len([None for _ in plan.states(arrays)]) == P


def test_a_ring_of_one_s_own_is_the_library_s():
    mine, ring = Schedule.of("all_reduce", P, np.array(RING)), fl.schedule("all_reduce", "ring", P)
    assert mine.counts() == ring.counts()
    assert [result.tolist() for result in mine.run([[1, 2, 3]] * P)] == [[4, 8, 12]] * P
    assert mine.time_on(fl.server("mi300x"), 1e9) > 0


def test_in_an_all_to_all_a_chunk_is_for_a_rank_further_on():
    rows = [(step, rank, (rank + step) % P, step, 0) for step in range(1, P) for rank in range(P)]
    mine = Schedule.of("all_to_all", P, rows)
    assert [result.tolist() for result in mine.run(np.arange(16).reshape(P, P))] == np.arange(16).reshape(P, P).T.tolist()


def test_steps_may_be_numbered_with_gaps():
    assert Schedule.of("broadcast", 3, [(10, 0, 1, 0, 0), (30, 1, 2, 0, 0)], slots=1).moves.step.tolist() == [0, 1]


@pytest.mark.parametrize(("change", "said"), [
    ({"rows": []}, "rows must be a list of (step, from, to, chunk, op), at least one; got []."),
    ({"rows": [(0, 0, 1, 0)]}, "rows must be a list of (step, from, to, chunk, op), at least one; got [(0, 0, 1, 0)]."),
    ({"rows": [(0, 0, 1, 0, 1), (1,)]}, "rows must be a list of (step, from, to, chunk, op), at least one; got [("),
    ({"rows": np.ones((2, 5, 3))}, "rows must be a list of (step, from, to, chunk, op), at least one; got array("),
    ({"rows": [(0, 0, 4, 0, 1)]}, "rows, column 'to', must be a whole number from 0 to 3; got 4."),
    ({"rows": [(0, 0, 1, 4, 1)]}, "rows, column 'chunk', must be a whole number from 0 to 3; got 4."),
    ({"rows": [(0, 0, 1, 0, 2)]}, "rows, column 'op', must be a whole number from 0 to 1; got 2."),
    ({"rows": [(0, 0, 1, 0.5, 1)]}, "rows must be a whole number from 0 to 10000000; got 0.5."),
    ({"rows": [(0, -1, 1, 0, 1)]}, "rows must be a whole number from 0 to 10000000; got -1."),
    ({"collective": "allreduce"}, "collective 'allreduce' is not known. Did you mean 'all_reduce'"),
    ({"ranks": 0}, "ranks must be a whole number from 1 to 10000000; got 0."),
    ({"slots": 0}, "slots must be a whole number from 1 to 10000000; got 0."),
    ({"collective": "all_to_all", "slots": 8}, "slots must be one for each of the 4 ranks for all_to_all; got 8."),
    ({"collective": "barrier", "slots": 8}, "slots must be one for each of the 4 ranks for barrier; got 8."),
    ({"root": 4}, "root must be a whole number from 0 to 3; got 4."),
])
def test_rows_that_do_not_fit_are_refused(change, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        Schedule.of(**{"collective": "all_reduce", "ranks": P, "rows": RING} | change)


def test_a_schedule_has_no_negative_ranks_or_steps():
    plan = fl.schedule("all_reduce", "ring", P)
    for name in ("step", "src", "dst", "size", "repeat"):
        with refused(f"moves.{name} must be a whole number from 0 to"):
            replace(plan, moves=replace(plan.moves, **{name: np.array(-1)}))


def own(ranks: int):
    return fl.Schedule.of("broadcast", ranks, [(rank, rank, rank + 1, 0, 0) for rank in range(ranks - 1)], slots=1).moves


ENTRY = fl.Algorithm("broadcast", "one by one", lambda p: fl.Counts(p - 1, p - 1, 0.0), own, "none", slots=lambda p: 1)


def test_an_algorithm_of_one_s_own_stands_where_a_name_does():
    plan = fl.schedule("broadcast", ENTRY, ranks=6)
    assert (plan.missing, plan.algorithm, plan.counts()) == ("", "one by one", fl.Counts(5, 5, 0))
    price = {"ranks": [4, 8], "alpha": 1e-6, "beta": 1e-9}
    assert fl.collective_time("broadcast", ENTRY, nbytes=1e6, **price) == pytest.approx([3e-6 + 3e-3, 7e-6 + 7e-3])
    price["ranks"] = 4
    assert fl.crossover("broadcast", ENTRY, "binomial", **price) == 0
    with refused("chunks is an option of neither one by one nor binomial."):
        fl.crossover("broadcast", ENTRY, "binomial", chunks=2, **price)


def test_an_algorithm_for_another_collective_is_refused():
    with refused("algorithm must be one for 'reduce'; got <broadcast by one by one; source: "):
        fl.schedule("reduce", ENTRY, ranks=6)
