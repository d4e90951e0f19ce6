"""The labs of lesson 04: a little CXL adds rate and costs latency; the trace is the model's; flits follow their layout."""

import numpy as np
import pytest
from shipped import LESSONS, read

import fabricbook as book
from fabricbook.lessons import find
from fabricbook.lessons.cxl import labs
from fabriclib import catalog, cxl, framing
from fabriclib.memory import tier

MIX, TRACE, FLITS = (book.lab(name) for name in ("memory-mix", "coherence-trace", "flit-share"))
LOCAL, DIRECT, POOLED = (tier(name) for name in ("local-dram", "cxl-direct", "cxl-pooled"))


def mixed(**controls):
    """(ns, GB/s) of the learner's mix."""
    table, _ = MIX.evaluate(**controls)
    row = table.set_index("memory").loc["your mix"]
    return row["mix (ns)"], row["able (GB/s)"]


@pytest.mark.parametrize("ports", MIX.controls["ports"].values)
def test_a_small_cxl_share_adds_rate_and_every_share_adds_latency(ports):
    found = np.array([mixed(cxl=share, ports=ports) for share in MIX.controls["cxl"].values])
    latency, rate = found.T
    assert (np.diff(latency) > 0).all()
    best = ports * DIRECT.bandwidth / (ports * DIRECT.bandwidth + LOCAL.bandwidth)
    assert rate.argmax() in (int(100 * best), int(100 * best) + 1)
    assert rate.max() * 1e9 == pytest.approx(LOCAL.bandwidth + ports * DIRECT.bandwidth, rel=0.03)
    assert rate[0] * 1e9 == pytest.approx(LOCAL.bandwidth)


def test_the_default_mix_is_past_the_best_share():
    latency, rate = mixed()
    assert latency > 100
    assert rate * 1e9 < LOCAL.bandwidth


def test_the_ends_of_the_sliders_are_the_tiers_themselves():
    assert mixed(cxl=0, pooled=0) == pytest.approx((LOCAL.latency * 1e9, LOCAL.bandwidth / 1e9))
    latency, rate = mixed(cxl=50, pooled=50)
    assert latency == pytest.approx((DIRECT.latency + POOLED.latency) / 2 * 1e9)
    assert rate * 1e9 == pytest.approx(2 * DIRECT.bandwidth)


def test_what_the_mix_takes_adds_up_and_fills_exactly_what_is_called_full():
    for cxl_share in (0, 5, 11, 12, 50):
        for pooled in (0, 5, 50):
            table, _ = MIX.evaluate(cxl=cxl_share, pooled=pooled, ports=2)
            table = table.set_index("memory")
            steps, mix = table.drop("your mix"), table.loc["your mix"]
            assert steps["used (GB/s)"].sum() == pytest.approx(mix["used (GB/s)"])
            assert (steps["used (GB/s)"] <= steps["able (GB/s)"] * (1 + 1e-9)).all()
            full = np.isclose(steps["used (GB/s)"], steps["able (GB/s)"])
            assert full.any()
            assert sorted(steps.index[steps["rate"].str.endswith("full")]) == sorted(steps.index[full])


def test_only_what_was_measured_is_drawn_as_measured():
    diamonds = [row["ends"] for rows in MIX.spec["datasets"].values() for row in rows] if "datasets" in MIX.spec else [
        row["ends"] for part in MIX.spec["layer"][0]["layer"] for row in part.get("data", {}).get("values", [])]
    figures = [f for id in ("local-dram", "cxl-direct", "cxl-pooled") for f in catalog.figures(id, "load latency")]
    assert sorted(diamonds) == sorted(f.value for f in figures) == [111, 117, 214, 394, 750]
    assert {f.kind for f in figures} == {"measured"}
    table, _ = MIX.evaluate()
    assert table.set_index("memory")["rests on"].to_dict() == {
        "local DRAM": "", "CXL, CPU port": "four cards", "CXL, pooled": "one switch", "your mix": ""}
    assert table["ends at (ns)"].max() < 1000 == MIX.spec["layer"][0]["layer"][0]["encoding"]["x"]["scale"]["domain"][1]


