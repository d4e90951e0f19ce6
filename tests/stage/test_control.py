"""A control: what may be picked, where it stands, and what is refused."""

import numpy as np
import pytest

from fabricbook.stage import Control


def test_every_listed_value_stands_at_its_own_position():
    for values in (range(1, 19), np.geomspace(1e-9, 1e-3, 61), [2**k for k in range(40)], ["a", "b"]):
        values = list(values)
        control = Control("c", values, default=values[0])
        assert [control.position(value) for value in values] == list(range(len(values)))


def test_numpy_values_become_plain_python_ones():
    control = Control("c", np.arange(3), default=np.int64(1))
    assert [type(value) for value in (*control.values, control.default)] == [int] * 4


def test_rounding_in_a_log_scale_does_not_hide_a_value():
    assert Control("c", [1e-6 * (1 + 1e-13), 1.0], default=1.0).position(1e-6) == 0


@pytest.mark.parametrize("value", [0, 19, 2.5, -1, float("nan"), float("inf"), True, None, "3", "", [3], np.array([3, 4]),
                                   10**400, -(10**400), np.longdouble("1e4000"), np.uint8(200), np.float16(6e4), 1 + 2j])
def test_a_value_not_listed_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"links must be one of 18 values from 1 to 18; got "):
        Control("links", range(1, 19), default=18).position(value)


def test_a_narrow_number_is_compared_with_a_wide_one():
    assert Control("nbytes", [2.0**k for k in range(40)], default=1.0).position(np.uint8(128)) == 7
    with pytest.raises(ValueError, match="nbytes must be one of 40 values"):
        Control("nbytes", [1e12 * k for k in range(40)], default=0.0).position(np.float16(6e4))


def test_what_is_allowed_is_said_in_full_where_it_is_short():
    with pytest.raises(ValueError, match=r"gen must be one of 1, 2, 3; got 9\.$"):
        Control("gen", [1, 2, 3], default=1).position(9)


def test_the_nearest_listed_value_is_named():
    sizes = [2**power for power in range(20)]
    with pytest.raises(ValueError, match=r"got 1000\. The nearest is 1024\.$"):
        Control("nbytes", sizes, default=1).position(1000)


def test_a_misspelt_word_is_corrected():
    with pytest.raises(ValueError, match="Did you mean 'ring'"):
        Control("algorithm", ["ring", "tree"], default="tree").position("rng")


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [("B", 65536, "64 KiB"), ("B/s", 4.5e11, "450 GB/s"), ("s", 1e-6, "1 µs"), ("links", 18, "18 links"),
     ("", "ring", "ring"), ("%", 2.5, "2.5 %"), ("ranks", 1048576, "1,048,576 ranks"),
     ("chips", 1.0, "1 chip"), ("inches", 1, "1 inch"), ("s", 1.0, "1 s")],
)
def test_values_are_written_with_their_unit(unit, value, text):
    assert Control("c", [value, "other"], default=value, unit=unit).text(value) == text


@pytest.mark.parametrize(
    ("wrong", "match"),
    [({"values": [1, 2], "default": 3}, "c must be one of 1, 2; got 3"),
     ({"values": [1], "default": 1}, "at least two"),
     ({"values": [1, 1], "default": 1}, "each once"),
     ({"values": [1, 2], "default": 1, "as_": "slidr"}, "Did you mean 'slider'"),
     ({"values": [1, 2], "default": 1, "drags": "z"}, "drags .z. is not known"),
     ({"values": [1, 2], "default": 1, "carries": "card"}, "carries of control c needs picks"),
     ({"values": [1, 2], "default": 1, "verb": "throw"}, "as_='steps'; got as_='slider'"),
     ({"values": [1, 2], "default": 1, "as_": "menu", "until": max}, "slider or steps; got as_='menu'")],
)
def test_a_wrong_declaration_is_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        Control("c", **wrong)
