"""The labs: hand-solved states, and the tables set beside published figures."""

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons import find
from fabricbook.lessons.one_server import labs, tables
from fabriclib import catalog

SLOT = fl.link("pcie4").bandwidth()
MATRIX = book.lab("pair-matrix")


def rates(name, pattern, peer=tables.PEER):
    shared = tables.moved(name, pattern, peer)
    return shared.rates.min(), shared.rates.max()


@pytest.mark.parametrize(("name", "pattern", "peer", "low", "high"), [
    ("pcie4-two-socket", tables.NEAR, tables.PEER, SLOT, SLOT),
    ("pcie4-two-socket", tables.FAR, tables.PEER, SLOT, SLOT),
    ("pcie4-two-socket", tables.RING, tables.PEER, SLOT, SLOT),  # one flow up each uplink, one down
    ("pcie4-two-socket", tables.RING, tables.STAGED, SLOT / 2, SLOT / 2),  # two up, two down
    ("pcie4-two-socket", tables.ALL, tables.PEER, SLOT / 12, SLOT / 2),
    ("pcie4-two-socket", tables.HOST, tables.PEER, SLOT / 2, SLOT / 2),
    ("pcie5-one-switch", tables.HOST, tables.PEER, SLOT / 4, SLOT / 4),  # eight GPUs below one uplink of twice the rate
    ("dgx-a100", tables.ALL, tables.PEER, 300e9 / 7, 300e9 / 7),
    ("dgx-a100", tables.HOST, tables.PEER, SLOT / 2, SLOT / 2),
    ("dgx-h100", tables.HOST, tables.PEER, 2 * SLOT, 2 * SLOT),
    ("mi250x", tables.FAR, tables.PEER, 100e9, 100e9),
    ("alps-gh200", tables.HOST, tables.PEER, 450e9, 450e9),
])
def test_states_solved_by_hand(name, pattern, peer, low, high):
    assert rates(name, pattern, peer) == pytest.approx((low, high))


def test_the_drawing_marks_the_bottleneck_and_the_sentence_names_it():
    table, sentence = book.lab("one-server").evaluate(machine=tables.BOX, traffic=tables.ALL)
    cables = table[table["part"] == "cable"].set_index(["from", "to"])
    uplink = cables.loc[[("sw0", "rc0") if ("sw0", "rc0") in cables.index else ("rc0", "sw0")]].iloc[0]
    assert uplink["state"].startswith("▲")
    assert (uplink["GB/s one way"], uplink["GB/s used"]) == (28.8, 28.8)
    assert "held up from PCIe switch 0 to root complex 0" in sentence
    assert "2.4 GB/s to 14.4 GB/s" in sentence
    assert sentence.endswith("GPU 0 to GPU 7 is SYS.")


def test_a_click_on_a_gpu_sends_to_it_and_one_on_a_cpu_sends_from_the_host():
    table = book.lab("one-server").evaluate(machine=tables.BOX)[0]
    devices = table[table["part"].isin(labs.tiers.NAMES)].set_index("from")["traffic to here"]
    assert devices[["gpu0", "gpu3", "cpu1", "sw0"]].tolist() == ["", "GPU 0 to GPU 3", tables.HOST, ""]
    assert set(table["traffic to here"]) - {""} <= set(tables.PATTERNS)


def test_a_copy_to_a_gpu_that_is_not_there_goes_to_the_last():
    sentence = book.lab("one-server").evaluate(machine="GH200 node (Alps)", traffic=tables.FAR)[1]
    assert "GPU 0 to GPU 3: 1 copy at once" in sentence


def test_the_matrix_holds_a_cell_a_pair_in_every_view():
    lab = book.lab("pair-matrix")
    for show, cell in ((tables.LINE, "100"), (tables.REACHED, "71.1"), (tables.CLASS, "XGMI"), (tables.MEASURED, "76.3"),
                       (tables.ERROR, "-7")):
        table, _ = lab.evaluate(machine="MI250X node", show=show)
        assert len(table) == 64
        assert table.set_index(["from", "to"]).loc[("0", "6"), "cell"] == cell
    empty, sentence = lab.evaluate(machine="MI250X node", show=tables.REACHED, peer=tables.STAGED)
    assert set(empty["cell"]) == {"–", ""}
    assert "no published figure" in sentence
    assert "48" not in lab.evaluate(machine="GH200 node (Alps)")[1]
    assert len(lab.evaluate(machine="GH200 node (Alps)")[0]) == 16


