"""Hostile calls: every public function of fabriclib, called as its examples call it but for one or two arguments.

What is public is found, not listed, and what a valid call looks like is learned from the examples in docstrings, so that a
function is swept from the day it is born.
"""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import functools
import importlib
import inspect
import io
import linecache
import math
import pkgutil
import random
import re
import resource
import signal
import sys
import types
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from valid_arguments import VALID, ring, share

import fabricbook as book
import fabriclib as fl

PACKAGES = ("fabriclib", "fabricbook")
SECONDS = 20  # of the processor, after which a call is taken to run without end
MOST_BYTES = 2**30  # that a call may take in memory
STATM = Path("/proc/self/statm")  # how much this process has; only Linux tells
MOST_VALID = 4  # valid calls kept of each function


class Target(NamedTuple):
    """A public callable: what to call, and the function whose arguments are changed."""

    name: str
    call: Callable
    function: Callable
    bound: int  # leading arguments that stay as they are: the object a method is of


class Unwritable:
    """Its text is an error."""

    def __repr__(self):
        raise RuntimeError("no text")


class Unreadable:
    """Nothing about it can be used: not its text, its truth or its length."""

    def __repr__(self):
        return "unreadable"

    def __bool__(self):
        raise RuntimeError("no truth")

    def __len__(self):
        raise RuntimeError("no length")


# Each an expression, evaluated anew for each call: none can spoil the next one.
POOL = """
None ; True ; False ; "" ; " " ; "é\\x00" ; "∞" ; "x" * 10_000 ; "9" * 5_000 ; "nan" ; "inf" ; "8" ; "-1" ; "1e3" ; "all" ; "auto"
"1e999 GB/s" ; "-5 GiB" ; "0 s" ; "<img src=x>" ; "{{ 7 * 7 }}" ; b"8" ; bytearray(b"x") ; memoryview(b"12345678")[::2]
0 ; -1 ; 1 ; 2 ; 3 ; 7 ; 2.5 ; 0.0 ; -0.0 ; 10_000_000 ; 10_000_001 ; 2**31 ; 2**63 ; 2**64 ; 2**70 ; 10**59 ; 10**400 ; -10**400
1e308 ; -1e308 ; 1e30 ; 1e-30 ; 5e-324 ; nan ; inf ; -inf ; 1 + 2j ; Decimal("8") ; Decimal("NaN") ; Fraction(1, 3)
np.longdouble("1e4000") ; np.longdouble(3) ; np.uint8(200) ; np.int8(-7) ; np.uint64(2**64 - 1) ; np.float16(6e4) ; np.float64(8)
np.bool_(True) ; np.str_("gpu0") ; np.datetime64("2020-01-01") ; np.complex64(1)
np.array([]) ; np.array(5) ; np.array(2.5) ; np.array([1, 200], np.uint8) ; np.arange(8)[::2] ; np.asfortranarray(np.ones((2, 3)))
np.array([1.0, np.nan]) ; np.array([1e308, 1e308]) ; np.array(["a", "b"]) ; np.array([None, 1], object) ; np.array([True, False])
np.ma.masked_array([1, 2], [True, False]) ; np.zeros((0, 3)) ; np.zeros(1, [("a", float)]) ; np.ones((1,) * 32) ; np.arange(1e4)
[] ; () ; {} ; set() ; [[]] ; [[1], [2, 3]] ; [None] ; [1, 2, 3] ; ["a"] ; [[1, 2], [3, 4]] ; (0, 0) ; ((0, 1), (1, 0)) ; {"a": 1}
{1, 2} ; range(3) ; slice(3) ; iter([1]) ; (n for n in (1, 2)) ; object() ; Unreadable() ; Unreadable
str ; fl ; np ; pd.DataFrame() ; pd.DataFrame({"a": [1]}) ; pd.Series([1.0, 2.0]) ; pd.NA ; pd.Timestamp(0)
fl.link("nvlink4") ; fl.link("xgmi-mi100") ; fl.switch("nvswitch3") ; fl.cable("dac-400") ; fl.system("dgx-h100")
fl.AlphaBeta(1e-6, 1e-11) ; fl.Level(2, 1e-6, 1e-11) ; fl.server("hgx-h100") ; fl.fabric("torus", dims=(2, 2)) ; ring() ; share()
"""


