"""A cluster of your own: the arrows point to the best change there is, and a report says what is so and runs nothing."""

import dataclasses
import re
from html.parser import HTMLParser

import markdown_it
import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.capstone import report as reports
from fabricbook.lessons.capstone import tables
from fabriclib.capstone import Plan

EVIL = ("<script>alert(1)</script> <img src=x onerror=alert(2)> [go](javascript:alert(3)) ![see](http://x.org/a.png) | a | `b`\n"
        "# *head*\n1. one\n- two\n--- \n<http://x.org> \\<b> {{ 7 * 7 }} {% raw %} &lt;i&gt; ~~no~~ \"><svg onload=alert(4)>")
FAILS = Plan("dgx-b200", gpus=1024, tp=4, pp=8)


def arrows(table, control):
    rows = table[table["part"] == "change"]
    return [(row[control], row["to"]) for _, row in rows.iterrows() if row[control] == row[control] and row[control] != ""]


@pytest.mark.parametrize(("name", "control", "at"), [
    ("your-cluster", "machine", {"job": tables.MIXTURE, "machine": tables.H100, "gpus": 1024, "split": "2 × 8"}),
    ("your-cluster", "gpus", {"job": tables.TRILLION, "machine": tables.GB200, "gpus": 512, "split": "8 × 8"}),
    ("your-cluster", "split", {"job": tables.MIXTURE, "machine": tables.B200, "gpus": 1024, "split": "4 × 8"}),
    ("its-network", "network", {"plan": tables.OF_MIXTURE, "network": "rack switches, 4:1", "optics": "modules", "spare": 8}),
    ("its-network", "spare", {"plan": tables.OF_TRILLION, "network": "two planes", "optics": "linear modules", "spare": 0})])
def test_an_arrow_points_to_the_best_value_of_its_control_and_ends_at_the_score_that_it_has(name, control, at):
    lab = book.lab(name)
    table, _ = lab.evaluate(**at)

    def worth(value):
        if name == "your-cluster":
            plan = tables.planned(*((at | {control: value})[part] for part in ("machine", "gpus", "split")))
            return fl.capstone.score(tables.BRIEFS[at["job"]], plan).value
        plan = tables.networked(*((at | {control: value})[part] for part in ("plan", "network", "optics", "spare")))
        return fl.capstone.score(tables.EDGE[at["plan"]][0], plan).value

    scores = {value: worth(value) for value in lab.controls[control].values if value != at[control]}
    [(value, end)] = arrows(table, control)
    assert end == pytest.approx(max(scores.values())) == pytest.approx(scores[value])


def test_the_dots_that_are_large_are_the_plans_that_pass_and_every_brief_has_some():
    for job, id in tables.BRIEFS.items():
        table, _ = book.lab("all-plans").evaluate(job=job)
        large = int((table["size"] > 100).sum())
        assert large == tables.passing(id) > 0
        corner = (table["part"] == "plan") & (table["days (%)"] <= 100) & (table["watts (%)"] <= 100)
        assert large <= corner.sum()


def test_a_plan_that_cannot_be_built_is_drawn_and_says_why():
    table, sentence = book.lab("your-cluster").evaluate(machine=tables.GB200)
    assert "cannot be built so" in sentence
    assert len(arrows(table, "machine")) == 1, "and one machine that can be had is proposed"


def test_how_many_keep_another_brief_is_said_of_another_one_only():
    told = {also: book.lab("all-plans").evaluate(job=tables.DENSE, also=also)[1] for also in (tables.DENSE, tables.TRILLION)}
    assert "other brief" not in told[tables.DENSE]
    assert told[tables.TRILLION].endswith("None of them keeps the other brief too.")


def test_a_network_s_sentence_says_which_it_is():
    told = {optics: book.lab("its-network").evaluate(optics=optics, spare=0 if optics == "modules" else 2)[1]
            for optics in ("modules", "linear modules")}
    assert "; rails, modules, 0 spare servers." in told["modules"]
    assert "; rails, linear modules, 2 spare servers." in told["linear modules"]


