"""The tables of a log by themselves: each with its rows and with what is known of it."""

from written_logs import Run, nccl

import fabriclib as fl

WELL = nccl(Run("all_reduce", 8, 1, [2**29, 2**30], [2150.0, 4150.0], [2150.0, 4150.0]))
SOCKET = "node1:43:61 [0] NCCL INFO Using network Socket\n# Using devices"
TCP = nccl(Run("all_reduce", 16, 2, [2**29], [80e3], [80e3], named=False)).replace("# Using devices", SOCKET)


def test_each_table_keeps_its_own_problems_notes_and_hints():
    odd = WELL.replace("maxBytes 1073741824", "maxBytes 536870912")
    first, second, third = fl.apart(fl.read_measurements(odd + TCP + WELL))
    assert [len(one) for one in (first, second, third)] == [2, 1, 2]
    assert [bool(one.attrs["problems"]) for one in (first, second, third)] == [True, False, False]
    assert [fl.compare(one, "dgx-h100").alarm for one in (first, second, third)] == [False, True, False]
    assert second.attrs["notes"] == ["the log names no collective; all_reduce from its columns"]
    assert second.attrs["hints"] == ["NCCL says that it uses TCP sockets"]
    assert third.attrs["notes"] == []
    assert first.nbytes.tolist() == third.nbytes.tolist() == [2**29, 2**30]


def test_a_log_of_one_table_is_that_table():
    frame = fl.read_measurements(WELL)
    assert fl.apart(frame)[0] is frame