_NAMES = {"np": np, "pd": pd, "fl": fl, "nan": math.nan, "inf": math.inf, "Decimal": Decimal, "Fraction": Fraction,
          "Unreadable": Unreadable, "ring": functools.cache(ring), "share": functools.cache(share)}
_POOL = [compile(one, "<hostile>", "eval") for line in POOL.strip().splitlines() for one in line.split(" ; ")]


def drawn(rng: random.Random):
    """Return one of the hostile values, made anew."""
    return eval(rng.choice(_POOL), _NAMES)


def shown(value) -> str:
    """Return the text of a value, as far as a message needs it."""
    try:
        return f"{type(value).__name__} {repr(value)[:60]}"
    except Exception:
        return type(value).__name__


# What fabriclib makes and hands out, and nobody else fills in: their fields are what was computed.
RESULTS = {
    "availability.dice.Runs", "availability.lost.Left", "availability.uptime.Uptime", "capstone.score.Score",
    "collectives.choose.Best", "collectives.plan.Plan", "collectives.schedule.Schedule", "diagnosis.compare.Comparison",
    "diagnosis.suspects.Candidate",
    "energy.cluster.ClusterPower", "energy.money.ClusterCost", "energy.steps.StepEnergy", "energy.tokens.TokenEnergy",
    "energy.ways.Way", "flows.Share",
    "nccl.tuner.Choice", "peers.PeerToPeer", "prediction.model.Prediction", "topology.fabrics.design.Design",
    "workloads.step.TrainingStep", "workloads.request.Request", "workloads.kv.KvTransfer", "workloads.experts.Exchange",
}

# Where an infinity, or a NaN, is an answer.
UNBOUNDED = {"collectives.choose.crossover": "there is no such size", "collectives.choose.best": "no runner-up",
             "nccl.tuner.nccl_choice": "not to be had", "measurements.tables.settled": "not measured",
             "machines.composed": "of a switch not known", "diagnosis.compare.compare": "not read"}


@functools.cache
def targets() -> dict[str, Target]:
    """Return every public callable by name: functions, constructors and methods of what `fl.__all__` and its modules offer."""
    found: dict[str, Target] = {}
    for name in fl.__all__:
        _collect(found, name, getattr(fl, name))
    for name in book.__all__:
        _collect(found, name, getattr(book, name))
    for module in ("declare", "verdicts"):
        _collect(found, module, importlib.import_module(f"fabricbook.course.{module}"))
    return dict(sorted(found.items()))


def _collect(found: dict, name: str, thing) -> None:
    if isinstance(thing, types.ModuleType):
        for inner in getattr(thing, "__all__", None) or [n for n, v in vars(thing).items() if _born_in(thing, n, v)]:
            _collect(found, f"{_within(thing.__name__)}.{inner}", getattr(thing, inner))
    elif inspect.isclass(thing):
        _collect_class(found, _called(thing), thing)
    elif callable(thing) and (getattr(thing, "__module__", None) or "").startswith(PACKAGES):
        found[_called(thing)] = Target(_called(thing), thing, inspect.unwrap(thing), 0)


def _born_in(module, name: str, value) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)


def _within(module: str) -> str:
    """Return where in its package a module is."""
    return module.partition(".")[2]


def _called(thing) -> str:
    return f"{_within(thing.__module__)}.{thing.__qualname__}"


def _collect_class(found: dict, name: str, cls: type) -> None:
    if not cls.__module__.startswith(PACKAGES):
        return
    for base in cls.__bases__:
        _collect_class(found, _called(base), base)
    if inspect.isfunction(cls.__init__) and not issubclass(cls, (tuple, Exception)) and name not in RESULTS:
        found[name] = Target(name, cls, inspect.unwrap(cls.__init__), 0)
    for method, value in vars(cls).items():
        if method.startswith("_"):
            continue
        if isinstance(value, classmethod):
            found[f"{name}.{method}"] = Target(f"{name}.{method}", getattr(cls, method), inspect.unwrap(value.__func__), 0)
        elif inspect.isfunction(value):
            found[f"{name}.{method}"] = Target(f"{name}.{method}", value, inspect.unwrap(value), 1)


