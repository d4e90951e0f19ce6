"""A learner's own server. It runs as the learner: lays out their copies of the lessons, and starts JupyterLab where they were."""

import json
import os
import sys
from pathlib import Path

from fabricbook.desk import jupyter, learner_copies

# What nobody needs in this room would cost each learner memory.
LEFT_OUT = ("jupyter_lsp", "jupyter_server_terminals", "notebook_shim")
# A lesson's kernel takes a hundred megabytes: it goes with its page. Answers are files.
OVERRIDES = {"@jupyterlab/notebook-extension:tracker": {"kernelShutdown": True}}


def main() -> None:
    """Become the learner's JupyterLab. What it writes is the learner's alone."""
    os.umask(0o077)
    work = Path.home() / "work"
    shipped = learner_copies.shipped()
    learner_copies.refresh(shipped, work)
    jupyter.settle(work)
    overrides = work / ".jupyter" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(exist_ok=True)
    overrides.write_text(json.dumps(OVERRIDES), encoding="utf-8")
    os.environ.update(jupyter.environment(work))
    os.environ["JUPYTERHUB_DEFAULT_URL"] = f"/lab/tree/{jupyter.lesson_to_open(shipped, work / 'progress.json')}"
    os.chdir(work)

    from jupyterhub.singleuser import main as serve

    sys.argv += options()
    serve()


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
