"""What a learner must not be able to do, tried: from their kernel, where any code runs, and from their browser."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from scripted_learner import Browser, Notebook

# Code that must end in an OSError, or for want of memory. In braces: who the other is, and where the hub keeps its files.
IN_THE_KERNEL = {
    "read another's answers": "open('{answers}').read()",
    "list another's files": "os.listdir('{home}')",
    "change another's answers": "open('{answers}', 'a')",
    "read what another's server was started with": "open('/proc/{pid}/environ').read()",
    "read another's memory": "open('/proc/{pid}/mem', 'rb')",
    "stop another's server": "os.kill({pid}, 15)",
    "become another": "os.setuid({uid})",
    "listen to another's kernel": """
        paths = [line.split()[-1] for line in open('/proc/net/unix') if '{home}/' in line]
        assert paths, 'no socket of theirs was found'
        for path in paths:
            socket.socket(socket.AF_UNIX).connect(path)""",
    "read the hub's cookie secret": "open('{state}/cookie_secret').read()",
    "read the hub's database": "open('{state}/hub.sqlite', 'rb').read()",
    "read the machine's passwords": "open('/etc/shadow').read()",
    "change a lesson for all": "open('{lessons}/00_start_here.ipynb', 'a')",
    "change the course for all": "open(fabricbook.__file__, 'a')",
    "start a thousand processes": """
        started = []
        try:
            for _ in range(1000):
                started.append(subprocess.Popen(['sleep', '60']))
        finally:
            for process in started:
                process.kill()
            for process in started:
                process.wait()""",
}
ALL_MEMORY = {"take all memory": "bytearray(2**32)"}  # a unit of systemd ends the kernel for it, so that nobody answers


@dataclass(frozen=True)
class Other:
    """The learner whose things are tried for."""

    name: str
    home: str
    uid: int
    pid: int


async def from_the_kernel(notebook: Notebook, other: Other, *, state: Path, lessons: Path, units: bool) -> dict[str, bool]:
    """Return of each trial in the kernel of *notebook* whether it was refused; *units* says that systemd limits the memory."""
    outcomes = {}
    for name, code in (IN_THE_KERNEL if units else IN_THE_KERNEL | ALL_MEMORY).items():
        filled = textwrap.dedent(code).strip().format(
            home=other.home, answers=Path(other.home, "work", "progress.json"), uid=other.uid, pid=other.pid, state=state,
            lessons=lessons)
        _, printed = await notebook.run(_tried(filled))
        outcomes[name] = printed.strip() == "refused"
    return outcomes


def _tried(code: str) -> str:
    return ("import os, socket, subprocess\nimport fabricbook\ntry:\n" + textwrap.indent(code, "    ")
            + "\nexcept (OSError, MemoryError):\n    print('refused')\nelse:\n    print('done')\n")


async def from_the_browser(browser: Browser, other: Other) -> dict[str, bool]:
    """Return of each trial with the cookies of *browser*, and of some without any, whether it was refused."""
    theirs, own, stranger = f"user/{other.name}", f"user/{browser.name}", Browser(browser.base, "nobody")
    asked = {
        "open another's server": (browser, "GET", f"{theirs}/lab", None),
        "fetch another's answers": (browser, "GET", f"{theirs}/api/contents/progress.json", None),
        "see another's kernels": (browser, "GET", f"{theirs}/api/kernels", None),
        "see who is in the class": (browser, "GET", "hub/api/users", None),
        "open the trainers' page": (browser, "GET", "hub/admin", None),
        "start a kernel from another site's form": (browser, "POST", f"{own}/api/sessions", {"path": "x"}),
        "log in from another site's form": (stranger, "POST", "hub/login", {"username": other.name, "password": "x"}),
        "ask a server without logging in": (stranger, "GET", f"{own}/api/kernels", None),
        "ask the hub without logging in": (stranger, "GET", "hub/api/users", None),
    }
    try:
        return {name: await who.status(method, path, form) in (401, 403) for name, (who, method, path, form) in asked.items()}
    finally:
        await stranger.close()
