"""Two trial labs, declared here and nowhere else: what the stage promises is shown on them."""

import math

import pytest

from fabricbook.stage import Control, Lab, charts, lab


def _curve_chart():
    x = charts.x("size", (1, 1024), unit="B", log=2, title="message size")
    y = charts.y("time", (1e-9, 1e-3), unit="s", log=10, title="time")
    return charts.stack(
        charts.line(x, y, colour=charts.CHIP),
        charts.diamonds(charts.fixed([{"size": 64, "time": 1e-6}]), x, y),
        charts.limit([{"time": 1e-8, "label": "wire"}], y=y),
        description="Time against size.",
    )


@lab(
    "trial",
    title="Trial <b>lab</b>",
    tier="chip",
    controls=[
        Control("latency", [1e-9, 1e-6, 1e-3], default=1e-6, unit="s"),
        Control("kind", ["plain", "refused", "broken", "<img src=x onerror=alert(1)>"], default="plain", as_="menu"),
    ],
    chart=_curve_chart,
    leaves_out="Everything.",
    sources=["stas-network"],
)
def _curve(latency, kind):
    if kind == "refused":
        raise ValueError("kind refused has no link; pick another.")
    if kind == "broken":
        raise ZeroDivisionError("division by zero")
    size = [2.0**power for power in range(11)]
    time = [math.nan, math.inf] + [latency] * 9
    return {"size": size, "time": time, "kind": [kind] * 11}, f"The start takes {latency:g} s ({kind})."


@pytest.fixture
def trial() -> Lab:
    return Lab(_curve.declaration)
