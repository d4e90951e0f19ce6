"""One small lab with a stop of each kind, declared here and nowhere else."""

import pytest

from fabricbook.course.posed import posed
from fabricbook.course.stops import Choice, Find, Number
from fabricbook.stage import Control, Lab, charts, lab

HOSTILE = "<img src=x onerror=globalThis.hit=1>"


def _chart():
    x, y = charts.x("size", (1, 4), unit="B", title="size"), charts.y("time", (0, 40), title="time")
    return charts.stack(charts.line(x, y, colour=charts.CHIP), description="Time against size.")


@lab("asking", title="Asking", tier="chip", chart=_chart, leaves_out="Everything.", sources=["stas-network"],
     controls=[Control("slope", [1.0, 2.0, 5.0, 10.0], default=1.0),
               Control("kind", ["plain", "other", "refused", "broken"], default="plain", as_="menu")],
     stops=[
         Choice("grows", "Look at it.", "What does it do?", ["It grows", "It falls", f"It {HOSTILE}"],
                lambda see: "It grows" if see()["time"][-1] > see()["time"][0] else "It falls",
                f"It grows by {{{{ see()['time'][0] }}}} {HOSTILE}.",
                hints={"It falls": f"Look at its end {HOSTILE}."}, field="way"),
         Number("largest", "Take the slope of {{ two }}.", "What is the largest time?", "time", lambda see: see()["time"][-1],
                "Four times the slope.", at={"slope": 2.0}, slips={"that is the {{ two }} itself": lambda see: see.at["slope"]}),
         Find("ten", "Take the kind other, and move the slope.", "Where does it reach twenty?", "slope",
              lambda see: see()["time"][-1] >= 20, "It takes a slope of five.", at={"kind": "other"}, hint="Steeper."),
     ])
def _asking(slope, kind):
    if kind == "refused":
        raise ValueError("kind refused cannot be drawn; pick another.")
    if kind == "broken":
        raise ZeroDivisionError("division by zero")
    size = [1.0, 2.0, 3.0, 4.0]
    return {"size": size, "time": [slope * s for s in size], "way": ["It falls"] * 4}, f"At most {4 * slope:g}."


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """Return a function that makes the lab anew, as a notebook does that is opened again."""
    monkeypatch.setenv("FABRICLIB_PROGRESS", str(tmp_path / "progress.json"))
    return lambda: Lab(_asking.declaration, pose=lambda lab: posed(lab, "trial", {"two": 2}))
