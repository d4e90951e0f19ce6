"""What JupyterLab's server does here, settings/server_config.json: a kernel's answer leaves at once, and a lesson without one
can be read."""

from __future__ import annotations

import asyncio
import math
import os
from pathlib import Path

import psutil
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from . import saved_outputs
from .learner_copies import shipped


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A connection that does not wait for the browser to acknowledge one small message before it sends the next.

    Without this a slider's answer waits some 40 ms: Nagle's algorithm meets the browser's delayed acknowledgement.
    """

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()


class ReadableContents(AsyncLargeFileManager):
    """The files of the learner's folder; a lesson whose widgets' kernel is gone is handed out without them."""

    async def get(self, path, *args, **options):
        model = await super().get(path, *args, **options)
        notebook = model["content"] if model["type"] == "notebook" else None
        if notebook and saved_outputs.alive(notebook) and not await self._living(path.strip("/"), model["last_modified"]):
            # In a thread: the course says something to every answer, and is a few seconds to import.
            saved_outputs.welcome(await asyncio.to_thread(_readable, notebook, model["name"]))
        return model

    async def _living(self, path, saved):
        """Whether the kernel of the notebook at *path* was there already when it was *saved*."""
        started = [await self._started(session) for session in await self._sessions() if session["path"] == path]
        return any(start <= saved.timestamp() for start in started)

    async def _sessions(self):
        return await self.parent.session_manager.list_sessions()

    async def _started(self, session):
        """When the kernel's process began, in seconds since 1970; a kernel that is restarted gets a new one."""
        kernel = self.parent.kernel_manager.get_kernel(session["kernel"]["id"])
        try:
            return psutil.Process(kernel.provisioner.pid).create_time()
        except psutil.Error:
            return math.inf


def _readable(notebook, name):
    return saved_outputs.readable(notebook, _pictures(name), saved_outputs.answered(_progress()))


def readable_export(notebook, resources):
    """Let an export show pictures and answers: it has no kernel to ask."""
    return _readable(notebook, resources.get("metadata", {}).get("name", "") + ".ipynb"), resources


def _pictures(name):
    return saved_outputs.pictures(shipped() / saved_outputs.shipped_as(name))


def _progress():
    return Path(os.environ.get("FABRICLIB_PROGRESS", "progress.json"))
