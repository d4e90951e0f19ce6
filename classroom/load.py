"""`make classroom-load`: the real hub on 127.0.0.1, and scripted learners who come in half a minute and go through two lessons.

It makes users of this machine for them, and removes them at the end: so it needs root, and a machine that may be asked for that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import roster
import trials
from scripted_learner import PATIENCE, Browser, Notebook, Refused

from fabricbook.desk import learner_copies

HERE = Path(__file__).resolve().parent
LESSONS = ("00_start_here.ipynb", "02_nvlink.ipynb")
MOST_LEARNERS, MOST_MINUTES = 60, 30
ARRIVE = 30  # seconds in which all come
DRAG, READ = 0.1, 2.0  # seconds between two positions of a slider, and between two labs
POSITIONS = 8  # of each control that is moved
MIB = 2**20


@dataclass
class Learner:
    """What one learner does, and what was seen of it."""

    browser: Browser
    password: str
    at: str = "not there yet"
    first_lesson: float = 0.0
    moves: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    open: list[Notebook] = field(default_factory=list)

    async def attend(self, comes_after: float) -> None:
        """Come, and go through the lessons. What goes wrong is noted, and ends it."""
        await asyncio.sleep(comes_after)
        began = time.monotonic()
        try:
            self.at = "starting"
            await self.browser.log_in(self.password)
            await self.browser.load_scripts(await self.browser.open_server())
            for file in LESSONS:
                notebook = await self.browser.open_notebook(file)
                self.open.append(notebook)
                await self._work(notebook, file, began)
            self.at = "through"
        except (Refused, TimeoutError, aiohttp.ClientError, KeyError) as problem:
            self.failures.append(f"{self.browser.name}, {self.at}: {type(problem).__name__} {problem}")
            self.at = "failed"

    async def _work(self, notebook: Notebook, file: str, began: float) -> None:
        for code in notebook.cells:
            status, printed = await notebook.run(code)
            if status != "ok":
                self.failures.append(f"{self.browser.name}, {file}: {printed[:200]}")
            if notebook.labs() and not self.first_lesson:
                self.first_lesson = time.monotonic() - began
        self.at = f"in {file[:2]}"
        await notebook.predict()
        await notebook.draw(notebook.labs()[0])
        for lab in notebook.labs():
            for control in notebook.widgets[lab]["setup"]["controls"]:
                for to in range(min(POSITIONS, len(control["texts"]))):
                    self.moves.append(await notebook.move(lab, control["name"], to))
                    await asyncio.sleep(DRAG)
            await asyncio.sleep(READ)


@contextlib.contextmanager
def hub(state: Path):
    """The hub of jupyterhub_config.py at free ports of this machine; it is stopped at the end, and all servers with it."""
    public, private, proxy = free_ports(3)
    command = [sys.executable, "-m", "jupyterhub", "--config", HERE / "jupyterhub_config.py",
               f"--JupyterHub.hub_bind_url=http://127.0.0.1:{private}", f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}"]
    address = f"http://127.0.0.1:{public}/"
    with open(state / "hub.log", "w", encoding="utf-8") as log, subprocess.Popen(
            command, cwd=state, stdout=log, stderr=log, start_new_session=True,
            env=os.environ | {"CLASSROOM_ADDRESS": address, "CLASSROOM_STATE": str(state)}) as process:
        try:
            yield address, process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def free_ports(number: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in sockets]


def check(name: str) -> None:
    """Leave with a sentence where the user *name* cannot run this Python, as when it lies in root's own folder."""
    try:
        subprocess.run([sys.executable, "-c", ""], user=name, cwd="/", check=True)
    except (PermissionError, subprocess.CalledProcessError):
        raise Refused(f"A learner cannot run {sys.executable}: Python and the course must lie where all may enter") from None


async def answering(address: str, process: subprocess.Popen, log: Path) -> None:
    """Wait until the hub answers; leave if it does not."""
    browser = Browser(address, "nobody")
    try:
        for _ in range(2 * PATIENCE):  # its first start draws the charts
            with contextlib.suppress(aiohttp.ClientError):
                if await browser.status("GET", "hub/health") == 200:
                    return
            if process.poll() is not None:
                break
            await asyncio.sleep(0.5)
    finally:
        await browser.close()
    raise Refused(f"The hub did not start: {log.read_text(encoding='utf-8')[-2000:]}")


async def tell(learners: list[Learner], began: float) -> None:
    """Say every ten seconds where the learners are."""
    while True:
        await asyncio.sleep(10)
        places: dict[str, int] = {}
        for learner in learners:
            places[learner.at] = places.get(learner.at, 0) + 1
        print(f"{time.monotonic() - began:5.0f} s  " + ", ".join(f"{many} {at}" for at, many in sorted(places.items()))
              + f"; load {os.getloadavg()[0]:.0f}", flush=True)


def memory(names: Iterable[str]) -> list[float]:
    """Return the MiB of all processes of each user of *names*; what several share counts in parts."""
    total = {pwd.getpwnam(name).pw_uid: 0 for name in names}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (uid := process.uids().real) in total:
                total[uid] += process.memory_full_info().pss
    return [pss / MIB for pss in total.values()]


def tree_memory(process: int) -> float:
    """Return the MiB of the hub, its proxy and its culler: what of its children is root's."""
    mine = [one for one in [psutil.Process(process), *psutil.Process(process).children(recursive=True)] if one.uids().real == 0]
    return sum(one.memory_full_info().pss for one in mine) / MIB


