"""The labs of the lesson on cost: the envelope is the library's best, never below the bound, and busbw is what its counts say."""

import re
from dataclasses import replace

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.cost import labs as cost
from fabricbook.lessons.cost import tables
from fabriclib import units
from fabriclib.measurements import error, published

CURVES, EVERY, BUSBW = book.lab("cost-curves"), book.lab("every-algorithm"), book.lab("busbw")
RANKS = CURVES.controls["ranks"].values


def lines(table, column):
    """{algorithm: its values in *column*, by size}."""
    return {name: part.set_index("size")[column].dropna() for name, part in table.groupby("algorithm", sort=False)}


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("wire", [{}, {"latency": 20e-6, "bandwidth": 450e9}, {"latency": 0.5e-6, "bandwidth": 12.5e9}])
def test_the_fastest_of_the_five_is_the_library_s_best(ranks, wire):
    table, _ = CURVES.evaluate(ranks=ranks, **wire)
    fastest = table.dropna(subset="fastest")
    best = fl.best("all_reduce", nbytes=fastest["size"], ranks=ranks, alpha=wire.get("latency", 1e-6),
                   beta=1 / wire.get("bandwidth", 50e9))
    assert fastest["fastest"].to_numpy() == pytest.approx(best.seconds)


@pytest.mark.parametrize("ranks", RANKS)
def test_nothing_is_below_the_bound_and_nothing_below_the_envelope(ranks):
    table, _ = CURVES.evaluate(ranks=ranks)
    curves = lines(table, "seconds")
    bound, fastest = curves.pop("lower bound"), table.dropna(subset="fastest").set_index("size")["fastest"]
    for name, seconds in curves.items():
        assert (seconds >= fastest * (1 - 1e-12)).all(), name
    assert (fastest >= bound * (1 - 1e-12)).all()


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_the_sentence_names_the_best_its_time_and_its_distance(ranks):
    for nbytes in CURVES.controls["nbytes"].values[::3]:
        _, sentence = CURVES.evaluate(ranks=ranks, nbytes=nbytes)
        case = {"nbytes": nbytes, "ranks": ranks, "alpha": 1e-6, "beta": 1 / 50e9}
        best = fl.best("all_reduce", **case)
        assert best.algorithm.replace("_", " ") in sentence.split(" is the fastest")[0].lower(), nbytes
        assert units.format(best.seconds, "s") in sentence, nbytes
        times = f"{best.seconds / fl.lower_bound('all_reduce', **case):.3g}"
        assert f", {f'{times} times the lower bound' if times != '1' else 'the lower bound itself'}." in sentence, nbytes


def test_the_next_crossing_is_where_the_best_changes():
    # 12 ranks: recursive doubling, Rabenseifner, ring, as fl.best finds them just below and above the size named.
    for nbytes, before, after in ((2**10, "recursive_doubling", "rabenseifner"), (2**18, "rabenseifner", "ring")):
        sentence = CURVES.evaluate(ranks=12, nbytes=nbytes)[1]
        named = units.parse(re.search(r"From (\S+ \S+) on", sentence)[1])
        around = fl.best("all_reduce", nbytes=np.array([0.98, 1.02]) * named, ranks=12, alpha=1e-6, beta=1 / 50e9)
        assert around.algorithm.tolist() == [before, after]
        assert after.split("_")[-1] in sentence.lower()
    assert "No larger buffer changes that." in CURVES.evaluate(ranks=8, nbytes=2**30)[1]


def test_no_two_lines_of_a_collective_look_alike_and_a_new_algorithm_gets_a_look_of_its_own(monkeypatch):
    known = cost.every_style()

    def with_more(collective):
        entries = fl.algorithms(collective)
        return (*entries, *(replace(entries[0], name=f"new_{i}") for i in range(4)))

    monkeypatch.setattr(cost, "algorithms", with_more)
    for styles in (known, cost.every_style()):
        for collective in EVERY.controls["collective"].values:
            lines = [str(styles[entry.name]) for entry in cost._plain(collective) if entry.name in styles]
            assert len(set(lines)) == len(lines)
    assert set(cost.every_style()) - set(known) == {f"new_{i}" for i in range(4)}


