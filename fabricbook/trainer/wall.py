"""The wall: a page that draws the room's guesses at one prediction as they come in, and opens the answer at the press of a key.

It is served on this machine only, to whoever has the token in its address. What it sends is values, never a name.
"""

from __future__ import annotations

import html
import json
import secrets
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from ..course.declare import Prediction
from ..desk.pages import Server
from . import guesses
from .line import picture
from .records import Learner

PAGE = Path(__file__).with_name("wall.html")


def now(prediction: Prediction, learners: list[Learner], *, opened: bool) -> dict:
    """Return what the page shows of the guesses of *learners* now; nothing of the answer unless it is *opened*."""
    found = guesses.gather(prediction, learners)
    return {"picture": picture(prediction, found.values, opened=opened), "counted": guesses.counted(found),
            "told": guesses.told(prediction, found) if opened else []}


def server(prediction: Prediction, learners: Callable[[], list[Learner]], port: int) -> Server:
    """Return the server of the wall, on 127.0.0.1; the address of its page is its `address`.

    Args:
        prediction: what was asked.
        learners: returns their records as they are now.
        port: any that is free if it is 0.

    Raises:
        ValueError: the port cannot be had.
    """
    handler = type("Wall", (_Handler,), {"prediction": prediction, "learners": staticmethod(learners),
                                         "token": secrets.token_urlsafe(24)})
    try:
        found = Server(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as problem:
        raise ValueError(f"port {port} of 127.0.0.1 cannot be had ({problem}); name another by --port.") from None
    found.address = f"http://127.0.0.1:{found.server_address[1]}/?token={handler.token}"
    return found


class _Handler(BaseHTTPRequestHandler):
    prediction: Prediction
    learners: Callable[[], list[Learner]]
    token: str

    def do_GET(self) -> None:  # noqa: N802 - the base class calls it so
        """Answer with the page, or with what it shows now; to a stranger, with nothing."""
        asked = urlsplit(self.path)
        given = parse_qs(asked.query)
        if not secrets.compare_digest(given.get("token", [""])[0].encode(), self.token.encode()):
            self.send_error(403)
        elif asked.path == "/":
            nonce = secrets.token_urlsafe(16)
            page = Template(PAGE.read_text(encoding="utf-8"))
            filled = page.substitute(question=html.escape(self.prediction.question), nonce=nonce)
            self._send(filled, "text/html", f"default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; "
                                          f"script-src 'nonce-{nonce}'")
        elif asked.path == "/now":
            try:
                shown = now(self.prediction, self.learners(), opened=given.get("open") == ["1"])
            except ValueError as problem:  # a stick was pulled out
                shown = {"picture": "", "counted": str(problem), "told": []}
            self._send(json.dumps(shown), "application/json", "default-src 'none'")
        else:
            self.send_error(404)

    def _send(self, text: str, kind: str, policy: str) -> None:
        content = text.encode()
        self.send_response(200)
        for name, value in (("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(content))),
                            ("Content-Security-Policy", policy), ("Cache-Control", "no-store"),
                            ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        """Say nothing of who looks."""


def serve(prediction: Prediction, learners: Callable[[], list[Learner]], *, port: int = 0, browser: bool = True) -> None:
    """Serve the wall until Ctrl-C, and open it."""
    with server(prediction, learners, port) as wall:
        print(f"The wall is at {wall.address}\nThe key o opens and closes the answer. Ctrl-C here stops it.", flush=True)
        if browser:
            webbrowser.open(wall.address)
        try:
            wall.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")
