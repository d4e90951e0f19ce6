"""What a job's numbers become: cases of one length; and the first rule that one of them breaks is what is said."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from refusals import refused

from fabriclib.workloads.job import Rule, cases, divisors, meeting, multiples, nearest

ASKED = SimpleNamespace(axes={"tp": np.array([1, 2, 3, 4]), "pp": np.array([5, 6, 7, 8])})
ALL = np.ones(4, dtype=bool)


def told(case, job) -> str:
    return f"tp and pp must fit; got {case['tp']} and {case['pp']} of {len(job.axes)} axes."


def never(case, job) -> str:
    raise AssertionError("said of a rule that is met")


def test_numbers_and_arrays_are_cases_of_one_length():
    axes, shape = cases({"tp": [[1], [2]], "pp": [3, 4, 5], "cp": 6}, {})
    assert shape == (2, 3)
    assert {axis: values.tolist() for axis, values in axes.items()} == {
        "tp": [1, 1, 1, 2, 2, 2], "pp": [3, 4, 5, 3, 4, 5], "cp": [6] * 6}
    assert {values.dtype for values in axes.values()} == {np.dtype(np.int64)}


def test_numbers_alone_are_one_case_without_a_shape():
    axes, shape = cases({"tp": 8, "pp": 2.0}, {})
    assert shape == ()
    assert {axis: values.tolist() for axis, values in axes.items()} == {"tp": [8], "pp": [2]}


@pytest.mark.parametrize(("numbers", "said"), [
    ({"tp": 0}, "tp must be a whole number from 1 to 100000; got 0."),
    ({"tp": 100_001}, "tp must be a whole number from 1 to 100000; got 100001."),
    ({"seq": 301}, "seq must be a whole number from 1 to 300; got 301."),
    ({"tp": [1, 2.5]}, "tp must be a whole number from 1 to 100000; got 2.5."),
    ({"tp": [1, 2], "pp": [1, 2, 3]}, "tp and pp must have shapes that broadcast; got"),
])
def test_numbers_that_are_no_cases_are_refused_by_name(numbers, said):
    with refused(said):
        cases(numbers, {"seq": 300})


def test_an_axis_may_go_as_far_as_its_own_limit():
    assert cases({"seq": 200_000, "tp": 100_000}, {"seq": 200_000})[0]["seq"].tolist() == [200_000]


def test_a_job_that_meets_every_rule_is_what_it_was():
    assert meeting(ASKED, [Rule(ALL, never), Rule(np.array(True), never)]) is ASKED
    assert meeting(ASKED, []) is ASKED


def test_the_first_case_that_breaks_a_rule_is_the_one_that_is_told():
    with refused("tp and pp must fit; got 2 and 6 of 2 axes."):
        meeting(ASKED, [Rule(ALL, never), Rule(np.array([True, False, True, False]), told)])


def test_the_first_rule_that_is_broken_is_the_one_that_is_told_though_an_earlier_case_breaks_a_later_rule():
    with refused("tp and pp must fit; got 4 and 8 of 2 axes."):
        meeting(ASKED, [Rule(np.array([True, True, True, False]), told), Rule(np.array([False, True, True, True]), never)])


def test_no_rule_is_looked_at_after_one_that_is_broken():
    def rules():
        yield Rule(~ALL, told)
        raise AssertionError("asked for another rule")

    with refused("tp and pp must fit; got 1 and 5 of 2 axes."):
        meeting(ASKED, rules())


@pytest.mark.parametrize(("value", "words"), [(5, "4 or 6"), (1, "2"), (13, "12"), (6, "4 or 12")])
def test_the_nearest_of_what_is_allowed_stand_on_both_sides(value, words):
    assert nearest(value, [12, 2, 6, 4, 4]) == words


@pytest.mark.parametrize(("value", "words"), [(30, "24 or 32"), (5, "8"), (8, "8 or 16")])
def test_multiples_stand_on_both_sides_and_none_is_no_multiple(value, words):
    assert multiples(value, 8) == words


@pytest.mark.parametrize("number", [1, 2, 12, 49, 97, 360])
def test_divisors_are_all_there_are_each_once(number):
    assert sorted(divisors(number)) == [one for one in range(1, number + 1) if math.gcd(one, number) == one]