@pytest.mark.parametrize("collective", EVERY.controls["collective"].values)
@pytest.mark.parametrize("ranks", [2, 6, 8, 96, 1024])
def test_every_algorithm_is_drawn_or_said_to_be_missing_and_none_is_below_the_bound(collective, ranks):
    table, sentence = EVERY.evaluate(collective=collective, ranks=ranks)
    curves = lines(table, "seconds")
    bound = curves.pop("lower bound")
    assert table["listed"][0].split(" | ") == ["lower bound", *curves]
    assert set(curves) < set(cost.every_style())
    fastest = table.dropna(subset="fastest").set_index("size")["fastest"]
    for name, seconds in curves.items():
        missing = re.findall(r"\w+", sentence.partition("Not drawn: ")[2])
        assert seconds.empty == (name in missing), name
        assert (seconds >= fastest[seconds.index] * (1 - 1e-12)).all(), name
    assert (fastest >= bound * (1 - 1e-12)).all()


def test_the_sizes_in_the_sentence_are_where_the_fastest_changes():
    _, sentence = EVERY.evaluate(collective="all_reduce")
    names = re.findall(r"(?:: |then )(\w+)", sentence)
    for size, before, after in zip(re.findall(r"up to (\S+ \S+?),", sentence), names[:-1], names[1:], strict=True):
        around = fl.best("all_reduce", nbytes=np.array([0.99, 1.01]) * units.parse(size), ranks=96, alpha=1e-6, beta=1 / 50e9)
        assert around.algorithm.tolist() == [before, after]


def test_the_plain_tree_is_a_reduce_and_a_broadcast_of_whole_buffers():
    seconds = tables.all_reduce_seconds(nbytes=1e9, ranks=64, alpha=1e-6, beta=1 / 50e9)
    assert seconds["plain tree"] == pytest.approx(12 * (1e-6 + 1e9 / 50e9))
    assert seconds["double tree"] < 1.1 * seconds["ring"] < 0.2 * seconds["plain tree"]


@pytest.mark.parametrize("gpus", range(2, 9))
def test_a_large_buffer_s_busbw_over_the_port_s_rate_follows_from_what_is_sent(gpus):
    table, _ = BUSBW.evaluate(gpus=gpus, rate=400e9, latency=0.5e-6)
    factor, at = 2 * (gpus - 1) / gpus, table["size"].max()
    largest = {name: line[at] for name, line in lines(table, "printed (GB/s)").items() if name != "measured"}
    assert largest["ring"] == pytest.approx(400, rel=1e-3)
    assert largest["NVLS"] == pytest.approx(400 * factor * gpus / (gpus + 1), rel=1e-3)
    assert 0.9 * 400 * factor / 2 < largest["double tree"] < 400 * factor / 2


def test_the_sentence_tells_whether_and_where_nvls_passes_the_wire():
    for controls in ({}, {"gpus": 6}, {"rate": 310e9}, {"shown": "algbw"}, {"gpus": 2}):
        table, sentence = BUSBW.evaluate(**controls)
        nvls = lines(table, "printed (GB/s)")["NVLS"]
        if nvls.max() <= 450:
            assert "stays below the 450 GB/s of the wire" in sentence
            continue
        size = units.parse(re.search(r"of the wire at (\S+ \S+)\.", sentence)[1])
        assert nvls[nvls.index < 0.97 * size].max() < 450 < nvls[nvls.index > 1.03 * size].min()


def test_measured_points_are_the_published_ones_and_only_for_nvls():
    run = published("h100x8-dgx-nvls-ar")
    table, _ = BUSBW.evaluate(shown="algbw")
    measured = table.dropna(subset="measured (GB/s)").set_index("size")["measured (GB/s)"]
    last = run.iloc[-1]
    assert measured[last["nbytes"]] == pytest.approx(last["nbytes"] / last["seconds"] / 1e9)
    assert measured[3e9] == pytest.approx(273)
    assert BUSBW.evaluate(gpus=4)[0]["measured (GB/s)"].isna().all()
    assert BUSBW.evaluate(gpus=6, shown="algbw")[0]["measured (GB/s)"].dropna().tolist() == pytest.approx([265])


def test_the_run_called_nvls_is_so_where_it_is_large_and_as_quick_as_the_tuners_ring_where_it_is_small():
    """No ring on H100 or H200 was measured above 370 GB/s; and NCCL's score of NVLS begins at 25 us, that of a ring at 15."""
    run = published("h100x8-dgx-nvls-ar")
    busbw = fl.busbw("all_reduce", run["nbytes"], run["seconds"], 8)
    assert (busbw[run["nbytes"] >= 128 * units.MiB] > 400e9).all()
    little = run[run["nbytes"] <= units.MiB]
    choice = fl.nccl_choice("dgx-h100", "all_reduce", little["nbytes"].to_numpy())
    assert set(zip(choice.algorithm, choice.protocol, strict=True)) == {("ring", "ll")}
    assert np.abs(error(choice.seconds, little["seconds"])).max() < 0.25
    assert fl.nccl_choice("dgx-h100", "all_reduce", 2 * units.MiB).algorithm == "nvls"
    assert (little["seconds"].iloc[:-1] < 25e-6).all()


