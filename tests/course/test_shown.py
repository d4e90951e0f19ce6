"""Results of cells: sentences and small tables, in HTML and as the same text, and nothing of them is markup."""

import pandas as pd
import pytest

import fabricbook as book
import fabriclib as fl

RING = fl.schedule("all_reduce", "ring", ranks=8).counts()


def test_a_text_is_a_sentence():
    said = book.show("5 < 8 GB/s")
    assert repr(said) == "5 < 8 GB/s"
    assert said._repr_html_() == "<p>5 &lt; 8 GB/s</p>"


def test_labelled_results_are_a_table_of_what_each_shows():
    table = book.show({"ring <8>": RING, "rate": "5 GB/s"})
    assert repr(table) == f"ring <8>  {RING!r}\nrate      5 GB/s"
    html = table._repr_html_()
    assert html.count("<tr>") == 2
    assert "ring &lt;8&gt;" in html
    assert "14 messages one after the other, 1.75 n sent, 0.875 n reduced" in html
    assert "Counts(" not in html


def test_a_list_is_lines():
    lines = book.show([fl.link("nvlink4"), "a <b>"])
    assert repr(lines) == f"{fl.link('nvlink4')!r}\na <b>"
    assert lines._repr_html_() == "<p>NVLink 4, one direction: raw 26.56 GB/s, line 25 GB/s</p><p>a &lt;b&gt;</p>"


def test_lines_may_stand_beside_a_label():
    assert "<p>1 µs</p><p>2 µs</p>" in book.show({"small": ["1 µs", "2 µs"]})._repr_html_()


def test_a_table_has_no_numbers_down_its_side_but_keeps_names_of_rows():
    plain, named = pd.DataFrame({"wire <b>": [7]}), pd.DataFrame({"a": [7]}, index=["NVLink"])
    assert [line.strip() for line in repr(book.show(plain)).splitlines()] == ["wire <b>", "7"]
    html = book.show(plain)._repr_html_()
    assert "<th>0</th>" not in html
    assert "<th>wire &lt;b&gt;</th>" in html
    assert book.show(named) is named


@pytest.mark.parametrize("thing", [pd.DataFrame({"a": [1]}, index=["one"]), RING, 4.25, book.lab("wire-map")])
def test_anything_else_stays_as_it_is(thing):
    assert book.show(thing) is thing


@pytest.mark.parametrize(("thing", "inside"), [
    ("a <b>", "<p>a &lt;b&gt;</p>"), (pd.DataFrame({"a": [1]}), "<table"), ({"ring": RING}, "14 messages"),
])
def test_a_fold_has_its_title_to_click_on_and_all_of_the_thing(thing, inside):
    fold = book.fold("what <i> is", thing)
    html = fold._repr_html_()
    assert html.startswith("<details><summary>For the curious: what &lt;i&gt; is</summary>")
    assert inside in html
    assert html.endswith("</details>")
    assert repr(fold) == f"For the curious: what <i> is\n{book.show(thing)!r}"


def test_what_lives_in_the_kernel_cannot_be_folded():
    with pytest.raises(ValueError, match="thing must have a form in HTML"):
        book.fold("a lab", book.lab("wire-map"))


@pytest.mark.parametrize("thing", [
    fl.AlphaBeta(1e-6, 1e-9), fl.link("nvlink4"), fl.server("hgx-h100"), fl.system("dgx-h100"), fl.switch("nvswitch4"),
    fl.share(fl.server("hgx-h100"), fl.flows.one_pair(8)), fl.predict("dgx-h100", "all_reduce", 2**20),
    fl.nccl_choice("dgx-h100", "all_reduce", 2**20), fl.fabric_counts("tpu-v4-pod"), fl.adapter("connectx7"),
    fl.algorithms("all_reduce")[0],
], ids=lambda thing: type(thing).__name__)
def test_what_prints_in_brackets_is_a_sentence_in_a_notebook(thing):
    assert repr(thing)[0] + repr(thing)[-1] == "<>"
    assert thing._repr_html_() == book.show(repr(thing)[1:-1])._repr_html_()


def test_counts_of_many_ranks_say_from_where_to_where():
    import numpy as np

    many = fl.collectives.Counts(np.array([2, 14]), np.array([1.0, 1.75]), 0.0)
    assert "2 to 14 messages one after the other, 1 to 1.75 n sent, 0 n reduced" in many._repr_html_()
