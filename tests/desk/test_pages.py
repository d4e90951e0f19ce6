"""Pages for a room can be read, and nothing else can be done with them."""

from __future__ import annotations

import functools
import http.client
import socket
import socketserver
import struct
import threading

import pytest
from patience import PATIENCE

from fabricbook.__main__ import main
from fabricbook.desk import pages


@pytest.fixture
def ask(tmp_path):
    """Returns a function that asks the server of a small folder, and tells status, headers and content."""
    folder = tmp_path / "site"
    (folder / "static").mkdir(parents=True)
    (folder / "index.html").write_text("the book", encoding="utf-8")
    (folder / "static" / "front.js").write_text("export {}", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").mkdir()
    (folder / "linked" / "index.html").symlink_to(tmp_path / "secret.txt")
    server = pages.server(folder, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def asked(path, method="GET"):
        connection = http.client.HTTPConnection(*server.server_address, timeout=PATIENCE)
        connection.request(method, path)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    yield asked
    server.shutdown()
    server.server_close()


def test_a_module_is_javascript_whatever_the_system_says(ask):
    status, headers, content = ask("/static/front.js")
    assert (status, headers["content-type"], content) == (200, "text/javascript; charset=utf-8", b"export {}")
    assert headers["x-content-type-options"] == "nosniff"
    assert ask("/")[2] == b"the book"


OTHER = ["/static/", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/out.txt", "/linked/", "/%00", "/none"]


@pytest.mark.parametrize("path", OTHER)
def test_nothing_else_is_handed_out(ask, path):
    status, _, content = ask(path)
    assert status == 404
    assert b"secret" not in content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(ask, method):
    assert ask("/index.html", method)[0] == 501


def test_a_reader_who_goes_away_leaves_no_traceback(tmp_path, capsys):
    (tmp_path / "index.html").write_text("the book", encoding="utf-8")
    with pages.server(tmp_path, port=0) as server:
        server.process_request = functools.partial(socketserver.BaseServer.process_request, server)  # in this very thread
        with socket.create_connection(server.server_address, timeout=PATIENCE) as reader:
            reader.sendall(b"GET / HTTP/1.0\r\n\r\n")
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed at once, as by a browser
        server.handle_request()
    assert capsys.readouterr().err == ""


@pytest.fixture
def served(tmp_path, monkeypatch, capsys):
    """Returns a function that serves a book until Ctrl-C, and tells what was said."""
    (tmp_path / "index.html").write_text("the book", encoding="utf-8")

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pages.ThreadingHTTPServer, "serve_forever", stop)

    def said(*arguments):
        main(["serve", str(tmp_path), "--port", "0", *arguments])
        return capsys.readouterr().out

    return said


def test_it_listens_on_this_machine_only_unless_told_otherwise(served):
    assert "http://127.0.0.1:" in served()
    assert "Whoever" not in served()
    assert "Whoever reaches this machine can read them, without a password." in served("--address", "0.0.0.0")


@pytest.mark.parametrize(("system", "shared"), [("win32", False), ("linux", True)])
def test_on_windows_no_port_is_shared_with_another_program(tmp_path, monkeypatch, system, shared):
    """There, what lets a server start again at once lets two of them have one port, and a browser reaches either."""
    (tmp_path / "index.html").write_text("the book", encoding="utf-8")
    monkeypatch.setattr(pages.sys, "platform", system)
    with pages.server(tmp_path, port=0) as server:
        assert bool(server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)) is shared


NOT_HERE = [("address", "192.0.2.1"), ("address", "no such name"), ("port", "65536"), ("port", "-1")]


@pytest.mark.parametrize(("option", "value"), NOT_HERE)
def test_an_address_that_cannot_be_had_is_told_in_a_sentence(served, option, value):
    with pytest.raises(SystemExit, match="cannot be served from .* name others by --address and --port"):
        served(f"--{option}", value)


def test_a_folder_without_pages_is_told_in_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="has no index.html; name one that holds pages"):
        main(["serve", str(tmp_path)])