def unreached() -> list[str]:
    """Return the public names that no sweep reaches: neither called, nor a class whose objects fabriclib alone makes."""
    public = {name: getattr(room, name) for room in (fl, book) for name in room.__all__}
    for name, room in [(name, room) for name, room in public.items() if isinstance(room, types.ModuleType)]:
        public |= {f"{name}.{inner}": getattr(room, inner) for inner in getattr(room, "__all__", ())}
    return [name for name, thing in public.items() if not isinstance(thing, types.ModuleType) and not _reached(thing)]


def _reached(thing) -> bool:
    made = inspect.isclass(thing) and (issubclass(thing, tuple) or _called(thing) in RESULTS)
    return made or not callable(thing) or _called(thing) in targets()


@functools.cache
def labs() -> dict[str, Target]:
    """Return the evaluation of every lab, a function of its controls, by name."""
    found = {}
    for name in book.labs():
        lab = book.lab(name)
        found[f"lab {name}"] = Target(f"lab {name}", _evaluated(lab), lab.declared.function, 0)
    return found


def _evaluated(lab) -> Callable:
    names = list(inspect.signature(lab.declared.function).parameters)
    return lambda *values: lab.evaluate(**dict(zip(names, values, strict=True)))


def arguments_of(target: Target) -> list[str]:
    """Return the names of the arguments that may be spoiled."""
    given = list(kinds_of(target.function).items())[target.bound:]
    return [name for name, kind in given if kind is not inspect.Parameter.VAR_POSITIONAL and name not in ("self", "cls")]


@functools.cache
def kinds_of(function: Callable) -> dict[str, inspect._ParameterKind]:
    """Return how each argument of *function* is given, by name."""
    return {name: one.kind for name, one in inspect.signature(function).parameters.items()}


@functools.cache
def valid_calls() -> dict[str, list[dict]]:
    """Return for each target the arguments of valid calls: those its docstring or another's example makes."""
    by_code = {target.function.__code__: target for target in targets().values()}
    found: dict[str, list[dict]] = {name: [] for name in targets()}

    def record(frame, event, _):
        if event == "call" and (target := by_code.get(frame.f_code)) and len(found[target.name]) < MOST_VALID:
            found[target.name].append(_arguments(target, dict(frame.f_locals)))

    for function in {id(v): v for module in _modules() for v in vars(module).values()}.values():
        _forget(function)
    with contextlib.redirect_stdout(io.StringIO()):
        for module in _modules():
            for test in doctest.DocTestFinder(exclude_empty=True).find(module):
                space = dict(vars(module))
                for example in test.examples:
                    sys.setprofile(record)
                    with contextlib.suppress(Exception):
                        exec(compile(example.source, test.name, "single"), space)
                    sys.setprofile(None)
    for name in labs():
        controls = book.lab(name.removeprefix("lab ")).controls
        found[name] = [{one: controls[one].default for one in arguments_of(labs()[name])}]
    for name, made in VALID.items():
        found[name].append(made())
    return found


def _forget(function) -> None:
    """Empty the caches of *function*, so that an example's call reaches it."""
    while inspect.isroutine(function) or hasattr(function, "cache_clear"):
        getattr(function, "cache_clear", lambda: None)()
        function = getattr(function, "__wrapped__", None)


def _modules():
    for package in (fl, book):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.startswith(("fabricbook.stage", "fabricbook.lessons.")):
                yield importlib.import_module(info.name)


def _arguments(target: Target, given: dict) -> dict:
    names = list(inspect.signature(target.function).parameters)
    return {name: given[name] for name in names if target.bound or name not in ("self", "cls")}


