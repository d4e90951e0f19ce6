"""One learner of the load test: a browser's part of the hub, of JupyterLab and of the kernels' protocol, without the browser."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import struct
import time
import uuid
from urllib.parse import urljoin

import aiohttp

PATIENCE = 240  # seconds that any one thing may take while all start at once


class Refused(Exception):
    """The hub or a learner's server said no; the text says to what."""


class Browser:
    """The cookies of one person and what they may ask of the hub at *base*."""

    def __init__(self, base: str, name: str):
        self.base, self.name = base, name
        cookies = aiohttp.CookieJar(unsafe=True)  # of an address too, which is no name
        self._session = aiohttp.ClientSession(cookie_jar=cookies, timeout=aiohttp.ClientTimeout(total=PATIENCE))

    async def log_in(self, password: str) -> None:
        """Log in by the form, as a person does."""
        await self.get("hub/login")
        form = {"username": self.name, "password": password, "_xsrf": self._xsrf("hub/login")}
        async with self._session.post(urljoin(self.base, "hub/login"), data=form, allow_redirects=False) as answer:
            if answer.status != 302:
                raise Refused(f"login of {self.name}: {answer.status}")

    async def open_server(self) -> str:
        """Start one's server, wait for it as the hub's page does, and return JupyterLab's page."""
        await self.get("hub/spawn")
        await self._started()
        page = (await self.get(f"user/{self.name}/lab")).decode()
        if "jupyter-config-data" not in page:
            raise Refused(f"server of {self.name}: another page than JupyterLab's")
        return page

    async def _started(self) -> None:
        """Listen until the hub says that one's server is there."""
        path = f"hub/api/users/{self.name}/server/progress"
        async with self._session.get(urljoin(self.base, path), params={"_xsrf": self._xsrf(path)}) as answer:
            if answer.status >= 400:
                raise Refused(f"GET {path}: {answer.status}")
            async for line in answer.content:
                event = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if event.get("ready"):
                    return
                if event.get("failed"):
                    raise Refused(f"server of {self.name}: {event.get('message')}")
        raise Refused(f"server of {self.name}: not there when the hub said no more")

    async def load_scripts(self, page: str) -> int:
        """Fetch what JupyterLab's *page* names, and return its bytes."""
        sizes = [len(await self.get(path)) for path in re.findall(r'<script[^>]* src="([^"]+)"', page)]
        return sum(sizes)

    async def get(self, path: str) -> bytes:
        """Return what is at *path*."""
        async with self._session.get(urljoin(self.base, path)) as answer:
            if answer.status >= 400:
                raise Refused(f"GET {path}: {answer.status}")
            return await answer.read()

    async def status(self, method: str, path: str, form: dict | None = None) -> int:
        """Return only the status with which *path* answers; a *form* goes without the token that guards against forgery."""
        async with self._session.request(method, urljoin(self.base, path), data=form) as answer:
            return answer.status

    async def delete(self, path: str) -> None:
        """Remove what is at *path*."""
        async with self._session.delete(urljoin(self.base, path), headers={"X-XSRFToken": self._xsrf(path)}) as answer:
            if answer.status >= 400:
                raise Refused(f"DELETE {path}: {answer.status}")

    async def post(self, path: str, content: dict) -> dict:
        """Send *content* to *path*, and return the answer."""
        headers = {"X-XSRFToken": self._xsrf(path)}
        async with self._session.post(urljoin(self.base, path), json=content, headers=headers) as answer:
            if answer.status >= 400:
                raise Refused(f"POST {path}: {answer.status}")
            return await answer.json()

    async def open_notebook(self, file: str) -> Notebook:
        """Open the notebook *file* with a kernel of its own."""
        document = json.loads(await self.get(f"user/{self.name}/api/contents/{file}"))["content"]
        session = await self.post(f"user/{self.name}/api/sessions", {
            "path": file, "name": file, "type": "notebook", "kernel": {"name": "python3"}})
        address = urljoin(self.base, f"user/{self.name}/api/kernels/{session['kernel']['id']}/channels")
        socket = await self._session.ws_connect(address, max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=5))
        return Notebook(document, socket, session["id"])

    async def close_notebook(self, notebook: Notebook) -> None:
        """Close the page of *notebook*, and its kernel with it, as the classroom's JupyterLab does."""
        await notebook.close()
        await self.delete(f"user/{self.name}/api/sessions/{notebook.session}")

    async def close(self) -> None:
        """Close the browser."""
        await self._session.close()

    def _xsrf(self, path: str) -> str:
        return self._session.cookie_jar.filter_cookies(urljoin(self.base, path))["_xsrf"].value


