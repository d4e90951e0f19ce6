"""The box for one's own log: examples, pasted and uploaded text, hostile text; and the labs with published runs."""

from datetime import UTC, datetime

import pytest

from fabricbook.lessons.bring_your_own import tables as bad_runs
from fabricbook.lessons.bring_your_own.boxes import bring_your_own
from fabricbook.lessons.bring_your_own.examples import EXAMPLES, example
from fabricbook.lessons.bring_your_own.own_machine import LINKS, OwnMachine
from fabriclib import catalog
from fabriclib.__main__ import main


@pytest.fixture
def box():
    return bring_your_own()


def sentence(box):
    return box._lab.widget.state["sentence"]


def test_the_first_example_is_read_at_once():
    box = bring_your_own()
    assert repr(box) == repr(bring_your_own()) == f"Bring your own log. Lab bring-your-own: {sentence(box)}"
    assert "2 x 8 GPUs of DGX H100" in box._said.value
    assert "No alarm" in box._said.value


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_read_and_drawn(box, name):
    box._example.value = name
    cause = catalog.row("measurement_tables", EXAMPLES[name].table)["cause"]
    assert not cause or catalog.row("causes", cause)["name"] in box._said.value
    assert ("Trouble in the log" in box._said.value) == ("cut off" in name or "elsewhere" in name)
    assert box._lab.widget.state["error"] == ""


def test_a_suspect_can_be_set_beside_ones_own_run(box):
    box._example.value = "2 x 4 GPUs, under srun"
    box._lab.set(suspect="TCP instead of RDMA")
    assert "Against a machine with TCP" in sentence(box)
    box._lab.set(suspect="nothing")


def test_a_run_that_is_thousands_of_times_slower_is_told_without_an_exponent():
    box = bring_your_own()
    box._example.value = "your own"
    box._machine.value = "DGX H100"
    box._text.value, box._ranks.value, box._nodes.value = "nbytes,seconds\n1048576,30\n1073741824,9\n", "8", "1"
    box._collective.value = "all_reduce"
    box.read()
    assert "takes 2,100 times as long as predicted" in box._said.value
    assert sentence(box).endswith("2,100 times from 64 MiB.")


def test_what_a_learner_pastes_is_never_markup(box):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    for text in (evil, f"{evil}\n{evil}", f"nbytes,seconds\n{evil},1", f"collective,nbytes,seconds\n{evil},8,9"):
        box._text.value = text
        box.read()
        assert "<img" not in box._said.value
        assert "<script" not in box._said.value
        assert "line " in box._said.value
    box._nodes.value = evil
    box._text.value = example("2 x 4 GPUs, under srun")
    box.read()
    assert "nodes must be a whole number" in box._said.value
    assert "<img" not in box._said.value
    box._nodes.value = ""


def test_a_file_is_read_whole_though_its_beginning_is_shown(box):
    content = ("noise\n" * 5000 + example("2 x 4 GPUs, under srun")).encode()
    box._machine.value = "ALCF Polaris"
    box._upload.value = ({"name": "a.log", "type": "", "size": len(content), "content": memoryview(content),
                          "last_modified": datetime.now(UTC)},)
    assert box._example.value == "your own"
    assert len(box._text.value) == 20_000
    assert "29 sizes" in box._said.value


def test_a_log_of_another_gpu_raises_a_question(box):
    box._text.value = example("2 x 4 GPUs, under srun").replace("] GPU", "] NVIDIA A100-SXM4-40GB")
    for machine, asked in (("ALCF Polaris", False), ("CSCS Alps", True)):
        box._machine.value = machine
        box.read()
        assert ("is it the right machine?" in box._said.value) == asked


def test_the_table_of_several_is_chosen(box):
    box._text.value = example("2 x 8 GPUs, under mpirun") + example("8 GPUs of one server, one size")
    box._machine.value = "DGX H100"
    box.read()
    assert box._table.options == ("1", "2")
    assert "31 sizes" in box._said.value
    box._table.value = "2"
    box.read()
    assert "1 size of 16 GiB" in box._said.value


def test_what_the_log_does_not_say_can_be_typed(box):
    box._text.value = "collective,nbytes,seconds\nall_reduce,1048576,0.0001\nall_reduce,8388608,0.0004\n"
    box._machine.value = "DGX H100"
    box.read()
    assert "ranks must be given" in box._said.value
    box._ranks.value = "8"
    box.read()
    assert "start and rate" in box._said.value
    box._ranks.value = ""


def drawn(box):
    return [value for value in box._lab.widget.state["columns"]["measured"] if value is not None]


def test_a_refused_log_leaves_no_other_run_drawn(box):
    box._example.value = "2 x 8 GPUs, under mpirun"
    assert drawn(box)
    box._text.value = "no log\nat all\n"
    box.read()
    assert "no table was found" in box._said.value
    assert "No alarm" not in box._said.value
    assert drawn(box) == []
    assert sentence(box) == "No run is drawn: none was read."
    box._example.value = "2 x 4 GPUs, under srun"
    box._lab.set(suspect="TCP instead of RDMA")
    box._ranks.value = "7"
    box.read()
    assert "7 ranks on 2 nodes" in box._said.value
    assert drawn(box) == []
    box._lab.set(suspect="nothing")
    box._ranks.value = ""