def test_the_way_of_a_pair_lights_up_and_is_told():
    lab = book.lab("pair-matrix")
    table, sentence = lab.evaluate(machine="MI250X node", pair="GPU 1 to GPU 7")
    lit = table[table["lit"] != ""].set_index("pair")["lit"].to_dict()
    assert lit == {"GPU 1 to GPU 7": labs.CHOSEN, "GPU 1 to GPU 0": labs.PASSED, "GPU 0 to GPU 6": labs.PASSED,
                   "GPU 6 to GPU 7": labs.PASSED}
    assert sentence.startswith("GPU 1 to GPU 7: 100 GB/s, over GPU 0, GPU 6. ")
    staged = lab.evaluate(machine=tables.BOX, pair="GPU 0 to GPU 1", peer=tables.STAGED)[1]
    assert staged.startswith("GPU 0 to GPU 1: 28.8 GB/s, over PCIe switch 0, root complex 0, CPU 0, root complex 0, ")
    assert "over the NVSwitches" in lab.evaluate(machine="HGX H100")[1]
    missing, sentence = lab.evaluate(machine="GH200 node (Alps)", pair="GPU 0 to GPU 7")
    assert sentence.startswith("On GH200")
    assert set(missing["lit"]) == {""}


def test_costs_follow_the_schedule_on_the_graph():
    for label in ("DGX A100", "MI250X node", tables.BOX):
        name = tables.RUNS[label]
        plan = fl.schedule("all_reduce", "ring", ranks=8)
        for nbytes in (1e6, 1e9):
            assert tables.ring_seconds(name, nbytes) == pytest.approx(plan.time_on(fl.server(name), nbytes), rel=1e-6)
    # Staged: 1.75 times the buffer at half a slot of PCIe 3.
    assert tables.ring_seconds("titan-rtx-box", 1e9) == pytest.approx(1.75e9 / (SLOT / 4), rel=1e-3)


def test_measured_times_stand_beside_the_model_at_their_own_sizes():
    table = book.lab("server-all-reduce").evaluate(nbytes=2.0**34)[0].set_index("server")
    assert table.loc["DGX A100", "measured"] == pytest.approx(0.127997)
    assert table["measured"].notna().sum() == 2
    assert (table["seconds"] < table["measured"])[table["measured"].notna()].all()  # line rate is a bound


def test_the_rings_lose_a_quarter_at_line_rate_and_a_tenth_with_the_copys_constant():
    table, sentence = book.lab("rings-measured").evaluate()
    errors = table.pivot(index="server", columns="run", values="error (%)")
    assert len(errors) == 4
    assert errors["at line rate"].between(-30, -21).all()
    assert errors["as fast as a copy"].between(-15, 0).all()
    assert sentence == "At line rate the model is off by -30 to -22 %, as fast as a copy by -14 to -1 %."


def test_the_copies_drawn_are_the_ends_of_each_published_matrix():
    table, sentence = book.lab("copies-measured").evaluate()
    errors = table.groupby("run")["error (%)"]
    assert errors.max()["NVLink"] < 2
    assert errors.max()["PCIe"] == pytest.approx(29, abs=0.5)
    assert (errors.min() > -10).all()
    assert sentence.endswith("the largest error is 29 % (PCIe).")


def test_the_chosen_server_is_compared_with_the_others():
    table, sentence = book.lab("server-all-reduce").evaluate(beside=tables.BOX)
    seconds = table.set_index("server")["seconds"]
    assert table["chosen"].dropna().tolist() == [seconds[tables.BOX]]
    assert f"{seconds.max() / seconds[tables.BOX]:.1f} times as long as {tables.BOX}" in sentence


def test_the_bottleneck_of_a_tree_depends_on_the_traffic():
    table = tables.bottlenecks().set_index("server")
    assert table.loc[tables.BOX].tolist() == [
        "28.8 GB/s", "GPU 0 to PCIe switch 0", "16.8 GB/s", "PCIe switch 0 to root complex 0"]
    assert table.loc["MI250X node", "ring, a GPU sends"] == "200 GB/s"  # four rings over single links


def test_every_server_of_the_catalogue_is_in_the_labs():
    ids = [row["id"] for row in catalog.rows("servers")]
    assert list(tables.RUNS.values()) == ids
    with_a_tree = {row["server"] for row in catalog.rows("server_parts")}
    assert set(labs.DRAWN.values()) == with_a_tree
    assert set(labs.PAIRED.values()) == set(ids) - {"gb200-nvl72"}
    assert set(book.lab("server-all-reduce").evaluate()[0]["server"]) == set(tables.RUNS)
    for name, shown in (("one-server", labs.DRAWN), ("pair-matrix", labs.PAIRED)):
        assert list(book.lab(name).controls["machine"].values) == list(shown)


