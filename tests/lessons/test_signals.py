"""The labs: bars add up to the model's loss, retimers start from zero, the picture's eye is the model's."""

import re
from pathlib import Path

import numpy as np
import pytest

import fabricbook as book
from fabricbook.lessons.signals import path, tables
from fabriclib import catalog, signals

LOSS, EYE, PLACE = (book.lab(name) for name in ("channel-loss", "eye", "retimer-place"))


def bars(**controls):
    table, sentence = LOSS.evaluate(**controls)
    return table[table["part"] == "bar"], sentence


@pytest.mark.parametrize("retimers", [0, 1, 2])
@pytest.mark.parametrize("channel", LOSS.controls["channel"].values)
def test_the_bars_add_up_to_the_channel_and_start_again_after_each_retimer(channel, retimers):
    drawn, _ = bars(channel=channel, generation="PCIe 5", retimers=retimers)
    plan = signals.place(signals.channel(tables.CHANNELS[channel], "getek"), "pcie5", retimers)
    assert (drawn["to"] - drawn["from"]).sum() == pytest.approx(sum(plan.stretches))
    assert (drawn["from"] == 0).sum() == retimers + 1
    assert drawn["to"].max() == pytest.approx(max(plan.stretches))


def test_what_lies_beyond_the_line_is_what_the_sentence_says():
    drawn, sentence = bars(generation="PCIe 5", board="FR4")
    beyond = drawn[drawn["state"] == "beyond it"]
    assert f"{(beyond['to'] - beyond['from']).sum():.1f} dB too much. It needs 1 retimer" in sentence
    drawn, sentence = bars(generation="PCIe 5", board="FR4", retimers=1)
    assert set(drawn["state"]) == {"within the budget"}
    assert "it fits; an answer comes 20 ns to 128 ns later" in sentence


def test_the_default_fits_and_pcie_5_does_not():
    assert "it fits; no retimer" in LOSS.evaluate()[1]
    assert "too much" in LOSS.evaluate(generation="PCIe 5")[1]


@pytest.mark.parametrize(("generation", "inches", "equaliser"), [("PCIe 5", 10, "on"), ("PCIe 6", 5, "on"), ("PCIe 3", 6, "off")])
def test_no_trace_with_its_noise_enters_the_opening(generation, inches, equaliser):
    table, _ = EYE.evaluate(generation=generation, inches=inches, equaliser=equaliser)
    now = table[table["part"] == "trace"]
    openings = table[table["part"] == "opening"]
    assert len(openings) == signals.standard(tables.GENERATIONS[generation]).levels - 1
    for _, gap in openings.iterrows():
        below, above = now[now["at"] < gap["mid"]], now[now["at"] > gap["mid"]]
        assert (below["at"] + below["blur"]).max() <= gap["low"] + 2e-3
        assert (above["at"] - above["blur"]).min() >= gap["high"] - 2e-3


@pytest.mark.parametrize(("generation", "inches", "equaliser"), [
    ("PCIe 3", 4, "on"), ("PCIe 3", 8, "off"), ("PCIe 3", 20, "off"), ("PCIe 5", 14, "on"), ("PCIe 6", 12, "on"),
    ("PCIe 6", 4, "off")])
def test_the_picture_is_the_same_at_every_symbol(generation, inches, equaliser):
    """What passes at the left edge, at the moment of decision and at the right edge are the same voltages, as often."""
    table, _ = EYE.evaluate(generation=generation, inches=inches, equaliser=equaliser)
    traces = table[table["part"] == "trace"]
    left, middle, right = (sorted(set(traces[when].round(6))) for when in ("before", "at", "after"))
    assert left == middle == right
    assert middle == pytest.approx([-v for v in reversed(middle)])
    asked = signals.standard(tables.GENERATIONS[generation])
    found = tables.seen(asked.id, inches, equaliser, "nothing")[1]
    reach = (1 - found.memory) / 2 + found.memory / 2
    assert max(middle) == pytest.approx(reach)  # a long run is among the patterns
    assert len(middle) >= asked.levels


@pytest.mark.parametrize(("generation", "inches", "equaliser"), [("PCIe 3", 10, "off"), ("PCIe 6", 12, "on"),
                                                                  ("PCIe 6", 5, "on")])
