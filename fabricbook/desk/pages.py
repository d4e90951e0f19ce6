"""A folder of pages, such as the book, served to this machine or to a room. It can be read, and nothing else.

Standard library only: a kit serves its book by this file before anything is installed.
"""

import argparse
import ipaddress
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Pages(SimpleHTTPRequestHandler):
    """Hands out the files of one folder: no list of them, and nothing that a link in it leads to elsewhere."""

    # Windows asks its registry, where other programs write what they like: a module that is text/plain does not run.
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
        ".wasm": "application/wasm", ".pdf": "application/pdf", ".woff2": "font/woff2",
    }

    def send_head(self):
        """Answer with a file of the folder, or that there is none."""
        asked = Path(self.translate_path(self.path))
        handed_out = (asked, asked / "index.html", asked / "index.htm")  # of a folder, the one of these that it has
        return super().send_head() if all(map(self._inside, handed_out)) else self.send_error(404)

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(Path(self.directory).resolve())
        except ValueError:  # a null character, which no name holds
            return False

    def list_directory(self, path):
        """Answer that there is none: a folder without an index is not for reading."""
        return self.send_error(404)

    def end_headers(self):
        """Have the browser believe the types above, and ask again after an update."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        """Say nothing of who reads what."""


class Server(ThreadingHTTPServer):
    """Goes on when a reader goes away in the middle of an answer, as by closing a page: nobody needs to be told."""

    def server_bind(self):
        """Take the port, alone: on Windows, what lets a server start again at once lets another program have the port too."""
        self.allow_reuse_address = sys.platform != "win32"
        super().server_bind()

    def handle_error(self, request, client_address):
        """Print what went wrong, unless it is only that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(folder: Path, address: str = "127.0.0.1", port: int = 8000) -> Server:
    """Return the server of *folder*, listening at *address* and *port*, any free one if that is 0.

    Raises:
        ValueError: the folder has no index.html, or the address and the port cannot be had.
    """
    if not (folder / "index.html").is_file():
        raise ValueError(f"folder {str(folder)!r} has no index.html; name one that holds pages, such as site.")
    try:
        return Server((address, port), partial(Pages, directory=str(folder)))
    except (OSError, OverflowError) as problem:
        raise ValueError(f"address {address!r} with port {port} cannot be served from ({problem}); name others by --address "
                         "and --port.") from None


def serve(folder: Path, address: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve *folder* until Ctrl-C, and say where, and who can read it."""
    with server(folder, address, port) as pages:
        print(f"The pages are at http://{address}:{pages.server_address[1]}/. Ctrl-C here stops it.", flush=True)
        if not only_here(address):
            print("Whoever reaches this machine can read them, without a password. Nobody can change them.", flush=True)
        try:
            pages.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")


def only_here(address: str | None) -> bool:
    """Return whether what listens at *address*, of a host, can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add to *parser* where pages are served."""
    parser.add_argument("--address", default="127.0.0.1",
                        help="of this machine, for a room to read: its own there, such as 192.168.1.20 (default: 127.0.0.1, "
                             "which nobody else can reach)")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0 for any that is free")
