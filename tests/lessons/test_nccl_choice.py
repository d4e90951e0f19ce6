"""The lab of NCCL's choice: its band is the lowest line, its strip names it, and its kinks are where the sheet has them."""

import numpy as np
import pytest
from shipped import LESSONS, read

import fabricbook as book
from fabricbook.lessons.against_world import labs
from fabriclib import nccl
from fabriclib.measurements import error, published

LAB = book.lab("nccl-choice")


def test_the_room_says_of_which_month_its_version_is_and_what_came_after():
    assert f"NCCL {nccl.VERSION} (June 2026)" in LAB.declared.leaves_out
    assert "version 2.32 of November 2026" in LAB.declared.leaves_out
    assert {"nccl-2-32", "nccl-platforms"} <= set(LAB.declared.sources)


LEAN = [path for path in LESSONS if path.stem[3:] in ("cost", "hierarchy", "against_world")]


@pytest.mark.parametrize("path", LEAN, ids=lambda path: path.stem)
def test_a_lesson_that_leans_on_the_tuner_dates_its_version(path):
    prose = " ".join(cell["source"] for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
    assert nccl.VERSION.removeprefix("v").split("-")[0] in prose
    assert "June 2026" in prose


@pytest.mark.parametrize("nodes", [1, 2, 16])
@pytest.mark.parametrize("collective", LAB.controls["collective"].values)
def test_the_band_follows_the_lowest_line(collective, nodes):
    table, _ = LAB.evaluate(collective=collective, nodes=nodes)
    lowest = table[table["part"] == "score"].groupby("size")["score"].min()
    pick = table[table["part"] == "pick"].set_index("size")["score"]
    assert np.allclose(lowest, pick)


def test_the_strip_covers_every_size_without_a_gap():
    for nodes in LAB.controls["nodes"].values:
        strip = LAB.evaluate(nodes=nodes)[0].query("part == 'range'")
        assert strip["size"].iloc[0] == 2**10
        assert strip["end"].iloc[-1] == 2**34
        assert (strip["end"].iloc[:-1].to_numpy() == strip["size"].iloc[1:].to_numpy()).all()


def test_the_default_sentence_gives_the_worked_check():
    assert "16 MiB over 1 node of a DGX H100: NCCL v2.30.7-1 would pick NVLS with Simple, score 86.7 µs" in LAB.evaluate()[1]
    assert "next best is ring with LL128, 129 µs." in LAB.evaluate()[1]
    assert "would pick ring with LL, score 28 µs" in LAB.evaluate(nbytes=2.0**20)[1]


def test_trees_win_small_messages_between_nodes_and_nvls_tree_large_ones():
    table, _ = LAB.evaluate(nodes=16)
    strip = table.query("part == 'range'")["candidate"].tolist()
    assert strip[0] == "tree LL"
    assert strip[-1] in ("NVLS tree Simple", "ring Simple")


def test_the_sentence_says_where_the_graph_is_derived():
    assert LAB.evaluate(nodes=2)[1].endswith("; graph derived.")
    assert LAB.evaluate(machine="GB200 NVL72")[1].endswith("; graph derived.")
    assert "derived" not in LAB.evaluate()[1]


def test_scores_and_times_lie_inside_the_axis():
    for machine in labs.MACHINES:
        for nodes in (1, 2, 128):
            scores = LAB.evaluate(machine=machine, nodes=nodes)[0]["score"].dropna()
            assert labs._SCORES[0] <= scores.min()
            assert scores.max() <= labs._SCORES[1]


def test_over_eight_h100_the_scores_are_within_a_third_of_what_was_measured():
    """Good enough to choose by, and for the largest messages within 2 %."""
    run = published("h100x8-dgx-nvls-ar")
    picked = nccl.nccl_choice("dgx-h100", "all_reduce", run["nbytes"].to_numpy())
    errors = np.abs(error(picked.seconds, run["seconds"].to_numpy()))
    assert errors.max() < 0.345
    assert errors[-5:].max() < 0.025
    assert set(zip(picked.algorithm, picked.protocol, strict=True)) == {("ring", "ll"), ("nvls", "simple")}


def test_measured_points_appear_only_where_they_were_measured():
    for nodes, some in ((1, True), (2, True), (4, False)):
        table, _ = LAB.evaluate(nodes=nodes)
        assert (table["part"] == "measured").any() == some
    assert not (LAB.evaluate(machine="DGX B200")[0]["part"] == "measured").any()
