"""`make lab`: install once, lay out the learner's copies of the lessons, and open JupyterLab on the first one."""

import json
import os
import shutil
import sys
from pathlib import Path

import install  # first, because it tells in one sentence when this Python is too old
import learner_copies

ROOT = Path(__file__).resolve().parents[1]
FIRST = "00_start_here.ipynb"
SETTINGS = Path(__file__).resolve().parent / "lab_settings"
SERVER = SETTINGS / "server_config.py"
# JupyterLab's own layout, but for the sidebars: the lesson gets the width that the list of files would take.
WINDOW = {
    "data": {"layout-restorer:data": {"left": {"collapsed": True, "visible": True}, "right": {"collapsed": True,
        "visible": True}}},
    "metadata": {"id": "default"},
}


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
        "LabApp.custom_css": "True",
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


def settle(work: Path) -> None:
    """Lay JupyterLab's settings into *work*: the style sheet, and at the first start a window with the list of files closed."""
    config = Path(environment(work)["JUPYTER_CONFIG_DIR"])
    (config / "custom").mkdir(parents=True, exist_ok=True)
    shutil.copy(SETTINGS / "custom" / "custom.css", config / "custom" / "custom.css")
    window = config / "lab" / "workspaces" / "default-37a8.jupyterlab-workspace"
    if not window.exists():
        window.parent.mkdir(parents=True, exist_ok=True)
        window.write_text(json.dumps(WINDOW), encoding="utf-8")


def main() -> None:
    """Open the course."""
    python = install.ensure("book")
    work = ROOT / "work"
    for sentence in learner_copies.refresh(ROOT / "notebooks", work):
        print(sentence)
    settle(work)
    print(f"Starting JupyterLab on {work / FIRST}. Ctrl-C here stops it.", flush=True)
    os.chdir(work)
    os.execve(python, command(python), environment(work))


if __name__ == "__main__":
    main()
