"""The labs of lesson 11: what the stepper counts is what the schedules do, and the staircase is what was published."""

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.collectives import labs as steps
from fabricbook.lessons.collectives import tables
from fabriclib import catalog, units

STEPPER = book.lab("stepper")
SERVED, REFUSED = [], []
for algorithm in STEPPER.controls["algorithm"].values:
    for ranks in steps.RANKS:
        try:
            fl.schedule(*algorithm.split(", "), ranks=ranks)
        except ValueError:
            REFUSED.append((algorithm, ranks))
        else:
            SERVED.append((algorithm, ranks))
every_schedule = pytest.mark.parametrize(("algorithm", "ranks"), SERVED)


def cells(algorithm, ranks, step):
    """The stepper's matrix of contributions, (rank, chunk), and its whole table."""
    table, _ = STEPPER.evaluate(algorithm=algorithm, ranks=ranks, step=step)
    return table["contributions"].to_numpy().reshape(ranks, -1), table


@every_schedule
def test_the_last_counts_are_the_result_of_running_on_ones(algorithm, ranks):
    plan = fl.schedule(*algorithm.split(", "), ranks=ranks)
    held, _ = cells(algorithm, ranks, steps.MOST_STEPS)
    each = 1 if plan.collective == "all_gather" else plan.slots
    for rank, result in enumerate(plan.run([np.ones(each, dtype=int)] * ranks)):
        mine = held[rank, rank : rank + 1] if plan.collective == "reduce_scatter" else held[rank]
        assert result is None or result.tolist() == mine.tolist()


@every_schedule
def test_the_finished_state_is_complete_where_the_result_is(algorithm, ranks):
    collective = algorithm.split(", ")[0]
    held, table = cells(algorithm, ranks, steps.MOST_STEPS)
    ticks = (table["tick"] == "✓").to_numpy().reshape(held.shape)
    whole = {"reduce_scatter": np.eye(ranks, dtype=bool), "reduce": np.arange(ranks)[:, None] == 0}
    assert np.array_equal(ticks, np.broadcast_to(whole.get(collective, np.True_), held.shape))


@every_schedule
def test_what_changes_in_a_step_is_what_is_marked_as_arrived(algorithm, ranks):
    last = fl.schedule(*algorithm.split(", "), ranks=ranks).moves.steps
    assert last <= steps.MOST_STEPS
    before, table = cells(algorithm, ranks, 0)
    assert (table["arrived from"] == "").all()
    for step in range(1, last + 1):
        after, table = cells(algorithm, ranks, step)
        arrived = (table["arrived from"] != "").to_numpy().reshape(after.shape)
        again = arrived & (after == before)  # van de Geijn's ring also hands round what some ranks have already
        assert np.array_equal(after != before, arrived & ~again), step
        assert not again.any() or algorithm == "broadcast, scatter_allgather"
        before = after


@every_schedule
def test_the_steps_end_with_those_of_the_algorithm(algorithm, ranks):
    last = fl.schedule(*algorithm.split(", "), ranks=ranks).moves.steps
    assert STEPPER.ends(STEPPER.positions(algorithm=algorithm, ranks=ranks))["step"] == last
    told = STEPPER.evaluate(algorithm=algorithm, ranks=ranks, step=last)[1]
    assert ". Finished: " in told
    assert STEPPER.evaluate(algorithm=algorithm, ranks=ranks, step=steps.MOST_STEPS)[1] == told


def test_some_numbers_of_ranks_are_refused():
    assert {algorithm for algorithm, _ in REFUSED} == {"all_gather, recursive_doubling", "all_gather, neighbour_exchange"}


@pytest.mark.parametrize(("algorithm", "ranks"), REFUSED)
@pytest.mark.parametrize("name", ["stepper", "who-talks"])
def test_a_refusal_is_the_sentence_and_the_last_drawing_stays(name, algorithm, ranks):
    lab = book.lab(name)
    drawn = lab.widget.state["columns"]
    lab.set(algorithm=algorithm, ranks=ranks)
    assert f"cannot serve {ranks} ranks: " in lab.widget.state["error"]
    assert lab.widget.state["columns"] == drawn


def test_the_sentence_tells_the_message_of_the_lowest_rank():
    sentence = STEPPER.evaluate()[1]
    assert sentence.startswith("Step 3 of 14: rank 0 sends chunk 5 to rank 1, which then holds 4 of 8 contributions")
    assert sentence.endswith("In all: 14 steps, and a rank sends 1.75 times the buffer.")
    assert "chunks 4, 5, 6 and 7 to rank 1" in STEPPER.evaluate(algorithm="all_reduce, rabenseifner", step=1)[1]
    assert "then holds 3 of 8 chunks" in STEPPER.evaluate(algorithm="all_gather, ring", step=2)[1]


