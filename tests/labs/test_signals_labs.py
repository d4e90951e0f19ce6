"""The labs of lesson 06: bars add up to the model's loss, retimers start from zero, the picture's eye is the model's."""

import numpy as np
import pytest

import fabriclib as fl
from fabriclib import catalog, course, signals
from fabriclib.labs import signals as labs

LOSS, EYE = fl.lab("channel-loss"), fl.lab("eye")


def bars(**controls):
    table, sentence = LOSS.evaluate(**controls)
    return table[table["part"] == "bar"], sentence


@pytest.mark.parametrize("retimers", [0, 1, 2])
@pytest.mark.parametrize("channel", LOSS.controls["channel"].values)
def test_the_bars_add_up_to_the_channel_and_start_again_after_each_retimer(channel, retimers):
    drawn, _ = bars(channel=channel, generation="PCIe 5", retimers=retimers)
    plan = signals.place(signals.channel(labs.CHANNELS[channel], "getek"), "pcie5", retimers)
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
    now = table[(table["part"] == "trace") & (table["t"] == 0)]
    openings = table[table["part"] == "opening"]
    assert len(openings) == signals.standard(labs.GENERATIONS[generation]).levels - 1
    for _, gap in openings.iterrows():
        below, above = now[now["mid"] < gap["mid"]], now[now["mid"] > gap["mid"]]
        assert below["high"].max() <= gap["low"] + 2e-3
        assert above["low"].min() >= gap["high"] - 2e-3


def test_the_eye_closes_with_the_generation_the_inches_and_without_the_equaliser():
    heights = [labs.seen(id, 4, "on", "nothing")[1].height for id in labs.GENERATIONS.values()]
    assert heights == sorted(heights, reverse=True)
    longer = [labs.seen("pcie5", inches, "on", "nothing")[1].height for inches in EYE.controls["inches"].values]
    assert (np.diff(longer) < 0).all()
    assert labs.seen("pcie3", 8, "off", "nothing")[1].height < 0 < labs.seen("pcie3", 8, "on", "nothing")[1].height
    assert EYE.evaluate(generation="PCIe 6", inches=12)[0]["label"].tolist()[-1] == "closed"


def test_at_20_inches_both_help_and_at_26_only_the_retimer():
    """What the lesson asks the learner to try."""
    for inches, opens in ((20, {"nothing": False, "a redriver": True, "a retimer": True}),
                          (26, {"nothing": False, "a redriver": False, "a retimer": True})):
        found = {helper: labs.seen("pcie5", inches, "on", helper)[1].height > 0 for helper in opens}
        assert found == opens


def test_a_browser_gets_few_enough_rows_to_follow_the_slider():
    for generation in EYE.controls["generation"].values:
        for inches in (4, 12, 30):
            assert len(EYE.evaluate(generation=generation, inches=inches)[0]) < 3500


def test_what_the_lesson_says_about_the_rows_that_are_off():
    table = labs.loss_beside_published().set_index("published")["error"]
    assert table["an inch of Megtron 6 at 14 GHz"] == "-33 %"
    assert table["an inch of FR4 at 8 GHz"] == "-47 %"
    assert [table[f"an inch of FR4 at {f} GHz"] for f in (5, 14, 16)] == ["-10 %", "-5 %", "+0 %"]
    assert table["a harness of 35 cm with its connectors"] == "+0 %"
    assert table["PCIe 5: budget, from PCIe 6's noise"] == "+6 %"
    without = catalog.figure("aries6-reach").value / 3
    assert labs.slot_reach("pcie6", "fr4") / 0.0254 / without == pytest.approx(4 / 3, abs=0.05)


def test_the_verdict_gives_the_range_the_model_finds():
    said = repr(course.verdict("h"))
    assert "Misleads. Loss decides" in said
    assert "a card near the CPU needs 0 or 1 retimers, a GPU on a baseboard 1 or 2, behind a switch 0 or 1" in said
    assert "with PCIe 3 the same four channels need 0" in said
    assert "at most 256 ns" in said
