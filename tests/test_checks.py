"""Input checks: what passes comes out as plain wide numbers; what does not is named, shown and told what is allowed."""

import doctest
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib.checks import LEAST, MAX_RANKS, MOST, count, known, number, short, single, together, typed, whole

NOT_NUMBERS = [None, "8", b"8", {}, object(), 1 + 2j, True, np.array([True]), [], (), np.array([]), [[1], [2, 3]], ["a"], [None]]


@pytest.mark.parametrize("bad", [*NOT_NUMBERS, float("nan"), float("inf"), -1, 0, [1, float("nan")], [1, -1], [1, float("inf")],
                                 10**400, -(10**400)], ids=lambda bad: repr(bad)[:20])
def test_number_refuses_and_names(bad):
    with pytest.raises(ValueError, match="^size must "):
        number("size", bad)


@pytest.mark.parametrize("bad", [*NOT_NUMBERS, float("nan"), float("inf"), 0, -3, 2.5, [1, 2.5], [1, 0], 10**30, MAX_RANKS + 1],
                         ids=lambda bad: repr(bad)[:20])
def test_whole_refuses_and_names(bad):
    with pytest.raises(ValueError, match="^ranks must "):
        whole("ranks", bad)


def test_errors_show_the_value_and_what_is_allowed():
    for call, message in (
        (lambda: number("n", -2.5), "n must be a number greater than 0; got -2.5."),
        (lambda: number("n", -2.5, zero=True), "n must be a number at least 0; got -2.5."),
        (lambda: number("n", [3, 30], high=10), "n must be a number greater than 0 and at most 10; got 30."),
        (lambda: number("n", "x" * 100), f"n must be a number or an array of numbers; got '{'x' * 56}...."),
        (lambda: number("n", 10**400), "n must be a number a float can hold; got an integer of 1329 bits."),
        (lambda: number("n", 1.0000001e18, high=1e18), "n must be a number greater than 0 and at most 1e+18; got 1.0000001e+18."),
        (lambda: number("n", [1, math.inf]), "n must be a finite number greater than 0; got inf."),
        (lambda: number("n", math.nan, high=3), "n must be a finite number greater than 0 and at most 3; got nan."),
        (lambda: number("n", [10**5000]), "n must be a number or an array of numbers; got a list."),
        (lambda: whole("n", 3, low=4, high=8), "n must be a whole number from 4 to 8; got 3."),
        (lambda: whole("n", 10**5000, high=8), "n must be a whole number from 1 to 8; got an integer of 16610 bits."),
        (lambda: whole("n", np.array([3, 9]), high=8), "n must be a whole number from 1 to 8; got 9."),
        (lambda: whole("n", 1.0000001), f"n must be a whole number from 1 to {MAX_RANKS}; got 1.0000001."),
        (lambda: count("n", [1, 2]), "n must be one number, not an array; got array([1, 2])."),
        (lambda: single("n", np.array([1.5])), "n must be one number, not an array; got array([1.5])."),
        (lambda: whole("n", [5, 2.5]), f"n must be a whole number from 1 to {MAX_RANKS}; got 2.5."),
    ):
        with pytest.raises(ValueError, match="must") as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize(("bad", "says"), [
    (5e-324, "a number at least 1e-30; got 4.94066e-324"), (1e308, r"a number greater than 0 and at most 1e\+30; got 1e\+308"),
    (np.longdouble("1e4000"), "a finite number greater than 0; got inf"),
    ([1.0, 5e-324], "a number at least 1e-30; got 4.94066e-324"),
], ids=["tiny", "huge", "wider than a float", "a tiny one among others"])
def test_no_quantity_is_so_large_or_small_that_arithmetic_fails(bad, says):
    with pytest.raises(ValueError, match=f"^size must be {says}"):
        number("size", bad)


def test_tiny_numbers_pass_where_zero_does():
    assert number("alpha", 5e-324, zero=True) == 5e-324
    assert number("share", 1e-40, low=-1.0) == 1e-40


@given(st.floats(LEAST, MOST))
def test_numbers_pass_unchanged(value):
    assert number("n", value) == value
    assert type(number("n", value)) is float
    assert number("n", [value]).tolist() == [value]


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint8, np.uint64, np.float16, np.float32, np.float64])
def test_narrow_types_come_out_wide(kind):
    assert number("n", np.array([100, 3], dtype=kind)).dtype == np.float64
    assert whole("n", np.array([100, 3], dtype=kind)).dtype == np.int64
    assert type(number("n", kind(100))) is float
    assert type(whole("n", kind(100))) is int


def test_limits_are_where_they_are_said_to_be():
    assert number("n", 0, zero=True) == 0.0
    assert number("n", 10, high=10) == 10
    assert whole("n", 4, low=4, high=4) == 4
    with pytest.raises(ValueError, match="n must"):
        number("n", math.nextafter(10, 11), high=10)


