"""Stops answered by keys alone, in a lab that a real browser shows: on a page of the book, or in a notebook."""

from __future__ import annotations

import re

from fabricbook.course.posed import Posed
from fabricbook.course.stops import Choice, Number
from fabricbook.stage import Lab

_TOLD = """
([stop, said]) => {
  const told = stop.querySelector(".fl-said").textContent.replaceAll("\\u00a0", " ");
  return told.startsWith(said);
}
"""

_REACHES = """
([box, name, to]) => [...box.querySelectorAll(`input[name="${name}"]`)].every((slider) => slider.max >= to);
"""  # once the kernel has said where the slider ends, with the others as they are set up


def answers(lab: Lab, posed: Posed) -> list:
    """Return a wrong answer to a stop of *lab* and the right one, as its judge takes them; the wrong one is a slip it knows."""
    declared = posed.declared
    if isinstance(declared, Choice):
        options = posed.setup["options"]
        right = next(option for option in options if posed.judge(option).outcome == "right")
        return [next(option for option in options if option != right), right]
    if isinstance(declared, Number):
        asked = declared.asked(lab, posed.fill)
        slip = next(iter(asked.slips.values()), 3 * asked.answer())
        return [asked.format(slip() if callable(slip) else slip), asked.format(asked.answer())]
    return [lab.within(posed.setup["at"]), lab.positions(**posed.shown()[1])]


def misjudged(box, lab: Lab) -> list[str]:
    """Answer each stop of *lab*, which *box* shows, wrongly and then rightly; return in words what is not said as Python says it.

    Raises:
        playwright.sync_api.TimeoutError: nothing is said to an answer.
    """
    found = []
    for at, (key, posed) in enumerate(lab.stops.items()):
        box.locator(".fl-stop-tab").nth(at).press("Enter")
        stop = box.locator(".fl-stop").nth(at)
        for given in answers(lab, posed):
            judged = posed.judge(given)
            _give(box, stop, lab, posed, given)
            box.page.wait_for_function(_TOLD, arg=[stop.element_handle(), judged.sentence])
            told = re.sub("\N{NO-BREAK SPACE}", " ", stop.locator(".fl-told").inner_text()).strip()
            wanted = f"{judged.sentence} {posed.saw if judged.outcome == 'right' else ''}".strip()
            if (stop.get_attribute("data-outcome"), told) != (judged.outcome, wanted):
                found.append(f"{lab.declared.name}, stop {key}, to {given!r}: {told!r}, Python {wanted!r}")
    return found


def _give(box, stop, lab: Lab, posed: Posed, given) -> None:
    if isinstance(posed.declared, Number):
        stop.locator(".fl-number-field").fill(given)
        stop.locator(".fl-number-field").press("Enter")
    elif isinstance(posed.declared, Choice):
        chosen = stop.get_by_role("radio").nth(posed.setup["options"].index(given))
        chosen.check()
        chosen.press("Enter")
    else:
        name = posed.declared.control
        stop.locator(".fl-set").press("Enter")
        box.page.wait_for_function(_REACHES, arg=[box.element_handle(), name, given[name]])
        move(box, lab.controls[name], given[name])
        stop.locator(".fl-check").press("Enter")


def move(box, control, to: int) -> None:
    """Move a control of the lab in *box* to a position, as a hand would: its own event follows."""
    if control.as_ == "menu":
        box.locator(f'select[name="{control.name}"]').select_option(index=to)
        return
    box.locator(f'input[name="{control.name}"]').evaluate(
        "(input, to) => { input.value = to; input.dispatchEvent(new Event('input', { bubbles: true })); }", to)
