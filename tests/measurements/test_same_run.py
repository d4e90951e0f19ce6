"""One run says the same, whichever way it was written down: as text or JSON, with units or without, whole or wrapped."""

import dataclasses
import json
import time

import pandas as pd
import pytest
from written_logs import BINARIES, Run, nccl

from fabriclib.measurements import apart, published, read_measurements
from fabriclib.measurements.about import About, about
from fabriclib.measurements.objects import heads

SIZES, OUT, INSIDE = [2**20, 2**21], [100.0, 190.0], [110.0, 230.0]
LEFT = ("size", "count", "type", "redop", "root")
HALF = ("time", "alg_bw", "bus_bw", "nwrong")
NAMES = {"all_reduce": "AllReduce", "all_gather": "AllGather", "reduce_scatter": "ReduceScatter", "all_to_all": "AlltoAll",
         "broadcast": "Broadcast", "reduce": "Reduce", "gather": "Gather", "scatter": "Scatter", "send_recv": "SendRecv"}


def run(collective: str, **said) -> Run:
    return Run(collective, 8, 2, SIZES, OUT, INSIDE, **said)


def in_json(one: Run, gpus: int = 1, wrong: str = "0") -> str:
    """What nccl-tests writes with -J of the run that it prints as `nccl` does."""
    cells = [line.split() for line in nccl(one).splitlines() if line.startswith(" ")]
    rows = [dict(zip(LEFT, row, strict=False)) | {"size": int(row[0])}
            | {"out_of_place": dict(zip(HALF, row[5:], strict=False)) | {"nwrong": wrong},
               "in_place": dict(zip(HALF, row[9:], strict=False)), "experiment_name": NAMES[one.collective]} for row in cells]
    ranks = [{"rank": rank, "hostname": f"node{rank // 4}", "device_name": "NVIDIA GPU"} for rank in range(one.ranks)]
    return json.dumps({"config": {"ngpus": gpus}, "ranks": ranks if one.devices else [], "results": rows}) + "\n"


def all_of(frame) -> tuple:
    """All that was read, but for the numbers of the lines."""
    return frame.to_csv(), frame.attrs["problems"], frame.attrs["notes"], frame.attrs["tables"]


@pytest.mark.parametrize("collective", BINARIES)
@pytest.mark.parametrize("devices", [True, False])
def test_json_says_what_the_same_test_prints(collective, devices):
    one = run(collective, devices=devices)
    text, found = read_measurements(nccl(one)), read_measurements(in_json(one))
    assert all_of(found) == all_of(text)
    assert found["in_place"].tolist() == pytest.approx([us * 1e-6 for us in INSIDE])
    assert about(found).gpu == ("NVIDIA GPU" if one.devices else "")


def test_json_says_how_many_gpus_a_process_has_and_which_results_are_wrong():
    one = run("all_reduce")
    assert about(read_measurements(in_json(one, gpus=8))).launcher == "single-process"
    found = read_measurements(in_json(one, wrong="7"))
    assert about(found).wrong
    assert "the test found wrong results at 1 MiB and 1 other sizes" in found.attrs["problems"][0]


def test_json_may_name_hosts_with_blanks_and_have_bytes_that_are_no_text():
    text = in_json(run("all_reduce")).replace('"node0"', '"node\xe9 0"').replace('"node1"', '"node\xe9 1"')
    for data in (text, text.replace("\\u00e9", "é").encode("latin-1")):
        frame = read_measurements(data)
        assert frame["nodes"].tolist() == [2, 2]
        assert frame["nbytes"].tolist() == SIZES


def test_a_line_that_a_collector_wrapped_may_stand_below_others():
    wrapped = "\n".join(json.dumps({"log": line + "\n"}) for line in nccl(run("all_reduce")).splitlines())
    assert all_of(read_measurements("starting\n" + wrapped)) == all_of(read_measurements(nccl(run("all_reduce"))))


@pytest.mark.parametrize("head", ['{"level": "info", "ts": 1}',
                                  '{\n "world": 8,\n "sizes": [1, 2]\n}', '[{"world": 8}]', '{"a": 1}\n{"b": 2}',
                                  json.dumps({f"K{at}": "v" * 20 for at in range(5000)}, indent=1)],
                         ids=["line", "lines", "list", "two", "long"])
