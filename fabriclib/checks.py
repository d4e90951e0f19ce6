"""Input checks shared by every module: each error names the argument, shows the value, says what is allowed."""

from __future__ import annotations

import difflib
import functools
import math
import numbers
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

Numbers = float | np.ndarray  # one number, or an array of them
MAX_BYTES = 1e18
MAX_RANKS = 10_000_000
LEAST, MOST = 1e-30, 1e30  # of any quantity in SI units: a product or quotient of several still fits into a float
MOST_NAMES = 40  # that a message lists


_Checked = typing.TypeVar("_Checked")
_Kind = typing.TypeVar("_Kind")


def number(name: str, value, *, low: float = 0.0, high: float = MOST, zero: bool = False):
    """Return *value* as a float, or as a float array, after checking its range.

    Args:
        name: the argument's name, for the error.
        value: a number or anything `numpy.asarray` turns into a non-empty numeric array.
        low, high: the allowed interval; *high* included, *low* excluded unless *zero* is true. Above a *low* of zero the least
            number that is taken is LEAST: by a smaller one nothing can be divided.
        zero: whether *low* itself is allowed.

    Raises:
        ValueError: wrong type, empty, NaN, infinite, or outside the interval.

    >>> number("nbytes", 8)
    8.0
    >>> number("nbytes", -1)
    Traceback (most recent call last):
        ...
    ValueError: nbytes must be a number greater than 0; got -1.
    """
    if type(value) is float or type(value) is int:
        try:
            least = most = value = float(value)
        except OverflowError:
            raise ValueError(f"{name} must be a number a float can hold; got {short(value)}.") from None
    else:
        value = _array(name, value)
        least, most = value.min(), value.max()
    # Comparisons written so that NaN, which fails every one of them, is refused too.
    if not ((least >= low if zero else least > low and (low != 0 or least >= LEAST)) and most <= high and most < math.inf):
        bad = _offender(value, low, high, zero)
        raise ValueError(f"{name} must be {_interval(low, high, zero, bad)}; got {_exact(bad)}.")
    if isinstance(value, float):
        return value
    return float(value) if value.ndim == 0 else value.astype(np.float64, copy=False)


def whole(name: str, value, *, low: int = 1, high: int = MAX_RANKS):
    """Return *value* as an int, or as an integer array, after checking that it is whole and within [low, high].

    Raises:
        ValueError: not whole, or outside the interval.

    >>> whole("ranks", 8)
    8
    >>> whole("ranks", 2.5)
    Traceback (most recent call last):
        ...
    ValueError: ranks must be a whole number from 1 to 10000000; got 2.5.
    """
    if type(value) is int:
        least = most = value
    else:
        value = _array(name, value)
        if value.dtype.kind != "i" and not np.all(value == np.floor(value)):
            bad = value[value != np.floor(value)].flat[0]
            raise ValueError(f"{name} must be a whole number from {low} to {high}; got {_exact(bad)}.")
        least, most = value.min().item(), value.max().item()
    if not (least >= low and most <= high):
        bad = least if not least >= low else most
        raise ValueError(f"{name} must be a whole number from {low} to {high}; got {short(bad)}.")
    if isinstance(value, int):
        return value
    value = value.astype(np.int64, copy=False)
    return int(value) if value.ndim == 0 else value


def count(name: str, value, *, low: int = 1, high: int = MAX_RANKS) -> int:
    """Return *value* as an int, as `whole` does, where no array will do.

    >>> count("ranks", 8.0)
    8
    """
    return single(name, whole(name, value, low=low, high=high))


def single(name: str, checked):
    """Return what `number` or `whole` returned if it is one number; raise a ValueError if it is an array.

    >>> single("alpha", number("alpha", 1e-6))
    1e-06
    """
    if isinstance(checked, np.ndarray):
        raise ValueError(f"{name} must be one number, not an array; got {short(checked)}.")
    return checked


