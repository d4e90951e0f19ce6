"""JupyterLab as the course starts it lets nobody in without its token, no page from elsewhere, and no other file out."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from patience import PATIENCE

pytestmark = pytest.mark.browser  # which starts the server
WEBSOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
ELSEWHERE = {"Origin": "http://elsewhere.example"}


@pytest.fixture
def ask(server):
    """Return a function that asks the server, with its token or without, and tells the status and what came."""

    def asked(method, path, *, token=True, headers=(), body=None):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
        given = dict(headers) | ({"Authorization": f"token {server.token}"} if token else {})
        connection.request(method, f"/{path}", body=body and json.dumps(body), headers=given)
        answer = connection.getresponse()
        found = answer.status, b"" if answer.status == 101 else answer.read()
        connection.close()
        return found

    return asked


@pytest.fixture
def kernel(ask, server):
    """The address of a kernel that runs."""
    _, made = ask("POST", "api/kernels", body={"name": "python3"})
    yield f"api/kernels/{json.loads(made)['id']}"
    server.stop_kernels()


ROUTES = ["api/contents", "api/contents/progress.json", "api/kernels", "api/sessions", "api/kernelspecs", "api/config/x",
          "api/me", "api/terminals", "api/status", "files/progress.json", "nbconvert/html/00_start_here.ipynb",
          "lab/api/settings", "lab/api/workspaces", "lab", "lab/tree/00_start_here.ipynb", "metrics", "view/progress.json"]


@pytest.mark.parametrize("path", ROUTES)
def test_without_the_token_a_route_says_nothing(ask, server, path):
    (server.work / "progress.json").write_text("{}", encoding="utf-8")
    assert ask("GET", path, token=False)[0] in (302, 403)  # the former leads to the page that asks for it
    assert ask("GET", f"{path}?token=guessed", token=False)[0] in (302, 403)


@pytest.mark.parametrize(("method", "path"), [("POST", "api/kernels"), ("POST", "api/sessions"), ("PUT", "api/contents/x.txt"),
                                              ("DELETE", "api/contents/00_start_here.ipynb"), ("POST", "api/terminals"),
                                              ("POST", "api/shutdown")])
def test_without_the_token_nothing_is_changed(ask, server, method, path):
    assert ask(method, path, token=False, body={"name": "python3"})[0] == 403
    assert (server.work / "00_start_here.ipynb").exists()
    assert not (server.work / "x.txt").exists()


def test_a_kernel_listens_to_no_page_from_elsewhere(ask, kernel):
    channels = f"{kernel}/channels"
    assert ask("GET", channels, headers=WEBSOCKET)[0] == 101
    assert ask("GET", channels, token=False, headers=WEBSOCKET)[0] == 403
    assert ask("GET", channels, token=False, headers=WEBSOCKET | ELSEWHERE)[0] == 403


def test_a_page_from_elsewhere_cannot_use_a_learner_s_cookie(ask, server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    connection.request("GET", f"/lab?token={server.token}")
    answer = connection.getresponse()
    cookies = "; ".join(value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")
    connection.close()
    known = {"Cookie": cookies}
    assert ask("GET", "api/contents", token=False, headers=known)[0] == 200
    start = {"method": "POST", "path": "api/kernels", "token": False, "body": {"name": "python3"}}
    assert ask(**start, headers=known)[0] == 403  # what a page proves by a header is not there
    assert ask(**start, headers=known | ELSEWHERE)[0] in (403, 404)
    assert json.loads(ask("GET", "api/kernels")[1]) == []
    assert ask("GET", "api/contents", token=False, headers=known | {"Host": "elsewhere.example"})[0] == 403


@pytest.mark.parametrize("path", ["..", "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt",
                                  "..%5csecret.txt", "/etc/passwd", "%2fetc%2fpasswd", "../{work}-2/secret.txt",
                                  "..%2f{work}-2%2fsecret.txt", "{work}/../../{work}-2/secret.txt"])
def test_no_file_outside_the_copies_is_handed_out(ask, server, path):
    neighbour = server.work.with_name(f"{server.work.name}-2")  # begins as the copies' own folder does
    neighbour.mkdir(exist_ok=True)
    for folder in (server.work.parent, neighbour):
        (folder / "secret.txt").write_text("do not tell", encoding="utf-8")
    path = path.format(work=server.work.name)
    for route in (f"api/contents/{path}", f"files/{path}", f"view/{path}", f"nbconvert/html/{path}"):
        status, content = ask("GET", route)
        assert status in (302, 400, 403, 404), route
        assert b"do not tell" not in content
        assert b"root:" not in content