def test_settings_in_json_may_stand_above_a_log(head):
    above = head.count("\n") + 1
    text, plain = (read_measurements(before + nccl(run("all_reduce"))) for before in (head + "\n", "\n" * above))
    assert all_of(text) == all_of(plain)


def test_escapes_in_json_never_come_out_again():
    lines = [{"log": f"\x1b[32m{line}\x1b[0m"} for line in nccl(run("all_reduce")).splitlines()]
    assert all_of(read_measurements(json.dumps(lines) + "\n")) == all_of(read_measurements(nccl(run("all_reduce"))))


def test_json_without_results_or_lines_is_refused_as_that():
    for text in ('{"level": "info"}\n', '[{"a": 1}, {"b": 2}]\n', '{"a": 1}\n{"b": 2}\n'):
        with pytest.raises(ValueError, match=r"^line 1: the log is JSON and has no results"):
            read_measurements(text)


def test_whether_a_log_goes_on_as_text_takes_as_long_as_it_has_objects():
    """One that was cut off is looked at whole: what is copied for each of its objects takes hours in some megabytes."""
    seconds = []
    for many in (5_000, 80_000):
        began = time.process_time()
        assert not heads('{"size": 8, "time": 10.5}\n' * many + '{"size": 8, "ti')
        seconds.append(time.process_time() - began)
    assert seconds[1] < 5 * 16 * seconds[0]


def test_settings_that_say_a_size_too_are_no_result():
    found = json.loads(in_json(run("all_reduce")))
    assert read_measurements(json.dumps({"nbytes": 2**21, **found}))["nbytes"].tolist() == SIZES


def test_results_may_lie_six_levels_down():
    text = in_json(run("all_reduce"))  # two levels: of "results" and of its rows
    for _ in range(4):
        text = json.dumps({"inside": json.loads(text)})
    assert read_measurements(text)["nbytes"].tolist() == SIZES
    with pytest.raises(ValueError, match="has no results"):
        read_measurements(json.dumps({"inside": json.loads(text)}))


def test_json_may_leave_out_all_but_sizes_and_times():
    found = json.loads(in_json(run("all_reduce")))
    for row in found["results"]:
        for name in LEFT[1:]:
            del row[name]
    frame = read_measurements(json.dumps(found))
    assert frame["nbytes"].tolist() == SIZES
    assert frame["seconds"].tolist() == pytest.approx([us * 1e-6 for us in OUT])


@pytest.mark.parametrize(("name", "other"), [("type", "half"), ("redop", "max"), ("root", "1")])
def test_another_type_operation_or_root_is_another_table_in_json_too(name, other):
    text = in_json(run("reduce"))
    rows = json.loads(text)
    rows["results"] = [one | {name: it} for one in rows["results"] for it in (one[name], other)]
    assert read_measurements(json.dumps(rows))["table"].tolist() == [0, 1, 1, 2]


def test_tabs_in_the_objects_of_a_log_make_no_cells():
    rows = [{"collective": "all_reduce", "ranks": 8, "size": n, "timeUsec": us, "remark": "a\tb\tc\nd"}
            for n, us in zip(SIZES, OUT, strict=True)]
    frame = read_measurements(json.dumps(rows))
    assert frame["nbytes"].tolist() == SIZES
    assert frame.attrs["problems"] == []


# ------------------------------------------------------------------ plain tables

PLAIN = "collective,ranks,size (B),time ({unit}),algbw ({rate}),busbw ({rate})\n{rows}"
SECONDS, RATES = {"s": 1.0, "ms": 1e-3, "us": 1e-6}, {"B/s": 1.0, "MB/s": 1e6, "GB/s": 1e9, "Gb/s": 1e9 / 8, "GiB/s": 2.0**30}


@pytest.mark.parametrize("collective", ["all_reduce", "all_gather"])
@pytest.mark.parametrize("loose", [False, True], ids=["units", "no units"])
@pytest.mark.parametrize("unit", SECONDS)
@pytest.mark.parametrize("rate", RATES)
def test_a_time_is_the_same_in_whatever_unit(collective, unit, rate, loose):
    """Without units in the header, size over time must be algbw in one pair of them alone; ms and GB/s could be s and MB/s."""
    if loose and (rate in ("Gb/s", "GiB/s") or (unit, rate) in (("us", "MB/s"), ("ms", "MB/s"), ("ms", "GB/s"))):
        return
    times = 2 if collective == "all_reduce" else 1
    rows = "".join(f"{collective},8,{n},{us * 1e-6 / SECONDS[unit]:.9g},{n / us * 1e6 / RATES[rate]:.9g},"
                   f"{n / us * 1e6 / RATES[rate] * times * 7 / 8:.9g}\n" for n, us in zip(SIZES, OUT, strict=True))
    text = PLAIN.format(unit=unit, rate=rate, rows=rows)
    frame = read_measurements(text.replace(f" ({unit})", "").replace(f" ({rate})", "") if loose else text)
    assert frame["seconds"].tolist() == pytest.approx([us * 1e-6 for us in OUT])
    assert frame.attrs["problems"] == []
    assert len(frame.attrs["notes"]) == (loose and (unit, rate) != ("s", "B/s"))