def test_every_trace_follows_the_channel(generation, inches, equaliser):
    """From symbol to symbol the voltage goes all of the way to a level but for the share that the channel remembers."""
    table, _ = EYE.evaluate(generation=generation, inches=inches, equaliser=equaliser)
    traces = table[table["part"] == "trace"]
    asked = signals.standard(tables.GENERATIONS[generation])
    memory = tables.seen(asked.id, inches, equaliser, "nothing")[1].memory
    levels, sent = np.linspace(-0.5, 0.5, asked.levels), []
    for before, at in (("before", "at"), ("at", "after")):
        aimed = ((traces[at] - memory * traces[before]) / (1 - memory)).to_numpy()
        nearest = np.abs(aimed[:, None] - levels).argmin(axis=1)
        assert aimed == pytest.approx(levels[nearest], abs=5e-3)
        sent.append(nearest)
    assert len(set(zip(*sent, strict=True))) == asked.levels**2
    assert len(traces) == 64  # with four levels every three symbols in a row


def test_the_sentence_tells_random_bits_from_the_worst_pattern():
    assert "Of random bits 0.64 % are wrong; after the worst pattern, a long run, 100 %." in EYE.evaluate(
        inches=8, equaliser="off")[1]
    assert EYE.evaluate()[1].endswith("Of random bits fewer than one in 10³⁰ are wrong.")
    table = tables.wrong_bits().set_index(["generation", "inches of FR4"])["wrong of random bits"]
    # As an independent simulation of two million bits found.
    assert [table[key] for key in (("PCIe 3", 8), ("PCIe 3", 10), ("PCIe 3", 12), ("PCIe 5", 24))] == [
        "0.64 %", "5.1 %", "8.3 %", "21 %"]


def test_the_eye_closes_with_the_generation_the_inches_and_without_the_equaliser():
    heights = [tables.seen(id, 4, "on", "nothing")[1].height for id in tables.GENERATIONS.values()]
    assert heights == sorted(heights, reverse=True)
    longer = [tables.seen("pcie5", inches, "on", "nothing")[1].height for inches in EYE.controls["inches"].values]
    assert (np.diff(longer) < 0).all()
    assert tables.seen("pcie3", 8, "off", "nothing")[1].height < 0 < tables.seen("pcie3", 8, "on", "nothing")[1].height
    assert EYE.evaluate(generation="PCIe 6", inches=12)[0]["label"].tolist()[-1] == "closed"


def test_on_a_longer_board_both_help_and_on_a_still_longer_one_only_the_retimer():
    """What the lesson asks the learner to try."""
    assert (tables.first_shut(), tables.last_open(), tables.amplified()) == (8, 12, 23)
    for inches, opens in ((tables.amplified() - 3, {"nothing": False, "a redriver": True, "a retimer": True}),
                          (tables.amplified() + 3, {"nothing": False, "a redriver": False, "a retimer": True})):
        found = {helper: tables.seen("pcie5", inches, "on", helper)[1].height > 0 for helper in opens}
        assert found == opens


def test_a_browser_gets_few_enough_rows_to_follow_the_slider():
    for generation in EYE.controls["generation"].values:
        for inches in (4, 12, 30):
            assert len(EYE.evaluate(generation=generation, inches=inches)[0]) < 80


@pytest.mark.parametrize(("generation", "board"), [("PCIe 5", "GETEK"), ("PCIe 3", "FR4"), ("PCIe 6", "Megtron 6")])
def test_a_retimer_at_its_best_place_does_as_well_as_the_model_finds(generation, board):
    """Whole inches are a little worse than the model's own place, and every other inch is worse."""
    segments, asked = signals.channel("baseboard", tables.BOARDS[board]), signals.standard(tables.GENERATIONS[generation])
    ways = {spot: path.walk(segments, asked.nyquist, spot) for spot in path.spots(segments)}
    package = signals.part("device-package").loss(asked.nyquist)
    whole = signals.losses(segments, asked.nyquist).sum()
    assert all(before[-1][1] + after[-1][1] == pytest.approx(whole + 2 * package) for before, after in ways.values())
    worst = min(max(before[-1][1], after[-1][1]) for before, after in ways.values())
    plan = signals.place(segments, asked.id, 1)
    an_inch = signals.part(tables.BOARDS[board]).loss(asked.nyquist, 0.0254)
    assert max(plan.stretches) - 1e-9 <= worst <= max(plan.stretches) + an_inch