@every_schedule
def test_who_talks_draws_every_message_once_and_sends_what_the_schedule_sends(algorithm, ranks):
    plan = fl.schedule(*algorithm.split(", "), ranks=ranks)
    table, sentence = book.lab("who-talks").evaluate(algorithm=algorithm, ranks=ranks)
    assert len(table) == len(plan.moves)
    assert not table.duplicated(["leaves", "sender", "receiver"]).any()
    assert (table["sender"] != table["receiver"]).all()
    assert f": {plan.moves.steps} steps, {len(table)} messages " in sentence
    sent = table.groupby("sender")["share of buffer"].sum()
    assert f"{sent.max():.4g} times the buffer" in sentence


@pytest.mark.parametrize("follow", ["chunk 0", "chunk 7"])
def test_a_followed_chunk_of_the_ring_goes_round_twice_without_a_gap(follow):
    table, sentence = book.lab("who-talks").evaluate(algorithm="all_reduce, ring", follow=follow)
    path = table[table["followed"] == "yes"].sort_values("leaves")
    assert path["leaves"].tolist() == list(range(14))
    assert path["receiver"].tolist()[:-1] == path["sender"].tolist()[1:]
    assert sentence.endswith(f"{follow.capitalize()} is in 14 of the messages.")


def test_the_two_trees_share_no_message():
    first, last = (book.lab("who-talks").evaluate(algorithm="all_reduce, double_tree", follow=f)[0]["followed"] == "yes"
                   for f in ("chunk 0", "chunk 1"))
    assert (first != last).all()


def test_the_staircase_is_fitted_by_the_published_line():
    gpus, count, seconds = tables.staircase()
    assert gpus.tolist() == list(range(2, 9))
    assert count.tolist() == [2, 4, 6, 8, 10, 12, 14]
    base, per_step = tables.fitted_step()
    assert base == pytest.approx(5.563e-6, rel=1e-3)
    assert per_step == pytest.approx(1.980e-6, rel=1e-3)
    assert tables.hop < per_step < tables.plain_hop  # as the lesson says
    assert np.abs((base + per_step * count) / seconds - 1).max() < 0.05


def test_no_choice_of_the_two_sliders_beats_the_fit_by_much():
    lab = book.lab("staircase")
    _, count, seconds = tables.staircase()
    choices = [(b, s) for b in lab.controls["base"].values for s in lab.controls["per_step"].values]
    worst = {choice: np.abs((choice[0] + choice[1] * count) / seconds - 1).max() for choice in choices}
    best = min(worst, key=worst.get)
    assert worst[best] < 0.06
    assert "an error of" in lab.evaluate(base=best[0], per_step=best[1])[1]


def test_the_measured_points_cite_their_source():
    found = catalog.figures("dgx-a100-ring", "all_reduce time")
    assert {figure.source.id for figure in found} == {"nccl-tests-123"}
    assert {figure.kind for figure in found} == {"measured"}


@pytest.mark.parametrize(("name", "columns"), [("stepper", ["rank"]), ("who-talks", ["sender", "receiver"])])
def test_every_rank_of_the_table_has_its_row_in_the_chart(name, columns):
    lab = book.lab(name)
    upright = (layer["encoding"].get("y", {}) for layer in lab.spec["layer"])
    rows = next(y["scale"]["domain"] for y in upright if "scale" in y)
    table, _ = lab.evaluate()
    assert rows == list(range(8))
    assert all(set(table[column]) <= set(rows) and table[column].dtype == int for column in columns)


@pytest.mark.parametrize("algorithm", ["all_reduce, ring", "all_reduce, rabenseifner", "all_reduce, double_tree",
                                       "broadcast, binomial"])
def test_a_click_on_a_line_follows_a_chunk_that_it_carries(algorithm):
    lab = book.lab("who-talks")
    table, _ = lab.evaluate(algorithm=algorithm)
    last = lab.ends(lab.positions(algorithm=algorithm))["follow"]
    for at, chunk in enumerate(table["carries"]):
        assert lab.controls["follow"].position(chunk) <= last
        assert lab.evaluate(algorithm=algorithm, follow=chunk)[0]["followed"][at] == "yes"


def test_the_line_through_all_seven_times_is_the_fitted_one():
    table, sentence = book.lab("staircase-fitted").evaluate()
    _, steps, seconds = tables.staircase()
    base, per_step = tables.fitted_step()
    assert table["model"].to_numpy() == pytest.approx(base + per_step * steps)
    assert table["measured"].tolist() == seconds.tolist()
    assert f"at most {units.portion(table['error (%)'].abs().max() / 100)}." in sentence