def test_ranks_that_are_listed_above_a_table_without_units_tell_its_units_too():
    """What nccl-tests print, put into columns: 1 MiB in 100 us is a busbw of 18.35 GB/s on eight ranks, and of nothing else."""
    listed = "".join(f"#  Rank {rank} Group 0 Pid 9 on node0 device {rank} [0x10] NVIDIA GPU\n" for rank in range(8))
    rows = "".join(f"{n},{us},{n / us / 1e3 * 7 / 4:.4f}\n" for n, us in zip(SIZES, OUT, strict=True))
    frame = read_measurements(f"# all_reduce_perf\n{listed}size,time,busbw\n{rows}")
    assert frame["seconds"].tolist() == pytest.approx([us * 1e-6 for us in OUT])


@pytest.mark.parametrize("yes", ["1", "true", '"True"'])
@pytest.mark.parametrize("rate", [*RATES, ""])
def test_a_row_that_a_flag_says_is_in_place_is_the_other_half(rate, yes):
    """Without units too, as rccl-tests write it."""
    rows = "".join(f"{n},{flag},{us},{n / us * 1e6 / RATES.get(rate, 1e9):.9g}\n"
                   for n, *both in zip(SIZES, OUT, INSIDE, strict=True) for flag, us in zip(("0", yes), both, strict=True))
    head = f"size,inPlace,time (us),algbw ({rate})\n" if rate else "size,inPlace,time,algbw\n"
    frame = read_measurements(head + rows, collective="all_gather", ranks=8)
    assert frame["seconds"].tolist() == pytest.approx([us * 1e-6 for us in OUT])
    assert frame["in_place"].tolist() == pytest.approx([us * 1e-6 for us in INSIDE])
    odd = rows.replace(printed_rate(INSIDE[1], rate), printed_rate(OUT[1], rate))
    told = read_measurements(head + odd, collective="all_gather", ranks=8)
    assert told["in_place"].isna().tolist() == [False, True]
    (problem,) = told.attrs["problems"]
    assert problem.startswith("line 5: 2 MiB in 230 µs is an in-place algbw of 9.118 GB/s, but 11.04 GB/s is printed")


def printed_rate(us: float, rate: str) -> str:
    return f"{SIZES[1] / us * 1e6 / RATES.get(rate, 1e9):.9g}"


# ------------------------------------------------------------------ what is known of a table

def test_of_a_table_of_ones_own_nothing_special_is_known():
    assert about(pd.DataFrame({"nbytes": [8.0], "seconds": [1e-5]})) == About()
    assert about(published("a100x8-nvswitch-ar")) == About()


@pytest.mark.parametrize("bad", [3, None, pd.DataFrame({"nbytes": [8]}), pd.DataFrame({"table": [0]}), "nbytes"])
def test_what_was_not_read_from_a_log_has_no_parts(bad):
    with pytest.raises(ValueError, match="frame must be a table as read_measurements returns it; got (?!None)" if bad is not None
                       else "frame must be a table as read_measurements returns it; got None"):
        apart(bad)


def test_every_problem_of_a_log_is_a_problem_of_one_of_its_parts():
    whole = nccl(run("all_reduce"))
    cut = whole.splitlines()[-4][:60]
    frame = read_measurements(whole.replace(f"maxBytes {SIZES[-1]}", f"maxBytes {SIZES[0]}") + cut + "\n" + whole)
    first, second = apart(frame)
    assert len(frame.attrs["problems"]) == 2
    assert sorted(first.attrs["problems"] + second.attrs["problems"]) == sorted(frame.attrs["problems"])
    assert dataclasses.replace(about(first), problems=()) == about(second)