def test_the_briefs_are_named_as_one_reads_them_and_as_one_asks_for_them():
    listed = tables.briefs_in_words()
    assert listed.index.tolist() == list(tables.BRIEFS)
    assert listed["called in the cell below"].tolist() == [repr(id) for id in tables.BRIEFS.values()]
    assert not any(id in machines for machines in listed["machines"] for id in tables.NAMES)


class Elements(HTMLParser):
    """The elements of a page with their attributes, as a browser would read them."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def rendered(markdown):
    """A Markdown text as another reader than ours renders it, one that lets HTML through."""
    return markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)


def test_what_a_learner_types_is_data_in_both_files():
    own = dataclasses.replace(fl.capstone.brief("mixture"), name=EVIL, story=EVIL)
    calm = reports.Report(fl.capstone.score("mixture", FAILS), "Ann", "Because.")
    wild = reports.Report(fl.capstone.score(own, FAILS), EVIL, EVIL)
    lines = len([line for line in EVIL.splitlines() if line.strip()])
    for before, after in ((calm.page(), wild.page()), (rendered(calm.markdown()), rendered(wild.markdown()))):
        quiet, loud = Elements(before).found, Elements(after).found
        assert [one for one in loud if one not in quiet] == []
        assert len(loud) == len(quiet) + lines - 1, "a paragraph for each line, and nothing else"
        for said in ("alert(1)", "onerror=alert(2)", "[go](javascript:alert(3))", "{{ 7 * 7 }}", "# *head*", "1. one", "~~no~~"):
            assert said in re.sub(r"&quot;", '"', after).replace("&lt;", "<").replace("&gt;", ">"), said


def test_a_brief_of_one_s_own_is_written_into_this_folder_whatever_it_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = dataclasses.replace(fl.capstone.brief("mixture"), id="../<b>Mine</b>")
    told = book.report(own, FAILS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report--b-mine-b-.html", "report--b-mine-b-.md"]
    assert "<b>" not in told._repr_html_()


def test_a_page_asks_for_nothing_from_elsewhere():
    page = reports.Report(fl.capstone.score("mixture", FAILS)).page()
    asks = [(tag, attributes) for tag, attributes in Elements(page).found
            if {"src", "srcset", "background", "data"} & attributes.keys() or tag in ("script", "link", "iframe", "img")]
    assert asks == []
    assert "url(" not in page
    assert "@import" not in page


def test_a_report_says_what_binds_what_helps_and_where_its_figures_are_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = book.report("mixture", FAILS, name="Ann", defence="It was cheap.")
    assert "report-mixture.html" in repr(told)
    found = fl.capstone.score("mixture", FAILS)
    for text in ((tmp_path / "report-mixture.html").read_text(), (tmp_path / "report-mixture.md").read_text()):
        assert found.why() in text
        assert "time (binds)" in text
        assert all(f"{change.score:.2f}" in text for change in found.changes(3))
        assert "DGX B200, nameplate" in text
        assert "It was cheap." in text


def test_of_a_plan_that_cannot_be_built_no_limit_binds():
    found = reports.Report(fl.capstone.score("trillion", Plan("dgx-b200", gpus=8192)))
    assert "cannot be built" in found.markdown()
    assert "(binds)" not in found.markdown()
    assert 'class="binds"' not in found.picture()
    assert "2,250 million million a second" in found.markdown()


def test_a_report_that_cannot_be_written_leaves_the_earlier_one_whole_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    book.report("mixture", FAILS)
    before = (tmp_path / "report-mixture.html").read_text()

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "no space left" in repr(book.report("mixture", FAILS, defence="Another."))
    assert (tmp_path / "report-mixture.html").read_text() == before
    for refused in (("mixtur", FAILS), ("mixture", 7)):
        assert "No report was written" in repr(book.report(*refused))
    assert "No report was written: name must be" in repr(book.report("mixture", FAILS, name="x" * 10_000))
    assert "as soon as" in repr(book.report("mixture", ...))