every_trace = pytest.mark.parametrize(("device", "scenario"), [
    (device, scenario) for device in TRACE.controls["device"].values for scenario in TRACE.controls["scenario"].values])


@every_trace
def test_the_table_is_the_trace_of_the_model(device, scenario):
    steps = labs.played(device, scenario)
    assert len(steps) == labs.STEPS
    table, sentence = TRACE.evaluate(device=device, scenario=scenario, step=labs.STEPS)
    shown = table.set_index(["access", "from"])["state"].unstack().to_numpy()
    for (host, other, memory, messages), step in zip(shown, steps, strict=True):
        assert host == step.host
        assert other == ("–" if device.startswith("type 3") else step.device)
        assert memory == ("✗" if "M" in (step.host, step.device) else "✓")
        assert int(messages) == len(step.messages)
    assert f"in all {sum(len(step.messages) for step in steps)} for {labs.STEPS} accesses" in sentence


@every_trace
def test_nothing_to_come_is_given_away(device, scenario):
    for step in range(labs.STEPS + 1):
        table, _ = TRACE.evaluate(device=device, scenario=scenario, step=step)
        later = table[table["access"] > step]
        assert (later["state"] == "").all()
        assert (later["sent"] == "").all()
        assert (later["done"] == "no").all()
        assert (table["now"] == "yes").sum() == (step > 0)
        assert (table.loc[table["does"] != "", "access"].to_numpy() == range(1, labs.STEPS + 1)).all()


@every_trace
def test_no_picture_shows_two_writers(device, scenario):
    table, _ = TRACE.evaluate(device=device, scenario=scenario, step=labs.STEPS)
    for states in table["state"].to_numpy().reshape(labs.STEPS, -1)[:, :2]:
        assert not set(states) & set("ME") or set(states) & {"I", "–"}


def test_what_the_learner_is_asked_to_find():
    def total(device, scenario):
        return sum(len(step.messages) for step in labs.played(device, scenario))

    one, _, device_bias, three = TRACE.controls["device"].values
    host_bias = TRACE.controls["device"].values[1]
    assert total(one, "ping-pong: both write") == 24 == 3 * labs.STEPS
    assert [len(s.messages) for s in labs.played(one, "written once, then read")] == [3, 3, 0, 0, 0, 0, 0, 0]
    assert total(three, "ping-pong: both write") == 2
    assert (total(host_bias, "four lines, then handed over"), total(device_bias, "four lines, then handed over")) == (16, 8)


def test_arrows_point_from_the_sender():
    host, device = set("HM"), set("DS")
    for name in TRACE.controls["device"].values:
        for scenario in TRACE.controls["scenario"].values:
            for step in labs.played(name, scenario):
                assert all(message[0] in host | device for message in step.messages)
                arrows = [part[0] for part in labs._sent(step).split(", ")] if step.messages else []
                assert arrows == ["→" if message[0] in host else "←" for message in step.messages]


def test_the_trace_opens_before_the_first_access():
    """Else half of what the learner is to foretell is on show already."""
    table, sentence = TRACE.evaluate()
    assert sentence.startswith("Before the first of 8 accesses")
    assert (table["state"] == "").all()


def test_the_second_core_stands_in_for_a_type_3_device():
    device = TRACE.controls["device"].values[-1]
    table, sentence = TRACE.evaluate(device=device, scenario="ping-pong: both write", step=1)
    assert "the host's 2nd core writes" in sentence
    assert cxl.AGENTS[1] not in {step.access.split()[0] for step in labs.played(device, "ping-pong: both write")}
    assert set(table["state"]) >= {"–"}


