"""A learner's own server. It runs as the learner: lays out their copies of the lessons, and starts JupyterLab where they were."""

import json
import os
import sys
from pathlib import Path

from fabricbook.desk import jupyter, learner_copies
from fabricbook.trainer import plans, tour

# What nobody needs in this room would cost each learner memory.
LEFT_OUT = ("jupyter_lsp", "jupyter_server_terminals", "notebook_shim")
# A lesson's kernel takes a hundred megabytes: it goes with its page. Answers are files.
OVERRIDES = {"@jupyterlab/notebook-extension:tracker": {"kernelShutdown": True}}
# Read in for the hub's database and for lists of extensions, which a learner's server asks nothing of: fifteen megabytes of each.
UNREAD = ("alembic", "alembic.command", "alembic.config", "alembic.script", "requests")
START = f"""import sys
from unittest.mock import MagicMock
sys.modules.update((name, MagicMock()) for name in {UNREAD})
from jupyterhub.singleuser import main
main()"""
# The usual kernel, but for its debugger: no lesson asks for it, and it takes seven megabytes of each.
BEGIN = "import sys; sys.modules['debugpy'] = None; from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
KERNEL = {
    "argv": [sys.executable, "-c", BEGIN, "-f", "{connection_file}"],
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
}


def main() -> None:
    """Become the learner's JupyterLab. What it writes is the learner's alone."""
    os.umask(0o077)
    work = Path.home() / "work"
    first = lay_out(work)
    jupyter.settle(work)
    own = work / ".jupyter"
    for path, content in ((own / "labconfig" / "default_setting_overrides.json", OVERRIDES),
                          (own / "kernels" / "python3" / "kernel.json", KERNEL)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    os.environ.update(jupyter.environment(work) | {"JUPYTER_PATH": str(own)})
    os.environ["JUPYTERHUB_DEFAULT_URL"] = f"/lab/tree/{first}"
    os.chdir(work)

    # A fresh process: what laid out the copies would stay in the server's memory. -P: a learner's own file is no module of it.
    os.execv(sys.executable, [sys.executable, "-P", "-c", START, *sys.argv[1:], *options()])


def lay_out(work: Path) -> str:
    """Bring the copies in *work* up to date, of the plan that the hub names or of all lessons; return the one to open."""
    if name := os.environ.get("FABRICBOOK_PLAN"):
        learner_copies.refresh(tour.files(plans.plan(name)), work)
        return tour.FIRST
    shipped = learner_copies.shipped()
    learner_copies.refresh(learner_copies.handed_out(shipped), work)
    return jupyter.lesson_to_open(shipped, work / "progress.json")


def options() -> list[str]:
    """Return what the server is started with."""
    chosen = {
        "ServerApp.config_file": jupyter.SERVER,
        "ServerApp.terminals_enabled": False,
        "ServerApp.jpserver_extensions": dict.fromkeys(LEFT_OUT, False),
        "KernelManager.transport": "ipc",  # a socket is a file that its owner alone opens; a port is everybody's
        "MappingKernelManager.cull_idle_timeout": 1800,  # of a lesson whose browser was closed
        "LabApp.app_settings_dir": jupyter.SETTINGS,
        "LabApp.custom_css": True,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    return [f"--{name}={value}" for name, value in chosen.items()]


if __name__ == "__main__":
    main()
