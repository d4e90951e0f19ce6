"""Training a trillion: its short formulas are what the library counts, and its pictures show what was computed."""

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.course.feedback import judge
from fabricbook.lessons import find
from fabricbook.lessons.training_a_trillion import labs, tables
from fabriclib import catalog

JOB = {"gpus": tables.GPUS, "global_batch": tables.BATCH, "seq": tables.SEQ}


@pytest.mark.parametrize(("machine", "split"), [(tables.OLD, tables.PAPER), (tables.NEW, "8 × 16, 8 pieces")])
def test_the_board_prices_what_the_library_prices(machine, split):
    where, (tensor, stages, pieces) = tables.MACHINES[machine], tables.SPLITS[split]
    step = fl.training_step("megatron-1t", where.system, **JOB, tp=tensor, pp=stages, virtual=pieces, sharding=where.sharding,
                            recompute="full", dtype=where.dtype, flash=where.flash)
    assert float(tables.step(machine=machine, split=split).seconds) == step.seconds


def test_the_states_of_the_exercise_are_those_of_the_paper_and_of_the_step():
    held = tables.step(machine=tables.NEW, split="8 × 32").memory_parts
    counted = tables.states_of(tables.trillion.params, 256, 12)
    assert counted == pytest.approx(sum(float(held[part]) for part in ("weights", "gradients", "optimiser")))
    assert tables.states_of(7.5e9, 1, 64) / 1e9 == pytest.approx(31.4, abs=0.01)


def test_what_does_not_fit_is_drawn_and_says_so_but_not_what_the_stop_asks():
    table, sentence = book.lab("one-step").evaluate(split="8 × 16")
    over = table[table["part"] == "over"].iloc[0]
    assert over["from"] == 100 < over["to"]
    assert (table.loc[table["part"] == "bar", "seen"] < 1).all()
    assert "does not fit" in sentence
    assert "8 × 32" not in sentence
    assert tables.step(split="8 × 32").fits
    assert not tables.step(split="8 × 16").fits


def test_the_first_stage_is_busy_or_waits_for_all_of_the_step():
    table, _ = book.lab("one-step").evaluate()
    bars = table[(table["part"] == "bar") & (table["top"] > labs._STAGE - 0.2)]
    whole = 100 * float(tables.paper.seconds) / tables.computing(tables.paper)
    assert (bars["to"] - bars["from"]).sum() == pytest.approx(whole)
    computing = bars[bars["kind"] == labs.COMPUTING]
    assert (computing["to"] - computing["from"]).sum() == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("plan", tables.PLANS)
def test_the_bars_of_a_place_add_up_to_how_far_it_is_behind(plan):
    table, _ = book.lab("all-splits").evaluate(plan=plan, place=2)
    behind = table.loc[(table["part"] == "split") & (table["place"] == 2), "times"].iloc[0] - 1
    assert table.loc[table["part"] == "part", "more (%)"].sum() == pytest.approx(100 * behind)


def test_what_a_tensor_group_sends_takes_as_long_as_is_predicted():
    """The bytes of the table over NVLink, at the rate that `predict` reaches with a message of that size."""
    message = 2 * tables.SEQ * tables.trillion.hidden
    one = fl.predict("dgx-a100", "all_gather", message, nodes=1).seconds + fl.predict("dgx-a100", "reduce_scatter", message,
                                                                                      nodes=1).seconds
    times = 6 * tables.trillion.layers / tables.STAGES * tables.MICRO_BATCHES
    shows = next(row["value"] for row in catalog.rows("fitted") if (row["subject"], row["quantity"]) == ("A100", "tp exposed"))
    assert float(tables.paper.parts["tp"]) == pytest.approx(times * one * shows, rel=0.02)


def test_the_small_formula_of_utilisation_leaves_out_attention_only():
    assert tables.used < tables.work / (tables.measured * tables.GPUS * tables.a100.bf16) < 1.02 * tables.used
    assert tables.hardware == pytest.approx(0.52, abs=0.005)  # as the paper prints


@pytest.mark.parametrize(("stages", "pieces", "share"), [(64, 1, 0.11), (16, 4, 0.05)])
def test_the_most_gpus_are_those_beyond_which_a_copy_more_waits_too_long(stages, pieces, share):
    batch = 5040  # whole numbers of micro-batches for up to ten copies
    copies = tables.most_gpus(8, stages, pieces, batch, share) // (8 * stages)
    more = next(many for many in range(copies + 1, batch) if batch % many == 0)
    fewer = next(many for many in range(copies, 0, -1) if batch % many == 0)
    assert tables.waiting(stages, batch // fewer, pieces) <= share < tables.waiting(stages, batch // more, pieces)


@pytest.mark.parametrize(("typed", "said"), [("26", "the weights alone"), ("51", "the optimiser takes the most"), ("202", "")])
def test_gpus_are_whole_in_the_slips_too(typed, said):
    assert said in judge(find("predictions", "training_a_trillion.states"), typed).sentence