def test_a_new_row_of_servers_csv_shows_by_itself(monkeypatch):
    real, new = catalog.rows, catalog.row("servers", "mi300x") | {"id": "new-box", "name": "New box", "short": "new box"}
    rows = {**{row["id"]: row for row in real("servers")}, "new-box": new}
    look = catalog.row
    monkeypatch.setattr(catalog, "rows", lambda table: list(rows.values()) if table == "servers" else real(table))
    monkeypatch.setattr(catalog, "row", lambda table, id: rows[id] if table == "servers" else look(table, id))
    assert labs._listed(lambda *_: True)["new box"] == "new-box"
    assert tables.ring_seconds("new-box", 1e9) == pytest.approx(tables.ring_seconds("mi300x", 1e9))
    assert tables.method("new-box") == "xgmi"
    assert tables.cells("new-box", tables.REACHED, tables.PEER) == tables.cells("mi300x", tables.REACHED, tables.PEER)


@pytest.mark.parametrize(("name", "method", "with_peer", "without"), [
    ("dgx-h100", "nvlink", "h100x8-p2p", "h100x8-p2p-off"), ("dgx-a100", "nvlink3", "a100x8-p2p", ""),
    ("mi250x", "xgmi", "mi250x-osu", ""), ("pcie5-one-switch", "pcie", "pcie5-nine", ""),
    ("titan-rtx-box", "", "", "titan-rtx-p2p"), ("alps-gh200", "nvlink", "", ""), ("gb200-tray", "nvlink", "gb200x4-p2p", ""),
])
def test_the_constant_and_the_matrix_of_a_server_follow_from_its_links(name, method, with_peer, without):
    found = tables.method(name), tables.matrix(name, tables.PEER), tables.matrix(name, tables.STAGED)
    assert found == (method, with_peer, without)


def test_detours_are_marked_and_counted():
    table, sentence = book.lab("pair-matrix").evaluate(machine="MI250X node")
    marked = table[table["cell"].str.endswith(labs.DETOUR)]
    assert len(marked) == 32
    assert table.set_index(["from", "to"]).loc[("1", "7"), "cell"] == "100" + labs.DETOUR
    assert table.set_index(["from", "to"]).loc[("0", "6"), "cell"] == "100"
    assert sentence.endswith("32 of them take a detour through other GPUs (↷).")
    assert table["cell"].value_counts().to_dict() == {"50↷": 20, "50": 12, "100↷": 12, "200": 8, "–": 8, "100": 4}
    for machine in ("DGX H100", "four H100, mesh", tables.BOX):
        assert not book.lab("pair-matrix").evaluate(machine=machine)[0]["cell"].str.contains(labs.DETOUR).any()


def test_the_rows_of_the_all_reduce_run_from_the_fastest_to_the_slowest():
    seconds = book.lab("server-all-reduce").evaluate(nbytes=2.0**34)[0]["seconds"]
    sent = [tables.sent(tables.RUNS[label]) for label in tables.ranked()]
    assert (seconds / sent).is_monotonic_increasing


def test_the_exercise_on_path_words_asks_nothing_that_its_table_does_not_say():
    """A bridge is a root complex: a path that passes a CPU and no root complex has no word in the table."""
    exercise = find("exercises", "one_server.path-word")
    assert all("root" in passed or "cpu" not in passed for (passed,) in exercise.cases)


def test_an_error_of_nearly_nothing_has_no_sign():
    table, sentence = MATRIX.evaluate(machine="DGX A100", show=tables.ERROR, pair="GPU 3 to GPU 1")
    assert sentence.startswith("GPU 3 to GPU 1: 0 %, over the NVSwitches.")
    assert "-0" not in set(table["cell"])


def test_the_word_for_a_pair_is_told_apart_from_the_way_of_its_copy():
    told = MATRIX.evaluate(machine="DGX A100", show=tables.CLASS, peer=tables.STAGED)[1]
    assert told.startswith("GPU 0 to GPU 1: NV12; a copy goes over PCIe switch 0")


def test_two_pairs_are_both_of_them():
    assert "both pairs 57.6 GB/s" in MATRIX.evaluate(machine="two RTX 5090, staged", peer=tables.STAGED)[1]


@pytest.mark.parametrize(("place", "told"), [(0, "the least of all"), (-1, "No other takes as long")])
def test_the_first_and_the_last_server_are_not_compared_with_themselves(place, told):
    name = tables.ranked()[place]
    sentence = book.lab("server-all-reduce").evaluate(beside=name, nbytes=tables.SIZES[-1])[1]
    assert told in sentence
    assert f"as long as {name}{'.' if place else ';'}" not in sentence
