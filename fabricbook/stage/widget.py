"""The widget of one lab: it draws in the browser (front/) and answers each question with one state.

The browser asks with a custom message {id, values}, never two at a time; the answer is one change of the
trait `state`. No other trait moves, so there is no echo and nothing queues up while a slider is dragged.
An answer to a stop is a message {id, stop, given}, or {id, stop, show: true} to be told it; the trait `stops` answers.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import anywidget
import traitlets

from fabriclib.checks import known

from .charts import DARK, GREEN, GREY, INK, LIVE, PAGE, PAPER, TIER, TIERS, VERMILION
from .folded import columns
from .lab import Lab
from .wire import plain_columns
from .words import COME_BACK

HERE = Path(__file__).parent
VEGA = HERE / "static" / "vega.js"
NOT_BUILT = (
    "The chart cannot be drawn: Vega's JavaScript was not built. Install the package again, or run "
    "python tools/bundle_vega.py in a checkout, then run this cell again. The table below works without it."
)


def _joined(kind: str) -> str:
    """The files of front/ of one kind as one: the browser gets a single module, in which any file may call any other."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((HERE / "front").glob(f"*.{kind}")))


class LabWidget(anywidget.AnyWidget):
    """Everything one lab shows. `setup` never changes; `state` is {id, values, ends, columns, sentence, error}.

    `stops` is {id, states}: the state of each of the lab's stops, in order, and the message that it answers.
    """

    _esm = _joined("js")
    _css = _joined("css")
    setup = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    stops = traitlets.Dict().tag(sync=True)

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        # JupyterLab may deliver a message in a thread of its own while a cell calls Lab.set.
        self._one_at_a_time = threading.Lock()
        empty = {"id": None, "values": lab.positions(), "ends": {}, "columns": {}, "sentence": "", "error": ""}
        super().__init__(setup=setup_of(lab), state=state_after(lab, empty, lab.positions), stops=_stops(lab, None))
        self.on_msg(self._on_message)

    def place(self, controls: dict) -> None:
        """Move the named controls to the given values, the others staying where they are."""

        def asked() -> dict[str, int]:
            listed = {name: self._lab.controls[name].values[at] for name, at in self.state["values"].items()}
            return self._lab.positions(**(listed | controls))

        self._publish(None, asked)

    def _on_message(self, _widget, message, _buffers) -> None:
        if not isinstance(message, dict):
            return
        if message.get("want") == "vega":
            self._send_vega()
        elif isinstance(message.get("id"), str) and "stop" in message:
            self._at_stop(message)
        elif isinstance(message.get("id"), str):
            self._publish(message["id"], lambda: self._lab.checked(message.get("values")))

    def _at_stop(self, message: dict) -> None:
        key = message["stop"]
        if not isinstance(key, str) or key not in self._lab.stops:
            self._publish(message["id"], lambda: known("stop", key, self._lab.stops))
            return
        with self._one_at_a_time:
            stop, moves = self._lab.stops[key], {}
            if message.get("show") is True:
                moves = stop.show()
            else:
                stop.answer(message.get("given"))
            self.stops = _stops(self._lab, message["id"])
        if moves:
            self.place(moves)

    def _publish(self, id: str | None, asked) -> None:  # noqa: A002 - the message's own word
        with self._one_at_a_time:
            self.state = state_after(self._lab, self.state | {"id": id}, asked)

    def _send_vega(self) -> None:
        if VEGA.exists():
            self.send({"vega": "built"}, buffers=[VEGA.read_bytes()])
        else:
            self.send({"vega": "missing", "sentence": NOT_BUILT})


def setup_of(lab: Lab) -> dict:
    """Return what the browser draws of *lab* that never changes."""
    declared = lab.declared
    controls = [
        {
            "name": control.name,
            "label": control.label,
            "kind": control.as_,
            "texts": [control.text(value) for value in control.values],
            "default": control.position(control.default),
            "verb": control.verb,
            "picks": control.picks,
            "drags": control.drags,
            "carries": control.carries,
            "values": list(control.values) if control.picks or control.drags else [],
        }
        for control in declared.controls
    ]
    sources = [": ".join(filter(None, (f"{source.title}, {source.publisher}", source.url))) for source in lab.sources()]
    return {
        "title": declared.title,
        "tier": declared.tier,
        "tiers": list(TIERS),
        "style": {"tier": TIER[declared.tier], "grey": GREY, "right": GREEN, "wrong": VERMILION, "paper": PAPER, "ink": INK,
                  "gone": json.dumps(COME_BACK)},
        "dark": DARK,
        "controls": controls,
        "spec": json.dumps(lab.spec),  # as text, for a browser's Python loses each null, which is how a chart says "no axis"
        "names": {"live": LIVE, "page": PAGE},
        "table": columns(lab.spec, declared.hides),
        "glides": list(declared.glides),
        "stops": [stop.setup for stop in lab.stops.values()],
        "leaves_out": declared.leaves_out,
        "sources": sources,
    }


def _stops(lab: Lab, id: str | None) -> dict:  # noqa: A002 - the message's own word
    return {"id": id, "states": [stop.state for stop in lab.stops.values()]}


def state_after(lab: Lab, before: dict, asked) -> dict:
    """Return the next state. What goes wrong becomes its sentence of error; the last good table stays."""
    state = before | {"error": ""}
    try:
        state["values"] = asked()
        state["values"], state["ends"] = lab.within(state["values"]), lab.ends(state["values"])
        columns, sentence = lab.answer(state["values"])
        return state | {"columns": plain_columns(columns), "sentence": sentence}
    except ValueError as error:
        return state | {"error": str(error)}
    except Exception as error:  # a mistake in a lab must not become a traceback in a lesson
        what = f"{type(error).__name__}: {error}"[:200]
        return state | {"error": f"This lab's model failed ({what}). The chart shows the last values that worked."}