def call(target: Target, arguments: dict):
    """Call *target* with *arguments*, spread over positional and keyword ones as its signature asks."""
    positional, keywords = [], {}
    for name, value in arguments.items():
        kind = kinds_of(target.function)[name]
        if kind is inspect.Parameter.VAR_POSITIONAL:
            positional += value
        elif kind is inspect.Parameter.VAR_KEYWORD:
            keywords |= value
        elif kind is inspect.Parameter.KEYWORD_ONLY or positional is None:
            keywords[name] = value
        else:
            positional.append(value)
    return target.call(*positional, **keywords)


def spoiled(target: Target, valid: dict, rng: random.Random) -> tuple[dict, list[str]]:
    """Return *valid* with one or two arguments replaced by hostile values, and which they are."""
    kinds = kinds_of(target.function)
    arguments, names = dict(valid), arguments_of(target)
    chosen = rng.sample(names, min(len(names), rng.choice((1, 1, 1, 2))))
    for name in chosen:
        value = drawn(rng)
        if kinds[name] is inspect.Parameter.VAR_KEYWORD:
            key = rng.choice([*valid[name], "dims", "root", "chunks", "nonsense"])
            arguments[name] = {**valid[name], key: value}
        else:
            arguments[name] = value
    return arguments, chosen


def fault(target: Target, arguments: dict, valid: dict) -> str | None:
    """Return what is wrong with how *target* takes *arguments*, or None."""
    with bounds(), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = call(target, arguments)
        except Exception as problem:
            text = f"{type(problem).__name__}: {str(problem)[:150]} {_where(problem)}"
            return None if _is_refusal(problem, arguments) else text
        try:
            repr(result)
        except Exception as problem:
            return f"repr of the result: {type(problem).__name__}: {problem} {_where(problem)}"
        if target.name in UNBOUNDED or _finite(result) or not _finite(list(arguments.values())):
            return None
        if _finite(call(target, valid)):
            return f"not finite: {repr(result)[:150]}"
    return None


def works(target: Target, valid: dict) -> bool:
    """Return whether *target* answers a *valid* call."""
    try:
        call(target, valid)
    except (ValueError, TypeError):
        return False
    return True


@contextlib.contextmanager
def bounds(calls: int = 1):
    """Stop so many *calls* where they take too much of the processor or of memory; others' work on the machine is not counted."""
    def stop(*_):
        raise TimeoutError(f"runs for more than {SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS * calls)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if STATM.exists():
        resource.setrlimit(resource.RLIMIT_AS, (int(STATM.read_bytes().split()[0]) * resource.getpagesize() + MOST_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _is_refusal(problem: Exception, arguments: dict) -> bool:
    """Return whether *problem* is a sentence of fabriclib's own, or names an argument."""
    if not isinstance(problem, (ValueError, TypeError)):
        return False
    options = [key for value in arguments.values() if isinstance(value, dict) for key in value]
    names = {*arguments, *(key for key in options if isinstance(key, str))}
    if any(re.search(rf"\b{re.escape(name)}\b", str(problem)) for name in names if name):
        return True
    frame = _innermost(problem)
    return (type(problem) is ValueError and _ours(frame)
            and linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno).strip().startswith("raise "))


def _ours(frame) -> bool:
    return frame.tb_frame.f_globals.get("__name__", "").startswith(PACKAGES)


def _innermost(problem: Exception):
    frame = problem.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    return frame


def _where(problem: Exception) -> str:
    frame, last = problem.__traceback__, None
    while frame:
        last, frame = (frame if _ours(frame) else last), frame.tb_next
    return f"[{last.tb_frame.f_code.co_filename.split('fabriclib/')[-1]}:{last.tb_lineno}]" if last else ""


def _finite(value) -> bool:
    """Return whether no NaN or infinity is in *value*; tables, which show what is not known as NaN, are not looked into."""
    if isinstance(value, (float, np.floating)):
        return bool(np.isfinite(value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return bool(np.isfinite(value).all())
    if isinstance(value, (list, tuple)):
        return all(_finite(one) for one in value)
    if isinstance(value, dict):
        return all(_finite(one) for one in value.values())
    if isinstance(value, pd.Series):
        return _finite(value.to_numpy())
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, fl.Link)):
        return all(_finite(getattr(value, field.name)) for field in dataclasses.fields(value) if field.name[0] != "_")
    return True
