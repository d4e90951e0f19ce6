"""JupyterHub for a class on one machine: docs/classroom.md says how. No secret stands here: the hub makes its own when it starts.

Variables of its environment may say otherwise than the defaults:
    CLASSROOM_ADDRESS     where it listens; beyond this machine only with TLS
    CLASSROOM_STATE       the folder of its own files, which root alone reads
    FABRICBOOK_PLAN       the plan that learners get instead of the whole lessons: docs/trainer/plans.md
    FABRICBOOK_UNLOCKED   1 shows them at once what waits for a prediction
"""

import compileall
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from fabricbook.desk.pages import only_here
from fabricbook.trainer.plans import plan

HERE = Path(__file__).resolve().parent
ADDRESS = os.environ.get("CLASSROOM_ADDRESS", "http://127.0.0.1:8000")
STATE = Path(os.environ.get("CLASSROOM_STATE", "/var/lib/classroom"))
SYSTEMD = Path("/run/systemd/system").is_dir()  # what sd_booted(3) asks

SWITCHES = {name: os.environ[name] for name in ("FABRICBOOK_PLAN", "FABRICBOOK_UNLOCKED") if os.environ.get(name)}
if "FABRICBOOK_PLAN" in SWITCHES:
    plan(SWITCHES["FABRICBOOK_PLAN"])  # the hub does not start with one that nobody has

asked = urlsplit(ADDRESS)
if asked.scheme != "https" and not only_here(asked.hostname):
    raise ValueError(f"CLASSROOM_ADDRESS must be on this machine, or https, for passwords travel to it; got {ADDRESS!r}.")

c = get_config()  # noqa: F821 - JupyterHub gives it

STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
STATE.chmod(0o700)
c.JupyterHub.bind_url = ADDRESS
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.JupyterHub.db_url = f"sqlite:///{STATE}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
# HttpOnly they are anyway, and Secure behind a proxy that ends TLS.
c.JupyterHub.tornado_settings = {"cookie_options": {"SameSite": "Lax"} | ({"secure": True} if asked.scheme == "https" else {})}
if asked.scheme == "https":
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = str(STATE / "tls.crt"), str(STATE / "tls.key")

# Who: users of this machine that roster.py made. The system keeps their passwords, hashed, and keeps them apart.
c.JupyterHub.authenticator_class = "pam"
# Nobody is the hub's admin: an admin could open the others' servers, and with them their answers.
c.PAMAuthenticator.allowed_groups = {"classroom"}

# What each gets: a server under their own user, which can neither fill the machine nor become another.
c.Spawner.mem_limit = "1G"
c.Spawner.cpu_limit = 1.0
TASKS = 256  # processes and threads
learner_server = [sys.executable, str(HERE / "learner_server.py")]
if SYSTEMD:
    c.JupyterHub.spawner_class = "systemd"
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.isolate_devices = True
    c.SystemdSpawner.disable_user_sudo = True
    c.SystemdSpawner.unit_extra_properties = {"TasksMax": str(TASKS), "UMask": "0077"}
    c.Spawner.cmd = learner_server
else:  # a container: no unit to account for a learner, so each process has its limits
    c.JupyterHub.spawner_class = "localprocess"
    c.Spawner.cmd = ["prlimit", f"--data={2**30}", f"--nproc={TASKS}", "--core=0", *learner_server]
c.Spawner.environment = {
    "OMP_NUM_THREADS": "1",  # the matrices are small, and thirty learners share the cores
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",  # a large array's memory goes back when it goes; otherwise hundreds of megabytes stay
} | SWITCHES
for room in ("fabriclib", "fabricbook"):  # learners may not write here: each kernel would compile the course anew
    compileall.compile_dir(HERE.parent / room, quiet=1)
subprocess.run([sys.executable, HERE / "draw.py"], check=True)  # half a minute, once for each version of the course
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # thirty come in the same minute

# Who went home: a server that nobody used for an hour is stopped. Answers and copies are files, and stay.
c.JupyterHub.load_roles = [{
    "name": "idle-culler",
    "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    "services": ["idle-culler"],
}]
c.JupyterHub.services = [{
    "name": "idle-culler",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
}]