def typed(checked: _Checked) -> _Checked:
    """Decorate a function, or a dataclass: an argument that is not what its annotation says raises a ValueError that says so.

    It is for what `number` and `known` do not look at: a Link where a Link is asked for, a list of Part, True or False, a text
    (a cache could not even look up a list). The numbers of a function are its own to check, since many take arrays as well;
    numbers among the fields of a dataclass are checked here, each as one number. What has no annotation is not looked at.
    A class says in `_example` how one comes by it.

    >>> @typed
    ... def backwards(text: str, really: bool = True) -> str:
    ...     return text[::-1] if really else text
    >>> backwards(["a"])
    Traceback (most recent call last):
        ...
    ValueError: text must be a text; got ['a'].
    """
    if isinstance(checked, type):
        type.__setattr__(checked, "__init__", _guarded(vars(checked)["__init__"], _NUMBERS))
        return checked
    return _guarded(checked, {})


def _guarded(function: typing.Any, numbers_too: dict) -> typing.Any:
    inner = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    names = inner.__code__.co_varnames

    @functools.cache
    def kinds() -> dict[str, tuple]:  # at the first call: an annotation may name what is defined further down
        hints = {name: _alternatives(hint) for name, hint in typing.get_type_hints(inner).items() if name != "return"}
        return {name: some for name, some in hints.items() if all(kind in numbers_too or _checkable(kind) for kind in some)}

    def check(args: tuple, kwargs: dict) -> None:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        for name, some in kinds().items():
            if name in given and not _fits_one(given[name], some):
                raise ValueError(f"{name} must be {' or '.join(_wanted(kind) for kind in some)}; got {short(given[name])}.")

    def wide(value: typing.Any) -> typing.Any:
        value = plain(value)  # a number of few bits would overflow in later arithmetic, and a fraction cannot be shown
        odd = isinstance(value, numbers.Real) and not isinstance(value, (int, float))
        return float(value) if odd and abs(value) <= MOST else value

    def call(*args, **kwargs):
        if numbers_too:
            args, kwargs = tuple(map(wide, args)), {name: wide(value) for name, value in kwargs.items()}
        check(args, kwargs)
        return function(*args, **kwargs)

    # doctest takes a function for one of its module only if it has the module's globals.
    call = types.FunctionType(call.__code__, inner.__globals__, inner.__name__, closure=call.__closure__)
    return functools.update_wrapper(call, function)


_NUMBERS = {int: numbers.Integral, float: numbers.Real}
_LISTS = (list, tuple, Sequence)


def _alternatives(hint) -> tuple:
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _checkable(kind) -> bool:
    return kind not in _NUMBERS and kind is not typing.Any and typing.get_origin(kind) is not Iterable


def _fits_one(value, kinds: tuple) -> bool:
    """Say whether *value* fits one of *kinds*; that its class is one of them is seen at once, and most often so."""
    return (type(value) in kinds and type(value) is not int) or any(_fits(value, kind) for kind in kinds)


def _fits(value, kind) -> bool:
    outer = typing.get_origin(kind) or kind
    if outer is bool or isinstance(value, (bool, np.bool_)):
        return isinstance(value, bool) and outer in (bool, object)
    if outer is Callable:
        return callable(value)
    if outer in _NUMBERS and isinstance(value, int) and abs(value) > MOST:
        return False
    if outer not in _LISTS:
        return isinstance(value, _NUMBERS.get(outer, outer))
    inside = [one for one in typing.get_args(kind) if one is not ...]
    one_of = _alternatives(inside[0]) if len(inside) == 1 else ()
    return isinstance(value, (list, tuple)) and all(_fits_one(one, one_of) for one in value if one_of)


def _wanted(kind) -> str:
    outer = typing.get_origin(kind) or kind
    words = {type(None): "None", str: "a text", bool: "True or False", int: "a whole number", float: "a number",
             Callable: "a function", np.ndarray: "a NumPy array", dict: "a dict", Mapping: "a dict"}
    if outer in _LISTS:
        inside = " or ".join(one.__name__ for one in _alternatives(typing.get_args(kind)[0])) if typing.get_args(kind) else ""
        return f"a list of {inside}" if inside else "a list"
    example = getattr(outer, "_example", None)
    return words.get(outer) or f"a {outer.__name__}" + (f", such as {example}" if example else "")


def together(**values) -> Iterable:
    """Return *values*, each a number, a list or an array; if they do not broadcast, raise a ValueError with names and shapes.

    >>> together(nbytes=[1, 2, 3], alpha=[1, 2], ranks=8)
    Traceback (most recent call last):
        ...
    ValueError: nbytes and alpha must have shapes that broadcast; got (3,) and (2,).
    """
    shapes = {name: np.shape(value) for name, value in values.items() if np.ndim(value)}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        raise ValueError(f"{' and '.join(shapes)} must have shapes that broadcast; "
                         f"got {' and '.join(map(str, shapes.values()))}.") from None
    return values.values()


