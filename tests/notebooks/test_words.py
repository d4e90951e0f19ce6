"""A word is explained where it first stands: there it is bold, and that is the lesson which the glossary names."""

import glossary
import pytest
import words

from fabricbook.lessons import ORDER
from fabriclib import catalog


def test_every_word_is_explained_where_it_first_stands():
    assert not words.misplaced()


def test_the_glossary_is_in_the_order_of_the_lessons_and_says_what_each_word_means():
    rows = catalog.rows("glossary")
    assert [row["lesson"] for row in rows] == sorted((row["lesson"] for row in rows), key=ORDER.index)
    assert all(len(row["meaning"]) > 10 and not row["meaning"].endswith(".") for row in rows)


def spelt(forms):
    return glossary.spelt({"word": forms[0], "forms": ", ".join(forms[1:])})


TEXTS = (("start_here", "Wires and switches.\n\n| **rail** | a row of GPUs |\n|---|---|\n| leaf | a *switch* |\n\nRails again."),
         ("moving_bytes", "A **leaf** and a Flit. PCIe switches."))


@pytest.mark.parametrize(("forms", "lesson", "bold"), [
    (["rail"], "start_here", True), (["leaf"], "start_here", False), (["flit"], "moving_bytes", False),
    (["switch"], "start_here", False), (["PCIe switch"], "moving_bytes", False), (["nothing", "wire"], "start_here", False),
])
def test_the_first_place_of_a_word(monkeypatch, forms, lesson, bold):
    monkeypatch.setattr(words, "prose", lambda: TEXTS)
    place = words.first(spelt(forms))
    assert (place.lesson, place.bold) == (lesson, bold)


@pytest.mark.parametrize("forms", [["nowhere"], ["pcie"], ["eaf"], ["rai"]])
def test_another_spelling_or_a_part_of_a_word_is_not_the_word(monkeypatch, forms):
    monkeypatch.setattr(words, "prose", lambda: (("start_here", "PCIe-like rails, leaf."),))
    assert words.first(spelt(forms)) is None