async def tried(learners: list[Learner], state: Path) -> dict[str, bool]:
    """Let the first learner try for what is the second's and the hub's."""
    who, of = learners[0], learners[1].browser.name
    entry = pwd.getpwnam(of)
    theirs = [one for one in psutil.process_iter() if one.uids().real == entry.pw_uid]
    other = trials.Other(of, entry.pw_dir, entry.pw_uid, min(theirs, key=psutil.Process.create_time).pid)
    units = Path("/run/systemd/system").is_dir()
    return (await trials.from_the_browser(who.browser, other)
            | await trials.from_the_kernel(who.open[0], other, state=state, lessons=learner_copies.shipped(), units=units))


async def lesson(passwords: dict[str, str], state: Path, minutes: float) -> bool:
    """Let all learners work, print what was seen, and return whether nothing failed."""
    dice = random.Random(0)
    with hub(state) as (address, process):
        await answering(address, process, state / "hub.log")
        learners = [Learner(Browser(address, name), word) for name, word in passwords.items()]
        began = time.monotonic()
        teller = asyncio.create_task(tell(learners, began))
        try:
            async with asyncio.timeout(60 * minutes):
                await asyncio.gather(*(one.attend(dice.uniform(0, ARRIVE)) for one in learners))
                teller.cancel()
                both = memory(passwords)
                outcomes = await tried(learners, state) if len(learners) > 1 and learners[0].open else {}
                for one in learners:
                    for notebook in one.open[:-1]:
                        await one.browser.close_notebook(notebook)
                return report(learners, both, memory(passwords), tree_memory(process.pid), outcomes)
        finally:
            teller.cancel()
            for one in learners:
                for notebook in one.open:
                    await notebook.close()
                await one.browser.close()


def report(learners: list[Learner], both: list[float], one: list[float], hub_memory: float, outcomes: dict[str, bool]) -> bool:
    """Print the figures, and return whether nothing failed and nobody got at what is another's."""
    def ms(part: float) -> str:
        return f"{1000 * moves[max(0, round(part * len(moves)) - 1)]:.0f} ms"

    failures = [failure for learner in learners for failure in learner.failures]
    moves = sorted(move for learner in learners for move in learner.moves)
    waits = [learner.first_lesson for learner in learners if learner.first_lesson]
    got_in = [name for name, refused in outcomes.items() if not refused]
    if not moves:
        print("Nobody came as far as a lab.", *failures, sep="\n  ")
        return False
    print(f"""
learners                  {len(learners)}, each through {len(LESSONS)} lessons; {len(moves)} steps of a slider
failures                  {len(failures)}
time to the first lab     median {statistics.median(waits):.1f} s, longest {max(waits):.1f} s, from logging in
a step of a slider        p50 {ms(0.5)}, p95 {ms(0.95)}, longest {ms(1)}
memory of a learner       with one lesson open: mean {statistics.mean(one):.0f} MiB, most {max(one):.0f} MiB
                          with both open: mean {statistics.mean(both):.0f} MiB, most {max(both):.0f} MiB
memory of hub and proxy   {hub_memory:.0f} MiB
tried at others' things   {len(outcomes)} ways, refused {sum(outcomes.values())}""")
    for line in [*failures, *(f"NOT refused: {name}" for name in got_in)]:
        print(f"  {line}")
    return not failures and not got_in


def warned(log: str) -> list[str]:
    """Return the last lines of a hub's *log* that warn.

    >>> warned("[I 12:00:00.000 ServerApp] Interrupted...\\n[W 12:00:01.000 JupyterHub base:1354] ann is slow\\n")
    ['[W 12:00:01.000 JupyterHub base:1354] ann is slow']
    """
    return [line for line in log.splitlines() if re.match(r"\[[WEC] ", line)][-40:]


def within(text: str, most: int) -> int:
    """Return the whole number that *text* says, from 1 to *most*.

    >>> within("30", 60)
    30
    """
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most}; got {text!r}.")
    return int(text)


def main() -> None:
    """Make the users, run it, and remove them again whatever happens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=lambda text: within(text, MOST_LEARNERS), default=30)
    parser.add_argument("--minutes", type=lambda text: within(text, MOST_MINUTES), default=15, help="after which it gives up")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("The learners are users of this machine, and only root makes users: call this as root.")
    if shutil.which("configurable-http-proxy") is None:
        sys.exit("The hub's proxy, configurable-http-proxy, is not here: docs/classroom.md says how it is installed.")
    run = secrets.token_hex(2)
    names = [f"load-{run}-{number:02}" for number in range(1, asked.learners + 1)]
    state = Path(tempfile.mkdtemp(prefix="classroom-load-"))
    try:
        print(f"{asked.learners} learners come within {ARRIVE} s; at most {asked.minutes} minutes.", flush=True)
        passwords = roster.add(names)
        check(names[0])
        good = asyncio.run(lesson(passwords, state, asked.minutes))
        if not good:
            print("What the hub and the servers warned of:", *warned((state / "hub.log").read_text(encoding="utf-8")), sep="\n  ")
    except Refused as problem:
        sys.exit(f"{problem}.")
    except TimeoutError:
        sys.exit(f"Not all were through after {asked.minutes} minutes.")
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    finally:
        roster.remove([name for name in names if roster.in_class(name)])
        shutil.rmtree(state, ignore_errors=True)
    sys.exit(0 if good else "Something failed.")


if __name__ == "__main__":
    main()