def plain(value):
    """Return a NumPy value without dimensions as the Python value it holds, and anything else as it is.

    A function that broadcasts ends with it: one number in, one number out.

    >>> plain(np.float64(2.5)), plain(np.array(2.5)), plain(np.array([2.5]))
    (2.5, 2.5, array([2.5]))
    """
    return value.item() if getattr(value, "ndim", None) == 0 else value


def known(name: str, value, allowed: Iterable[str], called: Mapping[str, str] | None = None) -> str:
    """Return *value* if it is one of *allowed*; otherwise raise a ValueError that suggests the nearest.

    *called* may say what readers call them: then a part of such a name is suggested its id.

    >>> known("link", "nvlnik4", ["nvlink4", "pcie5"])
    Traceback (most recent call last):
        ...
    ValueError: link 'nvlnik4' is not known. Did you mean 'nvlink4'? Known: nvlink4, pcie5.
    """
    allowed = list(allowed)
    if isinstance(value, str) and value in allowed:
        return value
    by_folded = {a.lower(): a for a in allowed}
    text = value[:60] if isinstance(value, str) else short(value)
    near = [one for one, words in (called or {}).items() if len(text) > 2 and text.lower() in words.lower()][:3]
    near = near or [by_folded[one] for one in difflib.get_close_matches(text.lower(), list(by_folded), n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    more = f" and {len(allowed) - MOST_NAMES} more" if len(allowed) > MOST_NAMES else ""
    raise ValueError(f"{name} {short(value)} is not known.{hint} Known: {', '.join(allowed[:MOST_NAMES])}{more}.")


def either(name: str, given, kind: type[_Kind], find: Callable[[str], _Kind], example: str) -> _Kind:
    """Return *given*, or what *find* finds where it is an id.

    Raises:
        ValueError: it is no *kind*, and no id such as *example*; what *find* refuses.

    >>> either("size", 8, int, len, "four"), either("size", "eight", int, len, "four")
    (8, 5)
    """
    found = find(given) if isinstance(given, str) else given
    if not isinstance(found, kind):
        a = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ValueError(f"{name} must be the id of one, such as {example!r}, or {a} {kind.__name__}; got {short(given)}.")
    return found


def short(value) -> str:
    """Return the text of *value*, whatever it is, as far as it fits into a message.

    >>> short("x"), short(10**400)
    ("'x'", 'an integer of 1329 bits')
    """
    if isinstance(value, int) and value.bit_length() > 200:  # of more than 4300 digits Python makes no text
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value)
    except Exception:  # anything may be passed, even an object whose text fails
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _array(name: str, value) -> np.ndarray:
    try:
        array = np.asarray(value)
    except Exception:  # anything may be passed, even an object that cannot be looked into
        array = None
    if array is None or array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a number or an array of numbers; got {short(value)}.")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one number; got an empty array.")
    # Narrow types would overflow or lose digits in later arithmetic: 2 * 100 does not fit into int8.
    wide = np.int64 if array.dtype.kind == "i" or array.dtype.kind == "u" and array.dtype.itemsize < 8 else np.float64
    with np.errstate(over="ignore"):  # what is wider than a float becomes infinite here, and is refused as that
        return np.asarray(array.astype(wide, copy=False))


def _offender(value, low: float, high: float, zero: bool) -> float:
    values = np.atleast_1d(np.asarray(value, dtype=float))
    above = values >= low if zero else values > low if low else values >= LEAST
    return values[~(above & (values <= high) & (values < math.inf))][0]


def _exact(value: float) -> str:
    """Few digits where they are all there is, and all of them where they are not: 8, but 1.0000001e+18."""
    return f"{value:g}" if float(f"{value:g}") == value or math.isnan(value) else repr(float(value))


def _interval(low: float, high: float, zero: bool, bad: float) -> str:
    finite = "" if math.isfinite(bad) else "finite "
    least, inclusive = (LEAST, True) if low == 0 < bad < LEAST and not zero else (low, zero)
    lower = f"a {finite}number {'at least' if inclusive else 'greater than'} {least:g}"
    return lower if high == math.inf or high == MOST and not MOST < bad < math.inf else f"{lower} and at most {high:g}"
