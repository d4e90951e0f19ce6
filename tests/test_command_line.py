"""`python -m fabriclib`: what it prints, what it returns, and that it refuses in a sentence."""

import io
import json
import os
import subprocess
import sys

import pytest
from patience import PATIENCE
from written_logs import Run, nccl

import fabriclib as fl
from fabriclib.__main__ import ALARM, FINE, REFUSED, main

WELL = nccl(Run("all_reduce", 8, 1, [2**29, 2**30], [2150.0, 4150.0], [2150.0, 4150.0]))
SOCKET = "node1:43:61 [0] NCCL INFO Using network Socket\n"
ILL = SOCKET + nccl(Run("all_reduce", 16, 2, [2**29, 2**30], [80e3, 160e3], [80e3, 160e3]))


@pytest.fixture
def asked(capsys, tmp_path):
    """Return what the command line answers to arguments: (exit code, stdout, stderr). {name} stands for a file with that log."""
    for name, text in {"well": WELL, "ill": ILL, "both": WELL + ILL, "none": "no log\n",
                       "unsaid": WELL + "collective,nbytes,seconds\nall_reduce,1048576,0.0001\n"}.items():
        (tmp_path / name).write_text(text)

    def ask(line: str) -> tuple[int, str, str]:
        try:
            code = main([word.format_map({one.name: one for one in tmp_path.iterdir()}) for word in line.split()])
        except SystemExit as left:
            code = left.code
        return code, *capsys.readouterr()

    return ask


def test_a_log_is_compared_and_an_alarm_is_an_exit_code(asked):
    code, out, err = asked("compare {well} --system dgx-h200")
    assert (code, err) == (FINE, "")
    assert out == fl.compare(fl.read_measurements(WELL), "dgx-h200").report()
    code, out, _ = asked("compare {ill} --system dgx-h100")
    assert code == ALARM
    assert out.startswith("Alarm. At its best point the run takes")
    assert "Try next (TEST stands for the command that was run):\n  NCCL_DEBUG=INFO TEST" in out


def test_of_several_tables_each_is_compared_and_the_worst_counts(asked):
    code, out, _ = asked("compare {both} --system dgx-h100")
    assert code == ALARM
    assert [line for line in out.splitlines() if line.startswith("Table ")] == ["Table 1 of 2", "Table 2 of 2"]
    assert asked("compare {both} --system dgx-h100 --table 1")[0] == FINE
    assert asked("compare {both} --system dgx-h100 --table 3")[::2] == (
        REFUSED, "table must be from 1 to 2, which is how many the log has; got 3.\n")


def test_a_table_that_cannot_be_compared_leaves_the_others(asked):
    code, out, err = asked("compare {unsaid} --system dgx-h100")
    assert code == REFUSED
    assert "all_reduce, 1 x 8 GPUs of DGX H100" in out
    assert err == "Table 2: ranks must be given: nothing in the log tells how many there were.\n"
    assert asked("compare {unsaid} --system dgx-h100 --table 2 --ranks 8")[0] == FINE


def test_json_has_the_documented_keys_in_si_units(asked):
    code, out, _ = asked("compare {unsaid} --system dgx-h100 --json")
    first, second = json.loads(out)["tables"]
    assert code == REFUSED
    assert second == {"table": 2, "error": "ranks must be given: nothing in the log tells how many there were."}
    assert set(first) == {"table", "alarm", "verdict", "causes", "try_next", "collective", "system", "machine", "nodes",
                          "gpus_per_node", "ranks", "launcher", "fit", "regimes", "notes", "problems", "rows"}
    told = asked("compare --help")[1]
    assert [key for key in (*first, *first["rows"][0], *first["fit"]) if key not in told] == []
    assert first["rows"][1]["nbytes"] == 2**30
    assert first["rows"][1]["measured_s"] == pytest.approx(4.15e-3)
    assert first["rows"][1]["low_s"] < first["rows"][1]["predicted_s"] < first["rows"][1]["high_s"]


def test_a_log_comes_from_stdin(asked, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ILL.encode()), encoding="utf-8"))
    assert asked("compare - --system dgx-h100")[0] == ALARM


