"""JupyterLab on a learner's folder: on this machine only, with a token, opened where the learner was."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

from fabriclib.checks import count

from .learner_copies import shipped

SETTINGS = Path(__file__).parent / "settings"
SERVER = SETTINGS / "server_config.json"
# JupyterLab's own layout, but for the sidebars: the lesson gets the width that the list of files would take.
WINDOW = {
    "data": {"layout-restorer:data": {"left": {"collapsed": True, "visible": True}, "right": {"collapsed": True,
        "visible": True}}},
    "metadata": {"id": "default"},
}
_ASKED = re.compile(rb'\b(predict_first|check)\(\\"([\w.-]+)\\"')  # in a notebook's file, where quotes are escaped
_SECTIONS = {b"predict_first": "predictions", b"check": "exercises"}


def lesson_to_open(notebooks: Path, progress: Path) -> str:
    """Return the notebook of the last lesson begun, or of the one after it where all predictions and exercises are done.

    A progress file that cannot be read is that of a new learner.
    """
    record, files, begun = _read(progress), sorted(notebooks.glob("*.ipynb")), 0
    lessons = {path.stem.partition("_")[2]: at for at, path in enumerate(files)}
    for section in ("stops", "predictions", "exercises"):
        begun = max([begun, *(lessons.get(key.split(".")[0], 0) for key in record.get(section, {}))])
    asked = _ASKED.findall(files[begun].read_bytes())
    done = all(_done(record.get(_SECTIONS[call], {}).get(key.decode())) for call, key in asked)
    return files[begun + 1 if done and begun + 1 < len(files) else begun].name


def _done(entry) -> bool:
    return isinstance(entry, dict) and entry.get("outcome") != "wrong"


def _read(progress: Path) -> dict[str, dict]:
    try:
        record = json.loads(progress.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: found for key, found in record.items() if isinstance(found, dict)} if isinstance(record, dict) else {}


def options(lesson: str, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Return what JupyterLab is started with to show a *lesson*: on this machine only, with a token, fetching nothing.

    Raises:
        ValueError: a port that is none, which JupyterLab would print, or fail at.
    """
    chosen = {
        "ServerApp.config_file": SERVER,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.answer_yes": "True",  # Ctrl-C stops at once
        "Application.log_level": "ERROR",  # the address is printed all the same
        "LabApp.default_url": f"/lab/tree/{lesson}",
        "KernelManager.transport_encryption": "auto",  # others may work on this machine too
        "LabApp.app_settings_dir": SETTINGS,
        "LabApp.custom_css": "True",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    } | ({} if port is None else {"ServerApp.port": count("port", port, low=0, high=65535)})
    flags = [f"--{name}={value}" for name, value in chosen.items()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-root")
    nowhere = sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if nowhere or not browser:  # there would be a text browser in this very terminal
        flags.append("--no-browser")
    return flags


def environment(work: Path) -> dict[str, str]:
    """Return what JupyterLab finds in its environment: progress and settings stay in the learner's *work* folder."""
    return {"FABRICLIB_PROGRESS": str(work / "progress.json"), "JUPYTER_CONFIG_DIR": str(work / ".jupyter")}


def settle(work: Path) -> None:
    """Lay JupyterLab's settings into *work*: the style sheet, and at the first start a window with the list of files closed.

    Raises:
        ValueError: they cannot be written there.
    """
    config = Path(environment(work)["JUPYTER_CONFIG_DIR"])
    window = config / "lab" / "workspaces" / "default-37a8.jupyterlab-workspace"
    try:
        (config / "custom").mkdir(parents=True, exist_ok=True)
        shutil.copy(SETTINGS / "custom" / "custom.css", config / "custom" / "custom.css")
        if not window.exists():
            window.parent.mkdir(parents=True, exist_ok=True)
            window.write_text(json.dumps(WINDOW), encoding="utf-8")
    except OSError as problem:
        raise ValueError(f"folder {str(work)!r} cannot hold JupyterLab's settings ({problem.strerror or problem}); make room "
                         "there, or name another.") from None


def run(work: Path, *, browser: bool = True, port: int | None = None, lesson: str = "") -> None:
    """Open JupyterLab on the copies in *work*, in this process, until it is stopped: at a *lesson*, or where the learner was."""
    lesson = lesson or lesson_to_open(shipped(), work / "progress.json")
    asked = options(lesson, browser=browser, port=port)
    settle(work)
    print(f"Starting JupyterLab on {work / lesson}. Ctrl-C here stops it.", flush=True)
    os.environ.update(environment(work))
    os.chdir(work)
    from jupyterlab.labapp import LabApp  # not before: when it is imported, it asks the environment where settings are

    LabApp.launch_instance(asked)
