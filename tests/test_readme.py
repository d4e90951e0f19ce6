"""What the README, and the titles of lessons, count and say of accuracy is what the data, the labs and the lessons hold."""

import re

import accuracy as tool
import pytest
from shipped import LESSONS, ROOT, read

from fabriclib import accuracy

README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = {10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen"}


def title(path) -> str:
    return read(path)["cells"][0]["source"]


def test_every_table_was_scored():
    missing = {table.id for table in accuracy.tables()} - set(accuracy.held_out())
    assert not missing, f"data/held_out.csv lacks {', '.join(sorted(missing))}: run python tools/accuracy.py --add"


def test_the_table_of_errors_and_their_number_are_those_of_the_model():
    try:
        now = tool.with_scores(README, accuracy.held_out())
    except KeyError as missing:
        pytest.fail(f"data/held_out.csv lacks {missing}: run python tools/accuracy.py --add")
    assert now == README, "README.md has other scores than data/held_out.csv: run python tools/accuracy.py --write"
    assert tool.DOCS.read_text(encoding="utf-8") == tool.docs(accuracy.held_out()), "run python tools/accuracy.py --write"
    assert f"beside {len(accuracy.tables())} published benchmark tables" in README
    assert sum(map(int, re.findall(r"^\| [^|]+ \((\d+)\) \|", README, flags=re.MULTILINE))) == len(accuracy.tables())


def test_the_map_names_every_lesson_and_its_minutes():
    for path in LESSONS:
        minutes = title(path).split(" minutes")[0].split()[-1]
        assert f"(notebooks/{path.name}) | {minutes} |" in README


def test_every_lesson_has_one_title_in_the_map_at_its_head_and_in_links_to_it():
    for path in LESSONS:
        number, name = path.stem[:2], re.search(rf"\[([^\]]+)\]\(notebooks/{path.name}\)", README)[1]
        assert title(path).startswith(f"# {number} · {name}\n")
        for other in LESSONS:
            for label in re.findall(rf"\[([^\]]+)\]\({path.name}\)", "".join(cell["source"] for cell in read(other)["cells"])):
                assert label == f"{number} {name}", other.name


def test_servers_are_not_counted_in_words_that_a_new_row_makes_wrong():
    texts = [README, *(cell["source"] for path in LESSONS for cell in read(path)["cells"] if path.stem.startswith("07"))]
    numbers = "|".join(WORDS.values())
    assert not [text for text in texts if re.search(rf"all-reduce costs on ({numbers})\b", text)]
