"""Matrices of pairs, as each tool prints them, are read pair by pair and set beside the model."""

import pytest
from written_tools import MATRICES, NCCL, PREFIXES, prefixed

import fabriclib as fl
from fabricbook.lessons.one_server.tables import printed_matrix
from fabriclib import catalog, copies
from fabriclib.measurements import read_measurements, read_pairs

WANTED = {("gpu0", "gpu1"): 10e9, ("gpu0", "gpu2"): 20e9, ("gpu1", "gpu0"): 30e9, ("gpu1", "gpu2"): 40e9, ("gpu2", "gpu0"): 50e9,
          ("gpu2", "gpu1"): 60e9}


def pairs(frame) -> dict:
    return {(a, b): rate for a, b, rate in zip(frame["src"], frame["dst"], frame["bytes_per_s"], strict=True)}


@pytest.mark.parametrize("tool", MATRICES)
def test_each_tool_is_read_whatever_stands_before_its_lines(tool):
    for prefix in ("", PREFIXES["kubectl"], PREFIXES["openmpi"], PREFIXES["journald"], PREFIXES["quoted"]):
        frame = read_pairs(prefixed(MATRICES[tool], prefix))
        assert pairs(frame) == pytest.approx(WANTED)
        assert set(frame["direction"]) == {"one way"}
        assert set(frame["table"]) == {0}


def test_what_is_both_ways_and_what_comes_from_the_host_is_said():
    two = MATRICES["nvbandwidth writes"].replace("->", "<->")
    assert set(read_pairs(two)["direction"]) == {"one way, the other busy"}
    assert set(read_pairs(two.replace("bandwidth (", "Total bandwidth ("))["direction"]) == {"both"}
    assert set(read_pairs(MATRICES["TransferBench"].replace("Unidir", "Bidir"))["direction"]) == {"both"}
    host = read_pairs("memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)\n     0      1\n0   26.00   27.00\n")
    assert pairs(host) == {("gpu0", "cpu0"): 26e9, ("gpu1", "cpu0"): 27e9}


def test_processors_and_chips_under_one_count_are_told_apart():
    listed = ("Device: 0,  AMD EPYC 9554 64-Core Processor\nDevice: 1,  AMD Instinct MI300X,  GPU-XX,  c2:0.0\n"
              "Device: 2,  AMD EPYC 9554 64-Core Processor\nDevice: 3,  AMD Instinct MI300X,  GPU-YY,  c3:0.0\n")
    rows = ["D/D  0  1  2  3", "0  N/A  1.0  2.0  3.0", "1  4.0  N/A  5.0  6.0", "2  7.0  8.0  -  9.0", "3  10.0  11.0  12.0  -"]
    found = pairs(read_pairs("\n".join([listed, "Bidirectional copy peak bandwidth GB/s", "", *rows, ""])))
    assert len(found) == 12
    assert (found["cpu0", "gpu0"], found["cpu0", "cpu1"], found["gpu0", "gpu1"], found["gpu1", "cpu1"]) == (1e9, 2e9, 6e9, 12e9)


def test_matrices_of_one_log_stay_apart():
    frame = read_pairs("".join(MATRICES.values()))
    assert frame["table"].nunique() == len(MATRICES)
    assert frame.groupby("table")["tool"].first().nunique() == 4


def test_a_title_and_the_header_below_it_are_of_one_matrix():
    title = "Unidirectional copy peak bandwidth GB/s"
    body = "SRC\\DST   GPU 00   GPU 01\nGPU 00   N/A   10.00\nGPU 01   30.00   N/A\n"
    frame = read_pairs(f"{title}\n{body}{body}")
    assert frame["test"].unique().tolist() == [title, body.split("\n")[0]]
    assert frame["table"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("text", "said"), [
    (MATRICES["nvbandwidth writes"].replace("     40.00", ""), r"^line 6: a row of 2 pairs below 3 devices"),
    (MATRICES["nvbandwidth writes"].replace("40.00", "4O.00"), r"^line 6: the rate from gpu1 to gpu2 cannot be read"),
    (NCCL, r"^line 4: the log ends and no matrix of pairs"), ("a\nb\n", "no matrix of pairs")])
def test_what_is_no_matrix_is_refused_with_its_line(text, said):
    with pytest.raises(ValueError, match=said):
        read_pairs(text)


@pytest.mark.parametrize("tool", MATRICES)
def test_the_reader_of_collectives_names_the_one_for_pairs(tool):
    with pytest.raises(ValueError, match=r"^line \d+: this is a matrix of pairs as .* prints it; read it with read_pairs"):
        read_measurements(MATRICES[tool])
    assert len(read_measurements(NCCL + MATRICES[tool])) == 2


def test_a_published_matrix_printed_again_is_beside_the_model_as_it_was():
    for table in ("gb200x4-p2p", "a100x8-p2p"):
        cells = catalog.row("p2p_tables", table)
        found = copies.beside_pairs(read_pairs(printed_matrix(table)), cells["server"], cells["copy"])
        wanted = copies.beside(table)
        assert found[["from", "to"]].values.tolist() == wanted[["from", "to"]].values.tolist()
        assert found["error"].tolist() == pytest.approx(wanted["error"].tolist(), abs=1e-3)


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: frame[:0], "one matrix"), (lambda frame: None, "what read_pairs returns"),
    (lambda frame: frame.assign(table=range(len(frame))), "pairs.table == 0")])
def test_what_cannot_be_set_beside_the_model_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        fl.copies.beside_pairs(change(read_pairs(MATRICES["TransferBench"])), "hgx-h100", "nvlink")
