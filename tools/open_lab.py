"""`make lab`: install once, lay out the learner's copies of the lessons, and open JupyterLab on the first one."""

import os
import sys
from pathlib import Path

import install  # first, because it tells in one sentence when this Python is too old
import learner_copies

ROOT = Path(__file__).resolve().parents[1]
FIRST = "00_start_here.ipynb"
SETTINGS = Path(__file__).resolve().parent / "lab_settings"
SERVER = SETTINGS / "server_config.py"


def command(python: Path) -> list[str]:
    """Return the command that starts JupyterLab: on this machine only, with a token, asking and fetching nothing."""
    options = {
        "ServerApp.config_file": SERVER,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.answer_yes": "True",  # Ctrl-C stops at once
        "Application.log_level": "ERROR",  # the address is printed all the same
        "LabApp.default_url": f"/lab/tree/{FIRST}",
        "KernelManager.transport_encryption": "auto",  # others may work on this machine too
        "LabApp.app_settings_dir": SETTINGS,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-root")
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        flags.append("--no-browser")  # nowhere to show one but a text browser in this very terminal
    return [str(python), "-m", "jupyterlab", *flags]


def environment(work: Path) -> dict[str, str]:
    """Return the environment JupyterLab starts in: progress and settings stay in the learner's *work* folder."""
    return os.environ | {
        "FABRICLIB_PROGRESS": str(work / "progress.json"),
        "JUPYTER_CONFIG_DIR": str(work / ".jupyter"),
    }


def main() -> None:
    """Open the course."""
    python = install.ensure()
    work = ROOT / "work"
    for sentence in learner_copies.refresh(ROOT / "notebooks", work):
        print(sentence)
    print(f"Starting JupyterLab on {work / FIRST}. Ctrl-C here stops it.", flush=True)
    os.chdir(work)
    os.execve(python, command(python), environment(work))


if __name__ == "__main__":
    main()