@pytest.mark.parametrize(("given_name", "suggested"), [
    ("nvlnik4", "'nvlink4'"), ("NVLINK4", "'nvlink4'"), ("pci5", "'pcie5'"), ("zzz", None), ("", None), (None, None),
    (4, None), ("x" * 10_000, None), (["nvlink4"], "'nvlink4'"),
])
def test_unknown_names_suggest_the_nearest(given_name, suggested):
    with pytest.raises(ValueError, match="Known: nvlink4, pcie5") as caught:
        known("link", given_name, ["nvlink4", "pcie5"])
    assert len(str(caught.value)) < 200
    assert ("Did you mean" in str(caught.value)) == (suggested is not None)
    assert suggested is None or suggested in str(caught.value)


def test_known_names_pass():
    assert known("link", "pcie5", (name for name in ("nvlink4", "pcie5"))) == "pcie5"


def test_a_count_is_one_whole_number():
    assert count("n", np.array(8)) == count("n", 8.0) == 8
    assert single("n", 2.5) == 2.5
    with pytest.raises(ValueError, match="n must be a whole number"):
        count("n", 2.5)
    with pytest.raises(ValueError, match="^n must"):
        count("n", [[1], [2, 3]])


class Unprintable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(("value", "wanted"), [("x", "'x'"), (10**5000, "an integer of 16610 bits"), ([10**5000], "a list"),
                                               (Unprintable(), "a Unprintable"), ("x" * 99, "'" + "x" * 56 + "...")],
                         ids=["text", "integer", "list", "object", "long"])
def test_any_value_fits_into_a_message(value, wanted):
    assert short(value) == wanted


def test_unknown_names_list_forty_of_the_known():
    names = [f"gpu{i}" for i in range(5000)]
    with pytest.raises(ValueError, match=r"gpu39 and 4960 more\.$"):
        known("node", "gpu-1", names)
    with pytest.raises(ValueError, match=r"gpu38, gpu39\.$"):
        known("node", 10**5000, names[:40])


class Wire:
    _example = "wire('thin')"


@typed
def joined(a: Wire, text: str = "", many: Sequence[Wire | int] = (), flag: bool = False, other: Wire | None = None, size: int = 1,
           call: Callable[[], int] | None = None, some: np.ndarray | None = None, more=None):
    """Return how many of *many* there are.

    >>> joined(Wire())
    0
    """
    return len(many)


@pytest.mark.parametrize(("arguments", "says"), [
    ({"a": "thin"}, r"a must be a Wire, such as wire\('thin'\); got 'thin'"), ({"a": None}, "a must be a Wire"),
    ({"text": ["a"]}, r"text must be a text; got \['a'\]"), ({"many": Wire}, "many must be a list of Wire or int"),
    ({"many": [1, True]}, "many must be a list"), ({"many": "ab"}, "many must be a list"),
    ({"flag": 1}, "flag must be True or False"),
    ({"flag": np.True_}, "flag must be"), ({"other": 3}, "other must be a Wire, .* or None; got 3"),
    ({"call": 3}, "call must be a function or None"), ({"some": [1]}, "some must be a NumPy array or None"),
])
def test_what_is_annotated_is_checked(arguments, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        joined(**{"a": Wire()} | arguments)


def test_what_fits_passes_and_numbers_are_left_to_the_function():
    assert joined(Wire(), "x", [Wire(), 2], True, Wire(), "ten", len, np.ones(1), object()) == 2
    assert joined(Wire(), many=(Wire(),), other=None) == 1
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        joined()
    with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
        joined(Wire(), b=1)


def test_the_examples_of_a_checked_function_are_still_found():
    found = doctest.DocTestFinder(exclude_empty=True).find(sys.modules[__name__])
    assert f"{__name__}.joined" in [test.name for test in found]


@typed
@dataclass(frozen=True)
class Reel:
    wire: Wire
    metres: float
    turns: int = 1

    def __post_init__(self):
        number("metres", self.metres)


def test_the_fields_of_a_record_are_checked_numbers_too():
    assert replace(Reel(Wire(), 2), metres=np.float32(2.5)).metres == 2.5
    for arguments, says in (((3, 2), "wire must be a Wire"),
                            ((Wire(), "2"), "metres must be a number; got '2'"),
                            ((Wire(), [2.0]), "metres must be a number"), ((Wire(), 2, 2.5), "turns must be a whole number"),
                            ((Wire(), 2, True), "turns must be"),
                            ((Wire(), -2), "metres must be a number greater than 0; got -2")):
        with pytest.raises(ValueError, match=f"^{says}"):
            Reel(*arguments)


def test_shapes_that_do_not_broadcast_are_named():
    together(nbytes=np.ones((3, 1)), ranks=[2, 4], alpha=1.0)
    together()
    with pytest.raises(ValueError, match=r"^a and b must have shapes that broadcast; got \(2,\) and \(2, 3\)\.$"):
        together(a=[1, 2], b=np.ones((2, 3)), c=0)


@pytest.mark.parametrize("metres", [np.float16(2.5), np.float32(2.5), np.longdouble(2.5), np.array(2.5), Fraction(5, 2)])
def test_a_number_among_the_fields_comes_out_wide(metres):
    assert type(Reel(Wire(), metres).metres) is float
    assert type(Reel(Wire(), metres=metres, turns=np.int8(100)).turns) is int