def test_a_lone_line_wastes_a_large_flit_and_no_line_passes_the_ceiling():
    for covers in FLITS.controls["covers"].values:
        table, _ = FLITS.evaluate(covers=covers)
        small, large = (table[table["flit"] == name]["share"].to_numpy() for name in ("68-byte flit", "256-byte flit"))
        assert small[0] == pytest.approx(100 * 64 / 136)
        assert large[0] == pytest.approx(100 * 64 / 256)
        assert small.max() <= 100 * framing.share("cxl-68")
        assert large.max() <= 100 * framing.share("cxl-256")
        assert abs(small[12:].mean() - large[12:].mean()) < 6


def test_the_ladder_stands_inside_what_other_cards_took():
    table, sentence = book.lab("memory-against-measured").evaluate()
    assert [f"{error:+.0f}" for error in table["error (%)"]] == ["+42", "-23", "+33", "-47", "+0", "+36"]
    assert table["measured"].tolist() == pytest.approx([214 / 114, 394 / 114, 2, 5, 750 / 114, 550 / 114])
    assert "-47 % to +42 %" in sentence


def test_a_flit_is_drawn_whole_and_to_scale():
    table, sentence = book.lab("flit-layout").evaluate()
    assert table.groupby("flit")["to"].max().to_dict() == {"256-byte flit": 256, "68-byte flit": 68}
    for _, fields in table.groupby("flit"):
        assert fields["from"].tolist() == [0, *fields["to"].tolist()[:-1]]
    overhead = table[table["carries"] == "header, CRC, FEC"]
    assert (overhead["to"] - overhead["from"]).groupby(table["flit"]).sum().to_dict() == {"256-byte flit": 16, "68-byte flit": 4}
    assert "94 % of the small flit, 94 % of the large" in sentence


def test_the_second_slider_of_the_flits_moves_the_sentence_wherever_the_first_stands():
    for lines in FLITS.controls["lines"].values:
        said = {FLITS.evaluate(lines=lines, covers=covers)[1] for covers in FLITS.controls["covers"].values}
        assert len(said) == len(FLITS.controls["covers"].values), lines


def test_the_measured_gains_are_met_within_a_seventh():
    table, sentence = book.lab("gain-against-measured").evaluate()
    assert table["what"].tolist() == ["4 modules, reads + writes", "8 modules, reads only", "8 modules, reads + writes"]
    assert table["error (%)"].round().tolist() == [1, 12, 0]
    assert sentence == "With reads alone the best split promises 12 % too much; with writes among them the model fits within 1 %."
    assert catalog.figures("cz120-epyc", "local DRAM rate")[0].si == LOCAL.bandwidth


def test_the_verdict_names_what_the_table_says_ships():
    """Its words are written for these three rows; a product that appears needs another sentence."""
    ships = [row["id"] for row in catalog.rows("cxl_sharing") if row["status"] == "ships"]
    assert ships == ["cpu-expander", "fpga-cpu", "hosts-pool", "hosts-share-software"]
    said = repr(book.verdict("f"))
    assert "10 ways to share in our table 4 ship" in said
    assert "2.7 times as long as from local DRAM (four cards took 214 ns to 394 ns; another study says 2 to 5 times)" in said
    assert "As of November 2026" in said
    assert "140" not in said


def test_the_lesson_tells_software_coherence_from_hardware_coherence_and_as_of_when():
    cells = read(next(path for path in LESSONS if path.name.startswith("04_")))["cells"]
    prose = " ".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    for words in ("PolarCXLMem", "arXiv 2511.20172", "as of November 2026", "140 to 410 ns, is no range of cards"):
        assert words in prose, words
    for words in ("no byte in common", "nobody seems to have published"):
        assert words not in prose, words


def test_a_device_type_is_not_named_before_it_is_explained():
    questions = " ".join(find("predictions", key).question for key in ("cxl.half", "cxl.ping-pong"))
    assert "type" not in questions
    assert "second one" not in questions  # reads like "a second"


def test_local_dram_alone_is_not_told_as_a_multiple_of_itself():
    sentence = MIX.evaluate(cxl=0)[1]
    assert "takes 114 ns on average; they deliver at most 461 GB/s." in sentence
