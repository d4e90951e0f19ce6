"""The labs. A module in this folder that declares one with `@lab` is found; nothing else has to be edited."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType

from ..checks import known
from .toolkit import Lab


@functools.cache
def declared() -> dict[str, Callable]:
    """Return {name: function} of every lab declared in this package's modules, in reading order of the names.

    Raises:
        ValueError: two functions declare the same name.
    """
    found: dict[str, Callable] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for function in vars(module).values():
            declaration = getattr(function, "declaration", None)
            if declaration is None or function.__module__ != module.__name__:
                continue
            if declaration.name in found:
                raise ValueError(f"lab {declaration.name!r} is declared twice, the second time in {module.__name__}.")
            found[declaration.name] = function
    return dict(sorted(found.items()))


def lab(name: str) -> Lab:
    """Return the lab *name*, new and in its default state.

    Raises:
        ValueError: no such lab; the message suggests the nearest.
    """
    return Lab(declared()[known("lab", name, declared())])


def labs() -> list[str]:
    """Return the names of all labs."""
    return list(declared())


class _CallableModule(ModuleType):
    """Once this package is imported, `fl.labs` is the package and no longer the function: let it be called too."""

    def __call__(self) -> list[str]:
        return labs()


sys.modules[__name__].__class__ = _CallableModule