def test_one_published_row_of_nvls_predicts_the_others_and_another_machine():
    gpus, predicted, measured = tables.nvls_by_gpus()
    assert gpus == ["5", "6", "7", "8"]
    assert predicted[0] == pytest.approx(measured[0])
    assert np.abs(error(np.array(predicted), np.array(measured))).max() < 0.015
    run = published("h100x8-dgx-nvls-ar").tail(3)
    model = fl.collective_time("all_reduce", "nvls", nbytes=run["nbytes"], ranks=8, alpha=0.0, beta=1 / tables.nvls_port_rate())
    assert np.abs(error(model, run["seconds"])).max() < 0.02


def test_a_pipeline_fills_empties_and_takes_what_the_chain_is_priced_at():
    lab = book.lab("pipeline")
    for chunks in lab.controls["chunks"].values:
        last = lab.ends(lab.positions(chunks=chunks))["step"]
        assert last == 8 - 2 + chunks
        tables = [lab.evaluate(chunks=chunks, step=step)[0] for step in range(last + 1)]
        fronts = [table[table["part"] == "under way"]["GPU"].to_numpy() for table in tables]
        assert all((front == np.clip(step - np.arange(chunks), 0, 7)).all() for step, front in enumerate(fronts))
        assert (tables[-1][tables[-1]["part"] == "cell"]["holds"] == 1).all()
        seconds = fl.collective_time("broadcast", "chain", ranks=8, nbytes=2**20, alpha=1e-6, beta=1 / 50e9, chunks=chunks)
        assert f"in all {units.format(float(seconds), 's')}." in lab.evaluate(chunks=chunks)[1]


@pytest.mark.parametrize("ranks", [2, 8, 96, 1024])
def test_the_second_view_is_the_first_over_its_envelope(ranks):
    seconds = lines(CURVES.evaluate(ranks=ranks)[0], "seconds")
    fastest = CURVES.evaluate(ranks=ranks)[0].dropna(subset="fastest").set_index("size")["fastest"]
    for name, times in lines(book.lab("times-the-best").evaluate(ranks=ranks)[0], "times the fastest").items():
        every = seconds[name] / fastest
        assert times.to_numpy() == pytest.approx(every[times.index].to_numpy())
        assert times.index.tolist() == every[every <= 2].index.tolist()


@pytest.mark.parametrize("nbytes", CURVES.controls["nbytes"].values[::4])
def test_the_second_view_names_who_is_near(nbytes):
    table, sentence = book.lab("times-the-best").evaluate(nbytes=nbytes)
    here = {name: times.get(nbytes, np.inf) for name, times in lines(table, "times the fastest").items()}
    near = {name for name, ratio in here.items() if 1 < ratio <= 1.1}
    assert {name for name in here if name in sentence.partition("tenth of it: ")[2]} == near


@pytest.mark.parametrize("ranks", [4, 8, 64, 1024])
@pytest.mark.parametrize(("first", "second"), [("recursive_doubling", "ring"), ("recursive_doubling", "rabenseifner")])
def test_what_the_exercise_asks_for_is_the_library_s_crossing(first, second, ranks):
    wire = {"alpha": 2e-6, "rate": 25e9}
    crossing = tables.overtakes(tables.pair(first, ranks), tables.pair(second, ranks), **wire)
    assert crossing == pytest.approx(fl.crossover("all_reduce", first, second, ranks=ranks, alpha=2e-6, beta=1 / 25e9))
    assert tables.overtakes(tables.pair("ring", ranks), tables.pair("rabenseifner", ranks), **wire) == 0
    assert tables.overtakes(tables.pair(second, ranks), tables.pair(first, ranks), **wire) == np.inf


def test_both_curves_are_the_published_ones():
    table, sentence = book.lab("whole-curves").evaluate()
    for run, name in (("a100x8-nvswitch-ar", cost._ENVELOPE), ("h100x8-dgx-nvls-ar", cost._NVLS)):
        drawn = table[table["run"] == name]
        assert drawn["measured"].tolist() == published(run)["seconds"].tolist()
    assert "-22 % and +0 %" in sentence