def test_a_machine_is_put_together_in_the_box(box):
    box._example.value = "2 x 8 GPUs, under mpirun"
    assert box._parts.layout.display == "none"
    box._machine.value = "my own machine"
    assert box._parts.layout.display == ""
    box.read()
    assert "my H100 machine: 8 GPUs, 450 GB/s each way over a switch; 8 x NDR InfiniBand" in box._said.value
    assert "No alarm" in box._said.value
    healthy = drawn(box)
    box._parts.nics.value = 1
    box.read()
    assert "Impossible" in box._said.value
    assert drawn(box) != healthy
    box._parts.nic.value = "none"
    box.read()
    assert "nodes must be 1 for my H100 machine, which has no network" in box._said.value
    assert drawn(box) == []
    box._machine.value = "DGX H100"
    assert box._parts.layout.display == "none"


@pytest.mark.parametrize("links", LINKS)
def test_every_kind_of_links_can_be_chosen(links):
    own = OwnMachine()
    own.links.value = links
    assert own.machine().gpus == 8


def test_the_summary_is_what_the_command_line_prints(box, tmp_path, capsys):
    box._example.value = "2 x 4 GPUs, under srun"
    (tmp_path / "log").write_text(box._text.value)
    main(["compare", str(tmp_path / "log"), "--system", "polaris"])
    assert box._summary.text == capsys.readouterr().out
    box._text.value = "no log\nat all\n"
    box.read()
    assert box._summary.text == ""


def test_a_summary_can_be_shared_and_repeats_no_word_of_the_log(box):
    named = example("2 x 8 GPUs, cut off").replace("worker-0", "sesame").replace("node0", "sesame")
    box._text.value = named.replace("float", "flout", 3) + "sesame said: sesame\n8 sesame 1 2 3 4 5\n"
    box._machine.value = "AWS p5.48xlarge"
    box.read()
    assert "Trouble in the log" in box._summary.text
    assert "sesame" not in box._summary.text


@pytest.mark.parametrize("table", [
    "nbytes\tseconds\n1048576\t0.0001\n8589934592\t0.0366\n", "nbytes;seconds\n1048576;0.0001\n8589934592;0.0366\n",
    "size (MiB),time (us)\n1,100\n8192,36600\n", "nbytes,busbw (GB/s)\n1048576,18.35\n8589934592,410.7\n",
    "| nbytes | seconds |\n|---|---|\n| 1048576 | 0.0001 |\n| 8589934592 | 0.0366 |\n", "size,time\n1M,100us\n8G,36.6ms\n",
])
def test_the_plain_tables_that_the_text_promises_are_read(box, table):
    box._text.value = table
    box._machine.value, box._collective.value, box._ranks.value = "DGX H100", "all_reduce", "8"
    box.read()
    assert "all_reduce, 1 x 8 GPUs of DGX H100" in box._said.value
    assert len(drawn(box)) == 2
    box._example.value = "2 x 4 GPUs, under srun"


def test_an_own_log_begins_with_an_empty_chart(box):
    box._example.value = "2 x 8 GPUs, under mpirun"
    box._example.value = "your own"
    assert "Paste a log into the box" in box._said.value
    assert drawn(box) == []


def test_a_plain_table_without_its_collective_can_be_read(box):
    box._example.value = "your own"
    box._machine.value = "DGX H100"
    box._text.value = "nbytes,seconds\n1048576,0.0001\n8589934592,0.0366\n"
    box._ranks.value = "8"
    box.read()
    assert "which collective" in box._said.value
    assert "barrier" not in box._collective.options
    box._collective.value = "all_gather"
    box.read()
    assert "Read: all_gather, 1 x 8 GPUs of DGX H100" in box._said.value
    assert len(drawn(box)) == 2
    box._example.value = "2 x 4 GPUs, under srun"
    assert box._collective.value == "as in the log"


def test_a_log_that_is_faster_than_the_machine_gets_a_question_and_no_all_clear(box):
    box._text.value = example("8 GPUs of one server, one size").replace("] GPU", "] NVIDIA H200")
    box._machine.value = "DGX A100"
    box.read()
    assert "The log lists NVIDIA H200, and DGX A100 has A100: is it the right machine?" in box._said.value
    assert "times the predicted time, and no run that we know is so much faster" in box._said.value
    assert "No alarm" not in box._said.value


def test_the_diagnosis_agrees_with_what_is_known_of_every_run():
    table = bad_runs.verdicts_of_runs()
    assert table["what was wrong"].tolist() == table["first suspect"].tolist()
    beside = bad_runs.diagnosis_beside_labels()
    assert beside["missed"].sum() == 0
    assert beside["tables"].sum() == len([t for t in catalog.rows("measurement_tables") if t["system"]])


def test_runs_are_named_without_their_causes():
    causes = [row["name"].lower() for row in catalog.rows("causes")]
    assert not [run for run in bad_runs.RUNS if any(cause in run.lower() for cause in [*causes, "tcp", "broken"])]
