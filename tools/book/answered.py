"""The stops of a lab in a page, answered by keys alone and held against Python: each known wrong answer, and the right one."""

from __future__ import annotations

from collections.abc import Iterator

from fabricbook.course.posed import Posed
from fabricbook.course.stops import Choice, Number
from fabricbook.stage import Lab

RIGHT = "right"
_FAR = 30  # times the right answer: none of the known slips
_BASE = {"size": "B", "rate": "B/s", "time": "s", "energy": "J", "power": "W"}


def misjudged(page, lab: Lab, name: str) -> Iterator[str]:
    """Answer every stop of the lab in the *page*, and say where it is not judged as in Python, or by no hint of its own."""
    box = page.locator(f'[data-lab="{name}"]')
    for number, posed in enumerate(lab.stops.values()):
        stop, where = box.locator(".fl-stop").nth(number), f"{name}, stop {number + 1}"
        if number:
            page.keyboard.press("Enter")  # after a right answer the keyboard is at "next"
            if not stop.is_visible():
                yield f"{where}: a second Enter does not lead there"
        box.locator(".fl-stop-tab").nth(number).press("Enter")
        answers = list(handed_in(lab, posed))
        for given, hint in answers:
            hand_in(box, stop, lab, posed, given)
            found = posed.judge(given)
            meant = found.outcome, _plain(f"{found.sentence} {posed.saw if found.outcome == RIGHT else ''}")
            shown = stop.get_attribute("data-outcome"), _plain(stop.locator(".fl-told").inner_text())
            if shown != meant:
                yield f"{where}, to {given!r}: {shown}, Python {meant}"
            if hint not in found.sentence or (found.outcome == RIGHT) != (given == answers[-1][0]):
                yield f"{where}, to {given!r}: {found.outcome}, {found.sentence!r}, not {hint!r}"


def handed_in(lab: Lab, posed: Posed) -> Iterator[tuple[object, str]]:
    """Yield wrong answers to a stop and the hint that each must get, and the right answer last."""
    stop, setup = posed.declared, posed.setup
    if isinstance(stop, Choice):
        hints = {posed.fill(option): posed.fill(hint) for option, hint in stop.hints.items()}
        for option in sorted(setup["options"], key=lambda option: posed.judge(option).outcome == RIGHT):
            yield option, hints.get(option, "")
    elif isinstance(stop, Number):
        asked = stop.asked(lab, posed.fill)
        unit = "" if asked.unit == "%" else _BASE.get(asked.kind, asked.unit)
        for clause, value in [*asked.slips.items(), ("", _FAR * asked.answer())]:
            yield f"{float(value() if callable(value) else value)!r} {unit}".strip(), clause
        yield asked.format(asked.answer()), ""
    else:
        ends = (0, len(lab.controls[stop.control].values) - 1)
        for place in [lab.within(setup["at"] | {stop.control: end}) for end in ends]:
            if posed.judge(place).outcome != RIGHT:
                yield place, posed.fill(stop.hint)
        yield lab.positions(**posed.shown()[1]), ""


def hand_in(box, stop, lab: Lab, posed: Posed, given) -> None:
    """Give an answer to the *stop* that is open in the *box* of its lab, and press Enter."""
    if isinstance(posed.declared, Number):
        stop.locator(".fl-number-field").fill(given)
        stop.locator(".fl-number-field").press("Enter")
    elif isinstance(posed.declared, Choice):
        chosen = stop.get_by_role("radio").nth(posed.setup["options"].index(given))
        chosen.check()
        chosen.press("Enter")
    else:
        name = posed.declared.control
        (stop.locator(".fl-set") if posed.declared.at else box.locator(".fl-reset")).press("Enter")
        move(box, lab.controls[name], given[name])
        stop.locator(".fl-check").press("Enter")


def move(box, control, to: int) -> None:
    """Move a control of the lab in *box* to a position, as a hand would: its own event follows."""
    if control.as_ == "menu":
        box.locator(f'select[name="{control.name}"]').select_option(index=to)
        return
    box.locator(f'input[name="{control.name}"]').evaluate(
        "(input, to) => { input.value = to; input.dispatchEvent(new Event('input', { bubbles: true })); }", to)


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").strip()