def test_a_machine_is_put_together_from_its_parts(asked):
    mine = "gpu=H100,port=ib-ndr,ports=1"
    assert "my H100 machine: 8 GPUs, 450 GB/s each way over a switch; 1 x NDR" in asked(f"compare {{ill}} --system {mine}")[1]
    table = json.loads(asked(f"predict {mine} all_reduce 1G --nodes 2 --json")[1])
    made = fl.predict(fl.composed("H100", port="ib-ndr", ports=1), "all_reduce", 2**30, nodes=2)
    low, high = made.interval
    assert low < made.seconds < high
    assert table["rows"][0] == {"nbytes": 2**30, "seconds": made.seconds, "low": low, "high": high,
                                "algorithm": made.algorithm, "algbw": made.algbw,
                                "busbw": made.busbw}


def test_sizes_are_read_as_people_write_them(asked):
    def sizes(line):
        return [row["nbytes"] for row in json.loads(asked(f"predict dgx-h100 all_reduce {line} --json")[1])["rows"]]

    assert sizes("8 64M 1G 1GiB 1GB 1e9") == [8, 2**26, 2**30, 2**30, 1e9, 1e9]
    assert sizes("-b 1K -e 1M -f 4") == [2**10, 2**12, 2**14, 2**16, 2**18, 2**20]
    assert sizes("-b 8 -e 100") == [8, 16, 32, 64]
    assert "ring" in asked("predict dgx-h100 barrier")[1]


def test_every_machine_is_listed(asked):
    code, out, _ = asked("systems")
    assert code == FINE
    assert [line.split()[0] for line in out.splitlines()[1:]] == fl.systems()["id"].tolist()
    assert [one["id"] for one in json.loads(asked("systems --json")[1])] == fl.systems()["id"].tolist()


@pytest.mark.parametrize("line", ["systems", "compare {ill} --system dgx-h100", "compare {both} --system polaris --ranks 4",
                                  "predict gb200-nvl72 all_to_all -b 8 -e 16G", "compare --help", "predict --help"])
def test_text_fits_a_hundred_columns(asked, line, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert max(map(len, asked(line)[1].splitlines())) <= 100


@pytest.mark.parametrize(("line", "said"), [
    ("compare {none} --system dgx-h100", "no table was found"), ("compare /no/such --system dgx-h100", "no file of that name"),
    ("compare {well} --system dgx-h10", "Did you mean 'dgx-h100'"), ("compare {well} --system polaris --nodes 3", "8 ranks on 3"),
    ("compare {well} --system dgx-h100 --collective ring", "not known"), ("compare {well}", "--system"),
    ("compare {well} --system dgx-h100 --nodes x", "--nodes"), ("", "compare | predict | systems"), ("sum", "invalid choice"),
    ("predict dgx-h100 all_reduce", "nbytes must be given"), ("predict dgx-h100 all_reduce 1Q", "is not known"),
    ("predict dgx-h100 all_reduce nan", "nbytes must be"), ("predict dgx-h100 all_reduce 1G -b 8", "not both"),
    ("predict dgx-h100 all_reduce -b 8 -e 4", "-b must be"), ("predict l40s-pcie all_reduce 1G --nodes 2", "no network"),
    ("predict dgx-h100 all_reduce -b 8 -e 16 -f 1", "-f at least 2"), ("predict gpu=H100,nics=3 barrier", "part of system"),
    ("predict gpus=8 all_reduce 1G", "gpu=H100"), ("predict gpu=H100,gpus=x all_reduce 1G", "gpus must be a whole number"),
    ("predict dgx-h100 barrier 8", "a barrier has none"), ("predict dgx-h100 barrier -b 8 -e 16", "a barrier has none"),
    ("predict dgx-h100 all_reduce -b 8 -e inf", "-e must be"), ("predict dgx-h100 all_reduce -b 0 -e 8", "-b must be"),
    (f"predict dgx-h100 all_reduce -b 8 -e 16 -f 1{'0' * 400}", "-f at least 2"),
    ("predict gpu=H10 all_reduce 1G", "Did you mean 'H100'"), ("predict gpu=T4,wiring=switch all_reduce 1G", "no switch for"),
])
def test_what_is_refused_is_one_sentence(asked, line, said):
    code, out, err = asked(line)
    assert (code, out) == (REFUSED, "")
    assert said in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_shell_gets_the_exit_code_whatever_it_can_print(tmp_path):
    (tmp_path / "log").write_text(ILL)
    command = [sys.executable, "-m", "fabriclib", "compare", str(tmp_path / "log"), "--system", "dgx-h100"]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=ascii_only, check=False)
    assert (ran.returncode, ran.stderr) == (ALARM, "")
    assert ran.stdout.startswith("Alarm.")
