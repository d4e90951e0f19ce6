"""What is asked of the course here and in the browser's Python, by the same code."""

import json

import fabricbook as book
from fabricbook.lessons import declared
from fabricbook.stage.wire import plain_columns


def positions(lab):
    """Yield the lab's default, both ends and the middle of every control, and all controls at their ends at once."""
    start = lab.positions()
    yield start
    for name, control in lab.controls.items():
        for at in (0, len(control.values) // 2, len(control.values) - 1):
            yield start | {name: at}
    yield dict.fromkeys(lab.controls, 0)
    yield {name: len(control.values) - 1 for name, control in lab.controls.items()}


def said() -> dict:
    """Return what every lab says and draws there, and the answer to every prediction."""
    found = {key: [one.answer()] for key, one in declared("predictions").items()}
    for lab in map(book.lab, book.labs()):
        for at in map(lab.within, positions(lab)):
            columns, sentence = lab.answer(at)
            found[f"{lab.declared.name} {json.dumps(at)}"] = [sentence, plain_columns(columns)]
    return found


def failed(lessons: dict[str, list[str]]) -> list[str]:
    """Run the cells of each lesson in a fresh shell; return what failed."""
    from IPython.core.interactiveshell import InteractiveShell

    wrong = []
    for name, cells in lessons.items():
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance()
        results = [shell.run_cell(cell) for cell in cells]
        problems = [result.error_before_exec or result.error_in_exec for result in results]
        wrong += [f"{name}, cell {at}: {problem!r}" for at, problem in enumerate(problems) if problem]
    return wrong
