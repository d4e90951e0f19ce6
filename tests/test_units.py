"""Units: text to SI numbers and back; bits are not bytes, GiB is not GB."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib import units


@pytest.mark.parametrize(("text", "wanted"), [
    ("450 GB/s", 4.5e11), ("450GB/s", 4.5e11), ("400 Gb/s", 5e10), ("400 Gbps", 5e10), ("50 GBps", 5e10), ("1 TB/s", 1e12),
    ("64 KiB", 65536), ("1 GiB", 2**30), ("1 GB", 1e9), ("1 kB", 1e3), ("1 KB", 1e3), ("8 b", 1), ("8 Gb", 1e9), ("1e3 B", 1e3),
    ("2.5 us", 2.5e-6), ("2.5 µs", 2.5e-6), ("2.5 μs", 2.5e-6), ("600 ns", 6e-7), ("1 min", 60), ("1 h", 3600), ("1 d", 86400),
    ("1 year", 365.25 * 86400), ("5 pJ", 5e-12), ("1 kWh", 3.6e6), ("700 W", 700), ("1 MW", 1e6), (".5 s", 0.5), ("  3 s ", 3),
    ("-3 s", -3), ("+3 s", 3), ("12 %", 0.12), ("3 x", 3), ("1 PiB", 2.0**50),
    ("1/2 MB", 5e5), ("63/4 GB/s", 15.75e9), ("2*7/8 GB", 1.75e9), ("2 × 3 s", 6), ("1 week", 604800), ("6 months",
    365.25 * 43200),
    ("2 yrs", 730.5 * 86400), ("3 weeks", 1814400), ("5 secs", 5), ("3 usec", 3e-6), ("2 hrs", 7200), ("3 Gbit/s", 3.75e8),
    ("3 GB per second", 3e9), ("3 GB/sec", 3e9), ("4 gigabits/s", 5e8), ("5 picojoules", 5e-12), ("7 kilowatts", 7e3),
    ("2 GByte", 2e9),
    ("54 seconds", 54), ("0.7 Microseconds", 7e-7), ("2 hours", 7200), ("270 kilobytes", 2.7e5), ("8 bits", 1),
])
def test_parse(text, wanted):
    assert units.parse(text) == pytest.approx(wanted, rel=1e-15, abs=0)


def test_a_gigabit_is_an_eighth_of_a_gigabyte():
    assert units.parse("1 Gb/s") * 8 == units.parse("1 GB/s") == 1e9
    assert units.parse("1 GiB") / units.parse("1 GB") == pytest.approx(1.073741824)
    assert units.Gb * 8 == units.GB


@pytest.mark.parametrize("kind", units.KINDS)
def test_each_kind_takes_its_own_units_only(kind):
    for other, table in units.KINDS.items():
        for unit in table:
            if unit in units.KINDS[kind]:
                assert units.parse(f"2 {unit}", kind) == pytest.approx(2 * units.KINDS[kind][unit])
            elif unit:
                with pytest.raises(ValueError, match=f"unit of {other}"):
                    units.parse(f"2 {unit}", kind)


@pytest.mark.parametrize(("text", "named"), [
    ("", "not a number"), ("GB/s", "not a number"), ("fast", "not a number"), ("4 5 GB", "not a number"), ("1,5 GB", "comma"),
    ("1,000 B", "comma"), ("450", "no unit"), ("450 gb/s", "GB/s or Gb/s"), ("450 GBs", "Did you mean"), ("450 mb", "Mb"),
    ("1e999 B", "too large"), ("1e308 TB", "too large"), ("４ B", "not a number"), ("٤ B", "not a number"),
    ("-4 B", "less than no bytes"), ("-1 Gb", "less than no bytes"),
    ("nan B", "not a number"), ("inf B", "not a number"), ("450 parsec", "unit 'parsec'"),
    (None, "text must"), (450, "text must"), (b"4 B", "text must"), ("9" * 201 + " B", "text must"), (["4 B"], "text must"),
    ("1/0 B", "divides by zero"), ("1/ B", "not a number"), ("4 / 5", "no unit"), ("1//2 B", "not a number"),
    ("4 <b>", "unit"), ("4 " + "z" * 150, "unit"),
])
def test_what_cannot_be_read_is_explained(text, named):
    with pytest.raises(ValueError, match=named) as caught:
        units.parse(text)
    assert len(str(caught.value)) < 1000
    with pytest.raises(ValueError, match="text must.*got an integer of 16610 bits"):
        units.parse(10**5000)


@pytest.mark.parametrize("kind", units.KINDS)
def test_an_unknown_unit_names_a_few_and_no_wall_of_spellings(kind):
    with pytest.raises(ValueError, match="unit 'parsec' is not known") as caught:
        units.parse("3 parsec", kind)
    assert len(str(caught.value)) < 180
    assert "Usual: " in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [
    ("1,5 GB", "'1,5 GB' has a comma. Write a number and a unit, such as '64 KiB', with a point for decimals and nothing between "
     "thousands."),
    ("many GB", "'many GB' is not a number with a unit. Write a number and a unit, such as '64 KiB'."),
    ("1/0 GB", "'1/0 GB' divides by zero."),
    ("7", "'7' has no unit. Write a number and a unit, such as '64 KiB'."),
    ("1e308 GB", "'1e308 GB' is too large to hold. Write a number and a unit, such as '64 KiB'."),
    ("-1 GB", "'-1 GB' is less than no bytes. Write a number and a unit, such as '64 KiB'."),
    ("3 parsec", "unit 'parsec' is not known. Write a number and a unit, such as '64 KiB'."),
    ("450 GBs", "unit 'GBs' is not known. Did you mean 'GBps' or 'GB/s'? Write a number and a unit, such as '64 KiB'."),
    ("450 gb/s", "'gb/s' could be read in more than one way or is misspelt: did you mean GB/s or Gb/s? (B is a byte, b a bit.) "
     "Write a number and a unit, such as '64 KiB'."),
])
def test_a_refusal_shows_the_text_and_an_example(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        units.parse(text)


def test_the_ends_of_what_is_read():
    longest = "1 GB".rjust(units.LONGEST_TEXT)
    assert units.parse(longest) == 1e9
    with pytest.raises(ValueError, match="text must be a short string"):
        units.parse(f" {longest}")
    assert units.parse("0 B") == 0


def test_a_unit_of_another_kind_is_told_from_what_is_asked_for():
    with pytest.raises(ValueError, match="^'GB' is a unit of size; a rate is asked for. Write a number and a unit, such as"):
        units.parse("450 GB", "rate")


def test_unknown_kind():
    with pytest.raises(ValueError, match="^kind .*Did you mean 'rate'"):
        units.parse("4 B/s", "rates")


@pytest.mark.parametrize(("value", "unit", "wanted"), [
    (4.5e11, "B/s", "450 GB/s"), (5e10, "b/s", "50 Gb/s"), (65536, "B", "64 KiB"), (1000, "B", "1 kB"), (1024, "B", "1 KiB"),
    (2**30, "B", "1 GiB"), (2**60, "B", "1024 PiB"), (1e9, "B", "1 GB"), (999.9e6, "B", "1 GB"), (0.5, "B", "0.5 B"),
    (512, "B", "512 B"), (0, "s", "0 s"), (2.386e-3, "s", "2.39 ms"), (6e-7, "s", "600 ns"), (59.99, "s", "1 min"),
    (59.94, "s", "59.9 s"), (3599, "s", "1 h"), (3590, "s", "59.8 min"), (86399, "s", "1 day"), (106661, "s", "1.23 days"),
    (-3599, "s", "-1 h"), (365.2 * 86400, "s", "365 days"), (365.25 * 86400, "s", "1 year"),
    (-0.0, "B", "0 B"), (-0.0, "s", "0 s"),
    (60, "s", "1 min"), (86400, "s", "1 day"), (2 * 86400, "s", "2 days"), (5e-12, "J", "5 pJ"), (1.2e7, "W", "12 MW"),
    (math.inf, "s", "inf s"),
    (1e-15, "s", "0.001 ps"), (1e24, "B", "1000000 EB"), (1e21, "B/s", "1000 EB/s"), (1.2e21, "b/s", "1200 Eb/s"),
    (-3e-3, "s", "-3 ms"),
])
def test_format(value, unit, wanted):
    assert units.format(value, unit) == wanted


@given(st.floats(1e-12, 1e15), st.sampled_from(["B", "B/s", "b/s", "s", "J", "W"]))
def test_format_and_parse_are_inverse_to_the_digits_shown(value, unit):
    shown = units.format(value, unit, digits=6)
    bits = 8 if unit == "b/s" else 1
    assert units.parse(shown) * bits == pytest.approx(value, rel=1e-5, abs=1e-17)


@pytest.mark.parametrize("power", range(10, 60))
def test_a_power_of_two_keeps_all_its_bytes(power):
    shown = units.format(2.0**power)
    assert units.parse(shown) == 2**power
    assert shown.endswith("iB")


@pytest.mark.parametrize("unit", ["B", "B/s", "b/s"])
def test_there_are_no_thousandths_of_a_byte_or_a_bit(unit):
    assert units.format(0.004, unit) == f"0.004 {unit}"


def test_a_portion_is_in_hundredths_of_the_whole():
    assert [units.portion(part) for part in (0, 0.125, 1)] == ["0 %", "12 %", "100 %"]


def test_format_refuses_other_units():
    with pytest.raises(ValueError, match="unit 'GB'"):
        units.format(1.0, "GB")


@pytest.mark.parametrize(("arguments", "message"), [
    ((None,), "value must be one number that a float can hold; got None."),
    (([1],), r"value must be one number that a float can hold; got \[1\]."),
    (("1",), "value must be one number that a float can hold; got '1'."),
    ((10**400,), "value must be one number that a float can hold; got an integer of 1329 bits."),
    ((1, "B", 0), "digits must be a whole number from 1 to 15; got 0."),
    ((1, "B", None), "digits must be a number"),
])
def test_format_refuses_what_is_no_number(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        units.format(*arguments)
