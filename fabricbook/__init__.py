"""fabricbook: the course on the wiring of AI clusters, on the model that `fabriclib` is.

    import fabricbook as book

    book.lab("alpha-beta")                     a lab: its controls, its chart, its sentence
    book.lab("alpha-beta").evaluate()          the same as a table and a sentence, without a browser

The other names are what the cells of a lesson call: see `fabricbook.cells`, which is loaded when one of them is first used.
"""

from __future__ import annotations

from importlib.util import find_spec

if _missing := [name for name in ("altair", "anywidget", "ipywidgets", "jinja2", "yaml") if find_spec(name) is None]:
    raise ImportError(f'The course needs {", ".join(_missing)}, which the model does without: pip install "fabriclib[book]"')

__all__ = ["after", "check", "claims", "fold", "lab", "labs", "my_answers", "my_guesses", "my_progress", "play",
           "predict_first", "report", "show", "solution", "verdict", "votes"]


def __getattr__(name: str):
    if name in __all__:
        from . import cells

        return getattr(cells, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
