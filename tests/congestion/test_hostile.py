"""Whatever is passed to the functions of congestion: a finite answer, or a ValueError that names an argument."""

import inspect
import math

import numpy as np
import pytest

from fabriclib.congestion import dcqcn, ecmp, incast, loss, pause

USUAL = {"rate": 5e9, "start": [5e9, 5e9], "seconds": 1e-4, "feedback": 4e-6, "threshold": 5e5, "parameters": None, "flows": 8,
         "paths": 8, "split": 2, "share": 0.5, "trials": 10, "choices": 2, "seed": 0, "values": [1, 2], "senders": 8, "rounds": 2,
         "nbytes": 1e6, "reaction": 1e-5, "ratio": 7, "leaving": 0.5, "rtt": 1e-5, "packet": 4096, "recovery": "go-back-n",
         "loss": 1e-3, "metres": 100, "mtu": 1500, "response": 1e-6, "delay_per_metre": 5e-9, "occupancy": 1, "quanta": 905,
         "hot": 4, "shared": 2, "paused": True, "id": "dcqcn-step"}
STRANGE = [0, -1, 2.5, 10**7, 1e18, 10**400, math.nan, math.inf, -math.inf, None, "x", "", [], [[1], [2, 3]], {}, set(), object(),
           np.int8(100), np.uint64(2**63), np.array([]), np.array([1, 2, 8]), np.array(["a"]), 1j, b"x", print]
FUNCTIONS = [function for room in (dcqcn, ecmp, incast, loss, pause) for name, function in inspect.getmembers(room)
             if inspect.isroutine(function) and not name.startswith("_") and function.__module__ == room.__name__]


def finite(answer) -> bool:
    if isinstance(answer, tuple):
        return all(map(finite, answer))
    return isinstance(answer, dcqcn.Parameters) or bool(np.isfinite(np.asarray(answer, dtype=float)).all())


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: f"{function.__module__.split('.')[-1]}.{function.__name__}")
def test_a_finite_answer_or_a_sentence(function):
    arguments = list(inspect.signature(function).parameters)
    for name in arguments:
        for value in STRANGE:
            said = ""
            try:
                answer = function(**{other: USUAL[other] for other in arguments} | {name: value})
            except ValueError as error:
                said = str(error)
            named = any(argument in said for argument in [*arguments, "congestion"])
            assert named if said else finite(answer), (name, value, said)
