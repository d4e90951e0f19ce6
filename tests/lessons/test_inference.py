"""One token: its pictures show what the library computes, and its stops' answers are those of the published tables."""

import numpy as np
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.inference import labs, tables
from fabriclib import catalog


@pytest.mark.parametrize(("model", "machine", "software", "batch"), [
    (tables.SMALL, tables.OLD, tables.EACH, 64), (tables.SEVENTY, tables.RACK, tables.GRAPH, 1)])
def test_the_bars_are_the_library_s_token(model, machine, software, batch):
    table, sentence = book.lab("one-token").evaluate(model=model, machine=machine, software=software, batch=batch)
    asked = fl.request(tables.MODELS[model], tables.MACHINES[machine], gpus=8, tp=8, batch=batch, prompt=tables.WORDS,
                       output=tables.WORDS, engine=tables.SOFTWARE[software])
    bars = table[(table["part"] == "bar") & (table["gpus"] == "8 GPUs")]
    assert (bars["to"] - bars["from"]).sum() == pytest.approx(1e3 * asked.per_token)
    host = bars[bars["kind"] == labs.HOST].iloc[0]
    assert host["to"] - host["from"] == pytest.approx(1e3 * asked.token_parts["host"])
    assert "tokens a second" in sentence


def test_what_does_not_fit_is_pale_and_says_so():
    table, _ = book.lab("one-token").evaluate(model=tables.SEVENTY, machine=tables.NEW)
    one = table[table["gpus"] == "1 GPU"]
    assert (one.loc[one["part"] == "bar", "seen"] < 1).all()
    assert one.loc[one["part"] == "text", "text"].tolist() == ["does not fit"]
    assert (table.loc[(table["gpus"] == "4 GPUs") & (table["part"] == "bar"), "seen"] == 1).all()


def test_the_answers_over_servers_are_those_of_the_published_table():
    rows = {(row["tp"], row["prompt"], row["batch"]): row["seconds"] for row in catalog.rows("requests")
            if row["model"] == tables.BIG and row["tp"] in (8, 16)}
    assert tables.times_as_long(tables.SHORT, 1) == rows[8, 20, 1] / rows[16, 20, 1] == pytest.approx(1.49, abs=0.005)
    assert [tables.overtakes(texts) for texts in tables.TEXTS] == [256, 128, 64]
    assert rows[8, 128, 64] < rows[16, 128, 64]
    assert rows[8, 128, 32] > rows[16, 128, 32]
    drawn = [tables.served(texts, split) for texts in tables.TEXTS for split in tables.SPLITS]
    assert np.mean([np.abs(one["predicted"] / one["measured"] - 1).mean() for one in drawn]) < 0.1


def test_a_token_of_eight_is_as_much_faster_as_was_measured():
    assert tables.gained() == pytest.approx(2.7, abs=0.05)
    predicted = tables.token().seconds(1) / tables.token().seconds(8)
    assert predicted == pytest.approx(tables.gained(), rel=0.05)


def test_keys_and_values_in_the_exercise_are_those_of_the_library():
    one = tables.seventy
    assert tables.cache_bytes(one.layers, one.kv_heads, one.head_width, 8192) == one.kv_bytes(8192) == 2.5 * 2**30
    table, _ = book.lab("kv-travels").evaluate(prompt=8192)
    here = table[table["part"] == "here"].set_index("way")["here"]
    assert here["TCP"] == fl.kv_transfer("llama-3-70b", "dgx-h100", prompt=8192, over="tcp").seconds
    assert np.all(np.diff(here[["NVLink", "RDMA", "TCP"]]) > 0)