def test_a_retimer_sits_on_boards_and_the_picture_shows_what_lies_beyond():
    segments = signals.channel("baseboard", "getek")
    spots = path.spots(segments)
    assert spots == [*range(6), *range(25, 37)]  # between them is the cable
    usable = signals.standard("pcie5").usable
    for spot in spots:
        table, sentence = PLACE.evaluate(retimer=spot)
        over = table[table["part"] == "over"]
        assert over.empty == sentence.endswith("it fits.")
        assert over.empty or over["dB"].min() == pytest.approx(max(usable, over["dB"].min()))
        ends = table[table["part"] == "end"]
        assert set(over["stretch"]) == set(ends.loc[ends["dB"] > usable, "stretch"])


def test_what_the_lesson_says_about_the_rows_that_are_off():
    inch, sentence = book.lab("inch-against-published").evaluate()
    assert dict(zip(inch["board"], inch["error (%)"].round(), strict=True)) == {
        "FR4, 14 GHz": -5, "Megtron 6, 14 GHz": -33, "FR4, 5 GHz": -10, "FR4, 16 GHz": 0, "FR4, 8 GHz": -47}
    assert sentence == "3 of 5 published figures are within a tenth of the model; of the others it says 33 to 47 % less."
    table = tables.loss_beside_published().set_index("published")["error"]
    assert table["a harness of 35 cm with its connectors"] == "+0 %"
    assert table["PCIe 5: budget, from PCIe 6's noise"] == "+6 %"
    without = catalog.figure("aries6-reach").value / 3
    assert tables.slot_reach("pcie6", "fr4") / 0.0254 / without == pytest.approx(4 / 3, abs=0.05)


def test_a_reach_is_printed_no_finer_than_it_is_known():
    """Whole inches, two digits, from the least kind published loss to the model; the check on the reach lies within."""
    low, high = tables.reach_spread()
    assert low == pytest.approx(0.686 / 1.3, rel=0.01)
    assert high == pytest.approx(1, abs=0.01)
    cells = tables.reach_table().drop(columns="board").to_numpy().ravel().tolist()
    assert all(re.fullmatch(r"[1-9]\d?0? to [1-9]\d?0?", cell) for cell in cells)
    row = tables.reach_beside_published().iloc[0]
    without = float(row["so without retimer"].removesuffix(" inches"))
    least, most = map(float, row["model"].removesuffix(" inches").split(" to "))
    assert least <= without <= most
    assert row["error"] == "-29 % to +35 %"


def test_why_there_is_no_third_retimer():
    """The reasons that the specification names, in the lesson and in the row of the limit; not the delay of answers."""
    lesson = next(Path(__file__).parents[2].glob("notebooks/06_*.ipynb")).read_text(encoding="utf-8")
    row = catalog.row("channel_budgets", "pcie4")
    assert row["sources"]["most_retimers"] == "csdn-retimers"
    for reason in ("SKP ordered sets", "phases 2 and 3"):
        assert reason in lesson
        assert reason in row["note"]
    assert "waits for acknowledgements" not in lesson


@pytest.mark.parametrize(("key", "written", "says"), [
    ("signals.retimers", lambda loss, budget: min(2, -(-loss // budget) - 1), "This stops at two"),
    ("signals.received", lambda swing, loss: 1e3 * swing * 10 ** (-loss / 20), "These are millivolts"),
])
def test_a_natural_slip_is_named(key, written, says):
    assert says in repr(book.check(key, written))


def test_the_verdict_gives_the_range_the_model_finds():
    said = repr(book.verdict("h"))
    assert "Misleads. Loss decides" in said
    assert "a card near the CPU needs 0 or 1 retimers, a GPU on a baseboard 1 or 2, behind a switch 0 or 1" in said
    assert "with PCIe 3 the same four channels need 0" in said
    assert "at most 256 ns" in said


def test_wrong_bits_that_are_allowed_are_told_as_the_text_tells_them():
    assert tables.asked_table().loc["wrong bits allowed"].tolist() == ["one in 10¹²"] * 3 + ["one in 10⁶"]


def test_what_a_redriver_adds_to_a_read_is_little_and_not_nothing():
    assert "0 %" not in set(tables.latency_beside_read()["of a measured read"])
