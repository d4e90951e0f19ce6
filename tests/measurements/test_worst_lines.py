"""No pasted line and no strange file can hang the reader."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pandas  # loaded before memory is counted
import pytest
import worst_lines
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import PATIENCE

import fabriclib
from fabricbook.course.declare import Prediction
from fabriclib.measurements import read_measurements
from fabriclib.measurements.lines import LONGEST, numbered


def outcome_of(command: list[str]) -> tuple[bool, str]:
    """Return (whether it ended, what it printed) of a process, which is killed where it hangs."""
    home = str(Path(fabriclib.__file__).resolve().parents[1])
    try:
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=PATIENCE, check=False,
                              env=os.environ | {"PYTHONPATH": home})
    except subprocess.TimeoutExpired as hung:
        return False, (hung.stdout or b"").decode()
    return True, done.stdout + done.stderr


def test_every_pattern_has_its_worst_lines():
    assert set(worst_lines.patterns()) == set(worst_lines.WORST)
    assert worst_lines.uncompiled() == []


def test_no_pattern_goes_back_over_its_worst_lines():
    ended, said = outcome_of([worst_lines.__file__])
    assert ended, f"hangs in {said.split()[-1]}"
    assert said.split()[-1] == "done", said


PASTED = """
from fabricbook.course.declare import Prediction
from fabriclib.measurements import read_measurements
from fabriclib.measurements.lines import LONGEST
RUN = "# all_reduce_perf\\n 1048576 262144 float sum -1 104.9 10.00 17.50 0\\n"
LINES = [
    "# OSU MPI" + " " * 30_000 + "x", "# OSU MPI" + " " * (LONGEST - 20) + "x", "# OSU MPI x" + " Latency" * 500,
    "# Rank 1 " + "on x " * 800, "# " + "Rank 1 on x " * 330, "nbytes" + " (" * 2000 + ",seconds", "size" + "_" * 4000 + "|time",
    "nbytes,seconds\\n" + "-" * 4000 + "x", "nbytes|seconds\\n|" + "- " * 2000 + "x", "Avg bus bandwidth : 1" + " " * 4000 + "x",
]
for line in LINES:
    print(line[:30].split("\\n")[-1], flush=True)
    assert len(read_measurements((line + "\\n") * 200 + RUN)) == 1
try:
    Prediction("moving_bytes.a", "?", "ratio", lambda: 1, "", unit="GPUs").parse("8" + " " * 3_000_000 + "x")
except ValueError:
    print("done")
"""


def test_crafted_lines_are_read_as_fast_as_any():
    ended, said = outcome_of(["-c", PASTED])
    assert ended, f"hangs after {said[-60:]}"
    assert said.split()[-1] == "done", said


@settings(max_examples=200)
@given(st.sampled_from(["# OSU MPI Allreduce Latency Test v7", "#OSU  MPI-CUDA  Bandwidth / Message Rate Test", "# OSU NCCL Test",
                        "# OSU RCCL-ROCM Blocking  Allgather  Latency Test", "# OSU MPI Multi Latency Test"]),
       st.lists(st.tuples(st.integers(0, 60), st.sampled_from([" ", "# OSU MPI ", "Latency Test", "x", " / "])), max_size=4))
def test_no_title_is_anything_but_a_title(title, inserted):
    from fabriclib.measurements.osu import title_of

    for at, piece in inserted:
        title = title[:at] + piece + title[at:]
    found = title_of(title)
    assert found is None or found.rates == ("Latency Test" not in title or title.find("Bandwidth") != -1)


def test_a_line_is_bounded_before_a_pattern_sees_it():
    text = "x" * (LONGEST - 2) + "\n" + "x" * (10 * LONGEST) + "\né\n"
    assert [len(line) for _, line in numbered(text)] == [LONGEST - 2, 0, 1]


@pytest.mark.parametrize(("text", "value"), [("8 GPUs", 8), ("8gpu", 8), (" 8  gpus ", 8), ("8", 8)])
def test_a_noun_is_taken_off_an_answer_without_a_pattern(text, value):
    assert Prediction("moving_bytes.a", "?", "ratio", lambda: 1, "", unit="GPUs").parse(text) == value


def test_a_device_a_pipe_and_a_folder_are_no_logs(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", "/dev/null", str(tmp_path / "pipe"), tmp_path / "pipe", tmp_path):
        with pytest.raises(ValueError, match=r"^line 1: path_or_text .*(no regular file|Is a directory)"):
            read_measurements(path)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs /proc")
@pytest.mark.parametrize("path", ["/proc/self/mem", "/proc/self/pagemap", "/proc/self/maps"])
def test_what_the_system_shows_of_itself_is_no_log(path):
    with pytest.raises(ValueError, match=r"^line 1: the log is empty"):
        read_measurements(path)


def test_a_file_that_fails_while_it_is_read_is_a_sentence(tmp_path, monkeypatch):
    from fabriclib.measurements import lines

    class Failing:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def peek(self, most):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(lines, "_opened", lambda source: Failing())
    with pytest.raises(ValueError, match=r"^line 1: path_or_text 'a.log' cannot be read \(Input/output error\)"):
        read_measurements("a.log")


RUN = "# all_reduce_perf\n 1048576 262144 float sum -1 104.9 10.00 17.50 0\n"


def test_memory_in_any_shape_is_read_and_released_memory_is_a_sentence():
    spread = bytes(byte for letter in RUN.encode() for byte in (letter, 0))
    assert len(read_measurements(memoryview(spread)[::2])) == 1
    gone = memoryview(b"abc")
    gone.release()
    with pytest.raises(ValueError, match=r"^line 1: path_or_text .*cannot be read"):
        read_measurements(gone)


def peak_of(log) -> float:
    tracemalloc.start()
    try:
        read_measurements(log)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_text_is_not_copied():
    text = "node1:43:61 [0] NCCL INFO Channel 00/16 : 0 1 2 3 4 5 6 7 \u00b5\n" * 100_000 + RUN
    assert peak_of(text) < 1e6 < len(text)


def test_many_tables_become_one_frame_and_not_a_frame_each(monkeypatch):
    made, new = [], pandas.DataFrame.__init__
    monkeypatch.setattr(pandas.DataFrame, "__init__", lambda self, *args, **rest: made.append(1) or new(self, *args, **rest))
    sizes = [4 * size for size in range(500, 0, -1)]
    frame = read_measurements("# all_reduce_perf\n" + "".join(f"{size} 1 float sum -1 1000.0 0.0 0.0 0\n" for size in sizes))
    assert len(made) < 10
    assert frame["nbytes"].tolist() == sizes
    assert frame["table"].tolist() == list(range(500))


def test_what_is_wrong_in_many_tables_is_listed_once_for_all():
    rows = "".join(f"{size} 1 float sum -1 1000.0 0.0 0.0 7\n" for size in range(4000, 0, -4))
    problems = read_measurements("# all_reduce_perf\n" + rows).attrs["problems"]
    assert len(problems) == 21
    assert problems[-1] == f"{1000 - 20} more problems of this kind are not listed"
