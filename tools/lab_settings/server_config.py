"""JupyterLab's server as `make lab` configures it: a kernel's answer leaves at once."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A connection that does not wait for the browser to acknowledge one small message before it sends the next.

    Without this a slider's answer waits some 40 ms: Nagle's algorithm meets the browser's delayed acknowledgement.
    """

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()


get_config().ServerApp.kernel_websocket_connection_class = PromptConnection  # noqa: F821 - Jupyter provides it
