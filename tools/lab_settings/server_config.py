"""JupyterLab's server as `make lab` configures it: a kernel's answer leaves at once, and a lesson without one can be read."""

import os
import sys
from pathlib import Path

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

TOOLS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOOLS))
import saved_outputs  # noqa: E402


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A connection that does not wait for the browser to acknowledge one small message before it sends the next.

    Without this a slider's answer waits some 40 ms: Nagle's algorithm meets the browser's delayed acknowledgement.
    """

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()


class ReadableContents(AsyncLargeFileManager):
    """The files of the learner's folder; a lesson that has no kernel is handed out without its dead widgets."""

    async def get(self, path, *args, **options):
        model = await super().get(path, *args, **options)
        if model["type"] == "notebook" and model["content"] and not await self._alive(path.strip("/")):
            answers = saved_outputs.answered(_progress())
            saved_outputs.readable(model["content"], _pictures(model["name"]), answers, saved_outputs.typed,
                saved_outputs.RUN_ALL)
        return model

    async def _alive(self, path):
        return any(session["path"] == path for session in await self._sessions())

    async def _sessions(self):
        return await self.parent.session_manager.list_sessions()


def readable_export(notebook, resources):
    """Let an export show pictures and answers: it has no kernel to ask."""
    name = resources.get("metadata", {}).get("name", "") + ".ipynb"
    answers = saved_outputs.answered(_progress())
    return saved_outputs.readable(notebook, _pictures(name), answers, saved_outputs.judged), resources


def _pictures(name):
    return saved_outputs.pictures(TOOLS.parent / "notebooks" / saved_outputs.shipped_as(name))


def _progress():
    return Path(os.environ.get("FABRICLIB_PROGRESS", "progress.json"))


config = get_config()  # noqa: F821 - Jupyter provides it
config.ServerApp.kernel_websocket_connection_class = PromptConnection
config.ServerApp.contents_manager_class = ReadableContents
config.Exporter.preprocessors = [readable_export]