class Notebook:
    """An open notebook: its cells, its kernel, and the widgets that the kernel has shown."""

    def __init__(self, document: dict, socket: aiohttp.ClientWebSocketResponse, session: str):
        self.session = session
        self.cells = ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]
        self.widgets: dict[str, dict] = {}
        self._socket, self._client = socket, uuid.uuid4().hex
        self._replies: dict[str, asyncio.Queue] = {}
        self._changed = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    async def run(self, code: str) -> tuple[str, str]:
        """Run *code*, and return its status and what it printed."""
        asked = await self._send("execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False})
        status, printed, idle = "", "", False
        async with asyncio.timeout(PATIENCE):
            while not (status and idle):
                message = await self._replies[asked].get()
                content = message["content"]
                if message["msg_type"] == "execute_reply":
                    status = content["status"]
                    printed += "" if status == "ok" else f"{content.get('ename')}: {content.get('evalue')}"
                elif message["msg_type"] == "stream":
                    printed += content["text"]
                idle = idle or content.get("execution_state") == "idle"
        del self._replies[asked]
        return status, printed

    def labs(self) -> list[str]:
        """Return the widgets that are labs, in the order of the page."""
        return [key for key, state in self.widgets.items() if state.get("setup", {}).get("controls")]

    async def draw(self, lab: str) -> None:
        """Ask for the JavaScript that draws, as the first lab of a page does."""
        await self._tell(lab, {"method": "custom", "content": {"want": "vega"}})

    async def move(self, lab: str, control: str, to: int) -> float:
        """Move *control* of *lab*, and return the seconds until the answer."""
        asked, began = uuid.uuid4().hex, time.perf_counter()
        values = self.widgets[lab]["state"]["values"] | {control: to}
        await self._tell(lab, {"method": "custom", "content": {"id": asked, "values": values}})
        await self._until(lambda: self.widgets[lab]["state"]["id"] == asked)
        if problem := self.widgets[lab]["state"]["error"]:
            raise Refused(f"{self.widgets[lab]['setup']['title']}: {problem}")
        return time.perf_counter() - began

    async def predict(self) -> int:
        """Answer each prediction that waits for one, by the sample that its box names; return how many."""
        waiting = [state for state in self.widgets.values() if "fl-predict" in state.get("_dom_classes", ())]
        for box in waiting:
            _, form, feedback, _ = self._children(box)
            text, check = self._children(self.widgets[form])[:2]
            sample = self.widgets[text]["placeholder"].removeprefix("such as ")
            await self._tell(text, {"method": "update", "state": {"value": sample}, "buffer_paths": []})
            await self._tell(check, {"method": "custom", "content": {"event": "click"}})
            await self._until(lambda said=feedback: "fl-answer" in self.widgets[said]["value"])
        return len(waiting)

    async def close(self) -> None:
        """Hang up; the kernel goes on."""
        self._listening.cancel()
        await self._socket.close()

    @staticmethod
    def _children(state: dict) -> list[str]:
        return [child.removeprefix("IPY_MODEL_") for child in state["children"]]

    async def _tell(self, widget: str, data: dict) -> None:
        await self._send("comm_msg", {"comm_id": widget, "data": data})

    async def _send(self, kind: str, content: dict) -> str:
        message = uuid.uuid4().hex
        if kind == "execute_request":
            self._replies[message] = asyncio.Queue()
        header = {"msg_id": message, "msg_type": kind, "session": self._client, "username": "", "version": "5.3", "date": ""}
        await self._socket.send_json(
            {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content})
        return message

    async def _until(self, reached) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(reached)

    async def _listen(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data if frame.type == aiohttp.WSMsgType.TEXT else _head(frame.data))
            if waiting := self._replies.get(message["parent_header"].get("msg_id", "")):
                waiting.put_nowait(message)
            if message["msg_type"] in ("comm_open", "comm_msg"):
                await self._hear(message["content"])

    async def _hear(self, content: dict) -> None:
        async with self._changed:
            self.widgets.setdefault(content["comm_id"], {}).update(content["data"].get("state", {}))
            self._changed.notify_all()


def _head(frame: bytes) -> bytes:
    """Return the JSON of a message that carries buffers: before it stand their number and where each part begins."""
    parts = struct.unpack_from("!i", frame)[0]
    starts = [*struct.unpack_from(f"!{parts}i", frame, 4), len(frame)]
    return next(frame[start:end] for start, end in itertools.pairwise(starts))
