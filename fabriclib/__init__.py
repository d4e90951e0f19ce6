"""fabriclib: link models and collective cost formulas for the wiring of AI clusters.

Everything is in SI base units (bytes, seconds, bytes per second), per direction, and broadcasts NumPy arrays.
The public names are those of `__init__.pyi`. Each loads its room on first use, so that a script that needs two links starts
quickly: `import fabriclib` loads nothing but lazy_loader and the standard library.
"""

from __future__ import annotations

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str):
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    return _load(name)
